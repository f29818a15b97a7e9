package merchant_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// TestWants: nobody is told in words of the other generation, the escrow's own
// names are for those who ask, and the old version of V2 has none.
func TestWants(t *testing.T) {
	all := []string{"*"}
	for _, c := range []struct {
		format merchant.Format
		events []string
		name   string
		want   bool
	}{
		{merchant.V2, nil, "Transaction.Paid", true}, {merchant.V2, nil, "Escrow.Confirmed", false}, {merchant.V2, nil, "status", false},
		{merchant.V2, []string{"Escrow.*"}, "Escrow.Confirmed", true}, {merchant.V2, []string{"Escrow.*"}, "Transaction.Paid", false},
		{merchant.V2, []string{"Escrow.Rejected"}, "Escrow.RejectionAccepted", false}, {merchant.V2, all, "escrow", false},
		{merchant.V2Old, all, "Transaction.Paid", true}, {merchant.V2Old, all, "Escrow.Confirmed", false},
		{merchant.V1JSON, nil, "status", true}, {merchant.V1JSON, nil, "escrow", false}, {merchant.V1Form, all, "escrow", true}, {merchant.V1JSON, all, "Transaction.Paid", false},
	} {
		e := merchant.Endpoint{Format: c.format, Events: c.events}
		if got := e.Wants(c.name); got != c.want {
			t.Errorf("%s with %v is told of %s: %v", c.format, c.events, c.name, got)
		}
	}
}

// TestPauses: PortOne's schedule, each pause up to a fifth longer and the same for
// the same call; V1's a minute.
func TestPauses(t *testing.T) {
	e := merchant.Endpoint{Format: merchant.V2}
	spread := map[time.Duration]bool{}
	for i, base := range merchant.PortOnePauses() {
		left := len(merchant.PortOnePauses()) - i
		for _, call := range []string{"a", "b", "c", "d"} {
			got := e.Pause(call, left)
			spread[got-base] = true
			if got < base || got > base+base/5 || got != e.Pause(call, left) {
				t.Errorf("pause %d of %s is %s, of %s", i+1, call, got, base)
			}
		}
	}
	if len(spread) < 10 {
		t.Errorf("calls that failed together come together: %v", spread)
	}
	if old := (&merchant.Endpoint{Format: merchant.V1JSON, Pauses: []time.Duration{time.Minute}}); old.Pause("a", 1) != time.Minute || old.Tries() != 2 {
		t.Error("V1's pause is not a minute")
	}
}

// TestEveryEventHasAName: an event of an escrow is told under a name of its own,
// unless it concerns nobody outside; every name can be chosen.
func TestEveryEventHasAName(t *testing.T) {
	silent := []escrow.EventType{escrow.EventLinkRenewed}
	p := escrow.Payment{Escrow: true, Method: escrow.VirtualAccount}
	for _, kind := range []escrow.EventType{
		escrow.EventOpened, escrow.EventAccountIssued, escrow.EventAccountAmended, escrow.EventAccountClosed, escrow.EventAccountExpired, escrow.EventFailed,
		escrow.EventPaid, escrow.EventDepositMismatched, escrow.EventDepositReversed, escrow.EventSuspenseReturned, escrow.EventDeliveryRegistered,
		escrow.EventDeliveryChanged, escrow.EventInTransit, escrow.EventDelivered, escrow.EventParcelOverdue, escrow.EventNoticeDelivered,
		escrow.EventNoticeFailed, escrow.EventDecisionDue, escrow.EventReminded, escrow.EventLinkRenewed, escrow.EventConfirmed, escrow.EventRejected,
		escrow.EventRejectionWithdrawn, escrow.EventRejectionAccepted, escrow.EventDisputed, escrow.EventDisputeDecided, escrow.EventReturnReceived,
		escrow.EventCancelAsked, escrow.EventCancelled, escrow.EventPartlyRefunded, escrow.EventRefundOrdered, escrow.EventRefundAccountAsked,
		escrow.EventRefundSent, escrow.EventRefundFailed, escrow.EventWithdrawalAsked, escrow.EventHoldPlaced, escrow.EventHoldReleased, escrow.EventTaskResolved,
	} {
		names := merchant.Told(&p, escrow.Event{Type: kind, Notify: true})
		if (len(names) == 0) != slices.Contains(silent, kind) {
			t.Errorf("%s is told as %v", kind, names)
		}
		for _, n := range names {
			if !slices.Contains(merchant.TellNames(), n) {
				t.Errorf("%s cannot be chosen", n)
			}
		}
	}
}

// TestPayoutsHaveNames of their own alone, which can be chosen and are not those of payments.
func TestPayoutsHaveNames(t *testing.T) {
	for _, kind := range []escrow.EventType{escrow.EventPayoutSent, escrow.EventPayoutFailed, escrow.EventPayoutReturned} {
		names := merchant.ToldOfPayout(kind)
		if len(names) != 1 || names[0] != "Escrow."+string(kind) || !merchant.IsOfPayout(names[0]) || !slices.Contains(merchant.TellNames(), names[0]) {
			t.Errorf("%s is told as %v", kind, names)
		}
	}
	if merchant.ToldOfPayout(escrow.EventPaid) != nil || merchant.IsOfPayout("Escrow.Confirmed") || merchant.IsOfPayout(merchant.TellStatus) {
		t.Error("what is told of payments counts as told of payouts")
	}
}

// TestEndpointsAreChecked with the field that is wrong.
func TestEndpointsAreChecked(t *testing.T) {
	for field, spoil := range map[string]func(*merchant.Endpoint){
		"url": func(e *merchant.Endpoint) { e.URL = "ftp://x" }, "format": func(e *merchant.Endpoint) { e.Format = "xml" },
		"events":        func(e *merchant.Endpoint) { e.Events = []string{"status"} },
		"retrySchedule": func(e *merchant.Endpoint) { e.Pauses = []time.Duration{0} }, "disableAfterDays": func(e *merchant.Endpoint) { e.OffAfter = 1000 },
	} {
		m := merchant.New("mrc_1", "imp1", "상점", merchant.Sandbox, time.Unix(0, 0))
		m.Endpoints = []merchant.Endpoint{{ID: "whe_1", URL: "https://shop.example/", Format: merchant.V2}}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(&m.Endpoints[0])
		var no *escrow.Refusal
		if err := m.Check(); !errors.As(err, &no) || no.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
