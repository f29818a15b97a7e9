package journey_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/rail/mail/mailtest"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// byMail starts a server that sends its letters through a real mail server.
func byMail(t *testing.T) (*servetest.Server, *mailtest.Server) {
	t.Helper()
	post := mailtest.Start(t)
	s := servetest.Run(t, servetest.Config(func(c *config.Config) {
		c.Mail.Host, c.Mail.Port, c.Mail.Security = post.Host(), post.Port(), "none"
	}))
	return s, post
}

// shipped brings a payment to where its buyer has been written to.
func shipped(t *testing.T, s *servetest.Server, id string) escrow.Payment {
	t.Helper()
	p := issued(t, s, id)
	must(t, s, escrow.Bank, p.ID, deposit(s, firstTx(p), amount))
	number := "6" + p.ID[len(p.ID)-11:]
	must(t, s, escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: number}}, Trackable: true, SentAt: s.Now()})
	s.Drain()
	return must(t, s, escrow.Carrier, p.ID, escrow.ReportTracking{Number: number, Seen: true, DeliveredAt: s.Now()}).Payment
}

// received waits until so many letters have come and returns the newest.
func received(t *testing.T, post *mailtest.Server, n int) mailtest.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	all, err := post.Wait(ctx, n)
	if err != nil {
		t.Fatalf("%d letters came, %d were expected: %v", len(post.Messages()), n, err)
	}
	return all[len(all)-1]
}

// TestBuyerDecidesByTheLinkInTheMail: from the account to the confirmation, the
// buyer sees nothing of Holdfast but mails and the page they lead to.
func TestBuyerDecidesByTheLinkInTheMail(t *testing.T) {
	s, post := byMail(t)
	p := shipped(t, s, "mail-1")
	s.Drain()
	letter := received(t, post, 4) // account, paid, shipped, delivered
	for _, want := range []string{"2026년 3월 12일", "도자기 컵", "10,000원", "한빛상점", "제28조의3"} {
		if !strings.Contains(letter.Text, want) {
			t.Errorf("the letter %q does not say %q:\n%s", letter.Subject, want, letter.Text)
		}
	}
	if letter.To.Address != "buyer@holdfast.example" || !strings.Contains(letter.HTML, s.URL+"/d/") {
		t.Errorf("the letter to %s has no link in its HTML", letter.To.Address)
	}
	page := strings.Fields(letter.Text[strings.Index(letter.Text, s.URL+"/d/"):])[0]
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		if a := s.Call(method, strings.TrimPrefix(page, s.URL), nil, nil); a.Status != http.StatusOK {
			t.Fatalf("%s of the page: %d", method, a.Status)
		}
	}
	if got, _ := s.App.Payment(t.Context(), s.Merchant, p.ID); got.State != escrow.Delivered {
		t.Fatalf("opening the link made it %s", got.State)
	}
	res, err := http.PostForm(page+"/confirm", url.Values{"received": {"yes"}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if got, _ := s.App.Payment(t.Context(), s.Merchant, p.ID); got.State != escrow.Confirmed || got.Decided.Kind != escrow.ByBuyer {
		t.Fatalf("after the form: %s", got.State)
	}
	s.Drain()
	if last := received(t, post, 5); !strings.Contains(last.Subject, "확정") {
		t.Errorf("the last letter is %q", last.Subject)
	}
	s.CheckBooks()
	http.DefaultClient.CloseIdleConnections()
}

// TestRefusedAddressStopsTheClock: a buyer whose mail server knows no such
// person was not told, and silence confirms nothing until somebody has.
func TestRefusedAddressStopsTheClock(t *testing.T) {
	s, post := byMail(t)
	post.Refuse("buyer@holdfast.example", 550, "no such user")
	p := shipped(t, s, "mail-2")
	s.Advance(s.Now().AddDate(0, 0, 20))
	p, _ = s.App.Payment(t.Context(), s.Merchant, p.ID)
	if p.State != escrow.Delivered || p.Deadline != nil || !p.HasTask(escrow.TaskNoticeFailed) {
		t.Fatalf("state %s, deadline %v, tasks %v", p.State, p.Deadline, p.Tasks)
	}
	post.Behave()
	must(t, s, escrow.Shop, p.ID, escrow.RenewLink{})
	s.Drain()
	p, _ = s.App.Payment(t.Context(), s.Merchant, p.ID)
	// Sunday 29 March: 30, 31 March and 1 April count.
	if p.Deadline == nil || p.Deadline.LastDay.String() != "2026-04-01" {
		t.Fatalf("told at last, the deadline is %+v", p.Deadline)
	}
	s.Advance(p.Deadline.At)
	if p, _ = s.App.Payment(t.Context(), s.Merchant, p.ID); p.State != escrow.Confirmed {
		t.Fatalf("after the deadline: %s", p.State)
	}
}
