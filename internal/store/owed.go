package store

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// Ref names a payment of a merchant.
type Ref struct{ Merchant, ID string }

func scanRef(rows rowSet) (r Ref, err error) {
	err = rows.Scan(&r.Merchant, &r.ID)
	return r, err
}

// Stored is a payment as its row holds it, not put together yet.
type Stored struct{ row summedPayment }

// Ref names the payment.
func (s Stored) Ref() Ref { return Ref{s.row.merchant, s.row.id} }

// Payment puts the payment together.
func (s Stored) Payment() (escrow.Payment, error) { return s.row.payment() }

// Sound reports whether the row is the one that was written; see Tx.Damage.
func (s Stored) Sound() bool { return len(s.row.wrongSum()) == 0 }

func scanStored(rows rowSet) (Stored, error) {
	row, err := scanSummedPayment(rows)
	return Stored{row}, err
}

// DuePayments returns payments for which time has something to do by now, the
// earliest first. An empty merchant means all of them, by the machine's time.
func (q *queries) DuePayments(merchant string, now time.Time, limit int) ([]Stored, error) {
	const from = `SELECT ` + paymentColumns + `, words, sum FROM payment WHERE `
	if merchant == "" {
		return all(q, scanStored, from+`wake_at <= $1 ORDER BY wake_at LIMIT $2`, now.UnixMicro(), limit)
	}
	return all(q, scanStored, from+`merchant = $1 AND wake_at <= $2 ORDER BY wake_at LIMIT $3`, merchant, now.UnixMicro(), limit)
}

// TrackPayments returns payments whose carrier should be asked by now.
func (q *queries) TrackPayments(merchant string, now time.Time, limit int) ([]Ref, error) {
	if merchant == "" {
		return all(q, scanRef, `SELECT merchant, id FROM payment WHERE track_at <= $1 ORDER BY track_at LIMIT $2`, now.UnixMicro(), limit)
	}
	return all(q, scanRef, `SELECT merchant, id FROM payment WHERE merchant = $1 AND track_at <= $2 ORDER BY track_at LIMIT $3`, merchant, now.UnixMicro(), limit)
}

// TakeTracking takes the question to a carrier that is due by now, and leaves it
// until an instant to whoever took it; ErrOvertaken if it is not due any more. An
// answer plans the next question, so that nothing has to be given back.
func (t *Tx) TakeTracking(merchant, id string, now, until time.Time) error {
	t.group.forget(Ref{merchant, id})
	return t.later(ErrOvertaken, `UPDATE payment SET track_at = $1 WHERE merchant = $2 AND id = $3 AND track_at <= $4`, until.UnixMicro(), merchant, id, now.UnixMicro())
}

// PostponeTracking moves the next question to a carrier that gave no answer.
func (t *Tx) PostponeTracking(merchant, id string, at time.Time) error {
	t.group.forget(Ref{merchant, id})
	return t.put(`UPDATE payment SET track_at = $1 WHERE merchant = $2 AND id = $3 AND track_at IS NOT NULL`, at.UnixMicro(), merchant, id)
}

