package escrow_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// tester is what testing.T and rapid.T have in common here.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

const (
	imp    = "imp_1"
	shop   = "m1"
	amount = money.Won(10_000)
	feeWon = money.Won(300) // 3 per cent of amount
	vatWon = money.Won(30)
	netWon = amount - feeWon - vatWon
)

var (
	payer   = escrow.BankAccount{Bank: "004", Number: "123-45-6789", Holder: "김구매"}
	another = escrow.BankAccount{Bank: "088", Number: "987-65-4321", Holder: "김구매"}
	inTrack = []escrow.Parcel{{Carrier: "CJ", Number: "1234567890"}}
	byHand  = []escrow.Parcel{{Carrier: escrow.SelfDelivery}}
)

// world plays the store: it keeps one payment, applies decisions to it, and
// keeps the books and everything that was owed.
type world struct {
	t        tester
	env      escrow.Env
	p        escrow.Payment
	books    []ledger.Transfer
	events   []escrow.Event
	mails    []escrow.Mail
	orders   []escrow.BankOrder
	lines    []escrow.Line
	saleLeft money.Won
	withheld bool
}

func kst(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, bizday.KST)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func date(s string) bizday.Date { return bizday.MustParseDate(s) }

// newWorld begins on Monday 2026-03-09; no holiday follows until May.
func newWorld(t tester) *world {
	return &world{t: t, env: escrow.Env{
		Now: kst("2026-03-09 10:00"), Calendar: bizday.Korea(), Profile: escrow.DefaultProfile(),
		Terms: escrow.Terms{
			Fees: map[string]settle.Fee{
				string(escrow.VirtualAccount): {Rate: 3000}, string(escrow.BankTransfer): {Rate: 3000}, string(escrow.Card): {Rate: 3000},
			},
			Refund: settle.Fee{Flat: 300},
			Cycle:  settle.Cycle{Rhythm: settle.Daily, FromConfirm: 2},
		},
	}}
}

func (w *world) at(s string) *world { w.env.Now = kst(s); return w }

func (w *world) pass(d time.Duration) *world { w.env.Now = w.env.Now.Add(d); return w }

// ask decides without storing.
func (w *world) ask(actor escrow.Actor, cmd escrow.Command) (escrow.Decision, error) {
	env := w.env
	env.Actor, env.SaleLeft = actor, w.saleLeft
	return escrow.Decide(w.p, cmd, env)
}

// do decides, stores, and fails the test when a rule says no.
func (w *world) do(actor escrow.Actor, cmd escrow.Command) escrow.Decision {
	w.t.Helper()
	d, err := w.ask(actor, cmd)
	if err != nil {
		w.t.Fatalf("%s by %s on a payment that is %s: %v", cmd.Verb(), actor, w.p.State, err)
	}
	w.store(d)
	return d
}

func (w *world) store(d escrow.Decision) {
	if d.Unchanged {
		return
	}
	w.p = d.Next
	if w.p.Tracked() == w.p.TrackAt.IsZero() {
		w.t.Fatalf("a payment that is %s is tracked: %t, and its carrier is asked at %s", w.p.State, w.p.Tracked(), w.p.TrackAt)
	}
	w.books = append(w.books, d.Transfers...)
	w.events = append(w.events, d.Events...)
	w.mails = append(w.mails, d.Mails...)
	w.orders = append(w.orders, d.Orders...)
	w.lines = append(w.lines, d.Lines...)
	for _, l := range d.Lines {
		switch l.Kind {
		case escrow.LineSale:
			w.saleLeft += l.Net
		case escrow.LineRefund:
			w.saleLeft += l.Net + l.FromDue
		case escrow.LineReversal, escrow.LineCharge:
		}
	}
	if d.PayoutHold != nil {
		w.withheld = *d.PayoutHold
	}
}

// same asks for a command that must be answered as done before.
func (w *world) same(actor escrow.Actor, cmd escrow.Command) {
	w.t.Helper()
	d, err := w.ask(actor, cmd)
	if err != nil || !d.Unchanged {
		w.t.Fatalf("%s by %s on a payment that is %s: changed it (%v), want it to change nothing", cmd.Verb(), actor, w.p.State, err)
	}
	if !reflect.DeepEqual(d, escrow.Decision{Unchanged: true, Next: w.p}) {
		w.t.Fatalf("%s by %s: an unchanged decision carries consequences: %+v", cmd.Verb(), actor, d)
	}
}

