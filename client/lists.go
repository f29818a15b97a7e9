package client

import (
	"context"
	"iter"
	"time"
)

// Filter chooses payments; what is zero chooses nothing.
type Filter struct {
	StoreID string `json:"storeId,omitempty"`
	// From and Until are the time that the list covers, both ends included: by default
	// the last 90 days.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// TimestampType says what the time is about: STATUS_CHANGED_AT (default) or
	// CREATED_AT.
	TimestampType string       `json:"timestampType,omitempty"`
	SortBy        string       `json:"sortBy,omitempty"`    // REQUESTED_AT or STATUS_CHANGED_AT
	SortOrder     string       `json:"sortOrder,omitempty"` // DESC (default) or ASC
	Status        []string     `json:"status,omitempty"`    // as [PaymentStatus], with PENDING for PAY_PENDING
	Methods       []string     `json:"methods,omitempty"`   // CARD, TRANSFER, VIRTUAL_ACCOUNT
	EscrowStatus  EscrowStatus `json:"escrowStatus,omitempty"`
	// IsEscrow and IsTest choose both kinds if nil.
	IsEscrow *bool `json:"isEscrow,omitempty"`
	IsTest   *bool `json:"isTest,omitempty"`
	// Version is V1 or V2: through which a payment was begun.
	Version       string       `json:"version,omitempty"`
	WebhookStatus string       `json:"webhookStatus,omitempty"`
	TextSearch    []TextSearch `json:"textSearch,omitempty"`
}

// TextSearch looks for a text in a field: ALL, PAYMENT_ID, ORDER_NAME, CUSTOMER_NAME and
// others of PortOne V2.
type TextSearch struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// PaymentPage is a page of payments.
type PaymentPage struct {
	Items []Payment `json:"items"`
	Page  struct {
		Number int64 `json:"number"` // from 0
		Size   int64 `json:"size"`
		// TotalCount is how many payments the filter chooses.
		TotalCount int64 `json:"totalCount"`
	} `json:"page"`
}

// pageSize is the size of a page that the caller does not choose.
const pageSize = 100

// ListPayments lists a page of payments, counted from 0, of a size of at most 1,000; a
// size of 0 means 100. To go through all of them, [Client.Payments] is better: its list
// does not move under the reader.
func (c *Client) ListPayments(ctx context.Context, number, size int, f Filter) (PaymentPage, error) {
	if size == 0 {
		size = pageSize
	}
	f.StoreID = c.of(f.StoreID)
	var out PaymentPage
	err := c.list(ctx, members{"page": members{"number": number, "size": size}, "filter": f}, &out, "payments")
	return out, err
}

// Range is the time that a list covers, both ends included, and where it goes on.
type Range struct {
	StoreID string    `json:"storeId,omitempty"`
	From    time.Time `json:"from,omitzero"` // by default 90 days before Until
	Until   time.Time `json:"until,omitzero"`
	// Cursor is that of the last item that was read; empty for the beginning.
	Cursor string `json:"cursor,omitempty"`
	Size   int    `json:"size,omitempty"` // of one answer, at most 1,000
}

// PaymentAt is a payment and the cursor after which a list goes on.
type PaymentAt struct {
	Payment Payment `json:"payment"`
	Cursor  string  `json:"cursor"`
}

// PaymentEventAt is an event and the cursor after which a list goes on.
type PaymentEventAt struct {
	PaymentEvent PaymentEvent `json:"paymentEvent"`
	Cursor       string       `json:"cursor"`
}

// Payments goes through the payments of a time in the order in which they were begun.
// An error ends it.
func (c *Client) Payments(ctx context.Context, r Range) iter.Seq2[PaymentAt, error] {
	return follow(ctx, c, "payments-by-cursor", r, func(p PaymentAt) string { return p.Cursor })
}

// PaymentEvents goes through the movements of money of a time in the order in which they
// were stored. An error ends it. The steps of an escrow are in [Client.Feed].
func (c *Client) PaymentEvents(ctx context.Context, r Range) iter.Seq2[PaymentEventAt, error] {
	return follow(ctx, c, "payment-events-by-cursor", r, func(e PaymentEventAt) string { return e.Cursor })
}

// follow reads a list by cursor to its end.
func follow[T any](ctx context.Context, c *Client, path string, r Range, cursor func(T) string) iter.Seq2[T, error] {
	r.StoreID = c.of(r.StoreID)
	if r.Size == 0 {
		r.Size = pageSize
	}
	return func(yield func(T, error) bool) {
		at := r
		for {
			var out items[T]
			if err := c.list(ctx, at, &out, path); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range out.Items {
				if !yield(item, nil) {
					return
				}
				at.Cursor = cursor(item)
			}
			if len(out.Items) < at.Size {
				return
			}
		}
	}
}
