package wirev2

import (
	"encoding/json"
	"strconv"
	"time"
)

// Webhook is a call to the shop as a payment shows it.
type Webhook struct {
	ID                    string           `json:"id"`
	URL                   string           `json:"url"`
	PaymentStatus         Status           `json:"paymentStatus,omitempty"`
	Status                string           `json:"status,omitempty"`
	CurrentExecutionCount int64            `json:"currentExecutionCount"`
	MaxExecutionCount     int64            `json:"maxExecutionCount"`
	Request               *WebhookRequest  `json:"request,omitempty"`
	Response              *WebhookResponse `json:"response,omitempty"`
	TriggeredAt           string           `json:"triggeredAt"`
}

// WebhookRequest is what the shop was last sent.
type WebhookRequest struct {
	Header      string `json:"header,omitempty"`
	Body        string `json:"body"`
	RequestedAt string `json:"requestedAt,omitempty"`
}

// WebhookResponse is what the shop last answered.
type WebhookResponse struct {
	Code        string `json:"code"`
	Header      string `json:"header"`
	Body        string `json:"body"`
	RespondedAt string `json:"respondedAt"`
}

// Statuses of a webhook that was tried.
const (
	WebhookSucceeded = "SUCCEEDED"
	WebhookRefused   = "FAILED_NOT_OK_RESPONSE"
	WebhookFailed    = "FAILED_UNEXPECTED_ERROR"
)

// WebhookFacts are what the door knows of a call to the shop.
type WebhookFacts struct {
	ID, URL       string
	Attempts, Max int64
	CreatedAt     time.Time
	Log           string // the attempts, oldest first, as JSON
}

// attempt is what the log says of one attempt.
type attempt struct {
	At         time.Time `json:"at"`
	Request    string    `json:"request"`
	Status     int       `json:"status"`
	Response   string    `json:"response"`
	TookMillis int64     `json:"tookMillis"`
}

// NewWebhook shows a call with its last attempt. A log that cannot be read shows none.
func NewWebhook(f WebhookFacts) Webhook {
	w := Webhook{ID: f.ID, URL: f.URL, CurrentExecutionCount: f.Attempts, MaxExecutionCount: f.Max, TriggeredAt: moment(f.CreatedAt)}
	var attempts []attempt
	if err := json.Unmarshal([]byte(f.Log), &attempts); err != nil || len(attempts) == 0 {
		return w
	}
	last := attempts[len(attempts)-1]
	w.Request = &WebhookRequest{Body: last.Request, RequestedAt: moment(last.At)}
	switch {
	case last.Status == 0:
		w.Status = WebhookFailed
		return w
	case last.Status < 300:
		w.Status = WebhookSucceeded
	default:
		w.Status = WebhookRefused
	}
	took := time.Duration(last.TookMillis) * time.Millisecond
	w.Response = &WebhookResponse{Code: strconv.Itoa(last.Status), Body: last.Response, RespondedAt: moment(last.At.Add(took))}
	return w
}

// Resent answers the resending of a webhook.
type Resent struct {
	Webhook Webhook `json:"webhook"`
}
