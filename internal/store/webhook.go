package store

import (
	"strconv"
	"time"
)

// Lane is where calls to a shop queue: one of a merchant's endpoints. What is
// owed to one delays no other.
type Lane struct{ Merchant, Endpoint string }

// DueLane is a lane with calls that are due, and how many.
type DueLane struct {
	Lane
	N int
}

// maxLanes bounds the lanes of one answer.
const maxLanes = 10_000

// DueLanes returns the lanes in which calls are due, that of the call that is due
// the longest first. An empty merchant means all. It reads as many entries of an
// index as there are open calls.
func (q *queries) DueLanes(merchant string, now time.Time) ([]DueLane, error) {
	const from, group = `SELECT merchant, endpoint, count(*) FROM webhook WHERE ` + pending + ` AND due_at <= $1`,
		` GROUP BY merchant, endpoint ORDER BY min(due_at), merchant, endpoint LIMIT $2`
	if merchant == "" {
		return all(q, scanDueLane, from+group, now.UnixMicro(), maxLanes)
	}
	return all(q, scanDueLane, from+` AND merchant = $3`+group, now.UnixMicro(), maxLanes, merchant)
}

func scanDueLane(rows rowSet) (l DueLane, err error) {
	err = rows.Scan(&l.Merchant, &l.Endpoint, &l.N)
	return l, err
}

// Take is how many calls are taken from a lane.
type Take struct {
	Lane
	N int
	// Ordered passes over calls about a payment of which an earlier one is open.
	Ordered bool
}

// firstOfPayment leaves out calls that an earlier open one to the same endpoint
// about the same payment goes before.
const firstOfPayment = ` AND NOT EXISTS (SELECT 1 FROM webhook e WHERE e.merchant = webhook.merchant AND e.payment = webhook.payment
	AND e.endpoint = webhook.endpoint AND e.seq < webhook.seq AND e.state = 'pending')`

// ClaimWebhooks leases pending calls that are due from the given lanes and counts
// the attempt. A lease that runs out makes the call due again.
func (t *Tx) ClaimWebhooks(takes []Take, now time.Time, lease time.Duration) ([]Webhook, error) {
	shares := make([]share, len(takes))
	for i, k := range takes {
		shares[i] = share{n: k.N, among: ` AND merchant = $4 AND endpoint = $5`, args: []any{k.Merchant, k.Endpoint}}
		if k.Ordered {
			shares[i].besides = firstOfPayment
		}
	}
	if len(shares) == 0 {
		return nil, nil
	}
	return newClaim(t, webhookWork, scanWebhook, now, lease).take(shares...)
}

// WebhookFilter chooses calls; what is empty chooses all.
type WebhookFilter struct {
	Payment  string
	State    string // WebhookPending, WebhookDelivered or WebhookFailed
	Kind     string
	Endpoint string
}

// Webhooks returns calls to a merchant, newest first.
func (q *queries) Webhooks(merchant string, f WebhookFilter, offset, limit int) ([]Webhook, error) {
	query, args := `SELECT `+webhookColumns+` FROM webhook WHERE merchant = $1`, []any{merchant, limit, offset}
	switch f.State {
	case "":
	case WebhookPending, WebhookDelivered, WebhookFailed: // said in words, so that an index of such alone is found
		query += ` AND state = '` + f.State + `'`
	default:
		return nil, nil
	}
	for _, c := range []struct{ column, value string }{{"payment", f.Payment}, {"kind", f.Kind}, {"endpoint", f.Endpoint}} {
		if c.value != "" {
			args = append(args, c.value)
			query += ` AND ` + c.column + ` = $` + strconv.Itoa(len(args))
		}
	}
	return all(q, scanWebhook, query+` ORDER BY created_at DESC, seq DESC, id DESC LIMIT $2 OFFSET $3`, args...)
}

// CallSpot is where a call stands in the order of their making.
type CallSpot struct {
	CreatedAt time.Time `json:"createdAt"`
	Seq       int64     `json:"seq"`
	ID        string    `json:"id"`
}

// Spot is where the call stands.
func (w *Webhook) Spot() *CallSpot { return &CallSpot{w.CreatedAt, w.Seq, w.ID} }

// FailedWebhooks returns up to limit calls of an endpoint that came to nothing,
// the oldest first, from behind a spot; nil begins at the front.
func (q *queries) FailedWebhooks(merchant, endpoint string, after *CallSpot, limit int) ([]Webhook, error) {
	const from, page = `SELECT ` + webhookColumns + ` FROM webhook WHERE merchant = $1 AND state = 'failed' AND endpoint = $2`, ` ORDER BY created_at, seq, id LIMIT $3`
	if after == nil {
		return all(q, scanWebhook, from+page, merchant, endpoint, limit)
	}
	return all(q, scanWebhook, from+` AND (created_at, seq, id) > ($4, $5, $6)`+page, merchant, endpoint, limit, after.CreatedAt.UnixMicro(), after.Seq, after.ID)
}

// Health is how an endpoint fails; one that takes what it is told has none.
type Health struct {
	Lane
	Failures int       // in a row
	Since    time.Time // the first of them, by the merchant's clock
	// RestUntil is until when it is left alone, by the machine's clock.
	RestUntil time.Time
}

const healthColumns = `merchant, endpoint, failures, since, rest_until`

func scanHealth(rows rowSet) (h Health, err error) {
	var since, rest int64
	err = rows.Scan(&h.Merchant, &h.Endpoint, &h.Failures, &since, &rest)
	h.Since, h.RestUntil = micros(since).time(), micros(rest).time()
	return h, err
}

// Failing returns the endpoints that fail. An empty merchant means all.
func (q *queries) Failing(merchant string) ([]Health, error) {
	if merchant == "" {
		return all(q, scanHealth, `SELECT `+healthColumns+` FROM endpoint_health ORDER BY merchant, endpoint LIMIT $1`, maxLanes)
	}
	return all(q, scanHealth, `SELECT `+healthColumns+` FROM endpoint_health WHERE merchant = $2 ORDER BY endpoint LIMIT $1`, maxLanes, merchant)
}

// EndpointFailed counts a failure at an instant of the merchant's clock.
func (t *Tx) EndpointFailed(l Lane, at time.Time) (Health, error) {
	return one(&t.queries, scanHealth, `INSERT INTO endpoint_health (merchant, endpoint, failures, since, rest_until) VALUES ($1, $2, 1, $3, 0)
		ON CONFLICT (merchant, endpoint) DO UPDATE SET failures = endpoint_health.failures + 1 RETURNING `+healthColumns, l.Merchant, l.Endpoint, at.UnixMicro())
}

// RestEndpoint leaves a failing endpoint alone until an instant of the machine's clock.
func (t *Tx) RestEndpoint(l Lane, until time.Time) error {
	return t.put(`UPDATE endpoint_health SET rest_until = $1 WHERE merchant = $2 AND endpoint = $3`, until.UnixMicro(), l.Merchant, l.Endpoint)
}

// EndpointWell forgets that an endpoint failed.
func (t *Tx) EndpointWell(l Lane) error {
	return t.put(`DELETE FROM endpoint_health WHERE merchant = $1 AND endpoint = $2`, l.Merchant, l.Endpoint)
}
