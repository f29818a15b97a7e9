package wirev2

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// TestSiftAsksForLittle: calls to the shop are looked up only for payments that pass
// every other check.
func TestSiftAsksForLittle(t *testing.T) {
	v, err := body.Parse([]byte(`{"filter": {"platformType": "API", "cashReceiptStatus": "ISSUED", "webhookStatus": "SUCCEEDED"}}`))
	if err != nil {
		t.Fatal(err)
	}
	f := v.Fields()
	q := TakeQuery(f, time.Unix(1, 0))
	if err := f.Err(); err != nil || !q.Checks() {
		t.Fatal(err, q.Checks())
	}
	payments := []escrow.Payment{{ID: "pc", Device: "pc"}, {ID: "no receipt", Device: "api"}, {ID: "refused", Device: "api"}, {ID: "good", Device: "api"}}
	var receipts, webhooks []string
	got, err := q.Sift(payments, Around{
		Receipts: func(rows []escrow.Payment) (map[string]ReceiptFacts, error) {
			for i := range rows {
				receipts = append(receipts, rows[i].ID)
			}
			return map[string]ReceiptFacts{"pc": {}, "refused": {}, "good": {}}, nil
		},
		Webhooks: func(id string) ([]Webhook, error) {
			webhooks = append(webhooks, id)
			return []Webhook{{Status: map[string]string{"good": WebhookSucceeded, "refused": WebhookRefused}[id]}}, nil
		},
	})
	if err != nil || len(got) != 1 || got[0].ID != "good" {
		t.Errorf("kept %v, %v", got, err)
	}
	if !slices.Equal(receipts, []string{"no receipt", "refused", "good"}) || !slices.Equal(webhooks, []string{"refused", "good"}) {
		t.Errorf("receipts of %q, webhooks of %q", receipts, webhooks)
	}
}
