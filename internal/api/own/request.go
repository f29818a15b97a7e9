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

// Listed is a page of a list as it is answered.
type Listed[T any] struct {
	Items  []T  `json:"items"`
	Offset int  `json:"offset"`
	Limit  int  `json:"limit"`
	More   bool `json:"more"` // whether there is a next page
}

// List answers the page of a list that the query asks for. filter takes further
// members of the query, and may be nil; everything else is refused. read returns up
// to limit rows after the first offset ones; it is asked for one more than is
// answered, which says whether there is a next page.
func List[R, T any](r *http.Request, filter func(*body.Fields), read func(offset, limit int) ([]R, error), view func(R) T) (Listed[T], error) {
	f, err := Query(r)
	if err != nil {
		return Listed[T]{}, err
	}
	out := Listed[T]{Items: []T{}, Limit: limitDefault}
	if n, ok := f.Int("offset", 0, offsetMax); ok {
		out.Offset = int(n)
	}
	if n, ok := f.Int("limit", 1, limitMax); ok {
		out.Limit = int(n)
	}
	if filter != nil {
		filter(f)
	}
	if err := f.ErrStrict(); err != nil {
		return Listed[T]{}, err
	}
	rows, err := read(out.Offset, out.Limit+1)
	if err != nil {
		return Listed[T]{}, err
	}
	out.More = len(rows) > out.Limit
	for _, row := range rows[:min(len(rows), out.Limit)] {
		out.Items = append(out.Items, view(row))
	}
	return out, nil
}
