package wirev2

import (
	"slices"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/korean"
)

// ErrorType is the kind of a refusal.
type ErrorType string

// The kinds that every operation may answer.
const (
	InvalidRequest ErrorType = "INVALID_REQUEST"
	Unauthorized   ErrorType = "UNAUTHORIZED"
	Forbidden      ErrorType = "FORBIDDEN"
)

// The kinds of some operations.
const (
	PaymentNotFound            ErrorType = "PAYMENT_NOT_FOUND"
	PaymentNotPaid             ErrorType = "PAYMENT_NOT_PAID"
	PaymentAlreadyCancelled    ErrorType = "PAYMENT_ALREADY_CANCELLED"
	PaymentNotWaiting          ErrorType = "PAYMENT_NOT_WAITING_FOR_DEPOSIT"
	CancellationNotFound       ErrorType = "PAYMENT_CANCELLATION_NOT_FOUND"
	CancellationNotPending     ErrorType = "PAYMENT_CANCELLATION_NOT_PENDING"
	AlreadyPaid                ErrorType = "ALREADY_PAID"
	CancelExceeds              ErrorType = "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"
	CancellableDiffers         ErrorType = "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"
	CancelPartsExceed          ErrorType = "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT"
	PartsExceed                ErrorType = "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT"
	MaxCancelCountReached      ErrorType = "MAX_CANCEL_COUNT_REACHED"
	MaxTransactionCountReached ErrorType = "MAX_TRANSACTION_COUNT_REACHED"
	ChannelNotFound            ErrorType = "CHANNEL_NOT_FOUND"
	InvalidPaymentToken        ErrorType = "INVALID_PAYMENT_TOKEN"
	InformationMismatch        ErrorType = "INFORMATION_MISMATCH"
	WebhookNotFound            ErrorType = "WEBHOOK_NOT_FOUND"
	ReceiptIssued              ErrorType = "CASH_RECEIPT_ALREADY_ISSUED"
	ReceiptNotFound            ErrorType = "CASH_RECEIPT_NOT_FOUND"
	ReceiptNotIssued           ErrorType = "CASH_RECEIPT_NOT_ISSUED"
	BankNotSupported           ErrorType = "PLATFORM_NOT_SUPPORTED_BANK"
	ExternalFailed             ErrorType = "PLATFORM_EXTERNAL_API_FAILED"
	ExternalUnavailable        ErrorType = "PLATFORM_EXTERNAL_API_TEMPORARILY_FAILED"
	// PGProvider is what a rule of the escrow says no with that has no kind of its own.
	PGProvider ErrorType = "PG_PROVIDER"
)

// KeyOutstanding refuses a request with an Idempotency-Key whose request is being
// carried out, or was and has no answer left.
const KeyOutstanding ErrorType = "IDEMPOTENCY_OUTSTANDING_REQUEST"

// Kinds of our own, for what is wrong before an operation is found or with the server
// itself. Clients pass them on.
const (
	NotFound         ErrorType = "NOT_FOUND"
	MethodNotAllowed ErrorType = "METHOD_NOT_ALLOWED"
	Failure          ErrorType = "INTERNAL_SERVER_ERROR"
	Unavailable      ErrorType = "SERVICE_UNAVAILABLE"
)

// statuses are the statuses of the kinds.
var statuses = map[ErrorType]int{
	InvalidRequest: 400, Unauthorized: 401, Forbidden: 403,
	PaymentNotFound: 404, PaymentNotPaid: 409, PaymentAlreadyCancelled: 409, PaymentNotWaiting: 409, CancellationNotFound: 404, CancellationNotPending: 409,
	AlreadyPaid: 409, CancelExceeds: 409, CancellableDiffers: 409, CancelPartsExceed: 409, PartsExceed: 409, MaxCancelCountReached: 409,
	MaxTransactionCountReached: 400, ChannelNotFound: 404, InvalidPaymentToken: 400, InformationMismatch: 409, WebhookNotFound: 404, ReceiptIssued: 409, ReceiptNotFound: 404,
	ReceiptNotIssued: 404, BankNotSupported: 400, ExternalFailed: 503, ExternalUnavailable: 503, PGProvider: 502,
	KeyOutstanding: 409, NotFound: 404, MethodNotAllowed: 405, Failure: 500, Unavailable: 503,
}

