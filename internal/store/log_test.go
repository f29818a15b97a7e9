package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/ledger"
)

// entry writes a transfer of a merchant.
func entry(s *Store, merchant, ref string) error {
	return s.Write(context.Background(), func(tx *Tx) error {
		return tx.InsertTransfers(merchant, ref, 0, 1, []ledger.Transfer{{Debit: ledger.BankEscrow, Credit: ledger.Held(ref), Amount: 1}}, time.UnixMicro(1))
	})
}

// TestADamagedEndIsOneMerchants: a merchant whose log has lost its end cannot
// write; those whose functions share the group can.
func TestADamagedEndIsOneMerchants(t *testing.T) {
	const each = 5
	for engine, open := range places(t) {
		t.Run(engine, func(t *testing.T) {
			s := open()
			defer func() { _ = s.Close() }()
			for _, merchant := range []string{"bad", "good"} {
				if err := entry(s, merchant, "first"); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Write(t.Context(), func(tx *Tx) error {
				return tx.put(`UPDATE event_log SET last_transfer_hash = NULL WHERE merchant = 'bad'`)
			}); err != nil {
				t.Fatal(err)
			}
			writers := s.Stats().Writers
			var done sync.WaitGroup
			gate := make(chan struct{})
			for range writers { // one after the other, so that none waits behind another
				begun := make(chan struct{})
				done.Go(func() {
					var once sync.Once
					_ = s.Write(context.Background(), func(*Tx) error { // nothing is written
						once.Do(func() { close(begun) })
						<-gate
						return nil
					})
				})
				<-begun
			}
			for i := range each {
				for _, merchant := range []string{"bad", "good"} {
					done.Go(func() {
						if err := entry(s, merchant, fmt.Sprintf("ref%d", i)); (err == nil) != (merchant == "good") {
							t.Errorf("%s: %v", merchant, err)
						}
					})
				}
			}
			for end := time.After(time.Minute); s.Stats().Waiting < 2*each; {
				select {
				case <-end:
					t.Fatalf("only %d functions wait", s.Stats().Waiting)
				case <-time.After(time.Millisecond):
				}
			}
			close(gate)
			done.Wait()
		})
	}
}
