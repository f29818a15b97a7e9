package console_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/web/console"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

// stage is a real server with the console in front of it.
type stage struct {
	*servetest.Server
	t   *testing.T
	url string
	n   int // orders so far
}

func begin(t *testing.T, options ...servetest.Option) *stage {
	t.Helper()
	s := &stage{Server: servetest.Run(t, options...), t: t}
	front := http.NewServeMux()
	pages := console.New(s.App, console.Config{}, slog.New(slog.DiscardHandler))
	front.Handle("/console", pages)
	front.Handle("/console/", pages)
	front.Handle("/assets/", ui.Static())
	server := httptest.NewServer(front)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// browser keeps cookies and follows redirects, as a person's does. It runs no scripts.
type browser struct {
	t      *testing.T
	url    string
	lang   string
	client *http.Client
}

func (s *stage) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{t: s.t, url: s.url, lang: "ko", client: &http.Client{Jar: jar}}
}

// signedIn is the browser of the demonstration merchant's person.
func (s *stage) signedIn() *browser {
	s.t.Helper()
	b := s.browser()
	p := b.send("/console/sign-in", url.Values{"email": {serve.SeedEmail}, "password": {serve.SeedPassword}})
	if p.status != http.StatusOK || p.path != "/console" {
		s.t.Fatalf("sign in: %d at %s\n%s", p.status, p.path, p.text)
	}
	return b
}

// page is an answer as a person sees it.
type page struct {
	t      *testing.T
	status int
	path   string // where redirects have led
	header http.Header
	text   string
}

func (b *browser) do(req *http.Request) page {
	b.t.Helper()
	req.Header.Set("Accept-Language", b.lang)
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{t: b.t, status: res.StatusCode, path: res.Request.URL.RequestURI(), header: res.Header, text: string(raw)}
}

func (b *browser) get(path string) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

// send posts a form as the browser of our own page does.
func (b *browser) send(path string, form url.Values) page {
	b.t.Helper()
	return b.post(path, form.Encode(), map[string]string{"Sec-Fetch-Site": "same-origin"})
}

func (b *browser) post(path, body string, headers map[string]string) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	return b.do(req)
}

// is checks the status and texts that must stand in the page.
func (p page) is(status int, wants ...string) page {
	p.t.Helper()
	if p.status != status {
		p.t.Errorf("%s answers %d, want %d", p.path, p.status, status)
	}
	for _, want := range wants {
		if !strings.Contains(p.text, want) {
			p.t.Errorf("%s does not have %q\n%s", p.path, want, p.body())
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) {
			p.t.Errorf("%s has %q\n%s", p.path, text, p.body())
		}
	}
	return p
}

var tags = regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>`)

// body is the page's text, for a failing test's log.
func (p page) body() string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(p.text, " ")), " ")
}

// form is the version field of a payment's forms with further fields.
func (s *stage) form(id string, fields ...string) url.Values {
	s.t.Helper()
	p := s.payment(id)
	values := url.Values{"version": {itoa(p.Version)}}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return values
}

func (s *stage) payment(id string) escrow.Payment {
	s.t.Helper()
	p, err := s.App.Payment(context.Background(), s.Merchant, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

var payer = escrow.BankAccount{Bank: "088", Number: "110123456789", Holder: "김하늘"}

// opened is a payment with a virtual account that nobody has paid.
func (s *stage) opened(change ...func(*escrow.Open)) escrow.Payment {
	s.t.Helper()
	s.n++
	s.Clock.Advance(time.Second)
	open := escrow.Open{
		OrderID: "order-" + itoa(int64(s.n)), Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: 30_000, Name: "도자기 컵",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example", Phone: "010-1234-5678", Address: "서울특별시 마포구 월드컵로 10", Postcode: "03991"}, Device: "api",
	}
	for _, fn := range change {
		fn(&open)
	}
	p, err := s.App.OpenWithAccount(context.Background(), s.Merchant, open, app.AccountOrder{Bank: "004"})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// held is opened and paid.
func (s *stage) held(change ...func(*escrow.Open)) escrow.Payment {
	s.t.Helper()
	return s.paid(payer, change...)
}

func (s *stage) paid(from escrow.BankAccount, change ...func(*escrow.Open)) escrow.Payment {
	s.t.Helper()
	p := s.opened(change...)
	res, err := s.App.Deposit(context.Background(), p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-" + p.ID, Amount: p.Amount, At: s.Now(), Payer: from})
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Payment
}

// shipped is held and sent without tracking, with the notice delivered.
func (s *stage) shipped(change ...func(*escrow.Open)) escrow.Payment {
	s.t.Helper()
	p := s.held(change...)
	s.do(escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: "123456789012"}}, Trackable: true, SentAt: s.Now(), SendEmail: true})
	s.Drain()
	return s.payment(p.ID)
}

func (s *stage) do(actor escrow.Actor, id string, cmd escrow.Command) escrow.Payment {
	s.t.Helper()
	res, err := s.App.Do(context.Background(), actor, s.Merchant, id, cmd)
	if err != nil {
		s.t.Fatalf("%s: %v", cmd.Verb(), err)
	}
	return res.Payment
}

// other is a second merchant with a person and a paid payment of its own.
func (s *stage) other() (m merchant.Merchant, p escrow.Payment) {
	s.t.Helper()
	ctx := context.Background()
	m, err := s.App.CreateMerchant(ctx, "test", "", "다른상점", merchant.Sandbox, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	mine := s.Merchant
	s.Merchant = m.ID
	defer func() { s.Merchant = mine }()
	return m, s.held()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
