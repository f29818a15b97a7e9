package decide

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

// screen is what the page shows, in the reader's language.
type screen struct {
	Title string
	Flash *flash
	Lead  []string
	// At are the addresses of the acts, by name.
	At   map[string]string
	Form *form
	// Decidable opens the two choices; Early says that nothing has arrived yet.
	Decidable, Early bool
	Reasons          []string
	// AsksTail wants the last digits of the phone with every act.
	AsksTail bool
	// AsksAccount wants a refund account with a rejection; RefundTo is the one
	// that is known, masked.
	AsksAccount bool
	RefundTo    string
	Banks       []option
	Notice      *letter.Notice
	Why         *working
	// Withdrawable lets a rejection be taken back, Account asks for a refund
	// account, Withdrawal takes a withdrawal until the day.
	Withdrawable, Account, Withdrawal bool
	WithdrawBy                        bizday.Date
	Return                            *escrow.Party
	Refunds                           []refund
	P                                 escrow.Payment
	Method, Buyer                     string
	Parcels                           []parcel
	Steps                             []step
	M                                 merchant.Merchant
	Operator                          letter.Operator
}

// flash is what has just happened; Kind is good, warn or bad.
type flash struct{ Kind, Text string }

// option is an entry of a choice list.
type option struct{ Value, Text string }

type refund struct {
	Amount money.Won
	State  string
	To     string
	At     time.Time
	Why    string
}

type parcel struct {
	Carrier, Number, Page, State string
	At                           time.Time
}

// step is one event of the payment's life.
type step struct {
	Text string
	At   time.Time
	Now  bool // the newest
}

// working is how a last day was counted.
type working struct {
	From bizday.Date
	Days []counted
	Last bizday.Date
	// Later says that the day is later than the count alone would give, because
	// it had been announced so.
	Later bool
}

type counted struct {
	Date   bizday.Date
	Number int    // 0 for a day that is not counted
	Why    string // why it is not
}

// screen gathers what the page shows.
func (s *server) screen(ctx context.Context, v *visit, f *form) (*screen, error) {
	deadline, err := s.app.Projected(ctx, v.p)
	if err != nil {
		return nil, err
	}
	events, err := s.app.Events(ctx, v.p.Merchant, v.p.ID)
	if err != nil {
		return nil, err
	}
	scr := &screen{
		Title: site.Say(v.lang, "title."+v.stage()), Lead: v.lead(), At: v.addresses(), Form: f,
		Decidable: v.decidable(), Early: v.p.State == escrow.Shipped, Reasons: reasons, AsksTail: v.phoneTail() != "",
		AsksAccount: asksAccount(&v.p), RefundTo: v.accountText(v.p.Payer), Banks: v.banks(),
		Withdrawable: v.p.State == escrow.Rejected, Account: v.mayGiveAccount(), Withdrawal: v.mayWithdraw(), WithdrawBy: v.withdrawBy(),
		Refunds: v.refunds(), P: v.p, Method: site.Say(v.lang, methodWords[v.p.Method]), Buyer: maskedName(v.p.Buyer.Name),
		Parcels: v.parcels(), Steps: v.steps(events), M: v.m, Operator: s.operator,
	}
	if v.p.State == escrow.RejectionAccepted && v.p.Return == escrow.ReturnAgreed {
		scr.Return = &v.m.ReturnTo
	}
	if n, ok := letter.NoticeOf(letter.View{
		Payment: v.p, Merchant: v.m, Operator: s.operator, English: v.lang == ui.English, DecisionURL: s.app.DecisionURL(v.p), Projected: deadline, Now: v.now,
	}); ok {
		scr.Notice = &n
		scr.Why, err = s.working(v, deadline)
	}
	return scr, err
}

var methodWords = map[escrow.Method]string{escrow.VirtualAccount: "method.vbank", escrow.BankTransfer: "method.trans", escrow.Card: "method.card"}

// stage names the page's heading.
func (v *visit) stage() string {
	switch v.p.State {
	case escrow.Delivered:
		return "delivered"
	case escrow.Shipped:
		return "shipped"
	case escrow.Confirmed:
		return "confirmed"
	case escrow.Rejected:
		return "rejected"
	case escrow.RejectionAccepted:
		return "accepted"
	case escrow.Cancelled:
		return "cancelled"
	case escrow.Opened, escrow.Failed, escrow.AwaitingDeposit, escrow.Paid, escrow.Held:
	}
	return "other"
}

