package escrow_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// maxSteps bounds one random history.
const maxSteps = 40

// calendars are those that a history may move through: each closes more days.
var calendars = []bizday.Calendar{
	bizday.Korea(),
	bizday.Korea().With(closed("2026-03-12")),
	bizday.Korea().With(closed("2026-03-12"), closed("2026-03-16"), closed("2026-03-20")),
}

func closed(s string) bizday.Override {
	return bizday.Override{Date: date(s), Closed: true, Reason: "임시공휴일"}
}

// history is a world with what the bank and the shop know by themselves, so
// that the books are held against something that does not come from the rules.
type history struct {
	*world
	rt       *rapid.T
	atBank   money.Won // what the bank has, by its own movements
	paidOut  money.Won
	calendar int
	keys     map[string]bool // of bank orders and lines
	sold     bool            // whether a sale line exists
}

// TestHistories runs random commands over random time and asks after each step
// for everything that must always be true.
func TestHistories(t *testing.T) {
	rounds := 10 // of rapid's own number of histories
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		rapid.Check(t, oneHistory)
	}
}

func oneHistory(rt *rapid.T) {
	h := &history{world: newWorld(rt), rt: rt, keys: map[string]bool{}}
	h.env.Profile = drawProfile(rt)
	h.begin()
	for range rapid.IntRange(1, maxSteps).Draw(rt, "steps") {
		h.step()
		h.always()
	}
}

func drawProfile(rt *rapid.T) escrow.Profile {
	p := escrow.DefaultProfile()
	p.CancelAfterShip = rapid.SampledFrom([]escrow.CancelPolicy{escrow.AfterReject, escrow.AfterHold, escrow.Direct}).Draw(rt, "cancel policy")
	p.Deposit = rapid.SampledFrom([]escrow.DepositPolicy{escrow.RefuseDeposit, escrow.SuspendDeposit}).Draw(rt, "deposit policy")
	p.StrictNotice = rapid.Bool().Draw(rt, "strict")
	p.ShopMayConfirm = rapid.Bool().Draw(rt, "shop may confirm")
	p.AutoAgreeDays = rapid.SampledFrom([]int{0, 3}).Draw(rt, "auto agree")
	p.TrackedDays = rapid.SampledFrom([]int{3, 5}).Draw(rt, "tracked days")
	p.Reminders = rapid.SampledFrom([][]int{nil, {3, 1}, {5, 0}}).Draw(rt, "reminders")
	return p
}

// begin opens a payment and, mostly, has it paid.
func (h *history) begin() {
	method := rapid.SampledFrom([]escrow.Method{escrow.VirtualAccount, escrow.VirtualAccount, escrow.BankTransfer, escrow.Card}).Draw(h.rt, "method")
	open := opening(method, rapid.IntRange(0, 3).Draw(h.rt, "asked") > 0)
	if rapid.IntRange(0, 4).Draw(h.rt, "no mail") == 0 {
		open.Buyer.Email = ""
	}
	h.give(escrow.Shop, open)
	h.give(escrow.Buyer, escrow.Choose{Method: method, Escrow: open.Escrow, Terms: "2026-01"})
	switch {
	case method != escrow.VirtualAccount:
		h.give(escrow.Bank, escrow.Approve{ApprovalNo: "ap-1", Payer: payer})
	case rapid.Bool().Draw(h.rt, "deposit at once"):
		h.give(escrow.Bank, issue(h.env.Now))
		h.give(escrow.Bank, h.deposit("tx-1", amount))
	default:
		h.give(escrow.Bank, issue(h.env.Now))
	}
}

func (h *history) step() {
	switch n := rapid.IntRange(0, 9).Draw(h.rt, "step"); {
	case n < 4:
		h.useful()
	case n < 7:
		h.wild()
	case n == 7 && !h.p.WakeAt.IsZero():
		if h.p.WakeAt.After(h.env.Now) {
			h.env.Now = h.p.WakeAt
		}
		h.give(escrow.System, escrow.Tick{})
	case n == 8:
		h.payOut()
	default:
		h.env.Now = h.env.Now.Add(time.Duration(rapid.IntRange(0, 72*60).Draw(h.rt, "minutes")) * time.Minute)
		if h.calendar < len(calendars)-1 && rapid.IntRange(0, 5).Draw(h.rt, "holiday") == 0 {
			h.calendar++
			h.env.Calendar = calendars[h.calendar]
			h.give(escrow.System, escrow.Recount{})
		}
	}
}

