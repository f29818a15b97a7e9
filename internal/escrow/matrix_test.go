package escrow_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

var update = flag.Bool("update", false, "write the golden files anew")

const matrixHead = `# Every state x every command, with an actor who may give it and the profile of a shop that has chosen nothing.
#
#   command              -> next state    events / mails / money (from->to won) / bank orders / lines / payout
#   command              = nothing changes
#   command              ! code           the refusal
#
# Written by: go test ./internal/escrow -run TestMatrix -update
`

// TestMatrix holds what every command does in every state against the golden
// file. A change of a rule shows as a change of its lines.
func TestMatrix(t *testing.T) {
	var b strings.Builder
	b.WriteString(matrixHead)
	for _, s := range stands() {
		fmt.Fprintf(&b, "\n== %s\n", s.name)
		rows := len(s.to(newWorld(t)).fitting())
		for i := range rows {
			w := s.to(newWorld(t))
			b.WriteString(matrixRow(w, w.fitting()[i]))
		}
	}
	golden(t, "matrix.golden", b.String())
}

func matrixRow(w *world, a asked) string {
	if a.name == "tick when due" && !w.p.WakeAt.IsZero() {
		w.env.Now = w.p.WakeAt
	}
	d, err := w.ask(a.actor, a.cmd)
	var r *escrow.Refusal
	switch {
	case errors.As(err, &r):
		return fmt.Sprintf("%-26s ! %s\n", a.name, r.Code)
	case err != nil:
		return fmt.Sprintf("%-26s FAULT %v\n", a.name, err)
	case d.Unchanged:
		return fmt.Sprintf("%-26s =\n", a.name)
	}
	return strings.TrimRight(fmt.Sprintf("%-26s -> %-18s %s", a.name, d.Next.State, consequences(d)), " ") + "\n"
}

// consequences names what a decision owes, each kind only when there is some.
func consequences(d escrow.Decision) string {
	parts := []string{eventWords(d)}
	add := func(label, words string) {
		if words != "" {
			parts = append(parts, label+" "+words)
		}
	}
	add("mails", mailWords(d))
	add("money", moveWords(d))
	for _, o := range d.Orders {
		add("order", fmt.Sprintf("%s %d", o.Key, o.Amount))
	}
	for _, l := range d.Lines {
		add("line", fmt.Sprintf("%s %d due %s", l.Kind, l.Net, l.DueDate))
	}
	if d.PayoutHold != nil {
		add("payout", map[bool]string{true: "withheld", false: "freed"}[*d.PayoutHold])
	}
	return strings.Join(parts, " / ")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := lineAt(gotLines, i), lineAt(wantLines, i)
		if g != w {
			t.Errorf("%s line %d:\n got %s\nwant %s", name, i+1, g, w)
		}
	}
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// TestMatrixIsComplete holds the matrix to its name.
func TestMatrixIsComplete(t *testing.T) {
	verbs := map[string]bool{}
	for _, a := range newWorld(t).fitting() {
		verbs[a.cmd.Verb()] = true
	}
	for _, c := range everyCommand() {
		if !verbs[c.Verb()] {
			t.Errorf("the matrix has no row for %s", c.Verb())
		}
	}
	seen := map[escrow.State]bool{}
	for _, s := range stands() {
		seen[s.to(newWorld(t)).p.State] = true
	}
	for _, s := range escrow.States() {
		if !seen[s] {
			t.Errorf("the matrix has no rows for %s", s)
		}
	}
}

func everyCommand() []escrow.Command {
	return []escrow.Command{
		escrow.Open{}, escrow.Choose{}, escrow.IssueAccount{}, escrow.AmendAccount{}, escrow.CloseAccount{}, escrow.Approve{}, escrow.Fail{},
		escrow.NotifyDeposit{}, escrow.ReverseDeposit{}, escrow.AcceptLate{}, escrow.ReturnSuspense{}, escrow.RegisterDelivery{}, escrow.AmendDelivery{},
		escrow.ReportTracking{}, escrow.MarkDelivered{}, escrow.NoticeResult{}, escrow.RenewLink{}, escrow.Confirm{}, escrow.Reject{},
		escrow.WithdrawRejection{}, escrow.AcceptRejection{}, escrow.Contest{}, escrow.DecideDispute{}, escrow.ReceiveReturn{},
		escrow.AskCancel{}, escrow.Cancel{}, escrow.GiveRefundAccount{}, escrow.RefundResult{}, escrow.AskWithdrawal{}, escrow.PlaceHold{},
		escrow.ReleaseHold{}, escrow.ResolveTask{}, escrow.Announce{}, escrow.Recount{}, escrow.Tick{},
	}
}

// TestReachability walks from nothing through every command and asks that every
// state is found and that every state that is not final has a way out.
func TestReachability(t *testing.T) {
	out := map[escrow.State]map[escrow.State]bool{}
	todo := []*world{newWorld(t)}
	seen := map[string]bool{}
	for len(todo) > 0 && len(seen) < maxWalk {
		w := todo[0]
		todo = todo[1:]
		for _, a := range append(w.fitting(), alternatives()...) {
			next := *w
			if a.name == "tick when due" && !w.p.WakeAt.IsZero() {
				next.env.Now = w.p.WakeAt
			}
			d, err := next.ask(a.actor, a.cmd)
			if err != nil || d.Unchanged {
				continue
			}
			next.store(d)
			if out[w.p.State] == nil {
				out[w.p.State] = map[escrow.State]bool{}
			}
			out[w.p.State][next.p.State] = true
			if key := footprint(&next); !seen[key] {
				seen[key] = true
				todo = append(todo, &next)
			}
		}
	}
	final := []escrow.State{escrow.Failed, escrow.Confirmed, escrow.Cancelled}
	for _, s := range escrow.States() {
		if len(out[s]) == 0 && !slices.Contains(final, s) {
			t.Errorf("%s was not reached, or nothing can be done in it", s)
		}
		leaves := false
		for to := range out[s] {
			leaves = leaves || to != s
		}
		// A rejection that was accepted ends in its own state, with the money gone.
		if !leaves && !slices.Contains(final, s) {
			t.Errorf("%s has no way out", s)
		}
	}
	for _, s := range final {
		if !slices.ContainsFunc(escrow.States(), func(from escrow.State) bool { return out[from][s] }) {
			t.Errorf("%s was not reached", s)
		}
	}
}

// maxWalk bounds the walk of the reachability test, in distinct payments.
const maxWalk = 400

// alternatives are commands that lead where the fitting ones do not.
func alternatives() []asked {
	return []asked{
		{"open card", escrow.Shop, opening(escrow.Card, false)},
		{"choose card", escrow.Buyer, escrow.Choose{Method: escrow.Card}},
	}
}

// footprint says what makes two payments different for the walk.
func footprint(w *world) string {
	p := w.p
	return fmt.Sprint(p.State, p.Escrow, p.Method, p.Delivery != nil, p.Notice, p.Hold != nil, p.Dispute != nil, p.Return,
		p.Refunded > 0, p.Deadline != nil, len(p.Refunds) > 0, p.Grounds)
}
