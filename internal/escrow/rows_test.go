package escrow_test

import (
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// books names balances; accounts that are not named stand at nothing.
type books = map[ledger.Account]money.Won

var (
	inHeld   = books{ledger.BankEscrow: amount, ledger.Held(imp): amount}
	toRefund = books{ledger.BankEscrow: amount, ledger.Refund(imp): amount}
	sold     = books{ledger.BankEscrow: amount, ledger.Shop(shop): netWon, ledger.Fee: feeWon, ledger.VAT: vatWon}
)

// TestTransitions takes every transition of the rules once, with its money, its
// events and its mails. What is refused around it is in the golden matrix.
func TestTransitions(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   func(*world) *world
		actor  escrow.Actor
		cmd    func(*world) escrow.Command
		to     escrow.State
		books  books
		events string
		mails  string
	}{
		{
			"a transfer is approved", func(w *world) *world { return w.chosen(escrow.BankTransfer) }, escrow.Bank,
			of(escrow.Approve{ApprovalNo: "ap-1", Payer: payer}), escrow.Held, inHeld, "Paid", "paid",
		},
		{
			"a card payment with escrow is approved", func(w *world) *world { return w.chosen(escrow.Card) }, escrow.Bank,
			of(escrow.Approve{ApprovalNo: "ap-1"}), escrow.Held, inHeld, "Paid", "paid",
		},
		{
			"an account is issued", func(w *world) *world { return w.chosen(escrow.VirtualAccount) }, escrow.Bank,
			func(w *world) escrow.Command { return issue(w.env.Now) }, escrow.AwaitingDeposit, books{}, "AccountIssued", "account_issued",
		},
		{
			"the exact deposit comes in time", (*world).awaiting, escrow.Bank,
			func(w *world) escrow.Command { return w.deposit("tx-1", amount) }, escrow.Held, inHeld, "Paid", "paid",
		},
		{
			"another deposit is refused at the bank", (*world).awaiting, escrow.Bank,
			func(w *world) escrow.Command { return w.deposit("tx-1", amount-1) }, escrow.AwaitingDeposit, books{}, "DepositMismatched", "deposit_mismatched",
		},
		{
			"the bank takes the deposit back before shipping", (*world).held, escrow.Bank,
			of(escrow.ReverseDeposit{BankTx: "tx-1"}), escrow.AwaitingDeposit, books{}, "DepositReversed", "",
		},
		{
			"the bank takes the deposit back after shipping", (*world).delivered, escrow.Bank,
			of(escrow.ReverseDeposit{BankTx: "tx-1"}), escrow.Cancelled, books{}, "DepositReversed Cancelled", "cancelled",
		},
		{
			"the bank takes the deposit back after the confirmation", (*world).confirmed, escrow.Bank,
			of(escrow.ReverseDeposit{BankTx: "tx-1"}), escrow.Confirmed,
			books{ledger.Due(shop): amount, ledger.Shop(shop): netWon, ledger.Fee: feeWon, ledger.VAT: vatWon}, "DepositReversed", "",
		},
		{
			"the due time of an account passes", func(w *world) *world { w.awaiting().wake(); w.env.Now = w.p.WakeAt; return w }, escrow.System,
			of(escrow.Tick{}), escrow.Cancelled, books{}, "AccountExpired", "account_expired",
		},
		{
			"a delivery is registered", (*world).held, escrow.Shop,
			func(w *world) escrow.Command { return w.registration(inTrack) }, escrow.Shipped, inHeld, "DeliveryRegistered", "shipped",
		},
		{
			"a delivery is corrected", (*world).delivered, escrow.Shop,
			func(w *world) escrow.Command {
				return escrow.AmendDelivery{Parcels: []escrow.Parcel{{Carrier: "LOTTE", Number: "99"}}, Trackable: true, SentAt: w.env.Now}
			}, escrow.Shipped, inHeld, "DeliveryChanged DecisionDue", "delivery_changed",
		},
		{
			"the carrier has delivered", func(w *world) *world { return w.shipped(inTrack) }, escrow.Carrier,
			func(w *world) escrow.Command { return w.arrives() }, escrow.Delivered, inHeld, "InTransit Delivered DecisionDue", "delivered",
		},
		{
			"the operator says that it arrived", func(w *world) *world { return w.shipped(byHand) }, escrow.Operator,
			func(w *world) escrow.Command { return escrow.MarkDelivered{At: w.env.Now, Reason: "전화 확인"} }, escrow.Delivered, inHeld, "Delivered", "delivered",
		},
		{
			"the buyer confirms", (*world).delivered, escrow.Buyer,
			of(escrow.Confirm{Kind: escrow.ByBuyer}), escrow.Confirmed, sold, "Confirmed", "confirmed",
		},
		{
			"the buyer confirms before the parcel is seen", func(w *world) *world { return w.shipped(inTrack) }, escrow.Buyer,
			of(escrow.Confirm{Kind: escrow.ByBuyer}), escrow.Confirmed, sold, "Confirmed", "confirmed",
		},
		{
			"time confirms", func(w *world) *world { w.delivered().wake(); w.env.Now = w.p.WakeAt; return w }, escrow.System,
			of(escrow.Tick{}), escrow.Confirmed, sold, "Confirmed", "auto_confirmed",
		},
		{
			"the operator confirms a rejected purchase", (*world).disputed, escrow.Operator,
			of(escrow.Confirm{Kind: escrow.Forced, Reason: "수령 증빙"}), escrow.Confirmed, sold, "Confirmed", "confirmed",
		},
		{
			"the shop confirms where it may", func(w *world) *world { w.env.Profile.ShopMayConfirm = true; return w.delivered() }, escrow.Shop,
			of(escrow.Confirm{Kind: escrow.ByShop}), escrow.Confirmed, sold, "Confirmed", "confirmed",
		},
		{
			"the buyer rejects", (*world).delivered, escrow.Buyer,
			of(escrow.Reject{Reason: "파손"}), escrow.Rejected, inHeld, "Rejected", "rejected",
		},
		{
			"the buyer rejects what never came", func(w *world) *world { return w.shipped(inTrack) }, escrow.Buyer,
			of(escrow.Reject{Reason: "오지 않았습니다."}), escrow.Rejected, inHeld, "Rejected", "rejected",
		},
		{
			"the buyer takes a rejection back", (*world).rejected, escrow.Buyer,
			of(escrow.WithdrawRejection{}), escrow.Delivered, inHeld, "RejectionWithdrawn", "new_last_day",
		},
		{
			"the shop accepts a rejection", (*world).rejected, escrow.Shop,
			of(escrow.AcceptRejection{By: "박상점"}), escrow.RejectionAccepted, inHeld, "RejectionAccepted", "rejection_accepted",
		},
		{
			"the shop leaves the goods with the buyer", (*world).rejected, escrow.Shop,
			of(escrow.AcceptRejection{By: "박상점", Waive: true}), escrow.RejectionAccepted, toRefund,
			"RejectionAccepted Cancelled RefundOrdered", "rejection_accepted cancelled",
		},
		{
			"the shop contests", (*world).rejected, escrow.Shop,
			of(escrow.Contest{Evidence: "사진"}), escrow.Rejected, inHeld, "Disputed", "disputed",
		},
		{
			"the goods are back", (*world).accepted, escrow.Shop,
			of(escrow.ReceiveReturn{}), escrow.RejectionAccepted, toRefund, "ReturnReceived Cancelled RefundOrdered", "cancelled",
		},
		{
			"the shop cancels before shipping", (*world).held, escrow.Shop,
			of(escrow.Cancel{Reason: "품절"}), escrow.Cancelled, toRefund, "Cancelled RefundOrdered", "cancelled",
		},
		{
			"the shop cancels what was rejected", (*world).rejected, escrow.Shop,
			of(escrow.Cancel{Reason: "반품"}), escrow.Cancelled, toRefund, "Cancelled RefundOrdered", "cancelled",
		},
		{
			"a hold is placed", (*world).delivered, escrow.Operator,
			of(escrow.PlaceHold{Reason: "확인 중"}), escrow.Delivered, inHeld, "HoldPlaced", "hold",
		},
		{
			"a refund is sent, for a charge", (*world).cancelled, escrow.Bank,
			of(escrow.RefundResult{Key: imp + "-r1-1", Sent: true}), escrow.Cancelled,
			books{ledger.Due(shop): 330, ledger.Fee: 300, ledger.VAT: 30}, "RefundSent", "refund_sent",
		},
		{
			"a refund fails", (*world).cancelled, escrow.Bank,
			of(escrow.RefundResult{Key: imp + "-r1-1", Reason: "계좌 해지"}), escrow.Cancelled, toRefund, "RefundFailed", "refund_failed",
		},
		{
			"the shop refunds a part after the confirmation", (*world).confirmed, escrow.Shop,
			of(escrow.Cancel{Amount: 1_000, Reason: "흠집"}), escrow.Confirmed,
			books{ledger.BankEscrow: amount, ledger.Refund(imp): 1_000, ledger.Shop(shop): netWon - 1_000, ledger.Fee: feeWon, ledger.VAT: vatWon},
			"PartlyRefunded RefundOrdered", "cancelled",
		},
		{
			"the shop refunds the whole after the confirmation; the fee stays", (*world).confirmed, escrow.Shop,
			of(escrow.Cancel{Reason: "반품"}), escrow.Confirmed,
			books{ledger.BankEscrow: amount, ledger.Refund(imp): amount, ledger.Due(shop): 330, ledger.Fee: feeWon, ledger.VAT: vatWon},
			"Cancelled RefundOrdered", "cancelled",
		},
		{
			"a ruling for the buyer", (*world).disputed, escrow.Operator,
			of(escrow.DecideDispute{Refund: amount, Reason: "파손 인정"}), escrow.Cancelled, toRefund,
			"DisputeDecided Cancelled RefundOrdered", "cancelled",
		},
		{
			"a ruling for the shop", (*world).disputed, escrow.Operator,
			of(escrow.DecideDispute{Reason: "수령 증빙"}), escrow.Confirmed, sold, "DisputeDecided Confirmed", "confirmed",
		},
		{
			"a ruling that divides", (*world).disputed, escrow.Operator,
			of(escrow.DecideDispute{Refund: 4_000, Reason: "반씩"}), escrow.Confirmed,
			books{ledger.BankEscrow: amount, ledger.Refund(imp): 4_000, ledger.Shop(shop): 5_802, ledger.Fee: 180, ledger.VAT: 18},
			"DisputeDecided Confirmed PartlyRefunded RefundOrdered", "confirmed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.from(newWorld(t))
			d := w.do(c.actor, c.cmd(w))
			w.state(c.to)
			w.told(d, c.events, c.mails)
			w.balances(c.books)
		})
	}
}

