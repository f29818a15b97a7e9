package store

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
)

// planner runs no statement; it notes how the engine would.
type planner struct {
	t     *testing.T
	e     *sqlite
	plans map[string][]string // by statement
	// explain answers with the plan of a statement; nil for SQLite's.
	explain func(query string) []string
}

func (p *planner) note(query string, args []any) {
	if p.explain != nil {
		p.plans[query] = p.explain(query)
		return
	}
	rows, err := p.e.conn.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			p.t.Fatal(err)
		}
		p.plans[query] = append(p.plans[query], detail)
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *planner) exec(query string, args ...any) (int64, error) {
	p.note(query, args)
	return 1, nil
}

func (p *planner) query(query string, args ...any) (rowSet, error) {
	p.note(query, args)
	return noRows{}, nil
}

func (p *planner) later(_ error, query string, args ...any) error {
	p.note(query, args)
	return nil
}

func (p *planner) add(query string, args ...any) error { return p.later(nil, query, args...) }

func (p *planner) many(questions []question, _ func(int, rowSet) error) error {
	for _, q := range questions {
		p.note(q.query, q.args)
	}
	return nil
}

func (p *planner) hold(string) error  { return nil }
func (p *planner) share(string) error { return nil }
func (p *planner) enter(int)          {}
func (p *planner) blame(int)          {}
func (p *planner) leave() error       { return nil }
func (p *planner) undo() error        { return nil }
func (p *planner) commit() error      { return nil }
func (p *planner) rollback() error    { return nil }

type noRows struct{}

func (noRows) Next() bool        { return false }
func (noRows) Scan(...any) error { return nil }
func (noRows) Err() error        { return nil }
func (noRows) Close() error      { return nil }

// openPlanner is a transaction of a young database that only plans.
func openPlanner(t *testing.T) (*planner, *Tx) {
	t.Helper()
	s, err := OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "holdfast.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	e, ok := s.engine.(*sqlite)
	if !ok {
		t.Fatal("not the embedded engine")
	}
	p := &planner{t: t, e: e, plans: map[string][]string{}}
	return p, &Tx{queries: queries{ex: p, classify: e.classify}, group: newGroup(p, "")}
}

// What a busy server asks all the time must not grow with what it has kept: a
// plan may neither read a whole table nor all rows of one merchant.
var (
	wholeTable    = regexp.MustCompile(`^SCAN (payment|event|transfer|mail|webhook|bank_order|settlement_line|directory|sandbox_record|keyed_request)( l| m)?$`)
	wholeMerchant = regexp.MustCompile(`\(merchant=\?\)$`)
	// ownIndex is an index that SQLite makes for one statement, out of a whole table.
	ownIndex = " AUTOMATIC "
	sorted   = "USE TEMP B-TREE FOR ORDER BY"
)

// TestPlansDoNotGrow asks for everything that requests and loops ask for.
func TestPlansDoNotGrow(t *testing.T) {
	p, tx := openPlanner(t)
	askEverything(tx)
	if len(p.plans) < 35 {
		t.Errorf("only %d statements were planned", len(p.plans))
	}
	for query, plan := range p.plans {
		for _, line := range plan {
			if wholeTable.MatchString(line) || strings.Contains(line, ownIndex) || (wholeMerchant.MatchString(line) && !bounded(query)) || (line == sorted && strings.Contains(query, "LIMIT") && !onePayment(query) && !openCalls(query)) {
				t.Errorf("%s\n\t%s", query, strings.Join(plan, "\n\t"))
				break
			}
		}
	}
}

