package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// The acts of a shop on a payment, by the last part of their address.
const (
	actRegister = "register"
	actAmend    = "amend"
	actCancel   = "cancel"
	actAgree    = "agree"
	actClose    = "close"
	actAccept   = "accept"
	actContest  = "contest"
	actReceive  = "receive"
	actWaive    = "waive"
	actHold     = "hold"
	actRelease  = "release"
	actLink     = "link"
	actAccount  = "account"
	actLate     = "late"
	actSuspense = "suspense"
	actResolve  = "resolve"
)

// Bounds of fields, in characters.
const (
	reasonMax = 1000
	nameMax   = 100
	numberMax = 50
)

// acts read a form into a command.
var acts = map[string]func(*visit, *escrow.Payment, *form) escrow.Command{
	actRegister: register,
	actAmend:    amend,
	actCancel:   cancelCommand,
	actAgree:    cancelCommand,
	actClose: func(_ *visit, _ *escrow.Payment, f *form) escrow.Command {
		return escrow.CloseAccount{Reason: f.reason()}
	},
	actAccept: func(v *visit, _ *escrow.Payment, f *form) escrow.Command {
		f.Fields.Require("by")
		return escrow.AcceptRejection{By: f.Fields.Text("by", nameMax), Waive: f.Fields.Text("waive", 10) == "yes"}
	},
	actContest: func(_ *visit, _ *escrow.Payment, f *form) escrow.Command {
		f.Fields.Require("evidence")
		return escrow.Contest{Evidence: strings.TrimSpace(f.Fields.Lines("evidence", reasonMax))}
	},
	actReceive: func(*visit, *escrow.Payment, *form) escrow.Command { return escrow.ReceiveReturn{} },
	actWaive: func(v *visit, _ *escrow.Payment, _ *form) escrow.Command {
		return escrow.AcceptRejection{By: v.staff.Email, Waive: true}
	},
	actHold:    func(_ *visit, _ *escrow.Payment, f *form) escrow.Command { return escrow.PlaceHold{Reason: f.reason()} },
	actRelease: func(*visit, *escrow.Payment, *form) escrow.Command { return escrow.ReleaseHold{} },
	actLink:    func(*visit, *escrow.Payment, *form) escrow.Command { return escrow.RenewLink{} },
	actAccount: func(v *visit, _ *escrow.Payment, f *form) escrow.Command {
		return escrow.GiveRefundAccount{Account: v.account(f, true)}
	},
	actLate: func(*visit, *escrow.Payment, *form) escrow.Command { return escrow.AcceptLate{} },
	actSuspense: func(v *visit, _ *escrow.Payment, f *form) escrow.Command {
		return escrow.ReturnSuspense{Account: v.account(f, false)}
	},
	actResolve: func(_ *visit, _ *escrow.Payment, f *form) escrow.Command {
		f.Fields.Require("note")
		return escrow.ResolveTask{Task: escrow.Task(f.Fields.Text("task", nameMax)), Note: strings.TrimSpace(f.Fields.Lines("note", reasonMax))}
	},
}

// reason takes the reason that every act of that kind needs.
func (f *form) reason() string {
	f.Fields.Require("reason")
	return strings.TrimSpace(f.Fields.Lines("reason", reasonMax))
}

// act gives a command to a payment and leads back to its page. A form that is
// wrong, or that a rule refuses, is shown again with the reason.
func (c *console) act(v *visit) error {
	name := chi.URLParam(v.r, "act")
	read, known := acts[name]
	if !known {
		return errNotFound
	}
	p, err := c.app.Payment(v.r.Context(), v.m.ID, chi.URLParam(v.r, "payment"))
	if err != nil {
		return err
	}
	f, err := v.form(name)
	if err != nil {
		return err
	}
	cmd := read(v, &p, &f)
	if !f.check(v) {
		return v.paymentPage(http.StatusUnprocessableEntity, p, f)
	}
	act := app.Act{Who: v.staff.Email, As: escrow.Shop, Version: f.version(), Detail: cut(f.Value("reason")+f.Value("evidence")+f.Value("note"), reasonMax)}
	_, err = c.app.DoFor(v.r.Context(), act, v.m.ID, p.ID, cmd)
	var no *escrow.Refusal
	if !errors.As(err, &no) {
		if err != nil {
			return err
		}
		return v.done("/console/payments/"+p.ID, "done."+name)
	}
	return v.refused(p, f, no)
}

