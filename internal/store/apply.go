package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// Owed is what a decision owes besides its own parts.
type Owed struct {
	Webhooks []WebhookOwed
}

// WebhookOwed asks for one call to a shop about one event.
type WebhookOwed struct {
	Seq      int64
	Kind     string // the name of what is told
	Endpoint string // whose lane the call takes
	ID       string // after the payment's id; the same for the same event, name and endpoint
	URL      string
	Max      int // calls in all
	// Off says that the endpoint is switched off: the call is kept as one that failed.
	Off bool
}

// Apply stores a decision: the payment, its transfers and events, and all owed
// work. was is the version of the payment that was decided on, 0 for a new one.
func (t *Tx) Apply(was int64, d *escrow.Decision, owed Owed) error {
	ready, err := MakeReady(&d.Next)
	if err != nil {
		return err
	}
	return t.ApplyReady(was, d, ready, owed)
}

// ApplyReady is Apply with the payment's row, which was made before the
// transaction had its turn.
func (t *Tx) ApplyReady(was int64, d *escrow.Decision, ready Ready, owed Owed) error {
	p := &d.Next
	var err error
	if was == 0 {
		err = t.insertPayment(&ready)
	} else {
		err = t.updatePayment(&ready, was)
	}
	if err != nil {
		return err
	}
	if err := t.insertEvents(p, d.Events); err != nil {
		return err
	}
	if err := t.InsertTransfers(p.Merchant, p.ID, p.Seq, p.Version, d.Transfers, p.UpdatedAt); err != nil {
		return err
	}
	if err := t.insertMails(p, d.Mails); err != nil {
		return err
	}
	if err := t.insertWebhooks(p.Merchant, p.ID, owed.Webhooks, p.UpdatedAt); err != nil {
		return err
	}
	if err := t.insertOrders(p, d.Orders); err != nil {
		return err
	}
	return t.insertLines(p, d)
}

// eventDoc is the part of an event that no query looks for.
type eventDoc struct {
	Amount  money.Won `json:"amount,omitzero"`
	Reason  string    `json:"reason,omitzero"`
	Kind    string    `json:"kind,omitzero"`
	Ref     string    `json:"ref,omitzero"`
	LastDay string    `json:"lastDay,omitzero"`
	Due     micros    `json:"due,omitzero"`
	Notify  bool      `json:"notify,omitzero"`
	From    string    `json:"from,omitzero"`
	Days    int       `json:"days,omitzero"`
	Skipped string    `json:"skipped,omitzero"`
	// Payout is there of events that are about a payout.
	Payout *payoutDoc `json:"payout,omitzero"`
}

// payoutDoc are the facts of a payout in an event.
type payoutDoc struct {
	Date    string `json:"date"`
	Lines   int64  `json:"lines"`
	Bank    string `json:"bank"`
	Account string `json:"account"`
}

func (t *Tx) insertEvents(p *escrow.Payment, events []escrow.Event) error {
	for _, e := range events {
		if err := t.insertEvent(p.Merchant, p.ID, e, eventDoc{
			Amount: e.Amount, Reason: e.Reason, Kind: e.Kind, Ref: e.Ref, LastDay: dateText(e.LastDay), Due: toMicros(e.Due), Notify: e.Notify,
			From: dateText(e.Working.From), Days: e.Working.Days, Skipped: e.Working.Skipped,
		}); err != nil {
			return err
		}
	}
	return nil
}

// insertEvent appends to the merchant's log. The row is written at the end of the
// transaction.
func (t *Tx) insertEvent(merchant, ref string, e escrow.Event, d eventDoc) error {
	doc, err := document(d)
	if err == nil {
		t.log(recon.Event{Merchant: merchant, Payment: ref, Seq: e.Seq, Type: string(e.Type), Actor: string(e.Actor), At: e.At.UnixMicro(), Doc: doc})
	}
	return err
}

