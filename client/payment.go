package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// PaymentStatus is where a payment stands.
type PaymentStatus string

// The statuses. The server may answer others; see [UnknownState].
const (
	StatusReady         PaymentStatus = "READY"
	StatusPending       PaymentStatus = "PAY_PENDING"
	StatusAccountIssued PaymentStatus = "VIRTUAL_ACCOUNT_ISSUED"
	StatusPaid          PaymentStatus = "PAID"
	StatusPartCancelled PaymentStatus = "PARTIAL_CANCELLED"
	StatusCancelled     PaymentStatus = "CANCELLED"
	StatusFailed        PaymentStatus = "FAILED"
)

// Payment is an order with the attempt to pay that stands for it. [json.Marshal] writes
// it as the server sent it, so that nothing of it is lost.
type Payment struct {
	// ID is the shop's order.
	ID string `json:"id"`
	// TransactionID is the attempt that stands for the order. The sandbox and V1 know
	// the payment by it.
	TransactionID string `json:"transactionId"`
	Facts
	Amount Amount `json:"amount"`
	Origin Origin `json:"origin"`
}

// Transaction is one attempt to pay an order.
type Transaction struct {
	ID        string `json:"id"`
	PaymentID string `json:"paymentId"`
	Facts
	Amount Amount `json:"amount"`
}

// PaymentEvent is a movement of a payment's money. What it says of the payment is as
// that stood when it was read.
type PaymentEvent struct {
	// Type is PAID, PARTIAL_CANCELLED or CANCELLED.
	Type          PaymentStatus `json:"type"`
	ID            string        `json:"id"`
	PaymentID     string        `json:"paymentId"`
	TransactionID string        `json:"transactionId"`
	Facts
	CreatedAt   time.Time `json:"createdAt"`
	TotalAmount Amount    `json:"totalAmount"`
	// EventAmount is negative when money goes back, in won.
	EventAmount  int64         `json:"eventAmount"`
	Cancellation *Cancellation `json:"cancellation"`
	Origin       Origin        `json:"origin"`
}

// Facts are what payments, transactions and events of payments have in common.
type Facts struct {
	// Status is the word for State; empty in events.
	Status PaymentStatus `json:"status"`
	// State is what the status adds: [Ready], [Pending], [AccountIssued], [Paid],
	// [PartCancelled], [Cancelled], [Failed] or [UnknownState]; nil in events.
	State State `json:"-"`
	// Method is how it is paid: [VirtualAccount], [Transfer], [Card] or
	// [UnknownMethod]; nil until the buyer has chosen.
	Method Method `json:"-"`
	// Escrow is how far the escrow has come; nil of an ordinary payment.
	Escrow Escrow `json:"-"`

	MerchantID      string    `json:"merchantId"`
	StoreID         string    `json:"storeId"`
	Channel         Channel   `json:"channel"`
	Version         string    `json:"version"` // V1 or V2: through which it was begun
	RequestedAt     time.Time `json:"requestedAt"`
	UpdatedAt       time.Time `json:"updatedAt"`       // zero in events
	StatusChangedAt time.Time `json:"statusChangedAt"` // zero in events
	OrderName       string    `json:"orderName"`
	Currency        string    `json:"currency"`
	Customer        Customer  `json:"customer"`
	Products        []Product `json:"products"`
	CustomData      string    `json:"customData"`
	PgTxID          string    `json:"pgTxId"`
	// CashReceipt is nil if none was issued.
	CashReceipt *PaymentReceipt `json:"cashReceipt"`
	// CashReceiptIssuanceStatus is ISSUED or NOT_ISSUED; empty where there can be none.
	CashReceiptIssuanceStatus string `json:"cashReceiptIssuanceStatus"`
	// Webhooks are the calls to the shop, newest first; lists leave them out.
	Webhooks []Webhook `json:"webhooks"`

	raw json.RawMessage // what the server sent
}

// Amount is the money of a payment, in won.
type Amount struct {
	Total            int64 `json:"total"`
	TaxFree          int64 `json:"taxFree"`
	VAT              int64 `json:"vat"`
	Supply           int64 `json:"supply"`
	Discount         int64 `json:"discount"`
	Paid             int64 `json:"paid"`
	Cancelled        int64 `json:"cancelled"`
	CancelledTaxFree int64 `json:"cancelledTaxFree"`
}

// Channel is by which gateway a payment goes.
type Channel struct {
	Type         string `json:"type"` // LIVE or TEST
	Key          string `json:"key"`
	Name         string `json:"name"`
	PgProvider   string `json:"pgProvider"`
	PgMerchantID string `json:"pgMerchantId"`
}

// Customer is what is known of the buyer.
type Customer struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Email       string           `json:"email"`
	PhoneNumber string           `json:"phoneNumber"`
	Address     *CustomerAddress `json:"address"`
	Zipcode     string           `json:"zipcode"`
}

