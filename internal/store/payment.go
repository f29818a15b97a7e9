package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/recon"
)

// paymentColumns are read in the order in which scanPayment takes them.
const paymentColumns = `merchant, id, order_id, version, seq, state, escrow, method, amount, refunded,
	opened_at, paid_at, failed_at, cancelled_at, updated_at, wake_at, track_at, tasks, doc`

// paymentDoc is the part of a payment that no query looks for. Zero values are
// left out, so that the document of a young payment is small.
type paymentDoc struct {
	Grounds     escrow.Grounds     `json:"grounds,omitzero"`
	Goods       escrow.Goods       `json:"goods,omitzero"`
	TaxFree     money.Won          `json:"taxFree,omitzero"`
	VAT         money.Won          `json:"vat,omitzero"`
	Name        string             `json:"name,omitzero"`
	Buyer       escrow.Party       `json:"buyer,omitzero"`
	English     bool               `json:"english,omitzero"`
	Device      string             `json:"device,omitzero"`
	UserAgent   string             `json:"userAgent,omitzero"`
	CustomData  string             `json:"customData,omitzero"`
	NoticeURLs  []string           `json:"noticeUrls,omitempty"`
	RedirectURL string             `json:"redirectUrl,omitzero"`
	ConfirmURL  string             `json:"confirmUrl,omitzero"`
	Provider    string             `json:"provider,omitzero"`
	Products    []escrow.Product   `json:"products,omitempty"`
	AskedEscrow bool               `json:"askedEscrow,omitzero"`
	V2          bool               `json:"v2,omitzero"`
	ConfirmedAt micros             `json:"confirmedAt,omitzero"`
	FailReason  string             `json:"failReason,omitzero"`
	CancelWhy   string             `json:"cancelReason,omitzero"`
	Account     *accountDoc        `json:"account,omitempty"`
	Payer       escrow.BankAccount `json:"payer,omitzero"`
	CardName    string             `json:"cardName,omitzero"`
	CardNumber  string             `json:"cardNumber,omitzero"`
	ApprovalNo  string             `json:"approvalNo,omitzero"`
	Consent     *consentDoc        `json:"consent,omitempty"`
	Deposits    []depositDoc       `json:"deposits,omitempty"`
	Suspended   money.Won          `json:"suspended,omitzero"`
	Delivery    *deliveryDoc       `json:"delivery,omitempty"`
	Notice      escrow.NoticeState `json:"notice,omitzero"`
	NoticeAt    micros             `json:"noticeAt,omitzero"`
	NoticeBy    escrow.Actor       `json:"noticeBy,omitzero"`
	Deadline    *deadlineDoc       `json:"deadline,omitempty"`
	Announced   micros             `json:"announced,omitzero"`
	Reminded    []int              `json:"reminded,omitempty"`
	Decided     *decidedDoc        `json:"decided,omitempty"`
	Hold        *holdDoc           `json:"hold,omitempty"`
	Restart     string             `json:"restart,omitzero"`
	RestartDays int                `json:"restartDays,omitzero"`
	Dispute     *disputeDoc        `json:"dispute,omitempty"`
	Return      escrow.ReturnStage `json:"return,omitzero"`
	Refunds     []refundDoc        `json:"refunds,omitempty"`
	AskedAt     micros             `json:"cancelAskedAt,omitzero"`
	AskedFor    string             `json:"cancelAskedFor,omitzero"`
	LinkVersion int                `json:"linkVersion,omitzero"`
}

// micros is an instant as the store keeps it: microseconds since 1970 UTC, 0
// for an instant that has not come.
type micros int64

func toMicros(t time.Time) micros {
	if t.IsZero() {
		return 0
	}
	return micros(t.UnixMicro())
}

