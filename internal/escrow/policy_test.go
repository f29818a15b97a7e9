package escrow_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

func deepPayment(p escrow.Payment) escrow.Payment {
	return deep(reflect.ValueOf(p)).Interface().(escrow.Payment)
}

func same(t *testing.T, want, got escrow.Payment) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("the payment was changed to %+v", got)
	}
}

func TestCancelAfterShipping(t *testing.T) {
	for _, c := range []struct {
		policy                            escrow.CancelPolicy
		shipped, delivered, held, refused bool // whether the shop may cancel
	}{
		{escrow.AfterReject, false, false, false, true},
		{escrow.AfterHold, false, false, true, true},
		{escrow.Direct, true, true, true, true},
	} {
		t.Run(string(c.policy), func(t *testing.T) {
			stands := map[string]struct {
				to  func(*world) *world
				may bool
			}{
				"shipped":   {func(w *world) *world { return w.shipped(inTrack) }, c.shipped},
				"delivered": {(*world).delivered, c.delivered},
				"on hold": {func(w *world) *world {
					w.delivered().do(escrow.Shop, escrow.PlaceHold{Reason: "반품 협의"})
					return w
				}, c.held},
				"rejected": {(*world).rejected, c.refused},
			}
			for name, s := range stands {
				w := newWorld(t)
				w.env.Profile.CancelAfterShip = c.policy
				s.to(w)
				w.refused(escrow.PartialBeforeConfirm, escrow.Shop, escrow.Cancel{Amount: 1_000})
				if !s.may {
					w.refused(escrow.ByPolicy, escrow.Shop, escrow.Cancel{})
					w.do(escrow.Operator, escrow.Cancel{Reason: "분실"}) // the operator ends a lost parcel
				} else {
					w.do(escrow.Shop, escrow.Cancel{})
				}
				if w.p.State != escrow.Cancelled || w.p.Hold != nil {
					t.Errorf("%s: %s, hold %v", name, w.p.State, w.p.Hold)
				}
			}
		})
	}
}

// TestCancelRequest: the shop agrees by silence where its profile says so.
func TestCancelRequest(t *testing.T) {
	w := newWorld(t).held()
	ask := escrow.AskCancel{Reason: "변심", Account: another}
	w.do(escrow.Buyer, ask)
	w.tasks(escrow.TaskCancelAsked)
	w.same(escrow.Buyer, ask)
	if !w.p.WakeAt.IsZero() {
		t.Fatalf("by default silence agrees at %s", w.p.WakeAt)
	}
	w.do(escrow.Shop, escrow.Cancel{Reason: "구매자 요청"})
	if o := w.orders[0]; o.Account != another {
		t.Fatalf("refund to %+v", o.Account)
	}
	w.tasks()

	agreeing := func() *world {
		w := newWorld(t)
		w.env.Profile.AutoAgreeDays = 3
		w.held().do(escrow.Buyer, ask)
		return w
	}
	w = agreeing()
	w.wake()
	w.state(escrow.Cancelled)
	if !w.env.Now.Equal(kst("2026-03-13 00:00")) || w.p.CancelReason != "변심" {
		t.Fatalf("agreed at %s for %q", w.env.Now, w.p.CancelReason)
	}

	w = agreeing() // shipping answers the request
	w.do(escrow.Shop, w.registration(inTrack))
	w.tasks()
	w.state(escrow.Shipped)

	w = agreeing() // a hold stops it
	w.do(escrow.Operator, escrow.PlaceHold{Reason: "확인 중"})
	w.at("2026-03-30 10:00").idle()
	w.do(escrow.Operator, escrow.ReleaseHold{})
	if !w.p.WakeAt.Equal(kst("2026-04-01 00:00")) {
		t.Fatalf("after the release silence agrees at %s, want a business day for the shop", w.p.WakeAt)
	}
}