// refused asks for a command that a rule must refuse.
func (w *world) refused(code escrow.Code, actor escrow.Actor, cmd escrow.Command) *escrow.Refusal {
	w.t.Helper()
	d, err := w.ask(actor, cmd)
	var r *escrow.Refusal
	if !errors.As(err, &r) {
		w.t.Fatalf("%s by %s on a payment that is %s: %v, want the refusal %s", cmd.Verb(), actor, w.p.State, err, code)
	}
	if r.Code != code {
		w.t.Fatalf("%s by %s on a payment that is %s: refused as %s (%v), want %s", cmd.Verb(), actor, w.p.State, r.Code, r, code)
	}
	if !reflect.DeepEqual(d, escrow.Decision{}) {
		w.t.Fatalf("%s by %s: a refusal carries consequences: %+v", cmd.Verb(), actor, d)
	}
	return r
}

// wake moves the clock to the payment's next wake and ticks.
func (w *world) wake() escrow.Decision {
	w.t.Helper()
	if w.p.WakeAt.IsZero() {
		w.t.Fatalf("the payment is %s and nothing is due", w.p.State)
	}
	w.env.Now = w.p.WakeAt
	return w.do(escrow.System, escrow.Tick{})
}

// idle ticks and expects that nothing happens.
func (w *world) idle() {
	w.t.Helper()
	w.same(escrow.System, escrow.Tick{})
}

func (w *world) state(want escrow.State) {
	w.t.Helper()
	if w.p.State != want {
		w.t.Fatalf("the payment is %s, want %s", w.p.State, want)
	}
}

// deadline checks the last day, the rule, and that the instant is midnight after it.
func (w *world) deadline(last string, rule escrow.DeadlineRule) {
	w.t.Helper()
	d := w.p.Deadline
	if d == nil {
		w.t.Fatalf("no deadline, want the last day %s", last)
	}
	if d.LastDay.String() != last || d.Rule != rule || !d.At.Equal(d.LastDay.AddDays(1).Start()) {
		w.t.Fatalf("deadline %s (last day %s, %s), want the last day %s, %s", d.At, d.LastDay, d.Rule, last, rule)
	}
}

func (w *world) stopped() {
	w.t.Helper()
	if w.p.Deadline != nil {
		w.t.Fatalf("the clock runs to %s, want it stopped", w.p.Deadline.At)
	}
}

// balances checks the books of the payment, account by account; accounts that
// are not named must stand at nothing.
func (w *world) balances(want map[ledger.Account]money.Won) {
	w.t.Helper()
	got := map[ledger.Account]money.Won{}
	for _, b := range ledger.Trial(w.books) {
		if b.Net() != 0 {
			got[b.Account] = b.Net()
		}
	}
	if !maps.Equal(got, want) {
		w.t.Fatalf("the books stand at %v, want %v", got, want)
	}
}

func (w *world) tasks(want ...escrow.Task) {
	w.t.Helper()
	if fmt.Sprint(w.p.Tasks) != fmt.Sprint(want) {
		w.t.Fatalf("open tasks %v, want %v", w.p.Tasks, want)
	}
}

// told checks what a decision tells: events, and mails.
func (w *world) told(d escrow.Decision, events, mails string) {
	w.t.Helper()
	if got := eventWords(d); got != events {
		w.t.Fatalf("events %q, want %q", got, events)
	}
	if got := mailWords(d); got != mails {
		w.t.Fatalf("mails %q, want %q", got, mails)
	}
}

func eventWords(d escrow.Decision) string {
	words := make([]string, len(d.Events))
	for i, e := range d.Events {
		words[i] = string(e.Type)
	}
	return strings.Join(words, " ")
}

func mailWords(d escrow.Decision) string {
	words := make([]string, len(d.Mails))
	for i, m := range d.Mails {
		words[i] = string(m)
	}
	return strings.Join(words, " ")
}

func moveWords(d escrow.Decision) string {
	words := make([]string, len(d.Transfers))
	for i, t := range d.Transfers {
		words[i] = fmt.Sprintf("%s->%s %d", t.Credit, t.Debit, t.Amount)
	}
	return strings.Join(words, ", ")
}

// The ways into the states.

func opening(method escrow.Method, asked bool) escrow.Open {
	return escrow.Open{
		Merchant: shop, ID: imp, OrderID: "order-1", Method: method, Goods: escrow.Physical, Escrow: asked, Amount: amount,
		Name: "찻잔", Buyer: escrow.Party{Name: "김구매", Email: "buyer@shop.example", Phone: "010-0000-0000"},
	}
}

