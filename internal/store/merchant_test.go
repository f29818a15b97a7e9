package store_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/storetest"
)

// acrossMerchants are the statements that look through the rows of all merchants
// on purpose, by how they begin, and why. Where these lie on several servers, such
// a statement asks all of them. None locks a row that it does not change.
var acrossMerchants = map[string]string{
	"SELECT merchant FROM event_log WHERE merchant > $1 ORDER BY merchant LIMIT $2":                    "listing merchants with books; each one's are then read by its name",
	"SELECT CASE WHEN EXISTS (SELECT 1 FROM books_violation":                                           "whether anything in any books stops payouts",
	"SELECT l.merchant FROM event_log l LEFT JOIN books_head h":                                        "finding whose books have grown since they were verified",
	"SELECT count(*) FROM books_violation WHERE released_at IS NOT NULL":                               "how many violations of all books were released",
	"SELECT merchant, kind, subject, ref, position, want, got, found_at, seen_at FROM books_violation": "a report: what did not agree",
	"UPDATE books_violation SET released_at":                                                           "an operator's release of all that did not agree, by hand and hardly ever",
	"SELECT merchant, id, order_id, version, seq, state, escrow, method, amount, refunded, opened_at, paid_at, failed_at, cancelled_at, updated_at, wake_at, track_at, tasks, doc, words, sum FROM payment WHERE wake_at <= $1": "finding what time has something to do for; each payment is then taken by its name",
	"SELECT merchant, id FROM payment WHERE track_at <= $1":                                                   "finding whose carrier is asked next; each payment is then taken by its name",
	"SELECT merchant, count(*) FROM ( SELECT merchant FROM mail":                                              "finding whose letters are due; they are then claimed merchant by merchant",
	"SELECT merchant, endpoint, count(*) FROM webhook WHERE state = 'pending' AND due_at <= $1 GROUP":         "finding the endpoints to which calls are due; they are then claimed endpoint by endpoint",
	"SELECT merchant, endpoint, failures, since, rest_until FROM endpoint_health ORDER BY":                    "finding endpoints that fail",
	"SELECT merchant, count(*) FROM ( SELECT merchant FROM bank_order":                                        "the same for orders at the bank",
	"SELECT CASE WHEN EXISTS (SELECT 1 FROM mail WHERE state = 'pending' AND due_at <= $1)":                   "whether there is any letter to claim",
	"SELECT CASE WHEN EXISTS (SELECT 1 FROM bank_order WHERE state IN ('pending', 'asked') AND due_at <= $1)": "whether there is any order to claim",
	"SELECT merchant FROM event_log WHERE merchant > $1 AND ((last_position":                                  "completing older rows, once, when the database is opened; each log is then completed by its merchant",
	"SELECT merchant, id, order_id, version, seq, state, escrow, method, amount, refunded, opened_at, paid_at, failed_at, cancelled_at, updated_at, wake_at, track_at, tasks, doc, words, sum FROM payment WHERE (merchant, id)": "the same for payments",
	"SELECT merchant, id, payment, kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held, payout, sum FROM settlement_line WHERE (merchant, id)":                                                                     "the same for lines",
	"SELECT min(merchant) FROM (SELECT min(merchant) AS merchant FROM event_log":                                                                                                                                                 "finding the next merchant to audit; its books are then read by its name",
	"SELECT leased FROM mail": "finding who holds work; what a process held that is gone is then freed row by row",
	"SELECT merchant, key FROM keyed_request WHERE created_at <= $1":                           "finding requests to forget; each is then forgotten by its merchant and key",
	"SELECT merchant, id FROM mail WHERE state = 'pending' AND leased = $1":                    "finding what a process held that is gone",
	"SELECT merchant, id FROM webhook WHERE state = 'pending' AND leased = $1":                 "the same for calls to shops",
	"SELECT merchant, key FROM bank_order WHERE state IN ('pending', 'asked') AND leased = $1": "the same for orders at the bank",
	"SELECT m.id FROM merchant m WHERE m.id > $2 AND EXISTS":                                   "finding merchants to settle; each is then settled by its name",
	"SELECT id, version, ahead, created_at, doc FROM merchant ORDER BY":                        "the operator's list of merchants",
	"SELECT id FROM merchant WHERE ahead > 0":                                                  "finding test clocks that were moved",
	"SELECT merchant, id FROM payment WHERE (merchant, id) > ($1, $2)":                         "finding deadlines to recount after the calendar changed; each payment is then taken by its name",
	"SELECT account, CAST(sum(debits) AS BIGINT)":                                              "a report: the sums of all accounts",
	"SELECT merchant, id, state, should, has FROM":                                             "a report: payments against their held accounts",
	"SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM payment":                             "a report: what is held by the payments' states",
	"SELECT CAST(COALESCE(sum(CASE WHEN credit LIKE":                                           "a report: what was held at the end of a day",
	"DELETE FROM session WHERE expiry <= $1":                                                   "sign-ins that have ended, of anybody; no money is near them",
}

