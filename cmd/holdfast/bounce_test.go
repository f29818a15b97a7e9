package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// report is what a mail server sends back, in short.
func report(action, messageID string) string {
	lines := []string{
		"From: mailer-daemon@mx.example", "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "",
		"--b", "Content-Type: text/plain", "", "sorry",
		"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example", "",
		"Final-Recipient: rfc822; buyer@holdfast.example", "Action: " + action, "Status: 5.1.1", "Diagnostic-Code: smtp; 550 no such user",
		"--b", "Content-Type: message/rfc822", "", "Message-ID: <" + messageID + "@holdfast.example>", "Subject: x", "", "x", "--b--", "",
	}
	return strings.Join(lines, "\r\n")
}

func bounced(t *testing.T, url, text string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.eml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var c commands
	parser, err := kong.New(&c, kong.Writers(&out, &out))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse([]string{"bounce", "--server", url, "--token", servetest.AdminToken, file})
	if err != nil {
		t.Fatal(err)
	}
	err = k.Run()
	return out.String(), err
}

// TestBounceStopsTheClock: a notice that came back was no notice.
func TestBounceStopsTheClock(t *testing.T) {
	s := servetest.Run(t)
	p, err := s.App.OpenWithAccount(t.Context(), s.Merchant, escrow.Open{
		OrderID: "bounce-1", Goods: escrow.Physical, Escrow: true, Amount: 1000, Name: "컵", Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example"},
	}, app.AccountOrder{Bank: "004"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.Deposit(t.Context(), p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "t", Amount: 1000, At: s.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.Do(t.Context(), escrow.Shop, s.Merchant, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "ETC", Number: "1"}}, SentAt: s.Now()}); err != nil {
		t.Fatal(err)
	}
	s.Advance(s.Now().Add(time.Hour))
	if p, _ = s.App.Payment(t.Context(), s.Merchant, p.ID); p.Deadline == nil {
		t.Fatal("the clock does not run after a delivered notice")
	}
	mails, err := s.App.Mails(t.Context(), s.Merchant, p.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, m := range mails {
		if m.Kind == escrow.MailShipped {
			id = m.Merchant + "." + m.ID
		}
	}
	if out, err := bounced(t, s.URL, report("delayed", id)); err != nil || !strings.Contains(out, "delay") {
		t.Errorf("a delay: %q, %v", out, err)
	}
	if p, _ = s.App.Payment(t.Context(), s.Merchant, p.ID); p.Deadline == nil {
		t.Error("a delay stopped the clock")
	}
	if out, err := bounced(t, s.URL, report("failed", id)); err != nil || !strings.Contains(out, "came back") {
		t.Errorf("a bounce: %q, %v", out, err)
	}
	if p, _ = s.App.Payment(t.Context(), s.Merchant, p.ID); p.Deadline != nil || !p.HasTask(escrow.TaskNoticeFailed) {
		t.Errorf("after the bounce: deadline %v, tasks %v", p.Deadline, p.Tasks)
	}
	for _, bad := range []string{"hello", report("failed", "nobody.knows"), fmt.Sprintf("%3000000s", "x")} {
		if _, err := bounced(t, s.URL, bad); err == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
}
