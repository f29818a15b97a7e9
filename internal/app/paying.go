package app

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/store"
)

const (
	// openTries bounds how often an id is drawn again when two sources met.
	openTries = 8
	// DefaultDue is the time to pay into an account when the shop names none.
	DefaultDue = 3 * 24 * time.Hour
	// maxDue is the latest due time of an account.
	maxDue = 180 * 24 * time.Hour
)

// Open begins a payment for the window: the order must not be paid already and
// must match what the shop registered. ID and Merchant of the request are set
// here.
func (a *App) Open(ctx context.Context, actor escrow.Actor, merchantID string, req escrow.Open) (escrow.Payment, error) {
	if p, opened, err := a.opened(ctx, merchantID); opened || err != nil {
		return p, err
	}
	return prepared(func() (escrow.Payment, error) {
		m, err := a.Merchant(ctx, merchantID)
		if err != nil {
			return escrow.Payment{}, err
		}
		return a.begin(ctx, actor, &m, req, nil)
	})
}

// actOpen is the opening of a payment. Its id is drawn, and no part of the name.
const actOpen = "payment.open"

// opened is the payment that the context's request has opened before.
func (a *App) opened(ctx context.Context, merchantID string) (p escrow.Payment, opened bool, err error) {
	memo, opened, err := told[paymentAct](ctx, actOpen)
	if !opened || err != nil {
		return p, false, err
	}
	p, err = a.Payment(ctx, merchantID, memo.ID)
	return p, true, err
}

// begin opens a payment together with further steps that need its id. It is
// errOutrun when the merchant is not as it was given.
func (a *App) begin(ctx context.Context, actor escrow.Actor, m *merchant.Merchant, req escrow.Open, more func(id string) ([]step, error)) (escrow.Payment, error) {
	if err := callable(m, req); err != nil {
		return escrow.Payment{}, err
	}
	req.Merchant = m.ID
	if req.Provider == "" {
		req.Provider = m.Provider
	}
	for range openTries {
		req.ID = a.ids.Next(m.Now(a.clock.Now()))
		p, err := a.beginAs(ctx, actor, m, req, more)
		var no *escrow.Refusal
		taken := errors.Is(err, store.ErrExists) || (errors.As(err, &no) && no.Code == escrow.Exists)
		if !taken {
			return p, err
		}
		// Another source of ids, or this one before a restart, was here, and may be
		// far ahead of the clock.
		last, err := read(ctx, a, func(r *store.Reader) (string, error) { return r.LastPaymentID(m.ID) })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return escrow.Payment{}, err
		}
		a.ids.Past(last)
		a.ids.Jump()
	}
	return escrow.Payment{}, fmt.Errorf("app: no free payment id in %d tries", openTries)
}

// callable refuses addresses of a payment that would not be called.
func callable(m *merchant.Merchant, req escrow.Open) error {
	for _, u := range req.NoticeURLs {
		if err := m.CheckURL(u); err != nil {
			return invalid("notice_url", "%v", err)
		}
	}
	if req.ConfirmURL == "" {
		return nil
	}
	if err := m.CheckURL(req.ConfirmURL); err != nil {
		return invalid("confirm_url", "%v", err)
	}
	return nil
}

func (a *App) beginAs(ctx context.Context, actor escrow.Actor, m *merchant.Merchant, req escrow.Open, more func(id string) ([]step, error)) (escrow.Payment, error) {
	steps := []step{{actor, req}}
	if more != nil {
		further, err := more(req.ID)
		if err != nil {
			return escrow.Payment{}, err
		}
		steps = append(steps, further...)
	}
	res, err := a.payment(ctx, actOpen, m.ID, req.ID, func(tx *store.Tx) (Result, error) {
		if err := a.settingsAs(tx, m); err != nil {
			return Result{}, err
		}
		before, err := tx.Payment(m.ID, req.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Result{}, err
		}
		if err := payable(tx, m, req); err != nil {
			return Result{}, err
		}
		return a.decide(tx, m, before, steps)
	})
	if err != nil {
		return escrow.Payment{}, err
	}
	a.after(&res)
	return res.Payment, nil
}