func (m micros) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// nullable is the instant for a column that is NULL before it comes.
func nullable(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

type (
	accountDoc struct {
		escrow.BankAccount
		IssuedAt, Due micros
	}
	consentDoc struct {
		Terms string
		At    micros
	}
	depositDoc struct {
		BankTx   string
		Amount   money.Won
		At       micros
		Outcome  escrow.DepositOutcome
		Reversed bool               `json:",omitzero"`
		Payer    escrow.BankAccount `json:",omitzero"`
	}
	parcelDoc struct {
		Carrier, Number   string
		Seen, DeliveredAt micros `json:",omitzero"`
	}
	deliveryDoc struct {
		Parcels                                               []parcelDoc
		Trackable                                             bool
		Sender, Recipient                                     escrow.Party     `json:",omitzero"`
		Products                                              []escrow.Product `json:",omitempty"`
		SentAt, RegisteredAt, ChangedAt, DeliveredAt, KnownAt micros           `json:",omitzero"`
		SoughtAt                                              micros           `json:",omitzero"`
		SendEmail                                             bool
	}
	deadlineDoc struct {
		At       micros
		LastDay  string
		From     string
		Days     int
		Rule     escrow.DeadlineRule
		Calendar string
	}
	decidedDoc struct {
		Verdict escrow.Verdict
		Kind    escrow.ConfirmKind `json:",omitzero"`
		Reason  string             `json:",omitzero"`
		At      micros
		Address string `json:",omitzero"`
	}
	holdDoc struct {
		By     escrow.Actor
		Reason string
		At     micros
	}
	disputeDoc struct {
		Evidence string
		At       micros
	}
	refundDoc struct {
		ID                   string
		Attempt              int
		Amount, TaxFree, VAT money.Won
		State                escrow.RefundState
		Account              escrow.BankAccount `json:",omitzero"`
		Reason               string             `json:",omitzero"`
		By                   escrow.Actor
		At, SentAt           micros `json:",omitzero"`
		FailedFor            string `json:",omitzero"`
		FromShop             bool   `json:",omitzero"`
		Suspense             bool   `json:",omitzero"`
		Notify               bool   `json:",omitzero"`
	}
)

func encodePayment(p *escrow.Payment) (string, error) {
	d := paymentDoc{
		Grounds: p.Grounds, Goods: p.Goods, TaxFree: p.TaxFree, VAT: p.VAT, Name: p.Name, Buyer: p.Buyer, English: p.English,
		Device: p.Device, UserAgent: p.UserAgent, CustomData: p.CustomData, NoticeURLs: p.NoticeURLs, RedirectURL: p.RedirectURL,
		ConfirmURL: p.ConfirmURL, Provider: p.Provider, Products: p.Products, AskedEscrow: p.AskedEscrow, V2: p.V2,
		ConfirmedAt: toMicros(p.ConfirmedAt), FailReason: p.FailReason, CancelWhy: p.CancelReason, Payer: p.Payer,
		CardName: p.CardName, CardNumber: p.CardNumber, ApprovalNo: p.ApprovalNo, Suspended: p.Suspended,
		Notice: p.Notice, NoticeAt: toMicros(p.NoticeAt), NoticeBy: p.NoticeBy, Announced: toMicros(p.Announced), Reminded: p.Reminded,
		Restart: dateText(p.Restart), RestartDays: p.RestartDays, Return: p.Return, AskedAt: toMicros(p.CancelAskedAt),
		AskedFor: p.CancelAskedFor, LinkVersion: p.LinkVersion,
	}
	d.fillParts(p)
	for _, x := range p.Deposits {
		d.Deposits = append(d.Deposits, depositDoc{x.BankTx, x.Amount, toMicros(x.At), x.Outcome, x.Reversed, x.Payer})
	}
	for _, r := range p.Refunds {
		d.Refunds = append(d.Refunds, refundDoc{r.ID, r.Attempt, r.Amount, r.TaxFree, r.VAT, r.State, r.Account, r.Reason, r.By,
			toMicros(r.At), toMicros(r.SentAt), r.FailedFor, r.FromShop, r.Suspense, r.Notify})
	}
	if err := checkTexts(p.Merchant, p.ID, p.OrderID); err != nil {
		return "", err
	}
	return document(&d)
}

func (d *paymentDoc) fillParts(p *escrow.Payment) {
	if a := p.Account; a != nil {
		d.Account = &accountDoc{a.BankAccount, toMicros(a.IssuedAt), toMicros(a.Due)}
	}
	if c := p.Consent; c != nil {
		d.Consent = &consentDoc{c.Terms, toMicros(c.At)}
	}
	if x := p.Deadline; x != nil {
		d.Deadline = &deadlineDoc{toMicros(x.At), dateText(x.LastDay), dateText(x.From), x.Days, x.Rule, x.Calendar}
	}
	if x := p.Decided; x != nil {
		d.Decided = &decidedDoc{x.Verdict, x.Kind, x.Reason, toMicros(x.At), x.Address}
	}
	if x := p.Hold; x != nil {
		d.Hold = &holdDoc{x.By, x.Reason, toMicros(x.At)}
	}
	if x := p.Dispute; x != nil {
		d.Dispute = &disputeDoc{x.Evidence, toMicros(x.At)}
	}
	if x := p.Delivery; x != nil {
		d.Delivery = &deliveryDoc{
			Trackable: x.Trackable, Sender: x.Sender, Recipient: x.Recipient, Products: x.Products, SentAt: toMicros(x.SentAt),
			RegisteredAt: toMicros(x.RegisteredAt), ChangedAt: toMicros(x.ChangedAt), DeliveredAt: toMicros(x.DeliveredAt),
			KnownAt: toMicros(x.KnownAt), SoughtAt: toMicros(x.SoughtAt), SendEmail: x.SendEmail,
		}
		for _, parcel := range x.Parcels {
			d.Delivery.Parcels = append(d.Delivery.Parcels, parcelDoc{parcel.Carrier, parcel.Number, toMicros(parcel.Seen), toMicros(parcel.DeliveredAt)})
		}
	}
}

func decodePayment(p *escrow.Payment, doc string) error {
	var d paymentDoc
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return err
	}
	p.Grounds, p.Goods, p.TaxFree, p.VAT, p.Name, p.Buyer, p.English = d.Grounds, d.Goods, d.TaxFree, d.VAT, d.Name, d.Buyer, d.English
	p.Device, p.UserAgent, p.CustomData, p.NoticeURLs, p.RedirectURL = d.Device, d.UserAgent, d.CustomData, d.NoticeURLs, d.RedirectURL
	p.ConfirmURL, p.Provider, p.Products, p.AskedEscrow, p.V2 = d.ConfirmURL, d.Provider, d.Products, d.AskedEscrow, d.V2
	p.ConfirmedAt, p.FailReason, p.CancelReason, p.Payer = d.ConfirmedAt.time(), d.FailReason, d.CancelWhy, d.Payer
	p.CardName, p.CardNumber, p.ApprovalNo, p.Suspended = d.CardName, d.CardNumber, d.ApprovalNo, d.Suspended
	p.Notice, p.NoticeAt, p.NoticeBy, p.Announced, p.Reminded = d.Notice, d.NoticeAt.time(), d.NoticeBy, d.Announced.time(), d.Reminded
	p.RestartDays, p.Return, p.CancelAskedAt, p.CancelAskedFor = d.RestartDays, d.Return, d.AskedAt.time(), d.AskedFor
	p.LinkVersion = d.LinkVersion
	for _, x := range d.Deposits {
		p.Deposits = append(p.Deposits, escrow.Deposit{BankTx: x.BankTx, Amount: x.Amount, At: x.At.time(), Outcome: x.Outcome, Reversed: x.Reversed, Payer: x.Payer})
	}
	for _, r := range d.Refunds {
		p.Refunds = append(p.Refunds, escrow.Refund{ID: r.ID, Attempt: r.Attempt, Amount: r.Amount, TaxFree: r.TaxFree, VAT: r.VAT, State: r.State,
			Account: r.Account, Reason: r.Reason, By: r.By, At: r.At.time(), SentAt: r.SentAt.time(), FailedFor: r.FailedFor, FromShop: r.FromShop, Suspense: r.Suspense,
			Notify: r.Notify})
	}
	return d.readParts(p)
}