// CustomerAddress is an address in one line.
type CustomerAddress struct {
	Type    string `json:"type"`
	OneLine string `json:"oneLine"`
}

// Origin is where a payment was begun.
type Origin struct {
	PlatformType string `json:"platformType"` // PC, MOBILE or API
	UserAgent    string `json:"userAgent"`
	IPAddress    string `json:"ipAddress"`
}

// Product is one line of what was bought; Amount is the price of one, in won.
type Product struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Tag      string `json:"tag,omitempty"`
	Code     string `json:"code,omitempty"`
	Amount   int64  `json:"amount"`
	Quantity int64  `json:"quantity"`
}

// PaymentReceipt is the cash receipt of a payment.
type PaymentReceipt struct {
	Status      string    `json:"status"` // ISSUED or CANCELLED
	Type        string    `json:"type"`   // PERSONAL or CORPORATE
	PgReceiptID string    `json:"pgReceiptId"`
	IssueNumber string    `json:"issueNumber"`
	TotalAmount int64     `json:"totalAmount"`
	Currency    string    `json:"currency"`
	IssuedAt    time.Time `json:"issuedAt"`
	CancelledAt time.Time `json:"cancelledAt"`
}

// Webhook is a call to the shop, as a payment shows it.
type Webhook struct {
	ID            string        `json:"id"`
	URL           string        `json:"url"`
	PaymentStatus PaymentStatus `json:"paymentStatus"`
	// Status is SUCCEEDED, FAILED_NOT_OK_RESPONSE or FAILED_UNEXPECTED_ERROR; empty until
	// the first attempt.
	Status                string           `json:"status"`
	CurrentExecutionCount int64            `json:"currentExecutionCount"`
	MaxExecutionCount     int64            `json:"maxExecutionCount"`
	Request               *WebhookRequest  `json:"request"`
	Response              *WebhookResponse `json:"response"`
	TriggeredAt           time.Time        `json:"triggeredAt"`
}

// WebhookRequest is what the shop was last sent.
type WebhookRequest struct {
	Header      string    `json:"header"`
	Body        string    `json:"body"`
	RequestedAt time.Time `json:"requestedAt"`
}

// WebhookResponse is what the shop last answered.
type WebhookResponse struct {
	Code        string    `json:"code"`
	Header      string    `json:"header"`
	Body        string    `json:"body"`
	RespondedAt time.Time `json:"respondedAt"`
}

// Cancellation is money that goes back to the buyer.
type Cancellation struct {
	Status        CancellationStatus `json:"status"`
	ID            string             `json:"id"`
	PgID          string             `json:"pgCancellationId"`
	TotalAmount   int64              `json:"totalAmount"`
	TaxFreeAmount int64              `json:"taxFreeAmount"`
	VATAmount     int64              `json:"vatAmount"`
	Reason        string             `json:"reason"`
	RequestedAt   time.Time          `json:"requestedAt"`
	// CancelledAt is when the bank had sent the money.
	CancelledAt time.Time `json:"cancelledAt"`
	Trigger     string    `json:"trigger"`
}

// CancellationStatus is how far a cancel has come.
type CancellationStatus string

// The statuses of a cancel.
const (
	CancellationRequested CancellationStatus = "REQUESTED"
	CancellationSucceeded CancellationStatus = "SUCCEEDED"
	CancellationFailed    CancellationStatus = "FAILED"
)

var errNotRead = errors.New("client: only what a server has sent can be written")

// MarshalJSON writes what the server sent.
func (f Facts) MarshalJSON() ([]byte, error) {
	if f.raw == nil {
		return nil, errNotRead
	}
	return f.raw, nil
}

// read reads the plain members into the whole that the facts are a part of, and then
// those that come in variants.
func (f *Facts) read(raw []byte, whole any) error {
	if err := json.Unmarshal(raw, whole); err != nil {
		return err
	}
	f.raw = bytes.Clone(raw)
	return f.readVariants(raw)
}

// UnmarshalJSON reads a payment as the server sends it.
func (p *Payment) UnmarshalJSON(raw []byte) error {
	type plain Payment
	*p = Payment{}
	return p.read(raw, (*plain)(p))
}

// UnmarshalJSON reads a transaction as the server sends it.
func (t *Transaction) UnmarshalJSON(raw []byte) error {
	type plain Transaction
	*t = Transaction{}
	return t.read(raw, (*plain)(t))
}

// UnmarshalJSON reads an event as the server sends it.
func (e *PaymentEvent) UnmarshalJSON(raw []byte) error {
	type plain PaymentEvent
	*e = PaymentEvent{}
	return e.read(raw, (*plain)(e))
}
