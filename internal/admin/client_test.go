package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/holdfast-pay/holdfast/internal/admin"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

const token = "a-token-of-the-operator-0123456789"

// client calls the admin API of a real server, and holds every answer, and
// every request that was taken, against the document.
type client struct {
	*servetest.Server
	t   *testing.T
	url string
	doc *openapi3.T
}

func start(t *testing.T, options ...servetest.Option) *client {
	t.Helper()
	s := servetest.Run(t, options...)
	doc, err := openapi3.NewLoader().LoadFromData(admin.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(admin.New(s.App, token, slog.New(slog.DiscardHandler)))
	t.Cleanup(front.Close)
	return &client{Server: s, t: t, url: front.URL, doc: doc}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    []byte
	Error  struct{ Code, Field, Message string }
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.raw, v); err != nil {
		t.Fatalf("decode %s: %v", a.raw, err)
	}
}

// call sends a body as JSON (a string as it is) and checks the answer's shape.
func (c *client) call(method, path string, body any) answer {
	c.t.Helper()
	var sent []byte
	switch b := body.(type) {
	case nil:
	case string:
		sent = []byte(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		sent = raw
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.url+"/admin/v1"+path, bytes.NewReader(sent))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	a := do(c.t, req)
	c.check(method, "/admin/v1"+path, sent, a)
	return a
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &a) // an answer that is no error is looked at by raw
	return a
}

// must is call for one that has to succeed; v takes the answer.
func (c *client) must(method, path string, body, v any) {
	c.t.Helper()
	a := c.call(method, path, body)
	if a.status/100 != 2 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.raw)
	}
	if v != nil {
		a.into(c.t, v)
	}
}

// refused checks that a call says no, with this status and about this field.
func (c *client) refused(method, path string, body any, status int, code, field string) answer {
	c.t.Helper()
	a := c.call(method, path, body)
	if a.status != status || a.Error.Code != code || a.Error.Field != field || a.Error.Message == "" {
		c.t.Errorf("%s %s %v: %d %s, want %d %s about %q", method, path, body, a.status, a.raw, status, code, field)
	}
	return a
}

// operation finds what the document says of a call; nil for an address that does not exist.
func (c *client) operation(method, path string) *openapi3.Operation {
	path, _, _ = strings.Cut(path, "?")
	var best *openapi3.Operation
	holes := 99
	for pattern, item := range c.doc.Paths.Map() {
		if n, ok := fits(pattern, path); ok && item.GetOperation(method) != nil && n < holes {
			best, holes = item.GetOperation(method), n
		}
	}
	return best
}

func fits(pattern, path string) (holes int, ok bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return 0, false
	}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{"):
			holes++
		case want[i] != have[i]:
			return 0, false
		}
	}
	return holes, true
}

func (c *client) check(method, path string, sent []byte, a answer) {
	c.t.Helper()
	op := c.operation(method, path)
	if op == nil {
		if a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
			c.t.Errorf("%s %s answers %d and is not in the document", method, path, a.status)
		}
		c.valid("an error", c.doc.Components.Schemas["Error"], a.raw)
		return
	}
	res := op.Responses.Value(strconv.Itoa(a.status))
	if res == nil {
		c.t.Errorf("%s %s answers %d, which the document does not name: %s", method, path, a.status, a.raw)
		return
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	switch documented := res.Value.Content; {
	case documented["application/json"] != nil && (kind == "application/json" || documented[kind] == nil):
		c.valid(method+" "+path+" answers", documented["application/json"].Schema, a.raw)
	case len(a.raw) > 0 && documented[kind] == nil:
		c.t.Errorf("%s %s has a body: %s", method, path, a.raw)
	}
	if a.status/100 == 2 && len(sent) > 0 && op.RequestBody != nil {
		c.valid(method+" "+path+" takes", op.RequestBody.Value.Content["application/json"].Schema, sent)
	}
}

func (c *client) valid(what string, schema *openapi3.SchemaRef, raw []byte) {
	c.t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		c.t.Errorf("%s %.200q: %v", what, raw, err)
		return
	}
	if err := schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
		c.t.Errorf("%s %s: %v", what, raw, err)
	}
}

// held opens an escrow by virtual account and pays it.
func (c *client) held(orderID string) escrow.Payment {
	c.t.Helper()
	ctx := context.Background()
	p, err := c.App.OpenWithAccount(ctx, c.Merchant, escrow.Open{
		OrderID: orderID, Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: 30_000, Name: "도자기 컵",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example", Phone: "010-1234-5678"}, Device: "api",
	}, app.AccountOrder{Bank: "004"})
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := c.App.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{
		BankTx: "tx-" + orderID, Amount: 30_000, At: c.Now(), Payer: escrow.BankAccount{Bank: "088", Number: "110123456789", Holder: "김하늘"},
	})
	if err != nil || res.Payment.State != escrow.Held {
		c.t.Fatalf("deposit: %v, %s", err, res.Payment.State)
	}
	return res.Payment
}

// shipped is held with a parcel on its way, and the notice delivered.
func (c *client) shipped(orderID string) escrow.Payment {
	c.t.Helper()
	p := c.held(orderID)
	_, err := c.App.Do(context.Background(), escrow.Shop, c.Merchant, p.ID, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: c.Now(), SendEmail: true,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.Drain()
	p, err = c.App.Payment(context.Background(), c.Merchant, p.ID)
	if err != nil || p.Notice != escrow.NoticeDelivered {
		c.t.Fatalf("shipped: %v, notice %q", err, p.Notice)
	}
	return p
}

// payments is the address of a payment of the demonstration merchant.
func (c *client) payments(p escrow.Payment) string {
	return "/merchants/" + c.Merchant + "/payments/" + p.ID
}

func (c *client) reject(p escrow.Payment) {
	c.t.Helper()
	if _, err := c.App.Do(context.Background(), escrow.Buyer, c.Merchant, p.ID, escrow.Reject{Reason: "깨진 채로 왔습니다"}); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.App.Do(context.Background(), escrow.Shop, c.Merchant, p.ID, escrow.Contest{Evidence: "포장 사진이 있습니다"}); err != nil {
		c.t.Fatal(err)
	}
}

// iso writes an instant as callers do.
func iso(at time.Time) string { return at.Format(time.RFC3339) }
