package console

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

// TestEveryNameHasWords asks for the texts that templates look up by a value.
// A site that is made ready checks the constant ones.
func TestEveryNameHasWords(t *testing.T) {
	var keys []string
	add := func(prefix string, names ...string) {
		for _, n := range names {
			keys = append(keys, prefix+n)
		}
	}
	for _, s := range escrow.States() {
		add("state.", string(s))
	}
	for _, m := range escrow.Mails() {
		add("mailkind.", string(m))
	}
	for _, m := range methods {
		add("method.", string(m))
	}
	add("method.", "")
	for _, g := range []escrow.Grounds{"", escrow.AskedByShop, escrow.ChosenByBuyer, escrow.DeclinedByBuyer, escrow.NotOffered, escrow.ExemptCard, escrow.ExemptDigital, escrow.ExemptService} {
		add("grounds.", string(g))
	}
	for _, a := range []escrow.Actor{escrow.Buyer, escrow.Shop, escrow.Bank, escrow.Carrier, escrow.Operator, escrow.System} {
		add("actor.", string(a))
	}
	for _, x := range []escrow.Task{escrow.TaskSuspense, escrow.TaskReversed, escrow.TaskParcelOverdue, escrow.TaskNoticeFailed, escrow.TaskRefundAccount, escrow.TaskRefundFailed,
		escrow.TaskRejected, escrow.TaskCancelAsked, escrow.TaskDispute, escrow.TaskDepositForged, escrow.TaskWithdrawal} {
		add("task.", string(x))
	}
	add("outcome.", string(escrow.DepositHeld), string(escrow.DepositRefused), string(escrow.DepositSuspended), string(escrow.DepositReturned), "quarantined")
	add("refund.", string(escrow.RefundAccountNeeded), string(escrow.RefundOrdered), string(escrow.RefundSent), string(escrow.RefundFailed))
	add("notice.", string(escrow.NoticeNone), string(escrow.NoticePending), string(escrow.NoticeDelivered), string(escrow.NoticeFailed))
	add("rule.", string(escrow.AfterDelivery), string(escrow.AfterRegistration), string(escrow.AfterNotice), string(escrow.AfterRelease))
	add("payout.", string(settle.PayoutOrdered), string(settle.PayoutPaid), string(settle.PayoutFailed), string(settle.PayoutReturned))
	add("line.", string(escrow.LineSale), string(escrow.LineRefund), string(escrow.LineReversal), string(escrow.LineCharge), "returned")
	add("mail.", app.MailPending, app.MailSent, app.MailFailed, app.MailBounced)
	add("webhook.", app.WebhookPending, app.WebhookDelivered, app.WebhookFailed)
	add("webhookkind.", "status", "escrow")
	add("endpoint.", "on", "failing", "off."+merchant.OffByShop, "off."+merchant.OffGone, "off."+merchant.OffFailing)
	for act := range acts {
		add("done.", act)
		add("act.", act)
	}
	for _, key := range keys {
		if _, ours := words[key]; !ours {
			if _, shared := ui.Shared[key]; !shared {
				t.Errorf("no text for %q", key)
			}
		}
	}
}

// TestEveryRefusalHasWords: a code without words of its own is a refusal that
// does not say why.
func TestEveryRefusalHasWords(t *testing.T) {
	for _, code := range []escrow.Code{escrow.Invalid, escrow.Forbidden, escrow.WrongState, escrow.AlreadyRegistered, escrow.NotRegistered, escrow.NotEscrow, escrow.NotPaid,
		escrow.AlreadyPaid, escrow.AlreadyCancelled, escrow.PartialBeforeConfirm, escrow.ExceedsBalance, escrow.BalanceDiffers, escrow.NeedsRefundAccount, escrow.ByPolicy, app.Changed} {
		if _, ok := words["refusal."+string(code)]; !ok {
			t.Errorf("no text for a refusal with %q", code)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for given, want := range map[string]string{
		"": "/console", "/console": "/console", "/console/payments?q=a&page=2": "/console/payments?q=a&page=2",
		"https://evil.example/console": "/console", "//evil.example/console": "/console", "/console.evil": "/console", "/admin/v1": "/console",
		"javascript:alert(1)": "/console", "/console/../admin": "/console", "\\\\evil": "/console", "%zz": "/console",
	} {
		if got := localPath(given); got != want {
			t.Errorf("localPath(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestMasked(t *testing.T) {
	for given, want := range map[string]string{"": "", "1234": "1234", "110123456789": "••••6789"} {
		if got := masked(given); got != want {
			t.Errorf("masked(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestTidy(t *testing.T) {
	for given, want := range map[string]string{`{"a":1}`: "{\n  \"a\": 1\n}", "imp_uid=x&status=paid": "imp_uid=x&status=paid", "": ""} {
		if got := tidy(given); got != want {
			t.Errorf("tidy(%q) = %q, want %q", given, got, want)
		}
	}
}
