package recon

import (
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/ledger"
)

// Sum is what was moved from one account to another under one ref.
type Sum struct {
	Ref           string
	Debit, Credit ledger.Account
	Amount        int64
	Unplaced      int64 // how many of the transfers stand in no chain
	Told          int64 // of a payout: how many of the transfers were written with an event
}

// LineSum is a settlement line with what changes in its life.
type LineSum struct {
	Line
	Held   bool
	Payout string // empty when no payout has taken it
	Has    Hash   // the sum that stands beside it
}

// Order is what a bank is asked to send.
type Order struct {
	Key                  string // of the attempt
	Of                   string // the refund or payout, whatever the attempt
	Kind                 string
	Amount               int64
	Bank, Number, Holder string
}

// Due is an order that a payment or payout stands for.
type Due struct {
	Order
	// Recorded says that the order must be there already.
	Recorded bool
}

// Payment is what a payment's state says about the books.
type Payment struct {
	Merchant, ID string
	Seq          int64
	Held         int64 // what held:<payment> carries
	Refunds      int64 // what refund:<payment> carries: refunds that have not reached the buyer
	Suspense     int64 // the payment's part of suspense
	Withheld     bool  // unpaid sale lines wait for an answer to a withdrawal
	Tracked      bool  // a parcel is on its way whose carrier can be asked
	Asks         bool  // an instant is set at which the carrier is asked
	Orders       []Due // one for each refund
}

// Numbers are the numbers of a payment's events: no two are equal, so that least,
// most and count say everything.
type Numbers struct{ Count, Least, Most int64 }

// check compares the numbers with 1 to last.
func (n Numbers) check(merchant, ref string, last int64) []Violation {
	if n.Count == last && (last == 0 || n.Least == 1 && n.Most == last) {
		return nil
	}
	return []Violation{{
		Merchant: merchant, Kind: WrongNumbers, Of: "event", Ref: ref,
		Want: fmt.Sprintf("1 to %d", last), Got: fmt.Sprintf("%d events from %d to %d", n.Count, n.Least, n.Most),
	}}
}

// CheckPayment compares a payment with its transfers, events, lines and orders.
func CheckPayment(p Payment, n Numbers, moved []Sum, lines []LineSum, orders []Order) (out []Violation) {
	out = append(out, n.check(p.Merchant, p.ID, p.Seq)...)
	if p.Tracked != p.Asks {
		out = append(out, Violation{
			Merchant: p.Merchant, Kind: WrongTrack, Of: "payment.track_at", Ref: p.ID, Want: fmt.Sprintf("asked=%t", p.Tracked), Got: fmt.Sprintf("asked=%t", p.Asks),
		})
	}
	want := balances{ledger.Held(p.ID): p.Held, ledger.Refund(p.ID): p.Refunds, ledger.Suspense: p.Suspense}
	for i := range lines {
		l := &lines[i]
		out = append(out, l.check()...)
		want[ledger.Shop(p.Merchant)] += l.Net + l.FromDue
		want[ledger.Due(p.Merchant)] -= l.FromDue
		want[ledger.Fee] += l.Fee
		want[ledger.VAT] += l.VAT
		if l.Kind == "sale" && l.Payout == "" && l.Held != p.Withheld {
			out = append(out, l.wrongHold(p.Withheld))
		}
	}
	out = append(out, want.check(p.Merchant, p.ID, moved)...)
	return append(out, checkOrders(p.Merchant, p.ID, p.Orders, orders)...)
}

// Payout is what a payout's row says.
type Payout struct {
	Merchant, ID                                      string
	State                                             string
	Gross, Fee, VAT, Deducted, FromDue, Amount, Lines int64
	Order                                             Due
}

// PayoutLines are the sums of the lines that a payout has taken.
type PayoutLines struct{ Gross, Fee, VAT, Deducted, FromDue, Net, Lines int64 }

