package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

const (
	price = 30_000
	part  = 1_000
	// tokenLow is how long before its end a token is asked for again.
	tokenLow = 30 * time.Second
	// signInTries bounds the calls for the first token.
	signInTries = 10
)

// answer is V1's envelope.
type answer struct {
	Status   int
	Code     int             `json:"code"`
	Message  string          `json:"message"`
	Response json.RawMessage `json:"response"`
}

func (a answer) ok() bool { return a.Status == http.StatusOK && a.Code == 0 }

var errOff = errors.New("the power was off")

// call makes one call. An error says that nobody knows whether it was done.
func (l *Load) call(ctx context.Context, method, path string, body any) (answer, error) {
	return l.send(ctx, l.bearer(ctx), method, path, body)
}

// bearer is the shop's token. One that is about to end is asked for again; when
// there is no answer the old one is tried.
func (l *Load) bearer(ctx context.Context) string {
	l.signing.Lock()
	defer l.signing.Unlock()
	if time.Until(l.tokenEnds) < tokenLow {
		_ = l.issue(ctx)
	}
	return l.token
}

func (l *Load) send(ctx context.Context, token, method, path string, body any) (answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, l.c.Base()+path, bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	res, err := l.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	got, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return answer{}, err
	}
	if l.off.Load() {
		return answer{}, errOff
	}
	a := answer{Status: res.StatusCode}
	if err := json.Unmarshal(got, &a); err != nil {
		return a, fmt.Errorf("%d %s: %w", res.StatusCode, got, err)
	}
	if a.Status >= http.StatusInternalServerError {
		l.refusedCall()
		return a, fmt.Errorf("status %d: %s", a.Status, a.Message)
	}
	return a, nil
}

// Read asks for a payment that was acknowledged.
func (l *Load) Read(ctx context.Context, id string) error {
	a, err := l.call(ctx, http.MethodGet, "/payments/"+id, nil)
	if err == nil && !a.ok() {
		err = fmt.Errorf("%d %s", a.Status, a.Message)
	}
	return err
}

// pause lets time pass after a call without an answer.
func (l *Load) pause(ctx context.Context) {
	l.unanswered()
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}

// signIn asks for the first token.
func (l *Load) signIn(ctx context.Context) {
	l.t.Helper()
	l.signing.Lock()
	defer l.signing.Unlock()
	err := l.issue(ctx)
	for try := 1; err != nil && try < signInTries; try++ {
		l.pause(ctx)
		err = l.issue(ctx)
	}
	if err != nil {
		l.t.Fatalf("no token: %v", err)
	}
}

// issue asks for a token and keeps it.
func (l *Load) issue(ctx context.Context) error {
	a, err := l.send(ctx, "", http.MethodPost, "/users/getToken", map[string]string{"imp_key": serve.SeedKey, "imp_secret": serve.SeedSecret})
	if err != nil {
		return err
	}
	var token struct {
		Value string `json:"access_token"`
		Ends  int64  `json:"expired_at"`
	}
	if err := json.Unmarshal(a.Response, &token); err != nil || !a.ok() {
		return errors.Join(fmt.Errorf("%d %s", a.Status, a.Message), err)
	}
	l.token, l.tokenEnds = token.Value, time.Unix(token.Ends, 0)
	return nil
}

// clockIs keeps where an answer says that the shop's clock stands.
func (l *Load) clockIs(a answer) {
	var clock struct {
		Now time.Time `json:"now"`
	}
	if !a.ok() {
		return // another call moves the clock
	}
	if err := json.Unmarshal(a.Response, &clock); err != nil {
		l.t.Errorf("the clock answers %s: %v", a.Response, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = clock.Now
	l.count++
}

// Advance moves the shop's clock when the load is at rest, and returns when all
// that falls due has been done. The hand of the load may have left a move that is
// still under way.
func (l *Load) Advance(t testing.TB, by string) {
	t.Helper()
	l.client.Timeout = advanceLimit
	ctx, cancel := context.WithTimeout(t.Context(), advanceLimit)
	defer cancel()
	for {
		a, err := l.call(ctx, http.MethodPost, "/sandbox/clock/advance", map[string]any{"by": by})
		switch {
		case err != nil:
			t.Fatalf("the clock does not move: %v", err)
		case a.ok():
			l.clockIs(a)
			return
		case a.Status != http.StatusConflict:
			t.Fatalf("the clock does not move: %d %s", a.Status, a.Message)
		}
		l.pause(ctx)
	}
}

// advanceLimit bounds Advance: after the thousand kills of a long run thousands of
// payments fall due at once.
const advanceLimit = 10 * time.Minute

// worker plays shop and buyer, one life after the other.
type worker struct {
	*Load
	n     int
	lives int
	rng   *rand.Rand
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
			"buyer_name": "김하늘", "buyer_email": "buyer@holdfast.example", "buyer_tel": "010-1234-5678", "notice_url": w.c.Notice,
		})
		if err != nil {
			w.pause(ctx)
			continue
		}
		var p struct {
			ID string `json:"imp_uid"`
		}
		if !a.ok() || json.Unmarshal(a.Response, &p) != nil || p.ID == "" {
			w.t.Errorf("an order was refused: %d %s", a.Status, a.Message)
			return ""
		}
		w.acked(p.ID, escrow.EventAccountIssued)
		return p.ID
	}
	return ""
}

