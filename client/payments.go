package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// LogIn exchanges an API secret for tokens. It ends the refresh tokens of every earlier
// exchange of the secret.
func (c *Client) LogIn(ctx context.Context, apiSecret string) (Tokens, error) {
	var out Tokens
	body := map[string]string{"apiSecret": apiSecret}
	err := c.do(ctx, call{method: http.MethodPost, path: []string{"login", "api-secret"}, body: body, public: true}, &out)
	return out, err
}

// RefreshToken exchanges a refresh token, which is good once, for new tokens. It is sent
// once: after no answer, log in again.
func (c *Client) RefreshToken(ctx context.Context, refreshToken string) (Tokens, error) {
	var out Tokens
	body := map[string]string{"refreshToken": refreshToken}
	err := c.do(ctx, call{method: http.MethodPost, path: []string{"token", "refresh"}, body: body, public: true, single: true}, &out)
	return out, err
}

// Tokens are an access token, which lives 30 minutes, and a refresh token, which lives a
// day.
type Tokens struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
}

// Bank is a bank under the name that requests take.
type Bank struct {
	Bank string `json:"bank"`
	Name struct {
		Ko string `json:"ko"`
	} `json:"name"`
}

// Banks lists the banks.
func (c *Client) Banks(ctx context.Context) ([]Bank, error) {
	var out items[Bank]
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"banks"}, public: true}, &out)
	return out.Items, err
}

// Payment is the payment of an order.
func (c *Client) Payment(ctx context.Context, paymentID string) (Payment, error) {
	var out Payment
	err := c.get(ctx, &out, "payments", paymentID)
	return out, err
}

// Transactions lists the attempts to pay an order, newest first.
func (c *Client) Transactions(ctx context.Context, paymentID string) ([]Transaction, error) {
	var out items[Transaction]
	err := c.get(ctx, &out, "payments", paymentID, "transactions")
	return out.Items, err
}

// Holder is the name on a bank account.
type Holder struct {
	HolderName            string `json:"holderName"`
	AccountVerificationID string `json:"accountVerificationId"`
}

// AccountHolder asks whose a bank account is.
func (c *Client) AccountHolder(ctx context.Context, bank, accountNumber string) (Holder, error) {
	var out Holder
	err := c.get(ctx, &out, "platform", "bank-accounts", bank, accountNumber, "holder")
	return out, err
}

// PreRegistration is what an order must cost; zero for what is not said.
type PreRegistration struct {
	StoreID       string `json:"storeId,omitempty"`
	TotalAmount   int64  `json:"totalAmount,omitempty"`
	TaxFreeAmount int64  `json:"taxFreeAmount,omitempty"`
	Currency      string `json:"currency,omitempty"`
}

// PreRegister fixes what an order costs before its window opens, so that nobody can
// change it in the browser. The last registration counts.
func (c *Client) PreRegister(ctx context.Context, paymentID string, r PreRegistration) error {
	r.StoreID = c.of(r.StoreID)
	return c.post(ctx, r, nil, "payments", paymentID, "pre-register")
}

// InstantPayment is a payment by virtual account without a window.
type InstantPayment struct {
	StoreID     string         `json:"storeId,omitempty"`
	ChannelKey  string         `json:"channelKey,omitempty"`
	Account     AccountOrder   `json:"-"`
	OrderName   string         `json:"orderName"`
	Amount      AmountOrder    `json:"amount"`
	Escrow      bool           `json:"isEscrow,omitempty"`
	ProductType string         `json:"productType,omitempty"` // PHYSICAL (default) or DIGITAL
	Customer    *CustomerInput `json:"customer,omitempty"`
	Products    []Product      `json:"products,omitempty"`
	NoticeURLs  []string       `json:"noticeUrls,omitempty"`
	CustomData  string         `json:"customData,omitempty"`
}

// AmountOrder is what something costs, in won; zero for what is not said.
type AmountOrder struct {
	Total   int64 `json:"total"`
	TaxFree int64 `json:"taxFree,omitempty"`
	VAT     int64 `json:"vat,omitempty"`
}

// AccountOrder is the virtual account that is wanted: for how long, or until when.
type AccountOrder struct {
	Bank         string
	RemitteeName string
	ValidHours   int       // if zero, DueDate counts
	DueDate      time.Time // if zero, ValidHours counts
}

// CustomerInput is what a shop says of the buyer.
type CustomerInput struct {
	Name        string
	Email       string
	PhoneNumber string
	Address     *Address
	Zipcode     string
}

// Address is an address of two lines, both of which it must have.
type Address struct {
	AddressLine1 string `json:"addressLine1"`
	AddressLine2 string `json:"addressLine2"`
	City         string `json:"city,omitempty"`
	Province     string `json:"province,omitempty"`
}

// MarshalJSON writes the customer as requests have it.
func (c CustomerInput) MarshalJSON() ([]byte, error) {
	out := members{}
	out.text("email", c.Email)
	out.text("phoneNumber", c.PhoneNumber)
	out.text("zipcode", c.Zipcode)
	if c.Name != "" {
		out["name"] = members{"full": c.Name}
	}
	if c.Address != nil {
		out["address"] = c.Address
	}
	return out.json()
}

