package apiv2

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// answer is a whole answer before a byte of it is written.
type answer struct {
	status int
	value  any
}

func ok(value any) answer { return answer{http.StatusOK, value} }

// refused is a refusal with the status of its kind.
func refused(e wirev2.Error) answer { return answer{e.Type.Status(), e} }

func no(t wirev2.ErrorType, message string) answer { return refused(wirev2.NewError(t, message)) }

func failure() answer { return no(wirev2.Failure, wirev2.MessageFailure) }

func (a answer) write(w http.ResponseWriter) {
	out, err := json.Marshal(a.value)
	if err != nil {
		a = failure()
		out, _ = json.Marshal(a.value) // Two texts always marshal.
	}
	transport.WriteJSON(w, a.status, out)
}

// unreadable says why a body or query could not be read.
func unreadable(err error) answer {
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	invalid := func(status int, message string) answer {
		return answer{status, wirev2.NewError(wirev2.InvalidRequest, message)}
	}
	switch {
	case errors.Is(err, transport.ErrCompressed):
		return invalid(http.StatusUnsupportedMediaType, wirev2.MessageCompressed)
	case errors.As(err, &large):
		return invalid(http.StatusRequestEntityTooLarge, wirev2.MessageTooLarge)
	case errors.Is(err, body.ErrEmpty):
		return invalid(http.StatusBadRequest, wirev2.MessageEmptyBody)
	case errors.As(err, &syntax):
		return invalid(http.StatusBadRequest, syntax.Reason.Korean)
	}
	return invalid(http.StatusBadRequest, wirev2.MessageCutBody)
}

// invalid refuses what [body.Fields.Err] reported.
func invalid(err error) answer {
	var problems body.Problems
	if !errors.As(err, &problems) {
		return failure()
	}
	return no(wirev2.InvalidRequest, problems.Korean())
}

// refuse turns an error of the door into an answer: a rule's refusal as the operation
// says it, anything else as a failure.
func (h *api) refuse(c *call, op wirev2.Operation, err error) answer {
	var rule *escrow.Refusal
	if errors.As(err, &rule) {
		return refused(wirev2.Refused(op, rule))
	}
	return h.failed(c.r, err)
}

// refusedWith reports whether an error is a rule's refusal of this kind.
func refusedWith(err error, code escrow.Code) bool {
	var rule *escrow.Refusal
	return errors.As(err, &rule) && rule.Code == code
}

// failed logs a fault and tells the caller no more than whether the same call may
// succeed later.
func (h *api) failed(r *http.Request, err error) answer {
	if !errors.Is(err, context.Canceled) {
		h.log.ErrorContext(r.Context(), "v2: request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if app.IsUnavailable(err) {
		return no(wirev2.Unavailable, wirev2.MessageFailure)
	}
	return failure()
}
