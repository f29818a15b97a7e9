package wirev2

import (
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// Status is where a payment stands in this dialect.
type Status string

// The statuses. A payment here is never PAY_PENDING: a bank or an issuer answers at once.
const (
	StatusReady         Status = "READY"
	StatusAccountIssued Status = "VIRTUAL_ACCOUNT_ISSUED"
	StatusPaid          Status = "PAID"
	StatusPartCancelled Status = "PARTIAL_CANCELLED"
	StatusCancelled     Status = "CANCELLED"
	StatusFailed        Status = "FAILED"
)

var statusOf = map[escrow.Standing]Status{
	escrow.StandingReady: StatusReady, escrow.StandingAccountIssued: StatusAccountIssued, escrow.StandingPaid: StatusPaid,
	escrow.StandingPartCancelled: StatusPartCancelled, escrow.StandingCancelled: StatusCancelled, escrow.StandingFailed: StatusFailed,
}

// StatusOf is the status of a payment.
func StatusOf(p *escrow.Payment) Status { return statusOf[p.Standing()] }

// Store is the shop as this dialect shows it beside a payment.
type Store struct {
	MerchantID string // Holdfast's id of the merchant
	ID         string // its public code
	Name       string
	Test       bool
	Provider   string // the shop's channel; a payment may have been made by an earlier one
	ChannelKey string
}

// Facts are what payments, transactions and events of payments have in common.
type Facts struct {
	MerchantID     string    `json:"merchantId"`
	StoreID        string    `json:"storeId"`
	Method         *Method   `json:"method,omitempty"`
	Channel        Channel   `json:"channel"`
	Version        string    `json:"version"`
	Webhooks       []Webhook `json:"webhooks,omitempty"`
	RequestedAt    string    `json:"requestedAt"`
	OrderName      string    `json:"orderName"`
	Currency       string    `json:"currency"`
	Customer       Customer  `json:"customer"`
	Escrow         *Escrow   `json:"escrow,omitempty"`
	Products       []Product `json:"products,omitempty"`
	CustomData     string    `json:"customData,omitempty"`
	PgTxID         string    `json:"pgTxId,omitempty"`
	CashReceipt    *Receipt  `json:"cashReceipt,omitempty"`
	IssuanceStatus string    `json:"cashReceiptIssuanceStatus,omitempty"`
}

// Times are what the statuses of a payment add, each in its own.
type Times struct {
	UpdatedAt       string          `json:"updatedAt"`
	StatusChangedAt string          `json:"statusChangedAt"`
	PaidAt          string          `json:"paidAt,omitempty"`
	CancelledAt     string          `json:"cancelledAt,omitempty"`
	FailedAt        string          `json:"failedAt,omitempty"`
	Failure         *PaymentFailure `json:"failure,omitempty"`
	// Cancellations is a list, though an empty one, in the statuses that require it.
	Cancellations *[]Cancellation `json:"cancellations,omitempty"`
}

// Payment is an order with the attempt that stands for it.
type Payment struct {
	Status        Status `json:"status"`
	ID            string `json:"id"`
	TransactionID string `json:"transactionId"`
	Facts
	Amount Amount `json:"amount"`
	Times
	Origin   Origin      `json:"origin"`
	Disputes *[]struct{} `json:"disputes,omitempty"` // of a paid one; there are never any
}

// Transaction is one attempt to pay an order.
type Transaction struct {
	Status    Status `json:"status"`
	ID        string `json:"id"`
	PaymentID string `json:"paymentId"`
	Facts
	Amount Amount `json:"amount"`
	Times
}

// PaymentFailure is why a payment did not come about.
type PaymentFailure struct {
	Reason string `json:"reason,omitempty"`
}

// Amount is the money of a payment. VAT and supply are left out where the shop said
// nothing about taxes.
type Amount struct {
	Total            int64 `json:"total"`
	TaxFree          int64 `json:"taxFree"`
	VAT              int64 `json:"vat,omitempty"`
	Supply           int64 `json:"supply,omitempty"`
	Discount         int64 `json:"discount"`
	Paid             int64 `json:"paid"`
	Cancelled        int64 `json:"cancelled"`
	CancelledTaxFree int64 `json:"cancelledTaxFree"`
}

// Channel is by which gateway a payment goes.
type Channel struct {
	Type         string `json:"type"`
	Key          string `json:"key,omitempty"`
	Name         string `json:"name,omitempty"`
	PgProvider   string `json:"pgProvider"`
	PgMerchantID string `json:"pgMerchantId"`
}

// Customer is what is known of the buyer.
type Customer struct {
	Name        string   `json:"name,omitempty"`
	Email       string   `json:"email,omitempty"`
	PhoneNumber string   `json:"phoneNumber,omitempty"`
	Address     *Address `json:"address,omitempty"`
	Zipcode     string   `json:"zipcode,omitempty"`
}

// Address is an address in one line.
type Address struct {
	Type    string `json:"type"`
	OneLine string `json:"oneLine"`
}

// Origin is where a payment was begun. The address is empty: it is not kept.
type Origin struct {
	PlatformType string `json:"platformType"`
	UserAgent    string `json:"userAgent,omitempty"`
	IPAddress    string `json:"ipAddress"`
}

// Product is one line of what was bought.
type Product struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Tag      string `json:"tag,omitempty"`
	Code     string `json:"code,omitempty"`
	Amount   int64  `json:"amount"`
	Quantity int64  `json:"quantity"`
}

