package sandbox

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// answer is a whole answer before a byte of it is written.
type answer struct {
	status   int
	envelope wirev1.Envelope
	// english is the message of a refusal for those who ask for English.
	english string
}

// in gives the message in a language.
func (a answer) in(l ui.Lang) answer {
	if l == ui.English && a.english != "" {
		a.envelope.Message = a.english
	}
	return a
}

func fault(status int, message string) answer {
	return answer{status: status, envelope: wirev1.Refusal(wirev1.CodeFault, message), english: message}
}

func (a answer) write(w http.ResponseWriter) {
	out, err := a.envelope.JSON()
	if err != nil {
		a = fault(http.StatusInternalServerError, wirev1.MessageFailure)
		out, _ = a.envelope.JSON() // two numbers and two texts always marshal
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(out)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(out) // a client that is gone cannot be told
}

// refusal is a no of the sandbox itself.
type refusal struct {
	status int
	field  string // empty when it is not a matter of one
	reason body.Reason
}

// Error gives the reason in English, led by the field.
func (r *refusal) Error() string { return led(r.field, r.reason.English) }

func led(field, text string) string {
	if field == "" {
		return text
	}
	return field + ": " + text
}

// answerOf is the answer to a call that failed. What is no refusal is logged,
// and the caller is told only that something went wrong.
func (s *server) answerOf(r *http.Request, err error) answer {
	if errors.Is(err, app.ErrClockTaken) { // later it may be free
		app.Undecided(r.Context())
	}
	if a, ok := refused(err); ok {
		return a
	}
	if app.IsUnavailable(err) {
		s.log.WarnContext(r.Context(), "the database does not answer the sandbox", "path", r.URL.Path, "error", err)
		return fault(http.StatusServiceUnavailable, wirev1.MessageFailure)
	}
	s.log.ErrorContext(r.Context(), "a sandbox call failed", "path", r.URL.Path, "error", err)
	return fault(http.StatusInternalServerError, wirev1.MessageFailure)
}

// refused is the answer to a refusal, in the words of whoever refused.
func refused(err error) (answer, bool) {
	var problems body.Problems
	var own *refusal
	var rule *escrow.Refusal
	var atBank *bank.Invalid
	var atCarrier *carrier.Invalid
	switch {
	case errors.Is(err, app.ErrClockTaken):
		return said(http.StatusConflict, reasonBusy.Korean, reasonBusy.English), true
	case errors.As(err, &problems):
		return said(http.StatusBadRequest, problems.Korean(), problems.English()), true
	case errors.As(err, &own):
		return said(own.status, led(own.field, own.reason.Korean), own.Error()), true
	case errors.As(err, &rule):
		return said(statusOf(rule.Code), wirev1.RefusalText(rule), rule.Error()), true
	case errors.As(err, &atBank):
		return said(http.StatusBadRequest, led(atBank.Field, "가상 은행이 받아들이지 않는 값입니다: "+atBank.Reason), atBank.Error()), true
	case errors.As(err, &atCarrier):
		return said(http.StatusBadRequest, led(atCarrier.Field, "가상 택배사가 받아들이지 않는 값입니다: "+atCarrier.Reason), atCarrier.Error()), true
	}
	return answer{}, false
}

func said(status int, korean, english string) answer {
	code := wirev1.CodeRule
	if status == http.StatusBadRequest || status == http.StatusNotFound {
		code = wirev1.CodeFault
	}
	message := wirev1.RequestRefused(korean)
	if status == http.StatusNotFound { // nothing is wrong with the request
		message = korean + "."
	}
	return answer{status: status, envelope: wirev1.Refusal(code, message), english: english}
}

// statusOf is the HTTP status of a refusal by a rule: 400 where the request is
// wrong in itself, 409 where the state of things forbids it.
func statusOf(code escrow.Code) int {
	switch code {
	case escrow.NotFound:
		return http.StatusNotFound
	case escrow.Forbidden:
		return http.StatusForbidden
	case escrow.Invalid, escrow.NeedsRefundAccount, app.MethodNotOffered:
		return http.StatusBadRequest
	default:
		return http.StatusConflict
	}
}

// refuseKey refuses a request for the sake of its Idempotency-Key.
func refuseKey(w http.ResponseWriter, r *http.Request, why once.Reason) {
	said(why.Status(), why.Korean(), why.English()).in(ui.Language(r)).write(w)
}

// missingAs says what is missing where the door's own words speak of a payment.
func missingAs(err error, field string, reason body.Reason) error {
	var no *escrow.Refusal
	if errors.As(err, &no) && no.Code == escrow.NotFound {
		return &refusal{http.StatusNotFound, field, reason}
	}
	return err
}

// unreadable is the answer to a request that could not be read.
func unreadable(err error) answer {
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, transport.ErrCompressed):
		return fault(http.StatusUnsupportedMediaType, wirev1.MessageCompressed)
	case errors.As(err, &large):
		return fault(http.StatusRequestEntityTooLarge, wirev1.MessageTooLarge)
	case errors.As(err, &syntax):
		return said(http.StatusBadRequest, syntax.Reason.Korean, syntax.Reason.English)
	}
	return said(http.StatusBadRequest, "요청 본문을 끝까지 읽지 못했습니다", "the body could not be read to its end")
}