// Status is the HTTP status of a kind.
func (t ErrorType) Status() int { return statuses[t] }

// Error is a refusal on the wire.
type Error struct {
	Type      ErrorType `json:"type"`
	Message   string    `json:"message,omitempty"`
	PgCode    string    `json:"pgCode,omitempty"`
	PgMessage string    `json:"pgMessage,omitempty"`
}

// NewError refuses with a kind and its reason in Korean.
func NewError(t ErrorType, message string) Error {
	e := Error{Type: t, Message: message}
	if t == PGProvider {
		e.PgCode, e.PgMessage = "REFUSED", message
	}
	return e
}

// Provider refuses in the name of the escrow, with a code of its own.
func Provider(code, message string) Error {
	return Error{Type: PGProvider, Message: message, PgCode: code, PgMessage: message}
}

// Operation names what a shop asks for, as far as it decides how a no is said.
type Operation string

// The operations, by the names that the published document gives them.
const (
	GetPayment       Operation = "getPayment"
	GetTransactions  Operation = "getPaymentTransactions"
	ListPayments     Operation = "getPayments"
	ListByCursor     Operation = "getAllPaymentsByCursor"
	ListEvents       Operation = "getAllPaymentEventsByCursor"
	PreRegister      Operation = "preRegisterPayment"
	PayInstantly     Operation = "payInstantly"
	ConfirmPayment   Operation = "confirmPayment"
	CancelPayment    Operation = "cancelPayment"
	StopCancellation Operation = "stopPaymentCancellation"
	CloseAccount     Operation = "closeVirtualAccount"
	RegisterDelivery Operation = "applyEscrowLogistics"
	ChangeDelivery   Operation = "modifyEscrowLogistics"
	CompleteEscrow   Operation = "confirmEscrow"
	ResendWebhook    Operation = "resendWebhook"
	IssueReceipt     Operation = "issueCashReceipt"
	GetReceipt       Operation = "getCashReceiptByPaymentId"
	CancelReceipt    Operation = "cancelCashReceiptByPaymentId"
	AccountHolder    Operation = "getPlatformAccountHolder"
)

// kinds are what an operation may answer besides the kinds of every operation.
var kinds = map[Operation][]ErrorType{
	GetPayment:       {PaymentNotFound},
	GetTransactions:  {PaymentNotFound},
	ListPayments:     {},
	ListByCursor:     {},
	ListEvents:       {},
	PreRegister:      {AlreadyPaid},
	PayInstantly:     {MaxTransactionCountReached, ChannelNotFound, AlreadyPaid, PartsExceed, PGProvider},
	ConfirmPayment:   {InvalidPaymentToken, PaymentNotFound, AlreadyPaid, InformationMismatch, PGProvider},
	CancelPayment:    {PaymentNotFound, PaymentNotPaid, PaymentAlreadyCancelled, CancellableDiffers, CancelExceeds, CancelPartsExceed, MaxCancelCountReached, PGProvider},
	StopCancellation: {CancellationNotFound, PaymentNotFound, CancellationNotPending, PGProvider},
	CloseAccount:     {PaymentNotFound, PaymentNotWaiting, PGProvider},
	RegisterDelivery: {PaymentNotFound, PaymentNotPaid, PGProvider},
	ChangeDelivery:   {PaymentNotFound, PaymentNotPaid, PGProvider},
	CompleteEscrow:   {PaymentNotFound, PaymentNotPaid, PGProvider},
	ResendWebhook:    {PaymentNotFound, WebhookNotFound},
	IssueReceipt:     {ChannelNotFound, ReceiptIssued, PGProvider},
	GetReceipt:       {ReceiptNotFound},
	CancelReceipt:    {ReceiptNotIssued, ReceiptNotFound, PGProvider},
	AccountHolder:    {BankNotSupported, ExternalFailed, ExternalUnavailable},
}

