package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// webhooksPage is the shop's endpoints and the log of calls to them.
type webhooksPage struct {
	Main      merchant.Endpoint
	Endpoints []endpointRow
	// Secret is a signing secret that has just been made; it is shown this once.
	Secret   string
	Trouble  string // why what was asked for was not done
	URL      string // as it was typed
	Formats  []merchant.Format
	State    string // of the calls that are shown; empty for all
	Endpoint string
	Rows     []app.Webhook
	Pager    pager
}

// endpointRow is an endpoint with how it is.
type endpointRow struct {
	merchant.Endpoint
	Failures int
}

// State is how an endpoint is, in the words of the catalogue.
func (e endpointRow) State() string {
	switch {
	case e.Off != nil:
		return "off." + e.Off.Why
	case e.Failures > 0:
		return "failing"
	}
	return "on"
}

func (c *console) webhooks(v *visit) error { return c.showWebhooks(v, webhooksPage{}) }

// showWebhooks fills the rest of the page and shows it.
func (c *console) showWebhooks(v *visit, p webhooksPage) error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	m, err := c.app.MerchantNew(ctx, v.m.ID)
	if err != nil {
		return err
	}
	failing, err := c.app.Failing(ctx, m.ID)
	if err != nil {
		return err
	}
	p.Main, p.Formats, p.State, p.Endpoint = m.Main(), merchant.Formats(), q.Get("state"), q.Get("endpoint")
	for _, e := range m.Endpoints {
		row := endpointRow{Endpoint: e}
		for _, h := range failing {
			if h.Endpoint == e.ID {
				row.Failures = h.Failures
			}
		}
		p.Endpoints = append(p.Endpoints, row)
	}
	page := pageOf(q)
	rows, err := c.app.Webhooks(ctx, m.ID, app.WebhookFilter{State: p.State, Endpoint: p.Endpoint}, page*pageSize, pageSize+1)
	if err != nil {
		return err
	}
	p.Rows = rows[:min(len(rows), pageSize)]
	kept := url.Values{}
	for name, value := range map[string]string{"state": p.State, "endpoint": p.Endpoint} {
		if value != "" {
			kept.Set(name, value)
		}
	}
	p.Pager = newPager(page, len(p.Rows), int64(page*pageSize+len(rows)), func(n int) string { return pageAddress("/console/webhooks", kept, n) })
	status := http.StatusOK
	if p.Trouble != "" {
		status = http.StatusUnprocessableEntity
	}
	return v.render(status, "/console/webhooks", "webhooks", v.say("nav.webhooks"), p)
}

// addEndpoint makes an endpoint and shows its signing secret.
func (c *console) addEndpoint(v *visit) error {
	f, err := v.form("endpoint")
	if err != nil {
		return err
	}
	e := merchant.Endpoint{URL: f.Value("url"), Format: merchant.Format(f.Value("format")), Ordered: f.Value("ordered") != ""}
	switch everything := f.Value("escrow") != ""; {
	case everything && e.Format.IsV1():
		e.Events = []string{merchant.TellStatus, merchant.TellEscrow}
	case everything && e.Format == merchant.V2:
		e.Events = []string{"Transaction.*", "Escrow.*"}
	}
	_, secret, err := c.app.CreateEndpoint(v.r.Context(), v.staff.Email, v.m.ID, e, "")
	var no *escrow.Refusal
	if errors.As(err, &no) {
		return c.showWebhooks(v, webhooksPage{Trouble: v.say("endpoint.refused") + " " + no.Reason, URL: e.URL})
	}
	if err != nil {
		return err
	}
	if secret == "" {
		return v.done("/console/webhooks", "done.endpoint")
	}
	return c.showWebhooks(v, webhooksPage{Secret: secret})
}

// actOnEndpoint does what a button beside an endpoint says.
func (c *console) actOnEndpoint(v *visit) error {
	ctx, who, shop, id, act := v.r.Context(), v.staff.Email, v.m.ID, chi.URLParam(v.r, "endpoint"), chi.URLParam(v.r, "act")
	var err error
	switch act {
	case "on", "off":
		_, err = c.app.SwitchEndpoint(ctx, who, shop, id, act == "on")
	case "test":
		var call string
		if call, err = c.app.TestEndpoint(ctx, shop, id); err == nil {
			return v.done("/console/webhooks/"+url.PathEscape(call), "done.endpoint.test")
		}
	case "replay":
		_, err = c.app.ReplayFailed(ctx, shop, id)
	case "delete":
		err = c.app.DeleteEndpoint(ctx, who, shop, id)
	case "drop-old-secret":
		err = c.app.DropOldSecret(ctx, who, shop, id)
	case "rotate":
		var secret string
		if secret, err = c.app.RotateSecret(ctx, who, shop, id, ""); err == nil {
			return c.showWebhooks(v, webhooksPage{Secret: secret})
		}
	default:
		return errNotFound
	}
	var no *escrow.Refusal
	if errors.As(err, &no) && no.Code != escrow.NotFound {
		return c.showWebhooks(v, webhooksPage{Trouble: v.refusal(no)})
	}
	if err != nil {
		return err
	}
	return v.done("/console/webhooks", "done.endpoint."+act)
}
