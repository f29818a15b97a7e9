package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// advanceTime bounds one attempt to move a clock: the server does everything that falls
// due on the way, for up to ten minutes.
const advanceTime = 11 * time.Minute

// Sandbox plays everyone who is not the shop, for tests. Only test shops have one. It
// knows payments by their transactionId.
type Sandbox struct {
	client     *Client
	credential Credential
}

// Sandbox returns the sandbox of a test shop, which is opened by the shop's key pair of
// PortOne V1.
func (c *Client) Sandbox(key, secret string) *Sandbox {
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"+secret))
	return &Sandbox{client: c, credential: func(context.Context) (string, error) { return value, nil }}
}

func (s *Sandbox) do(ctx context.Context, method string, body, out any, path ...string) error {
	return s.client.do(ctx, call{
		method: method, path: append([]string{"sandbox"}, path...), body: body, credential: s.credential, enveloped: true, time: advanceTime,
	}, out)
}

// Happened is one thing that happened while a clock moved.
type Happened struct {
	At            time.Time `json:"at"`
	What          string    `json:"what"` // event, mail or payout
	TransactionID string    `json:"imp_uid"`
	Type          string    `json:"type"`
	Actor         string    `json:"actor"`
	Amount        int64     `json:"amount"`
	Detail        string    `json:"detail"`
}

// Clock is the test clock of a shop.
type Clock struct {
	Now     time.Time `json:"now"`
	Real    time.Time `json:"real"`
	NextDue time.Time `json:"next_due"` // zero if nothing falls due
}

// Advanced is a test clock that was moved.
type Advanced struct {
	Clock
	From     time.Time  `json:"from"`
	Happened []Happened `json:"happened"`
	// Count is how much happened; if Truncated, Happened has only a part of it.
	Count     int  `json:"count"`
	Truncated bool `json:"truncated"`
}

// Clock is the shop's test clock.
func (s *Sandbox) Clock(ctx context.Context) (Clock, error) {
	var out Clock
	err := s.do(ctx, http.MethodGet, nil, &out, "clock")
	return out, err
}

func (s *Sandbox) advance(ctx context.Context, by members) (Advanced, error) {
	var out Advanced
	err := s.do(ctx, http.MethodPost, by, &out, "clock", "advance")
	return out, err
}

// AdvanceTo moves the test clock to an instant and returns when everything that falls
// due on the way is done. A second one meanwhile is refused.
func (s *Sandbox) AdvanceTo(ctx context.Context, to time.Time) (Advanced, error) {
	return s.advance(ctx, members{"to": to})
}

// AdvanceBy moves the test clock by whole seconds, rounded up; see [Sandbox.AdvanceTo].
func (s *Sandbox) AdvanceBy(ctx context.Context, d time.Duration) (Advanced, error) {
	whole := (d + time.Second - 1).Truncate(time.Second)
	return s.advance(ctx, members{"by": whole.String()})
}

// AdvanceBusinessDays moves the test clock until so many business days have passed, as
// the law counts silence; see [Sandbox.AdvanceTo].
func (s *Sandbox) AdvanceBusinessDays(ctx context.Context, days int) (Advanced, error) {
	return s.advance(ctx, members{"business_days": days})
}

// Life is all that is known of a payment. Raw has what is not listed here.
type Life struct {
	TransactionID string          `json:"imp_uid"`
	PaymentID     string          `json:"merchant_uid"`
	State         string          `json:"state"`
	Amount        int64           `json:"amount"`
	Held          int64           `json:"held"`
	Refunded      int64           `json:"refunded"`
	NextAt        time.Time       `json:"next_at"`
	Events        []Happened      `json:"events"`
	Raw           json.RawMessage `json:"-"`
}

// UnmarshalJSON reads a life and keeps all of it in Raw.
func (l *Life) UnmarshalJSON(raw []byte) error {
	type plain Life
	var read plain
	if err := json.Unmarshal(raw, &read); err != nil {
		return err
	}
	read.Raw = append(json.RawMessage(nil), raw...)
	*l = Life(read)
	return nil
}

// Life is all that is known of a payment.
func (s *Sandbox) Life(ctx context.Context, transactionID string) (Life, error) {
	var out Life
	err := s.do(ctx, http.MethodGet, nil, &out, "payments", transactionID)
	return out, err
}

// Deposit pays into the virtual account of a payment; an amount of zero is the right
// one. A deposit that does not fit is no error.
func (s *Sandbox) Deposit(ctx context.Context, transactionID string, amount int64) (Life, error) {
	body := members{"imp_uid": transactionID}
	if amount != 0 {
		body["amount"] = amount
	}
	var out struct {
		Payment Life `json:"payment"`
	}
	err := s.do(ctx, http.MethodPost, body, &out, "bank", "deposits")
	return out.Payment, err
}

// Scripts of a parcel.
const (
	ParcelUsual      = "usual"
	ParcelDeliverNow = "deliver_now"
	ParcelNeverSeen  = "never_seen"
	ParcelLost       = "lost"
	ParcelDown       = "down"
)

// Parcel says what happens to the parcels of a payment.
func (s *Sandbox) Parcel(ctx context.Context, transactionID, script string) (Life, error) {
	var out struct {
		Payment Life `json:"payment"`
	}
	err := s.do(ctx, http.MethodPost, members{"imp_uid": transactionID, "script": script}, &out, "carrier", "parcels")
	return out.Payment, err
}

// Decisions of a buyer.
const (
	DecideConfirm           = "confirm"
	DecideReject            = "reject"
	DecideWithdrawRejection = "withdraw_rejection"
	DecideAskCancel         = "ask_cancel"
	DecideAskWithdrawal     = "ask_withdrawal"
)

// Decide acts as the buyer on the mailed page; a rejection needs a reason.
func (s *Sandbox) Decide(ctx context.Context, transactionID, decision, reason string) (Life, error) {
	body := members{"decision": decision}
	body.text("reason", reason)
	var out Life
	err := s.do(ctx, http.MethodPost, body, &out, "payments", transactionID, "decision")
	return out, err
}
