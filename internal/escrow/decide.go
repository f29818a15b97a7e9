package escrow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// Decide applies a command to a payment. The payment is not changed. The error
// is a *Refusal when a rule says no, and any other error is a fault of the
// circumstances (a calendar that does not reach far enough, an overflow).
//
// A payment that does not exist yet is the zero Payment; only Open applies to it.
func Decide(p Payment, cmd Command, env Env) (Decision, error) {
	if cmd == nil {
		return Decision{}, errors.New("escrow: no command")
	}
	if err := permit(cmd, env); err != nil {
		return Decision{}, err
	}
	if _, opening := cmd.(Open); !opening && p.ID == "" {
		return Decision{}, refuse(NotFound, "", "there is no such payment")
	}
	a := &act{env: env, p: p.clone()}
	if err := a.dispatch(cmd); err != nil {
		return Decision{}, err
	}
	if a.unchanged {
		return Decision{Unchanged: true, Next: p}, nil
	}
	return a.finish(p.HeldAmount())
}

// act is one decision in the making.
type act struct {
	env       Env
	p         Payment
	d         Decision
	unchanged bool
	// recount asks finish to compute the deadline anew.
	recount bool
}

func (a *act) dispatch(cmd Command) error {
	switch c := cmd.(type) {
	case Open:
		return a.open(c)
	case Choose:
		return a.choose(c)
	case IssueAccount:
		return a.issueAccount(c)
	case AmendAccount:
		return a.amendAccount(c)
	case CloseAccount:
		return a.closeAccount(c)
	case Approve:
		return a.approve(c)
	case Fail:
		return a.fail(c)
	case NotifyDeposit:
		return a.notifyDeposit(c)
	case ReverseDeposit:
		return a.reverseDeposit(c)
	case AcceptLate:
		return a.acceptLate()
	case ReturnSuspense:
		return a.returnSuspense(c)
	case RegisterDelivery:
		return a.registerDelivery(c)
	case AmendDelivery:
		return a.amendDelivery(c)
	case ReportTracking:
		return a.reportTracking(c)
	case MarkDelivered:
		return a.markDelivered(c)
	case NoticeResult:
		return a.noticeResult(c)
	case RenewLink:
		return a.renewLink()
	case Confirm:
		return a.confirm(c)
	case Reject:
		return a.reject(c)
	case WithdrawRejection:
		return a.withdrawRejection()
	case AcceptRejection:
		return a.acceptRejection(c)
	case Contest:
		return a.contest(c)
	case DecideDispute:
		return a.decideDispute(c)
	case ReceiveReturn:
		return a.receiveReturn()
	case AskCancel:
		return a.askCancel(c)
	case Cancel:
		return a.cancel(c)
	case GiveRefundAccount:
		return a.giveRefundAccount(c)
	case RefundResult:
		return a.refundResult(c)
	case AskWithdrawal:
		return a.askWithdrawal(c)
	case PlaceHold:
		return a.placeHold(c)
	case ReleaseHold:
		return a.releaseHold()
	case ResolveTask:
		return a.resolveTask(c)
	case Announce:
		return a.announceLastDay(c)
	case Recount:
		return a.recountDeadline()
	case Tick:
		return a.tick()
	}
	return fmt.Errorf("escrow: no rule for command %T", cmd)
}

// permit says who may give which command.
func permit(cmd Command, env Env) error {
	var allowed []Actor
	switch c := cmd.(type) {
	case Open, Fail:
		allowed = []Actor{Buyer, Shop, System}
	case Choose:
		allowed = []Actor{Buyer, Shop}
	case IssueAccount, Approve, NotifyDeposit, ReverseDeposit, RefundResult:
		allowed = []Actor{Bank}
	case AmendAccount, CloseAccount, RegisterDelivery, AmendDelivery, AcceptRejection, Contest, Cancel, PlaceHold, ReleaseHold, AcceptLate, ReturnSuspense, ResolveTask:
		allowed = []Actor{Shop, Operator}
	case ReceiveReturn:
		allowed = []Actor{Shop, Operator, Carrier}
	case ReportTracking:
		allowed = []Actor{Carrier}
	case MarkDelivered, DecideDispute:
		allowed = []Actor{Operator}
	case NoticeResult:
		allowed = []Actor{System, Operator}
	case RenewLink:
		allowed = []Actor{Buyer, Shop, Operator}
	case Confirm:
		allowed = confirmers(c.Kind)
	case Reject, WithdrawRejection, AskCancel, AskWithdrawal:
		allowed = []Actor{Buyer}
	case GiveRefundAccount:
		allowed = []Actor{Buyer, Shop, Operator}
	case Announce, Recount, Tick:
		allowed = []Actor{System}
	}
	if !slices.Contains(allowed, env.Actor) {
		return refuse(Forbidden, "", "a %s may not %s", env.Actor, cmd.Verb())
	}
	if c, ok := cmd.(Confirm); ok && c.Kind == ByShop && !env.Profile.ShopMayConfirm {
		return refuseFor(CauseShopConfirm, ByPolicy, "", "this shop may not confirm for its buyers (policy.shopMayConfirm)")
	}
	return nil
}

func confirmers(kind ConfirmKind) []Actor {
	switch kind {
	case ByBuyer:
		return []Actor{Buyer}
	case ByShop:
		return []Actor{Shop}
	case Forced:
		return []Actor{Operator}
	case ByTime:
		return nil // only Tick confirms by time
	}
	return nil
}

