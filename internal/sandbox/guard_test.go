package sandbox_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/sandbox"
)

// party makes another merchant and returns its credentials.
func (w world) party(name string, mode merchant.Mode) (string, app.KeyPair) {
	w.T.Helper()
	ctx := context.Background()
	m, err := w.App.CreateMerchant(ctx, "test", "", name, mode, func(m *merchant.Merchant) { m.Origins = []string{"https://shop.example"} })
	if err != nil {
		w.T.Fatal(err)
	}
	pair, err := w.App.CreateKey(ctx, "test", m.ID, app.KeyPair{})
	if err != nil {
		w.T.Fatal(err)
	}
	return m.ID, pair
}

// everyCall lists every operation of the document with its path filled in.
func everyCall(t *testing.T, id string) [][2]string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(sandbox.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var out [][2]string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			out = append(out, [2]string{method, strings.NewReplacer("{imp_uid}", id, "{id}", id).Replace(path)})
		}
	}
	return append(out, [2]string{"GET", "/sandbox"}, [2]string{"POST", "/sandbox"}, [2]string{"GET", "/sandbox/mails/" + id + "/body"})
}

// TestNothingTouchesALiveMerchant: to the credentials of a live merchant no
// address of the sandbox exists, whatever is sent.
func TestNothingTouchesALiveMerchant(t *testing.T) {
	w := newWorld(t)
	live, pair := w.party("실운영상점", merchant.Live)
	token, err := w.App.IssueToken(context.Background(), pair.Key, pair.Secret)
	if err != nil {
		t.Fatal(err)
	}
	before, err := w.App.Merchant(context.Background(), live)
	if err != nil {
		t.Fatal(err)
	}
	sent := body{
		"amount": 1000, "pay_method": "trans", "decision": "confirm", "by": "1d", "imp_uid": "imp_1", "kind": "refuse", "key": "k", "script": "lost",
		"name": "confirm", "act": "advance",
	}
	calls := everyCall(t, "imp_1")
	if len(calls) < 24 {
		t.Errorf("only %d calls are known", len(calls))
	}
	for _, call := range calls {
		for _, headers := range []map[string]string{basic(pair.Key, pair.Secret), {"Authorization": "Bearer " + token.Value}, {"X-ImpTokenHeader": token.Value}} {
			got := w.Call(call[0], call[1], headers, sent)
			if got.Status != http.StatusNotFound || string(got.Response) != "null" {
				t.Errorf("%s %s: %d %s", call[0], call[1], got.Status, got.Raw)
			}
		}
	}
	after, err := w.App.Merchant(context.Background(), live)
	if err != nil {
		t.Fatal(err)
	}
	if !w.App.MerchantNow(&after).Equal(w.Clock.Now()) || after.Version != before.Version {
		t.Errorf("the live merchant was changed: %+v", after)
	}
	if found, total, err := w.App.Payments(context.Background(), live, app.Filter{}, app.Order{}, 0, 1); err != nil || total != 0 {
		t.Errorf("%v %v", found, err)
	}
}

// TestOthersDoNotExist: another sandbox merchant's payments and letters are not found.
func TestOthersDoNotExist(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	mail := must[[]mailItem](w, "GET", "/sandbox/mails?imp_uid="+id, nil)[0].ID
	account := w.pay("vbank")
	_, pair := w.party("다른상점", merchant.Sandbox)
	for _, c := range []struct {
		method, path string
		sent         any
	}{
		{"GET", "/sandbox/payments/" + id, nil},
		{"POST", "/sandbox/payments/" + id + "/decision", body{"decision": "confirm"}},
		{"POST", "/sandbox/carrier/parcels", body{"imp_uid": id, "script": "deliver_now"}},
		{"POST", "/sandbox/carrier/parcels", body{"company": "CJGLS", "invoice": "123456789012", "script": "deliver_now"}},
		{"POST", "/sandbox/bank/deposits", body{"imp_uid": account.ImpUID}},
		{"POST", "/sandbox/bank/deposits", body{"vbank_code": *account.VbankCode, "vbank_num": *account.VbankNum}},
		{"POST", "/sandbox/bank/reversals", body{"imp_uid": account.ImpUID}},
		{"GET", "/sandbox/mails?imp_uid=" + id, nil},
		{"GET", "/sandbox/mails/" + mail, nil},
		{"POST", "/sandbox/mails/" + mail + "/bounce", nil},
	} {
		if got := w.as(basic(pair.Key, pair.Secret), c.method, c.path, c.sent); got.Status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Status, got.Raw)
		}
	}
	if p := w.life(id); p.State != "shipped" {
		t.Errorf("%+v", p)
	}
}

