package own

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Reply is a whole answer before a byte of it is written.
type Reply struct {
	Status int
	Value  any // an [Encoded] as it says, nil as no body, anything else as JSON
}

// Encoded is a value that is not answered as JSON.
type Encoded interface {
	// Encode returns the media type and the body.
	Encode() (kind string, out []byte)
}

// OK answers with a value.
func OK(value any) (Reply, error) { return Reply{http.StatusOK, value}, nil }

// Answer answers with a value, unless there is an error.
func Answer(value any, err error) (Reply, error) {
	if err != nil {
		return Reply{}, err
	}
	return OK(value)
}

// Created answers with what was made.
func Created(value any) (Reply, error) { return Reply{http.StatusCreated, value}, nil }

func (a Reply) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.Value == nil {
		w.WriteHeader(a.Status)
		return
	}
	kind, out := a.encode()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(out) // the caller has gone; nobody is left to tell
}

func (a Reply) encode() (kind string, out []byte) {
	if e, ok := a.Value.(Encoded); ok {
		return e.Encode()
	}
	out, err := json.Marshal(a.Value)
	if err != nil {
		panic("own: an answer does not marshal: " + err.Error()) // views hold plain values only
	}
	return "application/json; charset=utf-8", append(out, '\n')
}

// Refusal is an answer that says no.
type Refusal struct {
	Status  int
	Code    string
	Field   string // empty when it is not about one
	Message string
	// Problems are all fields that are wrong, where there are several.
	Problems body.Problems
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Refuse says no.
func Refuse(status int, code, field, message string) *Refusal {
	return &Refusal{Status: status, Code: code, Field: field, Message: message}
}

// Invalid refuses a value that could not be worked with.
func Invalid(field, message string) error {
	return Refuse(http.StatusBadRequest, string(escrow.Invalid), field, message)
}

type problemView struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

type errorView struct {
	Code     string        `json:"code"`
	Field    string        `json:"field"`
	Message  string        `json:"message"`
	Problems []problemView `json:"problems,omitempty"`
}

// retryAfter is after how many seconds a call may be repeated that could not be
// answered now.
const retryAfter = "1"

// Write answers with the refusal.
func (r *Refusal) Write(w http.ResponseWriter) {
	view := errorView{Code: r.Code, Field: r.Field, Message: r.Message}
	if len(r.Problems) > 1 {
		for _, p := range r.Problems {
			view.Problems = append(view.Problems, problemView{p.Field, p.Reason.English})
		}
	}
	if r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	Reply{r.Status, map[string]errorView{"error": view}}.write(w)
}

// refuseKey refuses a request for the sake of its Idempotency-Key.
func refuseKey(w http.ResponseWriter, _ *http.Request, why once.Reason) {
	Refuse(why.Status(), why.Code(), "", why.English()).Write(w)
}
