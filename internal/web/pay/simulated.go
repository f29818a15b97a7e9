package pay

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// cards are the issuers that the simulated card page offers. Names, not codes:
// no card network is behind it.
var cards = []string{"신한카드", "KB국민카드", "삼성카드", "현대카드", "롯데카드", "하나카드", "우리카드", "NH농협카드", "BC카드"}

// testCard is the number that every simulated card shows, masked as real ones are.
const testCard = "941010******1234"

const (
	approvalDigits = 8
	accountDigits  = 12
)

// approval is the page of the simulated bank or card issuer.
type approval struct {
	Bank     string
	BankName string
	Cards    []string
	Number   string
	Fault    string
}

// waits reports whether the payment waits for a bank or card issuer: the buyer
// has chosen, and the shop is one for which an answer may be simulated.
func (v *visit) waits() bool {
	return v.sandbox() && v.pay.State == escrow.Opened && v.pay.Grounds != "" && v.pay.Method != escrow.VirtualAccount
}

func (h *window) showApproval(w http.ResponseWriter, r *http.Request, v *visit) {
	if !v.waits() {
		h.again(w, r, v)
		return
	}
	bank := r.URL.Query().Get("bank")
	if v.pay.Method == escrow.BankTransfer && !v.bankChoice(bank) {
		h.again(w, r, v)
		return
	}
	h.untilOver(w, v)
	h.render(w, r, v, http.StatusOK, "approve", v.approval(bank, ""))
}

func (v *visit) approval(bank, fault string) approval {
	return approval{Bank: bank, BankName: krbank.Name(bank, v.pay.English), Cards: cards, Number: testCard, Fault: fault}
}

// approve takes the simulated answer. A second one finds the payment done.
func (h *window) approve(w http.ResponseWriter, r *http.Request, v *visit) {
	if !v.waits() {
		h.again(w, r, v)
		return
	}
	var err error
	switch r.PostFormValue("answer") {
	case "approve":
		err = h.take(r, v)
	case "decline":
		_, err = h.App.Do(r.Context(), escrow.System, v.Merchant, v.Payment, escrow.Fail{Reason: wirev1.ReasonDeclined})
	}
	var no *escrow.Refusal
	switch {
	case errors.As(err, &no) && no.Code != escrow.WrongState:
		h.render(w, r, v, http.StatusConflict, "approve", v.approval(r.PostFormValue("bank"), sentence(dialectOf(&v.pay), v.lang(), no)))
	case err != nil && no == nil:
		h.fault(w, r, err)
	case v.token != "":
		h.finish(w, r, v)
	default:
		h.again(w, r, v)
	}
}

func (h *window) take(r *http.Request, v *visit) error {
	approved := escrow.Approve{ApprovalNo: ident.Digits(approvalDigits)}
	switch v.pay.Method {
	case escrow.Card:
		approved.CardName, approved.CardNumber = cards[0], testCard
		if name := r.PostFormValue("card"); slices.Contains(cards, name) {
			approved.CardName = name
		}
	case escrow.BankTransfer, escrow.VirtualAccount:
		bank := r.PostFormValue("bank")
		if !v.bankChoice(bank) {
			return &escrow.Refusal{Code: escrow.Invalid, Field: "bank", Reason: "choose one of the banks that the window offers"}
		}
		approved.Payer = escrow.BankAccount{Bank: bank, Number: ident.Digits(accountDigits), Holder: payer(&v.pay)}
	}
	if v.Manual {
		return h.agree(r, v, app.Agreement{Approval: approved})
	}
	_, err := h.App.Approve(r.Context(), v.Merchant, v.Payment, approved)
	return err
}

// payer is the name on the simulated account.
func payer(p *escrow.Payment) string {
	if name := strings.TrimSpace(p.Buyer.Name); name != "" {
		return name
	}
	return "구매자"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
