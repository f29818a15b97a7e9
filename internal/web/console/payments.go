package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

const (
	// pageSize is how many rows a list shows at once.
	pageSize = 25
	// pagesMost bounds the number of a page that is asked for.
	pagesMost = 10_000
	// searchMax bounds a search text, in characters.
	searchMax = 100
)

// query is what a list of payments is asked for, as it stands in the address.
type query struct {
	Text, State, Method, Escrow, From, To string
	Task                                  bool
	page                                  int // from 0
}

// queryOf reads the address. What it does not understand counts as not asked,
// so that an old link still shows something.
func queryOf(values url.Values) query {
	q := query{
		Text: cut(strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(values.Get("q"), "\x00", ""), "")), searchMax),
		Task: values.Get("task") == "yes", page: pageOf(values),
	}
	if s := escrow.State(values.Get("state")); slices.Contains(escrow.States(), s) {
		q.State = string(s)
	}
	if m := escrow.Method(values.Get("method")); slices.Contains(methods, m) {
		q.Method = string(m)
	}
	if e := values.Get("escrow"); e == "yes" || e == "no" {
		q.Escrow = e
	}
	q.From, q.To = dayOf(values.Get("from")), dayOf(values.Get("to"))
	return q
}

func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}

func dayOf(text string) string {
	if _, err := bizday.ParseDate(text); err != nil {
		return ""
	}
	return text
}

// pageOf reads the number of the page, from 1 in the address and from 0 here.
func pageOf(values url.Values) int {
	n, err := strconv.Atoi(values.Get("page"))
	if err != nil || n < 1 || n > pagesMost {
		return 0
	}
	return n - 1
}

func (q query) filter() app.Filter {
	f := app.Filter{Text: q.Text, State: escrow.State(q.State), Method: escrow.Method(q.Method), Task: q.Task}
	if q.Escrow != "" {
		only := q.Escrow == "yes"
		f.Escrow = &only
	}
	if d, err := bizday.ParseDate(q.From); err == nil {
		f.Since = d.Start()
	}
	if d, err := bizday.ParseDate(q.To); err == nil {
		f.Until = d.AddDays(1).Start().Add(-time.Microsecond)
	}
	return f
}

// Filtered reports whether anything but the page is asked for.
func (q query) Filtered() bool {
	q.page = 0
	return q != query{}
}

// address is the list with another page of the same query.
func (q query) address(page int) string {
	values := url.Values{}
	for name, value := range map[string]string{"q": q.Text, "state": q.State, "method": q.Method, "escrow": q.Escrow, "from": q.From, "to": q.To} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if q.Task {
		values.Set("task", "yes")
	}
	return pageAddress("/console/payments", values, page)
}

func pageAddress(path string, values url.Values, page int) string {
	if page > 0 {
		values.Set("page", strconv.Itoa(page+1))
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// pager leads through the pages of a list.
type pager struct {
	First, Last, Total int64 // rows, from 1
	Prev, Next         string
}

func newPager(page, rows int, total int64, address func(int) string) pager {
	p := pager{First: int64(page*pageSize) + 1, Last: int64(page*pageSize + rows), Total: total}
	if page > 0 {
		p.Prev = address(page - 1)
	}
	if p.Last < total {
		p.Next = address(page + 1)
	}
	return p
}

type paymentsPage struct {
	Query   query
	Rows    []escrow.Payment
	Pager   pager
	States  []escrow.State
	Methods []escrow.Method
}

func (c *console) payments(v *visit) error {
	q := queryOf(v.r.URL.Query())
	rows, total, err := c.app.Payments(v.r.Context(), v.m.ID, q.filter(), app.Order{By: "opened", Desc: true}, q.page*pageSize, pageSize)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "/console/payments", "payments", v.say("nav.payments"), paymentsPage{
		Query: q, Rows: rows, Pager: newPager(q.page, len(rows), total, q.address), States: escrow.States(), Methods: methods,
	})
}
