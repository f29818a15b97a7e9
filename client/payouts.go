package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// PayoutState is how far a payout has come.
type PayoutState string

// The states of a payout.
const (
	PayoutOrdered  PayoutState = "ordered"  // the bank has not answered yet
	PayoutPaid     PayoutState = "paid"     // sent
	PayoutFailed   PayoutState = "failed"   // the bank refused it
	PayoutReturned PayoutState = "returned" // sent and come back
)

// Payout is one transfer to the shop's account, which pays what fell due of many
// payments. Amounts are in won, dates (2006-01-02) those of Korea.
type Payout struct {
	ID    string      `json:"id"`
	Date  string      `json:"date"` // of the settlement run; a shop has at most one a day
	State PayoutState `json:"state"`
	// Amount is what is sent: Gross less Fee, VAT and Deducted.
	Amount   int64 `json:"amount"`
	Gross    int64 `json:"gross"`
	Fee      int64 `json:"fee"`
	VAT      int64 `json:"vat"`
	Deducted int64 `json:"deducted"` // refunds, reversals and charges
	Lines    int64 `json:"lines"`
	// Bank is the national code; of the account number the end alone can be read.
	Bank          string    `json:"bank"`
	AccountNumber string    `json:"accountNumber"`
	AccountHolder string    `json:"accountHolder"`
	Reason        string    `json:"reason"` // the bank's, of one that failed or came back
	OrderedAt     time.Time `json:"orderedAt"`
	AnsweredAt    time.Time `json:"answeredAt"`
}

// PayoutLine is what a payout pays, or takes off, for one payment; or the money of an
// earlier payout that is paid again.
type PayoutLine struct {
	ID            string    `json:"id"`
	Kind          string    `json:"kind"`          // sale, refund, reversal, charge or returned
	PaymentID     string    `json:"paymentId"`     // empty of returned
	TransactionID string    `json:"transactionId"` // empty of returned
	PayoutID      string    `json:"payoutId"`      // of returned: the earlier payout
	Gross         int64     `json:"gross"`
	Fee           int64     `json:"fee"`
	VAT           int64     `json:"vat"`
	Net           int64     `json:"net"` // what it adds to the payout
	At            time.Time `json:"at"`
	DueDate       string    `json:"dueDate"`
}

// Payouts goes through the payouts of the shop, newest first. An error ends it.
func (c *Client) Payouts(ctx context.Context) iter.Seq2[Payout, error] {
	return func(yield func(Payout, error) bool) {
		for offset := 0; ; offset += pageSize {
			page, err := ownPage[Payout](ctx, c, queryOf("offset", strconv.Itoa(offset), "limit", strconv.Itoa(pageSize)), "payouts")
			if !page.yield(err, yield) {
				return
			}
		}
	}
}

// Payout is one payout.
func (c *Client) Payout(ctx context.Context, id string) (Payout, error) {
	var out Payout
	err := c.own(ctx, http.MethodGet, nil, nil, &out, "payouts", id)
	return out, err
}

// payoutLinesPage is how many lines one answer has.
const payoutLinesPage = 1_000

// PayoutLines goes through what a payout pays; there may be some hundred thousand
// lines. An error ends it.
func (c *Client) PayoutLines(ctx context.Context, id string) iter.Seq2[PayoutLine, error] {
	return func(yield func(PayoutLine, error) bool) {
		for after := ""; ; {
			page, err := ownPage[PayoutLine](ctx, c, queryOf("after", after, "limit", strconv.Itoa(payoutLinesPage)), "payouts", id, "lines")
			if !page.yield(err, yield) {
				return
			}
			after = page.Items[len(page.Items)-1].ID
		}
	}
}

// listed is a page of a list of Holdfast's own API.
type listed[T any] struct {
	items[T]
	More bool `json:"more"`
}

func ownPage[T any](ctx context.Context, c *Client, query url.Values, path ...string) (listed[T], error) {
	var out listed[T]
	err := c.own(ctx, http.MethodGet, query, nil, &out, path...)
	return out, err
}

// yield hands a page on, or the error in its place, and reports whether another page
// is wanted.
func (p listed[T]) yield(err error, yield func(T, error) bool) bool {
	if err != nil {
		var none T
		yield(none, err)
		return false
	}
	for i := range p.Items {
		if !yield(p.Items[i], nil) {
			return false
		}
	}
	return p.More && len(p.Items) > 0
}