// life is one payment in the hands of a worker.
type life struct {
	*worker
	ctx context.Context
	id  string
	// unsure says that a step was seen and never acknowledged. A server may show
	// what it is about to lose, and refuse the next step after it.
	unsure bool
}

// The ends that a life can have; the others wait for the clock.
const (
	endCancelled = iota
	endRejected
	endConfirmed
	endPartlyRefunded
	endAutomatic
	ends
)

// live takes a payment from the deposit to one of its ends.
func (w *worker) live(ctx context.Context, id string) {
	l := &life{worker: w, ctx: ctx, id: id}
	if !l.step(escrow.EventPaid, "/sandbox/bank/deposits", map[string]any{"imp_uid": id, "kind": "exact"}) {
		return
	}
	end := w.rng.IntN(ends)
	if end == endCancelled {
		l.step(escrow.EventCancelled, "/payments/cancel", l.giveBack(price))
		return
	}
	if !l.step(escrow.EventDeliveryRegistered, "/escrows/logis/"+id, l.logis()) {
		return
	}
	decision := "/sandbox/payments/" + id + "/decision"
	switch end {
	case endRejected:
		if l.step(escrow.EventRejected, decision, map[string]any{"decision": "reject", "reason": "파손"}) {
			l.step(escrow.EventCancelled, "/payments/cancel", l.giveBack(price))
		}
	case endConfirmed, endPartlyRefunded:
		if l.step(escrow.EventConfirmed, decision, map[string]any{"decision": "confirm"}) && end == endPartlyRefunded {
			l.step(escrow.EventPartlyRefunded, "/payments/cancel", l.giveBack(part))
		}
	}
}

// step calls until it is known what became of the call, and reports whether the
// step was done. A refusal after a call without an answer means that the step
// had been done before.
func (l *life) step(what escrow.EventType, path string, body any) bool {
	for unsure := false; l.ctx.Err() == nil; unsure = true {
		a, err := l.call(l.ctx, http.MethodPost, path, body)
		switch {
		case err == nil && a.ok():
			l.acked(l.id, what)
			return true
		case err == nil && unsure:
			l.unsure = true
			return true
		case err == nil && l.unsure:
			return false
		case err == nil:
			l.t.Errorf("%s of %s: refused with %d: %s", what, l.id, a.Status, a.Message)
			return false
		}
		l.pause(l.ctx)
		if seen, ok := l.look(); ok && seen.shows(what) {
			l.unsure = true
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

// shows reports whether a payment shows that a step was done. Of the others a
// repeated call tells.
func (p payment) shows(what escrow.EventType) bool {
	switch what {
	case escrow.EventPaid:
		return p.Status == "paid"
	case escrow.EventCancelled:
		return p.Status == "cancelled"
	case escrow.EventPartlyRefunded:
		return p.CancelAmount == part
	default:
		return false
	}
}

// look reads the payment, until it is read.
func (l *life) look() (payment, bool) {
	for l.ctx.Err() == nil {
		a, err := l.call(l.ctx, http.MethodGet, "/payments/"+l.id, nil)
		if err != nil {
			l.pause(l.ctx)
			continue
		}
		var p payment
		if !a.ok() || json.Unmarshal(a.Response, &p) != nil {
			l.t.Errorf("payment %s, which was acknowledged, cannot be read: %d %s", l.id, a.Status, a.Message)
			return p, false
		}
		return p, true
	}
	return payment{}, false
}

func (l *life) logis() map[string]any {
	return map[string]any{
		"sender":   map[string]string{"name": "한빛상점", "tel": "02-1234-5678", "addr": "서울특별시 종로구", "postcode": "03154"},
		"receiver": map[string]string{"name": "김하늘", "tel": "010-1234-5678", "addr": "부산광역시 해운대구", "postcode": "48094"},
		"logis":    map[string]any{"company": "CJ", "invoice": "6" + l.id[len(l.id)-11:], "sent_at": time.Now().Unix()},
	}
}

// giveBack asks for a cancel as a shop should: with the balance that it believes
// in, so that a second try cannot give back twice.
func (l *life) giveBack(won int) map[string]any {
	return map[string]any{
		"imp_uid": l.id, "amount": won, "checksum": price, "reason": "품절", "refund_holder": "김하늘", "refund_bank": "004", "refund_account": "11012345678901",
	}
}