func of(cmd escrow.Command) func(*world) escrow.Command {
	return func(*world) escrow.Command { return cmd }
}

func TestReleasedHold(t *testing.T) {
	w := newWorld(t).delivered()
	w.do(escrow.Shop, escrow.PlaceHold{Reason: "확인 중"})
	d := w.do(escrow.Shop, escrow.ReleaseHold{})
	w.told(d, "HoldReleased DecisionDue", "hold_released")
}

func TestSaleWaitsForTheContract(t *testing.T) {
	w := newWorld(t)
	w.env.Terms.Cycle.FromPayment = 10
	w.confirmed()
	if got := w.lines[0].DueDate; got != date("2026-03-23") {
		t.Fatalf("due on %v, want ten business days after the payment", got)
	}
}

// TestOpposites: the first decision wins, the same again is a success, and the
// opposite is told which decision stands and since when.
func TestOpposites(t *testing.T) {
	w := newWorld(t).delivered()
	w.do(escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	decided := w.env.Now
	w.pass(time.Hour).same(escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	r := w.refused(escrow.AlreadyDecided, escrow.Buyer, escrow.Reject{Reason: "파손"})
	if r.Stands == nil || r.Stands.Verdict != escrow.VerdictConfirm || !r.Stands.At.Equal(decided) {
		t.Fatalf("the refusal names %+v", r.Stands)
	}

	w = newWorld(t).rejected()
	w.same(escrow.Buyer, escrow.Reject{Reason: "파손"})
	r = w.refused(escrow.AlreadyDecided, escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	if r.Stands == nil || r.Stands.Verdict != escrow.VerdictReject {
		t.Fatalf("the refusal names %+v", r.Stands)
	}

	w = newWorld(t).confirmedByTime()
	r = w.refused(escrow.AlreadyDecided, escrow.Buyer, escrow.Reject{Reason: "파손"})
	if r.Stands == nil || r.Stands.Kind != escrow.ByTime {
		t.Fatalf("the refusal names %+v", r.Stands)
	}
	w.same(escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
}

// TestWithdrawal: after a confirmation by time the buyer may withdraw; the
// payout waits until the shop gives the money back or says no.
func TestWithdrawal(t *testing.T) {
	ask := escrow.AskWithdrawal{Reason: "설명과 다릅니다."}
	w := newWorld(t).confirmedByTime()
	w.do(escrow.Buyer, ask)
	if !w.withheld {
		t.Fatal("the payout is not withheld")
	}
	w.tasks(escrow.TaskWithdrawal)
	w.same(escrow.Buyer, ask)
	w.do(escrow.Shop, escrow.Cancel{Amount: 1_000})
	if !w.withheld {
		t.Fatal("a partial refund frees the payout")
	}
	w.do(escrow.Shop, escrow.Cancel{})
	if w.withheld {
		t.Fatal("the payout is still withheld after the refund")
	}
	w.tasks()
	w.refused(escrow.AlreadyCancelled, escrow.Buyer, ask)

	w = newWorld(t).confirmedByTime()
	w.do(escrow.Buyer, ask)
	w.do(escrow.Shop, escrow.ReleaseHold{})
	if w.withheld {
		t.Fatal("the payout is still withheld after the shop said no")
	}
	w.tasks()

	newWorld(t).confirmed().refused(escrow.WrongState, escrow.Buyer, ask)
}

func TestRefundAfterConfirm(t *testing.T) {
	w := newWorld(t).confirmed()
	w.do(escrow.Shop, escrow.Cancel{Amount: 4_000})
	believed := amount
	w.refused(escrow.BalanceDiffers, escrow.Shop, escrow.Cancel{Amount: 1_000, Expected: &believed})
	w.refused(escrow.ExceedsBalance, escrow.Shop, escrow.Cancel{Amount: 6_001})
	w.do(escrow.Shop, escrow.Cancel{Amount: 6_000})
	w.refused(escrow.AlreadyCancelled, escrow.Shop, escrow.Cancel{Amount: 1})
	w.state(escrow.Confirmed)
	w.balances(books{ledger.BankEscrow: amount, ledger.Refund(imp): amount, ledger.Due(shop): 330, ledger.Fee: feeWon, ledger.VAT: vatWon})

	w = newWorld(t).confirmed()
	w.env.Profile.RefundAfter = false
	w.refused(escrow.ByPolicy, escrow.Shop, escrow.Cancel{Amount: 4_000})
}

// TestRefundAfterPayout: what the shop has been paid already it owes.
func TestRefundAfterPayout(t *testing.T) {
	w := newWorld(t).confirmed()
	w.saleLeft = 0
	d := w.do(escrow.Shop, escrow.Cancel{Amount: 4_000})
	if got := moveWords(d); got != "refund:imp_1->due:m1 4000" {
		t.Fatalf("moved %s", got)
	}
	if l := d.Lines[0]; l.Net != -4_000 || l.FromDue != 4_000 {
		t.Fatalf("line %+v", l)
	}
}

func TestOrdinaryPayment(t *testing.T) {
	w := newWorld(t).ordinary()
	w.state(escrow.Paid)
	w.balances(sold)
	w.do(escrow.Shop, escrow.Cancel{Amount: 4_000})
	w.state(escrow.Paid)
	d := w.do(escrow.Shop, escrow.Cancel{})
	w.state(escrow.Cancelled)
	if o := d.Orders[0]; !o.Card || o.Amount != 6_000 || o.Account.Number != "" {
		t.Fatalf("order %+v", o)
	}
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Sent: true})
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r2-1", Sent: true})
	w.balances(books{ledger.Due(shop): 330, ledger.Fee: feeWon, ledger.VAT: vatWon})
}

// TestRefundFailure: a definite failure asks for another account, and the next
// attempt has a key of its own; answers to the old one find nothing.
func TestRefundFailure(t *testing.T) {
	first, second := imp+"-r1-1", imp+"-r1-2"
	w := newWorld(t).cancelled()
	w.do(escrow.Bank, escrow.RefundResult{Key: first, Reason: "계좌 해지"})
	w.tasks(escrow.TaskRefundFailed)
	w.same(escrow.Bank, escrow.RefundResult{Key: first, Reason: "계좌 해지"})
	w.refused(escrow.Invalid, escrow.Buyer, escrow.GiveRefundAccount{Account: escrow.BankAccount{Bank: "088", Number: "1"}})
	d := w.do(escrow.Buyer, escrow.GiveRefundAccount{Account: another})
	if o := d.Orders[0]; o.Key != second || o.Account != another || o.Amount != amount {
		t.Fatalf("order %+v", o)
	}
	w.tasks()
	w.same(escrow.Bank, escrow.RefundResult{Key: first, Sent: true})
	w.do(escrow.Bank, escrow.RefundResult{Key: second, Sent: true})
	w.same(escrow.Bank, escrow.RefundResult{Key: second, Sent: true})
	w.refused(escrow.WrongState, escrow.Buyer, escrow.GiveRefundAccount{Account: payer})

	// The bank returns it after all.
	w.do(escrow.Bank, escrow.RefundResult{Key: second, Reason: "수취인 불명"})
	w.tasks(escrow.TaskRefundFailed)
	w.balances(books{ledger.BankEscrow: amount, ledger.Refund(imp): amount, ledger.Due(shop): 330, ledger.Fee: 300, ledger.VAT: 30})
}

// TestRefundWithoutAccount: nobody knows where to; the buyer is asked.
func TestRefundWithoutAccount(t *testing.T) {
	w := newWorld(t).awaiting()
	w.do(escrow.Bank, escrow.NotifyDeposit{BankTx: "tx-1", Amount: amount, At: w.env.Now})
	w.refused(escrow.NeedsRefundAccount, escrow.Shop, escrow.Cancel{Reason: "품절"})
	w.env.Profile.AutoAgreeDays = 3
	w.do(escrow.Buyer, escrow.AskCancel{Reason: "변심"})
	d := w.wake()
	w.told(d, "Cancelled RefundAccountAsked", "cancelled refund_account_needed")
	w.tasks(escrow.TaskRefundAccount)
	d = w.do(escrow.Buyer, escrow.GiveRefundAccount{Account: another})
	w.told(d, "RefundOrdered", "")
	w.tasks()
}

// TestReversedWhileTheRefundWaits: the bank has given the buyer the money back,
// so the refund that waited for an account must not pay a second time.
func TestReversedWhileTheRefundWaits(t *testing.T) {
	w := newWorld(t).cancelled()
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Reason: "계좌 해지"})
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.balances(books{})
	w.refused(escrow.WrongState, escrow.Buyer, escrow.GiveRefundAccount{Account: another})
	w.same(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Reason: "계좌 해지"})
}

