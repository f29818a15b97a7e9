package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Result is the answer of a change.
type Result struct {
	Payment escrow.Payment
	// Unchanged says that it had been done before.
	Unchanged bool
	Events    []escrow.Event
	// owes are the kinds of work that loops can begin at once, lanes those in which
	// calls are due.
	owes  []Work
	lanes []Lane
	// found is what did not agree in the payment's row before and was recorded now.
	found []Violation
}

// Refusals that come from more than one payment.
const (
	// PreparedDiffers: the amount or currency is not the one registered beforehand.
	PreparedDiffers escrow.Code = "prepared_differs"
	// MethodNotOffered: the merchant does not offer the payment method.
	MethodNotOffered escrow.Code = "method_not_offered"
	// NoLiveBank: the server has only a simulated bank, and the merchant is live.
	NoLiveBank escrow.Code = "no_live_bank"
	// UnsafeDatabase: the database can lose what it acknowledged, and the merchant
	// would be live.
	UnsafeDatabase escrow.Code = "unsafe_database"
	// BadToken: a payment token is not this server's, for another order or shop, too
	// old, or the buyer has chosen otherwise since.
	BadToken escrow.Code = "invalid_payment_token"
	// InformationDiffers: what a shop says of a payment is not so.
	InformationDiffers escrow.Code = "information_differs"
)

// Do gives a command to a payment, in the name of an actor, and returns once
// the consequence is durable.
func (a *App) Do(ctx context.Context, actor escrow.Actor, merchantID, paymentID string, cmd escrow.Command) (Result, error) {
	return a.do(ctx, merchantID, paymentID, step{actor, cmd})
}

// recall and recalled are the bug of fault.DecideRemembered: payments as this
// node saw them last, in the place of those that the database has.
var recall sync.Map

func recalled(now escrow.Payment) escrow.Payment {
	last, known := recall.Load(now.ID)
	if !known {
		return now
	}
	p := last.(escrow.Payment) //nolint:forcetypeassert // nothing else is kept
	p.Version, p.Seq = now.Version, now.Seq
	return p
}

// step is one command of a series that is decided and stored as one.
type step struct {
	actor escrow.Actor
	cmd   escrow.Command
}

func (a *App) do(ctx context.Context, merchantID, paymentID string, steps ...step) (Result, error) {
	return a.doIf(ctx, merchantID, paymentID, nil, steps...)
}

// doIf is do for a payment that fits, as it is in the transaction; nil fits all.
func (a *App) doIf(ctx context.Context, merchantID, paymentID string, fits func(*escrow.Payment) error, steps ...step) (Result, error) {
	if err := a.acquaint(ctx, merchantID); err != nil {
		return Result{}, err
	}
	res, err := a.payment(ctx, actOn(steps[0].cmd, paymentID), merchantID, paymentID, func(tx *store.Tx) (Result, error) {
		m, err := a.settings(tx, merchantID)
		if err != nil {
			return Result{}, err
		}
		before, err := tx.Payment(merchantID, paymentID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Result{}, err
		}
		if fault.Planted(fault.DecideRemembered) {
			before = recalled(before)
		}
		if fits != nil {
			if err := fits(&before); err != nil {
				return Result{}, err
			}
		}
		return a.decide(tx, &m, before, steps)
	})
	if err != nil {
		return Result{}, err
	}
	if fault.Planted(fault.DecideRemembered) {
		recall.Store(res.Payment.ID, res.Payment)
	}
	a.after(&res)
	return res, nil
}

// actOn names the act of a command to a payment.
func actOn(cmd escrow.Command, paymentID string) string {
	return "payment." + cmd.Verb() + " " + paymentID
}

// paymentAct is what is told of an act on a payment.
type paymentAct struct {
	ID        string `json:"id"`
	Unchanged bool   `json:"unchanged"`
	First     int64  `json:"first"` // number of its first event; 0 for none
	Events    int    `json:"events"`
}