// useful draws among the fitting commands that would change something.
func (h *history) useful() {
	var can []asked
	for _, a := range h.fitting() {
		if d, err := h.ask(a.actor, a.cmd); err == nil && !d.Unchanged {
			can = append(can, a)
		}
	}
	if len(can) == 0 {
		return
	}
	a := can[rapid.IntRange(0, len(can)-1).Draw(h.rt, "useful")]
	h.give(a.actor, a.cmd)
}

// wild draws a command with values of its own, sometimes from somebody who may
// not give it.
func (h *history) wild() {
	gens := []func() (escrow.Actor, escrow.Command){h.anyDeposit, h.anyReversal, h.anyCancel, h.anyDelivery, h.anyTracking, h.anyRuling, h.anyResult}
	actor, cmd := gens[rapid.IntRange(0, len(gens)-1).Draw(h.rt, "wild")]()
	if rapid.IntRange(0, 9).Draw(h.rt, "impostor") == 0 {
		actor = rapid.SampledFrom([]escrow.Actor{escrow.Buyer, escrow.Shop, escrow.Bank, escrow.Carrier, escrow.Operator, escrow.System, ""}).Draw(h.rt, "actor")
	}
	h.give(actor, cmd)
}

func (h *history) won(name string) money.Won {
	return money.Won(rapid.SampledFrom([]int64{-1, 0, 1, 1_000, 3_000, 7_000, 10_000, 12_000, int64(money.Max) + 1, 1<<63 - 1}).Draw(h.rt, name))
}

func (h *history) tx() string {
	return rapid.SampledFrom([]string{"tx-1", "tx-2", "tx-3", "tx-4", "tx-5", "tx-9", ""}).Draw(h.rt, "tx")
}

func (h *history) before() time.Time {
	return h.env.Now.Add(-time.Duration(rapid.IntRange(-1, 96).Draw(h.rt, "hours before")) * time.Hour)
}

func (h *history) anyDeposit() (escrow.Actor, escrow.Command) {
	d := h.deposit(h.tx(), h.won("deposit"))
	if rapid.Bool().Draw(h.rt, "reported later") {
		d.At = h.before()
	}
	return escrow.Bank, d
}

func (h *history) anyReversal() (escrow.Actor, escrow.Command) {
	return escrow.Bank, escrow.ReverseDeposit{BankTx: h.tx(), Reason: "착오송금"}
}

func (h *history) anyCancel() (escrow.Actor, escrow.Command) {
	c := escrow.Cancel{Amount: h.won("cancel"), TaxFree: h.won("tax free"), Reason: "환불"}
	if rapid.Bool().Draw(h.rt, "expects") {
		left := h.p.Cancellable()
		c.Expected = &left
	}
	return escrow.Shop, c
}

func (h *history) anyDelivery() (escrow.Actor, escrow.Command) {
	all := []escrow.Parcel{{Carrier: "CJ", Number: "1234567890"}, {Carrier: "LOTTE", Number: "99"}, {Carrier: escrow.SelfDelivery}, {Carrier: escrow.OtherCarrier, Number: "E"}}
	parcels := rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(h.rt, "parcels")
	track := rapid.Bool().Draw(h.rt, "trackable")
	if rapid.Bool().Draw(h.rt, "amend") {
		return escrow.Shop, escrow.AmendDelivery{Parcels: parcels, Trackable: track, SentAt: h.before()}
	}
	return escrow.Shop, escrow.RegisterDelivery{Parcels: parcels, Trackable: track, SentAt: h.before()}
}

func (h *history) anyTracking() (escrow.Actor, escrow.Command) {
	r := escrow.ReportTracking{Number: rapid.SampledFrom([]string{"1234567890", "99", "", "E"}).Draw(h.rt, "number"), Seen: rapid.Bool().Draw(h.rt, "seen")}
	if rapid.Bool().Draw(h.rt, "delivered") {
		r.DeliveredAt = h.before()
	}
	return escrow.Carrier, r
}

func (h *history) anyRuling() (escrow.Actor, escrow.Command) {
	return escrow.Operator, escrow.DecideDispute{Refund: h.won("ruling"), Reason: "판정"}
}

