package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// booksCmd looks after the books.
type booksCmd struct {
	Verify  booksVerifyCmd  `cmd:"" help:"Verify every row of the books, in the database of the settings, a backup or another one."`
	Status  booksStatusCmd  `cmd:"" help:"Show what the auditor of a running server has found."`
	Release booksReleaseCmd `cmd:"" help:"Let payouts go on that a violation of the books has stopped."`
	Held    booksHeldCmd    `cmd:"" help:"Report the money held at the end of each day."`
}

// booksVerifyCmd walks through all books once.
type booksVerifyCmd struct {
	databaseFlags
	At    string `placeholder:"ADDRESS" help:"Another database than that of the settings: sqlite:FILE, such as a restored backup, or postgres://user@host/name."`
	Heads string `placeholder:"FILE" help:"The --json answer of an earlier run: the ends of its chains must still be there, so that nothing was cut off since."`
	JSON  bool   `name:"json" help:"Answer in JSON, with the heads for a later run."`
}

// Help says what is promised.
func (booksVerifyCmd) Help() string {
	return "Nothing is changed, and a server may be running. Verified are the chains of hashes of every merchant's events and transfers, and every payment and payout " +
		"against its transfers, events, settlement lines and bank orders.\n\n" + databaseExitCodes
}

// Run verifies; a violation is exit code 1.
func (cmd *booksVerifyCmd) Run(k *kong.Context) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := cmd.settings()
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	known, err := cmd.known()
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	say := &walked{out: k.Stderr, last: clock.Real{}.Now()}
	v, err := serve.VerifyBooks(ctx, c, cmd.At, known, say.tell)
	if err != nil {
		return coded(err)
	}
	if cmd.JSON {
		err = json.NewEncoder(k.Stdout).Encode(v)
	} else {
		err = tellVerification(k.Stdout, v)
	}
	if err == nil && len(v.Violations) > 0 {
		err = &failure{exitFailed, fmt.Sprintf("the books do not agree in %d places", len(v.Violations))}
	}
	return err
}

