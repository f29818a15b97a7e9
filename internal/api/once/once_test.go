package once_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servetest.OnBoth(m)) }

// caller calls a server with the credentials of an edge.
type caller struct {
	*servetest.Server
	header, value string
}

func shop(s *servetest.Server) caller { return caller{s, "Authorization", s.Token()} }
func operator(s *servetest.Server) caller {
	return caller{s, "Authorization", "Bearer " + servetest.AdminToken}
}

// keyed calls with a key, which is quoted here.
func (c caller) keyed(key, method, path string, body any) servetest.Answer {
	c.T.Helper()
	return c.Call(method, path, map[string]string{c.header: c.value, once.Header: `"` + key + `"`}, body)
}

const someKey = "0123456789abcdef-a-key"

// vbank asks for a payment by a virtual account.
func vbank(order string) map[string]any {
	return map[string]any{"merchant_uid": order, "amount": 10_000, "name": "도자기 컵", "vbank_code": "004", "vbank_due": servetest.Start.AddDate(0, 0, 3).Unix(), "vbank_holder": "가게", "buyer_email": "buyer@holdfast.example", "escrow": true}
}

func payments(t testing.TB, s *servetest.Server, order string) int {
	t.Helper()
	rows, _, err := s.App.Payments(t.Context(), s.Merchant, app.Filter{OrderID: order}, app.Order{By: "opened"}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// instant asks for a payment by a virtual account in V2's words.
var instant = map[string]any{
	"method": map[string]any{"virtualAccount": map[string]any{
		"bank": "SHINHAN", "expiry": map[string]any{"validHours": 24}, "option": map[string]any{"type": "NORMAL"}, "remitteeName": "가게",
		"cashReceipt": map[string]any{"type": "NO_RECEIPT"},
	}},
	"orderName": "컵", "isEscrow": true, "amount": map[string]any{"total": 10_000}, "currency": "KRW",
}

// clients is how many clients send one request at once.
const clients = 64

// TestOneActOfMany: of many clients with one key at once one opens a payment; all
// hear the same or that it is under way, and afterwards all hear the same.
func TestOneActOfMany(t *testing.T) {
	s := servetest.Run(t)
	for _, c := range []struct {
		name, path string
		by         caller
		body       func(order string) any
		acts       func(order string) int
	}{
		{"v1", "/vbanks", shop(s), func(o string) any { return vbank(o) }, func(o string) int { return payments(t, s, o) }},
		{"sandbox", "/sandbox/payments", shop(s), func(o string) any {
			return map[string]any{"merchant_uid": o, "amount": 5_000, "name": "컵", "pay_method": "vbank", "vbank_code": "004", "escrow": true}
		}, func(o string) int { return payments(t, s, o) }},
		{"v2", "/payments/many-v2/instant", caller{s, "Authorization", "PortOne " + s.Seeded.APISecret}, func(string) any { return instant }, func(o string) int { return payments(t, s, o) }},
		{"admin", "/admin/v1/merchants/" + s.Merchant + "/keys", operator(s), func(string) any { return map[string]any{} }, func(string) int {
			keys, err := s.App.Keys(t.Context(), s.Merchant)
			if err != nil {
				t.Fatal(err)
			}
			return len(keys) - 1 // the demonstration shop has one
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			order, key := "many-"+c.name, someKey+c.name
			answers := make([]servetest.Answer, clients)
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() { answers[i] = c.by.keyed(key, http.MethodPost, c.path, c.body(order)) })
			}
			wg.Wait()
			last := c.by.keyed(key, http.MethodPost, c.path, c.body(order))
			if last.Status/100 != 2 || last.Header.Get("Idempotent-Replayed") != "true" {
				t.Fatalf("afterwards: %d %s", last.Status, last.Raw)
			}
			done := 0
			for _, a := range answers {
				switch {
				case a.Status == last.Status && bytes.Equal(a.Raw, last.Raw):
					if a.Header.Get("Idempotent-Replayed") == "" {
						done++
					}
				case a.Status == http.StatusConflict && a.Header.Get("Retry-After") != "":
				default:
					t.Errorf("%d %s", a.Status, a.Raw)
				}
			}
			if n := c.acts(order); n != 1 || done != 1 {
				t.Errorf("%d acts and %d answers at first hand", n, done)
			}
		})
	}
}

