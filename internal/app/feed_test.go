package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestManyReadersOfOneShop: beyond its share a shop's readers are answered at once,
// and those of others wait as before.
func TestManyReadersOfOneShop(t *testing.T) {
	s := servetest.Run(t)
	ctx, stop := context.WithCancel(t.Context())
	const wait = time.Minute
	ended := make(chan error, 150)
	read := func(shop string) {
		go func() {
			_, err := s.App.FeedAfter(ctx, shop, 0, 1, wait, nil)
			ended <- err
		}()
	}
	for range 150 {
		read("mrc_greedy")
	}
	for range 50 {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	read("mrc_modest")
	select {
	case err := <-ended:
		t.Errorf("one more than was to be does not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	stop()
	for range 101 {
		<-ended
	}
}
