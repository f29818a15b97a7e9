package mail_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/rail/mail"
)

// report writes a delivery status notification as mail servers send it.
func report(status, original string) []byte {
	return crlf(`From: MAILER-DAEMON@mx.example.com
To: escrow@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="bound"

This is a MIME-encapsulated message.

--bound
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--bound
Content-Type: message/delivery-status

` + status + `
--bound
` + original + `
--bound--
`)
}

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

const (
	failed = `Reporting-MTA: dns; mx.example.com
X-Queue-ID: 4F1

Final-Recipient: rfc822; buyer@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.net
Diagnostic-Code: smtp; 550 5.1.1 <buyer@example.com>: Recipient address
    rejected: User unknown
`
	returned = `Content-Type: message/rfc822

From: escrow@example.com
Message-ID: <mail_0199.a-1@example.com>
Subject: =?UTF-8?B?7JWI64WV?=

body`
	headersOnly = "Content-Type: text/rfc822-headers\n\nReceived: from a\nMessage-Id:  <mail_7@example.com>"
)

func TestParseBounce(t *testing.T) {
	encoded := "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString([]byte("Message-ID: <mail_8@example.com>\r\n\r\nbody"))
	for _, c := range []struct {
		name      string
		raw       []byte
		id        string
		permanent bool
		reason    string
	}{
		{"failed", report(failed, returned), "mail_0199.a-1", true, "550 5.1.1 <buyer@example.com>: Recipient address rejected: User unknown"},
		{"headers only, cut off", report(failed, headersOnly), "mail_7", true, "550 5.1.1 <buyer@example.com>: Recipient address rejected: User unknown"},
		{"original in base64", report(failed, encoded), "mail_8", true, "550 5.1.1 <buyer@example.com>: Recipient address rejected: User unknown"},
		{"delayed", report("Reporting-MTA: dns; a\n\nAction: delayed\nStatus: 4.4.1\n", headersOnly), "mail_7", false, "4.4.1"},
		{"given up after a temporary fault", report("Reporting-MTA: dns; a\n\nAction: failed\nStatus: 4.4.7\n", headersOnly), "mail_7", true, "4.4.7"},
		{"one of two failed", report("Reporting-MTA: dns; a\n\nAction: delayed\nStatus: 4.0.0\n\nAction: failed\nStatus: 5.2.2\n", headersOnly), "mail_7", true, "5.2.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, permanent, reason, err := mail.ParseBounce(c.raw)
			if err != nil || id != c.id || permanent != c.permanent || reason != c.reason {
				t.Errorf("got %q, %v, %q, %v", id, permanent, reason, err)
			}
		})
	}
}

func TestParseBounceRefuses(t *testing.T) {
	for name, raw := range map[string][]byte{
		"nothing":              nil,
		"a letter":             crlf("From: a@example.com\nContent-Type: text/plain\n\n550 User unknown"),
		"a read receipt":       crlf("From: a@example.com\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b--\n"),
		"a report of delivery": report("Reporting-MTA: dns; a\n\nAction: delivered\nStatus: 2.0.0\n", headersOnly),
		"no original":          report(failed, "Content-Type: text/plain\n\nnothing"),
		"no message id":        report(failed, "Content-Type: text/rfc822-headers\n\nFrom: a@example.com\n"),
		"no boundary":          crlf("Content-Type: multipart/report; report-type=delivery-status\n\n"),
		"cut in the middle":    report(failed, returned)[:500],
		"too large":            append(report(failed, returned), make([]byte, 3<<20)...),
	} {
		if id, _, _, err := mail.ParseBounce(raw); !errors.Is(err, mail.ErrNotBounce) {
			t.Errorf("%s: got %q, %v, want ErrNotBounce", name, id, err)
		}
	}
}

func FuzzParseBounce(f *testing.F) {
	f.Add(report(failed, returned))
	f.Add(report(failed, headersOnly))
	f.Fuzz(func(t *testing.T, raw []byte) {
		id, _, reason, err := mail.ParseBounce(raw)
		if (err == nil) != (id != "") || len(reason) > 500 {
			t.Errorf("got %q, %q, %v", id, reason, err)
		}
	})
}