// askEverything asks what requests and loops ask.
func askEverything(tx *Tx) {
	now, day := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC), bizday.DateOf(time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC))
	held := true
	next := escrow.Payment{Merchant: "m", ID: "imp_1", State: escrow.Held, Seq: 1, Version: 2}
	for _, merchant := range []string{"", "m"} {
		_, _ = tx.DuePayments(merchant, now, 1)
		_, _ = tx.TrackPayments(merchant, now, 1)
		_, _ = tx.ClaimMails(merchant, now, time.Minute, 1)
		_, _ = tx.DueLanes(merchant, now)
		_, _ = tx.Failing(merchant)
		_, _ = tx.ClaimBankOrders(merchant, now, time.Minute, 1)
		_, _ = tx.OwesMails(merchant, now)
		_, _ = tx.OwesBankOrders(merchant, now)
	}
	_, _ = tx.Payment("m", "imp_1")
	_, _ = tx.MerchantVersion("m")
	_, _ = tx.MerchantUnlocked("m")
	_, _ = tx.CalendarRevision()
	_ = tx.TakeLease("m", "clock", "node", now, now)
	_, _ = tx.KeyedRequest("m", "k")
	_ = tx.TakeKeyed(KeyedRequest{Merchant: "m", Key: "k"}, "run")
	_ = tx.KeyedActed(KeyedRequest{Merchant: "m", Key: "k"})
	_ = tx.KeyedAnswered(KeyedRequest{Merchant: "m", Key: "k"})
	_ = tx.FreeKeyed("m", "k", "run")
	_ = tx.KeepKeyed("m", "k", "run", now)
	_, _ = tx.OldKeyed(now, now, 1)
	_ = tx.ForgetKeyed("m", "k", now, now)
	_, _ = tx.PaidPayment("m", "order-1")
	ready, _ := MakeReady(&next)
	_ = tx.updatePayment(&ready, 1)
	_ = tx.insertLines(&next, &escrow.Decision{PayoutHold: &held})
	_, _ = tx.Events("m", "imp_1")
	_, _ = tx.EventsAfter("m", 7, 100)
	_ = tx.insertEvents(&next, []escrow.Event{{Seq: 1}})
	_ = tx.InsertTransfers("m", "imp_1", 1, 1, []ledger.Transfer{{Debit: "a", Credit: "b", Amount: 1}}, now)
	_ = tx.group.place()
	_, _ = tx.Transfers("m", "imp_1")
	_, _ = tx.SaleLeft("m", "imp_1")
	_, _ = tx.Lines("m", "imp_1", "", 0, 100)
	_, _ = tx.PayoutLines("m", "pay_1", "", 100)
	_, _ = tx.LastSeq("m", "pay_1")
	_, _ = tx.DueSettlements(day, "", 100)
	_, _ = tx.TakeLines("m", "pay_1", day)
	_, _ = tx.DueSums("m", day)
	_, _ = tx.Leased("m")
	_, _, _ = tx.NextDue("m", time.UnixMicro(1))
	_, _ = tx.Mails("m", "imp_1", 0, 20)
	_, _ = tx.Mails("m", "", 0, 20)
	for _, ordered := range []bool{false, true} {
		_, _ = tx.ClaimWebhooks([]Take{{Lane: Lane{"m", "v1"}, N: 1, Ordered: ordered}}, now, time.Minute)
	}
	_, _ = tx.Webhooks("m", WebhookFilter{Payment: "imp_1"}, 0, 20)
	_, _ = tx.Webhooks("m", WebhookFilter{}, 0, 20)
	_, _ = tx.Webhooks("m", WebhookFilter{State: WebhookFailed}, 0, 20)
	_, _ = tx.FailedWebhooks("m", "v1", nil, 20)
	_, _ = tx.FailedWebhooks("m", "v1", &CallSpot{now, 1, "x"}, 20)
	_, _ = tx.EndpointFailed(Lane{"m", "v1"}, now)
	_ = tx.RestEndpoint(Lane{"m", "v1"}, now)
	_ = tx.EndpointWell(Lane{"m", "v1"})
	_, _ = tx.BankOrders("m", "imp_1", 20)
	_ = tx.MailDone(&Mail{Merchant: "m", ID: "x"})
	_ = tx.PostponeTracking("m", "imp_1", now)
	_ = tx.TakeTracking("m", "imp_1", now, now)
	_, _ = tx.Lookup("account", "004:1")
	_, _ = tx.SecretByHash("h")
	_, _ = tx.Secret("m", "s")
	_, _ = tx.Login("m", "s")
	_, _ = tx.SandboxRecord("m", "bank.deposit", "x")
	_, _ = tx.OrderPayment("m", "order-1")
	for _, by := range []string{"opened", "standing"} {
		o := Order{By: by, Desc: true}
		_, _ = tx.Payments("m", Filter{At: by, Since: now, OnePerOrder: true, Standings: []escrow.Standing{escrow.StandingPaid}}, o, 0, 20)
		_, _ = tx.Payments("m", Filter{At: by, Since: now, OnePerOrder: true, After: &Spot{At: now, ID: "x"}, AfterOrder: Order{By: by}}, Order{By: by}, 0, 20)
	}
	for _, by := range []string{"opened", "paid", "failed", "cancelled"} {
		_, _ = tx.Payments("m", Filter{At: by, Since: now}, Order{By: by, Desc: true}, 0, 20)
	}
	_, _ = tx.Payments("m", Filter{Task: true}, Order{By: "updated", Desc: true}, 0, 20)
}

// bounded statements read their rows in the order of the index and stop, or read a
// table with one row per merchant.
func bounded(query string) bool {
	return strings.Contains(query, " event_log ") || strings.HasPrefix(query, "SELECT max(position)") || strings.HasPrefix(query, "SELECT min(wake_at)") ||
		strings.HasPrefix(query, "SELECT min(track_at)") || strings.HasPrefix(query, "SELECT min(due_date)") || strings.Contains(query, "ORDER BY created_at DESC") ||
		strings.Contains(query, "ORDER BY updated_at DESC") || strings.Contains(query, "ORDER BY created_at, seq, id") ||
		strings.Contains(query, " endpoint_health ") || openCalls(query)
}

// openCalls statements read an index that holds open calls and little else.
func openCalls(query string) bool {
	return strings.Contains(query, "webhook WHERE state = 'pending' AND")
}

// onePayment statements sort the few rows of one payment, or of one order.
func onePayment(query string) bool {
	return slices.ContainsFunc([]string{"payment = $", "ref = $", "order_id = $"}, func(s string) bool { return strings.Contains(query, s) })
}

// TestPlansOfPlans proves that the check can fail: without the statistics that
// the migration writes, a payment's lines are looked for among the merchant's.
func TestPlansOfPlans(t *testing.T) {
	p, tx := openPlanner(t)
	for _, s := range []string{"DELETE FROM sqlite_stat1", "ANALYZE sqlite_schema"} {
		if _, err := p.e.conn.ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = tx.SaleLeft("m", "imp_1")
	for _, plan := range p.plans {
		if !slices.ContainsFunc(plan, wholeMerchant.MatchString) {
			t.Errorf("the plan is sound without statistics: %q", plan)
		}
	}
}
