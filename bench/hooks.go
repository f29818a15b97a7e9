package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

const (
	// arriveLimit bounds the wait for calls that have been owed.
	arriveLimit = 10 * time.Minute
	// paced is the pause between two events whose delay is measured.
	paced = 20 * time.Millisecond
	// backlogPage is how many events are opened side by side.
	backlogPage = 32
	// manyEndpoints is to how many endpoints of one shop each event goes.
	manyEndpoints = 100
)

// ear is a shop that takes every call at once and remembers when it came.
type ear struct {
	*httptest.Server
	came  atomic.Int64
	mu    sync.Mutex
	first map[string]time.Time // by payment
}

func newEar() *ear {
	e := &ear{first: map[string]time.Time{}}
	e.Server = httptest.NewServer(e)
	return e
}

// ServeHTTP takes a call. Its id begins with the payment's.
func (e *ear) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	at := time.Now()
	_, _ = io.Copy(io.Discard, r.Body) // what it says is no matter
	id, _, _ := strings.Cut(r.Header.Get("webhook-id"), "-w")
	e.mu.Lock()
	if _, known := e.first[id]; !known {
		e.first[id] = at
	}
	e.mu.Unlock()
	e.came.Add(1)
}

// wait waits until so many calls have come.
func (e *ear) wait(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, arriveLimit)
	defer cancel()
	for e.came.Load() < n {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d calls of %d came: %w", e.came.Load(), n, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// hooks measures how fast shops are told: the delay of single events, the rate to
// one and to a hundred endpoints, and what a drained backlog does to the door.
// Everything runs in this process, the shop too.
func hooks(ctx context.Context, b *bench) error {
	return b.onEngines(ctx, func(ctx context.Context, f *field) error { return b.hooksOn(ctx, f) })
}

func (b *bench) hooksOn(ctx context.Context, f *field) (err error) {
	dir, err := f.folder("hooks")
	if err != nil {
		return err
	}
	h, err := openHouse(ctx, dir, clock.Real{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	shop := newEar()
	defer shop.Close()
	b.say("%s", f.engine)
	one, err := h.endpoint(ctx, shop.URL)
	if err != nil {
		return err
	}
	if err := b.delay(ctx, h, shop); err != nil {
		return err
	}
	if err := b.drain(ctx, h, shop, one); err != nil {
		return err
	}
	for range manyEndpoints - 1 {
		if _, err := h.endpoint(ctx, shop.URL); err != nil {
			return err
		}
	}
	events := max(20, b.backlog/manyEndpoints/2)
	began, from := time.Now(), shop.came.Load()
	if err := h.openMany(ctx, events); err != nil {
		return err
	}
	if err := shop.wait(ctx, from+int64(events*manyEndpoints)); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	_, err = fmt.Fprintf(b.out, "  to %d endpoints: %.0f events/s, %.0f calls/s\n", manyEndpoints, float64(events)/took, float64(events*manyEndpoints)/took)
	return err
}

func (h *house) endpoint(ctx context.Context, url string) (string, error) {
	e, _, err := h.App.CreateEndpoint(ctx, "bench", h.merchant, merchant.Endpoint{URL: url, Format: merchant.V2}, "")
	return e.ID, err
}

// open makes one event, and returns the payment and how long the door took.
func (h *house) open(ctx context.Context, n int) (string, time.Duration, error) {
	began := time.Now()
	p, err := h.App.Open(ctx, escrow.Shop, h.merchant, escrow.Open{
		OrderID: orderID(int64(n)), Goods: escrow.Physical, Method: escrow.Card, Amount: orderAmount, Name: orderName,
	})
	return p.ID, time.Since(began), err
}

// openMany makes many events, several at a time.
func (h *house) openMany(ctx context.Context, n int) error {
	var wg sync.WaitGroup
	errs := make(chan error, backlogPage)
	var next atomic.Int64
	for range backlogPage {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if _, _, err := h.open(ctx, int(i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// delay measures from the return of the door, which is after the commit, to the
// arrival at the shop, one event after the other.
func (b *bench) delay(ctx context.Context, h *house, shop *ear) error {
	done := map[string]time.Time{}
	n := int(b.span / paced)
	for i := range n {
		id, _, err := h.open(ctx, i)
		if err != nil {
			return err
		}
		done[id] = time.Now()
		pause(paced)
	}
	if err := shop.wait(ctx, int64(n)); err != nil {
		return err
	}
	var took []time.Duration
	shop.mu.Lock()
	for id, at := range done {
		took = append(took, max(0, shop.first[id].Sub(at)))
	}
	shop.mu.Unlock()
	_, err := fmt.Fprintf(b.out, "  delay from commit to arrival, %d events: p50 %s, p99 %s\n", n, ms(quantile(took, 0.50)), ms(quantile(took, 0.99)))
	return err
}

// drain builds a backlog while the endpoint is off, takes the times of the door in
// peace and while the backlog is told, and how fast that is.
func (b *bench) drain(ctx context.Context, h *house, shop *ear, id string) error {
	if _, err := h.App.SwitchEndpoint(ctx, "bench", h.merchant, id, false); err != nil {
		return err
	}
	if err := h.openMany(ctx, b.backlog); err != nil {
		return err
	}
	peace, err := h.paced(ctx, b.span)
	if err != nil {
		return err
	}
	if _, err := h.App.SwitchEndpoint(ctx, "bench", h.merchant, id, true); err != nil {
		return err
	}
	began, from := time.Now(), shop.came.Load()
	told := make(chan error, 1)
	go func() {
		for more := true; more; {
			done, err := h.App.ReplayFailed(ctx, h.merchant, id)
			if more = done.More; err != nil {
				told <- err
				return
			}
		}
		told <- nil
	}()
	busy, err := h.paced(ctx, b.span)
	n := b.backlog + len(peace) + len(busy) // what came while it was off is replayed too
	if err := errors.Join(err, <-told, shop.wait(ctx, from+int64(n))); err != nil {
		return err
	}
	took := time.Since(began)
	_, err = fmt.Fprintf(b.out, "  backlog of %d to one endpoint: %.0f events/s (%s); the door meanwhile: p50 %s, p99 %s; in peace: p50 %s, p99 %s\n",
		n, float64(n)/took.Seconds(), took.Round(time.Millisecond), ms(quantile(busy, 0.50)), ms(quantile(busy, 0.99)), ms(quantile(peace, 0.50)), ms(quantile(peace, 0.99)))
	return err
}

// paced takes the times of the door, one event after the other.
func (h *house) paced(ctx context.Context, span time.Duration) (took []time.Duration, err error) {
	for i := range int(span / paced) {
		_, d, err := h.open(ctx, i)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
		pause(paced)
	}
	return took, nil
}