// lead says in sentences what stands and since when.
func (v *visit) lead() []string {
	p, say := &v.p, func(key string, args ...any) string { return site.Say(v.lang, key, args...) }
	var out []string
	if text := v.decision(); text != "" {
		out = append(out, text)
	}
	switch {
	case p.State == escrow.Confirmed && p.HasTask(escrow.TaskWithdrawal) && p.Hold != nil:
		out = append(out, say("lead.withdrawal", ui.Instant(v.lang, p.Hold.At)))
	case p.State == escrow.Confirmed && p.Decided != nil && p.Decided.Kind == escrow.ByTime:
		out = append(out, say("lead.auto"))
	case p.State == escrow.Rejected && p.Dispute != nil:
		out = append(out, say("lead.disputed", ui.Instant(v.lang, p.Dispute.At), p.Dispute.Evidence))
	case p.State == escrow.Rejected:
		out = append(out, say("lead.rejected"))
	case p.State == escrow.RejectionAccepted && p.Return == escrow.ReturnAgreed:
		out = append(out, say("lead.accepted"))
	case p.State == escrow.RejectionAccepted:
		out = append(out, say("lead.returned"))
	}
	if p.Hold != nil && p.State != escrow.Confirmed {
		out = append(out, say("lead.hold"))
	}
	return out
}

// decision is the decision that stands, with its time; empty if there is none.
func (v *visit) decision() string {
	p := &v.p
	if p.State == escrow.Cancelled {
		return site.Say(v.lang, "decision.cancelled", ui.Instant(v.lang, p.CancelledAt))
	}
	if p.Decided == nil {
		return ""
	}
	at := ui.Instant(v.lang, p.Decided.At)
	if p.Decided.Verdict == escrow.VerdictReject {
		return site.Say(v.lang, "decision.reject", at, p.Decided.Reason)
	}
	switch p.Decided.Kind {
	case escrow.ByTime:
		return site.Say(v.lang, "decision.auto", at)
	case escrow.ByShop:
		return site.Say(v.lang, "decision.shop", at)
	case escrow.Forced:
		return site.Say(v.lang, "decision.forced", at, p.Decided.Reason)
	case escrow.ByBuyer:
	}
	return site.Say(v.lang, "decision.buyer", at)
}

// standing says why an act was not done: the earlier decision, or that the
// purchase has moved on.
func (s *server) standing(v *visit) *flash {
	if text := v.decision(); text != "" {
		return &flash{"warn", site.Say(v.lang, "flash.stands", text)}
	}
	return &flash{"warn", site.Say(v.lang, "flash.moved")}
}

// done says that the act named in the address has been carried out, if the
// payment bears it out: an address alone can make the page say nothing untrue.
func (s *server) done(v *visit) *flash {
	d := v.p.Decided
	var so bool
	act := v.r.URL.Query().Get("done")
	switch act {
	case "confirm":
		so = d != nil && d.Verdict == escrow.VerdictConfirm && d.Kind == escrow.ByBuyer
	case "reject":
		so = v.p.State == escrow.Rejected
	case "withdraw":
		so = v.decidable()
	case "refund-account":
		so = !v.mayGiveAccount() && (v.p.Payer.Number != "" || len(v.p.Refunds) > 0)
	case "withdrawal":
		so = v.p.HasTask(escrow.TaskWithdrawal)
	}
	if !so {
		return nil
	}
	return &flash{"good", site.Say(v.lang, "done."+act)}
}

func (v *visit) addresses() map[string]string {
	at := map[string]string{}
	for name := range acts {
		at[name] = v.at(name)
	}
	return at
}

// banks are the banks to choose from: those with three digits below the
// brokers first, in the order of the national table.
func (v *visit) banks() []option {
	all := krbank.All()
	out := make([]option, len(all))
	for i, b := range all {
		out[i] = option{b.Code, krbank.Name(b.Code, v.lang == ui.English)}
	}
	return out
}

// accountText names an account without giving it away.
func (v *visit) accountText(a escrow.BankAccount) string {
	if a.Number == "" {
		return ""
	}
	number := "****"
	if n := len(a.Number); n > phoneTail {
		number += a.Number[n-phoneTail:]
	}
	return krbank.Name(a.Bank, v.lang == ui.English) + " " + number
}