// refused shows the form again with a rule's refusal, beside its field where it
// has one. The payment is read again, because it may have moved on.
func (v *visit) refused(p escrow.Payment, f form, no *escrow.Refusal) error {
	p, err := v.c.app.Payment(v.r.Context(), v.m.ID, p.ID)
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	if no.Code != escrow.Invalid && no.Code != escrow.NeedsRefundAccount {
		status = http.StatusConflict
	}
	text := v.refusal(no)
	if field := fieldOf(no.Field); field != "" && f.values.Has(field) {
		f.mark(field, text)
	} else {
		f.Fault = text
	}
	return v.paymentPage(status, p, f)
}

// fieldOf is the field of a form that a rule means.
func fieldOf(field string) string {
	switch field {
	case "logis.company":
		return "carrier0"
	case "logis.invoice":
		return "number0"
	case "logis.sent_at":
		return "sent"
	case "refund_account":
		return "account"
	case "checksum":
		return "amount"
	}
	return field
}

// refusal is a rule's refusal in the visitor's language.
func (v *visit) refusal(no *escrow.Refusal) string {
	if no.Stands != nil {
		return v.say("refusal.stands."+string(no.Stands.Verdict), stamp(no.Stands.At))
	}
	for _, key := range []string{"refusal." + string(no.Code) + "." + string(no.Cause), "refusal." + string(no.Code) + "." + no.Field, "refusal." + string(no.Code)} {
		if _, ok := words[key]; ok {
			return v.say(key)
		}
	}
	return v.say("refusal.other")
}

// register reads a first registration. The shop is the sender and the buyer the
// recipient.
func register(v *visit, p *escrow.Payment, f *form) escrow.Command {
	parcels, trackable := v.parcelForm(f)
	return escrow.RegisterDelivery{
		Parcels: parcels, Trackable: trackable, SentAt: v.sentAt(f, time.Time{}), SendEmail: true,
		Sender: escrow.Party{Name: v.m.Name, Email: v.m.Email, Phone: v.m.Phone}, Recipient: p.Buyer,
	}
}

// amend reads a correction; what the form does not show stays.
func amend(v *visit, p *escrow.Payment, f *form) escrow.Command {
	parcels, trackable := v.parcelForm(f)
	c := escrow.AmendDelivery{Parcels: parcels, Trackable: trackable}
	if d := p.Delivery; d != nil {
		c.Sender, c.Recipient, c.Products, c.SentAt = d.Sender, d.Recipient, d.Products, v.sentAt(f, d.SentAt)
	}
	return c
}

// parcelForm reads the rows of parcels; a row in which nothing stands is left
// out, but the first has to be filled in.
func (v *visit) parcelForm(f *form) (parcels []escrow.Parcel, trackable bool) {
	const rowsMost = 20
	for i := range rowsMost {
		nth := strconv.Itoa(i)
		carrier, number := f.Fields.Text("carrier"+nth, nameMax), strings.TrimSpace(f.Fields.Text("number"+nth, numberMax))
		known, ok := krcarrier.ByCode(carrier)
		switch {
		case carrier == "" && number == "" && i > 0:
			continue
		case !ok:
			f.mark("carrier"+nth, v.say("field.carrier"))
		case number == "" && carrier != krcarrier.Self:
			f.mark("number"+nth, v.say("field.number"))
		}
		parcels = append(parcels, escrow.Parcel{Carrier: carrier, Number: number})
		trackable = trackable || known.Trackable
	}
	return parcels, trackable
}

// sentAt reads the day of sending. The day that was registered keeps its time,
// today is now, and another day is its noon.
func (v *visit) sentAt(f *form, registered time.Time) time.Time {
	day, err := bizday.ParseDate(f.Fields.Text("sent", nameMax))
	if err != nil {
		f.mark("sent", v.say("field.date"))
		return time.Time{}
	}
	today := bizday.DateOf(v.now)
	switch {
	case !registered.IsZero() && day == bizday.DateOf(registered):
		return registered
	case day == today:
		return v.now
	case day.After(today):
		f.mark("sent", v.say("field.future"))
	case today.DaysSince(day) > sentBack:
		f.mark("sent", v.say("field.long.ago", sentBack))
	}
	return day.Start().Add(12 * time.Hour)
}

// sentBack is how many days ago a parcel may have been sent; an earlier date is
// taken for a slip of the finger.
const sentBack = 90

