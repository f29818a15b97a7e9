package admin

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/password"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

func (s *api) listMerchants(r *http.Request) (own.Reply, error) {
	return own.Answer(own.List(r, nil, func(offset, limit int) ([]merchant.Merchant, error) {
		return s.App.Merchants(r.Context(), offset, limit)
	}, func(m merchant.Merchant) merchantView { return s.viewMerchant(&m) }))
}

func (s *api) showMerchant(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(s.viewMerchant(&m))
}

// shopCode is what may stand in IMP.init.
var shopCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func (s *api) createMerchant(r *http.Request) (own.Reply, error) {
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	f.Require("name")
	code := f.Ident("code", codeMax)
	if code != "" && !shopCode.MatchString(code) {
		f.Refuse("code", body.Reason{Code: "shop_code", English: "must have letters, digits, - and _ only", Korean: "영문, 숫자, -, _만 사용할 수 있습니다"})
	}
	mode := merchant.Mode(f.OneOf("mode", string(merchant.Sandbox), string(merchant.Live)))
	if mode == "" {
		mode = merchant.Sandbox
	}
	chosen := f.Has("methods")
	settings := readSettings(f)
	name := f.Text("name", nameMax)
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	m, err := s.App.CreateMerchant(r.Context(), operator, code, name, mode, func(m *merchant.Merchant) {
		if chosen { // contracts come with the methods that are asked for, not with the defaults
			m.Methods, m.Contracts = nil, map[escrow.Method]merchant.Contract{}
		}
		settings.apply(m, m.CreatedAt)
	})
	if err != nil {
		return own.Reply{}, err
	}
	return own.Created(s.viewMerchant(&m))
}

// errStale refuses a change of settings that are not the ones the caller saw.
var errStale = own.Refuse(http.StatusConflict, string(app.Changed), "version", "the settings have changed since; read them again")

func (s *api) changeMerchant(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	version, checked := f.Int("version", 1, 1<<53)
	settings := readSettings(f)
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	m, err = s.App.UpdateMerchant(r.Context(), operator, m.ID, "merchant.update", func(m *merchant.Merchant) error {
		if checked && version != m.Version {
			return errStale
		}
		settings.apply(m, s.App.Real())
		return nil
	})
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(s.viewMerchant(&m))
}

func (s *api) listContracts(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(map[string][]contractView{"items": viewContracts(&m)})
}

// applyContract makes an escrow contract for a method that has none. One that
// is in force stays as it is.
func (s *api) applyContract(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	method := escrow.Method(inPath(r, "method"))
	if !slices.Contains(methods, method) {
		return own.Reply{}, own.Invalid("method", body.NotOneOf(methodNames()...).English)
	}
	m, err = s.App.UpdateMerchant(r.Context(), operator, m.ID, "contract.apply", func(m *merchant.Merchant) error {
		if !m.Apply(s.App.Real(), method) {
			return errInForce
		}
		return nil
	})
	if errors.Is(err, errInForce) {
		m, err = s.App.Merchant(r.Context(), m.ID)
	}
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(viewContract(&m, method))
}

// errInForce keeps a second application from writing anything.
var errInForce = errors.New("admin: the contract is in force")

// createStaff lets a person sign in to the merchant's console. A password that
// is not given is made and shown this once.
func (s *api) createStaff(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	f.Require("email")
	view := staffView{Email: readMail(f, "email")}
	secret := f.Text("password", password.Most)
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	if secret == "" {
		if secret, err = app.Note(r.Context(), s.App, "password", ident.Secret("")[:20]); err != nil {
			return own.Reply{}, err
		}
		view.Password = secret
	}
	hash, err := password.Hash(secret)
	if errors.Is(err, password.ErrTooShort) || errors.Is(err, password.ErrTooLong) {
		return own.Reply{}, own.Invalid("password", err.Error())
	}
	if err != nil {
		return own.Reply{}, err
	}
	if err := s.App.AddStaff(r.Context(), operator, m.ID, view.Email, hash); err != nil {
		return own.Reply{}, err
	}
	return own.Created(view)
}

