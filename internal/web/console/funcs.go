package console

import (
	"html/template"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// funcs are the functions of this package's templates, beside those of ui.
var funcs = template.FuncMap{
	"bank":    func(lang, code string) string { return krbank.Name(code, lang == "en") },
	"carrier": func(lang, code string) string { return krcarrier.Name(code, lang == "en") },
	"masked":  masked,
	// ofPayout reports whether a call of a kind is about a payout and not about a payment.
	"ofPayout": merchant.IsOfPayout,
	"tone":     tone,
	"add":      func(a, b int) int { return a + b },
	"concat":   func(parts ...string) string { return strings.Join(parts, "") },
}

// masked shows the end of an account number and no more.
func masked(number string) string {
	const shown = 4
	runes := []rune(number)
	if len(runes) <= shown {
		return number
	}
	return strings.Repeat("•", 4) + string(runes[len(runes)-shown:])
}

// tone is the colour of a state: good, warn, bad, plain, or the ordinary one.
func tone(state any) string {
	switch s := state.(type) {
	case escrow.State:
		return toneOfState(s)
	case settle.PayoutState:
		return map[settle.PayoutState]string{settle.PayoutPaid: "good", settle.PayoutFailed: "bad", settle.PayoutReturned: "bad"}[s]
	case escrow.RefundState:
		return map[escrow.RefundState]string{escrow.RefundSent: "good", escrow.RefundFailed: "bad", escrow.RefundAccountNeeded: "warn"}[s]
	case escrow.DepositOutcome:
		return map[escrow.DepositOutcome]string{escrow.DepositHeld: "good", escrow.DepositSuspended: "warn", escrow.DepositRefused: "plain", escrow.DepositReturned: "plain"}[s]
	case string: // of mails, webhooks
		return map[string]string{"sent": "good", "delivered": "good", "failed": "bad", "bounced": "bad",
			"endpoint.on": "good", "endpoint.failing": "warn", "endpoint.off.shop": "plain", "endpoint.off.gone": "bad", "endpoint.off.failing": "bad"}[s]
	}
	return ""
}

func toneOfState(s escrow.State) string {
	switch s {
	case escrow.Confirmed, escrow.Paid:
		return "good"
	case escrow.Held:
		return "warn"
	case escrow.Rejected, escrow.RejectionAccepted:
		return "bad"
	case escrow.Opened, escrow.Failed, escrow.Cancelled, escrow.AwaitingDeposit:
		return "plain"
	case escrow.Shipped, escrow.Delivered:
	}
	return ""
}
