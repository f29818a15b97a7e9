package shopapi

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// endpointView is an endpoint as it is shown.
type endpointView struct {
	ID               string    `json:"id"`
	URL              string    `json:"url"`
	Format           string    `json:"format"`
	Events           []string  `json:"events"`
	Ordered          bool      `json:"ordered"`
	RetrySchedule    []string  `json:"retrySchedule"`
	DisableAfterDays int       `json:"disableAfterDays"`
	Description      string    `json:"description"`
	Secrets          int       `json:"secrets"` // that sign now
	Off              *offView  `json:"off,omitempty"`
	Failing          *failView `json:"failing,omitempty"`
	CreatedAt        time.Time `json:"createdAt"`
	// Secret is there only in the answer that makes it.
	Secret string `json:"secret,omitempty"`
}

type offView struct {
	Why   string    `json:"why"`
	Since time.Time `json:"since"`
}

type failView struct {
	Failures  int        `json:"failures"` // in a row
	Since     time.Time  `json:"since"`
	RestUntil *time.Time `json:"restUntil,omitempty"` // it is left alone until then
}

func viewOf(e *merchant.Endpoint, failing []app.Health) endpointView {
	v := endpointView{
		ID: e.ID, URL: e.URL, Format: string(e.Format), Events: append([]string{}, e.Events...), Ordered: e.Ordered, RetrySchedule: []string{},
		DisableAfterDays: e.Days(), Description: e.Note, Secrets: len(e.Secrets), CreatedAt: e.CreatedAt.UTC(),
	}
	for _, p := range e.Schedule() {
		v.RetrySchedule = append(v.RetrySchedule, p.String())
	}
	if e.Off != nil {
		v.Off = &offView{e.Off.Why, e.Off.Since.UTC()}
	}
	for _, h := range failing {
		if h.Endpoint != e.ID {
			continue
		}
		v.Failing = &failView{Failures: h.Failures, Since: h.Since.UTC()}
		if h.RestUntil.Unix() > 0 {
			until := h.RestUntil.UTC()
			v.Failing.RestUntil = &until
		}
	}
	return v
}

func (s *api) listEndpoints(c *call) (any, error) {
	m, err := s.App.MerchantNew(c.Context(), c.shop.ID)
	if err != nil {
		return nil, err
	}
	failing, err := s.App.Failing(c.Context(), m.ID)
	if err != nil {
		return nil, err
	}
	main := m.Main()
	items := []endpointView{viewOf(&main, nil)}
	for i := range m.Endpoints {
		items = append(items, viewOf(&m.Endpoints[i], failing))
	}
	return map[string]any{"mode": m.Mode, "items": items}, nil
}

func (s *api) showEndpoint(c *call) (any, error) {
	m, err := s.App.MerchantNew(c.Context(), c.shop.ID)
	if err != nil {
		return nil, err
	}
	id := c.id()
	e, ok := m.Endpoint(id)
	if !ok || (id != merchant.MainV1 && !m.Kept(id)) {
		return nil, own.Refuse(404, "not_found", "", "there is no such endpoint")
	}
	failing, err := s.App.Failing(c.Context(), m.ID)
	return viewOf(&e, failing), err
}

// Bounds of what a request says of an endpoint.
const (
	urlMax    = 2000
	namesMax  = 60
	nameMax   = 60
	noteMax   = 200
	secretMax = 120
	pausesMax = 10
	pauseMax  = 2 * 24 * 3600
	daysMax   = 60
)