// InsertPayoutEvent appends a step of a payout to the merchant's log, and owes the
// calls that tell of it.
func (t *Tx) InsertPayoutEvent(p *settle.Payout, e escrow.Event, calls []WebhookOwed) error {
	f := p.Facts()
	if err := t.insertEvent(p.Merchant, p.ID, e, eventDoc{
		Amount: e.Amount, Reason: e.Reason, Payout: &payoutDoc{Date: dateText(f.Date), Lines: f.Lines, Bank: f.Bank, Account: f.Account},
	}); err != nil {
		return err
	}
	return t.insertWebhooks(p.Merchant, p.ID, calls, e.At)
}

// LastSeq is the number of the last event of a payout, 0 for none: those that wait
// in this transaction for their place count. The payout must be locked.
func (t *Tx) LastSeq(merchant, payout string) (int64, error) {
	last, err := one(&t.queries, scalar[int64], `SELECT CAST(COALESCE(max(seq), 0) AS BIGINT) FROM event WHERE merchant = $1 AND payment = $2`, merchant, payout)
	for _, e := range t.group.events {
		if e.Merchant == merchant && e.Payment == payout {
			last = max(last, e.Seq)
		}
	}
	return last, err
}

// VersionTold is the version of a payout's transfers that were written with an
// event. Those of version 1 are the order's, and those from before there were
// events of payouts.
const VersionTold = 2

// versionStep is how many transfers of one version there may be.
const versionStep = 100

// InsertTransfers appends to the ledger. ref is the payment or payout. The
// seq of its last event and the position n within make the key; version keeps
// two decisions apart that emitted no event. The rows are written at the end of
// the transaction: the same transaction does not read them.
func (t *Tx) InsertTransfers(merchant, ref string, seq, version int64, ts []ledger.Transfer, at time.Time) error {
	for n, x := range ts {
		if err := x.Check(); err != nil {
			return err
		}
		t.move(recon.Transfer{
			Merchant: merchant, Ref: ref, Seq: seq, N: version*versionStep + int64(n),
			Debit: string(x.Debit), Credit: string(x.Credit), Amount: int64(x.Amount), At: at.UnixMicro(),
		})
	}
	return nil
}

