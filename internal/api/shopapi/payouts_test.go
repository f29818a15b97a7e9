package shopapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/holdfast-pay/holdfast/internal/api/shopapi"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// sold takes a payment from its order to the buyer's confirmation.
func (s shop) sold(order string) {
	s.T.Helper()
	p, err := s.App.OpenWithAccount(s.T.Context(), s.Merchant, escrow.Open{
		OrderID: order, Goods: escrow.Physical, Escrow: true, Amount: 10_000, Name: "도자기 컵", Device: "api",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example"},
	}, app.AccountOrder{Bank: "004"})
	if err != nil {
		s.T.Fatal(err)
	}
	number := "6" + p.ID[len(p.ID)-11:]
	for _, step := range []struct {
		actor escrow.Actor
		cmd   escrow.Command
	}{
		{escrow.Bank, escrow.NotifyDeposit{BankTx: "tx-" + p.ID, Amount: 10_000, At: s.Now()}},
		{escrow.Shop, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: number}}, Trackable: true, SentAt: s.Now()}},
		{escrow.Carrier, escrow.ReportTracking{Number: number, Seen: true, DeliveredAt: s.Now()}},
		{escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer}},
	} {
		if _, err := s.App.Do(s.T.Context(), step.actor, s.Merchant, p.ID, step.cmd); err != nil {
			s.T.Fatalf("%s: %v", step.cmd.Verb(), err)
		}
	}
}

// documented asks a documented call and holds its answer, and the example beside it,
// against the document: both have the same members.
func (s shop) documented(doc *openapi3.T, path, asked string) map[string]any {
	s.T.Helper()
	media := doc.Paths.Value(path).Get.Responses.Value("200").Value.Content.Get("application/json")
	out := s.call(http.StatusOK, http.MethodGet, asked, "")
	for name, v := range map[string]any{"answer": out, "example": media.Example} {
		if err := media.Schema.Value.VisitJSON(v); err != nil {
			s.T.Errorf("the %s of %s: %v", name, path, err)
		}
	}
	example, _ := media.Example.(map[string]any)
	first := func(v map[string]any) map[string]any {
		if list := items(v); len(list) > 0 {
			v, _ = list[0].(map[string]any)
		}
		return v
	}
	got, want := first(out), first(example)
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		s.T.Errorf("%s answers %v, the example is %v", path, got, want)
	}
	for _, same := range []string{"state", "amount", "gross", "fee", "vat", "net", "deducted", "kind", "paymentId", "bank"} {
		if got[same] != want[same] {
			s.T.Errorf("%s: %s is %v, in the example %v", path, same, got[same], want[same])
		}
	}
	return out
}

// TestPayouts: a shop finds what a payout holds, as the document's examples say, in
// pages, and nothing of another shop.
func TestPayouts(t *testing.T) {
	s := shop{servetest.Run(t)}
	doc, err := openapi3.NewLoader().LoadFromData(shopapi.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	s.sold("order-1")
	s.Advance(s.Now().Add(10 * 24 * time.Hour))
	list := items(s.documented(doc, "/payouts", "payouts"))
	if len(list) != 1 {
		t.Fatalf("%d payouts", len(list))
	}
	first, _ := list[0].(map[string]any)
	id, _ := first["id"].(string)
	s.documented(doc, "/payouts/{id}", "payouts/"+id)
	s.documented(doc, "/payouts/{id}/lines", "payouts/"+id+"/lines")
	s.fed(id)
	s.came(id)
	s.call(http.StatusNotFound, http.MethodGet, "payouts/none", "")
	s.call(http.StatusNotFound, http.MethodGet, "payouts/none/lines", "")
	s.call(http.StatusBadRequest, http.MethodGet, "payouts/"+id+"/lines?limit=1001", "")
	s.call(http.StatusBadRequest, http.MethodGet, "payouts/"+id+"/lines?offset=1", "")
}

// fed asks the feed for the payout's event.
func (s shop) fed(id string) {
	s.T.Helper()
	events, _ := s.call(http.StatusOK, http.MethodGet, "events?after=0&limit=500", "")["events"].([]any)
	n := 0
	for _, e := range events {
		raw, _ := json.Marshal(e)
		var told struct {
			ID, Type string
			Body     struct {
				Data struct{ PayoutID, PaymentID string }
			}
		}
		if err := json.Unmarshal(raw, &told); err != nil {
			s.T.Fatal(err)
		}
		if told.Type == "Escrow.PayoutSent" {
			if n++; told.Body.Data.PayoutID != id || told.Body.Data.PaymentID != "" || told.ID != app.MessageID(id, 1, told.Type) {
				s.T.Errorf("the feed tells %s", raw)
			}
		}
	}
	if n != 1 {
		s.T.Errorf("the feed tells of %d payouts", n)
	}
	if old, _ := s.call(http.StatusOK, http.MethodGet, "events?after=0&limit=500&format=2024-01-01", "")["events"].([]any); len(old) == 0 || len(old) >= len(events) {
		s.T.Errorf("the feed in the older format has %d of %d", len(old), len(events))
	}
}

// came lets a payout come back, and be paid again with the sales since, in pages of one line.
func (s shop) came(id string) {
	s.T.Helper()
	if err := s.App.PayoutResult(s.T.Context(), s.Merchant, id, false, "해지된 계좌"); err != nil {
		s.T.Fatal(err)
	}
	if got := s.call(http.StatusOK, http.MethodGet, "payouts/"+id, ""); got["state"] != "returned" || got["reason"] != "해지된 계좌" {
		s.T.Errorf("come back: %v", got)
	}
	if err := s.App.ResumePayouts(s.T.Context(), "operator", s.Merchant); err != nil {
		s.T.Fatal(err)
	}
	s.sold("order-2")
	s.sold("order-3")
	s.Advance(s.Now().Add(10 * 24 * time.Hour))
	var net, amount, lines float64
	kinds := map[string]int{}
	for _, p := range items(s.call(http.StatusOK, http.MethodGet, "payouts?limit=2", "")) {
		p, _ := p.(map[string]any)
		if p["id"] == id {
			continue
		}
		amount += p["amount"].(float64)
		lines += p["lines"].(float64)
		for after, more := "", true; more; {
			out := s.call(http.StatusOK, http.MethodGet, "payouts/"+p["id"].(string)+"/lines?limit=1&after="+after, "")
			page := items(out)
			more, _ = out["more"].(bool)
			if len(page) != 1 {
				s.T.Fatalf("a page has %d lines", len(page))
			}
			l, _ := page[0].(map[string]any)
			after, _ = l["id"].(string)
			kinds[l["kind"].(string)]++
			net += l["net"].(float64)
			if l["kind"] == "returned" && (l["payoutId"] != id || l["transactionId"] != nil) {
				s.T.Errorf("the line of what came back is %v", l)
			}
		}
	}
	if net != amount || kinds["sale"]+kinds["returned"] != int(lines) {
		s.T.Errorf("lines of %v won and %v, the payouts have %v won and %v lines", net, kinds, amount, lines)
	}
	s.CheckBooks()
}
