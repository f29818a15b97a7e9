package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/recon"
)

// An audit walks through the books of every merchant: the chain of its events,
// the chain of its transfers, and then its payments and payouts with what belongs
// to them. It reads a page at a time, each from one state of the database, so that
// it is right while others write, and holds nothing back while it rests.

const (
	// auditPage is how many rows of a chain are read at once.
	auditPage = 1_000
	// auditRefs is how many payments and payouts are compared at once.
	auditRefs = 100
	// auditTrace is how many violations VerifyBooks returns at most.
	auditTrace = 1_000
)

// Phase is what an audit is reading.
type Phase string

// The phases, in order.
const (
	PhaseEvents    Phase = "events"
	PhaseTransfers Phase = "transfers"
	PhaseRefs      Phase = "payments"
)

// Place is where an audit stands. The zero Place is before the first merchant.
type Place struct {
	Merchant string     `json:"merchant"`
	Phase    Phase      `json:"phase"`
	Position int64      `json:"position,omitzero"`
	Hash     recon.Hash `json:"hash,omitzero"`
	After    string     `json:"after,omitzero"` // payment or payout
}

// BooksAudit is one walk.
type BooksAudit struct {
	// Rows counts what was read: events, transfers, payments and payouts.
	Rows int64
	// Heads are the ends of the chains that were walked whole.
	Heads []recon.Head

	store   *Store
	place   Place
	known   map[string]recon.Head // ends that were seen before
	head    recon.Head            // of the present merchant
	days    *dayCheck
	balance map[ledger.Account]*ledger.Balance
}

// dayCheck compares what is kept of the days with the transfers up to a position.
type dayCheck struct {
	upTo       int64
	kept, sums map[string]int64
}

// AuditBooks begins a walk at a place. known are ends of chains from earlier walks:
// they must still be there.
func (s *Store) AuditBooks(from Place, known ...recon.Head) *BooksAudit {
	a := &BooksAudit{store: s, place: from, known: map[string]recon.Head{}, balance: map[ledger.Account]*ledger.Balance{}}
	for _, h := range known {
		a.known[h.Merchant] = h
	}
	return a
}

// VerifyBooks walks through all books once and returns what does not agree, at
// most 1,000 places. None is what must always be true.
func (s *Store) VerifyBooks(ctx context.Context) ([]recon.Violation, error) {
	a := s.AuditBooks(Place{})
	var out []recon.Violation
	for {
		found, done, err := a.Step(ctx)
		out = append(out, found...)
		if done || err != nil || len(out) >= auditTrace {
			return out[:min(len(out), auditTrace)], err
		}
	}
}

// Place is where the audit stands.
func (a *BooksAudit) Place() Place { return a.place }

// Trial is the sum of the transfers that were walked, by kind of account.
func (a *BooksAudit) Trial() []ledger.Balance {
	out := make([]ledger.Balance, 0, len(a.balance))
	for _, b := range a.balance {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(x, y ledger.Balance) int { return strings.Compare(string(x.Account), string(y.Account)) })
	return out
}

// Step reads the next page and returns what does not agree in it. done says that
// the walk has come to its end.
func (a *BooksAudit) Step(ctx context.Context) (found []recon.Violation, done bool, err error) {
	err = a.store.Snapshot(ctx, func(r *Reader) (err error) {
		switch a.place.Phase {
		case PhaseEvents:
			found, err = a.events(r)
		case PhaseTransfers:
			found, err = a.transfers(r)
		case PhaseRefs:
			found, err = a.refs(r)
		default:
			found, done, err = a.next(r)
		}
		return err
	})
	return found, done, err
}

// next begins the next merchant. A known one that is not there any more has lost its books.
func (a *BooksAudit) next(r *Reader) (found []recon.Violation, done bool, err error) {
	merchant, err := r.nextMerchant(a.place.Merchant)
	for _, h := range a.known {
		if h.Merchant > a.place.Merchant && (merchant == "" || h.Merchant < merchant) && h.Position > 0 {
			found = append(found, (&recon.Chain{Merchant: h.Merchant, Of: "event"}).End(h.Position, h.Hash)...)
		}
	}
	if err != nil || merchant == "" {
		return found, err == nil, err
	}
	a.place = Place{Merchant: merchant, Phase: PhaseEvents}
	a.head, a.days = recon.Head{Merchant: merchant}, nil
	return found, false, nil
}

