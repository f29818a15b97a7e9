package apiv2_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// world is the real server with its demonstration shop and another one. Every answer
// of the dialect that it receives is held against the published document.
type world struct {
	*servetest.Server
	t     *testing.T
	other string // the API secret of another shop
}

type object = map[string]any

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: servetest.Run(t), t: t}
	m, err := w.App.CreateMerchant(t.Context(), "test", "", "다른가게", merchant.Sandbox, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.App.CreateSecret(t.Context(), "test", m.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	w.other = made.Secret
	return w
}

// reply is an answer.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	raw    []byte
}

// request is one call. A text is sent as it is, any other body as JSON, and both as the
// JavaScript client does.
type request struct {
	method, path  string
	body          any
	authorization string // "-" for none; empty for the shop's secret
	header        http.Header
}

func (w *world) do(r request) reply {
	w.t.Helper()
	var in io.Reader
	switch b := r.body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), r.method, w.URL+r.path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	switch r.authorization {
	case "-":
	case "":
		req.Header.Set("Authorization", "PortOne "+w.API)
	default:
		req.Header.Set("Authorization", r.authorization)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := reply{t: w.t, status: res.StatusCode, header: res.Header}
	if out.raw, err = io.ReadAll(res.Body); err != nil {
		w.t.Fatal(err)
	}
	out.check(req)
	return out
}

// check holds what is true of every answer.
func (r reply) check(req *http.Request) {
	r.t.Helper()
	name := req.Method + " " + req.URL.RequestURI()
	if got := r.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		r.t.Errorf("%s: content type %q", name, got)
	}
	if got := r.header.Get("Content-Length"); got != strconv.Itoa(len(r.raw)) {
		r.t.Errorf("%s: content length %q for %d bytes", name, got, len(r.raw))
	}
	var v object
	if err := json.Unmarshal(r.raw, &v); err != nil {
		r.t.Fatalf("%s answered %d %q, which is no JSON object", name, r.status, r.raw)
	}
	if nulls := nulls("", v); len(nulls) > 0 {
		r.t.Errorf("%s: %v are null", name, nulls)
	}
	if r.status != http.StatusOK && v["type"] == nil {
		r.t.Errorf("%s: a refusal without a type: %s", name, r.raw)
	}
	if err := againstDocument(req, r); err != nil {
		r.t.Errorf("%s answered %d %s: %v", name, r.status, r.raw, err)
	}
}

// nulls are the members that are null, at any depth.
func nulls(path string, v any) (out []string) {
	switch v := v.(type) {
	case nil:
		return []string{path}
	case object:
		for k, x := range v {
			out = append(out, nulls(path+"."+k, x)...)
		}
	case []any:
		for i, x := range v {
			out = append(out, nulls(fmt.Sprintf("%s[%d]", path, i), x)...)
		}
	}
	return out
}

func (r reply) object() object {
	r.t.Helper()
	var v object
	if err := json.Unmarshal(r.raw, &v); err != nil {
		r.t.Fatal(err)
	}
	return v
}

// at is a value at a path of members and indexes such as items.0.status.
func (r reply) at(path string) any {
	r.t.Helper()
	var v any = r.object()
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				r.t.Fatalf("%s is not in %s", path, r.raw)
			}
			v = x[i]
		default:
			r.t.Fatalf("%s is not in %s", path, r.raw)
		}
	}
	return v
}

// has checks values at paths. Numbers are compared as they are printed.
func (r reply) has(want object) reply {
	r.t.Helper()
	for path, v := range want {
		got := r.at(path)
		if n, is := got.(float64); is {
			got = int64(n)
		}
		if fmt.Sprint(got) != fmt.Sprint(v) {
			r.t.Errorf("%s is %v, want %v", path, got, v)
		}
	}
	return r
}

// good checks that the call was a success.
func (r reply) good() reply {
	r.t.Helper()
	if r.status != http.StatusOK {
		r.t.Fatalf("%d %s", r.status, r.raw)
	}
	return r
}

// no checks a refusal, and that its message has some parts.
func (r reply) no(status int, kind string, parts ...string) reply {
	r.t.Helper()
	if r.status != status || r.at("type") != kind {
		r.t.Fatalf("%d %s, want %d %s", r.status, r.raw, status, kind)
	}
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(r.object()["message"]), part) {
			r.t.Errorf("%s lacks %q", r.raw, part)
		}
	}
	return r
}