func TestEscrowChoice(t *testing.T) {
	for _, c := range []struct {
		name    string
		goods   escrow.Goods
		method  escrow.Method
		asked   bool
		choice  escrow.Choose
		profile func(*escrow.Profile)
		grounds escrow.Grounds // empty: refused
	}{
		{"the shop asked", escrow.Physical, escrow.VirtualAccount, true, escrow.Choose{Terms: "1"}, nil, escrow.AskedByShop},
		{"the buyer chose", escrow.Physical, escrow.BankTransfer, false, escrow.Choose{Escrow: true, Terms: "1"}, nil, escrow.ChosenByBuyer},
		{"the buyer declined", escrow.Physical, escrow.BankTransfer, false, escrow.Choose{}, nil, escrow.DeclinedByBuyer},
		{"no window", escrow.Physical, escrow.VirtualAccount, false, escrow.Choose{ByAPI: true}, nil, escrow.NotOffered},
		{"no window, asked", escrow.Physical, escrow.VirtualAccount, false, escrow.Choose{ByAPI: true, Escrow: true}, nil, escrow.AskedByShop},
		{"a card", escrow.Physical, escrow.Card, false, escrow.Choose{}, nil, escrow.ExemptCard},
		{"a card, asked", escrow.Physical, escrow.Card, true, escrow.Choose{Terms: "1"}, nil, escrow.AskedByShop},
		{"a card, asked, not offered", escrow.Physical, escrow.Card, false, escrow.Choose{Escrow: true, Terms: "1"}, func(p *escrow.Profile) { p.CardEscrow = false }, ""},
		{"digital goods", escrow.Digital, escrow.BankTransfer, false, escrow.Choose{}, nil, escrow.ExemptDigital},
		{"digital goods, chosen", escrow.Digital, escrow.BankTransfer, false, escrow.Choose{Escrow: true, Terms: "1"}, nil, ""},
		{"instalments", escrow.Instalments, escrow.BankTransfer, false, escrow.Choose{}, nil, escrow.ExemptService},
		{"instalments, chosen", escrow.Instalments, escrow.BankTransfer, false, escrow.Choose{Escrow: true, Terms: "1"}, nil, ""},
		{"no contract", escrow.Physical, escrow.BankTransfer, false, escrow.Choose{Escrow: true, Terms: "1"}, func(p *escrow.Profile) { p.Contracted = false }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.profile != nil {
				c.profile(&w.env.Profile)
			}
			open := opening(c.method, c.asked)
			open.Goods = c.goods
			w.do(escrow.Shop, open)
			c.choice.Method = c.method
			if c.grounds == "" {
				w.refused(escrow.EscrowUnavailable, escrow.Buyer, c.choice)
				return
			}
			w.do(escrow.Buyer, c.choice)
			w.same(escrow.Buyer, c.choice)
			wantEscrow := c.grounds == escrow.AskedByShop || c.grounds == escrow.ChosenByBuyer
			if w.p.Grounds != c.grounds || w.p.Escrow != wantEscrow {
				t.Fatalf("escrow %v because %s, want %s", w.p.Escrow, w.p.Grounds, c.grounds)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		field string
		code  escrow.Code
		spoil func(*escrow.Open)
	}{
		{"escrow", escrow.EscrowUnavailable, func(o *escrow.Open) { o.Goods = escrow.Digital }},
		{"escrow", escrow.EscrowUnavailable, func(o *escrow.Open) { o.Goods = escrow.Instalments }},
		{"goods", escrow.Invalid, func(o *escrow.Open) { o.Goods = "" }},
		{"pay_method", escrow.Invalid, func(o *escrow.Open) { o.Method = "barter" }},
		{"amount", escrow.Invalid, func(o *escrow.Open) { o.Amount = 0 }},
		{"amount", escrow.Invalid, func(o *escrow.Open) { o.Amount = -1 }},
		{"amount", escrow.Invalid, func(o *escrow.Open) { o.Amount = money.Max + 1 }},
		{"tax_free", escrow.Invalid, func(o *escrow.Open) { o.TaxFree = amount + 1 }},
		{"tax_free", escrow.Invalid, func(o *escrow.Open) { o.TaxFree, o.VAT = 1<<62, 1<<62 }},
		{"tax_free", escrow.Invalid, func(o *escrow.Open) { o.VAT = -1 }},
		{"merchant_uid", escrow.Invalid, func(o *escrow.Open) { o.OrderID = "" }},
		{"id", escrow.Invalid, func(o *escrow.Open) { o.ID = "" }},
	} {
		open := opening(escrow.VirtualAccount, true)
		c.spoil(&open)
		if r := newWorld(t).refused(c.code, escrow.Shop, open); r.Field != c.field || !strings.HasPrefix(r.Error(), c.field+": ") {
			t.Errorf("%q names %q, want %s", r.Error(), r.Field, c.field)
		}
	}
	w := newWorld(t)
	open := opening("", false) // the buyer chooses the method in the window
	w.do(escrow.Shop, open)
	w.refused(escrow.Exists, escrow.Shop, open)
	w.refused(escrow.Invalid, escrow.Buyer, escrow.Choose{Method: "barter"})
	w.refused(escrow.Invalid, escrow.Buyer, escrow.Choose{Method: escrow.BankTransfer, Escrow: true}) // no consent
	w.refused(escrow.WrongState, escrow.Bank, escrow.Approve{ApprovalNo: "ap-1"})                     // nothing chosen
	w.refused(escrow.Invalid, escrow.Bank, escrow.Approve{})
}

func TestRegistrationRefuses(t *testing.T) {
	long := strings.Repeat("9", 51)
	for _, c := range []struct {
		field string
		code  escrow.Code
		spoil func(*escrow.RegisterDelivery)
	}{
		{"logis", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.Parcels = nil }},
		{"logis", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.Parcels = make([]escrow.Parcel, 21) }},
		{"logis.company", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.Parcels = []escrow.Parcel{{Number: "1"}} }},
		{"logis.company", escrow.ByPolicy, func(r *escrow.RegisterDelivery) { r.Parcels = byHand }},
		{"logis.invoice", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.Parcels = []escrow.Parcel{{Carrier: "CJ", Number: " "}} }},
		{"logis.invoice", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.Parcels = []escrow.Parcel{{Carrier: "CJ", Number: long}} }},
		{"logis.invoice", escrow.Invalid, func(r *escrow.RegisterDelivery) {
			r.Parcels = []escrow.Parcel{{Carrier: "CJ", Number: "1"}, {Carrier: "CJ", Number: " 1 "}}
		}},
		{"logis.sent_at", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.SentAt = time.Time{} }},
		{"logis.sent_at", escrow.Invalid, func(r *escrow.RegisterDelivery) { r.SentAt = r.SentAt.Add(25 * time.Hour) }},
	} {
		w := newWorld(t)
		w.env.Profile.SelfDelivery = false
		w.held()
		reg := w.registration(inTrack)
		c.spoil(&reg)
		if r := w.refused(c.code, escrow.Shop, reg); r.Field != c.field {
			t.Errorf("%q names %q, want %s", r.Error(), r.Field, c.field)
		}
	}
	w := newWorld(t).shipped(inTrack)
	w.refused(escrow.AlreadyRegistered, escrow.Shop, w.registration(inTrack))
	w = newWorld(t).awaiting()
	w.refused(escrow.NotPaid, escrow.Shop, w.registration(inTrack))
	w = newWorld(t).ordinary()
	w.refused(escrow.NotEscrow, escrow.Shop, w.registration(inTrack))
}