// change reads what a request says of an endpoint.
func change(f *body.Fields) func(*merchant.Endpoint) {
	var set []func(*merchant.Endpoint)
	add := func(name string, fn func(*merchant.Endpoint)) {
		if f.Has(name) {
			set = append(set, fn)
		}
	}
	url := f.Text("url", urlMax)
	add("url", func(e *merchant.Endpoint) { e.URL = url })
	var formats []string
	for _, known := range merchant.Formats() {
		formats = append(formats, string(known))
	}
	format := merchant.Format(f.OneOf("format", formats...))
	add("format", func(e *merchant.Endpoint) { e.Format = format })
	events := f.Texts("events", namesMax, nameMax)
	add("events", func(e *merchant.Endpoint) { e.Events = events })
	ordered, _ := f.Bool("ordered")
	add("ordered", func(e *merchant.Endpoint) { e.Ordered = ordered })
	var pauses []time.Duration
	for _, o := range f.Texts("retrySchedule", pausesMax, nameMax) {
		d, err := time.ParseDuration(o)
		if n, bad := time.ParseDuration(o + "s"); bad == nil {
			d, err = n, nil
		}
		if err != nil || d < time.Second || d > pauseMax*time.Second {
			f.Refuse("retrySchedule", body.Reason{Code: "not_pause", English: "must be seconds, or a text such as 4m", Korean: "초 단위의 수 또는 4m과 같은 문자열이어야 합니다"})
			break
		}
		pauses = append(pauses, d)
	}
	add("retrySchedule", func(e *merchant.Endpoint) { e.Pauses = append([]time.Duration{}, pauses...) })
	days, _ := f.Int("disableAfterDays", 1, daysMax)
	add("disableAfterDays", func(e *merchant.Endpoint) { e.OffAfter = int(days) })
	note := f.Text("description", noteMax)
	add("description", func(e *merchant.Endpoint) { e.Note = note })
	return func(e *merchant.Endpoint) {
		for _, fn := range set {
			fn(e)
		}
	}
}

func (s *api) createEndpoint(c *call) (any, error) {
	f, err := own.ReadBody(c.Request)
	if err != nil {
		return nil, err
	}
	f.Require("url")
	apply, given := change(f), f.Text("secret", secretMax)
	if err := f.ErrStrict(); err != nil {
		return nil, err
	}
	e := merchant.Endpoint{Format: merchant.V2}
	apply(&e)
	e, secret, err := s.App.CreateEndpoint(c.Context(), actor, c.shop.ID, e, given)
	if err != nil {
		return nil, err
	}
	v := viewOf(&e, nil)
	v.Secret = secret
	return v, nil
}

func (s *api) changeEndpoint(c *call) (any, error) {
	f, err := own.ReadBody(c.Request)
	if err != nil {
		return nil, err
	}
	apply := change(f)
	if err := f.ErrStrict(); err != nil {
		return nil, err
	}
	if err := s.ours(c); err != nil {
		return nil, err
	}
	e, err := s.App.ChangeEndpoint(c.Context(), actor, c.shop.ID, c.id(), func(e *merchant.Endpoint) error {
		apply(e)
		return nil
	})
	return viewOf(&e, nil), err
}

// ours refuses to change the endpoint that the operator's setting stands for.
func (s *api) ours(c *call) error {
	if c.id() == merchant.MainV1 {
		return own.Refuse(409, "wrong_state", "", "this endpoint is the shop's webhook setting, which the operator changes; make another one")
	}
	return nil
}

func (s *api) deleteEndpoint(c *call) (any, error) {
	if err := s.ours(c); err != nil {
		return nil, err
	}
	return map[string]string{}, s.App.DeleteEndpoint(c.Context(), actor, c.shop.ID, c.id())
}

func (s *api) switchEndpoint(on bool) handler {
	return func(c *call) (any, error) {
		if err := s.ours(c); err != nil {
			return nil, err
		}
		e, err := s.App.SwitchEndpoint(c.Context(), actor, c.shop.ID, c.id(), on)
		return viewOf(&e, nil), err
	}
}

func (s *api) rotateSecret(c *call) (any, error) {
	f, err := own.ReadBody(c.Request)
	if err != nil {
		return nil, err
	}
	given := f.Text("secret", secretMax)
	if err := f.ErrStrict(); err != nil {
		return nil, err
	}
	secret, err := s.App.RotateSecret(c.Context(), actor, c.shop.ID, c.id(), given)
	return map[string]string{"secret": secret}, err
}

func (s *api) dropOldSecret(c *call) (any, error) {
	return map[string]string{}, s.App.DropOldSecret(c.Context(), actor, c.shop.ID, c.id())
}

func (s *api) testEndpoint(c *call) (any, error) {
	id, err := s.App.TestEndpoint(c.Context(), c.shop.ID, c.id())
	return map[string]string{"deliveryId": id}, err
}
