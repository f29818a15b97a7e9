package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// failedOneAfterTheOther: who goes through the failed calls of an endpoint by the
// last one that it has seen meets each once, also those made at one instant, and
// also when some have failed again since.
func failedOneAfterTheOther(t *testing.T, s *store.Store) {
	var want []string
	write(t, s, func(tx *store.Tx) error {
		for i := range 7 {
			w := store.WebhookOwed{Seq: int64(1 + i%2), Kind: "status", Endpoint: "v1", ID: fmt.Sprintf("-w%d", i), URL: "http://127.0.0.1:1/", Max: 1, Off: true}
			if err := tx.InsertWebhook(Merchant, "imp_1", w, Monday.Add(time.Duration(i/4)*time.Second)); err != nil {
				return err
			}
		}
		other := store.WebhookOwed{Seq: 1, Kind: "status", Endpoint: "v2", ID: "-x", URL: "http://127.0.0.1:1/", Max: 1, Off: true}
		return tx.InsertWebhook(Merchant, "imp_1", other, Monday)
	})
	for _, n := range []int{0, 2, 1, 3, 4, 6, 5} { // by instant, then by step, then by id
		want = append(want, fmt.Sprintf("imp_1-w%d", n))
	}
	var got []string
	var last *store.CallSpot
	for range 10 {
		page := read(t, s, func(r *store.Reader) ([]store.Webhook, error) { return r.FailedWebhooks(Merchant, "v1", last, 2) })
		for i := range page {
			got, last = append(got, page[i].ID), page[i].Spot()
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("met %v, want %v", got, want)
	}
}
