package check

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// After is what a test knows of a server that it has loaded and broken, of the
// demonstration shop.
type After struct {
	// Acks are the steps that were acknowledged, by payment.
	Acks map[string]map[escrow.EventType]bool
	// Clock is where the shop was told that its clock stands, or zero.
	Clock time.Time
	// Came tells how often a webhook came; nil when nobody listened.
	Came func(id string) int
	// Broken tells which webhooks did not come the same each time; may be nil.
	Broken func() []string
}

// steps are the events that a life has at most once.
var steps = []escrow.EventType{
	escrow.EventAccountIssued, escrow.EventPaid, escrow.EventDeliveryRegistered, escrow.EventConfirmed,
	escrow.EventRejected, escrow.EventCancelled, escrow.EventPartlyRefunded,
}

// Sums are what was looked at.
type Sums struct{ Payments, Events, Webhooks, Payouts int }

// Program opens what a program has left behind, in a data folder and, unless it
// is empty, a PostgreSQL database, and asks for everything that must be true.
func (k After) Program(t testing.TB, data, database string) Sums {
	t.Helper()
	chains(t, data, database)
	c := config.Default()
	c.Data, c.Database, c.Seed = data, config.Secret(database), true
	s, err := serve.New(context.Background(), c, serve.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	return k.Server(t, s)
}

// chains asks that the books agree row by row: every hash with the one before it,
// every balance with its transfers.
func chains(t testing.TB, data, database string) {
	t.Helper()
	ctx := context.Background()
	var s *store.Store
	var err error
	if database == "" {
		s, err = store.OpenSQLite(ctx, filepath.Join(data, "holdfast.db"))
	} else {
		s, err = store.OpenPostgres(ctx, database, store.PostgresOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	violations, err := s.VerifyBooks(ctx)
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Errorf("the books do not agree: %+v", v)
	}
}

// Server asks for everything that must be true after a fault: nothing acknowledged
// is missing, nothing was done twice, the books and the bank agree to the won,
// and every event that the shop is told of has arrived. Nothing may be under way.
func (k After) Server(t testing.TB, on *serve.Server) (s Sums) {
	t.Helper()
	a, merchant := on.App, on.Seeded.MerchantID
	histories := all(t, a, merchant)
	byID := map[string]*History{}
	for i := range histories {
		h := &histories[i]
		byID[h.ID] = h
		h.One(t)
		for _, kind := range steps {
			if n := h.Count(kind); n > 1 {
				t.Errorf("payment %s: %s happened %d times", h.ID, kind, n)
			}
		}
		s.Events += len(h.Events)
		s.Webhooks += k.told(t, a, h)
	}
	k.acknowledged(t, byID)
	if now, err := a.NowOf(context.Background(), merchant); err != nil || now.Before(k.Clock) {
		t.Errorf("the shop's clock stands at %s and was said to be at %s (%v)", now, k.Clock, err)
	}
	Log(t, a, merchant)
	TheBank(t, on.Bank, merchant, histories)
	s.Payouts = Payouts(t, a, on.Bank, merchant, histories)
	Books(t, a)
	s.Payments = len(histories)
	if k.Broken != nil {
		for _, b := range k.Broken() {
			t.Error(b)
		}
	}
	return s
}

func (k After) acknowledged(t testing.TB, byID map[string]*History) {
	t.Helper()
	for id, acts := range k.Acks {
		h := byID[id]
		if h == nil {
			t.Errorf("payment %s was acknowledged and is gone", id)
			continue
		}
		for kind := range acts {
			if n := h.Count(kind); n != 1 {
				t.Errorf("payment %s: %s was acknowledged and happened %d times; it has %s", id, kind, n, h.story())
			}
		}
	}
}

// story is the payment's events in a line.
func (h *History) story() string {
	var out []string
	for _, e := range h.Events {
		out = append(out, fmt.Sprintf("%d %s %s", e.Seq, e.Type, e.At.Format(time.RFC3339Nano)))
	}
	return strings.Join(out, ", ")
}

// all reads every payment of the merchant with its history.
func all(t testing.TB, a *app.App, merchant string) (out []History) {
	t.Helper()
	const page = 500
	for {
		rows, total, err := a.Payments(context.Background(), merchant, app.Filter{}, app.Order{}, len(out), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range rows {
			out = append(out, Of(t, a, merchant, p.ID))
		}
		if int64(len(out)) >= total || len(rows) == 0 {
			return out
		}
	}
}

// told asks that every event that a shop is told of has its webhook, with its
// number, and that every webhook came.
func (k After) told(t testing.TB, a *app.App, h *History) int {
	t.Helper()
	hooks, err := a.Webhooks(context.Background(), h.Merchant, app.WebhookFilter{Payment: h.ID}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	told := map[int64]int{}
	for _, w := range hooks {
		if !strings.HasPrefix(w.Endpoint, merchant.MainV1) {
			continue // a test that has made endpoints looks after them itself
		}
		told[w.Seq]++
		if k.Came != nil && (k.Came(w.ID) == 0 || w.State != app.WebhookDelivered) {
			t.Errorf("webhook %s is %s after %d tries and came %d times", w.ID, w.State, w.Attempts, k.Came(w.ID))
		}
	}
	for _, e := range h.Events {
		if want := notices(h, e); told[e.Seq] != want {
			t.Errorf("payment %s: event %d, %s, has %d webhooks, want %d", h.ID, e.Seq, e.Type, told[e.Seq], want)
		}
	}
	return len(hooks)
}

// notices is how many calls the demonstration shop gets about an event: it has
// opted in to the steps of an escrow.
func notices(h *History, e app.LoggedEvent) (n int) {
	switch e.Type {
	case escrow.EventAccountIssued, escrow.EventPaid:
		n++
	case escrow.EventCancelled, escrow.EventPartlyRefunded, escrow.EventAccountExpired:
		if e.Notify {
			n++
		}
	default:
	}
	switch e.Type {
	case escrow.EventDeliveryRegistered, escrow.EventConfirmed, escrow.EventRejected, escrow.EventRejectionAccepted, escrow.EventCancelled:
		if h.Escrow {
			n++
		}
	default:
	}
	return n
}

// Payouts asks that each payout was carried out once and for its amount, and
// that the bank knows of no order that we do not. It returns how many there are.
func Payouts(t testing.TB, a *app.App, b Bank, merchant string, histories []History) int {
	t.Helper()
	const most = 100_000
	ctx := context.Background()
	payouts, err := a.Payouts(ctx, merchant, 0, most)
	if err != nil {
		t.Fatal(err)
	}
	executed, err := b.Orders(ctx, merchant)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]money.Won{}
	for _, p := range payouts {
		want[p.Key()] = p.Amount
	}
	for _, h := range histories {
		for _, r := range h.Refunds {
			want[r.Key()] = r.Amount
		}
	}
	sent := map[string]bool{}
	for _, x := range executed {
		if amount, known := want[x.Order.Key]; !known || amount != x.Order.Amount {
			t.Errorf("the bank was given the order %s of %d won, of which the books say %d", x.Order.Key, x.Order.Amount, amount)
		}
		sent[x.Order.Key] = x.Result.State == bank.Sent
	}
	for _, p := range payouts {
		if (p.State == settle.PayoutPaid) != sent[p.Key()] {
			t.Errorf("payout %s of %d won is %s; that the bank has sent it is %v", p.ID, p.Amount, p.State, sent[p.Key()])
		}
	}
	return len(payouts)
}