// nextMerchant is the next merchant that has anything in the books, or had when
// they were verified.
func (q *queries) nextMerchant(after string) (string, error) {
	var parts []string
	for _, column := range []string{"event_log.merchant", "event.merchant", "transfer.merchant", "payment.merchant", "settlement_line.merchant", "payout.merchant", "bank_order.merchant", "books_head.merchant"} {
		table, _, _ := strings.Cut(column, ".")
		parts = append(parts, `SELECT min(merchant) AS merchant FROM `+table+` WHERE merchant > $1`)
	}
	m, err := one(q, scalar[*string], `SELECT min(merchant) FROM (`+strings.Join(parts, ` UNION ALL `)+`) AS those`, after)
	if err != nil || m == nil {
		return "", err
	}
	return *m, nil
}

// logEnd is the end of a merchant's log as its row says; zero without one.
func (q *queries) logEnd(merchant string) (logEnd, error) {
	e, err := one(q, scanEnd, `SELECT `+endColumns+` FROM event_log WHERE merchant = $1`, merchant)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return e, err
}

// from is the lowest position to read after the one where a walk stands: at the
// beginning also what stands before the first place.
func from(position int64) int64 {
	if position == 0 {
		return math.MinInt64
	}
	return position
}

func (a *BooksAudit) events(r *Reader) ([]recon.Violation, error) {
	rows, err := all(&r.queries, scanChainedEvent, chainedEvents, a.place.Merchant, from(a.place.Position), auditPage)
	if err != nil {
		return nil, err
	}
	seen, err := a.seen(r, func(h recon.Head) (int64, recon.Hash) { return h.Position, h.Hash })
	if err != nil {
		return nil, err
	}
	end, err := r.logEnd(a.place.Merchant)
	if err != nil {
		return nil, err
	}
	c := recon.Chain{Merchant: a.place.Merchant, Of: "event", Position: a.place.Position, Hash: a.place.Hash}
	var found []recon.Violation
	for i := range rows {
		e := &rows[i]
		found = append(found, c.Next(e.Position, e.Payment, e.has, e.Link)...)
		found = append(found, seen.pass(&c)...)
	}
	a.Rows += int64(len(rows))
	a.place.Position, a.place.Hash = c.Position, c.Hash
	if len(rows) == auditPage {
		return found, nil
	}
	a.head.Position, a.head.Hash = c.Position, c.Hash
	a.place = Place{Merchant: a.place.Merchant, Phase: PhaseTransfers}
	return slices.Concat(found, c.End(end.position, end.hash), seen.rest(&c)), nil
}

func (a *BooksAudit) transfers(r *Reader) ([]recon.Violation, error) {
	rows, err := all(&r.queries, scanChainedTransfer, chainedTransfers, a.place.Merchant, from(a.place.Position), auditPage)
	if err != nil {
		return nil, err
	}
	if a.place.Position == 0 {
		if a.days, err = r.keptDays(a.place.Merchant); err != nil {
			return nil, err
		}
	}
	seen, err := a.seen(r, func(h recon.Head) (int64, recon.Hash) { return h.Transfer, h.TransferHash })
	if err != nil {
		return nil, err
	}
	c := recon.Chain{Merchant: a.place.Merchant, Of: "transfer", Position: a.place.Position, Hash: a.place.Hash}
	var found []recon.Violation
	for i := range rows {
		x := &rows[i]
		found = append(found, c.Next(x.Position, x.Ref, x.has, x.Link)...)
		found = append(found, seen.pass(&c)...)
		a.days.add(&x.Transfer)
		a.add(&x.Transfer)
	}
	a.Rows += int64(len(rows))
	a.place.Position, a.place.Hash = c.Position, c.Hash
	if len(rows) == auditPage {
		return found, nil
	}
	more, err := a.endOfTransfers(r, &c)
	return slices.Concat(found, more, seen.rest(&c), a.days.check(a.place.Merchant)), err
}

func (a *BooksAudit) endOfTransfers(r *Reader, c *recon.Chain) ([]recon.Violation, error) {
	end, err := r.logEnd(c.Merchant)
	if err != nil {
		return nil, err
	}
	found := c.End(end.transfer, end.transferHash)
	a.head.Transfer, a.head.TransferHash = c.Position, c.Hash
	a.Heads = append(a.Heads, a.head)
	a.place = Place{Merchant: c.Merchant, Phase: PhaseRefs}
	return found, nil
}

