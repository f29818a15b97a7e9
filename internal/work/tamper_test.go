package work_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// busy is a server with books of every sort: held, paid out, given back, partly
// given back, in suspense, and cancelled before any money came.
func busy(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	sold, partly := w.delivered(), w.delivered()
	for _, id := range []string{sold.ID, partly.ID} {
		w.do(escrow.Buyer, id, escrow.Confirm{Kind: escrow.ByBuyer})
	}
	w.pass(10 * 24 * time.Hour) // paid out
	w.do(escrow.Shop, partly.ID, escrow.Cancel{Amount: 4_000, Reason: "흠집", Account: buyer})
	w.refunding()
	late := w.issued()
	w.do(escrow.Bank, late.ID, escrow.NotifyDeposit{BankTx: "tx-over-" + late.ID, Amount: amount + 1, At: w.Now(), Payer: buyer})
	w.drain()
	w.shipped()
	w.do(escrow.Buyer, w.delivered().ID, escrow.Confirm{Kind: escrow.ByBuyer}) // not paid out yet
	w.refunding()                                                              // ordered, and not answered yet
	w.verified()
	return w
}

// verified fails the test unless the books agree.
func (w *world) verified() {
	w.T.Helper()
	for _, v := range w.violations() {
		w.T.Error(v)
	}
}

