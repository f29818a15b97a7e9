package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// attempt is one call as the log keeps it.
type attempt struct {
	At          time.Time `json:"at"`
	ContentType string    `json:"contentType"`
	Request     string    `json:"request"`
	Status      int       `json:"status"`
	Response    string    `json:"response"`
	Error       string    `json:"error"`
	TookMillis  int64     `json:"tookMillis"`
}

type webhookPage struct {
	Webhook  app.Webhook
	Trouble  string    // why it was not made again
	Attempts []attempt // newest first
}

func (c *console) webhook(v *visit) error { return c.showWebhook(v, http.StatusOK, "") }

// showWebhook shows a call, with why it was not made again where it was not.
func (c *console) showWebhook(v *visit, status int, trouble string) error {
	w, err := c.app.Webhook(v.r.Context(), v.m.ID, chi.URLParam(v.r, "webhook"))
	if err != nil {
		return err
	}
	var log []attempt
	if err := json.Unmarshal([]byte(w.Log), &log); err != nil {
		return err
	}
	p := webhookPage{Webhook: w, Trouble: trouble}
	for i := len(log) - 1; i >= 0; i-- {
		log[i].Request, log[i].Response = tidy(log[i].Request), tidy(log[i].Response)
		p.Attempts = append(p.Attempts, log[i])
	}
	return v.render(status, "/console/webhooks", "webhook", v.say("webhook.title"), p)
}

// tidy sets out JSON over several lines and leaves everything else as it is.
func tidy(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

// resendWebhook makes a call again, or shows it with the reason why not.
func (c *console) resendWebhook(v *visit) error {
	id := chi.URLParam(v.r, "webhook")
	err := c.app.ResendWebhook(v.r.Context(), v.m.ID, id)
	var no *escrow.Refusal
	if errors.As(err, &no) {
		return c.showWebhook(v, http.StatusUnprocessableEntity, v.refusal(no))
	}
	if err != nil {
		return err
	}
	return v.done("/console/webhooks/"+url.PathEscape(id), "done.resend")
}

type mailPage struct {
	Payment string
	Mail    app.Mail
}

func (c *console) mail(v *visit) error {
	m, err := c.app.Mail(v.r.Context(), v.m.ID, chi.URLParam(v.r, "mail"))
	if err != nil {
		return err
	}
	if m.Payment != chi.URLParam(v.r, "payment") {
		return errNotFound
	}
	return v.render(http.StatusOK, "/console/payments", "mail", v.say("mail.title"), mailPage{Payment: m.Payment, Mail: m})
}
