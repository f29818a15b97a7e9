package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// moveCmd takes a whole database to another place.
type moveCmd struct {
	From string `required:"" help:"Where the data is: sqlite:FILE or postgres://user@host/name."`
	To   string `help:"Where it shall be: a new file or an empty database, in the same notation."`
	Undo bool   `help:"Put the database at --from, which was moved to --to, back into service. Refused when the other has been written to since."`
	Gone bool   `help:"With --undo: the other database exists no more, so that nothing is compared. The server must not run on it."`
	JSON bool   `name:"json" help:"Answer in JSON."`
}

// databaseExitCodes tells them in the help of commands that work on a database themselves.
const databaseExitCodes = "A password belongs in PGPASSWORD or ~/.pgpass, because others can see the command line.\n\n" +
	"Exit codes: 0 done; 1 refused, or something is not as it must be; 2 the command line or a value in it is wrong; 3 a database cannot be reached or failed."

// Help says what is promised.
func (moveCmd) Help() string {
	return "Stop the server first. Everything is copied as of one moment, read back and compared: every row of every table and the trial balance. Where the books did not agree before, that is told as NOT RIGHT and ends nothing. " +
		"Then the old database is taken out of service, so that a server started on it by mistake refuses, and the new one is put into service. " +
		"A move that fails leaves the new place empty and the old one as it was. A move that is killed leaves a new place that refuses to serve: run the same command again.\n\n" + databaseExitCodes
}

// placeError is an error of a command that works on a database, with its exit code.
type placeError struct{ error }

// ExitCode is the exit code of the program.
func (e placeError) ExitCode() int {
	var bad serve.BadAddress
	switch {
	case errors.As(e.error, &bad):
		return exitUsage
	case errors.Is(e.error, serve.ErrUnavailable):
		return exitUnreachable
	}
	return exitFailed
}

// Unwrap returns the cause.
func (e placeError) Unwrap() error { return e.error }

// coded gives an error its exit code.
func coded(err error) error {
	if err == nil {
		return nil
	}
	return placeError{err}
}

// Run moves, or takes a move back.
func (cmd *moveCmd) Run(k *kong.Context) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := cmd.check(); err != nil {
		return &failure{exitUsage, err.Error()}
	}
	say := &progress{out: k.Stderr}
	if cmd.Undo {
		if err := serve.UndoMove(ctx, cmd.From, cmd.To, say.tell); err != nil {
			return coded(err)
		}
		return cmd.tellUndo(k.Stdout)
	}
	m, err := serve.Move(ctx, cmd.From, cmd.To, say.tell)
	if err != nil {
		return coded(err)
	}
	if cmd.JSON {
		return json.NewEncoder(k.Stdout).Encode(movedJSON(m))
	}
	return tellMove(k.Stdout, m)
}

// check refuses flags that do not go together.
func (cmd *moveCmd) check() error {
	switch {
	case cmd.Gone && !cmd.Undo:
		return errors.New("--gone goes with --undo")
	case cmd.Gone && cmd.To != "":
		return errors.New("--gone and --to contradict each other")
	case cmd.To == "" && !cmd.Gone:
		return errors.New("--to is missing")
	}
	return nil
}

// tellUndo says which database serves now, and which does not.
func (cmd *moveCmd) tellUndo(w io.Writer) error {
	from, to, err := serve.Named(cmd.From, cmd.To)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return json.NewEncoder(w).Encode(map[string]any{"in_service": from, "out_of_service": to})
	}
	return printed(w, func(line func(string, ...any)) {
		line("In service again:  %s", from)
		if to != "" {
			line("Out of service:    %s (it may be removed; to move there again it must be empty)", to)
		}
	})
}

func movedJSON(m *serve.Moved) map[string]any {
	out := map[string]any{"from": m.From, "to": m.To, "rows": m.Rows, "tables": m.Tables, "left_out": m.LeftOut, "take_along": append([]string{}, m.TakeAlong...), "moved_before": m.Before}
	if !m.Before {
		out["books"] = m.Books
	}
	return out
}

// tellMove says what was done and what is left to do.
func tellMove(w io.Writer, m *serve.Moved) error {
	return printed(w, func(line func(string, ...any)) {
		if m.Before {
			line("The move had been done before: %d rows in %d tables are the same on both sides.", m.Rows, len(m.Tables))
		} else {
			line("Moved %d rows in %d tables. Every row and the books are the same on both sides.", m.Rows, len(m.Tables))
			tellBooks(line, m.Books)
		}
		line("In service:      %s", m.To)
		line("Out of service:  %s (keep it until you are sure; holdfast move --undo takes it back)", m.From)
		left := make([]string, len(m.LeftOut))
		for i, o := range m.LeftOut {
			left[i] = o.Table
		}
		line("Left out:        %s, where they are: they belong to one database alone (--json says why)", strings.Join(left, ", "))
		for _, f := range m.TakeAlong {
			line("Take along:      %s into the data folder of the new server, which does not start with another one.", f)
		}
		if len(m.TakeAlong) == 0 {
			line("Take along:      the server's secret (secret.key, secret_file or secret_key). The new server does not start with another one.")
		}
		line("Take along:      the settings (file and environment variables).")
	})
}

// tellBooks prints a trial balance in a few lines.
func tellBooks(line func(string, ...any), b serve.BooksReport) {
	tellTrial(line, b.Accounts)
	line("  held for buyers  %16d", int64(b.Held))
	for _, p := range b.Problems {
		line("  NOT RIGHT: %s", p)
	}
}

// tellTrial prints debits and credits of each kind of account, in won.
func tellTrial(line func(string, ...any), accounts []serve.AccountReport) {
	line("  %-16s %16s %16s", "account", "debits", "credits")
	for _, a := range accounts {
		line("  %-16s %16d %16d", strings.TrimSuffix(a.Account, ":"), int64(a.Debits), int64(a.Credits))
	}
}

// progress prints how far a long step has come, at most every tellEvery.
type progress struct {
	out   io.Writer
	step  string
	began time.Time
	last  time.Time
	first int64 // what was done when the step was first told of
}

const (
	tellEvery = 2 * time.Second
	// rateAfter is after how many seconds a rate says something.
	rateAfter = 0.5
)

// tell prints rows, percent and rate.
func (p *progress) tell(x serve.Progress) {
	now := clock.Real{}.Now()
	if x.Step != p.step {
		p.step, p.began, p.last, p.first = x.Step, now, now, x.Done
	}
	if now.Sub(p.last) < tellEvery && x.Done != x.Total {
		return
	}
	p.last = now
	text := fmt.Sprintf("%s: %d %s", x.Step, x.Done, x.Unit)
	if x.Total > 0 {
		text = fmt.Sprintf("%s: %d of %d %s (%d %%)", x.Step, x.Done, max(x.Done, x.Total), x.Unit, min(x.Done*100/x.Total, 100))
	}
	if passed := now.Sub(p.began).Seconds(); passed >= rateAfter {
		text += fmt.Sprintf(", %.0f %s/s", float64(x.Done-p.first)/passed, x.Unit)
	}
	if x.Table != "" && x.Done != x.Total {
		text += ", at " + x.Table
	}
	_, _ = fmt.Fprintln(p.out, text) // progress is no result
}
