package escrow_test

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// BenchmarkDecide is the cost of one decision: what the rules add to a request.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name  string
		from  func(*world) *world
		actor escrow.Actor
		cmd   func(*world) escrow.Command
	}{
		{"deposit", (*world).awaiting, escrow.Bank, func(w *world) escrow.Command { return w.deposit("tx-1", amount) }},
		{"delivery", (*world).held, escrow.Shop, func(w *world) escrow.Command { return w.registration(inTrack) }},
		{"arrival", (*world).shippedInTrack, escrow.Carrier, func(w *world) escrow.Command { return w.arrives() }},
		{"confirm", (*world).delivered, escrow.Buyer, of(escrow.Confirm{Kind: escrow.ByBuyer})},
		{"tick with nothing due", (*world).delivered, escrow.System, of(escrow.Tick{})},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := c.from(newWorld(b))
			cmd := c.cmd(w)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.ask(c.actor, cmd); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func (w *world) shippedInTrack() *world { return w.shipped(inTrack) }
