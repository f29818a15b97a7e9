package client_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

var (
	oldKey = []byte("0123456789abcdef0123456789abcdef")
	newKey = []byte("fedcba9876543210fedcba9876543210")
	signAt = time.Date(2026, 3, 9, 1, 2, 3, 0, time.UTC)
)

func secretOf(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

// signed are the headers of a webhook, signed here by what Standard Webhooks say and not
// by the code of the server.
func signed(id string, at time.Time, body string, keys ...[]byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var all []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "." + body))
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", stamp)
	h.Set("webhook-signature", strings.Join(all, " "))
	return h
}

const paidBody = `{"type":"Transaction.Paid","timestamp":"2026-03-09T01:00:00.000Z","data":{"storeId":"s","paymentId":"p","transactionId":"t"}}`

func TestVerify(t *testing.T) {
	with := func(h http.Header, change func(http.Header)) http.Header {
		change(h)
		return h
	}
	good := func() http.Header { return signed("w1", signAt, paidBody, oldKey) }
	cases := []struct {
		name   string
		header http.Header
		body   string
		want   error
	}{
		{"good", good(), paidBody, nil},
		{"the second secret", signed("w1", signAt, paidBody, newKey), paidBody, nil},
		{"both sign", signed("w1", signAt, paidBody, newKey, oldKey), paidBody, nil},
		{"one of ours among others", signed("w1", signAt, paidBody, []byte("another secret of sixteen"), oldKey), paidBody, nil},
		{"another version among them", with(good(), func(h http.Header) { h.Set("Webhook-Signature", "v1a,AAAA "+h.Get("Webhook-Signature")) }), paidBody, nil},
		{"4:59 late", signed("w1", signAt.Add(-299*time.Second), paidBody, oldKey), paidBody, nil},
		{"4:59 early", signed("w1", signAt.Add(299*time.Second), paidBody, oldKey), paidBody, nil},
		{"5:01 late", signed("w1", signAt.Add(-301*time.Second), paidBody, oldKey), paidBody, client.ErrTimestamp},
		{"5:01 early", signed("w1", signAt.Add(301*time.Second), paidBody, oldKey), paidBody, client.ErrTimestamp},
		{"milliseconds", with(good(), func(h http.Header) { h.Set("Webhook-Timestamp", strconv.FormatInt(signAt.UnixMilli(), 10)) }), paidBody, client.ErrTimestamp},
		{"a distant time", with(good(), func(h http.Header) { h.Set("Webhook-Timestamp", "-9223372036854775808") }), paidBody, client.ErrTimestamp},
		{"a spelling of the time", with(good(), func(h http.Header) { h.Set("Webhook-Timestamp", "+"+h.Get("Webhook-Timestamp")) }), paidBody, client.ErrTimestamp},
		{"another secret", signed("w1", signAt, paidBody, []byte("another secret of sixteen")), paidBody, client.ErrSignature},
		{"another body", good(), strings.Replace(paidBody, `"p"`, `"q"`, 1), client.ErrSignature},
		{"another id", with(good(), func(h http.Header) { h.Set("Webhook-Id", "w2") }), paidBody, client.ErrSignature},
		{"version 2", with(good(), func(h http.Header) {
			h.Set("Webhook-Signature", strings.Replace(h.Get("Webhook-Signature"), "v1,", "v2,", 1))
		}), paidBody, client.ErrSignature},
		{"an empty signature", with(good(), func(h http.Header) { h.Set("Webhook-Signature", "v1,") }), paidBody, client.ErrSignature},
		{"no signature", with(good(), func(h http.Header) { h.Del("Webhook-Signature") }), paidBody, client.ErrHeaders},
		{"two signatures' headers", with(good(), func(h http.Header) { h.Add("Webhook-Signature", "v1,AAAA") }), paidBody, client.ErrHeaders},
		{"no id", with(good(), func(h http.Header) { h.Del("Webhook-Id") }), paidBody, client.ErrHeaders},
		{"too large", good(), strings.Repeat(" ", client.WebhookMax+1), client.ErrTooLarge},
	}
	v := must(client.NewVerifier(secretOf(oldKey), secretOf(newKey)))(t).At(func() time.Time { return signAt })
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, err := v.Verify(c.header, []byte(c.body))
			if !errors.Is(err, c.want) || (c.want == nil && (err != nil || e.ID != "w1" || e.Type != client.EventPaid)) {
				t.Errorf("%v, want %v: %+v", err, c.want, e)
			}
		})
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	for _, secrets := range [][]string{{}, {""}, {"whsec_"}, {"whsec_!!!"}, {secretOf([]byte("short"))}, {"a", "b", "c", "d", "e"}, {"whsec_" + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 24))}} {
		if _, err := client.NewVerifier(secrets...); err == nil {
			t.Errorf("%q is taken", secrets)
		}
	}
	if _, err := client.NewVerifier(strings.TrimPrefix(secretOf(oldKey), "whsec_")); err != nil {
		t.Errorf("a secret without its prefix: %v", err)
	}
}