func (a *BooksAudit) add(x *recon.Transfer) {
	of := func(account string) *ledger.Balance {
		name := ledger.Account(ledger.Account(account).Kind())
		if a.balance[name] == nil {
			a.balance[name] = &ledger.Balance{Account: name}
		}
		return a.balance[name]
	}
	of(x.Debit).Debits += money.Won(x.Amount)
	of(x.Credit).Credits += money.Won(x.Amount)
}

// ends are places of a chain that were seen before, and what they were.
type ends map[int64]recon.Hash

// seen are the ends that were seen before of the present chain: by the auditor,
// and by whoever began the walk. A walk that goes on in the middle has passed some.
func (a *BooksAudit) seen(r *Reader, of func(recon.Head) (int64, recon.Hash)) (ends, error) {
	out := ends{}
	kept, err := r.booksHead(a.place.Merchant)
	if err != nil {
		return nil, err
	}
	for _, h := range []recon.Head{kept, a.known[a.place.Merchant]} {
		if position, hash := of(h); position > a.place.Position {
			out[position] = hash
		}
	}
	return out, nil
}

// pass compares the place where a walk stands.
func (e ends) pass(c *recon.Chain) []recon.Violation {
	hash, was := e[c.Position]
	if !was {
		return nil
	}
	delete(e, c.Position)
	return c.End(c.Position, hash)
}

// rest are the ends that a walk has not come to.
func (e ends) rest(c *recon.Chain) (out []recon.Violation) {
	for position, hash := range e {
		out = append(out, c.End(position, hash)...)
	}
	return out
}

// booksHead is how far a merchant's books were verified; zero if never.
func (q *queries) booksHead(merchant string) (recon.Head, error) {
	h, err := one(q, func(rows rowSet) (h recon.Head, err error) {
		var hash, transferHash []byte
		err = rows.Scan(&h.Position, &hash, &h.Transfer, &transferHash)
		h.Hash, h.TransferHash = recon.ReadHash(hash), recon.ReadHash(transferHash)
		return h, err
	}, `SELECT position, hash, transfer, transfer_hash FROM books_head WHERE merchant = $1`, merchant)
	h.Merchant = merchant
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return h, err
}

// keptDays are the changes of the held money by day, as kept up to the verified end.
func (q *queries) keptDays(merchant string) (*dayCheck, error) {
	h, err := q.booksHead(merchant)
	if err != nil {
		return nil, err
	}
	d := &dayCheck{upTo: h.Transfer, kept: map[string]int64{}, sums: map[string]int64{}}
	days, err := q.heldChanges(merchant)
	for _, x := range days {
		d.kept[x.day] = x.change
	}
	return d, err
}

type heldChange struct {
	day    string
	change int64
}

func (q *queries) heldChanges(merchant string) ([]heldChange, error) {
	return all(q, func(rows rowSet) (x heldChange, err error) {
		err = rows.Scan(&x.day, &x.change)
		return x, err
	}, `SELECT day, change FROM held_day WHERE merchant = $1 ORDER BY day`, merchant)
}

// heldBy is by how much a transfer changes the money held for buyers, and on
// which Korean day.
func heldBy(x *recon.Transfer) (day string, change int64) {
	if ledger.Account(x.Credit).Kind() == "held" {
		change += x.Amount
	}
	if ledger.Account(x.Debit).Kind() == "held" {
		change -= x.Amount
	}
	if change == 0 {
		return "", 0
	}
	return bizday.DateOf(micros(x.At).time()).String(), change
}

func (d *dayCheck) add(x *recon.Transfer) {
	if d == nil || x.Position > d.upTo {
		return
	}
	if day, change := heldBy(x); change != 0 {
		d.sums[day] += change
	}
}

func (d *dayCheck) check(merchant string) (out []recon.Violation) {
	if d == nil {
		return nil
	}
	for day := range d.kept {
		d.sums[day] += 0
	}
	for day, sum := range d.sums {
		if d.kept[day] != sum {
			out = append(out, recon.Violation{Merchant: merchant, Kind: recon.WrongDay, Of: "held_day", Ref: day, Want: won(sum), Got: won(d.kept[day])})
		}
	}
	return out
}

func won(n int64) string { return money.Won(n).Digits() }

