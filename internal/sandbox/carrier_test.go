package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
)

type directedAnswer struct {
	Parcels []struct {
		Invoice, Script string
		Reachable, Seen bool
		DeliveredAt     *string `json:"delivered_at"`
		Refused         *string
	}
	Payment payment
}

func TestParcelScripts(t *testing.T) {
	w := newWorld(t)
	direct := func(sent body) directedAnswer {
		return must[directedAnswer](w, "POST", "/sandbox/carrier/parcels", sent)
	}
	at := body{"at": "2026-03-10T15:00:00+09:00"}
	for script, want := range map[string]string{"deliver_now": "delivered", "never_seen": "shipped", "lost": "shipped", "down": "shipped", "usual": "shipped"} {
		got := direct(body{"imp_uid": w.shipped(), "script": script})
		if got.Payment.State != want || got.Parcels[0].Script != script || got.Parcels[0].Reachable == (script == "down") {
			t.Errorf("%s: %+v", script, got)
		}
	}
	id := w.shipped()
	if got := direct(body{"imp_uid": id, "script": "deliver_at", "at": at["at"]}); got.Payment.State != "shipped" {
		t.Errorf("%+v", got)
	}
	w.advance(body{"to": "2026-03-10T14:59:00+09:00"})
	if p := w.life(id); p.State != "shipped" {
		t.Errorf("a minute early: %s", p.State)
	}
	if got := w.advance(body{"to": at["at"]}); !has(got.Happened, "event", "Delivered") || w.life(id).State != "delivered" {
		t.Errorf("%+v", got)
	}
	parcels := must[[]struct{ Invoice, Script string }](w, "GET", "/sandbox/carrier/parcels", nil)
	if len(parcels) != 1 || parcels[0].Script != "deliver_at" { // the shop ships every parcel under one number here
		t.Errorf("%+v", parcels)
	}
}

func TestParcelByNumber(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	got := must[directedAnswer](w, "POST", "/sandbox/carrier/parcels", body{"company": "CJGLS", "invoice": "123456789012", "script": "deliver_now"})
	if got.Payment.ImpUID != id || got.Payment.State != "delivered" {
		t.Errorf("%+v", got)
	}
	w.refuse(http.StatusNotFound, "POST", "/sandbox/carrier/parcels", body{"company": "HANJIN", "invoice": "123456789012", "script": "lost"}, "invoice")
}

// TestImpossibleDelivery is a carrier that reports a delivery from before the
// goods were sent: it is told, not believed, and no deadline follows from it.
func TestImpossibleDelivery(t *testing.T) {
	w := newWorld(t)
	w.advance(body{"by": "10d"})
	id := w.shipped()
	got := must[directedAnswer](w, "POST", "/sandbox/carrier/parcels", body{"imp_uid": id, "script": "deliver_at", "at": "2026-03-10T09:00:00+09:00"})
	if got.Payment.State != "shipped" || got.Parcels[0].Refused == nil || !strings.Contains(*got.Parcels[0].Refused, "before the sending") {
		t.Errorf("%+v", got)
	}
}

func TestParcelRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	for _, c := range []struct {
		status int
		sent   body
		field  string
	}{
		{http.StatusBadRequest, body{"imp_uid": id}, "script"},
		{http.StatusBadRequest, body{"imp_uid": id, "script": "explode"}, "script"},
		{http.StatusBadRequest, body{"imp_uid": id, "script": "deliver_at"}, "at"},
		{http.StatusBadRequest, body{"imp_uid": id, "script": "lost", "at": "2026-03-10T09:00:00+09:00"}, "at"},
		{http.StatusBadRequest, body{"script": "lost"}, "company"},
		{http.StatusConflict, body{"imp_uid": w.pay("trans").ImpUID, "script": "lost"}, "imp_uid"},
		{http.StatusNotFound, body{"imp_uid": "imp_000000000000", "script": "lost"}, ""},
	} {
		w.refuse(c.status, "POST", "/sandbox/carrier/parcels", c.sent, c.field)
	}
}

// TestCarrierDownForDays falls back to six business days after the registration.
func TestCarrierDownForDays(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	must[directedAnswer](w, "POST", "/sandbox/carrier/parcels", body{"imp_uid": id, "script": "down"})
	w.advance(body{"business_days": 5})
	if p := w.life(id); p.State != "shipped" {
		t.Errorf("after five days: %s", p.State)
	}
	w.advance(body{"business_days": 1})
	if p := w.life(id); p.State != "confirmed" || *p.Decision.Kind != "auto" {
		t.Errorf("after six days: %+v", p)
	}
}
