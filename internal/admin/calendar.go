package admin

import (
	"net/http"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/api/own"
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

func (s *api) listOverrides(*http.Request) (own.Reply, error) {
	cal := s.App.Calendar()
	v := calendarView{Version: cal.Version(), GazettedThrough: bizday.GazettedThrough(), Items: []overrideView{}}
	for _, o := range cal.Overrides() {
		v.Items = append(v.Items, overrideView{o.Date, o.Closed, o.Reason})
	}
	return own.OK(v)
}

// putOverride closes or opens a day; one that has an override gets the new one.
func (s *api) putOverride(r *http.Request) (own.Reply, error) {
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	f.Require("date", "closed", "reason")
	o := bizday.Override{Date: date(f, "date"), Reason: strings.TrimSpace(f.Text("reason", bizday.MaxReasonRunes))}
	o.Closed, _ = f.Bool("closed")
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	moved, err := s.App.SetOverride(r.Context(), operator, o)
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(movedView{overrideView{o.Date, o.Closed, o.Reason}, moved})
}

func (s *api) dropOverride(r *http.Request) (own.Reply, error) {
	f := body.Named("date", inPath(r, "date")).Fields()
	day := date(f, "date")
	if err := f.Err(); err != nil {
		return own.Reply{}, err
	}
	moved, err := s.App.DropOverride(r.Context(), operator, day)
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(map[string]int{"moved": moved})
}
