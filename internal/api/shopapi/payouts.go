package shopapi

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// payoutView is one transfer to the shop's account.
type payoutView struct {
	ID            string             `json:"id"`
	Date          bizday.Date        `json:"date"`
	State         settle.PayoutState `json:"state"`
	Amount        money.Won          `json:"amount"`
	Gross         money.Won          `json:"gross"`
	Fee           money.Won          `json:"fee"`
	VAT           money.Won          `json:"vat"`
	Deducted      money.Won          `json:"deducted"`
	Lines         int64              `json:"lines"`
	Bank          string             `json:"bank"`
	AccountNumber string             `json:"accountNumber"`
	AccountHolder string             `json:"accountHolder"`
	Reason        string             `json:"reason,omitempty"` // of one that failed or came back
	OrderedAt     time.Time          `json:"orderedAt"`
	AnsweredAt    time.Time          `json:"answeredAt,omitzero"`
}

func payoutOf(p settle.Payout) payoutView {
	v := payoutView{
		ID: p.ID, Date: p.Date, State: p.State, Amount: p.Amount, Gross: p.Gross, Fee: p.Fee, VAT: p.VAT, Deducted: p.Deducted, Lines: p.Lines,
		Bank: p.Bank, AccountNumber: krbank.Masked(p.Number), AccountHolder: p.Holder, OrderedAt: p.OrderAt.UTC(),
	}
	if p.State == settle.PayoutFailed || p.State == settle.PayoutReturned {
		v.Reason = p.Reason
	}
	if !p.DoneAt.IsZero() {
		v.AnsweredAt = p.DoneAt.UTC()
	}
	return v
}

// payoutLineView is what a payout pays, or takes off, for one payment; or the money
// of an earlier payout that is paid again.
type payoutLineView struct {
	ID            string          `json:"id"`
	Kind          escrow.LineKind `json:"kind"`
	PaymentID     string          `json:"paymentId,omitempty"`
	TransactionID string          `json:"transactionId,omitempty"`
	PayoutID      string          `json:"payoutId,omitempty"` // the earlier one
	Gross         money.Won       `json:"gross"`
	Fee           money.Won       `json:"fee"`
	VAT           money.Won       `json:"vat"`
	Net           money.Won       `json:"net"`
	At            time.Time       `json:"at"`
	DueDate       bizday.Date     `json:"dueDate"`
}

func payoutLineOf(l app.PaidLine) payoutLineView {
	v := payoutLineView{ID: l.ID, Kind: l.Kind, PaymentID: l.OrderID, Gross: l.Gross, Fee: l.Fee, VAT: l.VAT, Net: l.Net, At: l.At.UTC(), DueDate: l.DueDate}
	if l.Kind == app.LineReturned {
		v.PayoutID = l.Payment
	} else {
		v.TransactionID = l.Payment
	}
	return v
}

func (s *api) listPayouts(c *call) (any, error) {
	return own.List(c.Request, nil, func(offset, limit int) ([]settle.Payout, error) {
		return s.App.Payouts(c.Context(), c.shop.ID, offset, limit)
	}, payoutOf)
}

func (s *api) showPayout(c *call) (any, error) {
	p, err := s.App.Payout(c.Context(), c.shop.ID, c.id())
	if err != nil {
		return nil, err
	}
	return payoutOf(p), nil
}

// linesMax bounds a page of lines, linesDefault is its usual size. A payout has up to
// some hundred thousand, so that a page begins after a line and not at a number.
const linesMax, linesDefault = 1_000, 100

// payoutLines is a page of lines.
type payoutLines struct {
	Items []payoutLineView `json:"items"`
	More  bool             `json:"more"`
}

// listPayoutLines lists what a payout pays, in the order of the ids of the lines.
func (s *api) listPayoutLines(c *call) (any, error) {
	q, err := own.Query(c.Request)
	if err != nil {
		return nil, err
	}
	after := q.Text("after", idMax)
	limit, given := q.Int("limit", 1, linesMax)
	if !given {
		limit = linesDefault
	}
	if err := q.ErrStrict(); err != nil {
		return nil, err
	}
	rows, err := s.App.PayoutLines(c.Context(), c.shop.ID, c.id(), after, int(limit)+1)
	if err != nil {
		return nil, err
	}
	out := payoutLines{Items: []payoutLineView{}, More: len(rows) > int(limit)}
	for _, l := range rows[:min(len(rows), int(limit))] {
		out.Items = append(out.Items, payoutLineOf(l))
	}
	return out, nil
}
