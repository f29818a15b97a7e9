package wirev1

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
)

// Status is the state of a payment in this dialect, whose words the domain
// shares. There are none for the steps of an escrow: from the deposit to a whole
// cancel a payment is paid.
type Status = escrow.Status

// StatusOf returns the state of a payment.
func StatusOf(p *escrow.Payment) Status { return p.Status() }

// CurrencyKRW is the only currency.
const CurrencyKRW = "KRW"

// Payment is a payment on the wire. Its keys are in alphabetical order, as in
// PortOne's own answers. Pointers are the keys that may be null.
type Payment struct {
	Amount            int64          `json:"amount"`
	ApplyNum          *string        `json:"apply_num"`
	BankCode          *string        `json:"bank_code"`
	BankName          *string        `json:"bank_name"`
	BuyerAddr         *string        `json:"buyer_addr"`
	BuyerEmail        *string        `json:"buyer_email"`
	BuyerName         *string        `json:"buyer_name"`
	BuyerPostcode     *string        `json:"buyer_postcode"`
	BuyerTel          *string        `json:"buyer_tel"`
	CancelAmount      int64          `json:"cancel_amount"`
	CancelHistory     []Cancellation `json:"cancel_history"`
	CancelReason      *string        `json:"cancel_reason"`
	CancelReceiptURLs []string       `json:"cancel_receipt_urls"`
	CancelledAt       int64          `json:"cancelled_at"`
	CardCode          *string        `json:"card_code"`
	CardIssuerCode    *string        `json:"card_issuer_code"`
	CardIssuerName    *string        `json:"card_issuer_name"`
	CardName          *string        `json:"card_name"`
	CardNumber        *string        `json:"card_number"`
	CardPublisherCode *string        `json:"card_publisher_code"`
	CardPublisherName *string        `json:"card_publisher_name"`
	CardQuota         int            `json:"card_quota"`
	CardType          *int           `json:"card_type"`
	CashReceiptIssued bool           `json:"cash_receipt_issued"`
	Channel           *string        `json:"channel"`
	Currency          string         `json:"currency"`
	CustomData        *string        `json:"custom_data"`
	CustomerUID       *string        `json:"customer_uid"`
	CustomerUIDUsage  *string        `json:"customer_uid_usage"`
	DepositHistory    []Deposit      `json:"deposit_history"`
	EmbPGProvider     *string        `json:"emb_pg_provider"`
	Escrow            bool           `json:"escrow"`
	Extension         *Extension     `json:"extension,omitempty"`
	FailReason        *string        `json:"fail_reason"`
	FailedAt          int64          `json:"failed_at"`
	ImpUID            string         `json:"imp_uid"`
	MerchantUID       string         `json:"merchant_uid"`
	Name              *string        `json:"name"`
	PaidAt            int64          `json:"paid_at"`
	PayMethod         *string        `json:"pay_method"`
	PGID              *string        `json:"pg_id"`
	PGProvider        *string        `json:"pg_provider"`
	PGTID             *string        `json:"pg_tid"`
	Promotion         *struct{}      `json:"promotion"`
	ReceiptURL        *string        `json:"receipt_url"`
	Sandbox           bool           `json:"sandbox"`
	StartedAt         int64          `json:"started_at"`
	Status            Status         `json:"status"`
	UserAgent         *string        `json:"user_agent"`
	VbankCode         *string        `json:"vbank_code"`
	VbankDate         int64          `json:"vbank_date"`
	VbankHolder       *string        `json:"vbank_holder"`
	VbankIssuedAt     int64          `json:"vbank_issued_at"`
	VbankName         *string        `json:"vbank_name"`
	VbankNum          *string        `json:"vbank_num"`
}

// Cancellation is one cancel. Its texts are never null: PHP clients take them
// through typed getters.
type Cancellation struct {
	PGTID          string `json:"pg_tid"`
	Amount         int64  `json:"amount"`
	CancelledAt    int64  `json:"cancelled_at"`
	Reason         string `json:"reason"`
	CancellationID string `json:"cancellation_id"`
	ReceiptURL     string `json:"receipt_url"`
}

// Deposit is one deposit into the account of a payment.
type Deposit struct {
	PGTID         string `json:"pg_tid"`
	Amount        int64  `json:"amount"`
	DepositorName string `json:"depositor_name"`
	DepositedAt   int64  `json:"deposited_at"`
}

// Extension is what the gateway knows beyond the other keys, given on request.
type Extension struct {
	// Remitter is who made the transfer or deposit.
	Remitter string `json:"REMITTER"`
}

// Circumstances are what a payment does not know of itself.
type Circumstances struct {
	// Sandbox says that the merchant is a test merchant.
	Sandbox bool
	// PGProvider and PGID name the channel.
	PGProvider, PGID string
	// CashReceipt says that a cash receipt is in force.
	CashReceipt bool
	// ReceiptURL is the page with the sales slip; empty if there is none.
	ReceiptURL string
}