// payable refuses an order that is paid already, or that differs from its registration.
func payable(tx *store.Tx, m *merchant.Merchant, req escrow.Open) error {
	if err := unpaid(tx, m.ID, req.OrderID, req.ID); err != nil {
		return err
	}
	prepared, err := tx.Prepared(m.ID, req.OrderID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && money.Won(prepared.Amount) != req.Amount {
		return &escrow.Refusal{Code: PreparedDiffers, Field: "amount", Reason: fmt.Sprintf("the amount differs from the registered one: %d was registered, %d was asked for", prepared.Amount, req.Amount)}
	}
	return err
}

// unpaid refuses an order that another payment than the named one has paid.
func unpaid(tx *store.Tx, merchantID, orderID, paymentID string) error {
	paid, err := tx.PaidPayment(merchantID, orderID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && paid.ID == paymentID:
		return nil
	case err == nil:
		return &escrow.Refusal{Code: escrow.AlreadyPaid, Field: "merchant_uid", Reason: "the order is paid already"}
	}
	return err
}

// AccountOrder asks for a virtual account.
type AccountOrder struct {
	Bank   string    // three digits
	Holder string    // the name shown to the payer; the shop's name when empty
	Due    time.Time // zero: DefaultDue from now
}

func (a *App) due(m *merchant.Merchant, due time.Time) (time.Time, error) {
	now := m.Now(a.clock.Now())
	switch {
	case due.IsZero():
		return now.Add(DefaultDue), nil
	case !due.After(now):
		return due, invalid("vbank_due", "the due time must be in the future")
	case due.After(now.Add(maxDue)):
		return due, invalid("vbank_due", "the due time must be at most 180 days ahead")
	}
	return due, nil
}

// OpenWithAccount begins a payment by a virtual account without a window: the
// account is issued at once (V1 POST /vbanks).
func (a *App) OpenWithAccount(ctx context.Context, merchantID string, req escrow.Open, order AccountOrder) (escrow.Payment, error) {
	if p, opened, err := a.opened(ctx, merchantID); opened || err != nil {
		return p, err
	}
	return prepared(func() (escrow.Payment, error) { return a.openWithAccount(ctx, merchantID, req, order) })
}

func (a *App) openWithAccount(ctx context.Context, merchantID string, req escrow.Open, order AccountOrder) (escrow.Payment, error) {
	m, err := a.payee(ctx, merchantID)
	if err != nil {
		return escrow.Payment{}, err
	}
	req.Method = escrow.VirtualAccount
	due, err := a.due(&m, order.Due)
	if err != nil {
		return escrow.Payment{}, err
	}
	order.Due = due
	var issued []escrow.BankAccount
	p, err := a.begin(ctx, escrow.Shop, &m, req, func(id string) ([]step, error) {
		account, err := a.bank.IssueAccount(Apart(ctx), accountRequest(&m, id, req.Amount, order))
		if err != nil {
			return nil, noAccount(err)
		}
		issued = append(issued, account)
		return []step{
			{escrow.Shop, escrow.Choose{Method: escrow.VirtualAccount, Escrow: req.Escrow, ByAPI: true}},
			{escrow.Bank, escrow.IssueAccount{Account: escrow.Account{BankAccount: account, Due: order.Due}}},
		}, nil
	})
	var no *escrow.Refusal
	if err != nil && !errors.As(err, &no) && !errors.Is(err, errOutrun) {
		return p, err // it may have been stored all the same, and with it the account
	}
	for _, account := range issued { // an account that no payment has must take no money
		if p.Account == nil || p.Account.BankAccount != account {
			a.closeAccount(m.ID, account)
		}
	}
	return p, err
}

// noAccount says that the bank issued no account.
func noAccount(err error) error { return fmt.Errorf("the bank issued no account: %w", err) }

func accountRequest(m *merchant.Merchant, id string, amount money.Won, order AccountOrder) AccountRequest {
	holder := order.Holder
	if holder == "" {
		holder = m.Name
	}
	return AccountRequest{Merchant: m.ID, Payment: id, Bank: order.Bank, Holder: holder, Amount: amount, Due: order.Due}
}

// Checkout is the buyer's submit in the payment window.
type Checkout struct {
	Method escrow.Method
	Escrow bool
	Terms  string // version of the escrow terms agreed to; required for an escrow
	// Account says where and until when a virtual account is wanted.
	Account AccountOrder
}

// ChooseAccount records the buyer's choice and issues the virtual account. A
// second submit answers with the account that exists.
func (a *App) ChooseAccount(ctx context.Context, merchantID, paymentID string, c Checkout) (escrow.Payment, error) {
	m, err := a.payee(ctx, merchantID)
	if err != nil {
		return escrow.Payment{}, err
	}
	p, err := a.Payment(ctx, merchantID, paymentID)
	if err != nil || p.State == escrow.AwaitingDeposit {
		return p, err
	}
	if m, err = a.MerchantNew(ctx, merchantID); err != nil { // the due time goes by its clock
		return escrow.Payment{}, err
	}
	due, err := a.due(&m, c.Account.Due)
	if err != nil {
		return escrow.Payment{}, err
	}
	c.Account.Due = due
	// The choice is made durable first, so that a refusal costs no account.
	if _, err := a.Choose(ctx, merchantID, paymentID, c); err != nil {
		return escrow.Payment{}, err
	}
	if err := a.asked(ctx, &m, &p); err != nil {
		return escrow.Payment{}, err
	}
	issued, err := a.issue(ctx, &m, &p, c.Account, nil)
	var no *escrow.Refusal
	if errors.As(err, &no) && no.Code == escrow.WrongState {
		return issued, nil // another submit was first
	}
	return issued, err
}

// Choose records the buyer's method and escrow choice in the window.
func (a *App) Choose(ctx context.Context, merchantID, paymentID string, c Checkout) (Result, error) {
	return a.Do(ctx, escrow.Buyer, merchantID, paymentID, escrow.Choose{Method: c.Method, Escrow: c.Escrow, Terms: c.Terms})
}

// payee is a merchant who may be paid through this server's bank.
func (a *App) payee(ctx context.Context, merchantID string) (merchant.Merchant, error) {
	m, err := a.Merchant(ctx, merchantID)
	if err == nil && a.playBank && m.Mode == merchant.Live {
		err = &escrow.Refusal{Code: NoLiveBank, Reason: "this server has only a simulated bank, which takes no payments for a live shop; use a sandbox shop"}
	}
	return m, err
}

// Approve takes a transfer or card payment that the bank or issuer approved.
func (a *App) Approve(ctx context.Context, merchantID, paymentID string, approval escrow.Approve) (escrow.Payment, error) {
	m, err := a.payee(ctx, merchantID)
	if err != nil {
		return escrow.Payment{}, err
	}
	p, err := a.Payment(ctx, merchantID, paymentID)
	if err != nil {
		return escrow.Payment{}, err
	}
	if err := a.asked(ctx, &m, &p); err != nil {
		return escrow.Payment{}, err
	}
	res, err := a.Do(ctx, escrow.Bank, merchantID, paymentID, approval)
	return res.Payment, err
}

// reasonNoAnswer is the fail reason when a shop's confirm URL does not answer.
const reasonNoAnswer = "상점의 결제 승인 확인에 응답이 없습니다."

// asked asks the shop, if it wants to be asked, before an open payment comes
// about. A shop that refuses, or does not answer, ends the payment.
func (a *App) asked(ctx context.Context, m *merchant.Merchant, p *escrow.Payment) error {
	if p.ConfirmURL == "" || p.State != escrow.Opened {
		return nil
	}
	err := a.shops.Confirm(Apart(ctx), m, p)
	if err == nil {
		return nil
	}
	reason := reasonNoAnswer
	var no *escrow.Refusal
	if errors.As(err, &no) && no.Reason != "" {
		reason = no.Reason
	}
	if _, err := a.Do(ctx, escrow.System, p.Merchant, p.ID, escrow.Fail{Reason: reason}); err != nil {
		return err
	}
	return stoppedByShop(reason)
}

func stoppedByShop(reason string) error {
	return &escrow.Refusal{Code: escrow.WrongState, Field: "confirm_url", Reason: "the shop stopped the payment: " + reason}
}

// HolderName is the name on an account at a bank.
func (a *App) HolderName(ctx context.Context, bank, number string) (string, error) {
	name, err := a.bank.HolderName(ctx, bank, number)
	if errors.Is(err, ErrNoHolder) {
		return "", &escrow.Refusal{Code: escrow.NotFound, Field: "bank_num", Reason: "the bank knows no such account"}
	}
	return name, err
}

// WindowToken lets its holder act as the buyer in the payment window of one payment.
func (a *App) WindowToken(p escrow.Payment) string {
	return p.Merchant + "~" + p.ID + "~" + a.windowMAC(p.Merchant, p.ID)
}

func (a *App) windowMAC(merchantID, paymentID string) string {
	return ident.Derive(a.secret, "", "window", merchantID, paymentID)
}

// ByWindowToken finds the payment of a window token.
func (a *App) ByWindowToken(ctx context.Context, token string) (escrow.Payment, error) {
	parts := strings.Split(token, "~")
	if len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(a.windowMAC(parts[0], parts[1]))) {
		return escrow.Payment{}, &escrow.Refusal{Code: escrow.NotFound, Reason: "there is no such payment window"}
	}
	return a.Payment(ctx, parts[0], parts[1])
}

