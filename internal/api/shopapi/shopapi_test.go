package shopapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servetest.OnBoth(m)) }

type shop struct{ *servetest.Server }

// ask is the answer to a request with credentials, and its body.
func (s shop) ask(method, path, text string, credentials ...string) (*http.Response, []byte) {
	s.T.Helper()
	req, err := http.NewRequestWithContext(s.T.Context(), method, s.URL+"/holdfast/v1/"+path, strings.NewReader(text))
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header["Authorization"] = credentials
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		s.T.Fatal(err)
	}
	return res, raw
}

// call asks and decodes; it fails unless the status is the one that is wanted. No
// answer has a member that is null.
func (s shop) call(want int, method, path, text string) (out map[string]any) {
	s.T.Helper()
	res, raw := s.ask(method, path, text, "PortOne "+s.API)
	if err := json.Unmarshal(raw, &out); err != nil || res.StatusCode != want || bytes.Contains(raw, []byte(":null")) {
		s.T.Fatalf("%s %s: %d %s, want %d (%v)", method, path, res.StatusCode, raw, want, err)
	}
	return out
}

func (s shop) pay(order string) {
	s.T.Helper()
	if _, err := s.App.OpenWithAccount(s.T.Context(), s.Merchant, escrow.Open{
		OrderID: order, Goods: escrow.Physical, Escrow: true, Amount: 10_000, Name: "도자기 컵", Device: "api",
	}, app.AccountOrder{Bank: "004"}); err != nil {
		s.T.Fatal(err)
	}
}

// eventually asks until it is so.
func (s shop) eventually(what string, so func() bool) {
	s.T.Helper()
	for end := time.After(20 * time.Second); !so(); {
		select {
		case <-end:
			s.T.Fatalf("%s does not come about", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func items(out map[string]any) []any { list, _ := out["items"].([]any); return list }

// TestLifeOfAnEndpoint: made with a secret that is never shown again, tested,
// failing, replayed under the same id, rotated, switched off and deleted.
func TestLifeOfAnEndpoint(t *testing.T) {
	s := shop{servetest.Run(t)}
	answers, ids := make(chan int, 100), make(chan string, 100)
	status := 500
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case status = <-answers:
		default:
		}
		ids <- r.Header.Get("webhook-id")
		w.WriteHeader(status)
	}))
	t.Cleanup(receiver.Close)
	made := s.call(200, "POST", "endpoints", `{"url":"`+receiver.URL+`","events":["Transaction.VirtualAccountIssued"],"retrySchedule":[]}`)
	id, _ := made["id"].(string)
	secret, _ := made["secret"].(string)
	if !strings.HasPrefix(secret, "whsec_") || made["secrets"] != 1.0 {
		t.Fatalf("made %v", made)
	}
	for _, path := range []string{"endpoints", "endpoints/" + id} {
		raw, _ := json.Marshal(s.call(200, "GET", path, ""))
		if bytes.Contains(raw, []byte("whsec_")) || bytes.Contains(raw, []byte(secret[6:])) {
			t.Errorf("%s shows a secret: %s", path, raw)
		}
	}
	s.pay("order-1")
	failed := "deliveries?state=failed&endpoint=" + id
	s.eventually("a failed call", func() bool { return len(items(s.call(200, "GET", failed, ""))) == 1 })
	first := <-ids
	answers <- 200
	if out := s.call(200, "POST", "endpoints/"+id+"/replay", `{"failed":true}`); out["deliveries"] != 1.0 {
		t.Errorf("replayed %v", out)
	}
	s.eventually("its arrival", func() bool { return len(items(s.call(200, "GET", failed, ""))) == 0 })
	if again := <-ids; again != first {
		t.Errorf("replayed as %s, first %s", again, first)
	}
	taken := "deliveries?state=delivered&endpoint=" + id
	s.eventually("the record of it", func() bool { return len(items(s.call(200, "GET", taken, ""))) == 1 })
	if out := s.call(200, "POST", "endpoints/"+id+"/replay", `{"fromPosition":1}`); out["deliveries"] != 1.0 || out["next"] != nil {
		t.Errorf("replayed a range: %v", out)
	}
	if again := <-ids; again != first {
		t.Errorf("replayed from a position as %s, first %s", again, first)
	}
	log, _ := s.call(200, "GET", "deliveries/"+first, "")["log"].([]any)
	if len(log) < 2 {
		t.Errorf("the log has %d attempts", len(log))
	}
	test, _ := s.call(200, "POST", "endpoints/"+id+"/test", "")["deliveryId"].(string)
	if got := <-ids; got != test {
		t.Errorf("the test came as %s, not %s", got, test)
	}
	if next, _ := s.call(200, "POST", "endpoints/"+id+"/rotate-secret", "")["secret"].(string); next == secret || !strings.HasPrefix(next, "whsec_") {
		t.Errorf("rotated to %s", next)
	}
	if got := s.call(200, "GET", "endpoints/"+id, ""); got["secrets"] != 2.0 {
		t.Errorf("after a rotation: %v", got)
	}
	s.call(409, "POST", "endpoints/"+id+"/rotate-secret", "")
	s.call(200, "POST", "endpoints/"+id+"/drop-old-secret", "")
	s.call(200, "POST", "endpoints/"+id+"/off", "")
	s.pay("order-2")
	if n := len(items(s.call(200, "GET", failed, ""))); n != 1 {
		t.Errorf("%d calls are kept while the endpoint is off", n)
	}
	s.call(409, "POST", "endpoints/"+id+"/test", "")
	no, _ := s.call(409, "POST", "deliveries/"+first+"/replay", "")["error"].(map[string]any)
	if no["code"] != "wrong_state" {
		t.Errorf("a call to what is off: %v", no)
	}
	s.call(200, "DELETE", "endpoints/"+id, "")
	s.call(404, "GET", "endpoints/"+id, "")
	s.call(404, "POST", "deliveries/"+first+"/replay", "")
	if kept := items(s.call(200, "GET", "deliveries?endpoint="+id, "")); len(kept) == 0 {
		t.Error("the calls of a deleted endpoint cannot be found")
	}
}

