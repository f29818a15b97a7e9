package mail_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/rail/mail"
)

func letter() mail.Message {
	return mail.Message{ID: "mail_1", From: "escrow@example.com", To: "buyer@example.com", Subject: "배송이 시작되었습니다", Text: "안녕하십니까."}
}

func TestCheckNamesTheField(t *testing.T) {
	for _, c := range []struct {
		field string
		spoil func(*mail.Message)
	}{
		{"id", func(m *mail.Message) { m.ID = "" }},
		{"id", func(m *mail.Message) { m.ID = "a@b" }},
		{"id", func(m *mail.Message) { m.ID = "a>\r\nBcc: x" }},
		{"from", func(m *mail.Message) { m.From = "escrow" }},
		{"to", func(m *mail.Message) { m.To = "" }},
		{"to", func(m *mail.Message) { m.To = "구매자@example.com" }},
		{"to", func(m *mail.Message) { m.To = "a@example.com, b@example.com" }},
		{"to", func(m *mail.Message) { m.To = "A <a@example.com>" }},
		{"to", func(m *mail.Message) { m.To = "a@example.com\r\nRCPT TO:<b@example.com>" }},
		{"to", func(m *mail.Message) { m.To = strings.Repeat("a", 250) + "@example.com" }},
		{"reply_to", func(m *mail.Message) { m.ReplyTo = "x y@example.com" }},
		{"to_name", func(m *mail.Message) { m.ToName = "김\r\nBcc: victim@example.com" }},
		{"from_name", func(m *mail.Message) { m.FromName = "상점\x00" }},
		{"subject", func(m *mail.Message) { m.Subject = "a\nb" }},
		{"subject", func(m *mail.Message) { m.Subject = "\xff" }},
		{"text", func(m *mail.Message) { m.Text = "" }},
		{"text", func(m *mail.Message) { m.HTML = strings.Repeat("a", 1<<20) }},
		{`headers["Bcc"]`, func(m *mail.Message) { m.Headers = map[string]string{"Bcc": "x@example.com"} }},
		{`headers["content-type"]`, func(m *mail.Message) { m.Headers = map[string]string{"content-type": "text/html"} }},
		{`headers["X-A"]`, func(m *mail.Message) { m.Headers = map[string]string{"X-A": "1\r\nX-B: 2"} }},
		{`headers["X A"]`, func(m *mail.Message) { m.Headers = map[string]string{"X A": "1"} }},
	} {
		m := letter()
		c.spoil(&m)
		err := m.Check()
		var send *mail.SendError
		if !errors.As(err, &send) || !send.Permanent || !strings.HasPrefix(send.Reason, c.field+": ") {
			t.Errorf("got %v, want a permanent error that begins with %s", err, c.field)
		}
	}
}

func TestCheckAllows(t *testing.T) {
	m := letter()
	m.ToName, m.ReplyTo = `김 "민준" <대리>`, "cs@shop.example"
	m.Headers = map[string]string{"List-Unsubscribe": "<https://example.com/u>"}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
}