// TestDisputeEndsWithItsPayment: no ruling on what has been settled otherwise.
func TestDisputeEndsWithItsPayment(t *testing.T) {
	ruling := escrow.DecideDispute{Reason: "수령 증빙"}
	for name, end := range map[string]asked{
		"cancelled": {actor: escrow.Shop, cmd: escrow.Cancel{}},
		"accepted":  {actor: escrow.Shop, cmd: escrow.AcceptRejection{By: "박상점"}},
		"withdrawn": {actor: escrow.Buyer, cmd: escrow.WithdrawRejection{}},
		"forced":    {actor: escrow.Operator, cmd: escrow.Confirm{Kind: escrow.Forced, Reason: "증빙"}},
		"reversed":  {actor: escrow.Bank, cmd: escrow.ReverseDeposit{BankTx: "tx-1"}},
		"decided":   {actor: escrow.Operator, cmd: ruling},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).disputed()
			w.do(end.actor, end.cmd)
			w.refused(escrow.WrongState, escrow.Operator, ruling)
			if w.p.Dispute != nil || w.p.HasTask(escrow.TaskDispute) {
				t.Fatalf("the dispute stands: %+v %v", w.p.Dispute, w.p.Tasks)
			}
		})
	}
}

// TestWaivedLater: a shop that wanted the goods back may leave them after all.
func TestWaivedLater(t *testing.T) {
	w := newWorld(t).accepted()
	w.same(escrow.Shop, escrow.AcceptRejection{By: "박상점"})
	w.do(escrow.Shop, escrow.AcceptRejection{By: "박상점", Waive: true})
	w.balances(toRefund)
	w.same(escrow.Shop, escrow.ReceiveReturn{})
}
