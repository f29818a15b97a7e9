package pay

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/ident"
)

// windowLife is how long a buyer may take, on the merchant's clock.
const windowLife = 30 * time.Minute

// ticketMax bounds the text of a ticket, in bytes.
const ticketMax = 2000

// ticket is the authority to act as the buyer in one window.
type ticket struct {
	Merchant string `json:"m"`
	Payment  string `json:"p"`
	// Origin is the page that opened the window; empty if it has none to name.
	Origin string `json:"o,omitempty"`
	// Nonce is that page's mark on the answer.
	Nonce string `json:"n,omitempty"`
	// Redirects says that the buyer returns by address and not by message.
	Redirects bool `json:"r,omitempty"`
	// Manual says that the shop has the last word, as it was set when the window
	// opened: the buyer's last step gives a token and carries nothing out.
	Manual bool `json:"a,omitempty"`
	terms
	// Until is when the ticket ends, unix seconds.
	Until int64 `json:"u"`
}

// sealed is the ticket as it stands in an address: its content and a code that
// only the holder of the secret can compute.
func (t ticket) sealed(secret []byte) string {
	raw, err := json.Marshal(t)
	if err != nil {
		panic("pay: a ticket is always JSON: " + err.Error())
	}
	content := base64.RawURLEncoding.EncodeToString(raw)
	return content + "." + code(secret, content)
}

// unseal reads a ticket and reports whether this server made it.
func unseal(secret []byte, text string) (ticket, bool) {
	content, mac, found := strings.Cut(text, ".")
	if !found || len(text) > ticketMax || !hmac.Equal([]byte(mac), []byte(code(secret, content))) {
		return ticket{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(content)
	if err != nil {
		return ticket{}, false
	}
	var t ticket
	return t, json.Unmarshal(raw, &t) == nil
}

func code(secret []byte, content string) string {
	return ident.Derive(secret, "", "payment window", content)
}

// over reports whether the ticket has ended.
func (t ticket) over(now time.Time) bool { return now.Unix() >= t.Until }

// agreement is the virtual account that a buyer agrees to where the shop has to
// approve the payment.
func (t terms) agreement(bank string, now time.Time) app.Agreement {
	g := app.Agreement{Account: app.AccountOrder{Bank: bank}, ValidFor: time.Duration(t.Hours) * time.Hour}
	if t.Hours == 0 {
		g.Account.Due = t.due(now)
	}
	return g
}

// due is until when an account that is issued now may be paid into; zero for the
// default.
func (t terms) due(now time.Time) time.Time {
	switch {
	case t.Hours != 0:
		return now.Add(time.Duration(t.Hours) * time.Hour)
	case t.Due == 0:
		return time.Time{}
	}
	return time.Unix(t.Due, 0).UTC()
}
