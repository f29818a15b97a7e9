package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// lifeSQL is the life as PostgreSQL's own load generator runs it.
//
//go:embed life.sql
var lifeSQL []byte

// pgbenchThreads is as many as there are cores on the machine that is measured mostly.
const pgbenchThreads = 2

// pgbench enters PostgreSQL's own load generator with a script of the same rows.
// Nothing is done where it is not installed.
func (f *field) pgbench(ctx context.Context, t *template) error {
	if f.pg == nil {
		return nil
	}
	bin, err := pgtest.Binaries()
	if err != nil {
		return err
	}
	program := filepath.Join(bin, "pgbench")
	if _, err := os.Stat(program); err != nil {
		f.b.say("Not measured: pgbench (%v).", err)
		return nil
	}
	url, err := f.pg.Create("pgbench")
	if err != nil {
		return err
	}
	if err := prepareLife(ctx, url, t); err != nil {
		return err
	}
	script := filepath.Join(f.b.dir, "life.sql")
	if err := os.WriteFile(script, lifeSQL, 0o600); err != nil {
		return err
	}
	g := &generator{program: program, script: script, logs: filepath.Join(f.b.dir, "pgbench"), host: f.pg.Dir, port: f.pg.Port}
	inserted, _ := t.rows()
	f.closers = append(f.closers, func() error { return sameRows(ctx, url, inserted) })
	f.all = append(f.all, &contender{name: "pgbench, bench/life.sql, a commit per step", run: g.run, found: map[int]*outcome{}})
	return nil
}

// prepareLife makes the schema and keeps the recorded texts where the script finds them.
func prepareLife(ctx context.Context, url string, t *template) error {
	s, err := store.OpenPostgres(ctx, url, store.PostgresOptions{})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `CREATE SEQUENCE life_position CACHE 100; CREATE TABLE life_text (name TEXT PRIMARY KEY, body TEXT)`); err != nil {
		return err
	}
	for name, body := range t.longTexts() {
		if _, err := conn.Exec(ctx, `INSERT INTO life_text VALUES ($1, $2)`, name, body); err != nil {
			return err
		}
	}
	return nil
}

// sameRows fails when the script does not leave as many rows as a life does.
func sameRows(ctx context.Context, url string, inserted int) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var lives, rows int
	err = conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM payment), (SELECT count(*) FROM payment) + (SELECT count(*) FROM directory) + (SELECT count(*) FROM event)
		+ (SELECT count(*) FROM transfer) + (SELECT count(*) FROM mail) + (SELECT count(*) FROM settlement_line) + (SELECT count(*) FROM sandbox_record)`).Scan(&lives, &rows)
	if err == nil && rows != lives*inserted {
		err = fmt.Errorf("bench/life.sql left %d rows of %d lives; a life leaves %d", rows, lives, inserted)
	}
	return err
}

// longTexts are the texts of a life that a script does not spell out, by column
// and step.
func (t *template) longTexts() map[string]string {
	out := map[string]string{}
	own := namesOf(0)
	for i, step := range t.steps {
		for _, c := range step {
			for j, column := range c.columns {
				if text, is := c.cells[j].value(&own, func() int64 { return 0 }).(string); is && (c.table == "payment" || c.table == "mail") {
					out[fmt.Sprintf("%s.%s.%d", c.table, column, i)] = text
				}
			}
		}
	}
	return out
}

// generator runs pgbench.
type generator struct {
	program, script, logs, host string
	port, runs                  int
}

func (g *generator) run(ctx context.Context, clients int, warm, span time.Duration) (*tally, error) {
	if _, err := g.once(ctx, clients, max(warm, time.Second)); err != nil { // the warm-up
		return nil, err
	}
	return g.once(ctx, clients, max(span, time.Second))
}

func (g *generator) once(ctx context.Context, clients int, span time.Duration) (*tally, error) {
	g.runs++
	prefix := fmt.Sprintf("%s-%d", g.logs, g.runs)
	threads := min(clients, pgbenchThreads)
	cmd := exec.CommandContext(ctx, g.program, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", strconv.Itoa(threads),
		"-T", strconv.Itoa(int(span.Seconds())), "-f", g.script, "-l", "--log-prefix", prefix, "-h", g.host, "-p", strconv.Itoa(g.port), "-U", "postgres", "pgbench")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	logs, err := filepath.Glob(prefix + ".*")
	t := &tally{span: span}
	for _, name := range logs {
		if err := errors.Join(t.addLog(name), os.Remove(name)); err != nil {
			return nil, err
		}
	}
	t.all = int64(len(t.lives))
	return t, err
}

// addLog reads pgbench's log: client, number, microseconds, and what is not needed.
func (t *tally) addLog(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			return fmt.Errorf("pgbench logged %q", lines.Text())
		}
		us, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return err
		}
		t.lives = append(t.lives, time.Duration(us)*time.Microsecond)
	}
	return lines.Err()
}