// cancelCommand reads a cancel: whole before the confirmation, whole or in part
// after it.
func cancelCommand(v *visit, p *escrow.Payment, f *form) escrow.Command {
	expected := p.Cancellable()
	c := escrow.Cancel{Reason: f.reason(), Expected: &expected, Notify: true, Account: v.account(f, false)}
	if p.HeldAmount() == 0 && f.Fields.Has("amount") {
		n, ok := f.Fields.Won("amount")
		if ok && n == 0 {
			f.mark("amount", v.say("field.amount"))
		}
		c.Amount = money.Won(n)
	}
	if c.Account.Number == "" && p.Method == escrow.VirtualAccount && p.Payer.Number == "" {
		f.mark("account", v.say("refusal.needs_refund_account"))
	}
	return c
}

// account reads a bank account; one that is not needed may be left out whole.
func (v *visit) account(f *form, needed bool) escrow.BankAccount {
	bank, number, holder := f.Fields.Text("bank", 3), f.Fields.Text("account", numberMax), strings.TrimSpace(f.Fields.Text("holder", nameMax))
	if !needed && bank == "" && number == "" && holder == "" {
		return escrow.BankAccount{}
	}
	if _, ok := krbank.ByCode(bank); !ok {
		f.mark("bank", v.say("field.bank"))
	}
	digits, ok := krbank.Number(number)
	if !ok {
		f.mark("account", v.say("field.account"))
	}
	if holder == "" {
		f.mark("holder", v.say("field.missing"))
	}
	return escrow.BankAccount{Bank: bank, Number: digits, Holder: holder}
}

// openActs says what the shop may do now. It spares people forms that the rules
// would refuse; the rules decide all the same.
func openActs(p *escrow.Payment, m *merchant.Merchant) map[string]bool {
	onItsWay := p.State == escrow.Shipped || p.State == escrow.Delivered
	waits := slices.ContainsFunc(p.Refunds, func(r escrow.Refund) bool {
		return !r.Suspense && (r.State == escrow.RefundAccountNeeded || r.State == escrow.RefundFailed)
	})
	return map[string]bool{
		actRegister: p.Escrow && p.State == escrow.Held && p.Hold == nil,
		actAmend:    onItsWay && m.Profile.AllowModify,
		actCancel:   mayCancel(p, m) && !p.HasTask(escrow.TaskCancelAsked),
		actAgree:    mayCancel(p, m) && p.HasTask(escrow.TaskCancelAsked),
		actClose:    p.State == escrow.AwaitingDeposit,
		actAccept:   p.State == escrow.Rejected,
		actContest:  p.State == escrow.Rejected && p.Dispute == nil,
		actReceive:  p.State == escrow.RejectionAccepted && p.Return == escrow.ReturnAgreed,
		actWaive:    p.State == escrow.RejectionAccepted && p.Return == escrow.ReturnAgreed,
		actHold:     p.Hold == nil && (p.State == escrow.Held || onItsWay || p.State == escrow.Rejected),
		actRelease:  p.Hold != nil && p.Hold.By != escrow.Operator,
		actLink:     onItsWay && p.Buyer.Email != "",
		actAccount:  waits,
		actLate:     p.Suspended >= p.Amount && p.Cancellable() == 0 && p.State == escrow.Cancelled && p.PaidAt.IsZero(),
		actSuspense: p.Suspended > 0,
		actResolve:  len(resolvable(p)) > 0,
	}
}

func mayCancel(p *escrow.Payment, m *merchant.Merchant) bool {
	if p.Cancellable() == 0 {
		return false
	}
	switch p.State {
	case escrow.Held, escrow.Paid:
		return true
	case escrow.Confirmed:
		return m.Profile.RefundAfter
	case escrow.Shipped, escrow.Delivered:
		return m.Profile.CancelAfterShip == escrow.Direct || (m.Profile.CancelAfterShip == escrow.AfterHold && p.Hold != nil)
	case escrow.Opened, escrow.Failed, escrow.AwaitingDeposit, escrow.Rejected, escrow.RejectionAccepted, escrow.Cancelled:
	}
	return false
}

// whyNoCancel says what has to come before a cancel, where that is not plain.
func (v *visit) whyNoCancel(p *escrow.Payment) string {
	if p.State != escrow.Shipped && p.State != escrow.Delivered {
		return ""
	}
	if v.m.Profile.CancelAfterShip == escrow.AfterHold {
		return v.say("cancel.after.hold")
	}
	return v.say("cancel.after.reject")
}

// resolvable are the open tasks that end with somebody having looked.
func resolvable(p *escrow.Payment) []escrow.Task {
	var out []escrow.Task
	for _, t := range p.Tasks {
		if t == escrow.TaskReversed || t == escrow.TaskDepositForged || t == escrow.TaskParcelOverdue {
			out = append(out, t)
		}
	}
	return out
}