func (d *paymentDoc) readParts(p *escrow.Payment) error {
	var errs []error
	date := func(s string) bizday.Date {
		v, err := parseDate(s)
		errs = append(errs, err)
		return v
	}
	p.Restart = date(d.Restart)
	if a := d.Account; a != nil {
		p.Account = &escrow.Account{BankAccount: a.BankAccount, IssuedAt: a.IssuedAt.time(), Due: a.Due.time()}
	}
	if c := d.Consent; c != nil {
		p.Consent = &escrow.Consent{Terms: c.Terms, At: c.At.time()}
	}
	if x := d.Deadline; x != nil {
		p.Deadline = &escrow.Deadline{At: x.At.time(), LastDay: date(x.LastDay), From: date(x.From), Days: x.Days, Rule: x.Rule, Calendar: x.Calendar}
	}
	if x := d.Decided; x != nil {
		p.Decided = &escrow.Decided{Verdict: x.Verdict, Kind: x.Kind, Reason: x.Reason, At: x.At.time(), Address: x.Address}
	}
	if x := d.Hold; x != nil {
		p.Hold = &escrow.Hold{By: x.By, Reason: x.Reason, At: x.At.time()}
	}
	if x := d.Dispute; x != nil {
		p.Dispute = &escrow.Dispute{Evidence: x.Evidence, At: x.At.time()}
	}
	if x := d.Delivery; x != nil {
		p.Delivery = &escrow.Delivery{
			Trackable: x.Trackable, Sender: x.Sender, Recipient: x.Recipient, Products: x.Products, SentAt: x.SentAt.time(),
			RegisteredAt: x.RegisteredAt.time(), ChangedAt: x.ChangedAt.time(), DeliveredAt: x.DeliveredAt.time(),
			KnownAt: x.KnownAt.time(), SoughtAt: x.SoughtAt.time(), SendEmail: x.SendEmail,
		}
		for _, parcel := range x.Parcels {
			p.Delivery.Parcels = append(p.Delivery.Parcels, escrow.Parcel{Carrier: parcel.Carrier, Number: parcel.Number, Seen: parcel.Seen.time(), DeliveredAt: parcel.DeliveredAt.time()})
		}
	}
	return errors.Join(errs...)
}

