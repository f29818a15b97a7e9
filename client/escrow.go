package client

import (
	"context"
	"net/http"
	"time"
)

// Delivery is a delivery that a shop registers or corrects.
type Delivery struct {
	StoreID string
	// Company is the carrier, such as CJ, HANJIN, LOTTE, POST or ETC.
	Company       string
	InvoiceNumber string
	SentAt        time.Time
	Sender        *Party
	Receiver      *Party
	Products      []Product
	// Quiet leaves out the mail that tells the buyer of the registration.
	Quiet bool
}

// Party sends or receives goods.
type Party struct {
	Name         string   `json:"name,omitempty"`
	PhoneNumber  string   `json:"phoneNumber,omitempty"`
	Zipcode      string   `json:"zipcode,omitempty"`
	Relationship string   `json:"relationship,omitempty"` // of a sender to the shop
	Address      *Address `json:"address,omitempty"`
}

// DeliveryResult is a delivery as it was registered or corrected.
type DeliveryResult struct {
	InvoiceNumber string    `json:"invoiceNumber"`
	SentAt        time.Time `json:"sentAt"`
	AppliedAt     time.Time `json:"appliedAt"`  // of a registration
	ModifiedAt    time.Time `json:"modifiedAt"` // of a correction
}

func (d Delivery) body(c *Client) members {
	out := members{"logistics": members{"company": d.Company, "invoiceNumber": d.InvoiceNumber, "sentAt": d.SentAt}, "sendEmail": !d.Quiet}
	out.text("storeId", c.of(d.StoreID))
	if d.Sender != nil {
		out["sender"] = d.Sender
	}
	if d.Receiver != nil {
		out["receiver"] = d.Receiver
	}
	if len(d.Products) > 0 {
		out["products"] = d.Products
	}
	return out
}

// RegisterDelivery tells that the goods of an escrow were sent. The buyer is asked to
// confirm or reject after they have arrived.
func (c *Client) RegisterDelivery(ctx context.Context, paymentID string, d Delivery) (DeliveryResult, error) {
	var out DeliveryResult
	err := c.post(ctx, d.body(c), &out, "payments", paymentID, "escrow", "logistics")
	return out, err
}

// ChangeDelivery corrects a registered delivery.
func (c *Client) ChangeDelivery(ctx context.Context, paymentID string, d Delivery) (DeliveryResult, error) {
	var out DeliveryResult
	k := call{method: http.MethodPatch, path: []string{"payments", paymentID, "escrow", "logistics"}, body: d.body(c)}
	err := c.do(ctx, k, &out)
	return out, err
}

// CompleteEscrow confirms a purchase for its buyer and returns when, where the shop's
// rules let the shop do that.
func (c *Client) CompleteEscrow(ctx context.Context, paymentID string) (time.Time, error) {
	body := c.store()
	body["fromStore"] = true
	var out struct {
		CompletedAt time.Time `json:"completedAt"`
	}
	err := c.post(ctx, body, &out, "payments", paymentID, "escrow", "complete")
	return out.CompletedAt, err
}

// CashReceiptOrder is a cash receipt that is wanted, of a payment or of money that was
// paid elsewhere.
type CashReceiptOrder struct {
	StoreID    string      `json:"storeId,omitempty"`
	PaymentID  string      `json:"paymentId"`
	ChannelKey string      `json:"channelKey,omitempty"` // the shop's channel when empty
	Type       string      `json:"type"`                 // PERSONAL or CORPORATE
	OrderName  string      `json:"orderName"`
	Amount     AmountOrder `json:"amount"`
	// Customer.IdentityNumber is a phone, card or business number.
	Customer CashReceiptCustomer `json:"customer"`
}

// CashReceiptCustomer is for whom a cash receipt is.
type CashReceiptCustomer struct {
	IdentityNumber string `json:"identityNumber"`
	Name           string `json:"name,omitempty"`
	Email          string `json:"email,omitempty"`
	PhoneNumber    string `json:"phoneNumber,omitempty"`
}

// IssuedReceipt is a cash receipt that was issued.
type IssuedReceipt struct {
	IssueNumber string `json:"issueNumber"`
	URL         string `json:"url"`
	PgReceiptID string `json:"pgReceiptId"`
}

// IssueCashReceipt issues a cash receipt.
func (c *Client) IssueCashReceipt(ctx context.Context, o CashReceiptOrder) (IssuedReceipt, error) {
	o.StoreID = c.of(o.StoreID)
	body := struct {
		CashReceiptOrder
		Currency string `json:"currency"`
	}{o, currencyKRW}
	var out struct {
		CashReceipt IssuedReceipt `json:"cashReceipt"`
	}
	err := c.post(ctx, body, &out, "cash-receipts")
	return out.CashReceipt, err
}

// CashReceipt is the cash receipt of an order.
type CashReceipt struct {
	Status      string    `json:"status"` // ISSUED or CANCELLED
	PaymentID   string    `json:"paymentId"`
	MerchantID  string    `json:"merchantId"`
	StoreID     string    `json:"storeId"`
	Channel     Channel   `json:"channel"`
	Amount      int64     `json:"amount"`
	VATAmount   int64     `json:"vatAmount"`
	Currency    string    `json:"currency"`
	OrderName   string    `json:"orderName"`
	IsManual    bool      `json:"isManual"`
	Type        string    `json:"type"` // PERSONAL or CORPORATE
	PgReceiptID string    `json:"pgReceiptId"`
	IssueNumber string    `json:"issueNumber"`
	IssuedAt    time.Time `json:"issuedAt"`
	CancelledAt time.Time `json:"cancelledAt"`
}

// CashReceipt is the cash receipt of an order, also one that was revoked.
func (c *Client) CashReceipt(ctx context.Context, paymentID string) (CashReceipt, error) {
	var out CashReceipt
	err := c.get(ctx, &out, "payments", paymentID, "cash-receipt")
	return out, err
}

// RevokedReceipt is a cash receipt that was revoked.
type RevokedReceipt struct {
	CancelledAmount int64     `json:"cancelledAmount"`
	CancelledAt     time.Time `json:"cancelledAt"`
}

// CancelCashReceipt revokes the cash receipt of an order.
func (c *Client) CancelCashReceipt(ctx context.Context, paymentID string) (RevokedReceipt, error) {
	var out RevokedReceipt
	err := c.post(ctx, c.store(), &out, "payments", paymentID, "cash-receipt", "cancel")
	return out, err
}