// NewPayment shows a payment in this dialect.
func NewPayment(p *escrow.Payment, c Circumstances) Payment {
	out := Payment{
		ImpUID: p.ID, MerchantUID: p.OrderID, Status: StatusOf(p), Escrow: p.Escrow, Sandbox: c.Sandbox,
		Name: text(p.Name), Amount: int64(p.Amount), Currency: CurrencyKRW,
		BuyerName: text(p.Buyer.Name), BuyerEmail: text(p.Buyer.Email), BuyerTel: text(p.Buyer.Phone),
		BuyerAddr: text(p.Buyer.Address), BuyerPostcode: text(p.Buyer.Postcode),
		CustomData: text(p.CustomData), UserAgent: text(p.UserAgent), Channel: channel(p.Device),
		PayMethod: text(PayMethod(p.Method)), PGProvider: text(c.PGProvider), PGID: text(c.PGID),
		ApplyNum: text(p.ApprovalNo), ReceiptURL: text(c.ReceiptURL), CashReceiptIssued: c.CashReceipt,
		StartedAt: seconds(p.OpenedAt), PaidAt: seconds(p.PaidAt), FailedAt: seconds(p.FailedAt), FailReason: text(p.FailReason),
		CancelReceiptURLs: []string{}, DepositHistory: deposits(p.Deposits),
	}
	out.method(p)
	out.cancels(p)
	return out
}

// method fills in what belongs to the method of payment.
func (out *Payment) method(p *escrow.Payment) {
	if p.Account != nil || !p.PaidAt.IsZero() {
		out.PGTID = text(p.ID)
	}
	switch p.Method {
	case escrow.VirtualAccount:
		out.account(p.Account)
	case escrow.BankTransfer:
		out.BankCode, out.BankName = bank(p.Payer.Bank)
	case escrow.Card:
		out.CardName, out.CardNumber = text(p.CardName), text(p.CardNumber)
		out.CardIssuerName = text(p.CardName)
	}
}

func (out *Payment) account(a *escrow.Account) {
	if a == nil {
		return
	}
	out.VbankCode, out.VbankName = bank(a.Bank)
	out.VbankNum, out.VbankHolder = text(a.Number), text(a.Holder)
	out.VbankDate, out.VbankIssuedAt = seconds(a.Due), seconds(a.IssuedAt)
}

// cancels fills in what went back to the buyer. A deposit that the bank itself
// took back after shipping is a whole cancel without a refund of ours.
func (out *Payment) cancels(p *escrow.Payment) {
	out.CancelAmount, out.CancelledAt = int64(p.Refunded), seconds(p.CancelledAt)
	out.CancelReason = text(p.CancelReason)
	out.CancelHistory = []Cancellation{}
	for i := range p.Refunds {
		r := &p.Refunds[i]
		if r.Suspense {
			continue
		}
		out.CancelHistory = append(out.CancelHistory, Cancellation{
			PGTID: r.ID, Amount: int64(r.Amount), CancelledAt: seconds(r.At), Reason: r.Reason, CancellationID: r.ID,
		})
	}
	if n := len(out.CancelHistory); n > 0 {
		last := out.CancelHistory[n-1]
		out.CancelledAt, out.CancelReason = last.CancelledAt, text(last.Reason)
	}
	if id := p.ReversalID(); id != "" {
		out.CancelAmount = int64(p.Amount)
		out.CancelHistory = append(out.CancelHistory, Cancellation{
			PGTID: p.ID, Amount: int64(p.Amount), CancelledAt: seconds(p.CancelledAt), Reason: p.CancelReason, CancellationID: id,
		})
	}
}

// PayMethod is the word for a method of payment, or empty if there is none yet.
func PayMethod(m escrow.Method) string {
	switch m {
	case escrow.VirtualAccount:
		return "vbank"
	case escrow.BankTransfer:
		return "trans"
	case escrow.Card:
		return "card"
	}
	return ""
}

// deposits lists the deposits whose money came and was not taken back.
func deposits(in []escrow.Deposit) []Deposit {
	out := []Deposit{}
	for _, d := range in {
		if d.Outcome == escrow.DepositRefused || d.Outcome == escrow.DepositQuarantined || d.Reversed {
			continue
		}
		out = append(out, Deposit{PGTID: d.BankTx, Amount: int64(d.Amount), DepositorName: d.Payer.Holder, DepositedAt: seconds(d.At)})
	}
	return out
}

// channel passes the words that this dialect knows.
func channel(device string) *string {
	switch device {
	case "pc", "mobile", "api":
		return &device
	}
	return nil
}

func bank(code string) (*string, *string) {
	b, ok := krbank.ByCode(code)
	if !ok {
		return text(code), nil
	}
	return &b.Code, &b.Korean
}

// text is null for what is not known.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// seconds is 0 for what has not happened.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
