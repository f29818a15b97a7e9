package decide

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

const (
	// maxDetail bounds what a buyer may write as a reason, in characters.
	maxDetail = 500
	// maxHolder bounds the name of an account's holder, in characters.
	maxHolder = 60
	// phoneTail is how many digits of the phone number are asked for.
	phoneTail = 4
	// withdrawDays is how long after an automatic confirmation the page takes a
	// withdrawal. The law gives seven days from receipt (Act art. 17), which lies
	// before the confirmation, so this is never too short.
	withdrawDays = 7
	// holderWait bounds the question to the bank whether an account exists.
	holderWait = 3 * time.Second
)

// form is what a buyer has sent, and what is wrong with it by field: the key of
// a text. It is shown again when something is wrong.
type form struct {
	Act                        string
	Received                   bool
	Reason, Detail             string
	Bank, Number, Holder, Tail string
	Wrong                      map[string]string
}

// wrong notes a fault of a field; the first one of each counts.
func (f *form) wrong(field, key string) {
	if f.Wrong == nil {
		f.Wrong = map[string]string{}
	}
	if f.Wrong[field] == "" {
		f.Wrong[field] = key
	}
}

// readForm takes the fields of a request. Texts that are no texts are refused.
func readForm(r *http.Request, act string) (*form, error) {
	f := &form{Act: act}
	if err := r.ParseForm(); err != nil {
		return f, err
	}
	f.Received = r.PostForm.Get("received") == "yes"
	for field, into := range map[string]*string{
		"reason": &f.Reason, "detail": &f.Detail, "bank": &f.Bank, "number": &f.Number, "holder": &f.Holder, "tail": &f.Tail,
	} {
		value := r.PostForm.Get(field)
		if !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
			f.wrong(field, "wrong.text")
			continue
		}
		*into = strings.TrimSpace(value)
	}
	return f, nil
}

// isControl allows the line breaks of a text field.
func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }

// act turns a form into a command. It reports faults in the form; a nil command
// without one means that the page offers no such act now.
type act func(s *server, v *visit, f *form) escrow.Command

// acts are what a buyer can do here, by the last part of the path.
var acts = map[string]act{
	"confirm":        (*server).confirm,
	"reject":         (*server).reject,
	"withdraw":       (*server).withdraw,
	"refund-account": (*server).refundAccount,
	"withdrawal":     (*server).withdrawal,
}

// decide answers the POST of one act.
func (s *server) decide(name string, command act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := readForm(r, name)
		if err != nil {
			s.unreadable(w, r, err)
			return
		}
		v, err := s.visit(r)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		if !s.limits.take("act "+v.p.ID, actsByLink) {
			s.busy(w, v.r, actsByLink)
			return
		}
		if !s.known(w, &v, f) {
			return
		}
		cmd := command(s, &v, f)
		switch {
		case len(f.Wrong) > 0:
			s.page(w, &v, http.StatusUnprocessableEntity, f, &flash{"bad", site.Say(v.lang, "flash.form")})
		case cmd == nil:
			s.page(w, &v, http.StatusConflict, &form{}, s.standing(&v))
		default:
			s.carryOut(w, &v, f, cmd)
		}
	}
}

func (s *server) unreadable(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.plain(w, r, http.StatusRequestEntityTooLarge, "large")
		return
	}
	s.plain(w, r, http.StatusBadRequest, "unreadable")
}

// carryOut gives the command and shows what came of it.
func (s *server) carryOut(w http.ResponseWriter, v *visit, f *form, cmd escrow.Command) {
	_, err := s.app.Do(v.r.Context(), escrow.Buyer, v.p.Merchant, v.p.ID, cmd)
	var no *escrow.Refusal
	switch {
	case err == nil:
		s.log.InfoContext(v.r.Context(), "buyer acted on the decision page", "merchant", v.p.Merchant, "payment", v.p.ID, "act", f.Act, "address", address(v.r))
		http.Redirect(w, v.r, v.at("", "done", f.Act), http.StatusSeeOther)
	case !errors.As(err, &no):
		s.failed(w, v.r, err)
	default:
		s.refused(w, v)
	}
}

// refused shows the payment as it stands now: another act was first.
func (s *server) refused(w http.ResponseWriter, v *visit) {
	p, err := s.app.Payment(v.r.Context(), v.p.Merchant, v.p.ID)
	if err != nil {
		s.failed(w, v.r, err)
		return
	}
	now, err := s.visitOf(v.r, v.token, p)
	if err != nil {
		s.failed(w, v.r, err)
		return
	}
	s.page(w, &now, http.StatusConflict, &form{}, s.standing(&now))
}

// known asks for the second factor where the shop wants one. A buyer whose
// phone number the shop never gave cannot be asked, and is not kept from
// deciding: silence would decide against them.
func (s *server) known(w http.ResponseWriter, v *visit, f *form) bool {
	want := v.phoneTail()
	if want == "" {
		return true
	}
	key := "phone " + v.p.ID
	if !s.limits.take(key, triesOfPhone) {
		s.busy(w, v.r, triesOfPhone)
		return false
	}
	if subtle.ConstantTimeCompare([]byte(f.Tail), []byte(want)) != 1 {
		f.Tail = ""
		f.wrong("tail", "wrong.tail")
		s.page(w, v, http.StatusForbidden, f, &flash{"bad", site.Say(v.lang, "flash.form")})
		return false
	}
	s.limits.forget(key)
	return true
}

// phoneTail is what the buyer must know; empty if nothing is asked.
func (v *visit) phoneTail() string {
	if v.m.Profile.Identity != escrow.TokenAndTail {
		return ""
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, v.p.Buyer.Phone)
	if len(digits) < phoneTail {
		return ""
	}
	return digits[len(digits)-phoneTail:]
}

