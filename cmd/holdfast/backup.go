package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// backupCmd writes a backup of a server that may be running.
type backupCmd struct {
	databaseFlags
	To   string `required:"" type:"path" help:"The file to write. An existing one is never overwritten."`
	JSON bool   `name:"json" help:"Answer in JSON."`
}

// Help says what is written, and what is not.
func (backupCmd) Help() string {
	return "The server may be running; nobody waits for the backup. It is of one moment, is read back and verified (integrity, rows, trial balance), and gets its name last. Where the books in it do not agree, that is told as NOT RIGHT and ends nothing. " +
		"FILE.manifest.json beside it says what is in it. For PostgreSQL pg_dump writes it, of the server's version or newer. " +
		"The server's secret (secret.key) and settings are not in it: keep them in another place. See docs/backup.md.\n\n" + databaseExitCodes
}

// Run writes the backup.
func (cmd *backupCmd) Run(k *kong.Context) error {
	c, err := cmd.settings()
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	say := &progress{out: k.Stderr}
	b, err := serve.Backup(ctx, c, cmd.To, say.tell)
	if err != nil {
		return coded(err)
	}
	if cmd.JSON {
		return json.NewEncoder(k.Stdout).Encode(map[string]any{
			"file": b.File, "manifest": b.Manifest, "from": b.From, "bytes": b.Bytes, "sha256": b.SHA256, "rows": b.Rows, "tables": b.Tables, "books": b.Books,
			"keys": append([]string{}, b.Keys...),
		})
	}
	return printed(k.Stdout, func(line func(string, ...any)) {
		line("Backed up %d rows in %d tables, %d bytes, and verified them.", b.Rows, len(b.Tables), b.Bytes)
		tellBooks(line, b.Books)
		line("Backup:    %s", b.File)
		line("Manifest:  %s", b.Manifest)
		for _, f := range b.Keys {
			line("Keep too:  %s, in another place than the backup; it is not in it.", f)
		}
		if len(b.Keys) == 0 {
			line("Keep too:  the server's secret (secret.key, secret_file or secret_key), in another place than the backup; it is not in it.")
		}
		line("Keep too:  the settings (file and environment variables).")
	})
}

// restoreCmd puts a backup into an empty place.
type restoreCmd struct {
	databaseFlags
	From string `required:"" type:"existingfile" help:"The backup. Its manifest is looked for beside it."`
	JSON bool   `name:"json" help:"Answer in JSON."`
}

// Help says what is promised.
func (restoreCmd) Help() string {
	return "The place (the database of the settings) must be new or empty, and no server may run on it. The backup is verified against its manifest before it is put into service: " +
		"the file, the schema, every row, the trial balance. Where the books in it do not agree, that is told as NOT RIGHT and ends nothing: holdfast books verify is the command with an exit code for that. A restore that fails or is killed leaves a place that does not serve: run the same command again. See docs/backup.md.\n\n" + databaseExitCodes
}

// Run restores.
func (cmd *restoreCmd) Run(k *kong.Context) error {
	c, err := cmd.settings()
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	say := &progress{out: k.Stderr}
	r, err := serve.Restore(ctx, c, cmd.From, say.tell)
	if err != nil {
		return coded(err)
	}
	if cmd.JSON {
		return json.NewEncoder(k.Stdout).Encode(map[string]any{
			"to": r.To, "rows": r.Rows, "tables": r.Tables, "books": r.Books, "compared_with_manifest": r.Compared, "steps": append([]serve.Migration{}, r.Steps...), "needs_key": r.NeedsKey,
		})
	}
	return printed(k.Stdout, func(line func(string, ...any)) {
		line("Restored %d rows in %d tables to %s.", r.Rows, len(r.Tables), r.To)
		if r.Compared {
			line("Every row and the books are those of the manifest.")
		} else {
			line("NOT COMPARED: there is no manifest beside the backup. It could be read, and its books were gone through; whether all of it is what was backed up, nobody knows.")
		}
		tellBooks(line, r.Books)
		for _, m := range r.Steps {
			line("Schema:    step %05d %s was missing and has been taken.", m.Version, m.Name)
		}
		if r.NeedsKey != "" {
			line("Missing:   %s: put the server's secret there before you start. The server does not start with another one.", r.NeedsKey)
		}
	})
}

// printed writes lines at once.
func printed(w io.Writer, tell func(line func(string, ...any))) error {
	var b strings.Builder
	tell(func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) })
	_, err := io.WriteString(w, b.String())
	return err
}
