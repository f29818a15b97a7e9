package carrier_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
)

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

func step(hours int, s carrier.Status) carrier.Step {
	return carrier.Step{At: now.Add(time.Duration(hours) * time.Hour), Status: s}
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name      string
		steps     []carrier.Step
		seen      bool
		delivered time.Time
	}{
		{"silence", nil, false, time.Time{}},
		{"unknown only", []carrier.Step{step(-1, carrier.StatusUnknown), step(-1, "새 단어")}, false, time.Time{}},
		{"a label", []carrier.Step{step(-1, carrier.Informed)}, true, time.Time{}},
		{"delivered", []carrier.Step{step(-9, carrier.AtPickup), step(-2, carrier.Delivered)}, true, now.Add(-2 * time.Hour)},
		{"in any order", []carrier.Step{step(-2, carrier.Delivered), step(-9, carrier.AtPickup)}, true, now.Add(-2 * time.Hour)},
		{"delivered before pick-up", []carrier.Step{step(-9, carrier.Delivered), step(-2, carrier.AtPickup)}, true, time.Time{}},
		{"an exception after", []carrier.Step{step(-9, carrier.Delivered), step(-2, carrier.DeliveryAbnormal)}, true, time.Time{}},
		{"waiting in a shop", []carrier.Step{step(-2, carrier.AwaitingPickup)}, true, time.Time{}},
		{"attempt failed", []carrier.Step{step(-2, carrier.AttemptFailed)}, true, time.Time{}},
		{"delivered tomorrow", []carrier.Step{step(-9, carrier.AtPickup), step(24, carrier.Delivered)}, true, time.Time{}},
		{"a clock that runs ahead", []carrier.Step{{At: now.Add(5 * time.Minute), Status: carrier.Delivered}}, true, now},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.steps)
			r := carrier.Read(c.steps, now)
			if r.Seen != c.seen || !r.DeliveredAt.Equal(c.delivered) {
				t.Errorf("seen %v, delivered %v; want %v, %v", r.Seen, r.DeliveredAt, c.seen, c.delivered)
			}
			if !slices.Equal(before, c.steps) {
				t.Error("the caller's steps were changed")
			}
		})
	}
}

func TestReadIsBounded(t *testing.T) {
	many := make([]carrier.Step, 0, 1000)
	for i := range 1000 {
		many = append(many, step(-i, carrier.InTransit))
	}
	r := carrier.Read(many, now)
	if len(r.Steps) != carrier.MaxSteps || !r.Steps[len(r.Steps)-1].At.Equal(now) {
		t.Errorf("%d steps, the last at %v", len(r.Steps), r.Steps[len(r.Steps)-1].At)
	}
}
