package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// noActs are the functions that write by themselves and not as an act of a request
// with a key, and why.
var noActs = map[string]string{
	"act":              "is what makes an act",
	"claimOnce":        "begins the request itself",
	"AnswerOnce":       "ends it",
	"freeOnce":         "ends it",
	"KeepOnces":        "keeps it",
	"forgetOnces":      "forgets it",
	"recounting":       "a lease",
	"agreeOnSecret":    "a start",
	"Maintain":         "a loop",
	"claim":            "a loop takes work",
	"WebhookDone":      "a loop brings an outcome",
	"MarkAsked":        "a loop brings an outcome",
	"PayoutHeld":       "a loop holds a payout back",
	"OrderUnknown":     "makes an order due again, however often",
	"OrderAnswered":    "a loop brings an outcome",
	"PayoutResult":     "a loop brings an outcome",
	"tick":             "time",
	"PostponeTracking": "a loop",
	"TakeTracking":     "a loop takes work",
	"Settle":           "a loop",
	"calendarChanged":  "waits for decisions that are under way",
	"TakeClock":        "a lease",
	"GiveClock":        "a lease",
	"MoveClock":        "moves a clock to an instant, however often",
	"IssueToken":       "has no credentials yet to which a key could belong",
	"newLogin":         "has no credentials yet to which a key could belong",
	"Commit":           "a browser's session",
	"Delete":           "a browser's session",
	"take":             "the audit of the books",
	"Leave":            "the audit of the books",
	"keep":             "the audit of the books",
}

// TestWritesAreActs: whatever a request may cause through the door is written as an
// act, so that a repetition does not do it again. A new function that writes is an
// act, or stands above with a reason.
func TestWritesAreActs(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && writesItself(fn) {
				found[fn.Name.Name] = true
				if noActs[fn.Name.Name] == "" {
					t.Errorf("%s in %s writes and is no act of its request: use act or write", fn.Name.Name, name)
				}
			}
		}
	}
	for name := range noActs {
		if !found[name] {
			t.Errorf("%s is excused and does not write", name)
		}
	}
}

// writesItself reports whether a function calls store.Write.
func writesItself(fn *ast.FuncDecl) (writes bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.SelectorExpr)
		if ok && call.Sel.Name == "Write" {
			inner, ok := call.X.(*ast.SelectorExpr)
			writes = writes || (ok && inner.Sel.Name == "store")
		}
		return true
	})
	return writes
}
