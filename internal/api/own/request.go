package own

import (
	"errors"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Bounds of lists.
const (
	limitDefault = 20
	limitMax     = 100
	offsetMax    = 1_000_000
)

// ReadBody reads the body, a JSON object. A request without one counts as an empty
// object: whether something is missing is for its fields to say.
func ReadBody(r *http.Request) (*body.Fields, error) {
	raw, err := transport.ReadBytes(r)
	if err != nil {
		return nil, err
	}
	v, err := body.ParseJSON(raw)
	if errors.Is(err, body.ErrEmpty) {
		return body.Named().Fields(), nil
	}
	if err != nil {
		return nil, err
	}
	return v.Fields(), nil
}

// Query reads the query.
func Query(r *http.Request) (*body.Fields, error) {
	v, err := body.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return v.Fields(), nil
}

// Page is the part of a list that is asked for.
type Page struct{ Offset, Limit int }

// ReadPage reads the query with a list's page in it. More takes further members,
// and may be nil; everything else is refused.
func ReadPage(r *http.Request, more func(*body.Fields)) (Page, error) {
	f, err := Query(r)
	if err != nil {
		return Page{}, err
	}
	p := Page{Limit: limitDefault}
	if n, ok := f.Int("offset", 0, offsetMax); ok {
		p.Offset = int(n)
	}
	if n, ok := f.Int("limit", 1, limitMax); ok {
		p.Limit = int(n)
	}
	if more != nil {
		more(f)
	}
	return p, f.ErrStrict()
}

// Listed is a page of a list as it is answered.
type Listed[T any] struct {
	Items  []T  `json:"items"`
	Offset int  `json:"offset"`
	Limit  int  `json:"limit"`
	More   bool `json:"more"` // whether there is a next page
}

// List is a page of rows, of which one more than the limit was read.
func List[R, T any](p Page, rows []R, view func(R) T) Listed[T] {
	out := Listed[T]{Items: []T{}, Offset: p.Offset, Limit: p.Limit, More: len(rows) > p.Limit}
	for _, row := range rows[:min(len(rows), p.Limit)] {
		out.Items = append(out.Items, view(row))
	}
	return out
}