func (h *history) anyResult() (escrow.Actor, escrow.Command) {
	key := imp + rapid.SampledFrom([]string{"-r1-1", "-r1-2", "-r2-1", "-r3-1"}).Draw(h.rt, "key")
	return escrow.Bank, escrow.RefundResult{Key: key, Sent: rapid.Bool().Draw(h.rt, "sent"), Reason: "계좌 없음"}
}

// payOut plays the settlement run: the shop's money of this payment leaves.
func (h *history) payOut() {
	if h.saleLeft <= 0 || h.withheld {
		return
	}
	h.books = append(h.books, ledger.Transfer{Debit: ledger.Shop(shop), Credit: ledger.BankEscrow, Amount: h.saleLeft})
	h.atBank -= h.saleLeft
	h.paidOut += h.saleLeft
	h.saleLeft = 0
}

// give decides, checks the decision, stores it, and asks again at once.
func (h *history) give(actor escrow.Actor, cmd escrow.Command) {
	before := deep(reflect.ValueOf(h.p)).Interface()
	d, err := h.ask(actor, cmd)
	if !reflect.DeepEqual(before, h.p) {
		h.t.Fatalf("%s changed the payment it was given", cmd.Verb())
	}
	var r *escrow.Refusal
	if err != nil {
		if !errors.As(err, &r) {
			h.t.Fatalf("%s by %s on %s: a fault: %v", cmd.Verb(), actor, h.p.State, err)
		}
		return
	}
	if d.Unchanged {
		if !reflect.DeepEqual(d, escrow.Decision{Unchanged: true, Next: h.p}) {
			h.t.Fatalf("%s: an unchanged decision carries consequences", cmd.Verb())
		}
		return
	}
	h.stepChecks(cmd, d)
	h.bankMoves(cmd, d)
	h.store(d)
	h.again(actor, cmd)
}

// stepChecks asks what must be true of one decision.
func (h *history) stepChecks(cmd escrow.Command, d escrow.Decision) {
	if d.Next.Version != h.p.Version+1 || d.Next.Seq != h.p.Seq+int64(len(d.Events)) {
		h.t.Fatalf("%s: version %d -> %d, events %d -> %d", cmd.Verb(), h.p.Version, d.Next.Version, h.p.Seq, d.Next.Seq)
	}
	for i, e := range d.Events {
		if e.Seq != h.p.Seq+int64(i)+1 {
			h.t.Fatalf("%s: event %s has the number %d after %d", cmd.Verb(), e.Type, e.Seq, h.p.Seq+int64(i))
		}
	}
	for _, key := range owedKeys(d) {
		if h.keys[key] {
			h.t.Fatalf("%s: the key %s was used before", cmd.Verb(), key)
		}
		h.keys[key] = true
	}
	if had := h.p.Decided; had != nil && had.Verdict == escrow.VerdictConfirm && d.Next.Decided != nil && *d.Next.Decided != *had {
		h.t.Fatalf("%s: the confirmation was replaced by %+v", cmd.Verb(), d.Next.Decided)
	}
	if d.Next.Announced.Before(h.p.Announced) {
		h.t.Fatalf("%s: the announced day went back from %s to %s", cmd.Verb(), h.p.Announced, d.Next.Announced)
	}
	if len(d.Mails) > 0 && d.Next.Buyer.Email == "" {
		h.t.Fatalf("%s: mails %v to nobody", cmd.Verb(), d.Mails)
	}
	if _, tick := cmd.(escrow.Tick); tick && !d.Next.WakeAt.IsZero() && !d.Next.WakeAt.After(h.env.Now) {
		h.t.Fatalf("after a tick at %s the payment wants to wake at %s", h.env.Now, d.Next.WakeAt)
	}
	h.saleChecks(cmd, d)
}