func dateText(d bizday.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func parseDate(s string) (bizday.Date, error) {
	if s == "" {
		return bizday.Date{}, nil
	}
	return bizday.ParseDate(s)
}

// paymentRow is a payment as its columns hold it.
type paymentRow struct {
	merchant, id, order     string
	version, seq            int64
	state                   string
	escrow                  int64
	method                  string
	amount, refunded        int64
	opened                  int64
	paid, failed, cancelled *int64
	updated                 int64
	wake, track             *int64
	tasks                   *string
	doc                     string
}

func rowOf(p *escrow.Payment) (paymentRow, error) {
	doc, err := encodePayment(p)
	return paymentRow{
		p.Merchant, p.ID, p.OrderID, p.Version, p.Seq, string(p.State), bit(p.Escrow), string(p.Method), int64(p.Amount), int64(p.Refunded),
		p.OpenedAt.UnixMicro(), nullable(p.PaidAt), nullable(p.FailedAt), nullable(p.CancelledAt), p.UpdatedAt.UnixMicro(),
		nullable(p.WakeAt), nullable(p.TrackAt), taskText(p.Tasks), doc,
	}, err
}

// scanPaymentRow reads the columns of paymentColumns.
func scanPaymentRow(rows rowSet) (r paymentRow, err error) {
	err = rows.Scan(r.columns()...)
	return r, err
}

// columns are where the columns of paymentColumns go.
func (r *paymentRow) columns() []any {
	return []any{
		&r.merchant, &r.id, &r.order, &r.version, &r.seq, &r.state, &r.escrow, &r.method, &r.amount, &r.refunded,
		&r.opened, &r.paid, &r.failed, &r.cancelled, &r.updated, &r.wake, &r.track, &r.tasks, &r.doc,
	}
}

func scanPayment(rows rowSet) (escrow.Payment, error) {
	r, err := scanPaymentRow(rows)
	if err != nil {
		return escrow.Payment{}, err
	}
	return r.payment()
}

func (r *paymentRow) payment() (escrow.Payment, error) {
	p, err := r.documented()
	p.Merchant, p.ID, p.OrderID, p.Version, p.Seq, p.State, p.Escrow = r.merchant, r.id, r.order, r.version, r.seq, escrow.State(r.state), r.escrow == 1
	p.Method, p.Amount, p.Refunded = escrow.Method(r.method), money.Won(r.amount), money.Won(r.refunded)
	p.OpenedAt, p.PaidAt, p.FailedAt, p.CancelledAt = micros(r.opened).time(), instant(r.paid), instant(r.failed), instant(r.cancelled)
	p.UpdatedAt, p.WakeAt, p.TrackAt = micros(r.updated).time(), instant(r.wake), instant(r.track)
	if r.tasks != nil {
		for t := range strings.SplitSeq(*r.tasks, ",") {
			p.Tasks = append(p.Tasks, escrow.Task(t))
		}
	}
	return p, err
}

// documentsKept is how many documents stay put together.
const documentsKept = 1024

// documents remembers what documents came to, because each version of a payment
// is read several times: by the act, the answer and the letters. The text itself
// is the key, so that nothing can be out of date. What is shared so is only read:
// escrow.Decide works on a copy.
var documents [documentsKept]atomic.Pointer[keptDocument]

type keptDocument struct {
	id, doc string
	payment escrow.Payment // with what the document says, and nothing else
}

var documentSeed = maphash.MakeSeed()

// documented is a payment with what its document says.
func (r *paymentRow) documented() (escrow.Payment, error) {
	place := &documents[maphash.String(documentSeed, r.id)%documentsKept]
	if kept := place.Load(); kept != nil && kept.id == r.id && kept.doc == r.doc {
		return kept.payment, nil
	}
	var p escrow.Payment
	if err := decodePayment(&p, r.doc); err != nil {
		return p, fmt.Errorf("store: payment %s/%s has a document that cannot be read: %w", r.merchant, r.id, err)
	}
	place.Store(&keptDocument{r.id, r.doc, p})
	return p, nil
}

func instant(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return time.UnixMicro(*us).UTC()
}

func taskText(tasks []escrow.Task) *string {
	if len(tasks) == 0 {
		return nil
	}
	parts := make([]string, len(tasks))
	for i, t := range tasks {
		parts[i] = string(t)
	}
	text := strings.Join(parts, ",")
	return &text
}

const paymentByID = `SELECT ` + paymentColumns + ` FROM payment WHERE merchant = $1 AND id = $2`

// summedByID is what the writer reads: the row with its sum.
const summedByID = `SELECT ` + paymentColumns + `, words, sum FROM payment WHERE merchant = $1 AND id = $2`

// Payment returns a payment of a merchant, or ErrNotFound.
func (r *Reader) Payment(merchant, id string) (escrow.Payment, error) {
	return one(&r.queries, scanPayment, paymentByID, merchant, id)
}

// Ready is a payment as it will be stored.
type Ready struct {
	row      summedPayment
	standing int64
}

// MakeReady makes the row of a payment.
func MakeReady(p *escrow.Payment) (Ready, error) {
	r, err := rowOf(p)
	words := searchWords(p)
	return Ready{summedPayment{r, words, r.sum(words)}, p.StandingAt().UnixMicro()}, err
}

func (t *Tx) insertPayment(ready *Ready) error {
	r := &ready.row
	t.group.remember(*r)
	return t.add(`INSERT INTO payment (`+paymentColumns+`, words, sum, standing_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		r.merchant, r.id, r.order, r.version, r.seq, r.state, r.escrow, r.method, r.amount, r.refunded,
		r.opened, r.paid, r.failed, r.cancelled, r.updated, r.wake, r.track, r.tasks, r.doc, r.words, r.has[:], ready.standing)
}

// updatePayment replaces a payment that was read at version was.
func (t *Tx) updatePayment(ready *Ready, was int64) error {
	r := &ready.row
	ref := Ref{r.merchant, r.id}
	if known, ok := t.group.known[ref]; ok && known.version != was {
		return ErrStale // said before anything has left for the database
	}
	t.group.remember(*r)
	return t.later(ErrStale, `UPDATE payment SET version = $1, seq = $2, state = $3, escrow = $4, method = $5, amount = $6, refunded = $7,
		paid_at = $8, failed_at = $9, cancelled_at = $10, updated_at = $11, wake_at = $12, track_at = $13, tasks = $14, doc = $15, words = $16, sum = $17,
		standing_at = $18 WHERE merchant = $19 AND id = $20 AND version = $21`,
		r.version, r.seq, r.state, r.escrow, r.method, r.amount, r.refunded,
		r.paid, r.failed, r.cancelled, r.updated, r.wake, r.track, r.tasks, r.doc, r.words, r.has[:], ready.standing, r.merchant, r.id, was)
}

// sum is over everything that a decision makes of a payment: all columns but the
// next question to the carrier, which is put off without one.
func (r *paymentRow) sum(words string) recon.Hash {
	return recon.NewRow("payment/1").Text(r.merchant).Text(r.id).Text(r.order).Number(r.version).Number(r.seq).Text(r.state).
		Number(r.escrow).Text(r.method).Number(r.amount).Number(r.refunded).Number(r.opened).MaybeNumber(r.paid).MaybeNumber(r.failed).
		MaybeNumber(r.cancelled).Number(r.updated).MaybeNumber(r.wake).MaybeText(r.tasks).Text(words).Text(r.doc).Sum()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
