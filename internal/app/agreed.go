package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// # Manual approval
//
// A shop may want the last word (escrow.Profile.ManualApproval; PortOne V2's manual
// approval, contract sections 3.2 and 4). Then the buyer's last step in the window
// carries nothing out. It gives a token, the shop's page hands it to the shop's
// server, and that confirms the payment by it (POST /payments/{paymentId}/confirm).
// Until then the payment is open as it was before.
//
// The token is what the buyer agreed to, sealed by the server's secret. No row knows
// of it, so that any node takes it. What is always true of it:
//
//   - It is good for one payment of one shop, for TokenLife of the shop's clock.
//   - It carries out what the buyer chose last: a later choice of another method or
//     of an escrow ends it.
//   - It is carried out once, through the door that a window without it goes through.

// TokenLife is how long a payment token is good, on the shop's clock.
const TokenLife = 30 * time.Minute

// currency is the only one there is.
const currency = "KRW"

// Agreement is what a buyer agreed to in the window beside the method and the escrow,
// which the payment knows.
type Agreement struct {
	// Account is the virtual account that is to be issued.
	Account AccountOrder
	// ValidFor is until when it may be paid into, from its issue on; it takes the place
	// of Account.Due if it is not zero.
	ValidFor time.Duration
	// Approval is what the bank or the issuer will have approved of a transfer or card.
	Approval escrow.Approve
}

// account is the order of an account that is issued now.
func (g *Agreement) account(now time.Time) AccountOrder {
	order := g.Account
	if g.ValidFor != 0 {
		order.Due = now.Add(g.ValidFor)
	}
	return order
}

// agreed is what a token says.
type agreed struct {
	Payment  string
	Amount   money.Won
	Currency string
	Method   escrow.Method
	Escrow   bool
	Agreement
	Until int64 // unix seconds, on the shop's clock
}

// tokenSeal is the label of the key that seals payment tokens.
const tokenSeal = "payment tokens"

// Agree gives the token by which the shop carries out what the buyer agreed to in the
// window. The buyer's choice (Choose) has to be recorded before.
func (a *App) Agree(ctx context.Context, merchantID, paymentID string, g Agreement) (string, error) {
	if _, err := a.payee(ctx, merchantID); err != nil {
		return "", err
	}
	m, err := a.MerchantNew(ctx, merchantID) // the times go by its clock
	if err != nil {
		return "", err
	}
	p, err := a.Payment(ctx, merchantID, paymentID)
	if err != nil {
		return "", err
	}
	t := agreed{Payment: p.ID, Amount: p.Amount, Currency: currency, Method: p.Method, Escrow: p.Escrow, Agreement: g}
	if err := t.stands(&p); err != nil {
		return "", err
	}
	now := m.Now(a.clock.Now())
	if p.Method == escrow.VirtualAccount {
		if _, err := a.due(&m, g.account(now).Due); err != nil {
			return "", err
		}
	}
	t.Until = now.Add(TokenLife).Unix()
	return a.sealToken(merchantID, &t)
}

func (a *App) sealToken(merchantID string, t *agreed) (string, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	aead, err := a.sealer(tokenSeal)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, raw, []byte(merchantID))), nil
}

// openToken reads a token that this server gave for the merchant; any other is BadToken.
func (a *App) openToken(merchantID, token string) (*agreed, error) {
	aead, err := a.sealer(tokenSeal)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, badToken("this server did not give it for this shop")
	}
	raw, err := aead.Open(nil, nil, sealed, []byte(merchantID))
	if err != nil {
		return nil, badToken("this server did not give it for this shop")
	}
	t := &agreed{}
	return t, json.Unmarshal(raw, t)
}

func badToken(why string) error {
	return &escrow.Refusal{Code: BadToken, Field: "payment_token", Reason: "the payment token is not good: " + why}
}

// stands refuses a payment that is not open any more, or for which the buyer has
// chosen otherwise since the agreement.
func (t *agreed) stands(p *escrow.Payment) error {
	switch {
	case p.State == escrow.Opened && p.Grounds != "" && p.Method == t.Method && p.Escrow == t.Escrow:
		return nil
	case p.State == escrow.Opened:
		return badToken("the buyer has chosen otherwise since")
	case p.Cancellable() > 0:
		return &escrow.Refusal{Code: escrow.AlreadyPaid, Reason: "the payment is paid"}
	case !p.PaidAt.IsZero():
		return &escrow.Refusal{Code: escrow.AlreadyCancelled, Reason: "the payment was paid and given back"}
	}
	return &escrow.Refusal{Code: escrow.WrongState, Reason: "the payment is not open any more"}
}

// issued reports whether the account that was agreed to is the payment's and waits.
func (t *agreed) issued(p *escrow.Payment) bool {
	return t.Method == escrow.VirtualAccount && p.State == escrow.AwaitingDeposit && p.Account.Bank == t.Account.Bank
}

// Confirmation is a shop's word that a payment may come about. What it says beside the
// token is compared with the payment; nil and empty values are not.
type Confirmation struct {
	Token          string
	TxID, Currency string
	Total, TaxFree *money.Won
	Test           *bool
}