// TestTrackableIsAFact: a shop cannot make its own van a tracked carrier.
func TestTrackableIsAFact(t *testing.T) {
	for _, p := range [][]escrow.Parcel{byHand, {{Carrier: escrow.OtherCarrier, Number: "1"}}} {
		w := newWorld(t).held()
		reg := w.registration(p)
		reg.Trackable = true
		w.do(escrow.Shop, reg)
		if w.p.Delivery.Trackable || !w.p.TrackAt.IsZero() {
			t.Errorf("%v is tracked", p)
		}
	}
}

func TestReasonsAreBounded(t *testing.T) {
	long := strings.Repeat("가", 1_001)
	for _, c := range []struct {
		from  func(*world) *world
		actor escrow.Actor
		with  func(string) escrow.Command
		empty bool // whether no reason is refused too
	}{
		{(*world).delivered, escrow.Buyer, func(s string) escrow.Command { return escrow.Reject{Reason: s} }, true},
		{(*world).delivered, escrow.Operator, func(s string) escrow.Command { return escrow.Confirm{Kind: escrow.Forced, Reason: s} }, true},
		{(*world).delivered, escrow.Shop, func(s string) escrow.Command { return escrow.PlaceHold{Reason: s} }, true},
		{(*world).rejected, escrow.Shop, func(s string) escrow.Command { return escrow.AcceptRejection{By: s} }, true},
		{(*world).rejected, escrow.Shop, func(s string) escrow.Command { return escrow.Contest{Evidence: s} }, true},
		{(*world).disputed, escrow.Operator, func(s string) escrow.Command { return escrow.DecideDispute{Reason: s} }, true},
		{(*world).held, escrow.Buyer, func(s string) escrow.Command { return escrow.AskCancel{Reason: s} }, true},
		{(*world).held, escrow.Shop, func(s string) escrow.Command { return escrow.Cancel{Reason: s} }, false},
		{(*world).confirmedByTime, escrow.Buyer, func(s string) escrow.Command { return escrow.AskWithdrawal{Reason: s} }, true},
		{(*world).overdue, escrow.Shop, func(s string) escrow.Command {
			return escrow.ResolveTask{Task: escrow.TaskParcelOverdue, Note: s}
		}, true},
		{(*world).awaiting, escrow.Shop, func(s string) escrow.Command { return escrow.CloseAccount{Reason: s} }, false},
		{(*world).opened, escrow.Buyer, func(s string) escrow.Command { return escrow.Fail{Reason: s} }, false},
		{(*world).delivered, escrow.Buyer, func(s string) escrow.Command { return escrow.Confirm{Kind: escrow.ByBuyer, Reason: s} }, false},
	} {
		w := c.from(newWorld(t))
		w.refused(escrow.Invalid, c.actor, c.with(long))
		if c.empty {
			w.refused(escrow.Invalid, c.actor, c.with(" \n"))
		}
		w.do(c.actor, c.with(long[:3*1_000]))
	}
}