func (w *world) get(path string) reply {
	w.t.Helper()
	return w.do(request{method: http.MethodGet, path: path})
}

func (w *world) post(path string, body any) reply {
	w.t.Helper()
	return w.do(request{method: http.MethodPost, path: path, body: body})
}

func (w *world) patch(path string, body any) reply {
	w.t.Helper()
	return w.do(request{method: http.MethodPatch, path: path, body: body})
}

// query lists by a parameter object in the query, as the clients do.
func (w *world) query(path string, v any) reply {
	w.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.get(path + "?requestBody=" + url.QueryEscape(string(text)))
}

// order makes an order number of its own.
func order() string { return "order_" + ident.Digits(12) }

// payment is the payment that stands for an order.
func (w *world) payment(id string) escrow.Payment {
	w.t.Helper()
	p, err := w.App.OrderPayment(context.Background(), w.Merchant, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

var payer = escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "홍길동"}

// account begins an order that is paid by a virtual account.
func (w *world) account(id string, escrowed bool) escrow.Payment {
	w.t.Helper()
	p, err := w.App.OpenWithAccount(context.Background(), w.Merchant, escrow.Open{
		OrderID: id, Amount: 39000, TaxFree: 1000, VAT: 3454, Goods: escrow.Physical, Escrow: escrowed, Name: "백자 찻잔", Device: "api",
		Buyer:    escrow.Party{Name: "홍길동", Email: "buyer@holdfast.example", Phone: "010-1234-5678", Address: "서울특별시 종로구", Postcode: "03154"},
		Products: []escrow.Product{{ID: "p1", Name: "백자 찻잔", Code: "C1", Amount: 39000, Quantity: 1, Tag: "t"}}, CustomData: `{"a":1}`,
	}, app.AccountOrder{Bank: "088"})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// pay deposits the whole amount of an order.
func (w *world) pay(id string) {
	w.t.Helper()
	p := w.payment(id)
	w.Clock.Advance(time.Second)
	_, err := w.App.Deposit(context.Background(), p.Account.BankAccount, escrow.NotifyDeposit{BankTx: ident.Digits(12), Amount: p.Amount, At: w.Now(), Payer: payer})
	if err != nil {
		w.t.Fatal(err)
	}
}

// held is an order whose money is held.
func (w *world) held() string {
	w.t.Helper()
	id := order()
	w.account(id, true)
	w.pay(id)
	return id
}

// slowBank lets the bank answer the next order at the second question, which the
// shop's clock must come to: what waits for the bank is then seen to wait.
func (w *world) slowBank() {
	w.t.Helper()
	if err := w.Bank.Misbehave(w.t.Context(), w.Merchant, bank.Behaviour{Way: bank.Late, After: 1}); err != nil {
		w.t.Fatal(err)
	}
}

// window pays an order as the payment window does.
func (w *world) window(id string, method escrow.Method, device string) {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.App.Open(ctx, escrow.Buyer, w.Merchant, escrow.Open{OrderID: id, Amount: 20000, Goods: escrow.Physical, Method: method, Name: "접시", Device: device, UserAgent: "Mozilla/5.0"})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.App.Choose(ctx, w.Merchant, p.ID, app.Checkout{Method: method, Terms: merchant.TermsVersion}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.App.Approve(ctx, w.Merchant, p.ID, escrow.Approve{ApprovalNo: "12345678", Payer: payer, CardName: "신한카드", CardNumber: "4111-11**-****-1111"}); err != nil {
		w.t.Fatal(err)
	}
}

// act gives a command to the payment of an order.
func (w *world) act(id string, actor escrow.Actor, cmd escrow.Command) {
	w.t.Helper()
	w.Clock.Advance(time.Second)
	if _, err := w.App.Do(context.Background(), actor, w.Merchant, w.payment(id).ID, cmd); err != nil {
		w.t.Fatal(err)
	}
}

// shipping is a registration by the shop.
func (w *world) shipping() escrow.RegisterDelivery {
	return escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: "689012345678"}}, Trackable: true, SentAt: w.Now(), SendEmail: true}
}