func (t *Tx) insertMails(p *escrow.Payment, mails []escrow.Mail) error {
	for i, m := range mails {
		if err := t.add(`INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, 0, '', '', '', '', $7)`,
			p.Merchant, fmt.Sprintf("%s-m%d-%d", p.ID, p.Seq, i), p.ID, p.Seq, string(m), p.Buyer.Email, p.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// InsertMail owes a letter that no payment causes.
func (t *Tx) InsertMail(m Mail) error {
	return t.put(`INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at)
		VALUES ($1, $2, $3, 0, $4, $5, 'pending', $6, 0, '', '', '', '', $6)`, m.Merchant, m.ID, m.Payment, string(m.Kind), m.Recipient, m.CreatedAt.UnixMicro())
}

func (t *Tx) insertWebhooks(merchant, ref string, calls []WebhookOwed, at time.Time) error {
	for _, w := range calls {
		if err := t.InsertWebhook(merchant, ref, w, at); err != nil {
			return err
		}
	}
	return nil
}

// InsertWebhook owes a call about an event of a payment or payout. One that is owed twice
// makes the transaction fail with ErrExists.
func (t *Tx) InsertWebhook(merchant, payment string, w WebhookOwed, at time.Time) error {
	state, done := WebhookPending, time.Time{}
	if w.Off {
		state, done = WebhookFailed, at
	}
	return t.add(`INSERT INTO webhook (merchant, id, payment, seq, kind, endpoint, url, state, due_at, attempts, max, log, created_at, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, '[]', $9, $11)`,
		merchant, payment+w.ID, payment, w.Seq, w.Kind, w.Endpoint, w.URL, state, at.UnixMicro(), w.Max, nullable(done))
}

// Kinds of bank orders.
const (
	OrderRefund = "refund"
	OrderPayout = "payout"
)

func (t *Tx) insertOrders(p *escrow.Payment, orders []escrow.BankOrder) error {
	for _, o := range orders {
		if err := t.InsertBankOrder(BankOrder{
			Merchant: p.Merchant, Key: o.Key, Kind: OrderRefund, Ref: p.ID, Amount: o.Amount, Account: o.Account, Card: o.Card, DueAt: p.UpdatedAt, CreatedAt: p.UpdatedAt,
		}); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) insertLines(p *escrow.Payment, d *escrow.Decision) error {
	for _, l := range d.Lines {
		if err := t.insertLine(&SettlementLine{Line: l, Merchant: p.Merchant, Payment: p.ID}); err != nil {
			return err
		}
	}
	if d.PayoutHold != nil {
		return t.put(`UPDATE settlement_line SET held = $1 WHERE merchant = $2 AND payment = $3 AND payout IS NULL`, bit(*d.PayoutHold), p.Merchant, p.ID)
	}
	return nil
}

func scanEvent(rows rowSet) (LoggedEvent, error) {
	var e LoggedEvent
	var at int64
	var doc string
	var d eventDoc
	if err := rows.Scan(&e.Payment, &e.Seq, &e.Position, (*string)(&e.Type), (*string)(&e.Actor), &at, &doc); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return e, fmt.Errorf("store: event %d of %s cannot be read: %w", e.Seq, e.Payment, err)
	}
	last, err := parseDate(d.LastDay)
	if err != nil {
		return e, err
	}
	from, err := parseDate(d.From)
	e.At, e.Amount, e.Reason, e.Kind, e.Ref, e.LastDay, e.Due, e.Notify = micros(at).time(), d.Amount, d.Reason, d.Kind, d.Ref, last, d.Due.time(), d.Notify
	e.Working = escrow.Working{From: from, Days: d.Days, Skipped: d.Skipped}
	if d.Payout != nil && err == nil {
		e.Payout = &settle.Facts{Lines: d.Payout.Lines, Bank: d.Payout.Bank, Account: d.Payout.Account}
		e.Payout.Date, err = parseDate(d.Payout.Date)
	}
	return e, err
}

// LoggedEvent is an event as it stands in the merchant's log.
type LoggedEvent struct {
	escrow.Event
	Payment  string        // what it is about: a payment, or a payout
	Payout   *settle.Facts // of a payout's event; nil of a payment's
	Position int64         // in the order of commits, without gaps, per merchant
}

const eventColumns = `payment, seq, position, type, actor, at, doc`

// Events returns the events of a payment or payout in order.
func (q *queries) Events(merchant, payment string) ([]LoggedEvent, error) {
	return all(q, scanEvent, `SELECT `+eventColumns+` FROM event WHERE merchant = $1 AND payment = $2 ORDER BY seq`, merchant, payment)
}

// Event returns one event.
func (q *queries) Event(merchant, payment string, seq int64) (LoggedEvent, error) {
	return one(q, scanEvent, `SELECT `+eventColumns+` FROM event WHERE merchant = $1 AND payment = $2 AND seq = $3`, merchant, payment, seq)
}

// EventsAfter returns up to limit events of a merchant after a position.
func (q *queries) EventsAfter(merchant string, position int64, limit int) ([]LoggedEvent, error) {
	return all(q, scanEvent, `SELECT `+eventColumns+` FROM event WHERE merchant = $1 AND position > $2 ORDER BY position LIMIT $3`, merchant, position, limit)
}

// LastPosition is the position of the merchant's newest event, 0 for none.
func (q *queries) LastPosition(merchant string) (int64, error) {
	v, err := one(q, scalar[*int64], `SELECT max(position) FROM event WHERE merchant = $1`, merchant)
	if err != nil || v == nil {
		return 0, err
	}
	return *v, nil
}

// Transfers returns the ledger rows of a payment or payout.
func (q *queries) Transfers(merchant, ref string) ([]ledger.Transfer, error) {
	return all(q, scanTransfer, `SELECT debit, credit, amount FROM transfer WHERE merchant = $1 AND ref = $2 ORDER BY seq, n`, merchant, ref)
}

func scanTransfer(rows rowSet) (x ledger.Transfer, err error) {
	err = rows.Scan((*string)(&x.Debit), (*string)(&x.Credit), (*int64)(&x.Amount))
	return x, err
}

// AccountTotals sums the ledger by kind of account over all merchants. Held,
// refund and payout accounts are summed into one line each.
func (q *queries) AccountTotals() ([]ledger.Balance, error) {
	return all(q, scanBalance, `
		SELECT account, CAST(sum(debits) AS BIGINT), CAST(sum(credits) AS BIGINT) FROM (
			SELECT `+accountKind("debit")+` AS account, sum(amount) AS debits, 0 AS credits FROM transfer GROUP BY 1
			UNION ALL
			SELECT `+accountKind("credit")+`, 0, sum(amount) FROM transfer GROUP BY 1
		) AS sides GROUP BY account ORDER BY account`)
}

// accountKind cuts the party off an account's name, except for bank accounts.
func accountKind(column string) string {
	kind := ""
	for _, k := range []string{"held", "refund", "shop", "due", "payout"} {
		kind += fmt.Sprintf(" WHEN %s LIKE '%s:%%' THEN '%s:'", column, k, k)
	}
	return "CASE" + kind + " ELSE " + column + " END"
}

func scanBalance(rows rowSet) (b ledger.Balance, err error) {
	err = rows.Scan((*string)(&b.Account), (*int64)(&b.Debits), (*int64)(&b.Credits))
	return b, err
}

// BookFault is a payment whose held account does not carry what its state says.
type BookFault struct {
	Merchant, Payment string
	State             escrow.State
	Should, Has       money.Won
}

// HeldFaults compares every payment's held account with its state and returns
// up to 100 that differ; none is what must always be true.
func (q *queries) HeldFaults() ([]BookFault, error) {
	return all(q, func(rows rowSet) (f BookFault, err error) {
		err = rows.Scan(&f.Merchant, &f.Payment, (*string)(&f.State), (*int64)(&f.Should), (*int64)(&f.Has))
		return f, err
	}, `
		SELECT merchant, id, state, should, has FROM (
			SELECT p.merchant, p.id, p.state,
				CASE WHEN p.escrow = 1 AND (p.state IN ('held', 'shipped', 'delivered', 'rejected')
					OR (p.state = 'rejection_accepted' AND p.refunded = 0)) THEN p.amount ELSE 0 END AS should,
				CAST(COALESCE((SELECT sum(CASE WHEN t.credit = 'held:' || p.id THEN t.amount WHEN t.debit = 'held:' || p.id THEN -t.amount ELSE 0 END)
					FROM transfer t WHERE t.merchant = p.merchant AND t.ref = p.id), 0) AS BIGINT) AS has
			FROM payment p
		) AS compared WHERE should <> has LIMIT 100`)
}

// HeldTotal is the money held for buyers, by payments' states.
func (q *queries) HeldTotal() (money.Won, error) {
	return one(q, scalar[money.Won], `SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM payment WHERE escrow = 1 AND (state IN ('held', 'shipped', 'delivered', 'rejected')
		OR (state = 'rejection_accepted' AND refunded = 0))`)
}

// HeldOn is the held balance at the end of a Korean day, from the ledger.
func (q *queries) HeldOn(day bizday.Date) (money.Won, error) {
	end := day.AddDays(1).Start().UnixMicro()
	return one(q, scalar[money.Won], `SELECT CAST(COALESCE(sum(CASE WHEN credit LIKE 'held:%' THEN amount ELSE 0 END), 0)
		- COALESCE(sum(CASE WHEN debit LIKE 'held:%' THEN amount ELSE 0 END), 0) AS BIGINT) FROM transfer WHERE at < $1`, end)
}