// refs compares the next payments and payouts.
func (a *BooksAudit) refs(r *Reader) ([]recon.Violation, error) {
	low := a.place.After
	if low != "" {
		low += least
	}
	ids, err := all(&r.queries, scalar[string], `SELECT id FROM (
			SELECT id FROM (SELECT id FROM payment WHERE merchant = $1 AND id >= $2 ORDER BY id LIMIT $3) AS payments
			UNION ALL SELECT id FROM (SELECT id FROM payout WHERE merchant = $1 AND id >= $2 ORDER BY id LIMIT $3) AS payouts
		) AS refs ORDER BY id LIMIT $3`, a.place.Merchant, low, auditRefs)
	if err != nil {
		return nil, err
	}
	high := highest
	if len(ids) == auditRefs {
		high = ids[len(ids)-1]
	}
	found, err := r.compare(a.place.Merchant, low, high)
	if err != nil {
		return nil, err
	}
	a.Rows += int64(len(ids))
	a.place.After = high
	if high == highest {
		a.place = Place{Merchant: a.place.Merchant}
	}
	return found, nil
}

// least makes of an id the one that follows it.
const least = "\x01"

// highest is what no id reaches.
var highest = strings.Repeat("\U0010ffff", 64)

// refBooks is what the books say about one payment or payout.
type refBooks struct {
	payment *summedPayment
	payout  *payoutRow
	moved   []recon.Sum
	numbers recon.Numbers
	lines   []recon.LineSum // whose payment it is
	taken   recon.PayoutLines
	orders  []recon.Order
}

// CompareRef compares one payment or payout with everything that belongs to it,
// and returns what does not agree.
func (s *Store) CompareRef(ctx context.Context, merchant, ref string) (found []recon.Violation, err error) {
	err = s.Snapshot(ctx, func(r *Reader) (err error) {
		found, err = r.compare(merchant, ref, ref)
		return err
	})
	return found, err
}

// compare compares the payments and payouts whose ids lie between two, both
// included, with everything that belongs to such ids.
func (q *queries) compare(merchant, low, high string) (out []recon.Violation, err error) {
	refs, err := q.refBooks(merchant, low, high)
	if err != nil {
		return nil, err
	}
	for id, b := range refs {
		switch {
		case b.payment != nil:
			out = append(out, b.checkPayment()...)
		case b.payout != nil:
			out = append(out, recon.CheckPayout(b.payout.Payout, b.numbers, b.moved, b.taken, b.lines, b.orders)...)
		default:
			out = append(out, recon.Violation{Merchant: merchant, Kind: recon.Ownerless, Of: "payment", Ref: id, Want: "a payment or payout", Got: b.without()})
		}
	}
	slices.SortFunc(out, func(a, b recon.Violation) int { return strings.Compare(a.Ref, b.Ref) })
	return out, nil
}

// without says what there is of an id that is no payment and no payout.
func (b *refBooks) without() string {
	var moved, owed, ordered int64
	for _, m := range b.moved {
		moved += m.Amount
	}
	for i := range b.lines {
		owed += b.lines[i].Net
	}
	for _, o := range b.orders {
		ordered += o.Amount
	}
	return fmt.Sprintf("%d events, %d won moved, %d lines of %d, %d taken of %d, %d orders of %d",
		b.numbers.Count, moved, len(b.lines), owed, b.taken.Lines, b.taken.Net, len(b.orders), ordered)
}

func (b *refBooks) checkPayment() []recon.Violation {
	out := b.payment.wrongSum()
	p, err := b.payment.payment()
	if err != nil {
		return append(out, b.payment.violation(recon.Unreadable, "a payment", err.Error()))
	}
	return append(out, recon.CheckPayment(booksOf(&p), b.numbers, b.moved, b.lines, b.orders)...)
}

// booksOf is what a payment's state says about the books.
func booksOf(p *escrow.Payment) recon.Payment {
	out := recon.Payment{
		Merchant: p.Merchant, ID: p.ID, Seq: p.Seq, Held: int64(p.HeldAmount()), Suspense: int64(p.Suspended), Withheld: p.HasTask(escrow.TaskWithdrawal),
		Tracked: p.Tracked(), Asks: !p.TrackAt.IsZero(),
	}
	for i := range p.Refunds {
		r := &p.Refunds[i]
		if r.State != escrow.RefundSent {
			out.Refunds += int64(r.Amount)
		}
		out.Orders = append(out.Orders, recon.Due{Recorded: r.State == escrow.RefundOrdered, Order: recon.Order{
			Key: r.Key(), Of: r.ID, Kind: OrderRefund, Amount: int64(r.Amount), Bank: r.Account.Bank, Number: r.Account.Number, Holder: r.Account.Holder,
		}})
	}
	return out
}