// TestShardStatementsNameTheirMerchant calls every method of the store, notes every
// statement, and reads it: each table that is spread by a column has it in an
// equality with a parameter, or with the column of another such table; a row that
// is inserted has it too. So the statement goes to one server, and none about one
// merchant can reach the rows of another.
func TestShardStatementsNameTheirMerchant(t *testing.T) {
	statements := record(t, true)
	if len(statements) < 100 {
		t.Errorf("only %d statements were noted", len(statements))
	}
	used := map[string]bool{}
	for _, s := range append(statements, store.MarkStatements...) {
		faults := unnamed(s)
		excuse := excused(s)
		switch changes := locks.MatchString(s); {
		case len(faults) == 0 && excuse == "":
		case len(faults) == 0:
			t.Errorf("is excused and names what it should: %s", oneLine(s))
		case excuse == "":
			t.Errorf("%s: %s", strings.Join(faults, "; "), oneLine(s))
		case changes && !slices.ContainsFunc(changesAll, func(begin string) bool { return strings.HasPrefix(s, begin) }):
			t.Errorf("locks rows of all merchants: %s", oneLine(s))
		}
		used[excuse] = true
		if _, set, upsert := strings.Cut(s, "DO UPDATE SET"); upsert && strings.Contains(set, "(") {
			t.Errorf("a distributed table takes no function in an upsert: %s", oneLine(s))
		}
	}
	for excuse := range acrossMerchants {
		if !used[excuse] {
			t.Errorf("excuses no statement: %s", excuse)
		}
	}
}

// changesAll are the ones among them that change rows.
var changesAll = []string{"DELETE FROM session", "UPDATE books_violation SET released_at"}

// locks finds statements that lock or change rows.
var locks = regexp.MustCompile(`FOR UPDATE|^UPDATE|^DELETE|^INSERT|\bUPDATE\b`)

func excused(s string) string {
	for begin := range acrossMerchants {
		if strings.HasPrefix(oneLine(s), begin) {
			return begin
		}
	}
	return ""
}

// record asks a store for everything that it answers, and returns the statements.
func record(t *testing.T, spread bool) []string {
	t.Helper()
	var all store.Recorder
	s := openFile(t, filepath.Join(t.TempDir(), "holdfast.db"))
	all.Watch(s, spread)
	storetest.Fill(t, s)
	err := s.Write(t.Context(), func(tx *store.Tx) error { // what some methods must find, under the name that AskEverything gives
		p, err := tx.Payment(storetest.Merchant, "imp_1")
		if err != nil {
			return err
		}
		held, was := true, p.Version
		p.Version++
		if err := tx.Apply(was, &escrow.Decision{Next: p, PayoutHold: &held}, store.Owed{}); err != nil {
			return err
		}
		return tx.InsertKey(store.APIKey{Merchant: storetest.Merchant, ID: storetest.Merchant, CreatedAt: storetest.Monday})
	})
	if err := errors.Join(err, store.CompleteAgain(s)); err != nil {
		t.Fatal(err)
	}
	_, err = s.VerifyBooks(t.Context())
	if err := errors.Join(err, leaveWork(t, s, &all), s.FreeLeases(t.Context())); err != nil {
		t.Fatal(err)
	}
	store.AskEverything(s, storetest.Monday)
	return slices.Sorted(maps.Keys(all.Statements()))
}

// leaveWork takes work as a process that is gone afterwards.
func leaveWork(t *testing.T, s *store.Store, all *store.Recorder) error {
	t.Helper()
	all.Holder = 7
	defer func() { all.Holder = 8 }()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err1 := tx.ClaimMails("", storetest.Monday, time.Minute, 1)
		_, err2 := storetest.TakeWebhooks(tx, "", storetest.Monday, time.Minute, 1, false)
		_, err3 := tx.ClaimBankOrders("", storetest.Monday, time.Minute, 1)
		return errors.Join(err1, err2, err3)
	})
}

// TestShardEveryStatementIsRun: what stands in the package's source as a statement was
// among those that were noted, or names its merchant as it stands, so that none
// escapes the test above.
func TestShardEveryStatementIsRun(t *testing.T) {
	ran := oneLine(strings.Join(slices.Concat(record(t, true), record(t, false)), "\n"))
	for _, literal := range literals(t) {
		if begin, _, _ := strings.Cut(oneLine(literal), "%"); !strings.Contains(ran, begin) && len(unnamed(literal)) > 0 {
			t.Errorf("is not noted: %s", oneLine(literal))
		}
	}
}

// theEnginesOwn are files whose statements set up, measure or move a database, and
// serve no request.
var theEnginesOwn = []string{"sqlite.go", "postgres.go", "postgres_tx.go", "plan.go", "distribute.go",
	"catalogue.go", "mark.go", "move.go", "place_postgres.go", "place_sqlite.go", "rowhash.go", "backup_postgres.go", "pgtool.go"}

var statement = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// literals are the statements, or their beginnings, in the package's source.
func literals(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(theEnginesOwn, name) {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && statement.MatchString(text) {
					out = append(out, text)
				}
			}
			return true
		})
	}
	if len(out) < 60 {
		t.Errorf("%d statements in the source", len(out))
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