func (w *world) violations() []app.Violation {
	w.T.Helper()
	found, err := w.App.VerifyBooks(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	return found
}

// unseen are columns of which no audit can see that they say something else: each
// is put off by an act that leaves no other trace. That they say something is seen.
var unseen = []string{"payment.track_at"}

// columns are what is changed in each table, one at a time, in one row.
var columns = map[string]struct {
	row              string
	texts, numbers   []string
	optional, hashes []string
}{
	"event": {
		row: "position = 3", texts: []string{"merchant", "payment", "type", "actor", "doc"}, numbers: []string{"seq", "position", "at"}, hashes: []string{"hash"},
	},
	"transfer": {
		row: "position = 2", texts: []string{"merchant", "ref", "debit", "credit"}, numbers: []string{"seq", "n", "amount", "at", "position"}, hashes: []string{"hash"},
	},
	"payment": {
		row: "state = 'shipped'", texts: []string{"merchant", "id", "order_id", "state", "method", "words", "doc"},
		numbers:  []string{"version", "seq", "escrow", "amount", "refunded", "opened_at", "updated_at"},
		optional: []string{"paid_at", "failed_at", "cancelled_at", "wake_at"}, hashes: []string{"sum"},
	},
	"settlement_line": {
		row: "kind = 'sale' AND payout IS NOT NULL", texts: []string{"merchant", "id", "payment", "kind", "due_date", "payout"},
		numbers: []string{"gross", "fee", "vat", "net", "from_due", "at", "paid_at"}, hashes: []string{"sum"},
	},
	"payout": {
		row: "state = 'paid'", texts: []string{"merchant", "id", "state"}, numbers: []string{"gross", "fee", "vat", "deducted", "from_due", "amount", "lines"},
	},
	"bank_order": {
		row: "state = 'pending'", texts: []string{"merchant", "key", "kind", "ref", "bank", "number", "holder"}, numbers: []string{"amount"},
	},
	"event_log": {
		row: "last_position > 0", texts: []string{"merchant"}, numbers: []string{"last_position", "last_transfer"}, hashes: []string{"last_hash", "last_transfer_hash"},
	},
}

// tampering is one way to damage a table.
type tampering struct{ name, table, statement string }

func tamperings() (out []tampering) {
	add := func(table, name, statement string) {
		out = append(out, tampering{table + ": " + name, table, statement})
	}
	for table, c := range columns {
		one := "(SELECT min(" + key[table] + ") FROM " + table + " WHERE " + c.row + ")"
		set := func(column, value string) {
			add(table, column+" is changed", "UPDATE "+table+" SET "+column+" = "+value+" WHERE "+c.row+" AND "+key[table]+" = "+one)
		}
		for _, column := range c.texts {
			set(column, column+" || 'x'")
		}
		for _, column := range c.numbers {
			by := " + 1"
			if column == "position" || column == "seq" {
				by = " + 1000" // where no other row stands
			}
			set(column, column+by)
		}
		for _, column := range c.optional {
			set(column, "COALESCE("+column+", 0) + 1")
		}
		for _, column := range c.hashes {
			set(column, "NULL")
		}
		if table != "event_log" {
			add(table, "a row is gone", "DELETE FROM "+table+" WHERE "+c.row+" AND "+key[table]+" = "+one)
		}
	}
	for _, table := range []string{"event", "transfer"} {
		add(table, "the end is cut off", "DELETE FROM "+table+" WHERE position > (SELECT max(position) - 2 FROM "+table+")")
		add(table, "two rows are swapped", "UPDATE "+table+" SET position = CASE position WHEN 1000002 THEN 1000003 ELSE 1000002 END - 1000000 WHERE position IN (1000002, 1000003)")
	}
	add("event", "a row is put in at the end", `INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc, hash)
		SELECT merchant, payment, seq + 1, (SELECT max(position) + 1 FROM event), type, actor, at, doc, hash FROM event ORDER BY position DESC LIMIT 1`)
	add("transfer", "a row is put in at the end", `INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at, position, hash)
		SELECT merchant, ref, seq, n + 1, debit, credit, amount, at, (SELECT max(position) + 1 FROM transfer), hash FROM transfer ORDER BY position DESC LIMIT 1`)
	add("transfer", "a row without a place", `INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at)
		SELECT merchant, 'imp_nobody', seq, n + 1, debit, credit, amount, at FROM transfer WHERE position = 2`)
	add("transfer", "rows of a payment without a place", `INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at)
		SELECT merchant, ref, seq, n + 1000, CASE WHEN n % 2 = 0 THEN debit ELSE credit END, CASE WHEN n % 2 = 0 THEN credit ELSE debit END, amount, at FROM transfer`)
	add("event", "a row before the first", `INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc, hash)
		SELECT merchant, payment, seq + 900, 0, type, actor, at, doc, hash FROM event WHERE position = 2`)
	add("settlement_line", "an unpaid line is withheld", `UPDATE settlement_line SET held = 1 - held WHERE payout IS NULL`)
	add("settlement_line", "an unpaid line is withheld and another sum", `UPDATE settlement_line SET held = 1 - held, net = net + 1 WHERE payout IS NULL`)
	add("settlement_line", "a line of no payment", `INSERT INTO settlement_line (merchant, id, payment, kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held, sum)
		SELECT merchant, 'put-in', '', kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held, sum FROM settlement_line WHERE kind = 'sale' LIMIT 1`)
	for name, of := range map[string]string{"of no payment": "merchant, '', ''", "of a late letter": "merchant, '􏿿', '􏿿'", "of no shop": "'nobody', key, ref"} {
		add("bank_order", "an order "+name, `INSERT INTO bank_order (merchant, key, ref, kind, amount, bank, number, holder, card, state, due_at, attempts, detail, created_at)
			SELECT `+of+`, kind, amount, bank, number, holder, card, 'pending', due_at, 0, '', created_at FROM bank_order LIMIT 1`)
	}
	add("settlement_line", "a line that was paid out is withheld", `UPDATE settlement_line SET held = 1 WHERE payout IS NOT NULL`)
	add("payment", "no carrier is asked", `UPDATE payment SET track_at = NULL WHERE track_at IS NOT NULL`)
	add("payment", "a carrier is asked about nothing", `UPDATE payment SET track_at = 1 WHERE track_at IS NULL`)
	add("settlement_line", "a line leaves its payout", `UPDATE settlement_line SET payout = NULL WHERE kind = 'sale'`)
	slices.SortFunc(out, func(a, b tampering) int { return strings.Compare(a.name, b.name) })
	return out
}

var key = map[string]string{
	"event": "position", "transfer": "position", "payment": "id", "settlement_line": "id", "payout": "id", "bank_order": "key", "event_log": "merchant",
}

// TestTamperingIsFound: whatever is changed by hand in the books, the audit names it.
func TestTamperingIsFound(t *testing.T) {
	w := busy(t)
	all := tamperings()
	if len(all) < 70 {
		t.Fatalf("only %d ways", len(all))
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			w.Damage(`CREATE TABLE kept AS SELECT * FROM ` + c.table)
			if strings.Contains(c.name, "swapped") {
				w.Damage(`UPDATE ` + c.table + ` SET position = position + 1000000 WHERE position IN (2, 3)`)
			}
			w.Damage(c.statement)
			found := w.violations()
			if len(found) == 0 {
				t.Errorf("nothing was found after %s", c.statement)
			}
			named := map[string]app.Violation{}
			for _, v := range found {
				if other, twice := named[v.ID()]; twice && other != v {
					t.Errorf("two violations have one id, and each would undo the release of the other: %s; %s", other, v)
				}
				named[v.ID()] = v
				if v.Merchant == "" || v.Kind == "" || v.Of == "" || v.Want == v.Got || len(v.ID()) != 24 {
					t.Errorf("%+v says too little", v)
				}
			}
			w.Damage(`DELETE FROM ` + c.table)
			w.Damage(`INSERT INTO ` + c.table + ` SELECT * FROM kept`)
			w.Damage(`DROP TABLE kept`)
		})
	}
	w.verified()
	for _, c := range unseen {
		if table, column, _ := strings.Cut(c, "."); slices.Contains(slices.Concat(columns[table].texts, columns[table].numbers, columns[table].optional), column) {
			t.Errorf("%s is seen after all", c)
		}
	}
}

