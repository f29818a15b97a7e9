package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Formats of what an endpoint is told.
const (
	FormatV2        = "2024-04-25" // PortOne V2's present one, and the default
	FormatV2Old     = "2024-01-01"
	FormatV2OldForm = "2024-01-01-form"
	FormatV1        = "v1"
	FormatV1Form    = "v1-form"
)

// Endpoint is where a shop is told of events.
type Endpoint struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Format string `json:"format"`
	// Events are names, or Escrow.* for all that begin so; empty means PortOne's own.
	Events []string `json:"events"`
	// Ordered endpoints are told the steps of a payment strictly one after the other.
	Ordered          bool     `json:"ordered"`
	RetrySchedule    []string `json:"retrySchedule"` // pauses, such as 1m or 4h
	DisableAfterDays int      `json:"disableAfterDays"`
	Description      string   `json:"description"`
	// Secrets is how many secrets sign now.
	Secrets int `json:"secrets"`
	// Off is nil if the endpoint is on.
	Off *struct {
		Why   string    `json:"why"` // shop, gone or failing
		Since time.Time `json:"since"`
	} `json:"off"`
	// Failing is nil if the last call was taken.
	Failing *struct {
		Failures  int       `json:"failures"` // in a row
		Since     time.Time `json:"since"`
		RestUntil time.Time `json:"restUntil"`
	} `json:"failing"`
	CreatedAt time.Time `json:"createdAt"`
	// Secret signs what the endpoint is told. It is there only in the answer that
	// makes it.
	Secret string `json:"secret"`
}

// EndpointSettings are what a shop says of an endpoint; nil says nothing. A new
// endpoint needs a URL.
type EndpointSettings struct {
	URL              *string   `json:"url,omitempty"`
	Format           *string   `json:"format,omitempty"`
	Events           *[]string `json:"events,omitempty"`
	Ordered          *bool     `json:"ordered,omitempty"`
	RetrySchedule    *[]string `json:"retrySchedule,omitempty"`
	DisableAfterDays *int      `json:"disableAfterDays,omitempty"`
	Description      *string   `json:"description,omitempty"`
	// Secret is a signing secret that the shop has already, of a new endpoint.
	Secret *string `json:"secret,omitempty"`
}

// own makes a call of Holdfast's own API.
func (c *Client) own(ctx context.Context, method string, query url.Values, body, out any, path ...string) error {
	return c.do(ctx, call{method: method, path: append([]string{"holdfast", "v1"}, path...), query: query, body: body}, out)
}

// Endpoints lists the endpoints of the shop.
func (c *Client) Endpoints(ctx context.Context) ([]Endpoint, error) {
	var out items[Endpoint]
	err := c.own(ctx, http.MethodGet, nil, nil, &out, "endpoints")
	return out.Items, err
}

// Endpoint is one endpoint.
func (c *Client) Endpoint(ctx context.Context, id string) (Endpoint, error) {
	return c.endpoint(ctx, http.MethodGet, nil, id)
}

func (c *Client) endpoint(ctx context.Context, method string, body any, path ...string) (Endpoint, error) {
	var out Endpoint
	err := c.own(ctx, method, nil, body, &out, append([]string{"endpoints"}, path...)...)
	return out, err
}

// CreateEndpoint adds an endpoint. Its signing secret is in this answer and in no other.
func (c *Client) CreateEndpoint(ctx context.Context, s EndpointSettings) (Endpoint, error) {
	return c.endpoint(ctx, http.MethodPost, s)
}

// ChangeEndpoint changes settings of an endpoint.
func (c *Client) ChangeEndpoint(ctx context.Context, id string, s EndpointSettings) (Endpoint, error) {
	return c.endpoint(ctx, http.MethodPatch, s, id)
}

// SwitchEndpoint switches an endpoint on or off. What happens while it is off is kept as
// failed; [Client.ReplayFailed] tells it.
func (c *Client) SwitchEndpoint(ctx context.Context, id string, on bool) (Endpoint, error) {
	if on {
		return c.endpoint(ctx, http.MethodPost, nil, id, "on")
	}
	return c.endpoint(ctx, http.MethodPost, nil, id, "off")
}

