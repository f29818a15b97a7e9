package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
	"github.com/holdfast-pay/holdfast/internal/rail/mail/mailtest"
	"github.com/holdfast-pay/holdfast/internal/rail/mail/smtp"
)

var now = time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)

func letter() mail.Message {
	return mail.Message{
		ID: "mail_019abc", From: "escrow@example.com", FromName: "홀드패스트 에스크로", To: "buyer@example.com", ToName: `김민준 "철수"`,
		ReplyTo: "cs@shop.example", Subject: "주문하신 상품이 발송되었습니다. 12월 1일까지 구매를 결정해 주십시오.",
		Text: "안녕하십니까.\n상품이 발송되었습니다.\n", HTML: "<p>안녕하십니까.<br>상품이 발송되었습니다.</p>",
		Headers: map[string]string{"X-Holdfast-Payment": "imp_000000000001"},
	}
}

func sender(t *testing.T, s *mailtest.Server, change func(*smtp.Config)) *smtp.Sender {
	t.Helper()
	c := smtp.Config{Host: s.Host(), Port: s.Port(), Security: smtp.Plain, Hello: "holdfast.test", TimeLimit: 10 * time.Second}
	if s.Roots() != nil {
		c.TLS = &tls.Config{RootCAs: s.Roots(), MinVersion: tls.VersionTLS12}
	}
	if change != nil {
		change(&c)
	}
	out, err := smtp.New(c, clock.NewManual(now))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestKoreanLetterArrivesAsWritten(t *testing.T) {
	server := mailtest.Start(t)
	want := letter()
	if err := sender(t, server, nil).Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got := server.Messages()
	if len(got) != 1 {
		t.Fatalf("%d messages came", len(got))
	}
	m := got[0]
	for _, c := range []struct{ what, got, want string }{
		{"envelope sender", m.Sender, want.From},
		{"envelope recipient", m.Recipient, want.To},
		{"from", m.From.Address, want.From},
		{"from name", m.From.Name, want.FromName},
		{"to", m.To.Address, want.To},
		{"to name", m.To.Name, want.ToName},
		{"subject", m.Subject, want.Subject},
		{"text", strings.ReplaceAll(m.Text, "\r\n", "\n"), want.Text},
		{"html", m.HTML, want.HTML},
		{"message id", m.Header.Get("Message-Id"), "<mail_019abc@example.com>"},
		{"id", m.ID(), want.ID},
		{"reply to", m.Header.Get("Reply-To"), "<cs@shop.example>"},
		{"header", m.Header.Get("X-Holdfast-Payment"), "imp_000000000001"},
		{"auto-submitted", m.Header.Get("Auto-Submitted"), "auto-generated"},
		{"encodings", strings.Join(m.BodyEncodings, " "), "base64 base64"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if at, err := m.Header.Date(); err != nil || !at.Equal(now) {
		t.Errorf("date is %v, %v, want %v", at, err, now)
	}
	for _, c := range string(m.Raw) {
		if c > 0x7e {
			t.Fatalf("the letter carries %q unencoded", c)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	for _, c := range []struct {
		name      string
		server    func(*mailtest.Server)
		permanent bool
		code      int
		reason    string
	}{
		{"greylisted", func(s *mailtest.Server) { s.Refuse("buyer@example.com", 451, "try later") }, false, 451, "try later"},
		{"no such recipient", func(s *mailtest.Server) { s.Refuse("BUYER@example.com", 550, "User unknown") }, true, 550, "User unknown"},
		{"content refused", func(s *mailtest.Server) { s.RefuseContent(554, "looks like spam") }, true, 554, "looks like spam"},
		{"mailbox full", func(s *mailtest.Server) { s.RefuseContent(452, "over quota") }, false, 452, "over quota"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := mailtest.Start(t)
			c.server(server)
			out := sender(t, server, nil)
			got := sendError(t, out.Send(t.Context(), letter()))
			if got.Permanent != c.permanent || got.Code != c.code || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %+v", got)
			}
			if n := len(server.Messages()); n != 0 {
				t.Errorf("%d messages came all the same", n)
			}
			server.Behave()
			if err := out.Send(t.Context(), letter()); err != nil {
				t.Errorf("when the server takes it again: %v", err)
			}
		})
	}
}

func sendError(t *testing.T, err error) *mail.SendError {
	t.Helper()
	var send *mail.SendError
	if !errors.As(err, &send) {
		t.Fatalf("got %v, want a SendError", err)
	}
	return send
}

func TestProtection(t *testing.T) {
	const user, password = "holdfast", "s3cret"
	for _, c := range []struct {
		name     string
		options  []mailtest.Option
		security smtp.Security
		password string
		distrust bool
		ok       bool
	}{
		{"starttls", []mailtest.Option{mailtest.WithStartTLS()}, smtp.StartTLS, "", false, true},
		{"tls", []mailtest.Option{mailtest.WithTLS()}, smtp.TLS, "", false, true},
		{"starttls with password", []mailtest.Option{mailtest.WithStartTLS(), mailtest.WithPassword(user, password)}, smtp.StartTLS, password, false, true},
		{"tls with password", []mailtest.Option{mailtest.WithTLS(), mailtest.WithPassword(user, password)}, smtp.TLS, password, false, true},
		{"wrong password", []mailtest.Option{mailtest.WithTLS(), mailtest.WithPassword(user, password)}, smtp.TLS, "wrong", false, false},
		{"password missing", []mailtest.Option{mailtest.WithTLS(), mailtest.WithPassword(user, password)}, smtp.TLS, "", false, false},
		{"starttls not offered", nil, smtp.StartTLS, "", false, false},
		{"unknown certificate, starttls", []mailtest.Option{mailtest.WithStartTLS()}, smtp.StartTLS, "", true, false},
		{"unknown certificate, tls", []mailtest.Option{mailtest.WithTLS()}, smtp.TLS, "", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := mailtest.Start(t, c.options...)
			out := sender(t, server, func(cfg *smtp.Config) {
				cfg.Security = c.security
				if c.password != "" {
					cfg.User, cfg.Password = user, c.password
				}
				if c.distrust {
					cfg.TLS = nil
				}
			})
			err := out.Send(t.Context(), letter())
			if c.ok && err != nil {
				t.Fatal(err)
			}
			if !c.ok && sendError(t, err).Permanent {
				t.Errorf("%v is permanent, but the fault is ours and not the buyer's", err)
			}
			if got := len(server.Messages()); (got == 1) != c.ok {
				t.Errorf("%d messages came", got)
			}
		})
	}
}

func TestSilenceEnds(t *testing.T) {
	server := mailtest.Start(t)
	server.Hang()
	host, port := mailtest.Blackhole(t)
	for name, change := range map[string]func(*smtp.Config){
		"in the middle":          func(c *smtp.Config) {},
		"from the start":         func(c *smtp.Config) { c.Host, c.Port = host, port },
		"from the start, in tls": func(c *smtp.Config) { c.Host, c.Port, c.Security = host, port, smtp.TLS },
	} {
		t.Run(name, func(t *testing.T) {
			const limit = 200 * time.Millisecond
			out := sender(t, server, func(c *smtp.Config) { c.TimeLimit = limit; change(c) })
			began := time.Now()
			err := sendError(t, out.Send(t.Context(), letter()))
			if err.Permanent || !strings.Contains(err.Reason, "in time") {
				t.Errorf("got %+v", err)
			}
			if took := time.Since(began); took > 10*limit {
				t.Errorf("gave up only after %v", took)
			}
		})
	}
}

func TestCallerCanBreakOff(t *testing.T) {
	host, port := mailtest.Blackhole(t)
	out, err := smtp.New(smtp.Config{Host: host, Port: port, Security: smtp.Plain}, clock.NewManual(now))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sendError(t, out.Send(ctx, letter())); err.Permanent {
		t.Errorf("got %+v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	server := mailtest.Start(t)
	out := sender(t, server, func(c *smtp.Config) { c.Port = 1 })
	if err := sendError(t, out.Send(t.Context(), letter())); err.Permanent || err.Code != 0 {
		t.Errorf("got %+v", err)
	}
}

func TestTricksStayText(t *testing.T) {
	server := mailtest.Start(t)
	out := sender(t, server, nil)
	m := letter()
	m.Subject = "=?UTF-8?B?7JWI64WV?="
	m.ToName = `=?utf-8?q?Bank?= "<x@evil.example>, y`
	if err := out.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := server.Messages()[0]
	if strings.Contains(string(got.Raw), "=?utf-8?q?Bank") || got.Subject != "= ?UTF-8?B?7JWI64WV?=" {
		t.Errorf("an encoded word went through: %q, %q", got.Subject, got.Header.Get("To"))
	}
	if got.To.Address != m.To {
		t.Errorf("the recipient became %v", got.To)
	}
	m.Subject = "a\r\nBcc: victim@example.com"
	if err := sendError(t, out.Send(t.Context(), m)); !err.Permanent || !strings.HasPrefix(err.Reason, "subject: ") {
		t.Errorf("got %+v", err)
	}
	if n := len(server.Messages()); n != 1 {
		t.Errorf("%d messages came", n)
	}
}

func TestReturnPath(t *testing.T) {
	server := mailtest.Start(t)
	out := sender(t, server, func(c *smtp.Config) { c.ReturnPath = "bounces@example.com" })
	if err := out.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	if got := server.Messages()[0]; got.Sender != "bounces@example.com" || got.From.Address != "escrow@example.com" {
		t.Errorf("envelope from %q, from %q", got.Sender, got.From.Address)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := smtp.Config{Host: "mail.example.com", Port: 587, Security: smtp.StartTLS, User: "u", Password: "p"}
	for field, spoil := range map[string]func(*smtp.Config){
		"host":           func(c *smtp.Config) { c.Host = "" },
		"port":           func(c *smtp.Config) { c.Port = 70000 },
		"security":       func(c *smtp.Config) { c.Security = "maybe" },
		"user, password": func(c *smtp.Config) { c.Password = "" },
		"time_limit":     func(c *smtp.Config) { c.TimeLimit = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := smtp.New(c, clock.Real{}); err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("got %v, want an error that begins with %s", err, field)
		}
	}
	open := good
	open.Security = smtp.Plain
	if _, err := smtp.New(open, clock.Real{}); err == nil {
		t.Error("a password may travel unprotected to another machine")
	}
	if _, err := smtp.New(good, clock.Real{}); err != nil {
		t.Error(err)
	}
}