// finish numbers the events, computes what time will do next, and checks what
// must always be true. Held is what was held before.
func (a *act) finish(held money.Won) (Decision, error) {
	if a.recount {
		if err := a.setDeadline(); err != nil {
			return Decision{}, err
		}
	}
	wake, err := a.nextWake()
	if err != nil {
		return Decision{}, err
	}
	a.p.WakeAt = wake
	if !a.p.Tracked() {
		a.p.TrackAt = time.Time{}
	}
	a.p.UpdatedAt = a.env.Now
	a.p.Version++
	for i := range a.d.Events {
		a.p.Seq++
		e := &a.d.Events[i]
		e.Seq = a.p.Seq
		if e.Type == EventDepositReversed { // what is told of it must not depend on when it is told
			e.Kind = string(a.p.Status())
		}
	}
	a.d.Next = a.p
	if err := a.d.check(held); err != nil {
		return Decision{}, err
	}
	return a.d, nil
}

// check is the last guard: a decision that breaks it is a fault in the rules
// and must not be stored.
func (d *Decision) check(held money.Won) error {
	account := ledger.Held(d.Next.ID)
	for _, t := range d.Transfers {
		if err := t.Check(); err != nil {
			return err
		}
		if t.Credit == account {
			held += t.Amount
		}
		if t.Debit == account {
			held -= t.Amount
		}
	}
	if held != d.Next.HeldAmount() {
		return fmt.Errorf("payment %s is %s: %d won stay on %s, %d should", d.Next.ID, d.Next.State, held, account, d.Next.HeldAmount())
	}
	if d.Next.Refunded < 0 || d.Next.Refunded > d.Next.Amount {
		return fmt.Errorf("payment %s: %d won refunded of %d", d.Next.ID, d.Next.Refunded, d.Next.Amount)
	}
	return nil
}

func (a *act) emit(e Event) {
	e.At, e.Actor = a.env.Now, a.env.Actor
	a.d.Events = append(a.d.Events, e)
}

// mail owes the buyer a message; a buyer without an address gets none.
func (a *act) mail(m Mail) {
	if a.p.Buyer.Email != "" {
		a.d.Mails = append(a.d.Mails, m)
	}
}

// move adds transfers, leaving out those of nothing.
func (a *act) move(ts ...ledger.Transfer) {
	a.d.Transfers = append(a.d.Transfers, ledger.Move(ts...)...)
}

func (a *act) task(t Task) {
	if !a.p.HasTask(t) {
		a.p.Tasks = append(a.p.Tasks, t)
	}
}

func (a *act) done(tasks ...Task) {
	a.p.Tasks = slices.DeleteFunc(a.p.Tasks, func(t Task) bool { return slices.Contains(tasks, t) })
}

// in refuses unless the payment is in one of the states.
func (a *act) in(states ...State) error {
	if slices.Contains(states, a.p.State) {
		return nil
	}
	return refuse(WrongState, "", "the payment is %s", a.p.State)
}

// orderKey is the bank's idempotency key of one attempt.
func orderKey(id string, attempt int) string { return fmt.Sprintf("%s-%d", id, attempt) }

func (p *Payment) clone() Payment {
	q := *p
	q.NoticeURLs = slices.Clone(p.NoticeURLs)
	q.Products = slices.Clone(p.Products)
	q.Deposits = slices.Clone(p.Deposits)
	q.Refunds = slices.Clone(p.Refunds)
	q.Tasks = slices.Clone(p.Tasks)
	q.Reminded = slices.Clone(p.Reminded)
	q.Account = copied(p.Account)
	q.Consent = copied(p.Consent)
	q.Deadline = copied(p.Deadline)
	q.Decided = copied(p.Decided)
	q.Hold = copied(p.Hold)
	q.Dispute = copied(p.Dispute)
	q.Delivery = copied(p.Delivery)
	if q.Delivery != nil {
		q.Delivery.Parcels = slices.Clone(p.Delivery.Parcels)
		q.Delivery.Products = slices.Clone(p.Delivery.Products)
	}
	return q
}

func copied[T any](v *T) *T {
	if v == nil {
		return nil
	}
	c := *v
	return &c
}

// checkParts holds the tax parts against their whole, in an order that no huge
// number can overflow.
func checkParts(amount, taxFree, vat money.Won) error {
	if taxFree < 0 || vat < 0 || taxFree > amount || vat > amount-taxFree {
		return refuse(Invalid, "tax_free", "tax-free amount and VAT must not be negative and not exceed the amount")
	}
	return nil
}

// checkAccount refuses an account that is given in part.
func checkAccount(field string, acc BankAccount) error {
	if acc != (BankAccount{}) && (acc.Bank == "" || acc.Number == "" || acc.Holder == "") {
		return refuse(Invalid, field, "bank, number and holder are required")
	}
	return nil
}

// checkText refuses a text that a person must give and has not, or that is longer
// than maxReason.
func checkText(field, text, missing string) error {
	if strings.TrimSpace(text) == "" {
		return refuse(Invalid, field, "%s", missing)
	}
	return checkLength(field, text)
}

func checkLength(field, text string) error {
	if utf8.RuneCountInString(text) > maxReason {
		return refuse(Invalid, field, "at most %d characters", maxReason)
	}
	return nil
}

func checkAmount(field string, w money.Won) error {
	if w <= 0 {
		return refuse(Invalid, field, "must be a positive number of won")
	}
	if w > money.Max {
		return refuse(Invalid, field, "must not exceed %s won", money.Max.Digits())
	}
	return nil
}
