package admin

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Bounds of lists.
const (
	limitDefault = 20
	limitMax     = 100
	offsetMax    = 1_000_000
)

// readBody reads a JSON object. A request without a body counts as an empty
// object: whether something is missing is for its fields to say.
func readBody(r *http.Request) (*body.Fields, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	v, err := body.Parse(raw)
	if errors.Is(err, body.ErrEmpty) {
		return body.Named().Fields(), nil
	}
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{") {
		return nil, &body.SyntaxError{Reason: body.ReasonNotDocument}
	}
	return v.Fields(), nil
}

// page is the part of a list that is asked for.
type page struct{ offset, limit int }

// readQuery reads the query with a list's page in it. More takes further
// members; everything else is refused.
func readQuery(r *http.Request, more func(*body.Fields)) (page, error) {
	v, err := body.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return page{}, err
	}
	f := v.Fields()
	p := page{limit: limitDefault}
	if n, ok := f.Int("offset", 0, offsetMax); ok {
		p.offset = int(n)
	}
	if n, ok := f.Int("limit", 1, limitMax); ok {
		p.limit = int(n)
	}
	if more != nil {
		more(f)
	}
	return p, f.ErrStrict()
}

type listView[T any] struct {
	Items  []T  `json:"items"`
	Offset int  `json:"offset"`
	Limit  int  `json:"limit"`
	More   bool `json:"more"` // whether there is a next page
}

// list answers with a page of rows, of which one more than the limit was read.
func list[R, T any](p page, rows []R, view func(R) T) (reply, error) {
	out := listView[T]{Items: []T{}, Offset: p.offset, Limit: p.limit, More: len(rows) > p.limit}
	for _, row := range rows[:min(len(rows), p.limit)] {
		out.Items = append(out.Items, view(row))
	}
	return ok(out)
}

// merchant finds the merchant of the path, by its id or its shop code.
func (s *api) merchant(r *http.Request) (merchant.Merchant, error) {
	return s.merchantNamed(r, chi.URLParam(r, "merchant"))
}

// merchantNamed finds a merchant by its id or its shop code.
func (s *api) merchantNamed(r *http.Request, name string) (merchant.Merchant, error) {
	if strings.HasPrefix(name, "mrc_") {
		return s.app.Merchant(r.Context(), name)
	}
	return s.app.ByCode(r.Context(), name)
}

// instant takes an RFC 3339 instant, or zero when it is absent.
func instant(f *body.Fields, name string) time.Time {
	text := f.Text(name, 40)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.Refuse(name, body.Reason{Code: "not_instant", English: "must be an instant such as 2026-02-13T18:00:00+09:00", Korean: "2026-02-13T18:00:00+09:00과 같은 시각이어야 합니다"})
	}
	return t
}

// date takes a Korean date within the calendar, or zero when it is absent.
func date(f *body.Fields, name string) bizday.Date {
	text := f.Text(name, 40)
	if text == "" {
		return bizday.Date{}
	}
	d, err := bizday.ParseDate(text)
	if err == nil && (d.Before(bizday.First) || d.After(bizday.Last)) {
		err = bizday.ErrOutOfRange
	}
	if err != nil {
		f.Refuse(name, body.Reason{
			Code:    "not_date",
			English: "must be a date such as 2026-02-13 within " + bizday.First.String() + " to " + bizday.Last.String(),
			Korean:  "2026-02-13과 같은 형식으로 " + bizday.First.String() + "부터 " + bizday.Last.String() + "까지의 날짜여야 합니다",
		})
		return bizday.Date{}
	}
	return d
}

// moment writes an instant: RFC 3339 in UTC, null for one that has not come.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339Nano)
	return &text
}
