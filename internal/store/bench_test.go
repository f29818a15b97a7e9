package store

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

var benchNow = time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)

// benchPayment is an escrow as it stands when most of its life is over.
func benchPayment() escrow.Payment {
	account := escrow.BankAccount{Bank: "004", Number: "90412345678901", Holder: "한빛상점"}
	buyer := escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example", Phone: "010-1234-5678"}
	return escrow.Payment{
		Merchant: "mrc_1", ID: "imp_000000000001", OrderID: "order-1", Version: 6, Seq: 6, State: escrow.Delivered, Escrow: true,
		Method: escrow.VirtualAccount, Amount: 30_000, Goods: escrow.Physical, Grounds: escrow.AskedByShop, Name: "도자기 컵", Buyer: buyer,
		OpenedAt: benchNow, PaidAt: benchNow, UpdatedAt: benchNow, WakeAt: benchNow.AddDate(0, 0, 3), Device: "api", Provider: "holdfast",
		Account:  &escrow.Account{BankAccount: account, IssuedAt: benchNow, Due: benchNow.AddDate(0, 0, 3)},
		Deposits: []escrow.Deposit{{BankTx: "00420260309-90412345678901-001", Amount: 30_000, At: benchNow, Outcome: escrow.DepositHeld, Payer: account}},
		Payer:    account, LinkVersion: 1,
		Delivery: &escrow.Delivery{
			Parcels: []escrow.Parcel{{Carrier: "CJ", Number: "123456789012", DeliveredAt: benchNow}}, Trackable: true, Recipient: buyer, SentAt: benchNow,
			RegisteredAt: benchNow, ChangedAt: benchNow, DeliveredAt: benchNow, KnownAt: benchNow, SendEmail: true,
		},
		Deadline: &escrow.Deadline{At: benchNow.AddDate(0, 0, 3), LastDay: bizday.DateOf(benchNow).AddDays(3), From: bizday.DateOf(benchNow), Days: 3},
	}
}

func BenchmarkEncodePayment(b *testing.B) {
	p := benchPayment()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encodePayment(&p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePayment(b *testing.B) {
	from := benchPayment()
	doc, err := encodePayment(&from)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var p escrow.Payment
		if err := decodePayment(&p, doc); err != nil {
			b.Fatal(err)
		}
	}
}

// engines open an empty store of each kind.
var engines = map[string]func(testing.TB) (*Store, error){
	"sqlite": func(t testing.TB) (*Store, error) {
		return OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "holdfast.db"))
	},
	"postgres": func(t testing.TB) (*Store, error) {
		return OpenPostgres(context.Background(), pgtest.Database(t), PostgresOptions{})
	},
}

// BenchmarkApply stores decisions of new payments: alone, each with a commit of
// its own, and many at once, which share commits.
func BenchmarkApply(b *testing.B) {
	for engine, open := range engines {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d clients", engine, clients), func(b *testing.B) {
				s, err := open(b)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				var next atomic.Int64
				b.SetParallelism(max(1, clients/runtime.GOMAXPROCS(0)))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						n := next.Add(1)
						if err := s.Write(context.Background(), func(tx *Tx) error { return applyNew(tx, n) }, OnPayment("mrc_1", benchID(n))); err != nil {
							b.Error(err)
							return
						}
					}
				})
				stats := s.Stats()
				b.ReportMetric(float64(stats.Functions)/float64(stats.Commits), "functions/commit")
			})
		}
	}
}

func benchID(n int64) string { return fmt.Sprintf("imp_%012d", n) }

func applyNew(tx *Tx, n int64) error {
	p := benchPayment()
	p.ID, p.OrderID = benchID(n), fmt.Sprintf("order-%d", n)
	return tx.Apply(0, &escrow.Decision{
		Next:      p,
		Events:    []escrow.Event{{Type: escrow.EventPaid, Seq: 6, At: benchNow, Actor: escrow.Bank, Amount: p.Amount}},
		Transfers: []ledger.Transfer{{Debit: ledger.BankEscrow, Credit: ledger.Held(p.ID), Amount: p.Amount}},
		Mails:     []escrow.Mail{escrow.MailPaid},
	}, Owed{})
}

// BenchmarkClaim takes pages of 100 letters of as many that are due, of one
// merchant and of fifty; on PostgreSQL also merchant by merchant, as where these
// lie on several servers.
func BenchmarkClaim(b *testing.B) {
	for engine, open := range engines {
		for _, merchants := range []int{1, 50} {
			for _, apart := range []bool{false, true} {
				if apart && engine == "sqlite" {
					continue
				}
				b.Run(fmt.Sprintf("%s/%d merchants/apart %v", engine, merchants, apart), func(b *testing.B) {
					s, err := open(b)
					if err != nil {
						b.Fatal(err)
					}
					defer func() { _ = s.Close() }()
					if apart {
						Spread(s)
					}
					benchClaims(b, s, merchants)
				})
			}
		}
	}
}

func benchClaims(b *testing.B, s *Store, merchants int) {
	const letters, page = 1_000, 100
	if err := s.Write(context.Background(), func(tx *Tx) error {
		for n := range letters {
			p := benchPayment()
			p.Merchant, p.ID = fmt.Sprintf("mrc_%d", n%merchants), benchID(int64(n))
			if err := tx.Apply(0, &escrow.Decision{Next: p, Mails: []escrow.Mail{escrow.MailPaid}}, Owed{}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	now := benchNow
	for i := 0; b.Loop(); i++ {
		if i%(letters/page) == 0 {
			now = now.Add(time.Hour) // all leases have run out
		}
		if err := s.Write(context.Background(), func(tx *Tx) error {
			mails, err := tx.ClaimMails("", now, time.Minute, page)
			if err == nil && len(mails) != page {
				err = fmt.Errorf("%d letters were taken", len(mails))
			}
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