// MarshalJSON writes the account as requests have it.
func (a AccountOrder) MarshalJSON() ([]byte, error) {
	out, expiry := members{"option": members{"type": "NORMAL"}, "bank": a.Bank}, members{}
	out.text("remitteeName", a.RemitteeName)
	if a.ValidHours != 0 {
		expiry["validHours"] = a.ValidHours
	}
	if !a.DueDate.IsZero() {
		expiry["dueDate"] = a.DueDate
	}
	out["expiry"] = expiry
	return out.json()
}

// InstantResult is what is known of a payment whose account was issued. Its account is
// in [Payment.Method] of [Client.Payment].
type InstantResult struct {
	PgTxID string `json:"pgTxId"`
	// PaidAt is when the account was issued.
	PaidAt time.Time `json:"paidAt"`
}

// PayInstantly issues a virtual account for an order.
func (c *Client) PayInstantly(ctx context.Context, paymentID string, p InstantPayment) (InstantResult, error) {
	p.StoreID = c.of(p.StoreID)
	body := struct {
		InstantPayment
		Currency string  `json:"currency"`
		Method   members `json:"method"`
	}{p, currencyKRW, members{"virtualAccount": p.Account}}
	var out struct {
		Payment InstantResult `json:"payment"`
	}
	err := c.post(ctx, body, &out, "payments", paymentID, "instant")
	return out.Payment, err
}

const currencyKRW = "KRW"

// Approval is the manual approval of a payment.
type Approval struct {
	StoreID      string `json:"storeId,omitempty"`
	PaymentToken string `json:"paymentToken"`
	TxID         string `json:"txId,omitempty"`
	TotalAmount  int64  `json:"totalAmount,omitempty"`
}

// Approve approves a payment of a channel with manual approval. Holdfast has none, and
// answers [InvalidPaymentToken] or [AlreadyPaid]. It has nothing to do with the
// confirmation of a purchase; that is [Client.CompleteEscrow].
func (c *Client) Approve(ctx context.Context, paymentID string, a Approval) error {
	a.StoreID = c.of(a.StoreID)
	return c.post(ctx, a, nil, "payments", paymentID, "confirm")
}

// RefundAccount is where money goes back to.
type RefundAccount struct {
	Bank        string `json:"bank"`
	Number      string `json:"number"`
	HolderName  string `json:"holderName"`
	PhoneNumber string `json:"holderPhoneNumber,omitempty"`
}

// Cancel is a cancel of a payment.
type Cancel struct {
	StoreID string `json:"storeId,omitempty"`
	// Reason must be given.
	Reason string `json:"reason"`
	// Amount is zero for everything that is left, else in won. An escrow can be
	// cancelled in part once its purchase is confirmed.
	Amount        int64 `json:"amount,omitempty"`
	TaxFreeAmount int64 `json:"taxFreeAmount,omitempty"`
	VATAmount     int64 `json:"vatAmount,omitempty"`
	// Cancellable is what the shop believes is left; the cancel is refused if it is not.
	// nil says nothing.
	Cancellable *int64 `json:"currentCancellableAmount,omitempty"`
	// Account is needed for a payment by virtual account.
	Account     *RefundAccount `json:"refundAccount,omitempty"`
	Requester   string         `json:"requester,omitempty"` // CUSTOMER or ADMIN
	SkipWebhook bool           `json:"skipWebhook,omitempty"`
}

// Cancel gives money back to the buyer. Other than for a card it is requested until the
// bank has sent the money.
func (c *Client) Cancel(ctx context.Context, paymentID string, x Cancel) (Cancellation, error) {
	x.StoreID = c.of(x.StoreID)
	var out struct {
		Cancellation Cancellation `json:"cancellation"`
	}
	err := c.post(ctx, x, &out, "payments", paymentID, "cancel")
	return out.Cancellation, err
}

// StopCancellation takes a cancel back that waits. Holdfast decides at once and refuses.
func (c *Client) StopCancellation(ctx context.Context, paymentID, cancellationID string) error {
	return c.post(ctx, c.store(), nil, "payments", paymentID, "cancellations", cancellationID, "stop")
}

// CloseAccount closes the virtual account of an order that waits for a deposit, and
// returns when.
func (c *Client) CloseAccount(ctx context.Context, paymentID string) (time.Time, error) {
	var out struct {
		ClosedAt time.Time `json:"closedAt"`
	}
	err := c.post(ctx, c.store(), &out, "payments", paymentID, "virtual-account", "close")
	return out.ClosedAt, err
}

// ResendWebhook makes a call to the shop about an order again: the one that is named,
// or the latest if the name is empty.
func (c *Client) ResendWebhook(ctx context.Context, paymentID, webhookID string) (Webhook, error) {
	body := c.store()
	body.text("webhookId", webhookID)
	var out struct {
		Webhook Webhook `json:"webhook"`
	}
	err := c.post(ctx, body, &out, "payments", paymentID, "resend-webhook")
	return out.Webhook, err
}

// seconds is a span as the APIs take it, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// queryOf is a query without its empty values.
func queryOf(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}
