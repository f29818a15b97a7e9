package admin

import (
	"net/http"
	"strconv"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

type auditedView struct {
	Stopped    bool            `json:"stopped"`
	Behind     bool            `json:"behind"`
	VerifiedAt *string         `json:"verifiedAt"`
	Violations []violationView `json:"violations"`
}

type violationView struct {
	Merchant string  `json:"merchant"`
	Kind     string  `json:"kind"`
	Of       string  `json:"of"`
	Ref      string  `json:"ref"`
	Position int64   `json:"position"`
	Want     string  `json:"want"`
	Got      string  `json:"got"`
	FoundAt  *string `json:"foundAt"`
	SeenAt   *string `json:"seenAt"`
}

func (s *api) showAudited(r *http.Request) (own.Reply, error) {
	a, err := s.App.Audited(r.Context())
	if err != nil {
		return own.Reply{}, err
	}
	v := auditedView{Stopped: len(a.Open) > 0, Behind: a.Behind, VerifiedAt: moment(a.Lap.Done), Violations: []violationView{}}
	for _, x := range a.Open {
		v.Violations = append(v.Violations, violationView{x.Merchant, string(x.Kind), x.Of, x.Ref, x.Position, x.Want, x.Got, moment(x.FoundAt), moment(x.SeenAt)})
	}
	return own.OK(v)
}

func (s *api) releasePayouts(r *http.Request) (own.Reply, error) {
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	reason := f.Text("reason", textMax)
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	n, err := s.App.ReleasePayouts(r.Context(), operator, reason)
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(map[string]int64{"released": n})
}

type heldDayView struct {
	Merchant  string      `json:"merchant"`
	Date      bizday.Date `json:"date"`
	Held      money.Won   `json:"held"`
	Safeguard money.Won   `json:"safeguard"`
	MonthEnd  bool        `json:"monthEnd"`
}

func (s *api) showHeldDays(r *http.Request) (own.Reply, error) {
	f, err := own.Query(r)
	if err != nil {
		return own.Reply{}, err
	}
	f.Require("from", "to")
	first, last, merchant := date(f, "from"), date(f, "to"), f.Ident("merchant", textMax)
	format := f.OneOf("format", "json", "csv")
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	if merchant != "" {
		m, err := s.merchantNamed(r, merchant)
		if err != nil {
			return own.Reply{}, err
		}
		merchant = m.ID
	}
	rows, err := s.App.HeldDays(r.Context(), app.HeldQuery{Merchant: merchant, First: first, Last: last})
	if err != nil {
		return own.Reply{}, err
	}
	if format == "csv" || (format == "" && wantsCSV(r)) {
		return own.OK(heldDaysTable(rows))
	}
	out := []heldDayView{}
	for _, x := range rows {
		out = append(out, heldDayView{x.Merchant, x.Day, x.Held, x.Safeguard, x.MonthEnd()})
	}
	return own.OK(map[string][]heldDayView{"days": out})
}

// heldDaysTable has the columns of holdfast books held --csv.
func heldDaysTable(rows []app.HeldDay) table {
	out := table{{"merchant", "date", "held", "safeguard", "month_end"}}
	for _, x := range rows {
		out = append(out, []string{x.Merchant, x.Day.String(), strconv.FormatInt(int64(x.Held), 10), strconv.FormatInt(int64(x.Safeguard), 10), strconv.FormatBool(x.MonthEnd())})
	}
	return out
}
