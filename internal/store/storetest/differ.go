package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Differ gives two stores the same random calls and asks for the same answers.
func Differ(t *testing.T, one, other *store.Store) {
	cases := 0
	rapid.Check(t, func(rt *rapid.T) {
		cases++
		d := &draws{T: rt, merchant: fmt.Sprintf("mrc_%03d", cases)}
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			c := d.call()
			a, b := c.on(one), c.on(other)
			if a.early() || b.early() {
				// A function that ends for a reason of its own may never hear what its
				// writes would have come to; that it failed is what counts.
				a.Error, b.Error = failed(a.Error), failed(b.Error)
			}
			if diff := cmp.Diff(a, b, cmp.AllowUnexported(bizday.Date{})); diff != "" {
				rt.Fatalf("%s is answered in two ways (-one +other):\n%s", c.name, diff)
			}
		}
	})
}

// answer is what a call came to: a value, or the kind of its error.
type answer struct {
	Value any
	Error string
}

// early says that the function may have ended without asking the database.
func (a answer) early() bool {
	return a.Error == errGivesUp.Error() || a.Error == store.ErrText.Error() || a.Error == otherError
}

func failed(text string) string {
	if text == "" {
		return ""
	}
	return "failed"
}

// call is something that both stores are asked.
type call struct {
	name  string
	write func(*store.Tx) (any, error)
	read  func(*store.Reader) (any, error)
}

func (c *call) on(s *store.Store) (a answer) {
	var err error
	if c.write != nil {
		err = s.Write(context.Background(), func(tx *store.Tx) (err error) {
			a.Value, err = c.write(tx)
			return err
		})
	} else {
		err = s.Read(context.Background(), func(r *store.Reader) (err error) {
			a.Value, err = c.read(r)
			return err
		})
	}
	if err != nil {
		a = answer{Error: kind(err)}
	}
	return a
}

// errGivesUp is the error of a function that takes back what it wrote.
var errGivesUp = errors.New("gives up")

// kind is what callers can tell of an error. The wording is the engine's own.
func kind(err error) string {
	for _, known := range []error{errGivesUp, store.ErrNotFound, store.ErrExists, store.ErrStale, store.ErrOvertaken, store.ErrLeased, store.ErrText, store.ErrUnavailable, store.ErrUnknown} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return otherError
}

const otherError = "some other error"

// draws draws calls about one merchant from small sets, so that they meet.
type draws struct {
	*rapid.T
	merchant string
}

func pick[T any](d *draws, name string, of ...T) T { return rapid.SampledFrom(of).Draw(d.T, name) }

func (d *draws) yes(name string) bool { return rapid.Bool().Draw(d.T, name) }

func (d *draws) id() string { return pick(d, "id", "imp_1", "imp_2", "imp_3", "IMP_1") }

