package sandbox_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/holdfast-pay/holdfast/internal/sandbox"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// world is the real server, and every answer of its sandbox is held against the
// published document.
type world struct{ *servetest.Server }

func newWorld(t *testing.T, options ...servetest.Option) world {
	t.Helper()
	return world{servetest.Run(t, options...)}
}

type body map[string]any

func basic(key, secret string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"+secret))}
}

// ask calls the sandbox with the demonstration shop's key pair.
func (w world) ask(method, path string, sent any) servetest.Answer {
	w.T.Helper()
	return w.as(basic(w.Key, w.Secret), method, path, sent)
}

func (w world) as(headers map[string]string, method, path string, sent any) servetest.Answer {
	w.T.Helper()
	got := w.Call(method, path, headers, sent)
	if err := againstDocument(method, path, got); err != nil {
		w.T.Errorf("%s %s answered %d %s: %v", method, path, got.Status, got.Raw, err)
	}
	return got
}

// must asks for what has to succeed and decodes the answer.
func must[T any](w world, method, path string, sent any) T {
	w.T.Helper()
	got := w.ask(method, path, sent)
	if got.Status != http.StatusOK || got.Code != 0 {
		w.T.Fatalf("%s %s %v: %d %s", method, path, sent, got.Status, got.Raw)
	}
	var out T
	if err := json.Unmarshal(got.Response, &out); err != nil {
		w.T.Fatalf("%s: %v", got.Raw, err)
	}
	return out
}

// refuse asks for what has to be refused, with a message that has every part.
func (w world) refuse(status int, method, path string, sent any, parts ...string) {
	w.T.Helper()
	got := w.ask(method, path, sent)
	if got.Status != status || got.Code == 0 || string(got.Response) != "null" {
		w.T.Errorf("%s %s %v: %d %s, want %d", method, path, sent, got.Status, got.Raw, status)
	}
	for _, part := range parts {
		if !strings.Contains(got.Text(), part) {
			w.T.Errorf("%s %s %v: %q lacks %q", method, path, sent, got.Text(), part)
		}
	}
}

var document = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(sandbox.OpenAPI())
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

func againstDocument(method, path string, got servetest.Answer) error {
	router, err := document()
	if err != nil {
		return err
	}
	plain, _, _ := strings.Cut(path, "?")
	req := &http.Request{Method: method, URL: &url.URL{Path: plain}, Header: http.Header{}}
	route, params, err := router.FindRoute(req)
	if err != nil {
		return err
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 got.Status, Header: got.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(got.Raw)
	return openapi3filter.ValidateResponse(context.Background(), input)
}

// payment is what the tests read of a payment, in either shape.
type payment struct {
	ImpUID    string `json:"imp_uid"`
	OrderID   string `json:"merchant_uid"`
	Status    string
	State     string
	Escrow    bool
	Grounds   *string
	Amount    int64
	Held      int64
	Suspended int64
	ApplyNum  *string `json:"apply_num"`
	BankName  *string `json:"bank_name"`
	CardName  *string `json:"card_name"`
	VbankCode *string `json:"vbank_code"`
	VbankNum  *string `json:"vbank_num"`
	VbankDate int64   `json:"vbank_date"`
	Notice    *string
	Deposits  []deposit
	Account   *struct{ Due string }
	Delivery  *struct {
		Parcels []struct{ Company, Invoice string }
	}
	Deadline *struct {
		LastDay   string `json:"last_day"`
		Rule      string
		Projected bool
	}
	Decision *struct {
		Verdict string
		Kind    *string
	}
	Refunds     []struct{ State string }
	Tasks       []string
	DecisionURL *string `json:"decision_url"`
	Events      []happened
}

type deposit struct {
	BankTx   string `json:"bank_tx"`
	Amount   int64
	Outcome  string
	Reversed bool
	Payer    string
}

type happened struct {
	At     string
	What   string
	ImpUID *string `json:"imp_uid"`
	Type   string
	Detail *string
}

type advanced struct {
	Now, From string
	Happened  []happened
	Count     int
	Truncated bool
}

func (w world) life(id string) payment {
	w.T.Helper()
	return must[payment](w, "GET", "/sandbox/payments/"+id, nil)
}

// pay buys physical goods in escrow.
func (w world) pay(method string) payment {
	w.T.Helper()
	return must[payment](w, "POST", "/sandbox/payments", body{
		"pay_method": method, "amount": 50_000, "name": "가죽 구두", "escrow": true, "buyer_name": "김하늘", "buyer_email": "buyer@holdfast.example",
	})
}

// ship registers a delivery as the shop does.
func (w world) ship(id, company string) {
	w.T.Helper()
	w.MustV1("POST", "/escrows/logis/"+id, body{"logis": body{"company": company, "invoice": "123456789012", "sent_at": w.Now().Unix()}})
	w.Drain()
}

// shipped is a payment on its way to the buyer.
func (w world) shipped() string {
	w.T.Helper()
	id := w.pay("trans").ImpUID
	w.ship(id, "CJGLS")
	return id
}

func (w world) advance(sent body) advanced {
	w.T.Helper()
	return must[advanced](w, "POST", "/sandbox/clock/advance", sent)
}

func has(list []happened, what, kind string) bool {
	return slices.ContainsFunc(list, func(h happened) bool { return h.What == what && h.Type == kind })
}