func (cmd *booksVerifyCmd) known() (_ []serve.BooksHead, err error) {
	if cmd.Heads == "" {
		return nil, nil
	}
	f, err := os.Open(cmd.Heads)
	if err != nil {
		return nil, fmt.Errorf("--heads: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	heads, err := serve.ReadHeads(f)
	if err != nil {
		return nil, fmt.Errorf("--heads: %s is no answer of holdfast books verify --json: %w", cmd.Heads, err)
	}
	return heads, nil
}

// walked tells from time to time how far a walk has come.
type walked struct {
	out  io.Writer
	last time.Time
}

func (w *walked) tell(rows int64, merchant string) {
	if now := (clock.Real{}).Now(); now.Sub(w.last) >= tellEvery {
		w.last = now
		_, _ = fmt.Fprintf(w.out, "%d rows, at merchant %s\n", rows, merchant) // progress is no result
	}
}

// tellVerification prints what a person reads. The ends of chains are for --json:
// there may be thousands of them.
func tellVerification(out io.Writer, v *serve.Verification) error {
	var events, transfers int64
	for _, h := range v.Heads {
		events, transfers = events+h.Position, transfers+h.Transfer
	}
	return printed(out, func(line func(string, ...any)) {
		for _, x := range v.Violations {
			line("VIOLATION %s", x.Text)
		}
		if v.Cut {
			line("... and more")
		}
		tellTrial(line, v.Trial)
		line("Verified %d rows, among them %d events and %d transfers, of %d merchants: %d violations.", v.Rows, events, transfers, len(v.Heads), len(v.Violations))
	})
}

// booksStatusCmd asks a running server.
type booksStatusCmd struct {
	adminFlags
	JSON bool `name:"json" help:"Print the server's answer as JSON."`
}

// Help tells what the list means, and the exit codes.
func (booksStatusCmd) Help() string {
	return "What was found is listed until it is released, also when it was put right since: then the time at which it was last seen stays behind that of the last verification of all.\n\n" +
		clientExitCodes
}

// booksReleaseCmd takes the stop away.
type booksReleaseCmd struct {
	adminFlags
	Reason string `required:"" help:"Why payouts may go on; it stands in the audit log."`
	JSON   bool   `name:"json" help:"Print the server's answer as JSON."`
}

// Help tells what it means.
func (booksReleaseCmd) Help() string {
	return "A place that was released stops nothing any more for as long as the same stands there. See docs/books.md first.\n\n" + clientExitCodes
}

// Run shows how the audit stands; open violations are exit code 1.
func (cmd *booksStatusCmd) Run(k *kong.Context) error {
	client, err := cmd.client(k.Stdout)
	if err != nil {
		return err
	}
	client.json = cmd.JSON
	var raw json.RawMessage
	if err := client.call(http.MethodGet, []string{"books", "audit"}, "", nil, &raw); err != nil {
		return err
	}
	var v struct {
		Stopped, Behind bool
		VerifiedAt      string
		Violations      []struct{ Merchant, Kind, Of, Ref, Want, Got, FoundAt, SeenAt string }
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	err = client.print(raw, func(w io.Writer) error {
		if len(v.Violations) > 0 {
			if _, err := fmt.Fprintln(w, "found at\tlast seen\tmerchant\twhat\tof\tpayment or payout\tshould be\tis"); err != nil {
				return err
			}
		}
		for _, x := range v.Violations {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.FoundAt, x.SeenAt, x.Merchant, x.Kind, x.Of, x.Ref, x.Want, x.Got); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(w, "payouts stopped: %t; all verified at: %s; new rows wait: %t\n", v.Stopped, cmp.Or(v.VerifiedAt, "never"), v.Behind)
		return err
	})
	if err == nil && v.Stopped {
		err = &failure{exitFailed, "the books do not agree; payouts are stopped. What to do is in docs/books.md; holdfast books release --reason \"...\" lets payouts go on"}
	}
	return err
}

// Run releases payouts.
func (cmd *booksReleaseCmd) Run(k *kong.Context) error {
	client, err := cmd.client(k.Stdout)
	if err != nil {
		return err
	}
	client.json = cmd.JSON
	var raw json.RawMessage
	if err := client.call(http.MethodPost, []string{"books", "release"}, "", map[string]string{"reason": cmd.Reason}, &raw); err != nil {
		return err
	}
	var v struct{ Released int64 }
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	return client.print(raw, func(w io.Writer) error {
		if v.Released == 0 {
			_, err := fmt.Fprintln(w, "nothing was to be released; payouts are not stopped")
			return err
		}
		_, err := fmt.Fprintf(w, "%d violations released; payouts go on\n", v.Released)
		return err
	})
}

// booksHeldCmd is the report of held money.
type booksHeldCmd struct {
	adminFlags
	From     string `required:"" placeholder:"DATE" help:"The first Korean day."`
	To       string `required:"" placeholder:"DATE" help:"The last Korean day."`
	Merchant string `placeholder:"ID" help:"One shop alone, by its id (mrc_...) or shop code."`
	CSV      bool   `name:"csv" help:"Answer as CSV with a line of titles."`
	JSON     bool   `name:"json" help:"Print the server's answer as JSON."`
}

// Help tells what is counted.
func (booksHeldCmd) Help() string {
	return "The money held for buyers at the end of each Korean day, from the ledger, with the part that must be kept outside. Days on which nothing was held and nothing moved are left out. A test shop's days are those of its test clock.\n\n" + clientExitCodes
}

// Run prints the report.
func (cmd *booksHeldCmd) Run(k *kong.Context) error {
	client, err := cmd.client(k.Stdout)
	if err != nil {
		return err
	}
	client.json = cmd.JSON
	query := url.Values{"from": {cmd.From}, "to": {cmd.To}}
	if cmd.Merchant != "" {
		query.Set("merchant", cmd.Merchant)
	}
	var raw json.RawMessage
	if err := client.call(http.MethodGet, []string{"books", "held", "days"}, query.Encode(), nil, &raw); err != nil {
		return err
	}
	var v struct {
		Days []struct {
			Merchant, Date  string
			Held, Safeguard int64
			MonthEnd        bool
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	between := "\t"
	if cmd.CSV {
		between = ","
	}
	return client.print(raw, func(w io.Writer) error {
		var b strings.Builder
		b.WriteString(strings.Join([]string{"merchant", "date", "held", "safeguard", "month_end"}, between) + "\n")
		for _, d := range v.Days {
			fmt.Fprintln(&b, strings.Join([]string{d.Merchant, d.Date, strconv.FormatInt(d.Held, 10), strconv.FormatInt(d.Safeguard, 10), strconv.FormatBool(d.MonthEnd)}, between))
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}
