package work_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// stepsOfAudit bounds how many steps a small database takes.
const stepsOfAudit = 50

// audited lets a new auditor work until nothing is left to read.
func (w *world) audited() (fresh []app.Violation) {
	w.T.Helper()
	watch := w.App.WatchBooks(time.Minute)
	for range stepsOfAudit {
		found, more, err := watch.Step(w.T.Context())
		if err != nil {
			w.T.Fatal(err)
		}
		if fresh = append(fresh, found...); !more {
			return fresh
		}
	}
	w.T.Fatal("the auditor comes to no end")
	return nil
}

func (w *world) open() app.Audited {
	w.T.Helper()
	s, err := w.App.Audited(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	return s
}

// TestADamagedRowIsFoundBeforeItIsWrittenAnew: a decision gives the row of a
// payment a sum that fits, so that it looks at the old one first.
func TestADamagedRowIsFoundBeforeItIsWrittenAnew(t *testing.T) {
	for name, decide := range map[string]func(*world, escrow.Payment){
		"buyer": func(w *world, p escrow.Payment) { w.do(escrow.Buyer, p.ID, escrow.Confirm{Kind: escrow.ByBuyer}) },
		"time":  func(w *world, _ escrow.Payment) { w.pass(10 * 24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) { damagedRowIsFound(t, decide) })
	}
}

func damagedRowIsFound(t *testing.T, decide func(*world, escrow.Payment)) {
	t.Helper()
	w := newWorld(t)
	p := w.delivered()
	w.audited()
	w.Damage(`UPDATE payment SET order_id = 'another' WHERE id = $1`, p.ID)
	decide(w, p)
	if got := w.payment(p.ID).State; got != escrow.Confirmed {
		t.Fatalf("the payment is %s", got)
	}
	s := w.open()
	if len(s.Open) != 1 || s.Open[0].Kind != recon.WrongSum || s.Open[0].Ref != p.ID {
		t.Fatalf("after a decision on a damaged row: %+v", s.Open)
	}
	if rows, err := w.App.Audit(t.Context(), w.Merchant, 0, 10); err != nil || !slices.ContainsFunc(rows, func(r app.AuditRow) bool { return r.Action == "books.violation" }) {
		t.Errorf("the audit log has %+v, %v", rows, err)
	}
	if n, err := w.App.ReleasePayouts(t.Context(), "operator", "checked"); err != nil || n != 1 {
		t.Errorf("%d released, %v", n, err)
	}
	w.drain()
	if s := w.open(); len(s.Open) > 0 {
		t.Errorf("what was released stops payouts again: %+v", s.Open)
	}
}

// TestAViolationStopsPayoutsAndNothingElse, until the operator releases it.
func TestAViolationStopsPayoutsAndNothingElse(t *testing.T) {
	w := newWorld(t)
	w.do(escrow.Buyer, w.delivered().ID, escrow.Confirm{Kind: escrow.ByBuyer})
	if fresh := w.audited(); len(fresh) > 0 {
		t.Fatalf("sound books: %v", fresh)
	}
	if s := w.open(); len(s.Open) > 0 || s.Behind || s.Lap.Done.IsZero() {
		t.Fatalf("after an audit: %+v", s)
	}
	// A row from before the last look is changed: the walk finds it.
	w.Clock.Advance(11 * time.Minute)
	w.Damage(`UPDATE transfer SET amount = amount + 1 WHERE position = 1`)
	fresh := w.audited()
	if len(fresh) != 3 {
		t.Fatalf("%d violations of a changed amount: %v", len(fresh), fresh)
	}
	if again := w.audited(); len(again) > 0 {
		t.Errorf("the same violation is news again: %v", again)
	}
	rows, err := w.App.Audit(t.Context(), w.Merchant, 0, 10)
	if err != nil || len(rows) < 2 || rows[0].Action != "books.violation" || rows[0].Actor != "auditor" {
		t.Errorf("the audit log has %+v, %v", rows, err)
	}
	w.pass((10*24 + 3) * time.Hour)
	if payouts := w.payouts(); len(payouts) > 0 {
		t.Errorf("paid out although the books do not agree: %+v", payouts)
	}
	if done, err := w.App.Settle(t.Context(), w.Merchant); err != nil || !strings.Contains(done.Why, "stopped") {
		t.Errorf("%+v, %v", done, err)
	}
	id, _ := w.refunding()
	w.drain()
	if p := w.payment(id); p.Refunds[0].State != escrow.RefundSent {
		t.Errorf("a refund is %s", p.Refunds[0].State)
	}
	if _, err := w.App.ReleasePayouts(t.Context(), "operator", ""); err == nil {
		t.Error("released without a reason")
	}
	if n, err := w.App.ReleasePayouts(t.Context(), "operator", "은행과 대조하였음"); n != 3 || err != nil {
		t.Errorf("%d released, %v", n, err)
	}
	if got := w.Call("GET", "/readyz", nil, nil); !strings.Contains(string(got.Raw), "released: 3") {
		t.Errorf("/readyz while the damage stands and is released: %s", got.Raw)
	}
	if again := w.audited(); len(again) > 0 || len(w.open().Open) > 0 {
		t.Errorf("what was released stops payouts again: %v", again)
	}
	w.pass(4 * 24 * time.Hour)
	if payouts := w.payouts(); len(payouts) != 1 || payouts[0].State != settle.PayoutPaid {
		t.Errorf("after the release: %+v", payouts)
	}
	w.Damage(`UPDATE transfer SET amount = amount + 1 WHERE position = 1`)
	w.Clock.Advance(11 * time.Minute)
	if fresh := w.audited(); len(fresh) != 3 {
		t.Errorf("a place that was released is changed once more: %v", fresh)
	}
}

// TestAPayoutOnItsWayIsStopped: what the bank has not been asked for is not sent.
func TestAPayoutOnItsWayIsStopped(t *testing.T) {
	w := newWorld(t)
	w.do(escrow.Buyer, w.delivered().ID, escrow.Confirm{Kind: escrow.ByBuyer})
	line := counted(w.Server.Bank)
	w.with(replaced{bank: line})
	line.dead = 1_000_000 // no question reaches the bank
	w.pass(74 * time.Hour)
	if got := w.payouts(); len(got) != 1 || got[0].State != settle.PayoutOrdered {
		t.Fatalf("%+v", got)
	}
	w.Damage(`UPDATE transfer SET amount = amount + 1 WHERE position = 1`)
	w.audited()
	line.mu.Lock()
	line.dead, line.sends = 0, map[string]int{}
	line.mu.Unlock()
	w.pass(24 * time.Hour)
	if got := w.payouts(); len(line.sends) > 0 || got[0].State != settle.PayoutOrdered {
		t.Errorf("sent although the books do not agree: %v %s", line.sends, got[0].State)
	}
	if _, err := w.App.ReleasePayouts(t.Context(), "operator", "은행과 대조하였음"); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if got := w.payouts(); len(line.sends) != 1 || got[0].State != settle.PayoutPaid {
		t.Errorf("after the release: %v %s", line.sends, got[0].State)
	}
}

// TestHeldDays: the report is exact whether the days were added up or not.
func TestHeldDays(t *testing.T) {
	w := newWorld(t)
	w.held()
	w.audited()
	w.pass(48 * time.Hour)
	w.held()
	day := bizday.DateOf(servetest.Start)
	rows, err := w.App.HeldDays(t.Context(), app.HeldQuery{First: day.AddDays(-1), Last: day.AddDays(3)})
	if err != nil || len(rows) != 4 || rows[0].Day != day {
		t.Fatalf("%+v, %v", rows, err)
	}
	for i, want := range []money.Won{amount, amount, 2 * amount, 2 * amount} {
		if rows[i].Held != want || rows[i].Merchant != w.Merchant {
			t.Errorf("%s: %d won, want %d", rows[i].Day, rows[i].Held, want)
		}
	}
	if rows, err := w.App.HeldDays(t.Context(), app.HeldQuery{Merchant: "mrc_none", First: day, Last: day}); err != nil || len(rows) > 0 {
		t.Errorf("another merchant: %+v, %v", rows, err)
	}
	if _, err := w.App.HeldDays(t.Context(), app.HeldQuery{First: day, Last: day.AddDays(400)}); err == nil {
		t.Error("a report without a bound")
	}
}

func (w *world) payouts() []settle.Payout {
	w.T.Helper()
	out, err := w.App.Payouts(w.T.Context(), w.Merchant, 0, 10)
	if err != nil {
		w.T.Fatal(err)
	}
	return out
}
