package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

type depositAnswer struct {
	Deposits []deposit
	Payment  payment
}

func TestDepositStories(t *testing.T) {
	w := newWorld(t)
	suspense := func(on bool) {
		w.Change(func(m *merchant.Merchant) {
			m.Profile.Deposit = map[bool]escrow.DepositPolicy{true: escrow.SuspendDeposit, false: escrow.RefuseDeposit}[on]
		})
	}
	for _, c := range []struct {
		kind      string
		suspend   bool
		outcomes  []string
		state     string
		suspended int64
	}{
		{"exact", false, []string{"held"}, "held", 0},
		{"over", false, []string{"refused"}, "awaiting_deposit", 0},
		{"over", true, []string{"held"}, "held", 1_000},
		{"under", false, []string{"refused"}, "awaiting_deposit", 0},
		{"under", true, []string{"suspended"}, "awaiting_deposit", 49_000},
		{"twice", false, []string{"held", "refused"}, "held", 0},
		{"twice", true, []string{"held", "suspended"}, "held", 50_000},
		{"repeated", false, []string{"held"}, "held", 0},
		{"reversed", false, []string{"held"}, "awaiting_deposit", 0},
	} {
		suspense(c.suspend)
		p := w.pay("vbank")
		got := must[depositAnswer](w, "POST", "/sandbox/bank/deposits", body{"imp_uid": p.ImpUID, "kind": c.kind})
		if len(got.Deposits) != len(c.outcomes) || got.Payment.State != c.state || got.Payment.Suspended != c.suspended {
			t.Errorf("%+v: %+v", c, got)
			continue
		}
		for i, want := range c.outcomes {
			if got.Deposits[i].Outcome != want {
				t.Errorf("%+v: %+v", c, got.Deposits)
			}
		}
	}
	w.CheckBooks()
}

func TestDepositByAccountAmountTimeAndPayer(t *testing.T) {
	w := newWorld(t)
	p := w.pay("vbank")
	w.advance(body{"by": "2h"})
	got := must[depositAnswer](w, "POST", "/sandbox/bank/deposits", body{"vbank_code": *p.VbankCode, "vbank_num": *p.VbankNum, "amount": 12_345, "at": "2026-03-09T10:00:00+09:00", "payer": "이바다"})
	if d := got.Deposits[0]; d.Amount != 12_345 || d.Payer != "이바다" || d.Outcome != "refused" || got.Payment.ImpUID != p.ImpUID {
		t.Errorf("%+v", got)
	}
}

func TestLateDeposit(t *testing.T) {
	w := newWorld(t)
	p := w.pay("vbank")
	w.refuse(http.StatusConflict, "POST", "/sandbox/bank/deposits", body{"imp_uid": p.ImpUID, "kind": "late"}, "kind", "입금기한")
	w.advance(body{"by": "4d"})
	got := must[depositAnswer](w, "POST", "/sandbox/bank/deposits", body{"imp_uid": p.ImpUID, "kind": "late"})
	if got.Deposits[0].Outcome != "refused" || got.Payment.State != "cancelled" {
		t.Errorf("%+v", got)
	}
}

func TestDepositRefuses(t *testing.T) {
	w := newWorld(t)
	p := w.pay("vbank")
	before := len(w.life(p.ImpUID).Events)
	for _, c := range []struct {
		status int
		sent   body
		field  string
	}{
		{http.StatusBadRequest, body{}, "vbank_code"},
		{http.StatusBadRequest, body{"vbank_code": "088"}, "vbank_num"},
		{http.StatusBadRequest, body{"imp_uid": p.ImpUID, "kind": "generous"}, "kind"},
		{http.StatusBadRequest, body{"imp_uid": p.ImpUID, "amount": 0}, "amount"},
		{http.StatusBadRequest, body{"imp_uid": p.ImpUID, "amount": -5}, "amount"},
		{http.StatusBadRequest, body{"imp_uid": p.ImpUID, "amount": 1.5}, "amount"},
		{http.StatusBadRequest, body{"imp_uid": p.ImpUID, "at": "2027-01-01T00:00:00Z"}, "at"},
		{http.StatusBadRequest, body{"imp_uid": p.ImpUID, "at": "2020-01-01T00:00:00Z"}, "at"},
		{http.StatusNotFound, body{"imp_uid": "imp_000000000000"}, ""},
		{http.StatusNotFound, body{"vbank_code": "088", "vbank_num": "11012345678901"}, "vbank_num"},
		{http.StatusConflict, body{"imp_uid": w.pay("trans").ImpUID}, "imp_uid"},
	} {
		w.refuse(c.status, "POST", "/sandbox/bank/deposits", c.sent, c.field)
	}
	if after := len(w.life(p.ImpUID).Events); after != before {
		t.Errorf("%d events, %d before", after, before)
	}
}