func (w *world) opened() *world {
	w.t.Helper()
	w.do(escrow.Shop, opening(escrow.VirtualAccount, true))
	return w
}

func (w *world) chosen(method escrow.Method) *world {
	w.t.Helper()
	w.do(escrow.Shop, opening(method, true))
	w.do(escrow.Buyer, escrow.Choose{Method: method, Escrow: true, Terms: "2026-01"})
	return w
}

func (w *world) awaiting() *world {
	w.t.Helper()
	w.chosen(escrow.VirtualAccount)
	w.do(escrow.Bank, issue(w.env.Now))
	return w
}

func issue(now time.Time) escrow.IssueAccount {
	return escrow.IssueAccount{Account: escrow.Account{
		BankAccount: escrow.BankAccount{Bank: "004", Number: "700-1", Holder: "홀드패스트"}, Due: now.Add(48 * time.Hour),
	}}
}

func (w *world) deposit(tx string, won money.Won) escrow.NotifyDeposit {
	return escrow.NotifyDeposit{BankTx: tx, Amount: won, At: w.env.Now, Payer: payer}
}

func (w *world) held() *world {
	w.t.Helper()
	w.awaiting()
	w.do(escrow.Bank, w.deposit("tx-1", amount))
	return w
}

func (w *world) ordinary() *world {
	w.t.Helper()
	w.do(escrow.Shop, opening(escrow.Card, false))
	w.do(escrow.Buyer, escrow.Choose{Method: escrow.Card})
	w.do(escrow.Bank, escrow.Approve{ApprovalNo: "ap-1", CardName: "현대", CardNumber: "4330-****-****-1234"})
	return w
}

func (w *world) registration(parcels []escrow.Parcel) escrow.RegisterDelivery {
	return escrow.RegisterDelivery{Parcels: parcels, Trackable: parcels[0].Carrier != escrow.SelfDelivery, SentAt: w.env.Now}
}

// shipped registers a delivery; the notice reaches the buyer at once.
func (w *world) shipped(parcels []escrow.Parcel) *world {
	w.t.Helper()
	w.held()
	w.do(escrow.Shop, w.registration(parcels))
	w.do(escrow.System, escrow.NoticeResult{Delivered: true})
	return w
}

// overdue waits until somebody has to look for a parcel that is on its way.
func (w *world) overdue() *world {
	w.t.Helper()
	w.shipped(inTrack)
	w.do(escrow.Carrier, escrow.ReportTracking{Number: inTrack[0].Number, Seen: true})
	w.wake()
	w.tasks(escrow.TaskParcelOverdue)
	return w
}

func (w *world) arrives() escrow.ReportTracking {
	return escrow.ReportTracking{Number: inTrack[0].Number, Seen: true, DeliveredAt: w.env.Now}
}

func (w *world) delivered() *world {
	w.t.Helper()
	w.shipped(inTrack)
	w.do(escrow.Carrier, w.arrives())
	return w
}

