package wirev1

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
)

func amountOf(n int64) money.Won { return money.Won(n) }

func TestNoticeOf(t *testing.T) {
	whole := cancelled(vbankPayment(escrow.Cancelled), 35_900)
	part := cancelled(vbankPayment(escrow.Confirmed), 900, 1_000)
	reversed := vbankPayment(escrow.Cancelled)
	reversed.CancelledAt = later
	awaiting := vbankPayment(escrow.AwaitingDeposit)
	tests := []struct {
		name string
		p    *escrow.Payment
		e    escrow.Event
		want string // JSON, or empty for no notice
	}{
		{"issued", awaiting, escrow.Event{Type: escrow.EventAccountIssued}, `"status":"ready"}`},
		{"paid", vbankPayment(escrow.Held), escrow.Event{Type: escrow.EventPaid}, `"status":"paid"}`},
		{"cancelled, asked", whole, escrow.Event{Type: escrow.EventCancelled, At: later, Notify: true}, `"status":"cancelled","cancellation_id":"imp_000012345678-r1"}`},
		{"cancelled, not asked", whole, escrow.Event{Type: escrow.EventCancelled, At: later}, ""},
		{"partly", part, escrow.Event{Type: escrow.EventPartlyRefunded, At: part.Refunds[1].At, Notify: true}, `"status":"paid","cancellation_id":"imp_000012345678-r2"}`},
		{"expired", awaiting, escrow.Event{Type: escrow.EventAccountExpired, Notify: true}, `"status":"cancelled"}`},
		{"taken back before shipping", awaiting, escrow.Event{Type: escrow.EventDepositReversed}, `"status":"ready"}`},
		{"taken back before shipping, told once it was paid again", vbankPayment(escrow.Held), escrow.Event{Type: escrow.EventDepositReversed, Kind: "ready"}, `"status":"ready"}`},
		{"taken back after shipping", reversed, escrow.Event{Type: escrow.EventDepositReversed}, `"status":"cancelled"}`},
		{"cancelled by the bank", reversed, escrow.Event{Type: escrow.EventCancelled, At: later, Notify: true}, `"status":"cancelled","cancellation_id":"imp_000012345678-b"}`},
		{"closed", vbankPayment(escrow.Failed), escrow.Event{Type: escrow.EventAccountClosed}, ""},
		{"failed", vbankPayment(escrow.Failed), escrow.Event{Type: escrow.EventFailed}, ""},
		{"opened", awaiting, escrow.Event{Type: escrow.EventOpened}, ""},
		{"shipped", vbankPayment(escrow.Shipped), escrow.Event{Type: escrow.EventDeliveryRegistered}, ""},
		{"confirmed", vbankPayment(escrow.Confirmed), escrow.Event{Type: escrow.EventConfirmed}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, ok := NoticeOf(test.p, test.e)
			if ok != (test.want != "") {
				t.Fatalf("got a notice: %t", ok)
			}
			if !ok {
				return
			}
			want := `{"imp_uid":"imp_000012345678","merchant_uid":"주문-1",` + test.want
			if got, err := n.JSON(); err != nil || string(got) != want {
				t.Errorf("got %s (%v), want %s", got, err, want)
			}
		})
	}
}

func TestNoticeForm(t *testing.T) {
	n := Notice{ImpUID: "imp_1", MerchantUID: "주문 1&2", Status: escrow.StatusPaid}
	if got, want := n.Form(), "imp_uid=imp_1&merchant_uid=%EC%A3%BC%EB%AC%B8+1%262&status=paid"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	n.CancellationID = "c"
	if got, want := n.Form(), "cancellation_id=c&imp_uid=imp_1&merchant_uid=%EC%A3%BC%EB%AC%B8+1%262&status=paid"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEscrowNoticeOf(t *testing.T) {
	p := vbankPayment(escrow.Shipped)
	tests := []struct {
		e      escrow.Event
		code   EscrowStatus
		status escrow.Status
	}{
		{escrow.Event{Type: escrow.EventDeliveryRegistered}, "2", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventConfirmed, Kind: string(escrow.ByBuyer)}, "3", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventConfirmed, Kind: string(escrow.ByShop)}, "3", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventConfirmed, Kind: string(escrow.ByTime)}, "31", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventConfirmed, Kind: string(escrow.Forced)}, "32", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventRejected, Reason: "파손"}, "4", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventCancelled}, "8", escrow.StatusCancelled},
		{escrow.Event{Type: escrow.EventRejectionAccepted}, "10", escrow.StatusPaid},
		{escrow.Event{Type: escrow.EventDelivered}, "", ""},
		{escrow.Event{Type: escrow.EventPaid}, "", ""},
	}
	for _, test := range tests {
		test.e.At = later
		n, ok := EscrowNoticeOf(p, test.e)
		if ok != (test.code != "") || n.Extra.EscrowStatus != test.code || n.Status != test.status {
			t.Errorf("%s %s: got %+v", test.e.Type, test.e.Kind, n)
		}
	}
	n, _ := EscrowNoticeOf(p, escrow.Event{Type: escrow.EventRejected, Reason: "파손", At: later})
	const want = `{"event":"Inicis.Escrow.Changed","imp_uid":"imp_000012345678","merchant_uid":"주문-1","status":"paid","extra":{"escrow_status":"4","changed_at":1795744800,"denied_reason":"파손"}}`
	if got, err := n.JSON(); err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	const form = "event=Inicis.Escrow.Changed&extra%5Bchanged_at%5D=1795744800&extra%5Bdenied_reason%5D=%ED%8C%8C%EC%86%90&extra%5Bescrow_status%5D=4&imp_uid=imp_000012345678&merchant_uid=%EC%A3%BC%EB%AC%B8-1&status=paid"
	if got := n.Form(); got != form {
		t.Errorf("got %s, want %s", got, form)
	}
	p.Escrow = false
	if _, ok := EscrowNoticeOf(p, escrow.Event{Type: escrow.EventCancelled}); ok {
		t.Error("an ordinary payment has an escrow notice")
	}
}