// DeleteEndpoint removes an endpoint.
func (c *Client) DeleteEndpoint(ctx context.Context, id string) error {
	return c.own(ctx, http.MethodDelete, nil, nil, nil, "endpoints", id)
}

// RotateSecret gives an endpoint a new signing secret and returns it. Both sign until
// [Client.DropOldSecret]; a [Verifier] takes both. While two sign it is refused.
func (c *Client) RotateSecret(ctx context.Context, id string) (string, error) {
	var out struct {
		Secret string `json:"secret"`
	}
	err := c.own(ctx, http.MethodPost, nil, nil, &out, "endpoints", id, "rotate-secret")
	return out.Secret, err
}

// DropOldSecret ends the older of two signing secrets.
func (c *Client) DropOldSecret(ctx context.Context, id string) error {
	return c.own(ctx, http.MethodPost, nil, nil, nil, "endpoints", id, "drop-old-secret")
}

// TestEndpoint has an endpoint called with a [TestEvent] and returns the delivery's id.
func (c *Client) TestEndpoint(ctx context.Context, id string) (deliveryID string, err error) {
	var out struct {
		DeliveryID string `json:"deliveryId"`
	}
	err = c.own(ctx, http.MethodPost, nil, nil, &out, "endpoints", id, "test")
	return out.DeliveryID, err
}

// Replayed is what a replay has caused.
type Replayed struct {
	Deliveries int64 `json:"deliveries"`
	// More says that there is more to tell again than one call does. After ReplayFailed
	// call that again; else go on with ReplayRange from the position Next.
	More bool  `json:"more"`
	Next int64 `json:"next"`
}

// ReplayFailed tells an endpoint all again that failed.
func (c *Client) ReplayFailed(ctx context.Context, endpointID string) (Replayed, error) {
	return c.replay(ctx, endpointID, members{"failed": true})
}

// ReplayRange tells an endpoint all again from a position to another one, both
// included; a last position of zero is the present.
func (c *Client) ReplayRange(ctx context.Context, endpointID string, from, to int64) (Replayed, error) {
	body := members{"fromPosition": from}
	if to != 0 {
		body["toPosition"] = to
	}
	return c.replay(ctx, endpointID, body)
}

// ReplayTime tells an endpoint all again from an instant until before another one; a
// zero one is the present.
func (c *Client) ReplayTime(ctx context.Context, endpointID string, from, to time.Time) (Replayed, error) {
	body := members{"from": from}
	if !to.IsZero() {
		body["to"] = to
	}
	return c.replay(ctx, endpointID, body)
}

func (c *Client) replay(ctx context.Context, id string, body members) (Replayed, error) {
	var out Replayed
	err := c.own(ctx, http.MethodPost, nil, body, &out, "endpoints", id, "replay")
	return out, err
}

// DeliveryState is how far a call to the shop has come.
type DeliveryState string

// The states of a call to the shop.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed"
)

// EventDelivery is a call to the shop, owed or made.
type EventDelivery struct {
	// ID is the webhook-id that the receiver sees.
	ID            string        `json:"id"`
	Endpoint      string        `json:"endpoint"`
	Type          EventType     `json:"type"`
	TransactionID string        `json:"transactionId"` // empty of a test and of a payout
	PayoutID      string        `json:"payoutId"`      // empty of a test and of a payment
	Sequence      int64         `json:"sequence"`
	URL           string        `json:"url"`
	State         DeliveryState `json:"state"`
	Attempts      int64         `json:"attempts"`
	MaxAttempts   int64         `json:"maxAttempts"`
	NextAt        time.Time     `json:"nextAt"`
	CreatedAt     time.Time     `json:"createdAt"`
	DoneAt        time.Time     `json:"doneAt"`
	// Log is the latest attempts with request and answer; lists leave it out.
	Log []DeliveryAttempt `json:"log"`
}

// DeliveryAttempt is one attempt of a call to the shop.
type DeliveryAttempt struct {
	At         time.Time `json:"at"`
	Request    string    `json:"request"`
	Status     int       `json:"status"` // zero if there was no answer
	Response   string    `json:"response"`
	Error      string    `json:"error"`
	TookMillis int64     `json:"tookMillis"`
}