func (w *world) confirmed() *world {
	w.t.Helper()
	w.delivered()
	w.do(escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	return w
}

func (w *world) confirmedByTime() *world {
	w.t.Helper()
	w.delivered()
	for range 4 {
		if w.p.State == escrow.Delivered {
			w.wake()
		}
	}
	w.state(escrow.Confirmed)
	return w
}

func (w *world) rejected() *world {
	w.t.Helper()
	w.delivered()
	w.do(escrow.Buyer, escrow.Reject{Reason: "깨져서 왔습니다."})
	return w
}

func (w *world) disputed() *world {
	w.t.Helper()
	w.rejected()
	w.do(escrow.Shop, escrow.Contest{Evidence: "포장 사진"})
	return w
}

func (w *world) accepted() *world {
	w.t.Helper()
	w.rejected()
	w.do(escrow.Shop, escrow.AcceptRejection{By: "박상점"})
	return w
}

func (w *world) returned() *world {
	w.t.Helper()
	w.accepted()
	w.do(escrow.Shop, escrow.ReceiveReturn{})
	return w
}

func (w *world) cancelled() *world {
	w.t.Helper()
	w.held()
	w.do(escrow.Shop, escrow.Cancel{Reason: "품절"})
	return w
}

func (w *world) failed() *world {
	w.t.Helper()
	w.opened()
	w.do(escrow.Buyer, escrow.Fail{Reason: "창을 닫았습니다."})
	return w
}

// looked is the open task that ends with somebody having looked, or one that is not open.
func (w *world) looked() escrow.Task {
	for _, t := range []escrow.Task{escrow.TaskParcelOverdue, escrow.TaskDepositForged} {
		if w.p.HasTask(t) {
			return t
		}
	}
	return escrow.TaskReversed
}

// fitting lists every command once, with an actor who may give it and with
// values that suit the payment as it is; a command with variants has several rows.
type asked struct {
	name  string
	actor escrow.Actor
	cmd   escrow.Command
}

func (w *world) fitting() []asked {
	key := imp + "-r1-1"
	if n := len(w.p.Refunds); n > 0 {
		key = w.p.Refunds[n-1].Key()
	}
	tx := "tx-1"
	reg := w.registration(inTrack)
	return []asked{
		{"open", escrow.Shop, opening(escrow.VirtualAccount, true)},
		{"choose", escrow.Buyer, escrow.Choose{Method: escrow.VirtualAccount, Escrow: true, Terms: "2026-01"}},
		{"issue_account", escrow.Bank, issue(w.env.Now)},
		{"amend_account", escrow.Shop, escrow.AmendAccount{Due: w.env.Now.Add(72 * time.Hour)}},
		{"close_account", escrow.Shop, escrow.CloseAccount{Reason: "주문 취소"}},
		{"approve", escrow.Bank, escrow.Approve{ApprovalNo: "ap-9", Payer: payer}},
		{"fail", escrow.System, escrow.Fail{Reason: "한도 초과"}},
		{"notify_deposit exact", escrow.Bank, w.deposit("tx-9", amount)},
		{"notify_deposit the rest", escrow.Bank, w.deposit("tx-8", amount-4_000)},
		{"notify_deposit again", escrow.Bank, w.deposit(tx, amount)},
		{"notify_deposit other story", escrow.Bank, w.deposit(tx, amount+1)},
		{"reverse_deposit", escrow.Bank, escrow.ReverseDeposit{BankTx: tx, Reason: "착오송금"}},
		{"accept_late", escrow.Shop, escrow.AcceptLate{}},
		{"return_suspense", escrow.Operator, escrow.ReturnSuspense{}},
		{"register_delivery", escrow.Shop, reg},
		{"amend_delivery", escrow.Shop, escrow.AmendDelivery{Parcels: []escrow.Parcel{{Carrier: "LOTTE", Number: "99"}}, Trackable: true, SentAt: w.env.Now}},
		{"report_tracking seen", escrow.Carrier, escrow.ReportTracking{Number: inTrack[0].Number, Seen: true}},
		{"report_tracking delivered", escrow.Carrier, w.arrives()},
		{"mark_delivered", escrow.Operator, escrow.MarkDelivered{At: w.env.Now, Reason: "전화 확인"}},
		{"notice_result delivered", escrow.System, escrow.NoticeResult{Delivered: true}},
		{"notice_result bounced", escrow.System, escrow.NoticeResult{Reason: "550"}},
		{"renew_link", escrow.Shop, escrow.RenewLink{}},
		{"confirm by buyer", escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer}},
		{"confirm by shop", escrow.Shop, escrow.Confirm{Kind: escrow.ByShop}},
		{"confirm forced", escrow.Operator, escrow.Confirm{Kind: escrow.Forced, Reason: "수령 확인"}},
		{"reject", escrow.Buyer, escrow.Reject{Reason: "파손"}},
		{"withdraw_rejection", escrow.Buyer, escrow.WithdrawRejection{}},
		{"accept_rejection", escrow.Shop, escrow.AcceptRejection{By: "박상점"}},
		{"accept_rejection waived", escrow.Shop, escrow.AcceptRejection{By: "박상점", Waive: true}},
		{"contest", escrow.Shop, escrow.Contest{Evidence: "사진"}},
		{"decide_dispute split", escrow.Operator, escrow.DecideDispute{Refund: 4_000, Reason: "반씩"}},
		{"decide_dispute buyer", escrow.Operator, escrow.DecideDispute{Refund: amount, Reason: "파손 인정"}},
		{"receive_return", escrow.Shop, escrow.ReceiveReturn{}},
		{"ask_cancel", escrow.Buyer, escrow.AskCancel{Reason: "변심"}},
		{"cancel whole", escrow.Shop, escrow.Cancel{Reason: "품절", Notify: true}},
		{"cancel part", escrow.Shop, escrow.Cancel{Amount: 1_000, Reason: "흠집"}},
		{"give_refund_account", escrow.Buyer, escrow.GiveRefundAccount{Account: another}},
		{"refund_result sent", escrow.Bank, escrow.RefundResult{Key: key, Sent: true}},
		{"refund_result failed", escrow.Bank, escrow.RefundResult{Key: key, Reason: "계좌 해지"}},
		{"ask_withdrawal", escrow.Buyer, escrow.AskWithdrawal{Reason: "다릅니다"}},
		{"place_hold", escrow.Operator, escrow.PlaceHold{Reason: "확인 중"}},
		{"release_hold", escrow.Operator, escrow.ReleaseHold{}},
		{"resolve_task", escrow.Operator, escrow.ResolveTask{Task: w.looked(), Note: "은행 확인"}},
		{"announce", escrow.System, escrow.Announce{LastDay: bizday.DateOf(w.env.Now).AddDays(21)}},
		{"recount", escrow.System, escrow.Recount{}},
		{"tick now", escrow.System, escrow.Tick{}},
		{"tick when due", escrow.System, escrow.Tick{}},
	}
}

