package client_test

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/api/apiv2"
	"github.com/holdfast-pay/holdfast/internal/api/shopapi"
	"github.com/holdfast-pay/holdfast/internal/sandbox"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// first reads the first item of a list, which is enough for its request.
func first[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		return err
	}
	return nil
}

// operations calls each method of the client once, with the names of the documents'
// parameters as their values, so that the path it asks for is that of the document.
func operations(ctx context.Context, c *client.Client) {
	const id = "{paymentId}"
	s := c.Sandbox("key", "secret")
	var zero time.Time
	_, _ = c.LogIn(ctx, "s")
	_, _ = c.RefreshToken(ctx, "t")
	_, _ = c.Banks(ctx)
	_, _ = c.Payment(ctx, id)
	_, _ = c.Transactions(ctx, id)
	_, _ = c.AccountHolder(ctx, "{bank}", "{accountNumber}")
	_, _ = c.ListPayments(ctx, 0, 0, client.Filter{})
	_ = first(c.Payments(ctx, client.Range{}))
	_ = first(c.PaymentEvents(ctx, client.Range{}))
	_ = c.PreRegister(ctx, id, client.PreRegistration{})
	_, _ = c.PayInstantly(ctx, id, client.InstantPayment{})
	_ = c.Approve(ctx, id, client.Approval{})
	_, _ = c.Cancel(ctx, id, client.Cancel{})
	_ = c.StopCancellation(ctx, id, "{cancellationId}")
	_, _ = c.CloseAccount(ctx, id)
	_, _ = c.RegisterDelivery(ctx, id, client.Delivery{})
	_, _ = c.ChangeDelivery(ctx, id, client.Delivery{})
	_, _ = c.CompleteEscrow(ctx, id)
	_, _ = c.ResendWebhook(ctx, id, "")
	_, _ = c.IssueCashReceipt(ctx, client.CashReceiptOrder{})
	_, _ = c.CashReceipt(ctx, id)
	_, _ = c.CancelCashReceipt(ctx, id)

	_, _ = c.Endpoints(ctx)
	_, _ = c.CreateEndpoint(ctx, client.EndpointSettings{})
	_, _ = c.Endpoint(ctx, "{id}")
	_, _ = c.ChangeEndpoint(ctx, "{id}", client.EndpointSettings{})
	_ = c.DeleteEndpoint(ctx, "{id}")
	_, _ = c.SwitchEndpoint(ctx, "{id}", true)
	_, _ = c.SwitchEndpoint(ctx, "{id}", false)
	_, _ = c.RotateSecret(ctx, "{id}")
	_ = c.DropOldSecret(ctx, "{id}")
	_, _ = c.TestEndpoint(ctx, "{id}")
	_, _ = c.ReplayFailed(ctx, "{id}")
	_, _ = c.ReplayRange(ctx, "{id}", 1, 2)
	_, _ = c.ReplayTime(ctx, "{id}", zero, zero)
	_ = first(c.Deliveries(ctx, client.DeliveryFilter{}))
	_, _ = c.Delivery(ctx, "{id}")
	_, _ = c.ReplayDelivery(ctx, "{id}")
	_, _ = c.Events(ctx, 0, 0)
	_ = first(c.Payouts(ctx))
	_, _ = c.Payout(ctx, "{id}")
	_ = first(c.PayoutLines(ctx, "{id}"))

	_, _ = s.Clock(ctx)
	_, _ = s.AdvanceBusinessDays(ctx, 1)
	_, _ = s.Life(ctx, "{imp_uid}")
	_, _ = s.Deposit(ctx, "{imp_uid}", 0)
	_, _ = s.Parcel(ctx, "{imp_uid}", client.ParcelUsual)
	_, _ = s.Decide(ctx, "{imp_uid}", client.DecideConfirm, "")
}

// TestEveryOperation holds that the client has every operation of PortOne V2 that the
// server routes or its document names, every one of the shop API's document, and none
// that does not exist.
func TestEveryOperation(t *testing.T) {
	asked := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.Method+" "+r.URL.Path] = true
		_, _ = w.Write([]byte(`{"code":0,"response":{}}`))
	}))
	defer srv.Close()
	c, err := client.New(srv.URL, client.Secret("secret"))
	if err != nil {
		t.Fatal(err)
	}
	operations(t.Context(), c)

	wanted := documented(t, shopapi.OpenAPI(), "/holdfast/v1")
	maps.Copy(wanted, documented(t, wirev2.OpenAPI(), ""))
	routes, ok := apiv2.New(nil, slog.New(slog.DiscardHandler)).(chi.Routes)
	if !ok {
		t.Fatal("the routes of the V2 API cannot be listed")
	}
	err = chi.Walk(routes, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		wanted[method+" "+route] = true
		return nil
	})
	if err != nil || len(wanted) < 30 {
		t.Fatalf("%d operations found: %v", len(wanted), err)
	}
	for _, op := range slices.Sorted(maps.Keys(wanted)) {
		if !asked[op] {
			t.Errorf("the client lacks %s", op)
		}
	}
	known := documented(t, sandbox.OpenAPI(), "")
	for op := range asked {
		if !wanted[op] && !known[op] {
			t.Errorf("%s does not exist", op)
		}
	}
}

// documented are the operations of an OpenAPI document.
func documented(t *testing.T, raw []byte, prefix string) map[string]bool {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for path, item := range doc.Paths {
		for method := range item {
			if method != "parameters" {
				out[strings.ToUpper(method)+" "+prefix+path] = true
			}
		}
	}
	return out
}
