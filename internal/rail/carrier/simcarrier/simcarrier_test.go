package simcarrier_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/rail/bank/simbank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier/simcarrier"
)

const (
	shop   = "shop"
	number = "6812-3456-7890"
)

var start = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

func open() *simcarrier.Carrier { return simcarrier.New(simbank.NewMemory()) }

func ask(t *testing.T, c *simcarrier.Carrier, after time.Duration) carrier.Report {
	t.Helper()
	r, err := c.Track(t.Context(), shop, "CJ", number, start.Add(after))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func direct(t *testing.T, c *simcarrier.Carrier, s carrier.Script) {
	t.Helper()
	if err := c.Direct(t.Context(), shop, number, s); err != nil {
		t.Fatal(err)
	}
}

func TestFates(t *testing.T) {
	const hour = time.Hour
	arrival := start.Add(30 * hour)
	type look struct {
		after     time.Duration
		seen      bool
		delivered time.Time
		next      time.Time
	}
	var never time.Time
	for _, c := range []struct {
		name   string
		script *carrier.Script
		looks  []look
	}{
		{"nobody directs it", nil, []look{
			{0, false, never, start.Add(simcarrier.SeenAfter)},
			{3*hour - time.Microsecond, false, never, start.Add(3 * hour)},
			{3 * hour, true, never, start.Add(9 * hour)},
			{25 * hour, true, never, start.Add(26 * hour)},
			{26 * hour, true, start.Add(simcarrier.DeliveredAfter), never},
			{300 * hour, true, start.Add(26 * hour), never},
		}},
		{"deliver", &carrier.Script{Fate: carrier.DeliverAt, At: arrival}, []look{
			{0, true, never, arrival}, {29 * hour, true, never, arrival}, {30 * hour, true, arrival, never},
		}},
		{"deliver at once", &carrier.Script{Fate: carrier.DeliverAt, At: start}, []look{{0, true, start, never}}},
		{"never seen", &carrier.Script{Fate: carrier.NeverSeen}, []look{{0, false, never, never}, {900 * hour, false, never, never}}},
		{"lost", &carrier.Script{Fate: carrier.Lost}, []look{{0, true, never, start.Add(9 * hour)}, {900 * hour, true, never, never}}},
		{"left in a shop", &carrier.Script{Fate: carrier.LeftInShop, At: arrival}, []look{{0, true, never, arrival}, {900 * hour, true, never, never}}},
		{"sent back", &carrier.Script{Fate: carrier.SentBack, At: arrival}, []look{{0, true, never, arrival}, {900 * hour, true, never, never}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim := open()
			if c.script != nil {
				direct(t, sim, *c.script)
			}
			for _, l := range c.looks {
				r := ask(t, sim, l.after)
				if r.Seen != l.seen || !r.DeliveredAt.Equal(l.delivered) || !r.NextAt.Equal(l.next) {
					t.Errorf("after %v: seen %v, delivered %v, next %v; want %v, %v, %v", l.after, r.Seen, r.DeliveredAt, r.NextAt, l.seen, l.delivered, l.next)
				}
				for _, s := range r.Steps {
					if s.At.After(start.Add(l.after)) {
						t.Errorf("after %v the carrier tells of the future: %v", l.after, s)
					}
				}
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	sim := open()
	direct(t, sim, carrier.Script{Fate: carrier.Down})
	if _, err := sim.Track(t.Context(), shop, "CJ", number, start); !errors.Is(err, simcarrier.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	direct(t, sim, carrier.Script{Fate: carrier.Usual})
	if r := ask(t, sim, 0); r.Seen {
		t.Errorf("a question that was not answered counted: %+v", r)
	}
}

func TestScriptsCanChange(t *testing.T) {
	sim := open()
	ask(t, sim, 0)
	direct(t, sim, carrier.Script{Fate: carrier.Lost})
	if r := ask(t, sim, 40*time.Hour); !r.DeliveredAt.IsZero() {
		t.Errorf("the lost parcel was delivered: %+v", r)
	}
	direct(t, sim, carrier.Script{Fate: carrier.DeliverAt, At: start.Add(41 * time.Hour)})
	if r := ask(t, sim, 41*time.Hour); !r.DeliveredAt.Equal(start.Add(41 * time.Hour)) {
		t.Errorf("the found parcel was not delivered: %+v", r)
	}
}

func TestParcelsBelongToMerchants(t *testing.T) {
	sim := open()
	direct(t, sim, carrier.Script{Fate: carrier.DeliverAt, At: start})
	r, err := sim.Track(t.Context(), "other", "CJ", number, start)
	if err != nil || r.Seen {
		t.Errorf("another merchant's parcel: %+v, %v", r, err)
	}
}

func TestNumbersAreComparedWithoutHyphens(t *testing.T) {
	sim := open()
	direct(t, sim, carrier.Script{Fate: carrier.DeliverAt, At: start})
	if r, err := sim.Track(t.Context(), shop, "CJ", "681234567890", start); err != nil || r.DeliveredAt.IsZero() {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestUntrackableCarriersShowNothing(t *testing.T) {
	sim := open()
	direct(t, sim, carrier.Script{Fate: carrier.DeliverAt, At: start})
	for _, code := range []string{"ETC", "SELF", "HANARO", "?"} {
		if r, err := sim.Track(t.Context(), shop, code, number, start.Add(100*time.Hour)); err != nil || r.Seen || len(r.Steps) != 0 {
			t.Errorf("%s: %+v, %v", code, r, err)
		}
	}
}

func TestRestartForgetsNothing(t *testing.T) {
	records := simbank.NewMemory()
	ask(t, simcarrier.New(records), 0)
	if r := ask(t, simcarrier.New(records), 26*time.Hour); r.DeliveredAt.IsZero() {
		t.Errorf("after a restart the parcel began anew: %+v", r)
	}
}

func TestParcels(t *testing.T) {
	sim := open()
	direct(t, sim, carrier.Script{Fate: carrier.Lost})
	if _, err := sim.Track(t.Context(), shop, "POST", "6123456789012", start); err != nil {
		t.Fatal(err)
	}
	got, err := sim.Parcels(t.Context(), shop)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := []carrier.Parcel{
		{Number: "6123456789012", Carrier: "POST", AskedAt: start, Script: carrier.Script{Fate: carrier.Usual}},
		{Number: "681234567890", Script: carrier.Script{Fate: carrier.Lost}},
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("parcel %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestScriptsAreChecked(t *testing.T) {
	sim := open()
	for _, c := range []struct {
		field, number string
		script        carrier.Script
	}{
		{"fate", number, carrier.Script{Fate: "eaten"}},
		{"at", number, carrier.Script{Fate: carrier.DeliverAt}},
		{"at", number, carrier.Script{Fate: carrier.Lost, At: start}},
		{"number", " - ", carrier.Script{Fate: carrier.Lost}},
	} {
		err := sim.Direct(t.Context(), shop, c.number, c.script)
		var invalid *carrier.Invalid
		if !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%+v: got %v, want an Invalid that names %s", c.script, err, c.field)
		}
	}
	if got, err := sim.Parcels(t.Context(), shop); err != nil || len(got) != 0 {
		t.Errorf("a refused script left %+v, %v", got, err)
	}
}
