package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// What PostgreSQL's plans say where they grow.
var (
	pgWholeTable    = regexp.MustCompile(`Seq Scan on (payment|event|transfer|mail|webhook|bank_order|settlement_line|directory|sandbox_record)\b`)
	pgWholeMerchant = regexp.MustCompile(`Index Cond: \((merchant = \$\d+|\(merchant = \$\d+\))\)$`)
)

// explainer is a connection to a young database that says how it would answer a
// statement whatever its parameters are, as it does for one that is prepared.
// before runs first.
func explainer(t *testing.T, before string) func(string) []string {
	url := pgtest.Database(t)
	s, err := OpenPostgres(context.Background(), url, PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(context.Background(), before); err != nil {
		t.Fatal(err)
	}
	return func(query string) []string {
		last := 0
		for _, p := range parameter.FindAllString(query, -1) {
			var n int
			if _, err := fmt.Sscanf(p, "$%d", &n); err == nil {
				last = max(last, n)
			}
		}
		values := ""
		if last > 0 {
			values = "(NULL" + strings.Repeat(", NULL", last-1) + ")"
		}
		for _, q := range []string{"DEALLOCATE ALL", "SET plan_cache_mode = force_generic_plan", "PREPARE q AS " + query} {
			if _, err := conn.Exec(context.Background(), q, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		rows, err := conn.Query(context.Background(), "EXPLAIN EXECUTE q"+values, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return plan
	}
}

// TestPostgresPlansDoNotGrow is TestPlansDoNotGrow for a young PostgreSQL.
func TestPostgresPlansDoNotGrow(t *testing.T) {
	p := &planner{t: t, plans: map[string][]string{}, explain: explainer(t, "SELECT 1")}
	e := &postgres{}
	wait, skip := e.lock()
	askEverything(&Tx{queries: queries{ex: p, classify: e.classify, lock: wait, skip: skip}, group: newGroup(p, wait)})
	if len(p.plans) < 35 {
		t.Errorf("only %d statements were planned", len(p.plans))
	}
	for query, plan := range p.plans {
		if slices.ContainsFunc(plan, func(line string) bool {
			return pgWholeTable.MatchString(line) || (pgWholeMerchant.MatchString(line) && !bounded(query))
		}) {
			t.Errorf("%s\n\t%s", query, strings.Join(plan, "\n\t"))
		}
	}
}

// TestPostgresPlansOfPlans proves that the check can fail: a planner that knows
// nothing finds a payment among all of its merchant's.
func TestPostgresPlansOfPlans(t *testing.T) {
	explain := explainer(t, `DELETE FROM pg_statistic WHERE starelid = 'payment'::regclass`)
	if plan := explain(paymentByID); !slices.ContainsFunc(plan, pgWholeMerchant.MatchString) {
		t.Errorf("the plan is sound without statistics: %q", plan)
	}
}