// saleChecks: money is the shop's only by a confirmation, or of an ordinary payment.
func (h *history) saleChecks(cmd escrow.Command, d escrow.Decision) {
	for _, l := range d.Lines {
		if !slices.ContainsFunc(d.Events, func(e escrow.Event) bool { return l.ID == fmt.Sprintf("%s-l%d", imp, e.Seq) }) {
			h.t.Fatalf("%s: the line %s has the number of no event of this step", cmd.Verb(), l.ID)
		}
		if l.Kind != escrow.LineSale {
			continue
		}
		if h.sold {
			h.t.Fatalf("%s: a second sale", cmd.Verb())
		}
		h.sold = true
		if d.Next.Escrow && (d.Next.State != escrow.Confirmed || d.Next.Decided.Verdict != escrow.VerdictConfirm) {
			h.t.Fatalf("%s: a sale of a payment that is %s", cmd.Verb(), d.Next.State)
		}
	}
	if h.sold {
		return
	}
	for _, t := range d.Transfers {
		if strings.HasPrefix(string(t.Credit), "shop:") {
			h.t.Fatalf("%s: money for the shop without a sale", cmd.Verb())
		}
	}
}

func owedKeys(d escrow.Decision) []string {
	var keys []string
	for _, o := range d.Orders {
		keys = append(keys, "order "+o.Key)
	}
	for _, l := range d.Lines {
		keys = append(keys, "line "+l.ID)
	}
	return keys
}

// bankMoves follows what the bank does by itself: money that it took in, took
// back, and paid out.
func (h *history) bankMoves(cmd escrow.Command, d escrow.Decision) {
	if _, ok := cmd.(escrow.Approve); ok {
		h.atBank += d.Next.Amount
	}
	if c, ok := cmd.(escrow.NotifyDeposit); ok && came(d.Next.Deposits[len(d.Next.Deposits)-1]) {
		h.atBank += c.Amount
	}
	if c, ok := cmd.(escrow.ReverseDeposit); ok {
		for _, dep := range h.p.Deposits {
			if dep.BankTx == c.BankTx && came(dep) {
				h.atBank -= dep.Amount
			}
		}
	}
	if c, ok := cmd.(escrow.RefundResult); ok {
		h.refundMoves(c)
	}
}

// refundMoves: a refund that is sent leaves the bank; one that was sent and
// failed after all is back.
func (h *history) refundMoves(c escrow.RefundResult) {
	for _, r := range h.p.Refunds {
		switch {
		case r.Key() != c.Key:
		case c.Sent:
			h.atBank -= r.Amount
		case r.State == escrow.RefundSent:
			h.atBank += r.Amount
		}
	}
}

// came reports whether a deposit's money reached the bank.
func came(d escrow.Deposit) bool {
	return d.Outcome != escrow.DepositRefused && d.Outcome != escrow.DepositQuarantined
}

// again repeats the command at once. Only a partial cancel that states no
// expected balance is a new wish each time; a link is renewed as often as asked,
// and a carrier may say the same again, but neither moves money.
func (h *history) again(actor escrow.Actor, cmd escrow.Command) {
	if c, ok := cmd.(escrow.Cancel); ok && c.Amount > 0 && c.Expected == nil {
		return
	}
	d, err := h.ask(actor, cmd)
	if err != nil || d.Unchanged {
		return
	}
	_, link := cmd.(escrow.RenewLink)
	_, track := cmd.(escrow.ReportTracking)
	if (link || track) && len(d.Transfers)+len(d.Orders)+len(d.Lines) == 0 {
		return
	}
	h.t.Fatalf("%s by %s, repeated at once on %s, does it again: %s", cmd.Verb(), actor, h.p.State, consequences(d))
}

// always asks what must be true between any two steps.
func (h *history) always() {
	p := h.p
	net := map[ledger.Account]money.Won{}
	var total money.Won
	for _, b := range ledger.Trial(h.books) {
		net[b.Account] = b.Net()
		total += b.Debits - b.Credits
	}
	if total != 0 {
		h.t.Fatalf("the books are out by %d", total)
	}
	h.equal("held", net[ledger.Held(imp)], p.HeldAmount())
	if held := p.HeldAmount(); held != 0 && held != p.Amount {
		h.t.Fatalf("%d of %d held", held, p.Amount)
	}
	h.equal("suspense", net[ledger.Suspense], p.Suspended)
	h.equal("bank", net[ledger.BankEscrow], h.atBank)
	h.equal("refund", net[ledger.Refund(imp)], unsent(p))
	h.equal("shop", net[ledger.Shop(shop)], h.saleLeft)
	h.equal("bank and due against everybody's money", net[ledger.BankEscrow]+net[ledger.Due(shop)],
		p.HeldAmount()+p.Suspended+unsent(p)+h.saleLeft+net[ledger.Fee]+net[ledger.VAT])
	for _, b := range ledger.Trial(h.books) {
		if b.Net() < 0 && b.Account != ledger.BankEscrow {
			h.t.Fatalf("%s stands at %d", b.Account, b.Net())
		}
	}
	if net[ledger.BankEscrow]+net[ledger.Due(shop)] < 0 {
		h.t.Fatalf("the bank stands at %d and the shop owes only %d", net[ledger.BankEscrow], net[ledger.Due(shop)])
	}
	h.linesAdd(net)
	h.clock()
	h.standing()
}