// differs is the InformationDiffers of the first thing that is not as the shop says.
func (c *Confirmation) differs(t *agreed, p *escrow.Payment, m *merchant.Merchant) error {
	for _, is := range []struct {
		field   string
		differs bool
	}{
		{"tx_id", c.TxID != "" && c.TxID != p.ID},
		{"currency", c.Currency != "" && c.Currency != t.Currency},
		{"total", t.Amount != p.Amount || c.Total != nil && *c.Total != t.Amount},
		{"tax_free", c.TaxFree != nil && *c.TaxFree != p.TaxFree},
		{"is_test", c.Test != nil && *c.Test != (m.Mode == merchant.Sandbox)},
	} {
		if is.differs {
			return &escrow.Refusal{Code: InformationDiffers, Field: is.field, Reason: "it differs from that of the payment"}
		}
	}
	return nil
}

// ConfirmPayment carries out what the buyer of an order agreed to: the approval is
// taken, or the account issued, once the shop has not said no at its confirmUrl. A
// payment that is paid is AlreadyPaid, whatever the token; so is the repetition of a
// confirmation that succeeded. An account that was issued by it and waits is given
// again.
func (a *App) ConfirmPayment(ctx context.Context, merchantID, orderID string, c Confirmation) (escrow.Payment, error) {
	order, err := a.OrderPayment(ctx, merchantID, orderID)
	if err != nil {
		return escrow.Payment{}, err
	}
	t, bad := a.openToken(merchantID, c.Token)
	if bad == nil {
		if p, done, err := a.confirmed(ctx, merchantID, t); done || err != nil {
			return p, err
		}
	}
	switch {
	case order.Status() == escrow.StatusPaid:
		return order, &escrow.Refusal{Code: escrow.AlreadyPaid, Field: "merchant_uid", Reason: "the order is paid already"}
	case bad != nil:
		return escrow.Payment{}, bad
	}
	return a.confirmAgreed(ctx, merchantID, orderID, t, &c)
}

// confirmed tells what the context's request has come to before, if it has.
func (a *App) confirmed(ctx context.Context, merchantID string, t *agreed) (p escrow.Payment, done bool, err error) {
	stopped := actOn(escrow.Fail{}, t.Payment)
	name := recorded(ctx)
	if name != stopped {
		name = actOn(t.command(), t.Payment)
	}
	if _, done, err = told[paymentAct](ctx, name); !done || err != nil {
		return p, false, err
	}
	p, err = a.Payment(ctx, merchantID, t.Payment)
	if err == nil && name == stopped {
		err = stoppedByShop(p.FailReason)
	}
	return p, true, err
}

// command is what carries an agreement out, without the account.
func (t *agreed) command() escrow.Command {
	if t.Method == escrow.VirtualAccount {
		return escrow.IssueAccount{}
	}
	return t.Approval
}

func (a *App) confirmAgreed(ctx context.Context, merchantID, orderID string, t *agreed, c *Confirmation) (escrow.Payment, error) {
	if _, err := a.payee(ctx, merchantID); err != nil {
		return escrow.Payment{}, err
	}
	m, err := a.MerchantNew(ctx, merchantID) // the times go by its clock
	if err != nil {
		return escrow.Payment{}, err
	}
	p, err := a.Payment(ctx, merchantID, t.Payment)
	now := m.Now(a.clock.Now())
	switch {
	case err != nil:
		return escrow.Payment{}, err
	case p.OrderID != orderID:
		return p, badToken("it is for another order")
	case now.Unix() >= t.Until:
		return p, badToken("its time is over")
	}
	if err := c.differs(t, &p, &m); err != nil {
		return p, err
	}
	if t.issued(&p) {
		return p, nil
	}
	if err := t.stands(&p); err != nil {
		return p, err
	}
	if t.Method == escrow.VirtualAccount {
		return a.confirmAccount(ctx, &m, &p, t, now)
	}
	if err := a.asked(ctx, &m, &p); err != nil {
		return p, err
	}
	res, err := a.doIf(ctx, merchantID, p.ID, t.stands, step{escrow.Bank, t.Approval})
	return res.Payment, err
}

func (a *App) confirmAccount(ctx context.Context, m *merchant.Merchant, p *escrow.Payment, t *agreed, now time.Time) (escrow.Payment, error) {
	order := t.account(now)
	due, err := a.due(m, order.Due)
	if err != nil {
		return *p, err
	}
	order.Due = due
	if err := a.asked(ctx, m, p); err != nil {
		return *p, err
	}
	issued, err := a.issue(ctx, m, p, order, t.stands)
	var no *escrow.Refusal
	if errors.As(err, &no) && t.issued(&issued) {
		return issued, nil // another confirmation was first
	}
	return issued, err
}

// issue issues the virtual account of an open payment that fits; nil fits all. A
// payment that is not open any more is WrongState or AlreadyPaid, given as it is now,
// and an account that it does not have is closed again.
func (a *App) issue(ctx context.Context, m *merchant.Merchant, p *escrow.Payment, order AccountOrder, fits func(*escrow.Payment) error) (escrow.Payment, error) {
	account, err := a.bank.IssueAccount(Apart(ctx), accountRequest(m, p.ID, p.Amount, order))
	if err != nil {
		return *p, noAccount(err)
	}
	res, err := a.doIf(ctx, m.ID, p.ID, fits, step{escrow.Bank, escrow.IssueAccount{Account: escrow.Account{BankAccount: account, Due: order.Due}}})
	var no *escrow.Refusal
	if !errors.As(err, &no) {
		return res.Payment, err
	}
	now, lost := a.Payment(ctx, m.ID, p.ID)
	if lost != nil {
		return now, lost
	}
	if now.State != escrow.Opened && (now.Account == nil || now.Account.BankAccount != account) {
		a.closeAccount(m.ID, account)
	}
	return now, err
}