// TestRefusals name the field.
func TestRefusals(t *testing.T) {
	s := shop{servetest.Run(t)}
	for text, field := range map[string]string{
		`{"url":"ftp://x"}`: "url", `{}`: "url", `{"url":"http://x.example","events":["Escrow.Nothing"]}`: "events",
		`{"url":"http://x.example","format":"xml"}`: "format", `{"url":"http://x.example","retrySchedule":["0s"]}`: "retrySchedule",
		`{"url":"http://x.example","secret":"whsec_!"}`: "secret", `{"url":"http://x.example","colour":"red"}`: "colour",
	} {
		no, _ := s.call(400, "POST", "endpoints", text)["error"].(map[string]any)
		if no["field"] != field {
			t.Errorf("%s: refused %v, want the field %s", text, no, field)
		}
	}
	s.call(404, "GET", "nothing", "")
	s.call(404, "POST", "/endpoints", "{}") // a doubled slash is not redirected
	s.call(404, "GET", "endpoints/../endpoints", "")
	s.call(404, "GET", "endpoints/v2", "") // the one that stands for none
	s.call(409, "DELETE", "endpoints/v1", "")
	no, _ := s.call(400, "GET", "deliveries?endpoint=zz", "")["error"].(map[string]any)
	if no["field"] != "endpoint" {
		t.Errorf("a list of no endpoint: %v", no)
	}
}

// TestEdge holds what the operator's API does alike: one Authorization header,
// objects alone, nothing kept by a cache, and the methods that an address has.
func TestEdge(t *testing.T) {
	s := shop{servetest.Run(t)}
	good := "PortOne " + s.API
	for _, sent := range [][]string{nil, {good, good}, {good, "PortOne none"}} {
		if res, raw := s.ask("GET", "endpoints", "", sent...); res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%d headers: %d %s", len(sent), res.StatusCode, raw)
		}
	}
	if res, _ := s.ask("GET", "endpoints", "", good); res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an answer may be kept: %v", res.Header)
	}
	no, _ := s.call(400, "POST", "endpoints", "url=http://x.example")["error"].(map[string]any)
	if no["code"] != "not_object" {
		t.Errorf("a form: %v", no)
	}
	if res, raw := s.ask("PUT", "endpoints", "{}", good); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, POST" {
		t.Errorf("PUT: %d %s, Allow %q", res.StatusCode, raw, res.Header.Get("Allow"))
	}
	res, raw := s.ask("POST", "endpoints", `{"url":"`+strings.Repeat("x", 1<<20)+`"}`, good)
	if res.StatusCode != 413 {
		t.Errorf("a body beyond the bound: %d %.80s", res.StatusCode, raw)
	}
}

// TestFeed reads without gaps, waits for the next event, and says nothing twice.
func TestFeed(t *testing.T) {
	s := shop{servetest.Run(t)}
	s.pay("order-1")
	all := s.call(200, "GET", "events?after=0", "")
	events, _ := all["events"].([]any)
	next, _ := all["next"].(float64)
	if len(events) < 2 || next < 2 {
		t.Fatalf("the feed begins with %v", all)
	}
	if none := s.call(200, "GET", "events?after=2", ""); none["next"] != 2.0 {
		t.Errorf("after the end: %v", none)
	}
	end := s.call(200, "GET", "events?from=now&wait=30", "")
	if now, _ := end["events"].([]any); now == nil || len(now) > 0 || end["next"] != next {
		t.Errorf("from now: %v, want no events and %v", end, next)
	}
	s.call(400, "GET", "events?from=now&after=0", "")
	s.call(400, "GET", "events?from=then", "")
	got := make(chan map[string]any)
	go func() { got <- s.call(200, "GET", "events?after=2&wait=30", "") }()
	s.pay("order-2")
	select {
	case out := <-got:
		if out["next"].(float64) <= 2 {
			t.Errorf("woken with %v", out)
		}
	case <-time.After(20 * time.Second):
		t.Error("a reader who waits is not woken")
	}
}