// TestOtherRequest: a key belongs to its request, and to its merchant.
func TestOtherRequest(t *testing.T) {
	s := servetest.Run(t)
	by := shop(s)
	first := by.keyed(someKey, http.MethodPost, "/payments/prepare", map[string]any{"merchant_uid": "o-1", "amount": 1000})
	if first.Status != http.StatusOK {
		t.Fatalf("%d %s", first.Status, first.Raw)
	}
	for what, a := range map[string]servetest.Answer{
		"another body":   by.keyed(someKey, http.MethodPost, "/payments/prepare", map[string]any{"merchant_uid": "o-2", "amount": 1000}),
		"another method": by.keyed(someKey, http.MethodPut, "/payments/prepare", map[string]any{"merchant_uid": "o-1", "amount": 1000}),
		"another path":   by.keyed(someKey, http.MethodPost, "/payments/cancel", map[string]any{"merchant_uid": "o-1", "amount": 1000}),
		"another query":  by.keyed(someKey, http.MethodPost, "/payments/prepare?x=1", map[string]any{"merchant_uid": "o-1", "amount": 1000}),
	} {
		if a.Status != http.StatusBadRequest || !strings.Contains(a.Text(), once.Header) {
			t.Errorf("%s: %d %s", what, a.Status, a.Raw)
		}
	}
	if a := by.keyed(someKey, http.MethodGet, "/payments/prepare/o-1", nil); a.Status != http.StatusOK || a.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("a reading call: %d %s", a.Status, a.Raw)
	}
	if a := operator(s).keyed(someKey, http.MethodPost, "/admin/v1/merchants", map[string]any{"name": "가게"}); a.Status != http.StatusCreated {
		t.Errorf("the operator's key of the same name: %d %s", a.Status, a.Raw)
	}
}

// TestForgotten: a key is known for three hours of the machine's clock, wherever the
// shop's own clock stands.
func TestForgotten(t *testing.T) {
	s := servetest.Run(t)
	by := caller{s, "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(s.Key+":"+s.Secret))}
	pay := func() servetest.Answer {
		return by.keyed(someKey, http.MethodPost, "/sandbox/payments", map[string]any{"merchant_uid": "forgotten", "amount": 5_000, "name": "컵", "pay_method": "vbank", "vbank_code": "004"})
	}
	first := pay()
	s.Advance(s.Now().Add(app.KeyLife * 8))
	s.Clock.Advance(app.KeyLife - 1000)
	if again := pay(); again.Status != http.StatusOK || !bytes.Equal(first.Raw, again.Raw) {
		t.Errorf("just before: %s, want %s", again.Raw, first.Raw)
	}
	s.Clock.Advance(1000)
	if err := s.App.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if third := pay(); third.Status != http.StatusOK || bytes.Equal(first.Raw, third.Raw) || payments(t, s, "forgotten") != 2 {
		t.Errorf("afterwards: %d payments, %s", payments(t, s, "forgotten"), third.Raw)
	}
}

// TestHeaders: what is no string of RFC 8941, or too short or long, is refused, and
// nothing happens; V1, which has no such header, takes it for none.
func TestHeaders(t *testing.T) {
	s := servetest.Run(t)
	long := strings.Repeat("k", once.KeyMax)
	for value, sound := range map[string]bool{
		`"0123456789abcdef"`: true, `"0123456789abcde"`: false, `"` + long + `"`: true, `"` + long + `k"`: false, `0123456789abcdef0123`: false,
		`"0123456789abcdef`: false, `'0123456789abcdef'`: false, `"0123456789 ~!#[]^"`: true, `"012345678\"9abcdef"`: true, `"012345678\\9abcdef"`: true,
		`"012345678\9abcdefg"`: false, `"0123456789abcde\"`: false, `"0123456"789abcdef"`: false, `"0123456789가나다라마바"`: false, "\"0123456789\tabcdef\"": false,
		`"0123456789abcdef";a=1`: false, `"0123456789abcdef", "0123456789abcdef"`: false, `"`: false, `""`: false, ``: false, `  "0123456789abcdef"`: true,
		`"0123456789\\\\\\\"`: false, `:MDEyMzQ1Njc4OWFiY2RlZg==:`: false,
	} {
		_, err := once.Parse(value)
		if (err == nil) != sound {
			t.Errorf("%s: %v", value, err)
		}
		a := s.Call(http.MethodPost, "/admin/v1/merchants", map[string]string{"Authorization": operator(s).value, once.Header: value}, map[string]any{"name": "가게" + value[:min(3, len(value))]})
		switch {
		case sound && a.Status >= http.StatusInternalServerError, !sound && (a.Status != http.StatusBadRequest || !strings.Contains(string(a.Raw), `"idempotency_key"`)):
			t.Errorf("%s: %d %s", value, a.Status, a.Raw)
		}
		if a := s.Call(http.MethodPut, "/payments/prepare", map[string]string{"Authorization": s.Token(), once.Header: value}, map[string]any{"merchant_uid": "o", "amount": 1}); !sound && a.Status != http.StatusNotFound && a.Status != http.StatusOK {
			t.Errorf("V1 with %s: %d %s", value, a.Status, a.Raw)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/admin/v1/merchants", strings.NewReader(`{"name":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {operator(s).value}, once.Header: {`"0123456789abcdef-1"`, `"0123456789abcdef-2"`}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("two headers: %d", res.StatusCode)
	}
}

// dying serves a server's calls under a key, and dies after each call has acted and
// before it is answered.
type dying struct {
	*servetest.Server
	front *httptest.Server
	mu    sync.Mutex
	lost  servetest.Answer // what would have been answered
	lives bool
}

// dies stands before a server. merchant is whose keys it guards.
func dies(t *testing.T, s *servetest.Server, merchant string) *dying {
	t.Helper()
	d := &dying{Server: s}
	guard := once.Guard{App: s.App, Log: slog.New(slog.DiscardHandler), Refuse: func(w http.ResponseWriter, _ *http.Request, why once.Reason) {
		w.WriteHeader(why.Status())
		_, _ = fmt.Fprint(w, why.English())
	}}
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(once.Header) // the outer guard has it
		d.mu.Lock()
		defer d.mu.Unlock()
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		if !d.lives {
			d.lost = servetest.Answer{Status: rec.Code, Raw: rec.Body.Bytes()}
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
	d.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guard.Serve(w, r, merchant, inner) }))
	t.Cleanup(d.front.Close)
	return d
}

