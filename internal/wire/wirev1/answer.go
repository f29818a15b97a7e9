package wirev1

// Token is the answer to getToken; times are unix seconds.
type Token struct {
	AccessToken string `json:"access_token"`
	ExpiredAt   int64  `json:"expired_at"`
	Now         int64  `json:"now"`
}

// Gateway is a channel through which a shop takes payments.
type Gateway struct {
	PGProvider  string `json:"pg_provider"`
	PGID        string `json:"pg_id"`
	Sandbox     bool   `json:"sandbox"`
	Type        string `json:"type"`
	ChannelName string `json:"channel_name"`
	ChannelKey  string `json:"channel_key"`
}

// AccountHolder is the name on a bank account.
type AccountHolder struct {
	BankHolder string `json:"bank_holder"`
}

// Prepared is a registered amount.
type Prepared struct {
	MerchantUID string  `json:"merchant_uid"`
	Amount      int64   `json:"amount"`
	Currency    *string `json:"currency"`
}

// NewPrepared shows a registered amount; an empty currency is not checked.
func NewPrepared(merchantUID string, amount int64, currency string) Prepared {
	return Prepared{MerchantUID: merchantUID, Amount: amount, Currency: text(currency)}
}

// Receipt is a cash receipt for a payment.
type Receipt struct {
	ImpUID string `json:"imp_uid"`
	ReceiptBody
}

// ExternalReceipt is a cash receipt for money that was paid elsewhere.
type ExternalReceipt struct {
	MerchantUID string `json:"merchant_uid"`
	ReceiptBody
}

// ReceiptBody is what both kinds of receipts say. CancelledAt is 0, never null,
// while the receipt is in force.
type ReceiptBody struct {
	ReceiptTID  string `json:"receipt_tid"`
	ApplyNum    string `json:"apply_num"`
	Type        string `json:"type"`
	Amount      int64  `json:"amount"`
	VAT         int64  `json:"vat"`
	ReceiptURL  string `json:"receipt_url"`
	AppliedAt   int64  `json:"applied_at"`
	CancelledAt int64  `json:"cancelled_at"`
}

// AmountParts is an amount taken apart, in whole won.
type AmountParts struct {
	TaxFree int64 `json:"tax_free"`
	Supply  int64 `json:"supply"`
	VAT     int64 `json:"vat"`
	Service int64 `json:"service"`
}

// BalanceParts is by what an amount was paid, and what a cash receipt covers.
type BalanceParts struct {
	CashReceipt AmountParts `json:"cash_receipt"`
	Primary     AmountParts `json:"primary"`
	Secondary   AmountParts `json:"secondary"`
	Discount    AmountParts `json:"discount"`
}

// Balance is what is left of a payment.
type Balance struct {
	Amount int64 `json:"amount"`
	BalanceParts
	Histories []BalanceChange `json:"histories"`
}

// BalanceChange is what was left after a step.
type BalanceChange struct {
	BalanceParts
	Created int64 `json:"created"`
}