// Circumstances are what a payment does not know of itself.
type Circumstances struct {
	Store    Store
	Receipt  *Receipt // nil if none was issued
	Webhooks []Webhook
}

// NewPayment shows the attempt that stands for an order.
func NewPayment(p *escrow.Payment, c Circumstances) Payment {
	out := Payment{
		Status: StatusOf(p), ID: p.OrderID, TransactionID: p.ID, Facts: factsOf(p, c), Amount: amountOf(p), Times: timesOf(p), Origin: originOf(p),
	}
	if out.Status == StatusPaid {
		out.Disputes = &[]struct{}{}
	}
	return out
}

// NewTransaction shows one attempt.
func NewTransaction(p *escrow.Payment, c Circumstances) Transaction {
	return Transaction{Status: StatusOf(p), ID: p.ID, PaymentID: p.OrderID, Facts: factsOf(p, c), Amount: amountOf(p), Times: timesOf(p)}
}

func factsOf(p *escrow.Payment, c Circumstances) Facts {
	f := Facts{
		MerchantID: c.Store.MerchantID, StoreID: c.Store.ID, Method: methodOf(p), Channel: channelOf(p, c.Store), Version: versionOf(p), Webhooks: c.Webhooks,
		RequestedAt: moment(p.OpenedAt), OrderName: p.Name, Currency: CurrencyKRW, Customer: customerOf(&p.Buyer), Escrow: EscrowOf(p),
		CustomData: p.CustomData, CashReceipt: c.Receipt,
	}
	if p.Account != nil || !p.PaidAt.IsZero() {
		f.PgTxID = p.ID
	}
	if p.Method.CashLike() && !p.PaidAt.IsZero() {
		f.IssuanceStatus = "NOT_ISSUED"
		if c.Receipt != nil && c.Receipt.CancelledAt == "" {
			f.IssuanceStatus = "ISSUED"
		}
	}
	for _, x := range p.Products {
		f.Products = append(f.Products, Product{ID: x.ID, Name: x.Name, Tag: x.Tag, Code: x.Code, Amount: int64(x.Amount), Quantity: x.Quantity})
	}
	return f
}

func versionOf(p *escrow.Payment) string {
	if p.V2 {
		return VersionV2
	}
	return VersionV1
}

func timesOf(p *escrow.Payment) Times {
	t := Times{UpdatedAt: moment(p.UpdatedAt), StatusChangedAt: moment(p.StandingAt())}
	status := StatusOf(p)
	switch status {
	case StatusFailed:
		t.FailedAt, t.Failure = moment(p.FailedAt), &PaymentFailure{Reason: p.FailReason}
	case StatusPaid:
		t.PaidAt = moment(p.PaidAt)
	case StatusPartCancelled, StatusCancelled:
		t.PaidAt, t.CancelledAt = moment(p.PaidAt), moment(p.StandingAt())
		all := CancellationsOf(p)
		t.Cancellations = &all
	case StatusReady, StatusAccountIssued:
	}
	return t
}

func amountOf(p *escrow.Payment) Amount {
	a := Amount{Total: int64(p.Amount), TaxFree: int64(p.TaxFree), VAT: int64(p.VAT), Cancelled: int64(p.Refunded)}
	if p.VAT > 0 {
		a.Supply = int64(p.Amount - p.TaxFree - p.VAT)
	}
	if !p.PaidAt.IsZero() {
		a.Paid = int64(p.Amount)
	}
	for _, r := range p.Refunds {
		if !r.Suspense {
			a.CancelledTaxFree += int64(r.TaxFree)
		}
	}
	if p.ReversalID() != "" {
		a.Cancelled, a.CancelledTaxFree = int64(p.Amount), int64(p.TaxFree)
	}
	return a
}

// Words of a channel's type.
const (
	channelLive = "LIVE"
	channelTest = "TEST"
)

// channelOf is the channel of a payment. The provider is in capitals, as the words of
// this dialect for the gateways that V1 writes in small letters.
func channelOf(p *escrow.Payment, s Store) Channel {
	c := storeChannel(s)
	if p.Provider != "" {
		c.PgProvider = strings.ToUpper(p.Provider)
	}
	return c
}

// storeChannel is the one channel that a shop has.
func storeChannel(s Store) Channel {
	c := Channel{Type: channelLive, Key: s.ChannelKey, Name: s.Name, PgProvider: strings.ToUpper(s.Provider), PgMerchantID: s.ID}
	if s.Test {
		c.Type = channelTest
	}
	return c
}

func customerOf(b *escrow.Party) Customer {
	c := Customer{Name: b.Name, Email: b.Email, PhoneNumber: b.Phone, Zipcode: b.Postcode}
	if b.Address != "" {
		c.Address = &Address{Type: "ONE_LINE", OneLine: b.Address}
	}
	return c
}

func originOf(p *escrow.Payment) Origin {
	o := Origin{PlatformType: "API", UserAgent: p.UserAgent}
	switch p.Device {
	case "pc":
		o.PlatformType = "PC"
	case "mobile":
		o.PlatformType = "MOBILE"
	}
	return o
}
