package console

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// methods are the payment methods in the order in which they are shown.
var methods = []escrow.Method{escrow.VirtualAccount, escrow.BankTransfer, escrow.Card}

// tasksShown bounds the payments that the overview lists as open tasks.
const tasksShown = 20

type methodRow struct {
	Method   escrow.Method
	Offered  bool
	CashLike bool
	On       bool // an escrow contract is in force
	Contract merchant.Contract
}

func rowOf(m *merchant.Merchant, method escrow.Method) methodRow {
	contract := m.Contracts[method]
	return methodRow{
		Method: method, Offered: m.Offers(method), CashLike: method.CashLike(),
		On: contract.State == merchant.InForce, Contract: contract,
	}
}

type stateCount struct {
	State escrow.State
	Count int64
}

type overviewPage struct {
	Methods   []methodRow
	States    []stateCount
	Any       bool // whether there is any payment
	Tasks     []escrow.Payment
	MoreTasks bool
	Now       time.Time
	Merchant  merchant.Merchant
}

func (c *console) overview(v *visit) error {
	ctx := v.r.Context()
	counts, err := c.app.CountStates(ctx, v.m.ID)
	if err != nil {
		return err
	}
	tasks, total, err := c.app.Payments(ctx, v.m.ID, app.Filter{Task: true}, app.Order{By: "updated"}, 0, tasksShown)
	if err != nil {
		return err
	}
	p := overviewPage{Any: len(counts) > 0, Tasks: tasks, MoreTasks: total > int64(len(tasks)), Now: v.now, Merchant: v.m}
	for _, method := range methods {
		p.Methods = append(p.Methods, rowOf(&v.m, method))
	}
	for _, state := range escrow.States() {
		if state != escrow.Opened && state != escrow.Failed {
			p.States = append(p.States, stateCount{state, counts[state]})
		}
	}
	return v.render(http.StatusOK, "/console", "overview", v.say("nav.overview"), p)
}

type contractPage struct {
	Row     methodRow
	Form    form
	Terms   string
	Profile escrow.Profile
}

// contractOf reads the method of the path.
func (v *visit) contractOf() (methodRow, error) {
	method := escrow.Method(chi.URLParam(v.r, "method"))
	if !slices.Contains(methods, method) {
		return methodRow{}, errNotFound
	}
	return rowOf(&v.m, method), nil
}

func (c *console) showContract(v *visit) error {
	row, err := v.contractOf()
	if err != nil {
		return err
	}
	return v.contractPage(http.StatusOK, row, form{})
}

func (v *visit) contractPage(status int, row methodRow, f form) error {
	return v.render(status, "/console", "contract", v.say("contract.title"), contractPage{Row: row, Form: f, Terms: merchant.TermsVersion, Profile: v.m.Profile})
}

// errInForce keeps a second application from writing anything.
var errInForce = errors.New("console: the contract is in force")

// applyContract makes the escrow contract of a method, for somebody who has
// agreed to the terms that were shown.
func (c *console) applyContract(v *visit) error {
	row, err := v.contractOf()
	if err != nil {
		return err
	}
	f, err := v.form("apply")
	if err != nil {
		return err
	}
	if f.Fields.Text("terms", 40) != merchant.TermsVersion || f.Fields.Text("agree", 10) != "yes" {
		f.mark("agree", v.say("contract.agree.missing"))
		return v.contractPage(http.StatusUnprocessableEntity, row, f)
	}
	_, err = c.app.UpdateMerchant(v.r.Context(), v.staff.Email, v.m.ID, "contract.apply", func(m *merchant.Merchant) error {
		if !m.Apply(c.app.MerchantNow(m), row.Method) {
			return errInForce
		}
		return nil
	})
	if err != nil && !errors.Is(err, errInForce) {
		return err
	}
	return v.done("/console", "done.contract")
}