func (s *server) confirm(v *visit, f *form) escrow.Command {
	if v.p.State == escrow.Shipped && !f.Received {
		f.wrong("received", "wrong.received")
	}
	return escrow.Confirm{Kind: escrow.ByBuyer, Address: address(v.r)}
}

func (s *server) reject(v *visit, f *form) escrow.Command {
	if d := v.p.Decided; !v.decidable() && (d == nil || d.Verdict != escrow.VerdictReject) {
		return nil
	}
	cmd := escrow.Reject{Reason: f.reason(v.lang), Address: address(v.r)}
	if asksAccount(&v.p) && v.decidable() {
		cmd.Account = s.account(v, f)
	}
	return cmd
}

// reasons are the causes of a rejection that the page offers.
var reasons = []string{"not_received", "damaged", "different", "mind", "other"}

// reason is the cause in the words that the buyer saw, with what they added.
func (f *form) reason(lang ui.Lang) string {
	detail := strings.Join(strings.Fields(f.Detail), " ")
	switch {
	case utf8.RuneCountInString(f.Detail) > maxDetail:
		f.wrong("detail", "wrong.detail.long")
	case !in(reasons, f.Reason):
		f.wrong("reason", "wrong.reason")
	case f.Reason == "other" && detail == "":
		f.wrong("detail", "wrong.detail")
	}
	if len(f.Wrong) > 0 || f.Reason == "other" {
		return detail
	}
	said := site.Say(lang, "reason."+f.Reason)
	if detail == "" {
		return said
	}
	return said + ": " + detail
}

func in(list []string, value string) bool {
	for _, have := range list {
		if have == value {
			return true
		}
	}
	return false
}

func (s *server) withdraw(*visit, *form) escrow.Command { return escrow.WithdrawRejection{} }

func (s *server) refundAccount(v *visit, f *form) escrow.Command {
	if !v.mayGiveAccount() {
		return nil
	}
	cmd := escrow.GiveRefundAccount{Account: s.account(v, f)}
	if r := waitingRefund(&v.p); r != nil {
		cmd.Refund = r.ID
	}
	return cmd
}

// account reads a bank account and asks the bank whether it exists. A bank that
// does not answer keeps nobody waiting: the refund itself will tell.
func (s *server) account(v *visit, f *form) escrow.BankAccount {
	if _, ok := krbank.ByCode(f.Bank); !ok {
		f.wrong("bank", "wrong.bank")
	}
	number, ok := krbank.Number(f.Number)
	if !ok {
		f.wrong("number", "wrong.number")
	}
	if n := utf8.RuneCountInString(f.Holder); n == 0 || n > maxHolder || strings.ContainsAny(f.Holder, "\r\n\t") {
		f.wrong("holder", "wrong.holder")
	}
	if len(f.Wrong) == 0 && s.noSuchAccount(v.r.Context(), f.Bank, number) {
		f.wrong("number", "wrong.account")
	}
	return escrow.BankAccount{Bank: f.Bank, Number: number, Holder: f.Holder}
}

func (s *server) noSuchAccount(ctx context.Context, bank, number string) bool {
	ctx, cancel := context.WithTimeout(ctx, holderWait)
	defer cancel()
	_, err := s.app.HolderName(ctx, bank, number)
	var no *escrow.Refusal
	return errors.As(err, &no) && no.Code == escrow.NotFound
}

func (s *server) withdrawal(v *visit, f *form) escrow.Command {
	if !v.mayWithdraw() {
		if v.p.HasTask(escrow.TaskWithdrawal) {
			return escrow.AskWithdrawal{} // asked before: a success that changes nothing
		}
		return nil
	}
	return escrow.AskWithdrawal{Reason: f.reason(v.lang)}
}

// decidable reports whether the purchase waits for the buyer.
func (v *visit) decidable() bool {
	return v.p.State == escrow.Shipped || v.p.State == escrow.Delivered
}

// asksAccount reports whether a refund of this payment would not know where to go.
func asksAccount(p *escrow.Payment) bool {
	return p.Method != escrow.Card && p.Payer.Number == ""
}

// waitingRefund is the refund that waits for an account, or failed for one.
func waitingRefund(p *escrow.Payment) *escrow.Refund {
	for i := range p.Refunds {
		if r := &p.Refunds[i]; r.State == escrow.RefundAccountNeeded || (r.State == escrow.RefundFailed && p.Method != escrow.Card) {
			return r
		}
	}
	return nil
}

// mayGiveAccount keeps a refund account from being changed by whoever holds the
// link: one can be given only where none is known or the known one failed.
func (v *visit) mayGiveAccount() bool {
	if waitingRefund(&v.p) != nil {
		return true
	}
	return asksAccount(&v.p) && (v.p.State == escrow.Rejected || (v.p.State == escrow.RejectionAccepted && len(v.p.Refunds) == 0))
}

// mayWithdraw reports whether the page takes a withdrawal from the purchase.
func (v *visit) mayWithdraw() bool {
	d := v.p.Decided
	return v.p.State == escrow.Confirmed && d != nil && d.Kind == escrow.ByTime && !v.p.HasTask(escrow.TaskWithdrawal) &&
		v.p.Refunded < v.p.Amount && !bizday.DateOf(v.now).After(v.withdrawBy())
}

// withdrawBy is the last day on which the page takes a withdrawal.
func (v *visit) withdrawBy() bizday.Date { return bizday.DateOf(v.p.ConfirmedAt).AddDays(withdrawDays) }