// maskedName hides a name but for its first and last letter.
func maskedName(name string) string {
	letters := []rune(strings.TrimSpace(name))
	switch n := len(letters); {
	case n == 0:
		return ""
	case n <= 2:
		return string(letters[0]) + "*"
	default:
		return string(letters[0]) + strings.Repeat("*", min(n-2, 4)) + string(letters[n-1])
	}
}

func (v *visit) refunds() []refund {
	out := make([]refund, 0, len(v.p.Refunds))
	for i := range v.p.Refunds {
		r := &v.p.Refunds[i]
		row := refund{Amount: r.Amount, State: site.Say(v.lang, "refund."+string(r.State)), To: v.accountText(r.Account), At: r.SentAt, Why: r.FailedFor}
		if v.p.Method == escrow.Card {
			row.To = site.Say(v.lang, "refund.card")
		}
		out = append(out, row)
	}
	return out
}

func (v *visit) parcels() []parcel {
	if v.p.Delivery == nil {
		return nil
	}
	out := make([]parcel, 0, len(v.p.Delivery.Parcels))
	for _, p := range v.p.Delivery.Parcels {
		row := parcel{Carrier: krcarrier.Name(p.Carrier, v.lang == ui.English), Number: p.Number, Page: krcarrier.Page(p.Carrier, p.Number)}
		switch {
		case !p.DeliveredAt.IsZero():
			row.State, row.At = site.Say(v.lang, "parcel.delivered"), p.DeliveredAt
		case !p.Seen.IsZero():
			row.State, row.At = site.Say(v.lang, "parcel.moving"), p.Seen
		case v.p.Delivery.Trackable:
			row.State, row.At = site.Say(v.lang, "parcel.unseen"), v.p.Delivery.SentAt
		default:
			row.State, row.At = site.Say(v.lang, "parcel.untracked"), v.p.Delivery.SentAt
		}
		out = append(out, row)
	}
	return out
}

// maxSteps bounds the timeline; the newest events are kept.
const maxSteps = 30

// stepWords are the events that concern a buyer.
var stepWords = map[escrow.EventType]string{
	escrow.EventAccountIssued: "step.account", escrow.EventPaid: "step.paid", escrow.EventDeliveryRegistered: "step.shipped",
	escrow.EventDeliveryChanged: "step.changed", escrow.EventInTransit: "step.moving", escrow.EventDelivered: "step.delivered",
	escrow.EventConfirmed: "step.confirmed", escrow.EventRejected: "step.rejected", escrow.EventRejectionWithdrawn: "step.withdrawn",
	escrow.EventRejectionAccepted: "step.accepted", escrow.EventDisputed: "step.disputed", escrow.EventDisputeDecided: "step.ruled",
	escrow.EventReturnReceived: "step.returned", escrow.EventCancelled: "step.cancelled", escrow.EventPartlyRefunded: "step.partly",
	escrow.EventRefundOrdered: "step.refund.ordered", escrow.EventRefundSent: "step.refund.sent", escrow.EventRefundFailed: "step.refund.failed",
	escrow.EventWithdrawalAsked: "step.withdrawal", escrow.EventHoldPlaced: "step.hold", escrow.EventHoldReleased: "step.released",
}

func (v *visit) steps(events []app.LoggedEvent) []step {
	var out []step
	for i := range events {
		e := &events[i]
		key := stepWords[e.Type]
		if e.Type == escrow.EventConfirmed && e.Kind == string(escrow.ByTime) {
			key = "step.auto"
		}
		if key == "" {
			continue
		}
		at := e.At
		if e.Type == escrow.EventDelivered {
			at = e.Due // when it arrived, which may be before it became known
		}
		out = append(out, step{Text: site.Say(v.lang, key), At: at})
	}
	out = out[max(len(out)-maxSteps, 0):]
	if n := len(out); n > 0 {
		out[n-1].Now = true
	}
	return out
}

// working explains a last day by the days that were counted.
func (s *server) working(v *visit, d *escrow.Deadline) (*working, error) {
	if d == nil || (v.p.State == escrow.Shipped && v.p.Delivery.Trackable) {
		return nil, nil
	}
	e, err := s.app.Calendar().Explain(d.From, d.Days)
	if err != nil {
		return nil, err
	}
	w := &working{From: d.From, Last: d.LastDay, Later: d.LastDay.After(e.Last)}
	for _, day := range e.Days {
		row := counted{Date: day.Date, Number: day.Number, Why: day.Reason()}
		if v.lang == ui.Korean {
			row.Why = day.KoreanReason()
		}
		w.Days = append(w.Days, row)
	}
	return w, nil
}
