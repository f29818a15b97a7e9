package kill_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

const price = 30_000

// receiver is the shop's webhook address.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string]string // by id
	calls  map[string]int
	broken []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{bodies: map[string]string{}, calls: map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP takes a call and is slow at times, so that a kill may come between
// the call and its answer.
func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the caller is gone in the middle; it will call again
	}
	id := req.Header.Get("Holdfast-Webhook-Id")
	r.mu.Lock()
	r.calls[id]++
	if before, known := r.bodies[id]; known && before != string(body) {
		r.broken = append(r.broken, fmt.Sprintf("webhook %q came as %s and as %s", id, before, body))
	}
	r.bodies[id] = string(body)
	slow := len(r.bodies)%5 == 0
	r.mu.Unlock()
	if slow {
		time.Sleep(30 * time.Millisecond)
	}
}

// acks are what the shops were told that it is done, by payment.
type acks struct {
	mu   sync.Mutex
	done map[string]map[string]bool
}

func (a *acks) add(id, what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done[id] == nil {
		a.done[id] = map[string]bool{}
	}
	a.done[id][what] = true
}

// worker plays shop and buyer, one life after the other.
type worker struct {
	t      *testing.T
	p      *process
	n      int
	lives  int
	rng    *rand.Rand
	token  string
	notice string
	acks   *acks
}

// answer is V1's envelope.
type answer struct {
	Status   int
	Code     int             `json:"code"`
	Message  string          `json:"message"`
	Response json.RawMessage `json:"response"`
}

func (a answer) ok() bool { return a.Status == http.StatusOK && a.Code == 0 }

// call makes one call. An error says that nobody knows whether it was done.
func (w *worker) call(ctx context.Context, method, path string, body any) (answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, w.p.url()+path, bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", w.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	got, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return answer{}, err
	}
	a := answer{Status: res.StatusCode}
	if err := json.Unmarshal(got, &a); err != nil {
		return a, fmt.Errorf("%d %s: %w", res.StatusCode, got, err)
	}
	if a.Status >= http.StatusInternalServerError {
		return a, fmt.Errorf("status %d: %s", a.Status, a.Message)
	}
	return a, nil
}

// settled calls until it knows what became of the call. done says from the
// payment itself, after a call of which nobody knows, whether it was done.
func (w *worker) settled(ctx context.Context, id, what string, do func() (answer, error), done func(payment) bool) bool {
	for unsure := false; ctx.Err() == nil; {
		a, err := do()
		switch {
		case err == nil && a.ok():
			w.acks.add(id, what)
			return true
		case err == nil && unsure:
			return true // it had been done: the refusal says so
		case err == nil:
			w.t.Errorf("%s of %s: refused with %d: %s", what, id, a.Status, a.Message)
			return false
		}
		unsure = true
		seen, ok := w.look(ctx, id)
		if ok && done(seen) {
			return true
		}
	}
	return false
}

// payment is what a shop looks at.
type payment struct {
	Status       string `json:"status"`
	CancelAmount int64  `json:"cancel_amount"`
}

// look reads a payment, waiting for the program if need be.
func (w *worker) look(ctx context.Context, id string) (payment, bool) {
	for ctx.Err() == nil {
		if w.p.ready(ctx) != nil {
			return payment{}, false
		}
		a, err := w.call(ctx, http.MethodGet, "/payments/"+id, nil)
		if err != nil {
			continue
		}
		var p payment
		if !a.ok() || json.Unmarshal(a.Response, &p) != nil {
			w.t.Errorf("payment %s, which was acknowledged, cannot be read: %d %s", id, a.Status, a.Message)
			return p, false
		}
		return p, true
	}
	return payment{}, false
}

// run plays lives until the context ends.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil && !w.t.Failed() {
		if id := w.open(ctx); id != "" {
			w.live(ctx, id)
		}
	}
}

