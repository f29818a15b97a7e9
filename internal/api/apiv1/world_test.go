package apiv1_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/holdfast-pay/holdfast/internal/api/apiv1"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// world is the real dialect over the real door and a database of its own, with
// two shops. Every answer it receives is held against the published document.
type world struct {
	t     *testing.T
	url   string
	app   *app.App
	db    *store.Store
	clock *clock.Manual
	shop  party
	other party
	log   *bytes.Buffer
}

// party is a shop with its key.
type party struct {
	merchant.Merchant
	key, secret, token string
}

// bank issues accounts and knows the holder of every account but one.
type bank struct{ issued int }

const unknownAccount = "99999999999999"

func (b *bank) IssueAccount(_ context.Context, a app.AccountRequest) (escrow.BankAccount, error) {
	b.issued++
	return escrow.BankAccount{Bank: a.Bank, Number: "562000" + a.Payment[len(a.Payment)-8:], Holder: a.Holder}, nil
}

func (b *bank) CloseAccount(context.Context, string, escrow.BankAccount) error { return nil }

func (b *bank) HolderName(_ context.Context, _, number string) (string, error) {
	if number == unknownAccount {
		return "", app.ErrNoHolder
	}
	return "홍길동", nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	db, err := store.OpenSQLite(ctx, filepath.Join(t.TempDir(), "holdfast.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, clock: clock.NewManual(time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)), log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelError}))
	w.app, err = app.New(ctx, app.Config{
		Store: db, Clock: w.clock, Bank: &bank{}, Log: log, Secret: []byte(strings.Repeat("s", 32)), BaseURL: "http://localhost",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.shop, w.other = w.newShop("찻잔가게"), w.newShop("다른가게")
	server := httptest.NewServer(apiv1.New(w.app, log))
	t.Cleanup(func() {
		server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if w.log.Len() > 0 {
			t.Errorf("the server logged a fault: %s", w.log)
		}
	})
	w.url = server.URL
	w.shop.token, w.other.token = w.tokenOf(w.shop), w.tokenOf(w.other)
	return w
}

func (w *world) newShop(name string) party {
	w.t.Helper()
	ctx := context.Background()
	m, err := w.app.CreateMerchant(ctx, "test", "", name, merchant.Sandbox, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	pair, err := w.app.CreateKey(ctx, "test", m.ID, app.KeyPair{})
	if err != nil {
		w.t.Fatal(err)
	}
	return party{Merchant: m, key: pair.Key, secret: pair.Secret}
}

// request is one call. A body is sent as JSON if it is given as a value, and as
// it is if it is given as text.
type request struct {
	method, path string
	body         any
	header       http.Header
	token        string // "-" for none; empty for the shop's
}

// reply is an answer that has been held against the document.
type reply struct {
	t        *testing.T
	status   int
	header   http.Header
	raw      []byte
	Code     int             `json:"code"`
	Message  *string         `json:"message"`
	Response json.RawMessage `json:"response"`
}

func (w *world) do(r request) reply {
	w.t.Helper()
	var in io.Reader
	switch b := r.body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	case url.Values:
		in = strings.NewReader(b.Encode())
	default:
		text, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequest(r.method, w.url+r.path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	for k, vs := range r.header {
		req.Header[k] = vs
	}
	switch r.token {
	case "-":
	case "":
		req.Header.Set("Authorization", w.shop.token)
	default:
		req.Header.Set("Authorization", r.token)
	}
	return w.receive(req)
}

var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       10 * time.Second,
}

func (w *world) receive(req *http.Request) reply {
	w.t.Helper()
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := reply{t: w.t, status: res.StatusCode, header: res.Header}
	if out.raw, err = io.ReadAll(res.Body); err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(out.raw, &out); err != nil {
		w.t.Fatalf("%s %s: no JSON: %q", req.Method, req.URL.Path, out.raw)
	}
	out.check(req)
	return out
}

// check holds what is true of every answer.
func (r reply) check(req *http.Request) {
	r.t.Helper()
	name := req.Method + " " + req.URL.EscapedPath()
	if got := r.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		r.t.Errorf("%s: content type %q", name, got)
	}
	if got := r.header.Get("Content-Length"); got != strconv.Itoa(len(r.raw)) {
		r.t.Errorf("%s: content length %q for %d bytes", name, got, len(r.raw))
	}
	if r.Message == nil || (r.Code != 0 && *r.Message == "") {
		r.t.Errorf("%s: a message is missing: %s", name, r.raw)
	}
	if r.Code != 0 && string(r.Response) != "null" {
		r.t.Errorf("%s: a refusal with a response: %s", name, r.raw)
	}
	if err := againstDocument(req, r); err != nil {
		r.t.Errorf("%s answered %d %s: %v", name, r.status, r.raw, err)
	}
}

var document = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(wirev1.OpenAPI())
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// againstDocument validates an answer. A path or method that the document does
// not have may only be refused with 404 or 405.
func againstDocument(req *http.Request, r reply) error {
	router, err := document()
	if err != nil {
		return err
	}
	tidy := req.Clone(context.Background())
	path := "/" + strings.Trim(strings.ReplaceAll(req.URL.EscapedPath(), "//", "/"), "/")
	tidy.URL = &url.URL{Path: path}
	route, params, err := router.FindRoute(tidy)
	if err != nil {
		if r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed {
			return nil
		}
		return err
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: tidy, PathParams: params, Route: route},
		Status:                 r.status, Header: r.header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(r.raw)
	return openapi3filter.ValidateResponse(context.Background(), input)
}

// want checks status and code, and a part of the message if one is given.
func (r reply) want(status, code int, parts ...string) reply {
	r.t.Helper()
	if r.status != status || r.Code != code {
		r.t.Fatalf("got %d with code %d, want %d with %d: %s", r.status, r.Code, status, code, r.raw)
	}
	for _, part := range parts {
		if r.Message == nil || !strings.Contains(*r.Message, part) {
			r.t.Errorf("%s lacks %q", r.raw, part)
		}
	}
	return r
}

// says checks the whole message.
func (r reply) says(message string) reply {
	r.t.Helper()
	if r.Message == nil || *r.Message != message {
		r.t.Errorf("got %s, want the message %q", r.raw, message)
	}
	return r
}

// object reads the response as an object.
func (r reply) object() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.Response, &v); err != nil {
		r.t.Fatalf("%v: %s", err, r.raw)
	}
	return v
}

// has checks members of the response. Numbers are compared as they are printed.
func (r reply) has(want map[string]any) reply {
	r.t.Helper()
	got := r.object()
	for k, v := range want {
		if f, ok := got[k].(float64); ok {
			if fmt.Sprint(int64(f)) != fmt.Sprint(v) {
				r.t.Errorf("%s is %v, want %v", k, got[k], v)
			}
			continue
		}
		if got[k] != v {
			r.t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	return r
}

func (w *world) get(path string) reply { return w.do(request{method: http.MethodGet, path: path}) }

func (w *world) post(path string, body any) reply {
	return w.do(request{method: http.MethodPost, path: path, body: body})
}

func (w *world) put(path string, body any) reply {
	return w.do(request{method: http.MethodPut, path: path, body: body})
}

func (w *world) delete(path string) reply {
	return w.do(request{method: http.MethodDelete, path: path})
}

func (w *world) tokenOf(p party) string {
	w.t.Helper()
	return w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-", body: object{"imp_key": p.key, "imp_secret": p.secret}}).
		want(200, 0).object()["access_token"].(string)
}

// advance moves the clock and gets new tokens, as a client would.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.clock.Advance(d)
	w.shop.token, w.other.token = w.tokenOf(w.shop), w.tokenOf(w.other)
}

type object = map[string]any

// order makes an order number of its own for a test.
func order() string { return "order_" + ident.Digits(12) }

// vbank is a right request for an account.
func (w *world) vbank(orderID string, more object) object {
	b := object{
		"merchant_uid": orderID, "amount": 39000, "vbank_code": "088", "vbank_due": w.clock.Now().Add(72 * time.Hour).Unix(),
		"vbank_holder": "홀드패스트", "name": "백자 찻잔", "buyer_name": "홍길동", "buyer_email": "buyer@example.com", "buyer_tel": "010-1234-5678",
	}
	for k, v := range more {
		if b[k] = v; v == nil {
			delete(b, k)
		}
	}
	return b
}

// issue issues an account and returns the id of its payment.
func (w *world) issue(more object) string {
	w.t.Helper()
	return w.post("/vbanks", w.vbank(order(), more)).want(200, 0).object()["imp_uid"].(string)
}

// pay deposits the whole amount into the account of a payment.
func (w *world) pay(id string) string {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.app.Payment(ctx, w.shop.ID, id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	_, err = w.app.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{
		BankTx: ident.Digits(12), Amount: p.Amount, At: w.clock.Now(), Payer: escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "홍길동"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// held is a paid escrow payment.
func (w *world) held() string {
	w.t.Helper()
	return w.pay(w.issue(object{"escrow": true}))
}

// window pays as the payment window does, by a method other than an account.
func (w *world) window(method escrow.Method, asked bool) string {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.app.Open(ctx, escrow.Buyer, w.shop.ID, escrow.Open{OrderID: order(), Amount: 20000, Goods: escrow.Physical, Method: method, Escrow: asked})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.app.Choose(ctx, w.shop.ID, p.ID, app.Checkout{Method: method, Escrow: asked, Terms: merchant.TermsVersion}); err != nil {
		w.t.Fatal(err)
	}
	approval := escrow.Approve{ApprovalNo: ident.Digits(8), Payer: escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "홍길동"}}
	if _, err := w.app.Approve(ctx, w.shop.ID, p.ID, approval); err != nil {
		w.t.Fatal(err)
	}
	return p.ID
}

// parcel is a right delivery registration.
func (w *world) parcel(more object) object {
	logis := object{"company": "CJGLS", "invoice": "689012345678", "sent_at": w.clock.Now().Unix()}
	for k, v := range more {
		if logis[k] = v; v == nil {
			delete(logis, k)
		}
	}
	return object{
		"sender":   object{"name": "찻잔가게", "tel": "02-123-4567", "addr": "경기도 이천시", "postcode": "17300"},
		"receiver": object{"name": "홍길동", "tel": "010-1234-5678", "addr": "서울특별시", "postcode": "03154"},
		"logis":    logis,
	}
}

// shipped is a held payment with a registered delivery.
func (w *world) shipped() string {
	w.t.Helper()
	id := w.held()
	w.post("/escrows/logis/"+id, w.parcel(nil)).want(200, 0)
	return id
}

// byBuyer gives a command in the name of the buyer.
func (w *world) byBuyer(id string, cmd escrow.Command) {
	w.t.Helper()
	if _, err := w.app.Do(context.Background(), escrow.Buyer, w.shop.ID, id, cmd); err != nil {
		w.t.Fatal(err)
	}
}

// version tells whether a payment changed.
func (w *world) version(id string) int64 {
	w.t.Helper()
	p, err := w.app.Payment(context.Background(), w.shop.ID, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Version
}