// Prepared is an amount that a shop registers before its window opens.
type Prepared = store.Prepared

// Prepare registers an order's amount; one that is registered already is refused.
func (a *App) Prepare(ctx context.Context, p Prepared) error {
	_, err := a.write(ctx, "order.prepare "+p.OrderID, func(tx *store.Tx) error { return tx.InsertPrepared(p, a.clock.Now()) })
	if errors.Is(err, store.ErrExists) {
		return &escrow.Refusal{Code: escrow.Exists, Field: "merchant_uid", Reason: "the order is registered already"}
	}
	return err
}

// Register registers an order's amount, in the place of what was registered before. An
// order that is paid is AlreadyPaid. An amount of zero registers none and only asks
// whether the order is paid.
func (a *App) Register(ctx context.Context, p Prepared) error {
	_, err := a.write(ctx, "order.register "+p.OrderID, func(tx *store.Tx) error {
		if err := unpaid(tx, p.Merchant, p.OrderID, ""); err != nil || p.Amount == 0 {
			return err
		}
		return tx.PutPrepared(p, a.clock.Now())
	}, store.OnRow(p.Merchant, p.OrderID))
	return err
}

// ChangePrepared changes a registration; one that does not exist is NotFound.
func (a *App) ChangePrepared(ctx context.Context, p Prepared) error {
	_, err := a.write(ctx, "order.change "+p.OrderID, func(tx *store.Tx) error { return tx.UpdatePrepared(p, a.clock.Now()) })
	return notFound(err, "registration")
}

// PreparedOf returns the registration of an order.
func (a *App) PreparedOf(ctx context.Context, merchantID, orderID string) (Prepared, error) {
	p, err := read(ctx, a, func(r *store.Reader) (Prepared, error) { return r.Prepared(merchantID, orderID) })
	return p, notFound(err, "registration")
}
