package admin

import (
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// inPath is a value of the path; one that is no text is empty, and names nothing.
func inPath(r *http.Request, name string) string {
	v, _ := transport.PathValue(r, name)
	return v
}

// merchant finds the merchant of the path, by its id or its shop code.
func (s *api) merchant(r *http.Request) (merchant.Merchant, error) {
	return s.merchantNamed(r, inPath(r, "merchant"))
}

// merchantNamed finds a merchant by its id or its shop code.
func (s *api) merchantNamed(r *http.Request, name string) (merchant.Merchant, error) {
	if strings.HasPrefix(name, "mrc_") {
		return s.App.Merchant(r.Context(), name)
	}
	return s.App.ByCode(r.Context(), name)
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