// DeliveryFilter chooses calls to the shop; what is empty chooses nothing.
type DeliveryFilter struct {
	State         DeliveryState
	TransactionID string
	PayoutID      string
	Type          EventType
	Endpoint      string
}

// Deliveries goes through the log of calls to the shop, newest first. An error ends it.
// What never arrived: State [DeliveryFailed].
func (c *Client) Deliveries(ctx context.Context, f DeliveryFilter) iter.Seq2[EventDelivery, error] {
	return func(yield func(EventDelivery, error) bool) {
		for offset := 0; ; offset += pageSize {
			query := queryOf("state", string(f.State), "transactionId", f.TransactionID, "payoutId", f.PayoutID, "type", string(f.Type), "endpoint", f.Endpoint,
				"offset", strconv.Itoa(offset), "limit", strconv.Itoa(pageSize))
			page, err := ownPage[EventDelivery](ctx, c, query, "deliveries")
			if !page.yield(err, yield) {
				return
			}
		}
	}
}

// Delivery is one call to the shop with its attempts.
func (c *Client) Delivery(ctx context.Context, id string) (EventDelivery, error) {
	var out EventDelivery
	err := c.own(ctx, http.MethodGet, nil, nil, &out, "deliveries", id)
	return out, err
}

// ReplayDelivery makes a call to the shop again. A call to an endpoint that is switched
// off or deleted is refused.
func (c *Client) ReplayDelivery(ctx context.Context, id string) (EventDelivery, error) {
	var out EventDelivery
	err := c.own(ctx, http.MethodPost, nil, nil, &out, "deliveries", id, "replay")
	return out, err
}

// FeedEvent is one thing that happened, as the feed tells it.
type FeedEvent struct {
	// Position is where it stands among all events of the shop. Several names of the same
	// step have the same one.
	Position int64     `json:"position"`
	ID       string    `json:"id"` // begins the webhook-id of every call about the same
	Type     EventType `json:"type"`
	// Body is what a webhook says.
	Body json.RawMessage `json:"body"`
}

// Event reads the body.
func (f FeedEvent) Event() (Event, error) {
	e, err := ParseEvent(f.Body)
	e.ID = f.ID
	return e, err
}

// FeedPage is one answer of the feed.
type FeedPage struct {
	Events []FeedEvent `json:"events"`
	// Next is the position after which the feed goes on.
	Next int64 `json:"next"`
}

const (
	// feedWait is how long the server holds an answer until there is an event.
	feedWait = 50 * time.Second
	// feedWaitMax is the longest that it does.
	feedWaitMax = time.Minute
	// feedSize is how many positions one answer of the feed covers.
	feedSize = 200
)

// errFeedBack ends a feed that would be read in circles.
var errFeedBack = errors.New("client: the feed goes back: is this the same server?")

// Events reads the feed once: what happened after a position. It waits for up to a
// minute until there is something.
func (c *Client) Events(ctx context.Context, after int64, wait time.Duration) (FeedPage, error) {
	query := queryOf("after", strconv.FormatInt(after, 10), "limit", strconv.Itoa(feedSize), "wait", seconds(min(max(wait, 0), feedWaitMax)))
	var out FeedPage
	err := c.own(ctx, http.MethodGet, query, nil, &out, "events")
	return out, err
}

// Feed goes through all events after a position, in the order of their commits and
// without gaps, and waits for those to come. It ends with its context or with an
// error; begin again after the position of the last event that was dealt with. After
// zero are all events.
func (c *Client) Feed(ctx context.Context, after int64) iter.Seq2[FeedEvent, error] {
	return func(yield func(FeedEvent, error) bool) {
		for {
			page, err := c.Events(ctx, after, feedWait)
			if err != nil {
				yield(FeedEvent{}, err)
				return
			}
			for _, e := range page.Events {
				if !yield(e, nil) {
					return
				}
			}
			switch {
			case page.Next < after:
				yield(FeedEvent{}, errFeedBack)
				return
			case page.Next == after && !sleep(ctx, c.pause): // an answer that was not held
				yield(FeedEvent{}, ctx.Err())
				return
			}
			after = page.Next
		}
	}
}