func (h *history) equal(what string, got, want money.Won) {
	if got != want {
		h.t.Fatalf("%s: the books say %d, the payment %d (it is %s)", what, got, want, h.p.State)
	}
}

func unsent(p escrow.Payment) money.Won {
	var sum money.Won
	for _, r := range p.Refunds {
		if r.State != escrow.RefundSent {
			sum += r.Amount
		}
	}
	return sum
}

// linesAdd: the statement is the same sum as the books.
func (h *history) linesAdd(net map[ledger.Account]money.Won) {
	var sum, due money.Won
	for _, l := range h.lines {
		sum += l.Net
		due += l.FromDue
	}
	h.equal("lines", sum, net[ledger.Shop(shop)]+h.paidOut-net[ledger.Due(shop)])
	h.equal("receivable in lines", due, net[ledger.Due(shop)])
}

func (h *history) clock() {
	p := h.p
	if p.Deadline == nil {
		return
	}
	if p.Deadline.At.Before(p.Announced) {
		h.t.Fatalf("the deadline %s is earlier than the announced %s", p.Deadline.At, p.Announced)
	}
	if p.Hold != nil || (p.State != escrow.Shipped && p.State != escrow.Delivered) {
		h.t.Fatalf("the clock runs on a payment that is %s with the hold %v", p.State, p.Hold)
	}
	if h.env.Profile.StrictNotice && p.Notice != escrow.NoticeDelivered {
		h.t.Fatalf("the clock runs though the notice is %q", p.Notice)
	}
	if last := p.Deadline.LastDay.AddDays(1).Start(); !last.Equal(p.Deadline.At) {
		h.t.Fatalf("deadline %s, but the last day is %s", p.Deadline.At, p.Deadline.LastDay)
	}
}

// standing: a decision stands exactly where the state speaks of one.
func (h *history) standing() {
	var want []escrow.Verdict
	switch h.p.State {
	case escrow.Confirmed:
		want = []escrow.Verdict{escrow.VerdictConfirm}
	case escrow.Rejected, escrow.RejectionAccepted:
		want = []escrow.Verdict{escrow.VerdictReject}
	case escrow.Cancelled:
		want = []escrow.Verdict{"", escrow.VerdictReject}
	default:
		want = []escrow.Verdict{""}
	}
	h.noLeftovers()
	var got escrow.Verdict
	if h.p.Decided != nil {
		got = h.p.Decided.Verdict
	}
	if !slices.Contains(want, got) {
		h.t.Fatalf("the payment is %s and the decision %q stands", h.p.State, got)
	}
}

// noLeftovers: what has ended leaves nobody a task but that of its money.
func (h *history) noLeftovers() {
	switch h.p.State {
	case escrow.Failed, escrow.Confirmed, escrow.RejectionAccepted, escrow.Cancelled:
	default:
		return
	}
	for _, task := range h.p.Tasks {
		switch task {
		case escrow.TaskSuspense, escrow.TaskReversed, escrow.TaskDepositForged, escrow.TaskRefundAccount, escrow.TaskRefundFailed, escrow.TaskWithdrawal:
		default:
			h.t.Fatalf("the payment is %s and the task %s is open", h.p.State, task)
		}
	}
	if h.p.HasTask(escrow.TaskSuspense) != (h.p.Suspended > 0) {
		h.t.Fatalf("%d in suspense, tasks %v", h.p.Suspended, h.p.Tasks)
	}
}

// deep copies a value with everything it points to.
func deep(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(deep(v.Elem()))
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(deep(v.Index(i)))
		}
		return c
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(deep(v.Field(i)))
			}
		}
		return c
	default:
		return v
	}
}