func TestReversal(t *testing.T) {
	w := newWorld(t)
	p := w.pay("vbank")
	w.refuse(http.StatusConflict, "POST", "/sandbox/bank/reversals", body{"imp_uid": p.ImpUID}, "bank_tx")
	tx := must[depositAnswer](w, "POST", "/sandbox/bank/deposits", body{"imp_uid": p.ImpUID}).Deposits[0].BankTx
	if got := must[payment](w, "POST", "/sandbox/bank/reversals", body{"imp_uid": p.ImpUID, "bank_tx": tx}); got.State != "awaiting_deposit" || !got.Deposits[0].Reversed {
		t.Errorf("%+v", got)
	}
	// Told again, the bank's word changes nothing.
	if got := must[payment](w, "POST", "/sandbox/bank/reversals", body{"imp_uid": p.ImpUID, "bank_tx": tx}); got.State != "awaiting_deposit" {
		t.Errorf("%+v", got)
	}
	w.refuse(http.StatusConflict, "POST", "/sandbox/bank/reversals", body{"imp_uid": p.ImpUID, "bank_tx": "nobody"}, "bank_tx")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/bank/reversals", body{}, "imp_uid")
	w.CheckBooks()
}

type behaviour struct {
	Kind string
	For  *string
}

type orderItem struct {
	Key, Kind, State string
	Ref              *string
	Answered         bool
	HouseState       *string `json:"house_state"`
}

type changedOrders struct {
	Changed int
	Orders  []orderItem
}

func TestBankBehaviours(t *testing.T) {
	w := newWorld(t)
	if got := must[[]behaviour](w, "GET", "/sandbox/bank/behaviours", nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	must[[]behaviour](w, "POST", "/sandbox/bank/behaviours", body{"kind": "refuse", "for": "payout", "sticky": true})
	got := must[[]behaviour](w, "POST", "/sandbox/bank/behaviours", body{"kind": "late", "after": 2})
	if len(got) != 2 || got[0].Kind != "refuse" || *got[0].For != "payout" || got[1].For != nil {
		t.Errorf("%+v", got)
	}
	w.refuse(http.StatusConflict, "POST", "/sandbox/scenarios", body{"name": "payout_refused"}, "오동작")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/bank/behaviours", body{}, "kind")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/bank/behaviours", body{"kind": "explode"}, "kind")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/bank/behaviours", body{"kind": "refuse", "for": "salary"}, "for")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/bank/behaviours", body{"kind": "refuse", "after": 3}, "after")
	if got := must[[]behaviour](w, "DELETE", "/sandbox/bank/behaviours", nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestRefundsOfASilentBank cancels a purchase whose refund nobody hears of, then
// lets the bank speak, and brings the money back.
func TestRefundsOfASilentBank(t *testing.T) {
	w := newWorld(t)
	must[[]behaviour](w, "POST", "/sandbox/bank/behaviours", body{"kind": "silent", "for": "refund"})
	id := w.pay("trans").ImpUID
	w.MustV1("POST", "/payments/cancel", body{"imp_uid": id, "reason": "품절"})
	w.Drain()
	orders := must[[]orderItem](w, "GET", "/sandbox/bank/orders", nil)
	if len(orders) != 1 || orders[0].State != "sent" || orders[0].Answered || *orders[0].HouseState != "asked" || *orders[0].Ref != id {
		t.Fatalf("%+v", orders)
	}
	if p := w.life(id); p.Refunds[0].State != "ordered" {
		t.Errorf("%+v", p.Refunds)
	}
	got := must[changedOrders](w, "POST", "/sandbox/bank/releases", body{"key": orders[0].Key})
	if got.Changed != 1 || *got.Orders[0].HouseState != "sent" {
		t.Errorf("%+v", got)
	}
	if p := w.life(id); p.Refunds[0].State != "sent" {
		t.Errorf("%+v", p.Refunds)
	}
	must[changedOrders](w, "POST", "/sandbox/bank/returns", body{"key": orders[0].Key})
	if p := w.life(id); p.Refunds[0].State != "failed" || p.Tasks[0] != "refund_failed" {
		t.Errorf("%+v %+v", p.Refunds, p.Tasks)
	}
	w.refuse(http.StatusConflict, "POST", "/sandbox/bank/returns", body{"key": orders[0].Key}, "key")
	w.refuse(http.StatusNotFound, "POST", "/sandbox/bank/returns", body{"key": "nobody"}, "key")
	w.refuse(http.StatusNotFound, "POST", "/sandbox/bank/returns", body{"payout": "nobody"}, "payout")
	w.refuse(http.StatusNotFound, "POST", "/sandbox/bank/releases", body{"key": "nobody"}, "key")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/bank/returns", body{}, "key")
	w.CheckBooks()
}