// TestRefundsAreBounded: a hundred parts, and then all that is left.
func TestRefundsAreBounded(t *testing.T) {
	w := newWorld(t).confirmed()
	for range 100 {
		w.do(escrow.Shop, escrow.Cancel{Amount: 1})
	}
	if r := w.refused(escrow.TooMany, escrow.Shop, escrow.Cancel{Amount: 1}); r.Field != "amount" {
		t.Errorf("the refusal names %q", r.Field)
	}
	w.do(escrow.Shop, escrow.Cancel{})
	if w.p.Cancellable() != 0 {
		t.Fatalf("%d won are left", w.p.Cancellable())
	}
}

func TestDepositsAreBounded(t *testing.T) {
	w := newWorld(t).awaiting()
	for i := range 100 {
		w.do(escrow.Bank, w.deposit(fmt.Sprintf("tx-%d", i), 1))
	}
	w.refused(escrow.TooMany, escrow.Bank, w.deposit("tx-100", 1))
	w.same(escrow.Bank, w.deposit("tx-99", 1))
}

func TestHugeAmounts(t *testing.T) {
	const top = money.Won(1<<63 - 1)
	w := newWorld(t).confirmed()
	w.refused(escrow.ExceedsBalance, escrow.Shop, escrow.Cancel{Amount: top})
	w.refused(escrow.Invalid, escrow.Shop, escrow.Cancel{Amount: -top})
	w.refused(escrow.Invalid, escrow.Shop, escrow.Cancel{TaxFree: top, VAT: top})
	w.refused(escrow.Invalid, escrow.Shop, escrow.Cancel{Account: escrow.BankAccount{Number: "1"}})
	newWorld(t).disputed().refused(escrow.Invalid, escrow.Operator, escrow.DecideDispute{Refund: top, Reason: "판정"})
	w = newWorld(t).awaiting()
	w.refused(escrow.Invalid, escrow.Bank, w.deposit("tx-1", top))
}