// NextDue is the earliest instant after another one at which time has something to
// do for a merchant: a payment, a question to a carrier, or owed work that waits for
// its next try and that nobody has taken. settlement is the earliest date on which
// unpaid lines are due, be it past. Both are zero when there is nothing.
//
// What is due by then and was not done waits for something else: a call to a shop
// for an earlier one of its payment, or until its endpoint is called again.
func (q *queries) NextDue(merchant string, after time.Time) (next time.Time, settlement string, err error) {
	const untaken = ` AND leased = 0 AND due_at > $2 AND merchant = $1`
	for _, query := range []string{
		`SELECT min(wake_at) FROM payment WHERE merchant = $1 AND wake_at > $2`,
		`SELECT min(track_at) FROM payment WHERE merchant = $1 AND track_at > $2`,
		`SELECT min(due_at) FROM mail WHERE ` + pending + untaken,
		`SELECT min(due_at) FROM webhook WHERE ` + pending + untaken,
		`SELECT min(due_at) FROM bank_order WHERE ` + unanswered + untaken,
	} {
		found, err := one(q, scalar[*int64], query, merchant, after.UnixMicro())
		if err != nil {
			return time.Time{}, "", err
		}
		if at := instant(found); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	day, err := one(q, scalar[*string], `SELECT min(due_date) FROM settlement_line WHERE merchant = $1 AND payout IS NULL AND held = 0`, merchant)
	if err != nil || day == nil {
		return next, "", err
	}
	return next, *day, nil
}

// Leased reports whether somebody is at work for a merchant.
func (q *queries) Leased(merchant string) (bool, error) {
	const leased = ` AND leased <> 0 AND ` + whenever + ` AND merchant = $1)`
	n, err := one(q, scalar[int64], `SELECT CASE WHEN EXISTS (SELECT 1 FROM mail WHERE `+pending+leased+`
		OR EXISTS (SELECT 1 FROM webhook WHERE `+pending+leased+`
		OR EXISTS (SELECT 1 FROM bank_order WHERE `+unanswered+leased+` THEN 1 ELSE 0 END`, merchant)
	return n > 0, err
}

// Mail is one message to a buyer, on its way or kept.
type Mail struct {
	Merchant, ID, Payment string
	Seq                   int64
	Kind                  escrow.Mail
	Recipient             string
	State                 string
	DueAt                 time.Time // the merchant's clock
	Attempts              int64
	Error                 string
	Subject, Text, HTML   string
	CreatedAt             time.Time // the merchant's clock
	DoneAt                time.Time
}

// States of a mail.
const (
	MailPending = "pending"
	MailSent    = "sent"
	MailFailed  = "failed"
	MailBounced = "bounced"
)

const mailColumns = `merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at, done_at`

func scanMail(rows rowSet) (m Mail, err error) {
	var due, created int64
	var done *int64
	err = rows.Scan(&m.Merchant, &m.ID, &m.Payment, &m.Seq, (*string)(&m.Kind), &m.Recipient, &m.State, &due, &m.Attempts, &m.Error,
		&m.Subject, &m.Text, &m.HTML, &created, &done)
	m.DueAt, m.CreatedAt, m.DoneAt = micros(due).time(), micros(created).time(), instant(done)
	return m, err
}

// ClaimMails leases up to limit pending mails that are due and counts the
// attempt. A lease that runs out makes the mail due again.
func (t *Tx) ClaimMails(merchant string, now time.Time, lease time.Duration, limit int) ([]Mail, error) {
	return newClaim(t, mailWork, scanMail, now, lease).of(merchant, limit)
}

// What stillPending and stillOpen say of one row, which is found by its key,
// leads no planner to the index of all that is open.
const (
	stillPending = `state || '' = 'pending'`
	stillOpen    = `state || '' IN ('pending', 'asked')`
)

// MailDone records what came of an attempt at a mail; ErrOvertaken if there has
// been another attempt since.
func (t *Tx) MailDone(m *Mail) error {
	return t.later(ErrOvertaken, `UPDATE mail SET state = $1, due_at = $2, error = $3, subject = $4, body_text = $5, body_html = $6, done_at = $7, leased = 0
		WHERE merchant = $8 AND id = $9 AND attempts = $10 AND `+stillPending,
		m.State, m.DueAt.UnixMicro(), m.Error, m.Subject, m.Text, m.HTML, nullable(m.DoneAt), m.Merchant, m.ID, m.Attempts)
}

// MailBack records that a mail came back, whatever state it is in.
func (t *Tx) MailBack(merchant, id, reason string, at time.Time) error {
	return t.later(ErrNotFound, `UPDATE mail SET state = $1, error = $2, done_at = $3, leased = 0 WHERE merchant = $4 AND id = $5`,
		MailBounced, reason, at.UnixMicro(), merchant, id)
}

// Mail returns one mail.
func (q *queries) Mail(merchant, id string) (Mail, error) {
	return one(q, scanMail, `SELECT `+mailColumns+` FROM mail WHERE merchant = $1 AND id = $2`+q.lock, merchant, id)
}

// Mails returns mails of a merchant, newest first; an empty payment means all.
func (q *queries) Mails(merchant, payment string, offset, limit int) ([]Mail, error) {
	const from, page = `SELECT ` + mailColumns + ` FROM mail WHERE merchant = $1`, ` ORDER BY created_at DESC, seq DESC, id DESC LIMIT $2 OFFSET $3`
	if payment == "" {
		return all(q, scanMail, from+page, merchant, limit, offset)
	}
	return all(q, scanMail, from+` AND payment = $4`+page, merchant, limit, offset, payment)
}

// Webhook is one call to a shop, owed or made.
type Webhook struct {
	Merchant, ID, Payment string
	Seq                   int64
	Kind                  string // the name of what is told
	Endpoint              string // whose lane the call takes
	URL                   string
	State                 string
	DueAt                 time.Time // the merchant's clock
	Attempts, Max         int64
	Log                   string // JSON list of attempts
	CreatedAt             time.Time
	DoneAt                time.Time
}

// States of a webhook.
const (
	WebhookPending   = "pending"
	WebhookDelivered = "delivered"
	WebhookFailed    = "failed"
)

const webhookColumns = `merchant, id, payment, seq, kind, endpoint, url, state, due_at, attempts, max, log, created_at, done_at`

func scanWebhook(rows rowSet) (w Webhook, err error) {
	var due, created int64
	var done *int64
	err = rows.Scan(&w.Merchant, &w.ID, &w.Payment, &w.Seq, &w.Kind, &w.Endpoint, &w.URL, &w.State, &due, &w.Attempts, &w.Max, &w.Log, &created, &done)
	w.DueAt, w.CreatedAt, w.DoneAt = micros(due).time(), micros(created).time(), instant(done)
	return w, err
}

// WebhookDone records what became of a call; ErrNotFound if it has been begun
// again since.
func (t *Tx) WebhookDone(w *Webhook) error {
	return t.change(`UPDATE webhook SET state = $1, due_at = $2, log = $3, done_at = $4, max = $5, leased = 0 WHERE merchant = $6 AND id = $7 AND attempts = $8`,
		w.State, w.DueAt.UnixMicro(), w.Log, nullable(w.DoneAt), w.Max, w.Merchant, w.ID, w.Attempts)
}

// WebhookLog replaces the log of a call and leaves what is to become of it.
func (t *Tx) WebhookLog(merchant, id, log string) error {
	return t.later(ErrNotFound, `UPDATE webhook SET log = $1 WHERE merchant = $2 AND id = $3`, log, merchant, id)
}

// Webhook returns one call.
func (q *queries) Webhook(merchant, id string) (Webhook, error) {
	return one(q, scanWebhook, `SELECT `+webhookColumns+` FROM webhook WHERE merchant = $1 AND id = $2`+q.lock, merchant, id)
}

// BankOrder is money that the bank is asked to send.
type BankOrder struct {
	Merchant, Key, Kind, Ref string
	Amount                   money.Won
	Account                  escrow.BankAccount
	Card                     bool
	State                    string
	DueAt                    time.Time // the merchant's clock
	Attempts                 int64
	Detail                   string
	CreatedAt                time.Time
	DoneAt                   time.Time
}

// States of a bank order. An order that was asked and has no definite answer
// stays asked and is inquired after; it is never sent again under another key.
const (
	OrderPending = "pending"
	OrderAsked   = "asked"
	OrderSent    = "sent"
	OrderFailed  = "failed"
)

const orderColumns = `merchant, key, kind, ref, amount, bank, number, holder, card, state, due_at, attempts, detail, created_at, done_at`

func scanOrder(rows rowSet) (o BankOrder, err error) {
	var due, created, card int64
	var done *int64
	err = rows.Scan(&o.Merchant, &o.Key, &o.Kind, &o.Ref, (*int64)(&o.Amount), &o.Account.Bank, &o.Account.Number, &o.Account.Holder, &card,
		&o.State, &due, &o.Attempts, &o.Detail, &created, &done)
	o.Card, o.DueAt, o.CreatedAt, o.DoneAt = card == 1, micros(due).time(), micros(created).time(), instant(done)
	return o, err
}

// InsertBankOrder records an order before anyone asks the bank.
func (t *Tx) InsertBankOrder(o BankOrder) error {
	return t.add(`INSERT INTO bank_order (merchant, key, kind, ref, amount, bank, number, holder, card, state, due_at, attempts, detail, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, 0, '', $11)`,
		o.Merchant, o.Key, o.Kind, o.Ref, int64(o.Amount), o.Account.Bank, o.Account.Number, o.Account.Holder, bit(o.Card), o.DueAt.UnixMicro(), o.CreatedAt.UnixMicro())
}

// ClaimBankOrders leases up to limit open orders that are due. The state in the
// answer is that before the claim of a pending order; MarkAsked makes the
// attempt durable before the bank is called.
func (t *Tx) ClaimBankOrders(merchant string, now time.Time, lease time.Duration, limit int) ([]BankOrder, error) {
	return newClaim(t, orderWork, scanOrder, now, lease).of(merchant, limit)
}

// MarkAsked says that the bank may have been asked from now on; ErrOvertaken if
// another one has taken the order since.
func (t *Tx) MarkAsked(o *BankOrder) error {
	return t.later(ErrOvertaken, `UPDATE bank_order SET state = 'asked' WHERE merchant = $1 AND key = $2 AND attempts = $3 AND `+stillOpen, o.Merchant, o.Key, o.Attempts)
}

// OrderUnknown records that an attempt gave no definite answer, and when to
// inquire again; ErrOvertaken if there has been another attempt or an answer since.
func (t *Tx) OrderUnknown(o *BankOrder) error {
	return t.later(ErrOvertaken, `UPDATE bank_order SET state = 'asked', due_at = $1, detail = $2, leased = 0 WHERE merchant = $3 AND key = $4 AND attempts = $5 AND `+stillOpen,
		o.DueAt.UnixMicro(), o.Detail, o.Merchant, o.Key, o.Attempts)
}

// OrderDone records the bank's definite answer, whoever heard it. Answers only
// go forward: money that was sent may come back, and an order that failed stays so.
func (t *Tx) OrderDone(o *BankOrder) error {
	return t.put(`UPDATE bank_order SET state = $1, detail = $2, done_at = $3, leased = 0 WHERE merchant = $4 AND key = $5
		AND (`+stillOpen+` OR (state = 'sent' AND $6 = 'failed'))`, o.State, o.Detail, nullable(o.DoneAt), o.Merchant, o.Key, o.State)
}

// BankOrder returns one order.
func (q *queries) BankOrder(merchant, key string) (BankOrder, error) {
	return one(q, scanOrder, `SELECT `+orderColumns+` FROM bank_order WHERE merchant = $1 AND key = $2`, merchant, key)
}

// BankOrders returns the orders of a payment or payout; an empty ref means all
// of the merchant, newest first.
func (q *queries) BankOrders(merchant, ref string, limit int) ([]BankOrder, error) {
	const from, page = `SELECT ` + orderColumns + ` FROM bank_order WHERE merchant = $1`, ` ORDER BY created_at DESC, key DESC LIMIT $2`
	if ref == "" {
		return all(q, scanOrder, from+page, merchant, limit)
	}
	return all(q, scanOrder, from+` AND ref = $3`+page, merchant, limit, ref)
}

// OwesMails reports whether any mail is due. An empty merchant means all.
func (q *queries) OwesMails(merchant string, now time.Time) (bool, error) {
	return q.owes(mailWork, merchant, now)
}

// OwesBankOrders reports whether any order at the bank is due.
func (q *queries) OwesBankOrders(merchant string, now time.Time) (bool, error) {
	return q.owes(orderWork, merchant, now)
}

func (q *queries) owes(w owedWork, merchant string, now time.Time) (bool, error) {
	due, args := w.open+` AND due_at <= $1`, []any{now.UnixMicro()}
	if merchant != "" {
		due, args = due+` AND merchant = $2`, append(args, merchant)
	}
	n, err := one(q, scalar[int64], `SELECT CASE WHEN EXISTS (SELECT 1 FROM `+w.table+` WHERE `+due+`) THEN 1 ELSE 0 END`, args...)
	return n > 0, err
}