func (s *api) listMerchantAudit(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	return s.audit(r, m.ID)
}

// listAudit lists what concerns all merchants, such as the calendar.
func (s *api) listAudit(r *http.Request) (own.Reply, error) { return s.audit(r, "") }

func (s *api) audit(r *http.Request, merchantID string) (own.Reply, error) {
	return own.Answer(own.List(r, nil, func(offset, limit int) ([]app.AuditRow, error) {
		return s.App.Audit(r.Context(), merchantID, offset, limit)
	}, func(a app.AuditRow) auditView {
		return auditView{ID: a.ID, At: moment(a.At), Actor: a.Actor, Action: a.Action, Subject: a.Subject, Detail: a.Detail}
	}))
}

type staffView struct {
	Email    string `json:"email"`
	Password string `json:"password,omitempty"` // only one that was made here
}

type auditView struct {
	ID      string  `json:"id"`
	At      *string `json:"at"`
	Actor   string  `json:"actor"`
	Action  string  `json:"action"`
	Subject string  `json:"subject"`
	Detail  string  `json:"detail"`
}

type contractView struct {
	Method   escrow.Method          `json:"method"`
	Offered  bool                   `json:"offered"`
	CashLike bool                   `json:"cashLike"` // the law's escrow duty covers it
	State    merchant.ContractState `json:"state"`
	Since    *string                `json:"since"`
	Terms    *string                `json:"terms"`
	ByItself bool                   `json:"byItself"` // it came with the method
}

func viewContracts(m *merchant.Merchant) []contractView {
	views := make([]contractView, len(methods))
	for i, method := range methods {
		views[i] = viewContract(m, method)
	}
	return views
}

func viewContract(m *merchant.Merchant, method escrow.Method) contractView {
	v := contractView{Method: method, Offered: m.Offers(method), CashLike: method.CashLike(), State: merchant.NoContract}
	if c := m.Contracts[method]; c.State == merchant.InForce {
		v.State, v.Since, v.Terms, v.ByItself = c.State, moment(c.Since), &c.Terms, c.ByItself
	}
	return v
}

type accountView struct {
	Bank   string `json:"bank"`
	Number string `json:"number"`
	Holder string `json:"holder"`
}

type feeView struct {
	Rate int64 `json:"rate"`
	Flat int64 `json:"flat"`
	Min  int64 `json:"min"`
}

type cycleView struct {
	Rhythm      string `json:"rhythm"`
	Days        []int  `json:"days"`
	FromPayment int    `json:"fromPayment"`
	FromConfirm int    `json:"fromConfirm"`
}

type policyView struct {
	CancelAfterShip          string `json:"cancelAfterShip"`
	AutoConfirmTrackedDays   int    `json:"autoConfirmTrackedDays"`
	AutoConfirmUntrackedDays int    `json:"autoConfirmUntrackedDays"`
	StrictNotice             bool   `json:"strictNotice"`
	AllowModify              bool   `json:"allowModify"`
	SelfDelivery             bool   `json:"selfDelivery"`
	ShopMayConfirm           bool   `json:"shopMayConfirm"`
	BuyerCancelAutoAgreeDays int    `json:"buyerCancelAutoAgreeDays"`
	PostConfirmRefund        bool   `json:"postConfirmRefund"`
	DepositPolicy            string `json:"depositPolicy"`
	DepositGraceMinutes      int    `json:"depositGraceMinutes"`
	RemindersDays            []int  `json:"remindersDays"`
	DecisionIdentity         string `json:"decisionIdentity"`
	CardEscrow               bool   `json:"cardEscrow"`
	ManualApproval           bool   `json:"manualApproval"`
}

type webhookView struct {
	URL          string `json:"url"`
	Form         bool   `json:"form"`
	Retries      int    `json:"retries"`
	EscrowEvents bool   `json:"escrowEvents"`
}

