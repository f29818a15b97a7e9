package work_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servetest.OnBoth(m)) }

const amount = money.Won(10_000)

var (
	buyer   = escrow.BankAccount{Bank: "004", Number: "11012345678901", Holder: "김하늘"}
	another = escrow.BankAccount{Bank: "088", Number: "22012345678901", Holder: "김하늘"}
)

// world is a server whose loops are in the test's hands: nothing happens by
// itself, and the outside can be replaced.
type world struct {
	*servetest.Server
	loops  *work.Loops
	orders int
}

// replaced are the parties outside that a test plays itself; nil keeps the simulated ones.
type replaced struct {
	post    work.Post
	tracker carrier.Tracker
	bank    bank.Bank
	notices work.Notices
}

func newWorld(t *testing.T, options ...servetest.Option) *world {
	t.Helper()
	s := servetest.Run(t, options...)
	s.Server.Loops.Close()
	return &world{Server: s, loops: s.Server.Loops}
}

// with builds loops in which some of the outside is played by the test.
func (w *world) with(r replaced) *world {
	c := w.Server.Loops.Config
	c.Hooks = webhook.New(w.Clock)
	c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	if r.post != nil {
		c.Post = r.post
	}
	if r.tracker != nil {
		c.Tracker = r.tracker
	}
	if r.bank != nil {
		c.Bank = r.bank
	}
	if r.notices != nil {
		c.Notices = r.notices
	}
	w.loops = work.New(c)
	w.T.Cleanup(w.loops.Close)
	return w
}

func (w *world) do(actor escrow.Actor, id string, cmd escrow.Command) escrow.Payment {
	w.T.Helper()
	res, err := w.App.Do(w.T.Context(), actor, w.Merchant, id, cmd)
	if err != nil {
		w.T.Fatalf("%s by %s: %v", cmd.Verb(), actor, err)
	}
	return res.Payment
}

func (w *world) drain() {
	w.T.Helper()
	if err := w.loops.Drain(w.T.Context(), w.Merchant); err != nil {
		w.T.Fatal(err)
	}
}

// pass moves the merchant's clock and does what falls due on the way.
func (w *world) pass(d time.Duration) { w.T.Helper(); w.until(w.Now().Add(d)) }

func (w *world) until(at time.Time) {
	w.T.Helper()
	if err := w.loops.Advance(w.T.Context(), w.Merchant, at); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) payment(id string) escrow.Payment {
	w.T.Helper()
	p, err := w.App.Payment(w.T.Context(), w.Merchant, id)
	if err != nil {
		w.T.Fatal(err)
	}
	return p
}

// issued opens a payment by a virtual account.
func (w *world) issued(change ...func(*escrow.Open)) escrow.Payment {
	w.T.Helper()
	w.orders++
	open := escrow.Open{
		OrderID: "order-" + string(rune('a'+w.orders)), Goods: escrow.Physical, Escrow: true, Amount: amount, Name: "도자기 컵",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example"}, Device: "api",
	}
	for _, c := range change {
		c(&open)
	}
	p, err := w.App.OpenWithAccount(w.T.Context(), w.Merchant, open, app.AccountOrder{Bank: "004"})
	if err != nil {
		w.T.Fatal(err)
	}
	return p
}

func (w *world) held(change ...func(*escrow.Open)) escrow.Payment {
	w.T.Helper()
	p := w.issued(change...)
	return w.do(escrow.Bank, p.ID, escrow.NotifyDeposit{BankTx: "tx-" + p.ID, Amount: amount, At: w.Now(), Payer: buyer})
}

// number is the tracking number of a payment's parcel.
func number(p escrow.Payment) string { return "6" + p.ID[len(p.ID)-11:] }

func (w *world) shipped() escrow.Payment {
	w.T.Helper()
	p := w.held()
	return w.do(escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: number(p)}}, Trackable: true, SentAt: w.Now()})
}

func (w *world) delivered() escrow.Payment {
	w.T.Helper()
	p := w.shipped()
	return w.do(escrow.Carrier, p.ID, escrow.ReportTracking{Number: number(p), Seen: true, DeliveredAt: w.Now()})
}

// shopServer is a shop's webhook address that answers as it is told.
type shopServer struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int  // one after the other; the last stays; none is 200
	after   string // Retry-After of every answer
	got     []received
	since   int // calls before the answers were set
}

type received struct {
	id, contentType, body string
	standardID, signature string
	timestamp             string
}

// answer replaces the answers.
func (s *shopServer) answer(answers ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers, s.since = answers, len(s.got)
}

func newShopServer(t *testing.T, answers ...int) *shopServer {
	s := &shopServer{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP takes a call.
func (s *shopServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a broken call is seen by its body
	s.mu.Lock()
	defer s.mu.Unlock()
	status := http.StatusOK
	if n := len(s.answers); n > 0 {
		status = s.answers[min(len(s.got)-s.since, n-1)]
	}
	s.got = append(s.got, received{
		r.Header.Get("Holdfast-Webhook-Id"), r.Header.Get("Content-Type"), string(body), r.Header.Get("webhook-id"), r.Header.Get("webhook-signature"), r.Header.Get("webhook-timestamp"),
	})
	if s.after != "" {
		w.Header().Set("Retry-After", s.after)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte("answer of the shop"))
}

func (s *shopServer) calls() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}
