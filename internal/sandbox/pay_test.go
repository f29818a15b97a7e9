package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPayAsTheWindowWould(t *testing.T) {
	w := newWorld(t)
	t.Run("a virtual account is issued", func(t *testing.T) {
		p := must[payment](w, "POST", "/sandbox/payments", body{"pay_method": "vbank", "merchant_uid": "o-1", "amount": 30_000, "escrow": true, "vbank_due": "2026-03-12", "vbank_code": "088", "unknown": 1})
		if p.Status != "ready" || !p.Escrow || p.OrderID != "o-1" || *p.VbankCode != "088" || p.VbankNum == nil || p.VbankDate != 1773327599 {
			t.Errorf("%+v", p)
		}
		if l := w.life(p.ImpUID); l.State != "awaiting_deposit" || *l.Grounds != "asked_by_shop" {
			t.Errorf("%+v", l)
		}
	})
	t.Run("a transfer is paid, from a form", func(t *testing.T) {
		p := must[payment](w, "POST", "/sandbox/payments", url.Values{"pay_method": {"trans"}, "amount": {"30000"}, "escrow": {"true"}, "bank_code": {"020"}})
		if p.Status != "paid" || p.ApplyNum == nil || *p.BankName != "우리은행" || !strings.HasPrefix(p.OrderID, "nobody_") {
			t.Errorf("%+v", p)
		}
		if l := w.life(p.ImpUID); l.State != "held" || l.Held != 30_000 {
			t.Errorf("%+v", l)
		}
	})
	t.Run("a card is the default, and exempt", func(t *testing.T) {
		p := must[payment](w, "POST", "/sandbox/payments", body{"amount": 30_000})
		if l := w.life(p.ImpUID); p.Status != "paid" || p.CardName == nil || p.Escrow || *l.Grounds != "exempt_card" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("the buyer may choose an escrow, or not", func(t *testing.T) {
		for chosen, want := range map[bool]string{true: "chosen_by_buyer", false: "declined_by_buyer"} {
			p := must[payment](w, "POST", "/sandbox/payments", body{"pay_method": "trans", "amount": 30_000, "choose_escrow": chosen})
			if l := w.life(p.ImpUID); l.Escrow != chosen || *l.Grounds != want {
				t.Errorf("chosen %t: %+v", chosen, l)
			}
		}
	})
	w.CheckBooks()
}

func TestPayRefusesAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.MustV1("POST", "/payments/prepare", body{"merchant_uid": "prepared", "amount": 5_000})
	must[payment](w, "POST", "/sandbox/payments", body{"amount": 1_000, "merchant_uid": "taken"})
	before := len(w.life0())
	for _, c := range []struct {
		status int
		sent   any
		field  string
	}{
		{http.StatusBadRequest, body{}, "amount"},
		{http.StatusBadRequest, body{"amount": 0}, "amount"},
		{http.StatusBadRequest, body{"amount": -1}, "amount"},
		{http.StatusBadRequest, body{"amount": 10.5}, "amount"},
		{http.StatusBadRequest, body{"amount": 100, "pay_method": "phone"}, "pay_method"},
		{http.StatusBadRequest, body{"amount": 100, "pay_method": "vbank", "vbank_due": "20250101"}, "vbank_due"},
		{http.StatusBadRequest, body{"amount": 100, "pay_method": "vbank", "vbank_due": "soon"}, "vbank_due"},
		{http.StatusBadRequest, body{"amount": 100, "pay_method": "vbank", "vbank_code": "999"}, "vbank_code"},
		{http.StatusBadRequest, body{"amount": 100, "pay_method": "trans", "digital": true, "choose_escrow": true}, "choose_escrow"},
		{http.StatusBadRequest, body{"amount": 100, "tax_free": 200}, "tax_free"},
		{http.StatusConflict, body{"amount": 100, "pay_method": "trans", "digital": true, "escrow": true}, "escrow"},
		{http.StatusConflict, body{"amount": 100, "merchant_uid": "taken"}, "merchant_uid"},
		{http.StatusConflict, body{"amount": 100, "merchant_uid": "prepared"}, "amount: 사전등록된 금액"},
		{http.StatusBadRequest, []byte(`[1]`), "JSON"},
		{http.StatusBadRequest, []byte(`{"amount":1,"amount":2}`), "amount"},
		{http.StatusBadRequest, []byte("{\"amount\":1,\"name\":\"a\x00b\"}"), "NUL"},
		{http.StatusRequestEntityTooLarge, []byte(`{"name":"` + strings.Repeat("x", 1<<20) + `"}`), "1MiB"},
	} {
		w.refuse(c.status, "POST", "/sandbox/payments", c.sent, c.field)
	}
	if after := len(w.life0()); after != before {
		t.Errorf("%d payments, %d before", after, before)
	}
}

// life0 lists every payment of the shop.
func (w world) life0() []payment {
	w.T.Helper()
	var page struct{ List []payment }
	w.MustV1("GET", "/payments/status/all?limit=1000", nil).Into(w.T, &page)
	return page.List
}

func TestDecideAsTheMailedPageWould(t *testing.T) {
	w := newWorld(t)
	decide := func(id string, sent body) payment {
		return must[payment](w, "POST", "/sandbox/payments/"+id+"/decision", sent)
	}
	t.Run("confirm, twice", func(t *testing.T) {
		id := w.shipped()
		for range 2 {
			if p := decide(id, body{"decision": "confirm"}); p.State != "confirmed" || *p.Decision.Kind != "buyer" {
				t.Errorf("%+v", p)
			}
		}
		w.refuse(http.StatusConflict, "POST", "/sandbox/payments/"+id+"/decision", body{"decision": "reject", "reason": "늦음"}, "구매확정")
	})
	t.Run("reject, withdraw, reject", func(t *testing.T) {
		id := w.shipped()
		if p := decide(id, body{"decision": "reject", "reason": "파손", "refund_bank": "088", "refund_account": "110-123-456789", "refund_holder": "김하늘"}); p.State != "rejected" {
			t.Errorf("%+v", p)
		}
		if p := decide(id, body{"decision": "withdraw_rejection"}); p.State != "shipped" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("ask for a cancel", func(t *testing.T) {
		p := decide(w.pay("trans").ImpUID, body{"decision": "ask_cancel", "reason": "마음이 바뀌었습니다"})
		if len(p.Tasks) != 1 || p.Tasks[0] != "cancel_asked" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("say where to refund", func(t *testing.T) {
		p := decide(w.pay("trans").ImpUID, body{"decision": "refund_account", "refund_bank": "088", "refund_account": "110123456789", "refund_holder": "김하늘"})
		if p.State != "held" {
			t.Errorf("%+v", p)
		}
	})
	path := "/sandbox/payments/" + w.shipped() + "/decision"
	w.refuse(http.StatusBadRequest, "POST", path, body{}, "decision")
	w.refuse(http.StatusBadRequest, "POST", path, body{"decision": "maybe"}, "decision")
	w.refuse(http.StatusBadRequest, "POST", path, body{"decision": "reject"}, "reason")
	w.refuse(http.StatusBadRequest, "POST", path, body{"decision": "reject", "reason": "x", "refund_bank": "088"}, "refund_account")
	w.refuse(http.StatusConflict, "POST", path, body{"decision": "ask_withdrawal", "reason": "x"})
	w.refuse(http.StatusConflict, "POST", "/sandbox/payments/"+w.pay("trans").ImpUID+"/decision", body{"decision": "confirm"})
	w.refuse(http.StatusNotFound, "POST", "/sandbox/payments/imp_000000000000/decision", body{"decision": "confirm"})
}
