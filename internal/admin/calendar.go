package admin

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

type overrideView struct {
	Date   bizday.Date `json:"date"`
	Closed bool        `json:"closed"`
	Reason string      `json:"reason"`
}

type calendarView struct {
	Version         string         `json:"version"`
	GazettedThrough bizday.Date    `json:"gazettedThrough"` // later holidays are computed
	Items           []overrideView `json:"items"`
}

type movedView struct {
	Override overrideView `json:"override"`
	Moved    int          `json:"moved"` // pending deadlines that moved, later only
}

func (s *api) listOverrides(*http.Request) (reply, error) {
	cal := s.app.Calendar()
	v := calendarView{Version: cal.Version(), GazettedThrough: bizday.GazettedThrough(), Items: []overrideView{}}
	for _, o := range cal.Overrides() {
		v.Items = append(v.Items, overrideView{o.Date, o.Closed, o.Reason})
	}
	return ok(v)
}

// putOverride closes or opens a day; one that has an override gets the new one.
func (s *api) putOverride(r *http.Request) (reply, error) {
	f, err := readBody(r)
	if err != nil {
		return reply{}, err
	}
	f.Require("date", "closed", "reason")
	o := bizday.Override{Date: date(f, "date"), Reason: strings.TrimSpace(f.Text("reason", bizday.MaxReasonRunes))}
	o.Closed, _ = f.Bool("closed")
	if err := f.ErrStrict(); err != nil {
		return reply{}, err
	}
	moved, err := s.app.SetOverride(r.Context(), operator, o)
	if err != nil {
		return reply{}, err
	}
	return ok(movedView{overrideView{o.Date, o.Closed, o.Reason}, moved})
}

func (s *api) dropOverride(r *http.Request) (reply, error) {
	f := body.Named("date", chi.URLParam(r, "date")).Fields()
	day := date(f, "date")
	if err := f.Err(); err != nil {
		return reply{}, err
	}
	moved, err := s.app.DropOverride(r.Context(), operator, day)
	if err != nil {
		return reply{}, err
	}
	return ok(map[string]int{"moved": moved})
}
