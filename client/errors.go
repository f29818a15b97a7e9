package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ErrorType is the kind of a refusal. It is an error, so that a refusal can be compared
// with it:
//
//	if errors.Is(err, client.PaymentNotFound) { ... }
//
// The server may answer kinds that are not listed here.
type ErrorType string

// Error is the name of the kind.
func (t ErrorType) Error() string { return string(t) }

// The kinds of PortOne V2.
const (
	InvalidRequest             ErrorType = "INVALID_REQUEST"
	Unauthorized               ErrorType = "UNAUTHORIZED"
	Forbidden                  ErrorType = "FORBIDDEN"
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
	WebhookNotFound            ErrorType = "WEBHOOK_NOT_FOUND"
	ReceiptIssued              ErrorType = "CASH_RECEIPT_ALREADY_ISSUED"
	ReceiptNotFound            ErrorType = "CASH_RECEIPT_NOT_FOUND"
	ReceiptNotIssued           ErrorType = "CASH_RECEIPT_NOT_ISSUED"
	BankNotSupported           ErrorType = "PLATFORM_NOT_SUPPORTED_BANK"
	ExternalFailed             ErrorType = "PLATFORM_EXTERNAL_API_FAILED"
	ExternalUnavailable        ErrorType = "PLATFORM_EXTERNAL_API_TEMPORARILY_FAILED"
	// PGProvider is a rule of the escrow that says no and has no kind of its own;
	// [Error.PgCode] says which.
	PGProvider ErrorType = "PG_PROVIDER"
	// KeyOutstanding says that a request with the same key is still being carried out.
	KeyOutstanding ErrorType = "IDEMPOTENCY_OUTSTANDING_REQUEST"
)

// Kinds of Holdfast's own API. It answers others, which are the names of rules.
const (
	ShopInvalid      ErrorType = "invalid"
	ShopUnauthorized ErrorType = "unauthorized"
	ShopNotFound     ErrorType = "not_found"
	ShopWrongState   ErrorType = "wrong_state"
)

// Error is a refusal of the server: nothing has been changed, unless [Error.Temporary]
// leaves that open.
type Error struct {
	// Operation is the method and path of the call.
	Operation string
	// Status is the HTTP status.
	Status int
	// Type is the kind; empty where whoever answered does not say, such as a proxy or
	// the sandbox.
	Type ErrorType
	// Message says why, in Korean or English, to people.
	Message string
	// PgCode and PgMessage are there with [PGProvider].
	PgCode, PgMessage string
	// Field is the member of the request that is at fault, where Holdfast's own API
	// knows it.
	Field string
	// RetryAfter is how long the server wants to be left alone; zero if it does not say.
	RetryAfter time.Duration
	// IdempotencyKey is the key of the call; empty if it had none.
	IdempotencyKey string
}

// Error says what was refused and why.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "client: %s: %d", e.Operation, e.Status)
	for _, part := range []string{string(e.Type), e.PgCode, e.Field, e.Message} {
		if part != "" {
			b.WriteString(" " + part)
		}
	}
	return b.String()
}

// Is compares the kind with an [ErrorType].
func (e *Error) Is(target error) bool {
	t, ok := target.(ErrorType)
	return ok && t == e.Type
}

// Temporary reports whether the same call, with the same key, may succeed later: the
// server is not there, is asked too often, or is still at work on the call.
func (e *Error) Temporary() bool {
	switch {
	case e.Type == PGProvider || e.Type == ExternalFailed:
		return false
	case e.Status == http.StatusConflict:
		return e.Type == KeyOutstanding || e.Type == shopKeyOutstanding || (e.Type == "" && e.RetryAfter > 0)
	}
	return e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}

// shopKeyOutstanding is the kind of Holdfast's own API for a request that is still being
// carried out.
const shopKeyOutstanding ErrorType = "idempotency_outstanding"

// NoAnswer is a call of which no whole answer came. If it writes, it may have been
// carried out: made again under the same key ([WithIdempotencyKey]), it acts once.
type NoAnswer struct {
	// Operation is the method and path of the call.
	Operation string
	// IdempotencyKey is the key of the call; empty if it had none.
	IdempotencyKey string
	// Attempts is how often it was sent.
	Attempts int
	// Err is why the last attempt got no answer.
	Err error
}

// Error says which call got no answer and why.
func (e *NoAnswer) Error() string {
	return fmt.Sprintf("client: %s: no answer after %d attempts: %v", e.Operation, e.Attempts, e.Err)
}

// Unwrap is why the last attempt got no answer.
func (e *NoAnswer) Unwrap() error { return e.Err }

// snippetMax bounds what is told of an answer that is nobody's, in bytes.
const snippetMax = 200

// refusal reads a refusal of any of the server's APIs.
func refusal(p *prepared, res *http.Response, raw []byte) *Error {
	e := &Error{Operation: p.name(), Status: res.StatusCode, RetryAfter: retryAfter(res.Header)}
	var said struct {
		Type, Message, PgCode, PgMessage string
		Error                            *struct {
			Code           ErrorType
			Field, Message string
		}
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		e.Message = strings.ToValidUTF8(string(raw[:min(len(raw), snippetMax)]), "")
		return e
	}
	e.Type, e.Message, e.PgCode, e.PgMessage = ErrorType(said.Type), said.Message, said.PgCode, said.PgMessage
	if said.Error != nil {
		e.Type, e.Field, e.Message = said.Error.Code, said.Error.Field, said.Error.Message
	}
	return e
}