// single sends a request once. Go's transport repeats one with a key by itself when
// a connection that it used before breaks.
var single = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// call sends a request that dies, and then again. It returns what was lost and
// what was answered the second time.
func (d *dying) call(t *testing.T, authorization, key, method, path string, body any) (lost, again servetest.Answer) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	for _, lives := range []bool{false, true} {
		d.mu.Lock()
		d.lives = lives
		d.mu.Unlock()
		req, err := http.NewRequestWithContext(t.Context(), method, d.front.URL+path, bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {authorization}, once.Header: {`"` + key + `"`}}
		res, err := single.Do(req)
		if !lives {
			if err == nil {
				t.Fatalf("%s %s answered although it died", method, path)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		_, _ = out.ReadFrom(res.Body)
		_ = res.Body.Close()
		again = servetest.Answer{Status: res.StatusCode, Raw: out.Bytes(), Header: res.Header}
		_ = json.Unmarshal(out.Bytes(), &again)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = json.Unmarshal(d.lost.Raw, &d.lost)
	return d.lost, again
}

// TestDiesBeforeTheAnswer: each call acts and dies; repeated, it acts no more and
// answers as it would have.
func TestDiesBeforeTheAnswer(t *testing.T) {
	s := servetest.Run(t)
	s.Loops.Retire(t.Context()) // a letter that is sent meanwhile would change the payment that is shown
	byShop, byOperator := dies(t, s, s.Merchant), dies(t, s, "")
	n := 0
	actAs := func(authorization string, d *dying, method, path string, body any) servetest.Answer {
		t.Helper()
		n++
		before := rows(t, s)
		lost, again := d.call(t, authorization, fmt.Sprintf("%s-%d", someKey, n), method, path, body)
		if lost.Status/100 != 2 {
			t.Fatalf("%s %s would have been %d %s", method, path, lost.Status, lost.Raw)
		}
		if again.Status != lost.Status || !bytes.Equal(again.Raw, lost.Raw) {
			t.Errorf("%s %s: answered %d %s, want %d %s", method, path, again.Status, again.Raw, lost.Status, lost.Raw)
		}
		if added := rows(t, s) - before; added > 8 { // one life of a payment makes a few events
			t.Errorf("%s %s added %d rows", method, path, added)
		}
		return again
	}
	act := func(d *dying, method, path string, body any) servetest.Answer {
		t.Helper()
		if d == byOperator {
			return actAs(operator(s).value, d, method, path, body)
		}
		return actAs(s.Token(), d, method, path, body)
	}
	v2 := func(path string, body any) servetest.Answer {
		t.Helper()
		return actAs("PortOne "+s.Seeded.APISecret, byShop, http.MethodPost, path, body)
	}
	type payment struct {
		ImpUID    string `json:"imp_uid"`
		VbankNum  string `json:"vbank_num"`
		VbankCode string `json:"vbank_code"`
	}
	var p payment
	act(byShop, http.MethodPost, "/payments/prepare", map[string]any{"merchant_uid": "die-1", "amount": 10_000})
	act(byShop, http.MethodPost, "/vbanks", vbank("die-1")).Into(t, &p)
	if got := payments(t, s, "die-1"); got != 1 {
		t.Errorf("%d payments of the order", got)
	}
	act(byShop, http.MethodPost, "/sandbox/bank/deposits", map[string]any{"imp_uid": p.ImpUID})
	if got, err := s.App.Payment(t.Context(), s.Merchant, p.ImpUID); err != nil || len(got.Deposits) != 1 {
		t.Errorf("%d deposits: %v", len(got.Deposits), err)
	}
	act(byShop, http.MethodPost, "/receipts/"+p.ImpUID, map[string]any{"identifier": "01012345678", "identifier_type": "phone"})
	act(byShop, http.MethodDelete, "/receipts/"+p.ImpUID, nil)
	act(byShop, http.MethodPost, "/escrows/logis/"+p.ImpUID, map[string]any{
		"sender":   map[string]any{"name": "가게", "tel": "0212345678", "addr": "서울", "postcode": "04524"},
		"receiver": map[string]any{"name": "김하늘", "tel": "01012345678", "addr": "서울", "postcode": "04524"},
		"logis":    map[string]any{"company": "CJ", "invoice": "123456789012", "sent_at": s.Now().Unix()},
	})
	act(byOperator, http.MethodPost, "/admin/v1/merchants/"+s.Merchant+"/payments/"+p.ImpUID+"/hold", map[string]any{"reason": "확인"})
	act(byOperator, http.MethodPost, "/admin/v1/merchants/"+s.Merchant+"/payments/"+p.ImpUID+"/release", map[string]any{})
	act(byShop, http.MethodPost, "/sandbox/carrier/parcels", map[string]any{"imp_uid": p.ImpUID, "script": "deliver_now"})
	act(byShop, http.MethodPost, "/sandbox/payments/"+p.ImpUID+"/decision", map[string]any{"decision": "confirm"})

	act(byShop, http.MethodPost, "/sandbox/payments", map[string]any{"merchant_uid": "die-2", "amount": 5_000, "name": "컵", "pay_method": "vbank", "vbank_code": "004", "escrow": true}).Into(t, &p)
	act(byShop, http.MethodPost, "/sandbox/bank/deposits", map[string]any{"imp_uid": p.ImpUID})
	act(byShop, http.MethodPost, "/payments/cancel", map[string]any{"imp_uid": p.ImpUID, "refund_holder": "김하늘", "refund_bank": "04", "refund_account": "11012345678901"})
	if got, err := s.App.Payment(t.Context(), s.Merchant, p.ImpUID); err != nil || len(got.Refunds) != 1 {
		t.Errorf("%d refunds: %v", len(got.Refunds), err)
	}
	act(byShop, http.MethodPost, "/sandbox/payments", map[string]any{"merchant_uid": "die-3", "amount": 5_000, "name": "컵", "pay_method": "card", "escrow": true})
	act(byShop, http.MethodPost, "/sandbox/bank/behaviours", map[string]any{"kind": "refuse", "for": "refund"})
	act(byShop, http.MethodDelete, "/sandbox/bank/behaviours", nil)

	v2("/payments/v2-1/pre-register", map[string]any{"totalAmount": 10_000})
	v2("/payments/v2-1/instant", instant)
	for _, order := range []string{"agreed-vbank", "agreed-card"} {
		v2("/payments/"+order+"/confirm", map[string]any{"paymentToken": agreed(t, s, order)})
	}
	found, _, err := s.App.Payments(t.Context(), s.Merchant, app.Filter{OrderID: "v2-1"}, app.Order{By: "opened"}, 0, 10)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d payments of a V2 order: %v", len(found), err)
	}
	act(byShop, http.MethodPost, "/sandbox/bank/deposits", map[string]any{"imp_uid": found[0].ID})
	m, err := s.App.Merchant(t.Context(), s.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	channel := m.ChannelKey
	v2("/cash-receipts", map[string]any{"paymentId": "v2-1", "type": "PERSONAL", "orderName": "컵", "currency": "KRW", "amount": map[string]any{"total": 10_000}, "customer": map[string]any{"identityNumber": "01012345678"}, "channelKey": channel})
	v2("/payments/v2-1/cash-receipt/cancel", nil)
	v2("/payments/v2-1/cancel", map[string]any{"reason": "품절", "refundAccount": map[string]any{"bank": "KOOKMIN", "number": "11012345678901", "holderName": "김하늘"}})

	var endpoint struct{ ID string }
	if err := json.Unmarshal(v2("/holdfast/v1/endpoints", map[string]any{"url": "https://shop.example/hook"}).Raw, &endpoint); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"rotate-secret", "drop-old-secret", "off", "on", "test"} {
		v2("/holdfast/v1/endpoints/"+endpoint.ID+"/"+what, nil)
	}

	act(byOperator, http.MethodPost, "/admin/v1/merchants", map[string]any{"name": "새 가게"})
	act(byOperator, http.MethodPatch, "/admin/v1/merchants/"+s.Merchant, map[string]any{"phone": "02-123-4567"})
	act(byOperator, http.MethodPost, "/admin/v1/merchants/"+s.Merchant+"/keys", map[string]any{})
	act(byOperator, http.MethodPost, "/admin/v1/merchants/"+s.Merchant+"/staff", map[string]any{"email": "a@holdfast.example"})
	act(byOperator, http.MethodPost, "/admin/v1/merchants/"+s.Merchant+"/payouts/resume", map[string]any{})
	act(byOperator, http.MethodPost, "/admin/v1/calendar/overrides", map[string]any{"date": "2026-06-09", "closed": true, "reason": "임시"})
	act(byOperator, http.MethodDelete, "/admin/v1/calendar/overrides/2026-06-09", nil)

	s.CheckBooks()
}

// agreed is the token of a buyer who went to the end of the window of a shop with
// manual approval.
func agreed(t *testing.T, s *servetest.Server, order string) string {
	t.Helper()
	method := map[string]escrow.Method{"agreed-vbank": escrow.VirtualAccount, "agreed-card": escrow.Card}[order]
	p, err := s.App.Open(t.Context(), escrow.Shop, s.Merchant, escrow.Open{OrderID: order, Amount: 10_000, Goods: escrow.Physical, Method: method, Name: "컵", V2: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.Choose(t.Context(), s.Merchant, p.ID, app.Checkout{Method: method}); err != nil {
		t.Fatal(err)
	}
	token, err := s.App.Agree(t.Context(), s.Merchant, p.ID, app.Agreement{Account: app.AccountOrder{Bank: "088"}, Approval: escrow.Approve{ApprovalNo: "12345678"}})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestDiesWhileTimePasses: a clock is not moved twice, and a story is not told twice.
func TestDiesWhileTimePasses(t *testing.T) {
	s := servetest.Run(t)
	byShop := dies(t, s, s.Merchant)
	from := s.Now()
	lost, again := byShop.call(t, s.Token(), someKey+"-clock", http.MethodPost, "/sandbox/clock/advance", map[string]any{"by": "24h"})
	if lost.Status != http.StatusOK || again.Status != http.StatusOK || s.Now().Sub(from).Hours() != 24 {
		t.Errorf("a day became %s: %d %s", s.Now().Sub(from), again.Status, again.Raw)
	}
	lost, again = byShop.call(t, s.Token(), someKey+"-story", http.MethodPost, "/sandbox/scenarios", map[string]any{"name": "confirm"})
	if lost.Status != http.StatusOK || again.Status != once.Lost.Status() {
		t.Errorf("a story that was told with %d %s: %d %s", lost.Status, lost.Raw, again.Status, again.Raw)
	}
	s.CheckBooks()
}

// rows counts what acts leave.
func rows(t *testing.T, s *servetest.Server) int {
	t.Helper()
	position, err := s.App.LastPosition(t.Context(), s.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	n := int(position)
	for _, id := range []string{"", s.Merchant} {
		log, err := s.App.Audit(t.Context(), id, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		n += len(log)
	}
	return n
}
