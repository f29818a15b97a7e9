package wirev2

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/money"
)

// Statuses of a cash receipt.
const (
	ReceiptStands  = "ISSUED"
	ReceiptRevoked = "CANCELLED"
)

// ReceiptFacts are what the door knows of a cash receipt.
type ReceiptFacts struct {
	ID, ApprovalNo        string
	Company               bool // issued to a business and not to a person
	Name                  string
	Amount, TaxFree, VAT  money.Won
	IssuedAt, CancelledAt time.Time
	PaymentID             string
	VATGiven              bool // the shop has said how much of the amount is tax
	Manual                bool // asked for by itself
}

func (r ReceiptFacts) status() string {
	if r.CancelledAt.IsZero() {
		return ReceiptStands
	}
	return ReceiptRevoked
}

func (r ReceiptFacts) kind() string {
	if r.Company {
		return "CORPORATE"
	}
	return "PERSONAL"
}

// Receipt is the cash receipt of a payment, inside of it.
type Receipt struct {
	Status      string `json:"status"`
	Type        string `json:"type"`
	PgReceiptID string `json:"pgReceiptId"`
	IssueNumber string `json:"issueNumber"`
	TotalAmount int64  `json:"totalAmount"`
	Currency    string `json:"currency"`
	IssuedAt    string `json:"issuedAt"`
	CancelledAt string `json:"cancelledAt,omitempty"`
}

// NewReceipt shows a cash receipt inside of its payment.
func NewReceipt(r ReceiptFacts) *Receipt {
	return &Receipt{
		Status: r.status(), Type: r.kind(), PgReceiptID: r.ID, IssueNumber: r.ApprovalNo, TotalAmount: int64(r.Amount), Currency: CurrencyKRW,
		IssuedAt: moment(r.IssuedAt), CancelledAt: moment(r.CancelledAt),
	}
}

// CashReceipt is a cash receipt by itself.
type CashReceipt struct {
	Status      string  `json:"status"`
	MerchantID  string  `json:"merchantId"`
	StoreID     string  `json:"storeId"`
	PaymentID   string  `json:"paymentId"`
	Channel     Channel `json:"channel"`
	Amount      int64   `json:"amount"`
	VATAmount   int64   `json:"vatAmount"`
	Currency    string  `json:"currency"`
	OrderName   string  `json:"orderName"`
	IsManual    bool    `json:"isManual"`
	Type        string  `json:"type"`
	PgReceiptID string  `json:"pgReceiptId"`
	IssueNumber string  `json:"issueNumber"`
	IssuedAt    string  `json:"issuedAt"`
	CancelledAt string  `json:"cancelledAt,omitempty"`
}

// NewCashReceipt shows a cash receipt by itself.
func NewCashReceipt(r ReceiptFacts, s Store) CashReceipt {
	return CashReceipt{
		Status: r.status(), MerchantID: s.MerchantID, StoreID: s.ID, PaymentID: r.PaymentID, Channel: storeChannel(s), Amount: int64(r.Amount),
		VATAmount: int64(r.VAT), Currency: CurrencyKRW, OrderName: r.Name, IsManual: r.Manual, Type: r.kind(), PgReceiptID: r.ID, IssueNumber: r.ApprovalNo,
		IssuedAt: moment(r.IssuedAt), CancelledAt: moment(r.CancelledAt),
	}
}

// IssuedReceipt answers the issuing of a cash receipt. There is no page with the
// receipt, so that the address is empty.
type IssuedReceipt struct {
	CashReceipt ReceiptSummary `json:"cashReceipt"`
}

// ReceiptSummary is what an [IssuedReceipt] carries.
type ReceiptSummary struct {
	IssueNumber string `json:"issueNumber"`
	URL         string `json:"url"`
	PgReceiptID string `json:"pgReceiptId"`
}

// NewIssuedReceipt answers with a cash receipt.
func NewIssuedReceipt(r ReceiptFacts) IssuedReceipt {
	return IssuedReceipt{CashReceipt: ReceiptSummary{IssueNumber: r.ApprovalNo, PgReceiptID: r.ID}}
}

// RevokedReceipt answers the revoking of a cash receipt.
type RevokedReceipt struct {
	CancelledAmount int64  `json:"cancelledAmount"`
	CancelledAt     string `json:"cancelledAt"`
}

// NewRevokedReceipt answers with a cash receipt that was revoked.
func NewRevokedReceipt(r ReceiptFacts) RevokedReceipt {
	return RevokedReceipt{CancelledAmount: int64(r.Amount), CancelledAt: moment(r.CancelledAt)}
}

// Holder is the name on an account.
type Holder struct {
	HolderName            string `json:"holderName"`
	AccountVerificationID string `json:"accountVerificationId"`
}