// stand is one row group of the matrix: a state, or a state with a circumstance
// that changes what is allowed in it.
type stand struct {
	name string
	to   func(*world) *world
}

func stands() []stand {
	return []stand{
		{"nothing", func(w *world) *world { return w }},
		{"opened, nothing chosen", (*world).opened},
		{"opened, transfer chosen", func(w *world) *world { return w.chosen(escrow.BankTransfer) }},
		{"failed", (*world).failed},
		{"failed, account closed", func(w *world) *world {
			w.awaiting().do(escrow.Shop, escrow.CloseAccount{Reason: "주문 취소"})
			return w
		}},
		{"awaiting_deposit", (*world).awaiting},
		{"awaiting_deposit, part in suspense", func(w *world) *world {
			w.env.Profile.Deposit = escrow.SuspendDeposit
			w.awaiting().do(escrow.Bank, w.deposit("tx-1", 4_000))
			return w
		}},
		{"awaiting_deposit, expired", func(w *world) *world {
			w.awaiting().wake()
			w.wake()
			return w
		}},
		{"awaiting_deposit, expired and paid late", func(w *world) *world {
			w.env.Profile.Deposit = escrow.SuspendDeposit
			w.awaiting().afterDue().pass(time.Hour).do(escrow.Bank, w.deposit("tx-1", amount))
			return w
		}},
		{"awaiting_deposit, paid and taken back", func(w *world) *world {
			w.held().do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1", Reason: "착오송금"})
			return w
		}},
		{"paid, ordinary card", (*world).ordinary},
		{"held", (*world).held},
		{"held, cancel asked", func(w *world) *world {
			w.held().do(escrow.Buyer, escrow.AskCancel{Reason: "변심"})
			return w
		}},
		{"shipped", func(w *world) *world { return w.shipped(inTrack) }},
		{"shipped, cannot be tracked", func(w *world) *world { return w.shipped(byHand) }},
		{"shipped, buyer not reached", func(w *world) *world {
			w.held().do(escrow.Shop, w.registration(byHand))
			w.do(escrow.System, escrow.NoticeResult{Reason: "550"})
			return w
		}},
		{"shipped, overdue", (*world).overdue},
		{"delivered", (*world).delivered},
		{"delivered, on hold", func(w *world) *world {
			w.delivered().do(escrow.Operator, escrow.PlaceHold{Reason: "확인 중"})
			return w
		}},
		{"rejected", (*world).rejected},
		{"rejected, disputed", (*world).disputed},
		{"rejection_accepted", (*world).accepted},
		{"rejection_accepted, goods back", (*world).returned},
		{"confirmed by buyer", (*world).confirmed},
		{"confirmed by time", (*world).confirmedByTime},
		{"confirmed by time, withdrawal asked", func(w *world) *world {
			w.confirmedByTime().do(escrow.Buyer, escrow.AskWithdrawal{Reason: "다릅니다"})
			return w
		}},
		{"cancelled", (*world).cancelled},
		{"cancelled, refund failed", func(w *world) *world {
			w.cancelled().do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Reason: "계좌 해지"})
			return w
		}},
	}
}