// CheckPayout compares a payout with its transfers, its events, its lines, the line
// that gives the money back (at most one), and its orders. Each transfer that was
// written with an event stands for one; those from before there were events of
// payouts stand for none.
func CheckPayout(p Payout, n Numbers, moved []Sum, taken PayoutLines, back []LineSum, orders []Order) (out []Violation) {
	want := balances{
		ledger.Shop(p.Merchant): -p.FromDue - p.Amount, ledger.Due(p.Merchant): p.FromDue,
		ledger.Payout(p.ID): 0,
	}
	returned := int64(0)
	var odd []Violation
	switch p.State {
	case "paid":
	case "ordered":
		want[ledger.Payout(p.ID)] = p.Amount
	case "failed", "returned":
		want[ledger.Shop(p.Merchant)] += p.Amount
		returned = p.Amount
	default:
		odd = []Violation{{Merchant: p.Merchant, Kind: Unreadable, Of: "payout", Ref: p.ID, Want: "a state", Got: p.State}}
	}
	told := int64(0)
	for _, m := range moved {
		told += m.Told
	}
	out = append(odd, n.check(p.Merchant, p.ID, told)...)
	out = append(out, want.check(p.Merchant, p.ID, moved)...)
	row := PayoutLines{p.Gross, p.Fee, p.VAT, p.Deducted, p.FromDue, p.Amount, p.Lines}
	if row != taken {
		out = append(out, Violation{Merchant: p.Merchant, Kind: WrongLines, Of: "payout", Ref: p.ID, Want: taken.String(), Got: row.String()})
	}
	var came int64
	for i := range back {
		out = append(out, back[i].check()...)
		came += back[i].Net
	}
	if came != returned {
		out = append(out, Violation{Merchant: p.Merchant, Kind: WrongLines, Of: "settlement_line", Ref: p.ID, Want: number(returned) + " given back", Got: number(came)})
	}
	return append(out, checkOrders(p.Merchant, p.ID, []Due{p.Order}, orders)...)
}

// String is the sums in words.
func (l PayoutLines) String() string {
	return fmt.Sprintf("gross %d fee %d vat %d deducted %d from due %d net %d lines %d", l.Gross, l.Fee, l.VAT, l.Deducted, l.FromDue, l.Net, l.Lines)
}

func (l *LineSum) wrong(k Kind, want, got string) Violation {
	return Violation{Merchant: l.Merchant, Kind: k, Of: "settlement_line", Ref: l.ID, Want: want, Got: got}
}

func (l *LineSum) wrongHold(want bool) Violation {
	v := l.wrong(WrongLines, fmt.Sprintf("held=%t", want), fmt.Sprintf("held=%t", l.Held))
	v.Of += ".held"
	return v
}

// check compares a line with its sum and with itself.
func (l *LineSum) check() (out []Violation) {
	if want := l.Sum(); want != l.Has {
		out = append(out, l.wrong(WrongSum, want.String(), l.Has.String()))
	}
	if l.Held && l.Payout != "" {
		out = append(out, l.wrongHold(false))
	}
	gross := l.Gross
	if l.Kind == "sale" {
		gross -= l.Fee + l.VAT
	}
	if (l.Kind == "sale" || l.Kind == "refund" || l.Kind == "reversal") && gross != l.Net {
		out = append(out, l.wrong(WrongLines, "net "+number(gross), "net "+number(l.Net)))
	}
	return out
}

// balances are what accounts carry, by credits less debits.
type balances map[ledger.Account]int64

// check compares what should be with what was moved. Bank accounts are the other
// side of everything and follow.
func (b balances) check(merchant, ref string, moved []Sum) (out []Violation) {
	got, unplaced := balances{}, int64(0)
	for _, m := range moved {
		got[m.Credit] += m.Amount
		got[m.Debit] -= m.Amount
		unplaced += m.Unplaced
	}
	if unplaced > 0 {
		out = append(out, Violation{Merchant: merchant, Kind: Unplaced, Of: "transfer", Ref: ref, Want: "a position", Got: number(unplaced) + " without"})
	}
	accounts := maps.Clone(b)
	maps.Copy(accounts, got)
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		if account != ledger.BankEscrow && b[account] != got[account] {
			out = append(out, Violation{Merchant: merchant, Kind: WrongBalance, Of: string(account), Ref: ref, Want: number(b[account]), Got: number(got[account])})
		}
	}
	return out
}

// checkOrders compares the orders that should be with those that are. An order
// of an earlier attempt had another account, never another amount.
func checkOrders(merchant, ref string, due []Due, orders []Order) (out []Violation) {
	say := func(key, want, got string) {
		out = append(out, Violation{Merchant: merchant, Kind: WrongOrder, Of: "bank_order " + key, Ref: ref, Want: want, Got: got})
	}
	for _, d := range due {
		if d.Recorded && !slices.ContainsFunc(orders, func(o Order) bool { return o.Key == d.Key }) {
			say(d.Key, d.String(), "none")
		}
	}
	for _, o := range orders {
		i := slices.IndexFunc(due, func(d Due) bool { return d.Of == o.Of })
		switch {
		case i < 0:
			say(o.Key, "none", o.String())
		case o.Key == due[i].Key && o != due[i].Order, o.Amount != due[i].Amount, o.Kind != due[i].Kind:
			say(o.Key, due[i].String(), o.String())
		}
	}
	return out
}

// String is the order in words: of the account number the end, of the holder a
// short hash, because alarms go where people's names do not.
func (o Order) String() string {
	return fmt.Sprintf("%s of %d to %s %s, holder %.8s", o.Kind, o.Amount, o.Bank, krbank.Masked(o.Number), NewRow("holder").Text(o.Holder).Sum())
}