func TestCredentials(t *testing.T) {
	w := newWorld(t)
	for _, headers := range []map[string]string{nil, {"Authorization": "hfv1~x~y"}, basic(w.Key, "wrong"), basic("wrong", w.Secret), basic(w.Secret, w.Key)} {
		if got := w.as(headers, "GET", "/sandbox/clock", nil); got.Status != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%v: %d %s", headers, got.Status, got.Raw)
		}
	}
	for _, headers := range []map[string]string{basic(w.Key, w.Secret), {"Authorization": w.Token()}, {"Authorization": "Bearer " + w.Token()}, {"X-ImpTokenHeader": w.Token()}} {
		if got := w.as(headers, "GET", "/sandbox/clock/", nil); got.Status != http.StatusOK {
			t.Errorf("%v: %d %s", headers, got.Status, got.Raw)
		}
	}
	if got := w.Call("GET", "/sandbox", nil, nil); got.Status != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("the page does not ask for a key: %d %v", got.Status, got.Header)
	}
	// Guessing is slowed down, and says so.
	var last int
	for range 40 {
		last = w.as(basic(w.Key, "guess"), "GET", "/sandbox/clock", nil).Status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the fortieth guess is answered with %d", last)
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	w := newWorld(t)
	now := w.Now()
	for _, path := range []string{"/sandbox", "/sandbox/clock/advance"} {
		headers := basic(w.Key, w.Secret)
		headers["Sec-Fetch-Site"], headers["Origin"] = "cross-site", "https://evil.example"
		if got := w.Call("POST", path, headers, body{"act": "advance", "by": "1d"}); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	if !w.Now().Equal(now) {
		t.Error("another site moved the clock")
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	w := newWorld(t)
	for path, status := range map[string]int{"/sandbox/nothing": http.StatusNotFound, "/sandbox/payments": http.StatusMethodNotAllowed} {
		got := w.Call("GET", path, basic(w.Key, w.Secret), nil)
		if got.Status != status || got.Code != -1 || got.Text() == "" {
			t.Errorf("%s: %d %s", path, got.Status, got.Raw)
		}
	}
}

// TestWhatIsNotThereIsNoWrongRequest: the message says what is missing, and no
// more, in the language of whoever asked.
func TestWhatIsNotThereIsNoWrongRequest(t *testing.T) {
	w := newWorld(t)
	english := basic(w.Key, w.Secret)
	english["Accept-Language"] = "en"
	for path, want := range map[string][2]string{
		"/sandbox/nothing":                   {"존재하지 않는 경로입니다.", "there is no such address; /docs/sandbox lists those of the sandbox"},
		"/sandbox/payments/imp_000000000000": {"존재하지 않는 결제정보입니다.", "there is no such payment"},
		"/sandbox/mails/nobody":              {"id: 존재하지 않는 메일입니다.", "id: there is no such mail"},
	} {
		for n, headers := range []map[string]string{basic(w.Key, w.Secret), english} {
			if got := w.Call("GET", path, headers, nil); got.Status != http.StatusNotFound || got.Text() != want[n] {
				t.Errorf("%s: %d %q, want %q", path, got.Status, got.Text(), want[n])
			}
		}
	}
}

func TestRefusalsSpeakTheCallersLanguage(t *testing.T) {
	w := newWorld(t)
	headers := basic(w.Key, w.Secret)
	headers["Accept-Language"] = "en-US,en;q=0.9"
	if got := w.as(headers, "POST", "/sandbox/clock/advance", body{"by": "-1d"}); got.Text() != "by: must be a time span such as 36h, 90m or 3d" {
		t.Error(got.Text())
	}
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/clock/advance", body{"by": "-1d"}, "기간이어야 합니다")
}
