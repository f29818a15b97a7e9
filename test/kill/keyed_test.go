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
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/program"
)

const (
	// keyedWorkers send requests with a key at once, each of which they repeat until it
	// is answered.
	keyedWorkers = 16
	// keyedKills are the kills of a usual run.
	keyedKills = 12
	// keyedLimit bounds one call.
	keyedLimit = 10 * time.Second
	// keyedOperator opens the admin API.
	keyedOperator = "the-operators-token-of-the-test"
	// keyedAgain is the pause before a request is repeated.
	keyedAgain = 10 * time.Millisecond
)

// TestKeyed kills the program between the acts and the answers of requests with an
// Idempotency-Key. Every request was carried out once, and answered with what it did.
func TestKeyed(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	bin := program.Build(t, "")
	t.Run("sqlite", func(t *testing.T) { keyed(t, program.New(t, bin), keyedKills) })
	t.Run("postgres", func(t *testing.T) {
		p := program.New(t, bin)
		p.Database = pgtest.StartFor(t).TCP("postgres")
		keyed(t, p, keyedKills)
	})
}

// TestKeyedPlanted: a program that does not mark in the act's own transaction that a
// request has acted is caught.
func TestKeyedPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	check.Caught(t, func(t testing.TB) { keyed(t, program.New(t, program.Build(t, fault.ActUnmarked)), plantedKills) })
}

// keyedShop opens payments under keys.
type keyedShop struct {
	base   string
	client *http.Client

	mu       sync.Mutex
	opened   map[string]string // payments by their orders, as they were answered
	begun    map[string]bool   // orders whose request was sent, answered or not
	repeated int
}

func keyed(t testing.TB, p *program.Program, kills int) {
	t.Helper()
	p.Env = append(p.Env, "HOLDFAST_ADMIN_TOKEN="+keyedOperator)
	p.Start()
	s := &keyedShop{
		base: p.URL(), opened: map[string]string{}, begun: map[string]bool{},
		client: &http.Client{Timeout: keyedLimit, Transport: &http.Transport{MaxIdleConnsPerHost: keyedWorkers}},
	}
	defer s.client.CloseIdleConnections()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for n := range keyedWorkers {
		wg.Go(func() { s.work(ctx, n) })
	}
	for n := 0; n < kills && !t.Failed(); n++ {
		time.Sleep(shortest + rand.N(longest-shortest))
		p.Kill()
		p.Start()
	}
	time.Sleep(longest)
	stop()
	wg.Wait()
	for order := range s.begun {
		s.once(t, order)
	}
	p.Stop()
	t.Logf("%d kills, %d requests, %d repetitions", kills, len(s.begun), s.repeated)
	if len(s.opened) < kills || s.repeated == 0 {
		t.Errorf("%d requests and %d repetitions are too few to show anything", len(s.opened), s.repeated)
	}
}

// work sends one request after the other, each until it is answered.
func (s *keyedShop) work(ctx context.Context, n int) {
	for i := 0; ctx.Err() == nil; i++ {
		order := fmt.Sprintf("keyed-%d-%d", n, i)
		s.mu.Lock()
		s.begun[order] = true
		s.mu.Unlock()
		for ctx.Err() == nil {
			id, err := s.open(ctx, order)
			s.mu.Lock()
			if err == nil {
				s.opened[order] = id
			} else {
				s.repeated++
			}
			s.mu.Unlock()
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(keyedAgain):
			}
		}
	}
}

// open opens the payment of an order, under a key that follows from the order.
func (s *keyedShop) open(ctx context.Context, order string) (id string, err error) {
	var a struct {
		Response struct {
			ImpUID string `json:"imp_uid"`
		} `json:"response"`
	}
	err = s.call(ctx, http.MethodPost, "/sandbox/payments", "the-key-of-"+order, map[string]any{
		"merchant_uid": order, "amount": 5000, "name": "컵", "pay_method": "vbank", "vbank_code": "004", "escrow": true,
	}, &a)
	if err == nil && a.Response.ImpUID == "" {
		err = errors.New("an answer without a payment")
	}
	return a.Response.ImpUID, err
}

// call makes one call of the shop, or without a key one of the operator. An error says that it is
// not known what became of it, or that the program says so itself.
func (s *keyedShop) call(ctx context.Context, method, path, key string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if key != "" {
		req.SetBasicAuth(serve.SeedKey, serve.SeedSecret)
		req.Header.Set("Idempotency-Key", `"`+key+`"`)
	} else {
		req.Header.Set("Authorization", "Bearer "+keyedOperator)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s", res.StatusCode, got)
	}
	return json.Unmarshal(got, into)
}

// once repeats the request of an order and asks that the order has one payment,
// which is the one that was answered.
func (s *keyedShop) once(t testing.TB, order string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), keyedLimit)
	defer cancel()
	id, err := s.open(ctx, order)
	for ; err != nil && ctx.Err() == nil; id, err = s.open(ctx, order) { // it may still be carried out
		time.Sleep(keyedAgain)
	}
	if err != nil {
		t.Errorf("%s: the program lives and does not answer: %v", order, err)
		return
	}
	if was := s.opened[order]; was != "" && was != id {
		t.Errorf("%s was answered with %s and is answered with %s", order, was, id)
	}
	var found struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := s.call(ctx, http.MethodGet, "/admin/v1/merchants/"+serve.SeedCode+"/payments?orderId="+order, "", nil, &found); err != nil {
		t.Error(err)
	}
	if len(found.Items) != 1 || found.Items[0].ID != id {
		t.Errorf("%s has the payments %v and was answered with %s", order, found.Items, id)
	}
}