// refusals are the kinds that a rule's refusal may become, the best one first: the
// first that the operation may answer is said, and [PGProvider] or [InvalidRequest] if
// it may answer none of them.
var refusals = map[escrow.Code][]ErrorType{
	escrow.Invalid:              {InvalidRequest},
	escrow.Forbidden:            {Forbidden},
	escrow.NotFound:             {WebhookNotFound, ReceiptNotFound, PaymentNotFound},
	escrow.Exists:               {PGProvider},
	escrow.WrongState:           {PaymentNotWaiting, CancellationNotPending, PGProvider},
	escrow.AlreadyDecided:       {PGProvider},
	escrow.AlreadyRegistered:    {ReceiptIssued, PGProvider},
	escrow.NotRegistered:        {PGProvider},
	escrow.NotEscrow:            {PGProvider},
	escrow.NotPaid:              {PaymentNotPaid, PaymentNotWaiting, PGProvider},
	escrow.AlreadyPaid:          {AlreadyPaid, PaymentNotWaiting, PGProvider},
	escrow.AlreadyCancelled:     {PaymentAlreadyCancelled, PGProvider},
	escrow.PartialBeforeConfirm: {PGProvider},
	escrow.ExceedsBalance:       {CancelExceeds, PGProvider},
	escrow.BalanceDiffers:       {CancellableDiffers, InvalidRequest},
	escrow.NeedsRefundAccount:   {InvalidRequest},
	escrow.EscrowUnavailable:    {PGProvider},
	escrow.TooMany:              {MaxCancelCountReached, MaxTransactionCountReached, PGProvider},
	escrow.ByPolicy:             {PGProvider},
	// Of the door, for what concerns more than one payment.
	"prepared_differs":      {InvalidRequest},
	"method_not_offered":    {PGProvider},
	"no_live_bank":          {PGProvider},
	"unsafe_database":       {PGProvider},
	"changed":               {PGProvider},
	"invalid_payment_token": {InvalidPaymentToken, PGProvider},
	"information_differs":   {InformationMismatch, PGProvider},
}

// fields are this dialect's names of the fields that a rule may be at odds with.
var fields = map[string]string{
	"amount": "amount", "tax_free": "taxFreeAmount", "vbank_due": "method.virtualAccount.expiry", "pay_method": "method", "reason": "reason",
	"logis.company": "logistics.company", "logis.invoice": "logistics.invoiceNumber", "logis.sent_at": "logistics.sentAt", "refund_account": "refundAccount",
	"merchant_uid": "paymentId", "imp_uid": "paymentId", "notice_url": "noticeUrls", "confirm_url": "confirmUrl", "checksum": "currentCancellableAmount",
	"escrow": "isEscrow", "payment_token": "paymentToken", "tx_id": "txId", "currency": "currency", "total": "totalAmount", "is_test": "isTest",
}

// partsExceed are the kinds that a refusal of the tax parts of an amount may become.
var partsExceed = []ErrorType{CancelPartsExceed, PartsExceed, InvalidRequest}

// aboutReceipts are the words for a refusal of a cash receipt.
var aboutReceipts = map[Operation]map[escrow.Code]string{
	IssueReceipt: {
		escrow.NotPaid: MessageReceiptNotPaid, escrow.WrongState: MessageReceiptMethod, escrow.BalanceDiffers: MessageReceiptAmount,
		escrow.AlreadyRegistered: MessageReceiptIssued,
	},
	GetReceipt:    {escrow.NotFound: MessageNoReceipt},
	CancelReceipt: {escrow.NotFound: MessageNoReceipt},
}

// words say a rule's no and the field that it is about.
func words(op Operation, no *escrow.Refusal) string {
	if closer, ok := aboutReceipts[op][no.Code]; ok {
		return closer
	}
	if name := fields[no.Field]; name != "" {
		return name + ": " + korean.Refusal(no)
	}
	return korean.Refusal(no)
}

// Refused is how an operation says a rule's no.
func Refused(op Operation, no *escrow.Refusal) Error {
	message, may := words(op, no), refusals[no.Code]
	if no.Code == escrow.Invalid && no.Field == "tax_free" {
		may = partsExceed
	}
	for _, t := range may {
		common := t == InvalidRequest || t == Unauthorized || t == Forbidden
		if t != PGProvider && (common || slices.Contains(kinds[op], t)) {
			return NewError(t, message)
		}
	}
	if slices.Contains(kinds[op], PGProvider) {
		return Provider(string(no.Code), message)
	}
	return NewError(InvalidRequest, message)
}
