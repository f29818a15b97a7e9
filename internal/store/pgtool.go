package store

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// pgTool is one of PostgreSQL's own programs, of a version that suits the server.
type pgTool struct {
	path string
	dsn  string // without a password
	env  []string
}

// debianTools is where Debian keeps the programs of every version.
const debianTools = "/usr/lib/postgresql/*/bin/"

// findTool looks for a program on PATH and where Debian keeps them. Its version
// must be at least the server's: an older pg_dump refuses a newer server.
func findTool(ctx context.Context, name string, least int) (string, error) {
	var paths, have []string
	if path, err := exec.LookPath(name); err == nil {
		paths = append(paths, path)
	}
	more, err := filepath.Glob(debianTools + name)
	if err != nil {
		return "", err
	}
	for _, path := range append(paths, more...) {
		version, err := toolVersion(ctx, path)
		if err == nil && version >= least {
			return path, nil
		}
		have = append(have, fmt.Sprintf("%s is of version %d", path, version))
	}
	return "", fmt.Errorf("%s of PostgreSQL %d or newer is needed, on PATH or below /usr/lib/postgresql (%s); Debian: apt-get install postgresql-client",
		name, least, cmp.Or(strings.Join(have, ", "), "none is there"))
}

// versionIn finds the major version in what a program says of itself.
var versionIn = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func toolVersion(ctx context.Context, path string) (int, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0, err
	}
	found := versionIn.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("%s does not say its version", path)
	}
	return strconv.Atoi(string(found[1]))
}

// tool finds a program for the server of a place, and how it connects.
func (p *pgPlace) tool(a Address, name string) (*pgTool, error) {
	version, err := one(&queries{ex: p, classify: p.classify}, scalar[int64], `SELECT current_setting('server_version_num')::bigint`)
	if err != nil {
		return nil, err
	}
	path, err := findTool(p.ctx, name, int(version/10000))
	if err != nil {
		return nil, err
	}
	dsn, settings, err := forTools(a.dsn)
	env := append(os.Environ(), "PGPASSWORD="+p.e.config.Password, "PGAPPNAME="+moverName)
	if settings != "" {
		env = append(env, "PGOPTIONS="+settings)
	}
	return &pgTool{path: path, dsn: dsn, env: env}, err
}

// ours are parameters of a connection string that the driver of this program
// reads and PostgreSQL's own programs refuse.
var ours = []string{"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity"}

// forTools is a connection URL as PostgreSQL's own programs take it: without the
// password, and with settings of the session as options.
func forTools(dsn string) (clean, options string, err error) {
	u, err := url.Parse(dsn)
	if err != nil || !strings.Contains(dsn, "://") {
		return "", "", errors.New("PostgreSQL's own programs are driven with a URL: write the database as postgres://user@host/name")
	}
	c, err := postgresConfig(dsn)
	if err != nil {
		return "", "", err
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	q.Del("password")
	for k := range q {
		_, session := c.ConnConfig.RuntimeParams[k]
		switch {
		case strings.HasPrefix(k, "pool_") || slices.Contains(ours, k):
			q.Del(k)
		case session && k != "application_name" && k != "options":
			options += " -c " + k + "=" + optionText.Replace(q.Get(k))
			q.Del(k)
		}
	}
	if strings.Contains(u.Host, ",") && !q.Has("target_session_attrs") {
		q.Set("target_session_attrs", "read-write")
	}
	u.RawQuery = q.Encode()
	return u.String(), strings.TrimSpace(options), nil
}

// optionText writes a value for PGOPTIONS.
var optionText = strings.NewReplacer(`\`, `\\`, " ", `\ `)

// keptLines is how much of what a program says is told when it fails.
const keptLines = 5

// run drives the program and tells of every table that it comes to. tables is how
// many there will be, as far as that is known; 0 when it is not.
func (t *pgTool) run(ctx context.Context, step string, tables int, say func(Progress), args ...string) error {
	cmd := exec.CommandContext(ctx, t.path, append([]string{"--verbose", "--no-password", "--dbname=" + t.dsn}, args...)...)
	cmd.Env = t.env
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var last []string
	done := int64(0)
	for lines := bufio.NewScanner(errs); lines.Scan(); {
		last = append(last, lines.Text())
		last = last[max(0, len(last)-keptLines):]
		if found := tableIn.FindStringSubmatch(lines.Text()); found != nil {
			done++
			if say != nil {
				say(Progress{Step: step, Unit: "tables", Table: found[1], Done: done, Total: int64(tables)})
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", t.path, err, strings.Join(last, "\n"))
	}
	return nil
}

// tableIn finds the table in what pg_dump and pg_restore say with --verbose.
var tableIn = regexp.MustCompile(`(?:dumping contents of table|processing data for table) "(?:.*\.)?([^".]+)"`)
