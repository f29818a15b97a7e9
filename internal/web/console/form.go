package console

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// formMax bounds a form, in bytes.
const formMax = 64 << 10

// errBadForm is a form that cannot be read at all: no page of ours sends one.
var errBadForm = errors.New("console: the form cannot be read")

// form is a form as it was sent, with what is wrong with it, or one that nobody
// has filled in yet.
type form struct {
	Act    string
	Fields *body.Fields
	// Fault is what is wrong with the whole.
	Fault  string
	values url.Values
	wrong  map[string]string // by field
}

// form reads what was sent.
func (v *visit) form(act string) (form, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, formMax))
	if err != nil {
		return form{}, errBadForm
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return form{}, errBadForm
	}
	tree, err := body.Parse(raw)
	if errors.Is(err, body.ErrEmpty) {
		tree = body.Named()
	} else if err != nil {
		return form{}, errBadForm
	}
	return form{Act: act, Fields: tree.Fields(), values: values, wrong: map[string]string{}}, nil
}

// fresh is a form that nobody has filled in, with what stands in its fields.
func fresh(act string, values map[string]string) form {
	f := form{Act: act, values: url.Values{}}
	for name, value := range values {
		f.values.Set(name, value)
	}
	return f
}

// Value is what stands in a field.
func (f form) Value(name string) string { return f.values.Get(name) }

// Wrong is what is wrong with a field, or empty.
func (f form) Wrong(name string) string { return f.wrong[name] }

// Failed reports whether the form has to be filled in again.
func (f form) Failed() bool { return f.Fault != "" || len(f.wrong) > 0 }

// version is the version of the payment that the form was shown for; one that
// is not there counts as overtaken.
func (f form) version() int64 {
	n, err := strconv.ParseInt(f.Value("version"), 10, 64)
	if err != nil || n <= 0 {
		return -1
	}
	return n
}

// check marks the fields that the reader found wrong, in the visitor's language.
// Its reason stands before one that a page found: what the reader refused, the
// page saw as empty.
func (f *form) check(v *visit) bool {
	var problems body.Problems
	if errors.As(f.Fields.Err(), &problems) {
		for _, p := range slices.Backward(problems) {
			delete(f.wrong, p.Field)
			f.mark(p.Field, v.reason(p.Reason))
		}
	}
	return !f.Failed()
}

// mark says what is wrong with a field; the first word on it stands.
func (f *form) mark(field, text string) {
	if f.wrong[field] == "" {
		f.wrong[field] = text
	}
}

// reason is the reader's reason as a sentence of this page.
func (v *visit) reason(r body.Reason) string {
	if r.Code == body.ReasonMissing.Code {
		return v.say("field.missing")
	}
	if v.english() {
		return v.say("field.reason", r.English)
	}
	return v.say("field.reason", r.Korean)
}
