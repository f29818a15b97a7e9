package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// merchantAt runs one command line against a server and returns what it printed
// and its error, as a shell would see both.
func merchantAt(t *testing.T, server string, args ...string) (stdout string, err error) {
	t.Helper()
	t.Setenv("HOLDFAST_SERVER", server)
	t.Setenv("HOLDFAST_ADMIN_TOKEN", servetest.AdminToken)
	var cli struct {
		Merchant merchantCmd `cmd:""`
	}
	var out, errOut bytes.Buffer
	parser, err := kong.New(&cli, kong.Name("holdfast"), kong.Writers(&out, &errOut), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(append([]string{"merchant"}, args...))
	if err == nil {
		err = k.Run()
	}
	return out.String(), err
}

func TestMerchantCommands(t *testing.T) {
	s := servetest.Run(t)
	run := func(args ...string) string {
		t.Helper()
		out, err := merchantAt(t, s.URL, args...)
		if err != nil {
			t.Fatalf("merchant %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	has := func(out string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not in\n%s", want, out)
			}
		}
	}
	has(run("list"), s.Merchant, s.Code, "virtual_account,bank_transfer")
	has(run("show", s.Code), "123-45-67890", "fee 2%, at least 200 won", "escrow in force since 2026-03-09T00:00:00Z (terms", "with the method")
	has(run("create", "새상점", "--code", "impnew", "phone=02-1", `methods=["card"]`, "fees.card.rate=2500", "webhook.url=https://shop.example/"),
		"impnew", "02-1", "fee 2.5%", "https://shop.example/", "not offered; fee 300 won; escrow none")
	has(run("set", "impnew", "name=2호점", "policy.strictNotice=false", `bankAccount={"bank":"004","number":"12345678901234","holder":"가"}`, "cycle.fromConfirm=5"),
		"2호점", "004 12345678901234 가", "5 after the confirmation", "policy.strictNotice", "policy.remindersDays")
	has(strings.Join(strings.Fields(run("show", "impnew")), " "), "policy.strictNotice false", "policy.manualApproval false", `policy.cancelAfterShip after_reject`)
	has(run("contract", "impnew"), "card             yes      none")
	has(run("contract", "impnew", "--apply", "card"), "card             yes      in force since", "applied for")

	var pair struct{ Key, Secret string }
	if err := json.Unmarshal([]byte(run("keys", "create", "impnew", "--json")), &pair); err != nil || len(pair.Secret) < 32 {
		t.Errorf("the key pair is %+v, %v", pair, err)
	}
	has(run("keys", "list", "impnew"), pair.Key)
	has(run("keys", "revoke", "impnew", pair.Key), "revoked "+pair.Key)
	has(run("keys", "list", "impnew"), "2026-03-09T00:00:00Z  2026-03-09T00:00:00Z")
	has(run("staff", "impnew", "two@holdfast.example"), "email", "password")
	var shown struct{ Policy struct{ StrictNotice bool } }
	if err := json.Unmarshal([]byte(run("show", "impnew", "--json")), &shown); err != nil || shown.Policy.StrictNotice {
		t.Errorf("shown %+v, %v", shown, err)
	}
}

func TestMerchantExitCodes(t *testing.T) {
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
		{s.URL, []string{"set", s.Code, "name"}, exitUsage, "no setting"},
		{s.URL, []string{"set", s.Code, "name=a", "name=b"}, exitUsage, "twice"},
		{s.URL, []string{"set", s.Code, "webhook=1", "webhook.url=x"}, exitUsage, "whole and in part"},
		{s.URL, []string{"set", s.Code, "nane=a"}, exitUsage, "nane: is not a field"},
		{s.URL, []string{"set", s.Code, "policy.autoConfirmTrackedDays=1", "zzz=1"}, exitUsage, "zzz"},
		{s.URL, []string{"show", "impnone"}, exitFailed, "no such"},
		{s.URL, []string{"keys", "revoke", s.Code, "../../x"}, exitFailed, "no such"},
		{s.URL, []string{"list", "--token", "wrong"}, exitFailed, "token"},
		{other.URL, []string{"list"}, exitUnreachable, "404"},
		{gone.URL, []string{"list"}, exitUnreachable, "cannot be reached"},
	} {
		_, err := merchantAt(t, k.server, k.args...)
		var coded interface{ ExitCode() int }
		if !errors.As(err, &coded) || coded.ExitCode() != k.code || !strings.Contains(err.Error(), k.say) {
			t.Errorf("%v: %v, want exit code %d and %q", k.args, err, k.code, k.say)
		}
	}
	for _, args := range [][]string{{"list", "--server", "ftp://x"}, {"list", "--token="}, {"show"}, {"create", "x", "--mode", "play"}} {
		if _, err := merchantAt(t, s.URL, args...); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