// TestWhoMayDoWhat asks every command from everybody: each is refused to all
// but a few, before anything else is looked at.
func TestWhoMayDoWhat(t *testing.T) {
	everybody := []escrow.Actor{escrow.Buyer, escrow.Shop, escrow.Bank, escrow.Carrier, escrow.Operator, escrow.System, "", "somebody"}
	may := map[string]string{
		"open": "buyer shop system", "fail": "buyer shop system", "choose": "buyer shop",
		"issue_account": "bank", "approve": "bank", "notify_deposit exact": "bank", "reverse_deposit": "bank", "refund_result sent": "bank",
		"amend_account": "shop operator", "close_account": "shop operator", "register_delivery": "shop operator", "amend_delivery": "shop operator",
		"accept_rejection": "shop operator", "contest": "shop operator", "cancel whole": "shop operator", "place_hold": "shop operator",
		"release_hold": "shop operator", "return_suspense": "shop operator", "accept_late": "shop operator", "resolve_task": "shop operator", "receive_return": "shop carrier operator",
		"report_tracking seen": "carrier", "mark_delivered": "operator", "decide_dispute split": "operator",
		"notice_result delivered": "operator system", "renew_link": "buyer shop operator",
		"confirm by buyer": "buyer", "confirm by shop": "shop", "confirm forced": "operator",
		"reject": "buyer", "withdraw_rejection": "buyer", "ask_cancel": "buyer", "ask_withdrawal": "buyer",
		"give_refund_account": "buyer shop operator", "announce": "system", "recount": "system", "tick now": "system",
	}
	verbs := map[string]bool{}
	w := newWorld(t)
	w.env.Profile.ShopMayConfirm = true
	for _, a := range w.fitting() {
		allowed, listed := may[a.name]
		if !listed {
			continue
		}
		verbs[a.cmd.Verb()] = true
		var got []string
		for _, actor := range everybody {
			_, err := w.ask(actor, a.cmd)
			var r *escrow.Refusal
			if !errors.As(err, &r) || r.Code != escrow.Forbidden {
				got = append(got, string(actor))
			}
		}
		if strings.Join(got, " ") != allowed {
			t.Errorf("%s: %v may, want %s", a.name, got, allowed)
		}
	}
	for _, c := range everyCommand() {
		if !verbs[c.Verb()] {
			t.Errorf("nobody was asked about %s", c.Verb())
		}
	}
}

// TestStrangeConfirms: a kind that is none, and the kind that only time has.
func TestStrangeConfirms(t *testing.T) {
	for _, kind := range []escrow.ConfirmKind{"", "sideways", escrow.ByTime} {
		for _, actor := range []escrow.Actor{escrow.Buyer, escrow.Shop, escrow.Operator, escrow.System} {
			newWorld(t).delivered().refused(escrow.Forbidden, actor, escrow.Confirm{Kind: kind})
		}
	}
	newWorld(t).delivered().refused(escrow.ByPolicy, escrow.Shop, escrow.Confirm{Kind: escrow.ByShop})
}

