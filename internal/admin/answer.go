package admin

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// reply is a whole answer before a byte of it is written.
type reply struct {
	status int
	value  any // a table is written as CSV, nil as no body, anything else as JSON
}

// table is rows of text, the first of which are titles. What is typed by people
// must not stand in it: a spreadsheet would take some texts for formulas.
type table [][]string

// wantsCSV reports whether the caller's Accept header names CSV before JSON.
func wantsCSV(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "text/csv":
			return true
		case "application/json":
			return false
		}
	}
	return false
}

func ok(value any) (reply, error)      { return reply{http.StatusOK, value}, nil }
func created(value any) (reply, error) { return reply{http.StatusCreated, value}, nil }

type handler func(*http.Request) (reply, error)

// handle turns what a handler answers into HTTP. What is no refusal is a fault:
// it is logged, and the caller learns only that there was one.
func (s *api) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, body.BytesMax)
		answer, err := h(r)
		if err == nil {
			answer.write(w)
			return
		}
		no := refusalOf(err)
		if no.status >= http.StatusInternalServerError {
			s.log.ErrorContext(r.Context(), "admin call failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		if no.status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		no.write(w)
	}
}

// refusal is an answer that says no.
type refusal struct {
	status   int
	code     string
	field    string
	message  string
	problems body.Problems
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func refuse(status int, code, field, message string) *refusal {
	return &refusal{status: status, code: code, field: field, message: message}
}

// invalid refuses a value that could not be worked with.
func invalid(field, message string) error {
	return refuse(http.StatusBadRequest, string(escrow.Invalid), field, message)
}

var (
	errNoSuchCall    = refuse(http.StatusNotFound, "not_found", "", "there is no such call")
	errNotThisMethod = refuse(http.StatusMethodNotAllowed, "method_not_allowed", "", "this address does not take this method")
)

// refusalOf gives every error its place in this API.
func refusalOf(err error) *refusal {
	var own *refusal
	var problems body.Problems
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	var no *escrow.Refusal
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &problems):
		first := problems[0]
		r := refuse(http.StatusBadRequest, string(escrow.Invalid), first.Field, first.Reason.English)
		r.problems = problems
		return r
	case errors.As(err, &large):
		return refuse(http.StatusRequestEntityTooLarge, body.ReasonTooLarge.Code, "", body.ReasonTooLarge.English)
	case errors.As(err, &syntax) && syntax.Reason.Code == body.ReasonTooLarge.Code:
		return refuse(http.StatusRequestEntityTooLarge, syntax.Reason.Code, "", syntax.Error())
	case errors.As(err, &syntax):
		return refuse(http.StatusBadRequest, syntax.Reason.Code, "", syntax.Error())
	case errors.Is(err, body.ErrEmpty):
		return refuse(http.StatusBadRequest, "empty", "", "this call needs a JSON object as its body")
	case errors.As(err, &no):
		return refuse(statusOf(no.Code), string(no.Code), fieldOf(no.Field), no.Reason)
	case app.IsUnavailable(err):
		return refuse(http.StatusServiceUnavailable, "unavailable", "", "the database does not take writes now; nothing was changed; try again")
	}
	return refuse(http.StatusInternalServerError, "fault", "", "something went wrong; the server's log says what")
}

// statusOf is the HTTP status of a rule's refusal: what was asked is wrong in
// itself, does not exist, is not allowed, or does not fit what is there.
func statusOf(code escrow.Code) int {
	switch code {
	case escrow.Invalid, escrow.NeedsRefundAccount, escrow.ExceedsBalance:
		return http.StatusBadRequest
	case escrow.NotFound:
		return http.StatusNotFound
	case escrow.Forbidden:
		return http.StatusForbidden
	default:
		return http.StatusConflict
	}
}

// fieldOf spells a field of the rules as this API does.
func fieldOf(field string) string {
	switch field {
	case "terms":
		return "cycle" // fees are checked where they are read
	case "refund_account":
		return "account"
	}
	if _, ok := policyFields[field]; ok {
		return "policy." + field
	}
	return field
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

func (r *refusal) write(w http.ResponseWriter) {
	view := errorView{Code: r.code, Field: r.field, Message: r.message}
	if len(r.problems) > 1 {
		for _, p := range r.problems {
			view.Problems = append(view.Problems, problemView{p.Field, p.Reason.English})
		}
	}
	reply{r.status, map[string]errorView{"error": view}}.write(w)
}

func (a reply) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.value == nil {
		w.WriteHeader(a.status)
		return
	}
	kind, out := a.encoded()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(a.status)
	_, _ = w.Write(out) // the caller has gone; nobody is left to tell
}

// encoded is the body with its media type.
func (a reply) encoded() (kind string, out []byte) {
	if rows, ok := a.value.(table); ok {
		var b bytes.Buffer
		_ = csv.NewWriter(&b).WriteAll(rows) // a buffer takes everything
		return "text/csv; charset=utf-8; header=present", b.Bytes()
	}
	out, err := json.Marshal(a.value)
	if err != nil {
		panic("admin: an answer does not marshal: " + err.Error()) // views hold plain values only
	}
	return "application/json; charset=utf-8", append(out, '\n')
}