// TestNobodysBooksAreGone: of a shop whose books were verified, nothing is left.
func TestNobodysBooksAreGone(t *testing.T) {
	w := busy(t)
	w.audited()
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		w.Damage(`DELETE FROM ` + table)
	}
	if len(w.violations()) == 0 {
		t.Error("the walk through all books found nothing")
	}
	w.Clock.Advance(11 * time.Minute)
	w.audited()
	if stopped, err := w.App.PayoutsStopped(t.Context()); !stopped || err != nil {
		t.Errorf("payouts go on (%v)", err)
	}
}

// TestAPayoutLeavesOnlyForItsOwnAccount: an order that was diverted after the
// settlement is found before the bank is asked, whoever audits when.
func TestAPayoutLeavesOnlyForItsOwnAccount(t *testing.T) {
	w := newWorld(t)
	w.do(escrow.Buyer, w.delivered().ID, escrow.Confirm{Kind: escrow.ByBuyer})
	w.Clock.Advance((10*24 + 3) * time.Hour)
	if done, err := w.App.Settle(t.Context(), w.Merchant); err != nil || done.Why != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	w.Damage(`UPDATE bank_order SET number = '99999999999' WHERE kind = 'payout'`)
	w.drain()
	payouts := w.payouts()
	if len(payouts) != 1 || payouts[0].State != settle.PayoutOrdered {
		t.Errorf("%+v", payouts)
	}
	if s := w.open(); len(s.Open) != 1 || s.Open[0].Kind != recon.WrongOrder {
		t.Errorf("what stops payouts: %+v", s.Open)
	}
}

// TestTamperingIsNamed: the place, what should stand there and what does.
func TestTamperingIsNamed(t *testing.T) {
	w := busy(t)
	p := w.held()
	w.Damage(`UPDATE transfer SET amount = amount + 1 WHERE ref = $1`, p.ID)
	found := w.violations()
	kinds := map[recon.Kind]app.Violation{}
	for _, v := range found {
		if v.Ref != p.ID || v.Merchant != w.Merchant {
			t.Errorf("another payment is named: %s", v)
		}
		kinds[v.Kind] = v
	}
	balance, chain := kinds[recon.WrongBalance], kinds[recon.BrokenChain]
	if len(found) != 2 || balance.Of != "held:"+p.ID || balance.Want != "10000" || balance.Got != "10001" || chain.Of != "transfer" || chain.Position == 0 {
		t.Errorf("%+v", found)
	}
}