// payment runs fn as an act on a payment. One that is told gives the payment as it
// is now, with the events that the act caused.
func (a *App) payment(ctx context.Context, name, merchantID, paymentID string, fn func(*store.Tx) (Result, error)) (Result, error) {
	var res Result
	memo, told, err := act(ctx, a, name, func(tx *store.Tx) (memo paymentAct, err error) {
		if res, err = fn(tx); err != nil {
			return memo, err
		}
		memo = paymentAct{ID: res.Payment.ID, Unchanged: res.Unchanged, Events: len(res.Events)}
		if memo.Events > 0 {
			memo.First = res.Events[0].Seq
		}
		return memo, nil
	}, store.OnPayment(merchantID, paymentID))
	if told && err == nil {
		return a.toldOf(ctx, merchantID, memo)
	}
	return res, err
}

// toldOf is the result of an act on a payment that was done before.
func (a *App) toldOf(ctx context.Context, merchantID string, memo paymentAct) (Result, error) {
	return read(ctx, a, func(r *store.Reader) (Result, error) {
		res := Result{Unchanged: memo.Unchanged}
		var err error
		if res.Payment, err = r.Payment(merchantID, memo.ID); err != nil || memo.Events == 0 {
			return res, notFound(err, "payment")
		}
		events, err := r.Events(merchantID, memo.ID)
		for _, e := range events {
			if e.Seq >= memo.First && e.Seq < memo.First+int64(memo.Events) {
				res.Events = append(res.Events, e.Event)
			}
		}
		return res, err
	})
}

// decide runs the steps one after the other and stores what they come to.
func (a *App) decide(tx *store.Tx, m *merchant.Merchant, before escrow.Payment, steps []step) (Result, error) {
	total := escrow.Decision{Unchanged: true, Next: before}
	for _, s := range steps {
		env, err := a.env(tx, m, s, &total.Next)
		if err != nil {
			return Result{}, err
		}
		d, err := escrow.Decide(total.Next, s.cmd, env)
		if err != nil {
			return Result{}, err
		}
		total = join(total, d)
	}
	return a.keepDecision(tx, m, &before, &total)
}

// keepDecision stores what was decided on a payment, and records first what does
// not agree in its row. One that has changed since it was read is store.ErrStale.
func (a *App) keepDecision(tx *store.Tx, m *merchant.Merchant, before *escrow.Payment, d *escrow.Decision) (Result, error) {
	if d.Unchanged {
		return Result{Payment: *before, Unchanged: true}, nil
	}
	var found []Violation
	if before.Version > 0 {
		var err error
		if found, err = a.keepDamage(tx, before); err != nil {
			return Result{}, err
		}
	}
	res, err := a.keepSound(tx, m, before, d, tx.Apply)
	res.found = found
	return res, err
}

// keepSound is keepDecision for a change of a payment that was decided on a sound
// row, stored by apply.
func (a *App) keepSound(tx *store.Tx, m *merchant.Merchant, before *escrow.Payment, d *escrow.Decision,
	apply func(was int64, d *escrow.Decision, owed store.Owed) error,
) (Result, error) {
	owed := store.Owed{Webhooks: owedWebhooks(m, d)}
	if err := apply(before.Version, d, owed); err != nil {
		return Result{}, err
	}
	if err := a.remember(tx, before, &d.Next); err != nil {
		return Result{}, err
	}
	lanes := lanesOf(d.Next.Merchant, owed)
	return Result{Payment: d.Next, Events: d.Events, owes: owes(d, len(lanes) > 0), lanes: lanes}, nil
}

