package app_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// logged keeps what a server logs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a line.
func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) count(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}

// TestTheAlarmIsOfWhatIsRecorded: a decision on a damaged row that comes to nothing
// raises no alarm, and one that is kept raises one.
func TestTheAlarmIsOfWhatIsRecorded(t *testing.T) {
	log := &logged{}
	s := servetest.Run(t, servetest.Log(log))
	s.Server.Loops.Close()
	p := pay(t, s, issued(t, s, "order-1"), "tx-1")
	s.Damage(`UPDATE payment SET order_id = 'another' WHERE id = $1`, p.ID)
	for _, c := range []struct {
		detail string
		ok     bool
		alarms int
	}{{"no database keeps\x00this", false, 0}, {"품절", true, 1}} {
		_, err := s.App.DoFor(t.Context(), app.Act{Who: "shop", As: escrow.Shop, Detail: c.detail}, s.Merchant, p.ID, escrow.Cancel{Reason: "품절"})
		stopped, failed := s.App.PayoutsStopped(t.Context())
		if (err == nil) != c.ok || failed != nil || stopped != c.ok {
			t.Fatalf("the decision: %v; payouts are stopped: %t, %v", err, stopped, failed)
		}
		if got := log.count("ALARM"); got != c.alarms {
			t.Errorf("%d alarms, want %d", got, c.alarms)
		}
	}
}