// open orders until an order is acknowledged; the others may exist or not.
func (w *worker) open(ctx context.Context) string {
	for ctx.Err() == nil {
		w.lives++
		a, err := w.call(ctx, http.MethodPost, "/sandbox/payments", map[string]any{
			"merchant_uid": fmt.Sprintf("order-%d-%d", w.n, w.lives), "pay_method": "vbank", "amount": price, "name": "도자기 컵", "escrow": true,
			"buyer_name": "김하늘", "buyer_email": "buyer@holdfast.example", "buyer_tel": "010-1234-5678", "notice_url": w.notice,
		})
		if err != nil {
			_ = w.p.ready(ctx) // the next try tells
			continue
		}
		var p struct {
			ID string `json:"imp_uid"`
		}
		if !a.ok() || json.Unmarshal(a.Response, &p) != nil || p.ID == "" {
			w.t.Errorf("an order was refused: %d %s", a.Status, a.Message)
			return ""
		}
		w.acks.add(p.ID, "issued")
		return p.ID
	}
	return ""
}

// live takes a payment from the deposit to one of its ends.
func (w *worker) live(ctx context.Context, id string) {
	post := func(path string, body map[string]any) func() (answer, error) {
		return func() (answer, error) { return w.call(ctx, http.MethodPost, path, body) }
	}
	never := func(payment) bool { return false }
	if !w.settled(ctx, id, "paid", post("/sandbox/bank/deposits", map[string]any{"imp_uid": id, "kind": "exact"}), func(p payment) bool { return p.Status == "paid" }) {
		return
	}
	end := w.rng.IntN(4)
	if end == 0 {
		w.settled(ctx, id, "cancelled", post("/payments/cancel", giveBack(id, price)),
			func(p payment) bool { return p.Status == "cancelled" })
		return
	}
	logis := map[string]any{
		"sender":   map[string]string{"name": "한빛상점", "tel": "02-1234-5678", "addr": "서울특별시 종로구", "postcode": "03154"},
		"receiver": map[string]string{"name": "김하늘", "tel": "010-1234-5678", "addr": "부산광역시 해운대구", "postcode": "48094"},
		"logis":    map[string]any{"company": "CJ", "invoice": "6" + id[len(id)-11:], "sent_at": time.Now().Unix()},
	}
	if !w.settled(ctx, id, "shipped", post("/escrows/logis/"+id, logis), never) {
		return
	}
	if end == 1 {
		w.settled(ctx, id, "rejected", post("/sandbox/payments/"+id+"/decision", map[string]any{"decision": "reject", "reason": "파손"}), never)
		return
	}
	if !w.settled(ctx, id, "confirmed", post("/sandbox/payments/"+id+"/decision", map[string]any{"decision": "confirm"}), never) {
		return
	}
	if end == 2 {
		w.settled(ctx, id, "part", post("/payments/cancel", giveBack(id, 1_000)),
			func(p payment) bool { return p.CancelAmount == 1_000 })
	}
}

// giveBack asks for a cancel as a shop should: with the balance that it believes
// in, so that a second try cannot give back twice.
func giveBack(id string, won int) map[string]any {
	return map[string]any{
		"imp_uid": id, "amount": won, "checksum": price, "reason": "품절", "refund_holder": "김하늘", "refund_bank": "004", "refund_account": "11012345678901",
	}
}

// signIn is done once: a token outlives the program.
func signIn(t *testing.T, p *process) string {
	t.Helper()
	w := &worker{t: t, p: p}
	a, err := w.call(t.Context(), http.MethodPost, "/users/getToken", map[string]string{"imp_key": serve.SeedKey, "imp_secret": serve.SeedSecret})
	var token struct {
		Value string `json:"access_token"`
	}
	if err != nil || !a.ok() || json.Unmarshal(a.Response, &token) != nil {
		t.Fatalf("no token: %v %s", err, a.Message)
	}
	return token.Value
}