// lanesOf are the lanes of owed calls.
func lanesOf(merchantID string, owed store.Owed) (lanes []Lane) {
	for _, w := range owed.Webhooks {
		if l := (Lane{Merchant: merchantID, Endpoint: w.Endpoint}); !w.Off && !slices.Contains(lanes, l) {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// owes lists the kinds of work that a decision leaves to be done now; calls says
// whether calls to the shop are due.
func owes(d *escrow.Decision, calls bool) (kinds []Work) {
	now := d.Next.UpdatedAt
	due := func(at time.Time) bool { return !at.IsZero() && !at.After(now) }
	payable := func(l escrow.Line) bool { return !bizday.DateOf(now).Before(l.DueDate) }
	for _, k := range []struct {
		work Work
		owed bool
	}{
		{WorkMail, len(d.Mails) > 0}, {WorkWebhook, calls}, {WorkBank, len(d.Orders) > 0},
		{WorkTime, due(d.Next.WakeAt)}, {WorkCarrier, due(d.Next.TrackAt)},
		{WorkSettlement, d.PayoutHold != nil || slices.ContainsFunc(d.Lines, payable)},
	} {
		if k.owed {
			kinds = append(kinds, k.work)
		}
	}
	return kinds
}

func join(a, b escrow.Decision) escrow.Decision {
	if b.Unchanged {
		return a
	}
	b.Transfers = append(a.Transfers, b.Transfers...)
	b.Events = append(a.Events, b.Events...)
	b.Mails = append(a.Mails, b.Mails...)
	b.Orders = append(a.Orders, b.Orders...)
	b.Lines = append(a.Lines, b.Lines...)
	if b.PayoutHold == nil {
		b.PayoutHold = a.PayoutHold
	}
	return b
}

// env gathers the circumstances of one command.
func (a *App) env(tx *store.Tx, m *merchant.Merchant, s step, p *escrow.Payment) (escrow.Env, error) {
	calendar, err := a.calendarIn(tx)
	if err != nil {
		return escrow.Env{}, err
	}
	env := a.circumstances(m, calendar, p, s.actor)
	switch c := s.cmd.(type) {
	case escrow.Open:
		env.Profile.Contracted = m.Contracted(c.Method)
	case escrow.Choose:
		env.Profile.Contracted = m.Contracted(c.Method)
		if !m.Offers(c.Method) {
			return env, &escrow.Refusal{Code: MethodNotOffered, Field: "pay_method", Reason: fmt.Sprintf("this shop does not offer %q", c.Method)}
		}
		if !c.ByAPI { // an account by API was checked when it was opened, in the same transaction
			return env, unpaid(tx, m.ID, p.OrderID, p.ID)
		}
	case escrow.Approve:
		// Two windows of one order may be open; the first approval wins.
		return env, unpaid(tx, m.ID, p.OrderID, p.ID)
	case escrow.AcceptLate:
		return env, unpaid(tx, m.ID, p.OrderID, p.ID)
	case escrow.NotifyDeposit:
		// Several accounts of one order may wait; the first one paid wins, and the
		// money on the others is refused or returned.
		err := unpaid(tx, m.ID, p.OrderID, p.ID)
		var no *escrow.Refusal
		if env.OrderPaid = errors.As(err, &no); env.OrderPaid {
			err = nil
		}
		return env, err
	case escrow.Cancel:
		left, err := tx.SaleLeft(m.ID, p.ID)
		if err != nil {
			return env, err
		}
		env.SaleLeft = left
	default: // the other commands ask for nothing beyond the circumstances
	}
	return env, nil
}

// circumstances are those that need no reading.
func (a *App) circumstances(m *merchant.Merchant, calendar bizday.Calendar, p *escrow.Payment, actor escrow.Actor) escrow.Env {
	profile := m.Profile
	profile.Contracted = m.Contracted(p.Method)
	return escrow.Env{Actor: actor, Now: m.Now(a.clock.Now()), Calendar: calendar, Profile: profile, Terms: m.Terms}
}

// Directory kinds.
const (
	dirCode     = "imp_code"
	dirAccount  = "account"
	dirDecision = "decide"
	// dirReplaced finds the payment of a decision link that a newer one replaced:
	// such a link shows nothing and can only ask for the newest one by mail.
	dirReplaced = "decide_replaced"
)

// remember keeps what must be found without knowing the merchant: the issued
// account and the newest decision link.
func (a *App) remember(tx *store.Tx, before, next *escrow.Payment) error {
	if before.Account == nil && next.Account != nil {
		if err := tx.PutDirectory(dirAccount, accountKey(next.Account.BankAccount), next.Merchant, next.ID); err != nil {
			return err
		}
	}
	if before.LinkVersion == next.LinkVersion {
		return nil
	}
	if before.LinkVersion > 0 {
		old := ident.Hash(a.decisionToken(before))
		if err := tx.DropDirectory(dirDecision, old); err != nil {
			return err
		}
		if err := tx.PutDirectory(dirReplaced, old, next.Merchant, next.ID); err != nil {
			return err
		}
	}
	return tx.PutDirectory(dirDecision, ident.Hash(a.decisionToken(next)), next.Merchant, next.ID)
}

func accountKey(b escrow.BankAccount) string { return b.Bank + ":" + b.Number }

// after runs once a change is durable: it wakes the loops and closes an account
// at the bank that must take no more money.
func (a *App) after(res *Result) {
	if res.Unchanged {
		return
	}
	a.wake(res)
	for _, e := range res.Events {
		if e.Type == escrow.EventAccountClosed || e.Type == escrow.EventAccountExpired {
			a.closeAccount(res.Payment.Merchant, res.Payment.Account.BankAccount)
		}
	}
}

// closeWait bounds the call that closes an account; a bank that does not hear
// it refuses late money by the due time it knows, or the deposit is suspended.
const closeWait = 10 * time.Second

func (a *App) closeAccount(merchantID string, account escrow.BankAccount) {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait) // no act of any request
	defer cancel()
	if err := a.bank.CloseAccount(ctx, merchantID, account); err != nil {
		a.log.Warn("the bank did not close an account", "merchant", merchantID, "bank", account.Bank, "error", err)
	}
}

// decisionToken is the secret of a payment's newest decision link. It is
// derived, so that a mail that is sent again carries the same link, and only
// its hash is stored.
func (a *App) decisionToken(p *escrow.Payment) string {
	return ident.Derive(a.secret, "", "decide", p.Merchant, p.ID, strconv.Itoa(p.LinkVersion))
}

// DecisionURL is the link to the page on which the buyer decides; empty before
// there is anything to decide.
func (a *App) DecisionURL(p escrow.Payment) string {
	if p.LinkVersion == 0 {
		return ""
	}
	return a.baseURL + "/d/" + a.decisionToken(&p)
}

// ByDecisionToken finds the payment of a decision link. A token that is
// unknown, replaced or mistyped is NotFound.
func (a *App) ByDecisionToken(ctx context.Context, token string) (escrow.Payment, error) {
	return read(ctx, a, func(r *store.Reader) (escrow.Payment, error) {
		ref, err := r.Lookup(dirDecision, ident.Hash(token))
		if err != nil {
			return escrow.Payment{}, notFound(err, "link")
		}
		return r.Payment(ref.Merchant, ref.ID)
	})
}

// RenewByToken makes a new decision link and mails it to the address that the
// buyer gave, for the holder of any link of the payment, also of one that was
// replaced. A token that never was one is NotFound.
func (a *App) RenewByToken(ctx context.Context, token string) error {
	ref, err := read(ctx, a, func(r *store.Reader) (store.Ref, error) {
		ref, err := r.Lookup(dirDecision, ident.Hash(token))
		if errors.Is(err, store.ErrNotFound) {
			return r.Lookup(dirReplaced, ident.Hash(token))
		}
		return ref, err
	})
	if err != nil {
		return notFound(err, "link")
	}
	_, err = a.Do(ctx, escrow.Buyer, ref.Merchant, ref.ID, escrow.RenewLink{})
	return err
}

// Deposit is a bank's notice of money on an account.
func (a *App) Deposit(ctx context.Context, account escrow.BankAccount, notice escrow.NotifyDeposit) (Result, error) {
	ref, err := a.byAccount(ctx, account)
	if err != nil {
		return Result{}, err
	}
	return a.Do(ctx, escrow.Bank, ref.Merchant, ref.ID, notice)
}

func (a *App) byAccount(ctx context.Context, account escrow.BankAccount) (store.Ref, error) {
	ref, err := read(ctx, a, func(r *store.Reader) (store.Ref, error) { return r.Lookup(dirAccount, accountKey(account)) })
	return ref, notFound(err, "virtual account")
}

// owedWebhooks says which events of a decision the shop is called about, and
// where: at its endpoints, each by what it has chosen; or, for the setting and for
// the main endpoint of V2, at the notice URLs of the payment in their place.
func owedWebhooks(m *merchant.Merchant, d *escrow.Decision) (out []store.WebhookOwed) {
	mains := []merchant.Endpoint{m.Main(), m.MainV2()}
	for _, e := range d.Events {
		for _, name := range merchant.Told(&d.Next, e) {
			for i := range mains {
				out = append(out, callsAt(&mains[i], &d.Next, e.Seq, name)...)
			}
			for i := range m.Endpoints {
				if at := &m.Endpoints[i]; at.ID != mains[1].ID && at.Wants(name) {
					out = append(out, callAt(at, e.Seq, name, at.ID, at.URL, ""))
				}
			}
		}
	}
	return out
}

// callsOfPayout are the calls that tell of an event of a payout under one name, at
// the endpoints that ask for it. A payout has no notice URLs.
func callsOfPayout(m *merchant.Merchant, seq int64, name string) (out []store.WebhookOwed) {
	for i := range m.Endpoints {
		if e := &m.Endpoints[i]; e.Wants(name) {
			out = append(out, callAt(e, seq, name, e.ID, e.URL, ""))
		}
	}
	return out
}

// callsAt are the calls of a main endpoint about one event of a payment under one
// name. The payment's own notice URLs take the place of the endpoint's.
func callsAt(e *merchant.Endpoint, p *escrow.Payment, seq int64, name string) (out []store.WebhookOwed) {
	if !e.Wants(name) {
		return nil
	}
	own := p.NoticeURLs
	if p.V2 == e.Format.IsV1() { // they were given to be called in the other generation's format
		own = nil
	}
	for i, u := range own {
		out = append(out, callAt(e, seq, name, merchant.Noticed(e.ID), u, fmt.Sprintf("-n%d", i)))
	}
	if len(own) == 0 && e.URL != "" {
		out = append(out, callAt(e, seq, name, e.ID, e.URL, ""))
	}
	return out
}

func callAt(e *merchant.Endpoint, seq int64, name, lane, url, more string) store.WebhookOwed {
	return store.WebhookOwed{
		Seq: seq, Kind: name, Endpoint: lane, ID: MessageID("", seq, name) + "-" + strings.TrimPrefix(e.ID, endpointPrefix) + more, URL: url, Max: e.Tries(), Off: e.Off != nil,
	}
}

// MessageID names what is told under a name of an event of a payment or payout. The id of a
// call, which receivers see, begins with it, whatever the endpoint is: so two
// calls about the same can be told to be that.
func MessageID(payment string, seq int64, name string) string {
	kind := "t" // a transaction has changed
	switch {
	case name == merchant.TellStatus:
		kind = "s"
	case name == merchant.TellEscrow:
		kind = "i" // PortOne's name for it begins with the gateway's
	case !strings.HasPrefix(name, "Transaction."):
		kind = "e"
	}
	return fmt.Sprintf("%s-w%d%s", payment, seq, kind)
}