type partyView struct {
	Name     string `json:"name"`
	Phone    string `json:"phone"`
	Address  string `json:"address"`
	Postcode string `json:"postcode"`
}

type merchantView struct {
	ID             string             `json:"id"`
	Code           string             `json:"code"`
	Name           string             `json:"name"`
	Mode           merchant.Mode      `json:"mode"`
	BusinessNumber string             `json:"businessNumber"`
	Phone          string             `json:"phone"`
	Email          string             `json:"email"`
	BankAccount    *accountView       `json:"bankAccount"`
	Methods        []escrow.Method    `json:"methods"`
	Contracts      []contractView     `json:"contracts"`
	Fees           map[string]feeView `json:"fees"`
	RefundFee      feeView            `json:"refundFee"`
	Cycle          cycleView          `json:"cycle"`
	Policy         policyView         `json:"policy"`
	Webhook        webhookView        `json:"webhook"`
	Origins        []string           `json:"origins"`
	ReturnTo       *partyView         `json:"returnTo"`
	ChannelKey     string             `json:"channelKey"`
	Now            *string            `json:"now"` // the merchant's clock
	CreatedAt      *string            `json:"createdAt"`
	Version        int64              `json:"version"`
}

func (s *api) viewMerchant(m *merchant.Merchant) merchantView {
	v := merchantView{
		ID: m.ID, Code: m.Code, Name: m.Name, Mode: m.Mode, BusinessNumber: m.BusinessNo, Phone: m.Phone, Email: m.Email,
		BankAccount: viewAccount(m.Account), Methods: append([]escrow.Method{}, m.Methods...), Contracts: viewContracts(m),
		Fees: map[string]feeView{}, RefundFee: feeView{m.Terms.Refund.Rate, int64(m.Terms.Refund.Flat), int64(m.Terms.Refund.Min)},
		Cycle:  cycleView{string(m.Terms.Cycle.Rhythm), append([]int{}, m.Terms.Cycle.Days...), m.Terms.Cycle.FromPayment, m.Terms.Cycle.FromConfirm},
		Policy: viewPolicy(m.Profile), Webhook: webhookView{m.Webhook.URL, m.Webhook.Form, m.Webhook.Retries, m.Webhook.EscrowEvents},
		Origins: append([]string{}, m.Origins...), ChannelKey: m.ChannelKey,
		Now: moment(s.App.MerchantNow(m)), CreatedAt: moment(m.CreatedAt), Version: m.Version,
	}
	for _, name := range methodNames() {
		fee := m.Terms.Fees[name]
		v.Fees[name] = feeView{fee.Rate, int64(fee.Flat), int64(fee.Min)}
	}
	if m.ReturnTo != (escrow.Party{}) {
		v.ReturnTo = &partyView{m.ReturnTo.Name, m.ReturnTo.Phone, m.ReturnTo.Address, m.ReturnTo.Postcode}
	}
	return v
}

func viewAccount(a escrow.BankAccount) *accountView {
	if a.Number == "" {
		return nil
	}
	return &accountView{a.Bank, a.Number, a.Holder}
}

func viewPolicy(p escrow.Profile) policyView {
	return policyView{
		CancelAfterShip: string(p.CancelAfterShip), AutoConfirmTrackedDays: p.TrackedDays, AutoConfirmUntrackedDays: p.UntrackedDays,
		StrictNotice: p.StrictNotice, AllowModify: p.AllowModify, SelfDelivery: p.SelfDelivery, ShopMayConfirm: p.ShopMayConfirm,
		BuyerCancelAutoAgreeDays: p.AutoAgreeDays, PostConfirmRefund: p.RefundAfter, DepositPolicy: string(p.Deposit),
		DepositGraceMinutes: int(p.DepositGrace / time.Minute), RemindersDays: append([]int{}, p.Reminders...),
		DecisionIdentity: string(p.Identity), CardEscrow: p.CardEscrow, ManualApproval: p.ManualApproval,
	}
}