func TestHandler(t *testing.T) {
	var fail error
	var got []client.Event
	h := must(client.NewVerifier(secretOf(oldKey)))(t).At(func() time.Time { return signAt }).Handler(func(_ context.Context, e client.Event) error {
		got = append(got, e)
		return fail
	})
	send := func(method string, header http.Header, body string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, "/hook", strings.NewReader(body))
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	good := signed("w1", signAt, paidBody, oldKey)
	for _, c := range []struct {
		method string
		header http.Header
		body   string
		fail   error
		want   int
		events int
	}{
		{"POST", good, paidBody, nil, 204, 1},
		{"POST", good, paidBody, errors.New("no disk"), 500, 1},
		{"GET", good, paidBody, nil, 405, 0},
		{"POST", http.Header{}, paidBody, nil, 400, 0},
		{"POST", good, strings.Repeat("x", client.WebhookMax+1), nil, 413, 0},
		{"POST", signed("w2", signAt, "no event", oldKey), "no event", nil, 400, 0},
	} {
		fail, got = c.fail, nil
		if status := send(c.method, c.header, c.body); status != c.want || len(got) != c.events {
			t.Errorf("%s %.20q: %d and %d events, want %d and %d", c.method, c.body, status, len(got), c.want, c.events)
		}
	}
}

func TestParseEvent(t *testing.T) {
	for body, want := range map[string]client.EventData{
		paidBody: client.TransactionEvent{About: client.About{StoreID: "s", PaymentID: "p", TransactionID: "t"}},
		`{"type":"Transaction.Confirm","timestamp":"2026-03-09T01:00:00Z","data":{"paymentId":"p","totalAmount":5}}`: client.ConfirmQuestion{About: client.About{PaymentID: "p"}, TotalAmount: 5},
		`{"type":"Holdfast.Test","timestamp":"2026-03-09T01:00:00Z","data":{"storeId":"s"}}`:                         client.TestEvent{StoreID: "s"},
		`{"type":"Escrow.NotYetInvented","timestamp":"2026-03-09T01:00:00Z","data":{"sequence":3,"x":1}}`:            client.EscrowEvent{Sequence: 3},
	} {
		e, err := client.ParseEvent([]byte(body))
		if err != nil || e.Data != want || string(e.Raw) != body {
			t.Errorf("%s: %+v, %v", body, e, err)
		}
	}
	e, err := client.ParseEvent([]byte(`{"type":"BillingKey.Issued","timestamp":"2026-03-09T01:00:00Z","data":{"a":1}}`))
	if u, ok := e.Data.(client.UnknownEvent); err != nil || !ok || string(u.Raw) != `{"a":1}` {
		t.Errorf("unknown: %+v, %v", e, err)
	}
	if _, err := client.ParseEvent([]byte("[]")); err == nil {
		t.Error("a list is an event")
	}
}

// knownNames are the names for which the client has a constant.
var knownNames = map[client.EventType]bool{
	client.EventReady: true, client.EventVirtualAccountIssued: true, client.EventPaid: true,
	client.EventCancelPending: true, client.EventCancelled: true, client.EventPartialCancelled: true,
	client.EventFailed: true, client.EventEscrowHoldStarted: true, client.EventEscrowDeliveryRegistered: true,
	client.EventEscrowDeliveryChanged: true, client.EventEscrowInTransit: true, client.EventEscrowDelivered: true,
	client.EventEscrowParcelOverdue: true, client.EventEscrowNoticeDelivered: true, client.EventEscrowNoticeFailed: true,
	client.EventEscrowDecisionDue: true, client.EventEscrowReminded: true, client.EventEscrowConfirmed: true,
	client.EventEscrowRejected: true, client.EventEscrowRejectionWithdrawn: true, client.EventEscrowRejectionAccepted: true,
	client.EventEscrowDisputed: true, client.EventEscrowDisputeDecided: true, client.EventEscrowReturnReceived: true,
	client.EventEscrowCancelAsked: true, client.EventEscrowCancelled: true, client.EventEscrowPartlyRefunded: true,
	client.EventEscrowRefundOrdered: true, client.EventEscrowRefundAccountAsked: true, client.EventEscrowRefundSent: true,
	client.EventEscrowRefundFailed: true, client.EventEscrowWithdrawalAsked: true, client.EventEscrowHoldPlaced: true,
	client.EventEscrowHoldReleased: true, client.EventEscrowTaskResolved: true, client.EventEscrowDepositMismatched: true,
	client.EventEscrowDepositReversed: true, client.EventEscrowSuspenseReturned: true, client.EventEscrowAccountAmended: true,
	client.EventEscrowAccountClosed: true, client.EventEscrowAccountExpired: true, client.EventEscrowPayoutSent: true,
	client.EventEscrowPayoutFailed: true, client.EventEscrowPayoutReturned: true,
}

// TestNamesOfEvents holds that the client knows every name that the server tells under.
func TestNamesOfEvents(t *testing.T) {
	for _, name := range merchant.TellNames() {
		if !strings.Contains(name, ".") {
			continue // PortOne V1's
		}
		if !knownNames[client.EventType(name)] {
			t.Errorf("the client lacks a constant for %s", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("w1", "1773018123", "v1,AAAA", []byte(paidBody))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		v := must(client.NewVerifier(secretOf(oldKey)))(t).At(func() time.Time { return signAt })
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		if _, err := v.Verify(h, body); err == nil {
			t.Error("a webhook without a good signature is believed")
		}
	})
}
