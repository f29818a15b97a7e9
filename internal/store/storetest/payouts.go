package storetest

import (
	"errors"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// sold is a confirmed payment of 10,000 won whose sale is due on Monday.
func sold(id string) escrow.Decision {
	p := young(id)
	p.State, p.Escrow, p.Seq = escrow.Confirmed, true, 1
	shop := ledger.Shop(Merchant)
	return escrow.Decision{
		Next:   p,
		Events: []escrow.Event{{Seq: 1, Type: escrow.EventConfirmed, At: Monday, Actor: escrow.Buyer}},
		Transfers: []ledger.Transfer{
			{Debit: ledger.BankEscrow, Credit: shop, Amount: 9_890}, {Debit: ledger.BankEscrow, Credit: ledger.Fee, Amount: 100}, {Debit: ledger.BankEscrow, Credit: ledger.VAT, Amount: 10},
		},
		Lines: []escrow.Line{{ID: id + "-l1", Kind: escrow.LineSale, Gross: 10_000, Fee: 100, VAT: 10, Net: 9_890, At: Monday, PaidAt: Monday, DueDate: bizday.DateOf(Monday)}},
	}
}

// ordered nets what is due into a payout.
func ordered(t *testing.T, s *store.Store, id string) (p settle.Payout) {
	t.Helper()
	day := bizday.DateOf(Monday)
	write(t, s, func(tx *store.Tx) error {
		sums, err := tx.DueSums(Merchant, day)
		if err != nil {
			return err
		}
		if p, err = settle.Net(Merchant, id, day, sums, Monday); err != nil {
			return err
		}
		p.Bank, p.Number, p.Holder = "004", "11012345678901", "상점"
		_, err = tx.TakeLines(Merchant, id, day)
		return errors.Join(err, tx.InsertPayout(p),
			tx.InsertTransfers(Merchant, id, 0, 1, []ledger.Transfer{{Debit: ledger.Shop(Merchant), Credit: ledger.Payout(id), Amount: p.Amount}}, Monday),
			tx.InsertBankOrder(store.BankOrder{
				Merchant: Merchant, Key: p.Key(), Kind: store.OrderPayout, Ref: id, Amount: p.Amount,
				Account: escrow.BankAccount{Bank: p.Bank, Number: p.Number, Holder: p.Holder}, DueAt: Monday, CreatedAt: Monday,
			}))
	})
	return p
}

// paidOut books that the bank has paid a payout, by transfers of a version.
func paidOut(tx *store.Tx, p *settle.Payout, version int64) error {
	p.State, p.DoneAt = settle.PayoutPaid, Monday
	return errors.Join(tx.UpdatePayout(*p), tx.InsertTransfers(Merchant, p.ID, 1, version,
		[]ledger.Transfer{{Debit: ledger.Payout(p.ID), Credit: ledger.BankEscrow, Amount: p.Amount}}, Monday))
}

// cameBack books that a payout has come back, with its event.
func cameBack(tx *store.Tx, p *settle.Payout) error {
	last, err := tx.LastSeq(Merchant, p.ID)
	p.State, p.DoneAt, p.Reason = settle.PayoutReturned, Monday, "해지된 계좌"
	e := escrow.Event{Seq: last + 1, Type: escrow.EventPayoutReturned, At: Monday, Actor: escrow.Bank, Amount: p.Amount, Reason: p.Reason}
	return errors.Join(err, tx.UpdatePayout(*p), tx.ReturnLine(*p, Monday), tx.InsertPayoutEvent(p, e, nil), tx.InsertTransfers(Merchant, p.ID, 3, store.VersionTold,
		[]ledger.Transfer{{Debit: ledger.BankEscrow, Credit: ledger.Shop(Merchant), Amount: p.Amount}}, Monday))
}

func noViolation(t *testing.T, s *store.Store, when string) {
	t.Helper()
	found, err := s.VerifyBooks(t.Context())
	if len(found) > 0 || err != nil {
		t.Fatalf("%s: %v, %v", when, found, err)
	}
}

// payoutsOfOld: a payout from before there were events of payouts has none, and its
// books agree; what happens to it from now on is numbered from 1.
func payoutsOfOld(t *testing.T, s *store.Store) {
	d := sold("imp_1")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, store.Owed{}) })
	p := ordered(t, s, "pay_1")
	noViolation(t, s, "ordered")
	write(t, s, func(tx *store.Tx) error { return paidOut(tx, &p, 1) })
	noViolation(t, s, "paid before there were events of payouts")
	write(t, s, func(tx *store.Tx) error { return cameBack(tx, &p) })
	noViolation(t, s, "come back since")
	events := read(t, s, func(r *store.Reader) ([]store.LoggedEvent, error) { return r.Events(Merchant, p.ID) })
	want := store.LoggedEvent{
		Event:   escrow.Event{Seq: 1, Type: escrow.EventPayoutReturned, At: Monday, Actor: escrow.Bank, Amount: 9_890, Reason: "해지된 계좌"},
		Payment: p.ID, Payout: &settle.Facts{Date: bizday.DateOf(Monday), Lines: 1, Bank: "004", Account: "**********8901"}, Position: 2,
	}
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	same(t, "its event", events[0], want)
}

// payoutsAreNumbered: two steps in one transaction have the numbers 1 and 2, and a
// step whose event was never written is found.
func payoutsAreNumbered(t *testing.T, s *store.Store) {
	d := sold("imp_1")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, store.Owed{}) })
	p := ordered(t, s, "pay_1")
	write(t, s, func(tx *store.Tx) error { return paidOut(tx, &p, store.VersionTold) })
	found, err := s.VerifyBooks(t.Context())
	if err != nil || len(found) != 1 || found[0].Kind != recon.WrongNumbers || found[0].Ref != p.ID {
		t.Errorf("a step without its event: %v, %v", found, err)
	}
	write(t, s, func(tx *store.Tx) error {
		sent := escrow.Event{Seq: 1, Type: escrow.EventPayoutSent, At: Monday, Actor: escrow.Bank, Amount: p.Amount}
		return errors.Join(tx.InsertPayoutEvent(&p, sent, nil), cameBack(tx, &p))
	})
	noViolation(t, s, "paid and come back")
}
