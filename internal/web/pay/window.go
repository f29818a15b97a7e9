package pay

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// show is the window as the payment stands.
func (h *window) show(w http.ResponseWriter, r *http.Request, v *visit) {
	switch v.pay.State {
	case escrow.Opened:
		given := checkout{method: v.pay.Method}
		h.untilOver(w, v)
		h.render(w, r, v, http.StatusOK, "choose", v.choiceView(given, nil))
	case escrow.AwaitingDeposit:
		h.render(w, r, v, http.StatusOK, "account", v.account())
	default:
		h.finish(w, r, v)
	}
}

// untilOver asks the browser to look again when the ticket ends, so that a
// forgotten window says that it is over.
func (h *window) untilOver(w http.ResponseWriter, v *visit) {
	left := time.Unix(v.Until, 0).Sub(v.now) + time.Second
	w.Header().Set("Refresh", itoa(int64(left/time.Second)))
}

// finish tells the shop the result: by sending the buyer there, or by a page
// that hands it over.
func (h *window) finish(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.Redirects {
		v.leave(w, r)
		return
	}
	h.render(w, r, v, http.StatusOK, "result", v.answer())
}

// leave sends the buyer back to the shop with what came of the window.
func (v *visit) leave(w http.ResponseWriter, r *http.Request) {
	v.policy().Set(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, v.result().returnTo(v.pay.RedirectURL), http.StatusFound)
}

// goBack is the way to the shop; it stays open when the ticket has ended.
func (h *window) goBack(w http.ResponseWriter, r *http.Request) {
	v, found, err := h.admit(r)
	switch {
	case err != nil:
		h.fault(w, r, err)
	case !found || !v.Redirects:
		h.notFound(w, r)
	default:
		v.leave(w, r)
	}
}

// expired knows that a window was here and shows nothing of it.
func (h *window) expired(w http.ResponseWriter, r *http.Request, v *visit) {
	site.Render(w, r, http.StatusGone, "expired", ui.Page{
		Title: site.Say(v.lang(), "expired.title"), Lang: v.lang(), Bare: true, Class: "window", Policy: v.policy(),
		Styles: []string{assets.Path("pay.css")}, Scripts: []string{assets.Path("pay.js")}, Data: v.answer(),
	})
}

// checkout is the buyer's form.
type checkout struct {
	method          escrow.Method
	bank            string
	escrow          bool
	agreed, consent bool
}

func readCheckout(r *http.Request) checkout {
	return checkout{
		method: methodOf(r.PostFormValue("method")), bank: r.PostFormValue("bank"), escrow: r.PostFormValue("escrow") == "on",
		agreed: r.PostFormValue("agree") == "on", consent: r.PostFormValue("consent") == "on",
	}
}

func methodOf(word string) escrow.Method {
	for _, m := range []escrow.Method{escrow.VirtualAccount, escrow.BankTransfer, escrow.Card} {
		if wirev1.PayMethod(m) == word {
			return m
		}
	}
	return ""
}

// check reads the form against what the window offers. What does not concern
// the chosen method is left out of account. It returns the fault of each field.
func (v *visit) check(c *checkout) map[string]string {
	faults := map[string]string{}
	say := func(field, key string) { faults[field] = site.Say(v.lang(), key) }
	c.escrow = v.pay.AskedEscrow || (c.escrow && c.method.CashLike() && v.offer().Offered)
	switch {
	case !slices.Contains(v.methods(), c.method):
		say("method", "fault.method")
	case c.method.CashLike() && !v.bankChoice(c.bank):
		say("bank", "fault.bank")
	case c.escrow && !v.shop.Contracted(c.method):
		say("method", "fault.escrow") // an escrow that is chosen is never dropped in silence
	}
	if c.escrow && !c.consent {
		say("consent", "fault.consent")
	}
	if !c.agreed {
		say("agree", "fault.agree")
	}
	return faults
}

