package apiv1

import (
	"context"
	"errors"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// manner is how one kind of call says no.
type manner struct {
	// faulty is the status of a refused field.
	faulty int
	// status returns the status and the code of a rule's refusal.
	status func(no *escrow.Refusal) (status, code int)
	// say puts the reason into the message of the call.
	say func(reason string) string
}

// quiet refuses with the status of a success.
func quiet(no *escrow.Refusal) (status, code int) {
	if no.Code == escrow.Invalid {
		return http.StatusOK, wirev1.CodeFault
	}
	return http.StatusOK, wirev1.CodeRule
}

// plainly refuses with a status that says what is wrong.
func plainly(no *escrow.Refusal) (status, code int) {
	if no.Code == escrow.NotFound {
		return http.StatusNotFound, wirev1.CodeFault
	}
	return http.StatusBadRequest, wirev1.CodeFault
}

// byState is [plainly] with a conflict for what the state forbids.
func byState(no *escrow.Refusal) (status, code int) {
	switch no.Code {
	case escrow.NotFound:
		return http.StatusNotFound, wirev1.CodeFault
	case escrow.Invalid:
		return http.StatusBadRequest, wirev1.CodeFault
	default:
		return http.StatusConflict, wirev1.CodeFault
	}
}

var (
	cancelling = manner{http.StatusOK, quiet, wirev1.CancelRefused}
	preparing  = manner{http.StatusOK, quiet, wirev1.PrepareRefused}
	issuing    = manner{http.StatusOK, quiet, wirev1.VbankRefused}
	confirming = manner{http.StatusOK, quiet, wirev1.ConfirmRefused}
	asking     = manner{http.StatusBadRequest, plainly, wirev1.RequestRefused}
	delivering = manner{http.StatusBadRequest, byState, wirev1.RequestRefused}
)

// fields refuses what [body.Fields.Err] reported.
func (m manner) fields(err error) answer {
	var problems body.Problems
	if !errors.As(err, &problems) {
		return failure()
	}
	return refused(m.faulty, wirev1.CodeFault, m.say(problems.Korean()))
}

// field refuses one field for a reason of the caller's own.
func (m manner) field(name, reason string) answer {
	return refused(m.faulty, wirev1.CodeFault, m.say(name+": "+reason))
}

// refuse turns an error of the door into an answer: a rule's refusal in this
// manner, anything else as a failure.
func (h *api) refuse(c *call, m manner, err error) answer {
	var no *escrow.Refusal
	if !errors.As(err, &no) {
		return h.failed(c.r, err)
	}
	status, code := m.status(no)
	if status == http.StatusNotFound {
		return notFoundPayment()
	}
	return refused(status, code, m.say(wirev1.RefusalText(no)))
}

// failed logs a fault and tells the caller no more than that there was one.
func (h *api) failed(r *http.Request, err error) answer {
	if !errors.Is(err, context.Canceled) {
		h.log.ErrorContext(r.Context(), "v1: request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	return failure()
}
