package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// sandboxAt runs one command line against a server and returns what it printed
// and its error, as a shell would see both.
func sandboxAt(t *testing.T, server string, args ...string) (string, error) {
	t.Helper()
	t.Setenv("HOLDFAST_SERVER", server)
	t.Setenv("LC_ALL", "C")
	var cli struct {
		Sandbox sandboxCmd `cmd:""`
		Clock   clockCmd   `cmd:""`
	}
	var out, errOut bytes.Buffer
	parser, err := kong.New(&cli, kong.Name("holdfast"), kong.Writers(&out, &errOut), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(args)
	if err != nil {
		return out.String(), misused("%v", err) // as run does
	}
	err = k.Run()
	return out.String(), err
}

var impUID = regexp.MustCompile(`imp_[0-9]+`)

// TestSandboxCommands plays a purchase from the account to the payout.
func TestSandboxCommands(t *testing.T) {
	s := servetest.Run(t)
	run := func(wants []string, args ...string) string {
		t.Helper()
		out, err := sandboxAt(t, s.URL, args...)
		if err != nil {
			t.Fatalf("%s: %v", strings.Join(args, " "), err)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", strings.Join(args, " "), want, out)
			}
		}
		return out
	}
	out := run([]string{"status   ready", "account  신한은행"}, "sandbox", "pay", "50000", "--escrow", "--bank", "088", "--order", "o-1", "--param", "language=en")
	id := impUID.FindString(out)
	run([]string{"49000 won, refused", "awaiting_deposit"}, "sandbox", "deposit", id, "--kind", "under")
	run([]string{"50000 won, held", "50000 held"}, "sandbox", "deposit", id)
	run([]string{"awaiting_deposit"}, "sandbox", "reverse", id)
	run([]string{"50000 held"}, "sandbox", "deposit", id, "--payer", "Kim")
	s.MustV1(http.MethodPost, "/escrows/logis/"+id, map[string]any{"logis": map[string]any{"company": "CJGLS", "invoice": "123456789012", "sent_at": s.Now().Unix()}})
	s.Drain()
	run([]string{"CJGLS 123456789012: deliver_now", "delivered", "last day"}, "sandbox", "deliver", id)
	s.Drain()
	run([]string{"rejected", "decision       reject"}, "sandbox", "decide", id, "reject", "--reason", "broken")
	run([]string{"delivered"}, "sandbox", "decide", id, "withdraw_rejection")
	s.Drain()
	mails := run([]string{"SUBJECT", "Have you received your order?", "sent"}, "sandbox", "mails", "--payment", id)
	mail := strings.Fields(strings.Split(mails, "\n")[1])[0]
	run([]string{"subject  ", "to       buyer@holdfast.example"}, "sandbox", "mails", "--show", mail)
	run([]string{"now       2026-03-09T09:00:00+09:00"}, "clock")
	run([]string{"Confirmed", "auto_confirmed", "2026-03-13T00:00:00+09:00\nnext due"}, "clock", "--business-days", "3")
	run([]string{"payout", "paid"}, "sandbox", "advance", "7d")
	run([]string{"now       2026-03-21T00:00:00+09:00"}, "clock", "--advance", "24h")
	run([]string{"now       2026-03-30T09:00:00+09:00"}, "sandbox", "advance", "--to", "2026-03-30T00:00:00Z")
	run([]string{"AT THE BANK", "payout  49670"}, "sandbox", "bank")
	run([]string{"refuse  for payout  after 0  sticky true"}, "sandbox", "bank", "misbehave", "refuse", "--for", "payout", "--sticky")
	run([]string{"refuse"}, "sandbox", "bank", "behaviours")
	run([]string{"the bank behaves"}, "sandbox", "bank", "clear")
	run([]string{"changed 0"}, "sandbox", "bank", "release")
	run([]string{"silence", "mail_bounced", "Seollal"}, "sandbox", "scenario")
	run([]string{" 1  2026-03-30", "The buyer confirms", "the books balance: true"}, "sandbox", "scenario", "confirm")
	run([]string{"Confirmed", "decision"}, "sandbox", "show", id)

	var shown struct{ State string }
	if err := json.Unmarshal([]byte(run(nil, "sandbox", "show", id, "--json")), &shown); err != nil || shown.State != "confirmed" {
		t.Errorf("%+v, %v", shown, err)
	}
	var played struct{ Passed bool }
	if err := json.Unmarshal([]byte(run(nil, "sandbox", "scenario", "expired", "--json")), &played); err != nil || !played.Passed {
		t.Errorf("%+v, %v", played, err)
	}
	s.CheckBooks()
}

func TestSandboxExitCodes(t *testing.T) {
	s := servetest.Run(t)
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, k := range []struct {
		server string
		args   []string
		code   int
		say    string
	}{
		{s.URL, []string{"sandbox", "pay", "0"}, exitFailed, "amount: "},
		{s.URL, []string{"sandbox", "show", "imp_000000000000"}, exitFailed, "no such payment"},
		{s.URL, []string{"sandbox", "advance", "-1d"}, exitUsage, ""},
		{s.URL, []string{"sandbox", "advance", "soon"}, exitFailed, "by: must be a time span"},
		{s.URL, []string{"clock", "--to", "2020-01-01T00:00:00Z"}, exitFailed, "only forward"},
		{s.URL, []string{"clock", "--advance", "1h", "--business-days", "1"}, exitUsage, "exactly one"},
		{s.URL, []string{"sandbox", "advance"}, exitUsage, "exactly one"},
		{s.URL, []string{"sandbox", "pay", "100", "--method", "phone"}, exitUsage, "--method"},
		{s.URL, []string{"sandbox", "bank", "return"}, exitUsage, ""},
		{s.URL, []string{"sandbox", "scenario", "miracle"}, exitFailed, "name: must be one of"},
		{s.URL, []string{"clock", "--key", "k", "--secret", "wrong"}, exitFailed, "does not know this key"},
		{s.URL, []string{"clock", "--key", "k"}, exitUsage, "both or neither"},
		{"ftp://nowhere", []string{"clock"}, exitUsage, "--server"},
		{other.URL, []string{"clock"}, exitUnreachable, "is it a Holdfast server?"},
		{gone.URL, []string{"clock"}, exitUnreachable, "cannot be reached"},
	} {
		_, err := sandboxAt(t, k.server, k.args...)
		if err == nil {
			t.Errorf("%v succeeds", k.args)
			continue
		}
		var coded interface{ ExitCode() int }
		if !errors.As(err, &coded) || coded.ExitCode() != k.code || !strings.Contains(err.Error(), k.say) {
			t.Errorf("%v: %q, want exit code %d and %q", k.args, err, k.code, k.say)
		}
	}
}
