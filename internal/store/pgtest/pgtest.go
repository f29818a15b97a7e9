// Package pgtest gives tests a PostgreSQL server of their own, from the binaries
// that Debian's package postgresql installs.
//
// The server is durable as a real one is (fsync on, checksums), listens on a
// socket in a temporary folder and on a free port of the loopback address, and
// ends with the process that started it, also when that is killed. One server
// serves all tests of a package; each test gets a database of its own.
//
// Where the binaries are missing, tests are skipped with the reason; with CI set
// they fail, because there they have been promised.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// leastVersion is the first PostgreSQL that Holdfast runs on.
	leastVersion = 15
	// readyLimit bounds the start of a server, which may replay its log first.
	readyLimit = time.Minute
	readyPause = 20 * time.Millisecond
)

// Binaries returns the folder with initdb and postgres, or says why there is none.
func Binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.Sort(found)
	for _, path := range slices.Backward(found) {
		dir := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && version >= leastVersion {
			return dir, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL %d or newer is not installed below /usr/lib/postgresql (Debian: apt-get install postgresql)", leastVersion)
}

var shared struct {
	sync.Once
	*Server
	err error
}

var databases atomic.Int64

// Database returns the connection URL of a new, empty database on the server
// that the tests of the package share.
func Database(t testing.TB) string {
	t.Helper()
	return server(t).Database(t)
}

// Prepared is Database with what prepare puts into it. It is done once, and every
// other test gets a copy.
func Prepared(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	s := server(t)
	s.prepare.Do(func() {
		if s.unprepared = s.exec(context.Background(), "CREATE DATABASE "+template); s.unprepared == nil {
			s.unprepared = prepare(s.URL(template))
		}
	})
	if s.unprepared != nil {
		t.Fatalf("prepare a database: %v", s.unprepared)
	}
	return s.create(t, " TEMPLATE "+template)
}

// template is the database of which Prepared makes copies.
const template = "prepared"

func server(t testing.TB) *Server {
	t.Helper()
	Need(t)
	shared.Do(func() { shared.Server, shared.err = Start() })
	if shared.err != nil {
		t.Fatalf("start PostgreSQL: %v", shared.err)
	}
	return shared.Server
}

// Need skips the test where PostgreSQL is missing, or fails it with CI set.
func Need(t testing.TB) {
	t.Helper()
	_, err := Binaries()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// Server is a running server.
type Server struct {
	Dir  string // the data folder is below it, and the socket in it
	Port int

	bin     string
	owner   *syscall.Credential // nil: the present user
	options []string
	process *exec.Cmd
	keeper  io.Closer // as long as it is open, the folder stays

	prepare    sync.Once
	unprepared error
}

// Start makes a database cluster in a temporary folder and starts a server on
// it. Options are settings of the form name=value.
func Start(options ...string) (*Server, error) {
	bin, err := Binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, options: options}
	if s.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.Dir, err = os.MkdirTemp("", "holdfast-pg-"); err != nil {
		return nil, err
	}
	if s.Port, err = freePort(); err == nil {
		err = s.keep()
	}
	if err == nil {
		err = s.run("initdb", "-D", s.data(), "-k", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--no-instructions", "--locale=C.UTF-8")
	}
	if err == nil {
		err = s.Launch()
	}
	return s, err
}

// StartFor is Start for one test, with the server stopped at its end.
func StartFor(t testing.TB, options ...string) *Server {
	t.Helper()
	Need(t)
	s, err := Start(options...)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(s.Stop)
	return s
}

// unprivileged is who runs the server when root must not: Debian's user postgres.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
	return port, l.Close()
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...) //nolint:noctx // Debian's own binaries; they end with the process
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true}
	return cmd
}

func (s *Server) run(name string, args ...string) error {
	out, err := s.command(filepath.Join(s.bin, name), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// keep starts a shell that waits for this process to end, in whatever way, and
// then stops the server and removes its folder.
func (s *Server) keep() error {
	if s.owner != nil {
		if err := os.Chown(s.Dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return err
		}
	}
	cmd := s.command("/bin/sh", "-c", `read -r end; [ -f "$1/data/postmaster.pid" ] && kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"; rm -rf "$1"; sleep 1; rm -rf "$1"`, "keeper", s.Dir)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	s.keeper = pipe
	return cmd.Start() // nobody waits for it: it outlives this process
}

// Launch starts the server, again after Kill, and waits until it answers.
func (s *Server) Launch() error {
	args := []string{"-D", s.data(), "-k", s.Dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port)}
	for _, o := range slices.Concat([]string{"max_connections=200", "shared_buffers=64MB", "deadlock_timeout=200ms"}, s.options) {
		args = append(args, "-c", o)
	}
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own
	s.process = s.command(filepath.Join(s.bin, "postgres"), args...)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyLimit)
	defer cancel()
	for {
		err := s.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, text)
		case <-time.After(readyPause):
		}
	}
}

// Kill ends the server at once, as a crash does (immediate shutdown).
func (s *Server) Kill() error {
	if err := s.process.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	_ = s.process.Wait() // it was killed
	return nil
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() {
	if s.process != nil && s.process.ProcessState == nil {
		_ = s.Kill() // it is thrown away
	}
	_ = s.keeper.Close() // the keeper does the rest
}

// URL is the connection URL of a database, over the socket.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@/%s?host=%s&port=%d", database, s.Dir, s.Port)
}

// TCP is the connection URL of a database over the loopback address.
func (s *Server) TCP(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.Port, database)
}

// Database makes a new, empty database for a test and returns its URL. It goes
// with the server.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.create(t, "")
}

func (s *Server) create(t testing.TB, how string) string {
	t.Helper()
	name := "test" + strconv.FormatInt(databases.Add(1), 10)
	if err := s.exec(t.Context(), "CREATE DATABASE "+name+how); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return s.URL(name)
}

// Create makes a new, empty database of a name and returns its URL.
func (s *Server) Create(name string) (string, error) {
	return s.URL(name), s.exec(context.Background(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// Exec runs a statement on the database of a URL, behind the back of whoever has it open.
func Exec(t testing.TB, url, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = conn.Exec(t.Context(), statement, args...)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Unflushed makes new sessions of a database commit without waiting for the disk.
func Unflushed(t testing.TB, url string) {
	t.Helper()
	Exec(t, url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`)
}

func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