// text is what shops and buyers write, and what nobody can keep.
func (d *draws) text() string {
	return pick(d, "text", "", "a", "A", "b", "주문 1", "é", "É", "100%", "_", `\`, "'", "ß", "Z", "ａ", "\ufffd", "\u2028", "a\x00", "\xff", strings.Repeat("길", 200))
}

func (d *draws) order() string { return pick(d, "order", "o-1", "o-2", "O-1", "주문") }

func (d *draws) at() time.Time {
	return Monday.Add(time.Duration(pick(d, "at", 0, 1, 2, 3)) * time.Hour)
}

// atOrNever is an instant that may not have come.
func (d *draws) atOrNever() time.Time {
	if d.yes("never") {
		return time.Time{}
	}
	return d.at()
}

func (d *draws) day() bizday.Date {
	return pick(d, "day", date("2026-03-09"), date("2026-03-10"), date("2026-03-11"))
}

func (d *draws) amount() money.Won {
	return pick(d, "amount", 1, 1_000, 1_000_000, 0, -5, money.Won(1<<62))
}

func (d *draws) page() (offset, limit int) {
	return pick(d, "offset", 0, 1, 5), pick(d, "limit", 0, 1, 2, 100)
}

func (d *draws) payment(version int64) escrow.Payment {
	return escrow.Payment{
		Merchant: d.merchant, ID: d.id(), OrderID: d.order(), Version: version, Seq: version, Amount: d.amount(), Refunded: pick(d, "refunded", 0, 0, 1, money.Won(1_000)),
		State:  pick(d, "state", escrow.Opened, escrow.Paid, escrow.Held, escrow.Shipped, escrow.Cancelled, escrow.Failed, escrow.RejectionAccepted),
		Escrow: d.yes("escrow"), Method: pick(d, "method", "", escrow.Card, escrow.VirtualAccount), Name: d.text(), Buyer: escrow.Party{Email: "b@holdfast.example"},
		OpenedAt: d.at(), UpdatedAt: d.at(), PaidAt: d.atOrNever(), FailedAt: d.atOrNever(), CancelledAt: d.atOrNever(), WakeAt: d.atOrNever(), TrackAt: d.atOrNever(),
		Tasks: pick(d, "tasks", nil, []escrow.Task{"look"}, []escrow.Task{"look", "ask"}),
	}
}

// apply is a decision with parts of every kind, on a version that may be wrong.
func (d *draws) apply() func(*store.Tx) (any, error) {
	was := pick(d, "was", 0, 0, 0, 1, 2, int64(3))
	p := d.payment(was + 1)
	day := d.day()
	dec := escrow.Decision{
		Next:   p,
		Events: []escrow.Event{{Seq: was + 1, Type: escrow.EventPaid, At: p.UpdatedAt, Actor: escrow.Bank, Reason: d.text()}},
		Mails:  pick(d, "mails", nil, []escrow.Mail{escrow.MailPaid}),
	}
	if d.yes("transfer") {
		dec.Transfers = []ledger.Transfer{{Debit: ledger.BankEscrow, Credit: ledger.Held(p.ID), Amount: d.amount()}}
	}
	if d.yes("order") {
		dec.Orders = []escrow.BankOrder{{Key: fmt.Sprintf("%s-%d", p.ID, pick(d, "key", 1, 2)), Amount: d.amount(), Account: escrow.BankAccount{Bank: "004", Number: "1", Holder: "김"}}}
	}
	if d.yes("line") {
		dec.Lines = []escrow.Line{{ID: fmt.Sprintf("%s-l%d", p.ID, pick(d, "line", 1, 2)), Kind: escrow.LineSale, Gross: 10, Net: 10, At: p.UpdatedAt, PaidAt: p.PaidAt, DueDate: day}}
	}
	if d.yes("hold") {
		held := d.yes("held")
		dec.PayoutHold = &held
	}
	owed := store.Owed{}
	if d.yes("webhook") {
		owed = hook(was + 1)
	}
	fail := pick(d, "fail", nil, nil, nil, errGivesUp)
	return func(tx *store.Tx) (any, error) {
		if err := tx.Apply(was, &dec, owed); err != nil {
			return nil, errors.Join(fail, err)
		}
		again, err := tx.Payment(p.Merchant, p.ID)
		if err != nil {
			return nil, err
		}
		return again, fail
	}
}

func (d *draws) filter() (store.Filter, store.Order) {
	f := store.Filter{
		OrderID: pick(d, "byOrder", "", "", d.order(), "x\x00"), Status: pick(d, "status", "", escrow.StatusReady, escrow.StatusPaid, escrow.StatusCancelled, escrow.StatusFailed),
		Task: pick(d, "task", false, false, true), Text: pick(d, "search", "", "", d.text(), "o-", "O-", "IMP"), At: pick(d, "column", "", "paid", "updated", "failed", "cancelled", "standing"),
		Since: d.atOrNever(), Until: d.atOrNever(),
	}
	if d.yes("byStanding") {
		f.Standings = []escrow.Standing{pick(d, "standing", escrow.StandingReady, escrow.StandingPaid, escrow.StandingCancelled), pick(d, "standing2", escrow.StandingAccountIssued, escrow.StandingPartCancelled, escrow.StandingFailed)}
		f.Methods = pick(d, "methods", nil, []escrow.Method{}, []escrow.Method{escrow.Card, ""}, []escrow.Method{escrow.VirtualAccount})
		f.States = pick(d, "states", nil, nil, []escrow.State{escrow.Held, escrow.Opened, escrow.Cancelled})
	}
	f.OnePerOrder = d.yes("onePerOrder")
	if d.yes("after") {
		f.After, f.AfterOrder = &store.Spot{At: d.at(), ID: d.id()}, store.Order{By: pick(d, "afterBy", "opened", "standing"), Desc: d.yes("afterDesc")}
	}
	if d.yes("byEscrow") {
		v := d.yes("escrow")
		f.Escrow = &v
	}
	return f, store.Order{By: pick(d, "by", "opened", "paid", "updated", "failed", "cancelled", "standing"), Desc: d.yes("desc")}
}

// call draws one of everything that a store is asked.
func (d *draws) call() *call {
	if d.yes("write") {
		name := pick(d, "write", "apply", "apply", "claim", "directory", "merchant", "settle", "record", "setting", "done")
		return &call{name: name, write: map[string]func() func(*store.Tx) (any, error){
			"apply": d.apply, "claim": d.claim, "directory": d.directory, "merchant": d.changeMerchant, "settle": d.settle, "record": d.record, "setting": d.setting, "done": d.done,
		}[name]()}
	}
	name := pick(d, "read", "list", "list", "list", "events", "owed", "books", "due", "lines", "parties", "payment")
	return &call{name: name, read: map[string]func() func(*store.Reader) (any, error){
		"list": d.list, "events": d.events, "owed": d.owed, "books": d.books, "due": d.due, "lines": d.lines, "parties": d.parties, "payment": d.single,
	}[name]()}
}

// claim takes all there is: of equal due times any engine may take any.
func (d *draws) claim() func(*store.Tx) (any, error) {
	now, m, ordered := d.at(), d.merchant, d.yes("ordered")
	return func(tx *store.Tx) (any, error) {
		mails, err1 := tx.ClaimMails(m, now, time.Minute, 1000)
		hooks, err2 := TakeWebhooks(tx, m, now, time.Minute, 1000, ordered)
		orders, err3 := tx.ClaimBankOrders(m, now, time.Minute, 1000)
		slices.SortFunc(mails, func(a, b store.Mail) int { return strings.Compare(a.ID, b.ID) })
		slices.SortFunc(hooks, func(a, b store.Webhook) int { return strings.Compare(a.ID, b.ID) })
		slices.SortFunc(orders, func(a, b store.BankOrder) int { return strings.Compare(a.Key, b.Key) })
		return []any{mails, hooks, orders}, errors.Join(err1, err2, err3)
	}
}

func (d *draws) directory() func(*store.Tx) (any, error) {
	key, drop := d.merchant+d.text(), d.yes("drop")
	return func(tx *store.Tx) (any, error) {
		if drop {
			return nil, tx.DropDirectory("kind", key)
		}
		found, err := tx.Lookup("kind", key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		return found, tx.PutDirectory("kind", key, d.merchant, key)
	}
}

func (d *draws) changeMerchant() func(*store.Tx) (any, error) {
	m := merchant.New(d.merchant, "imp"+d.merchant, pick(d, "name", "가게", "shop"), merchant.Sandbox, d.at())
	stale, ahead := pick(d, "stale", int64(0), 0, 1), time.Duration(pick(d, "ahead", 0, 1))*time.Hour
	return func(tx *store.Tx) (any, error) {
		have, err := tx.Merchant(m.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil, tx.InsertMerchant(&m)
		}
		if err != nil {
			return nil, err
		}
		have.Version, have.Ahead = have.Version-stale, ahead
		return have, tx.UpdateMerchant(&have)
	}
}

func (d *draws) settle() func(*store.Tx) (any, error) {
	day, id, back := d.day(), pick(d, "payout", "pay_1", "pay_2"), d.yes("back")
	return func(tx *store.Tx) (any, error) {
		has, err1 := tx.HasPayoutOn(d.merchant, day)
		sums, err2 := tx.DueSums(d.merchant, day)
		n, err3 := tx.TakeLines(d.merchant, id, day)
		p := settle.Payout{Merchant: d.merchant, ID: id, Date: day, Amount: 10, Lines: n, State: settle.PayoutOrdered, OrderAt: Monday}
		if err := errors.Join(err1, err2, err3, tx.InsertPayout(p)); err != nil {
			return nil, err
		}
		if back {
			return nil, errors.Join(tx.ReturnLine(p, Monday), tx.FreeReturned(d.merchant))
		}
		p.State, p.DoneAt = settle.PayoutPaid, Monday
		return []any{has, sums, n}, tx.UpdatePayout(p)
	}
}

func (d *draws) record() func(*store.Tx) (any, error) {
	key, doc, how, was := d.text(), d.text(), pick(d, "how", "add", "change", "put"), d.text()
	return func(tx *store.Tx) (any, error) {
		switch how {
		case "add":
			return nil, tx.AddSandboxRecord(d.merchant, "kind", key, doc)
		case "change":
			return nil, tx.ChangeSandboxRecord(d.merchant, "kind", key, was, doc)
		}
		return nil, errors.Join(tx.PutSandboxRecord(d.merchant, "kind", key, doc), tx.PutCashReceipt(d.merchant, "payment", key, doc),
			tx.PutPrepared(store.Prepared{Merchant: d.merchant, OrderID: key, Amount: 1 + int64(len(doc)), Currency: "KRW"}, Monday))
	}
}

func (d *draws) setting() func(*store.Tx) (any, error) {
	key, at, drop := d.merchant+pick(d, "key", "k1", "k2"), d.at(), d.yes("drop")
	o := bizday.Override{Date: d.day(), Closed: d.yes("closed"), Reason: d.text()}
	revoke, data := d.yes("revoke"), []byte(d.text())
	return func(tx *store.Tx) (any, error) {
		switch {
		case drop:
			return nil, tx.DeleteOverride(o.Date)
		case revoke:
			return nil, errors.Join(tx.RevokeKey(d.merchant, key, at), tx.RevokeSecret(d.merchant, key, at))
		}
		login, err := tx.Login(d.merchant, key)
		if errors.Is(err, store.ErrNotFound) {
			err = tx.InsertSecret(store.APISecret{Merchant: d.merchant, ID: key, Hash: key, CreatedAt: at})
		}
		login.Merchant, login.Secret, login.Serial, login.ExpiresAt = d.merchant, key, login.Serial+1, at
		if err := errors.Join(err, tx.PutLogin(login)); err != nil {
			return nil, err
		}
		if _, err := tx.Token(d.merchant, key); errors.Is(err, store.ErrNotFound) {
			if err := tx.InsertKey(store.APIKey{Merchant: d.merchant, ID: key, SecretHash: "h", CreatedAt: at}); err != nil {
				return nil, err
			}
		}
		return nil, errors.Join(tx.PutToken(store.Token{Merchant: d.merchant, KeyID: key, IssuedAt: at, ExpiresAt: at}), tx.PutOverride(o, at),
			tx.PutSession(key, data, at), tx.InsertAudit(store.AuditRow{Merchant: d.merchant, ID: key + at.String(), At: at, Detail: o.Reason}))
	}
}

func (d *draws) done() func(*store.Tx) (any, error) {
	id, at, seq := d.id(), d.at(), pick(d, "seq", 1, 2)
	state, text := pick(d, "state", store.MailSent, store.MailPending, store.MailFailed), d.text()
	return func(tx *store.Tx) (any, error) {
		m, err := tx.Mail(d.merchant, fmt.Sprintf("%s-m%d-0", id, seq))
		if err != nil {
			return nil, errors.Join(err, tx.TakeTracking(d.merchant, id, at, at.Add(time.Minute)), tx.PostponeTracking(d.merchant, id, at))
		}
		m.State, m.DueAt, m.Error = state, at, text
		return m, tx.MailDone(&m)
	}
}

func (d *draws) list() func(*store.Reader) (any, error) {
	f, o := d.filter()
	offset, limit := d.page()
	return func(r *store.Reader) (any, error) {
		rows, err1 := r.Payments(d.merchant, f, o, offset, limit)
		n, err2 := r.CountPayments(d.merchant, f)
		states, err3 := r.CountStates(d.merchant)
		return []any{rows, n, states}, errors.Join(err1, err2, err3)
	}
}

func (d *draws) single() func(*store.Reader) (any, error) {
	id, order := pick(d, "which", d.id(), d.text()), d.order()
	return func(r *store.Reader) (any, error) {
		p, err := r.Payment(d.merchant, id)
		paid, err2 := r.PaidPayment(d.merchant, order)
		first, err3 := r.OrderPayment(d.merchant, order)
		// Of several paid payments of one order any may be the answer.
		return []any{p, kindOrNone(err), paid.ID != "", kindOrNone(err2), first.ID != "", kindOrNone(err3)}, nil
	}
}

func kindOrNone(err error) string {
	if err == nil {
		return ""
	}
	return kind(err)
}

func (d *draws) events() func(*store.Reader) (any, error) {
	id, after := d.id(), pick(d, "after", int64(0), 1, 5)
	return func(r *store.Reader) (any, error) {
		of, err1 := r.Events(d.merchant, id)
		all, err2 := r.EventsAfter(d.merchant, after, 3)
		last, err3 := r.LastPosition(d.merchant)
		moves, err4 := r.Transfers(d.merchant, id)
		return []any{of, all, last, moves}, errors.Join(err1, err2, err3, err4)
	}
}

func (d *draws) owed() func(*store.Reader) (any, error) {
	id, now := pick(d, "of", "", d.id()), d.at()
	offset, limit := d.page()
	f := store.WebhookFilter{Payment: id, State: pick(d, "state", "", store.WebhookPending, store.WebhookFailed, "odd"), Endpoint: pick(d, "endpoint", "", "v1")}
	return func(r *store.Reader) (any, error) {
		mails, err1 := r.Mails(d.merchant, id, offset, limit)
		hooks, err2 := r.Webhooks(d.merchant, f, offset, limit)
		orders, err3 := r.BankOrders(d.merchant, id, limit)
		a, err4 := r.OwesMails(d.merchant, now)
		b, err5 := r.DueLanes("", now)
		c, err6 := r.OwesBankOrders(d.merchant, now)
		at, err7 := r.Leased(d.merchant)
		return []any{mails, hooks, orders, a, b, c, at}, errors.Join(err1, err2, err3, err4, err5, err6, err7)
	}
}

func (d *draws) books() func(*store.Reader) (any, error) {
	day := d.day()
	return func(r *store.Reader) (any, error) {
		total, err1 := r.HeldTotal()
		on, err2 := r.HeldOn(day)
		balances, err3 := r.AccountTotals()
		faults, err4 := r.HeldFaults()
		slices.SortFunc(faults, func(a, b store.BookFault) int { return strings.Compare(a.Merchant+a.Payment, b.Merchant+b.Payment) })
		if len(faults) == maxFaults {
			faults = nil // of more than these any engine may show any
		}
		return []any{total, on, balances, faults}, errors.Join(err1, err2, err3, err4)
	}
}

// maxFaults is how many faults of the books the store shows.
const maxFaults = 100

func (d *draws) due() func(*store.Reader) (any, error) {
	now, day := d.at(), d.day()
	return func(r *store.Reader) (any, error) {
		due, err1 := r.DuePayments(d.merchant, now, 1000)
		var wake []store.Ref
		for _, p := range due {
			wake = append(wake, p.Ref())
		}
		track, err2 := r.TrackPayments(d.merchant, now, 1000)
		next, settlement, err3 := r.NextDue(d.merchant, now)
		merchants, err4 := r.DueSettlements(day, "", 1000)
		pending, err5 := r.PendingDeadlines(store.Ref{Merchant: d.merchant, ID: "IMP"}, 1000)
		for _, refs := range [][]store.Ref{wake, track} {
			slices.SortFunc(refs, func(a, b store.Ref) int { return strings.Compare(a.ID, b.ID) })
		}
		slices.Sort(merchants)
		return []any{wake, track, next, settlement, merchants, pending}, errors.Join(err1, err2, err3, err4, err5)
	}
}

func (d *draws) lines() func(*store.Reader) (any, error) {
	id, payout := pick(d, "of", "", d.id()), pick(d, "payout", "", "pay_1")
	offset, limit := d.page()
	return func(r *store.Reader) (any, error) {
		lines, err1 := r.Lines(d.merchant, id, payout, offset, limit)
		left, err2 := r.SaleLeft(d.merchant, id)
		payouts, err3 := r.Payouts(d.merchant, offset, limit)
		sums, err4 := r.DueSums(d.merchant, date("2026-03-10"))
		return []any{lines, left, payouts, sums}, errors.Join(err1, err2, err3, err4)
	}
}

func (d *draws) parties() func(*store.Reader) (any, error) {
	key, now := d.text(), d.at()
	return func(r *store.Reader) (any, error) {
		found, err1 := r.Lookup("kind", d.merchant+key)
		records, err2 := r.SandboxRecords(d.merchant, "kind")
		keys, err3 := r.Keys(d.merchant)
		overrides, err4 := r.Overrides()
		session, err5 := r.Session(d.merchant+"k1", now)
		audit, err6 := r.Audit(d.merchant, 0, 5)
		all, err7 := r.Merchants(0, 1000)
		ahead, err8 := r.AheadMerchants()
		receipt, err9 := r.CashReceipt(d.merchant, "payment", key)
		return []any{found, kindOrNone(err1), records, keys, overrides, string(session), kindOrNone(err5), audit, all, ahead, receipt, kindOrNone(err9)},
			errors.Join(err2, err3, err4, err6, err7, err8)
	}
}