// TestNothingPanics gives every command in every state, bare of any value.
func TestNothingPanics(t *testing.T) {
	if _, err := newWorld(t).ask(escrow.Shop, nil); err == nil {
		t.Error("no command was decided")
	}
	actors := []escrow.Actor{escrow.Buyer, escrow.Shop, escrow.Bank, escrow.Carrier, escrow.Operator, escrow.System}
	for _, s := range stands() {
		w := s.to(newWorld(t))
		for _, cmd := range everyCommand() {
			for _, actor := range actors {
				_, err := w.ask(actor, cmd)
				var r *escrow.Refusal
				if err != nil && !errors.As(err, &r) {
					t.Errorf("%s by %s on %s: %v", cmd.Verb(), actor, s.name, err)
				}
			}
		}
	}
}

// TestFaultsOfTheCircumstances are no refusals, and nothing is decided by them.
func TestFaultsOfTheCircumstances(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"no calendar":          func(w *world) { w.env.Calendar = bizday.Calendar{} },
		"beyond the calendar":  func(w *world) { w.env.Now = bizday.Last.AddDays(1).Start() },
		"before the calendar":  func(w *world) { w.env.Now = bizday.First.AddDays(-1).Start() },
		"no time at all":       func(w *world) { w.env.Now = time.Time{} },
		"a negative fee's sum": func(w *world) { w.env.Terms.Fees[string(escrow.VirtualAccount)] = settle.Fee{Rate: -1} },
	} {
		w := newWorld(t).delivered()
		spoil(w)
		d, err := w.ask(escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
		var r *escrow.Refusal
		if err == nil || errors.As(err, &r) || !reflect.DeepEqual(d, escrow.Decision{}) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestProfileCheck(t *testing.T) {
	if err := escrow.DefaultProfile().Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		spoil func(*escrow.Profile)
	}{
		{"cancelAfterShip", func(p *escrow.Profile) { p.CancelAfterShip = "" }},
		{"depositPolicy", func(p *escrow.Profile) { p.Deposit = "keep" }},
		{"decisionIdentity", func(p *escrow.Profile) { p.Identity = "face" }},
		{"autoConfirmTrackedDays", func(p *escrow.Profile) { p.TrackedDays = 2 }},
		{"autoConfirmTrackedDays", func(p *escrow.Profile) { p.TrackedDays = 61 }},
		{"autoConfirmUntrackedDays", func(p *escrow.Profile) { p.UntrackedDays = 0 }},
		{"buyerCancelAutoAgreeDays", func(p *escrow.Profile) { p.AutoAgreeDays = -1 }},
		{"depositGraceMinutes", func(p *escrow.Profile) { p.DepositGrace = 25 * time.Hour }},
		{"remindersDays", func(p *escrow.Profile) { p.Reminders = make([]int, 6) }},
		{"remindersDays[1]", func(p *escrow.Profile) { p.Reminders = []int{1, -1} }},
	} {
		p := escrow.DefaultProfile()
		c.spoil(&p)
		var r *escrow.Refusal
		if err := p.Check(); !errors.As(err, &r) || r.Field != c.field {
			t.Errorf("%v, want a refusal of %s", err, c.field)
		}
	}
}

func TestMailsThatTell(t *testing.T) {
	tells := map[escrow.Mail]bool{
		escrow.MailShipped: true, escrow.MailDelivered: true, escrow.MailReminder: true,
		escrow.MailNewLastDay: true, escrow.MailLink: true, escrow.MailDeliveryChanged: true,
	}
	for _, m := range escrow.Mails() {
		if m.Tells() != tells[m] {
			t.Errorf("%s tells: %v", m, m.Tells())
		}
	}
}

// TestCardRefundThatFails goes to an account, by the bank, once the buyer gives one.
func TestCardRefundThatFails(t *testing.T) {
	w := newWorld(t).ordinary()
	w.do(escrow.Shop, escrow.Cancel{})
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Reason: "카드 해지"})
	d := w.do(escrow.Buyer, escrow.GiveRefundAccount{Account: another})
	if o := d.Orders[0]; o.Card || o.Account != another {
		t.Fatalf("order %+v", o)
	}
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-2", Sent: true})
	w.balances(books{ledger.Due(shop): 660, ledger.Fee: feeWon + 300, ledger.VAT: vatWon + 30})
}