// choose takes the buyer's choice. A form that comes twice, or late, finds the
// payment as the first one left it.
func (h *window) choose(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.pay.State != escrow.Opened {
		h.again(w, r, v)
		return
	}
	given := readCheckout(r)
	if faults := v.check(&given); len(faults) > 0 {
		h.untilOver(w, v)
		h.render(w, r, v, http.StatusUnprocessableEntity, "choose", v.choiceView(given, faults))
		return
	}
	choice := app.Checkout{Method: given.method, Escrow: given.escrow, Account: app.AccountOrder{Bank: given.bank, Due: v.due(v.now)}}
	if given.escrow {
		choice.Terms = merchant.TermsVersion
	}
	if given.method == escrow.VirtualAccount && !v.Manual {
		_, err := h.App.ChooseAccount(r.Context(), v.Merchant, v.Payment, choice)
		h.settled(w, r, v, given, err, "")
		return
	}
	_, err := h.App.Choose(r.Context(), v.Merchant, v.Payment, choice)
	if err == nil && given.method == escrow.VirtualAccount {
		if err = h.agree(r, v, v.agreement(given.bank, v.now)); err == nil {
			h.finish(w, r, v)
			return
		}
	}
	h.settled(w, r, v, given, err, "/approve?bank="+given.bank)
}

// agree ends the window of a payment that the shop has to approve: what comes of it
// is the token.
func (h *window) agree(r *http.Request, v *visit, g app.Agreement) (err error) {
	v.token, err = h.App.Agree(r.Context(), v.Merchant, v.Payment, g)
	return err
}

// settled goes on after a choice. A refusal because another submit was first
// leads to what that one made; any other is shown where the buyer can act.
func (h *window) settled(w http.ResponseWriter, r *http.Request, v *visit, given checkout, err error, next string) {
	var no *escrow.Refusal
	switch {
	case err == nil:
		http.Redirect(w, r, v.at(next), http.StatusSeeOther)
	case errors.As(err, &no) && no.Code == escrow.WrongState:
		h.again(w, r, v)
	case errors.As(err, &no):
		h.render(w, r, v, http.StatusConflict, "choose", v.choiceView(given, map[string]string{"": sentence(dialectOf(&v.pay), v.lang(), no)}))
	default:
		h.Log.ErrorContext(r.Context(), "payment window", "payment", v.Payment, "error", err)
		faults := map[string]string{"": site.Say(v.lang(), "error.again")}
		h.render(w, r, v, http.StatusServiceUnavailable, "choose", v.choiceView(given, faults))
	}
}

// again sends the browser to the window as it stands.
func (h *window) again(w http.ResponseWriter, r *http.Request, v *visit) {
	http.Redirect(w, r, v.at(""), http.StatusSeeOther)
}

// cancel ends a payment that the buyer gives up. One that has come about stays.
func (h *window) cancel(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := h.giveUp(r, v); err != nil {
		h.fault(w, r, err)
		return
	}
	h.again(w, r, v)
}

// giveUp fails an open payment; one that is not open any more is left as it is.
func (h *window) giveUp(r *http.Request, v *visit) error {
	if v.pay.State != escrow.Opened {
		return nil
	}
	res, err := h.App.Do(r.Context(), escrow.Buyer, v.Merchant, v.Payment, escrow.Fail{Reason: wirev1.ReasonUserCancel})
	if err == nil {
		v.pay = res.Payment
		return nil
	}
	if err := unlessNotFound(err); err != nil {
		return err
	}
	v.pay, err = h.App.Payment(r.Context(), v.Merchant, v.Payment)
	return err
}

// close answers the page that closes its window: what came of the payment.
func (h *window) close(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r.Header.Get("Origin"))
	v, found, err := h.admit(r)
	if err == nil && !found {
		reply(w, http.StatusNotFound, spoken(r).refused("", notFound, site.Say(ui.Language(r), "lost.title")))
		return
	}
	if err == nil && !v.over(v.now) {
		err = h.giveUp(r, v)
	}
	if err != nil {
		h.Log.ErrorContext(r.Context(), "payment window not closed", "error", err)
		reply(w, http.StatusServiceUnavailable, map[string]string{"error": "unavailable"})
		return
	}
	reply(w, http.StatusOK, v.result().told)
}

// terms shows the escrow terms in force.
func (h *window) terms(w http.ResponseWriter, r *http.Request) {
	lang := ui.Language(r)
	site.Render(w, r, http.StatusOK, "terms", ui.Page{Title: site.Say(lang, "terms.title"), Styles: []string{assets.Path("pay.css")}, Data: merchant.TermsVersion})
}
