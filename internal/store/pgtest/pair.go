package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pair is a primary and a standby that follows it. When the primary has died the
// standby can take its place, and a new standby the place of that.
type Pair struct {
	Primary, Standby *Server
	// synchronous says that a commit waits until the standby has it.
	synchronous bool
}

// StartPairFor starts a pair for one test.
func StartPairFor(t testing.TB, synchronous bool) *Pair {
	t.Helper()
	p := &Pair{Primary: StartFor(t), synchronous: synchronous}
	port, err := freePort()
	if err == nil {
		err = p.follow(port)
	}
	t.Cleanup(func() {
		for _, s := range []*Server{p.Primary, p.Standby} {
			if s != nil {
				s.Stop()
			}
		}
	})
	if err != nil {
		t.Fatalf("start a standby: %v", err)
	}
	return p
}

// URL names both servers; the one that takes writes is to be used.
func (p *Pair) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable", p.Primary.Port, p.Standby.Port)
}

// follow makes a standby on a port and waits until it keeps up.
func (p *Pair) follow(port int) error {
	s := &Server{bin: p.Primary.bin, owner: p.Primary.owner, Port: port}
	var err error
	if s.Dir, err = os.MkdirTemp("", "holdfast-pg-"); err != nil {
		return err
	}
	if err := s.keep(); err != nil {
		return err
	}
	p.Standby = s
	if err := s.run("pg_basebackup", "-D", s.data(), "-h", p.Primary.Dir, "-p", strconv.Itoa(p.Primary.Port), "-U", "postgres", "-c", "fast", "-R", "--no-sync"); err != nil {
		return err
	}
	if err := s.Launch(); err != nil {
		return err
	}
	want := "async"
	if p.synchronous {
		want = "sync"
		if err := p.Primary.exec(context.Background(), `ALTER SYSTEM SET synchronous_standby_names = '*'`); err != nil {
			return err
		}
		if err := p.Primary.exec(context.Background(), `SELECT pg_reload_conf()`); err != nil {
			return err
		}
	}
	return p.Primary.until(`SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '` + want + `'`)
}

// until waits for a query to answer true.
func (s *Server) until(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			var yes bool
			err = errors.Join(conn.QueryRow(ctx, query).Scan(&yes), conn.Close(ctx))
			if err == nil && yes {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", query, errors.Join(err, ctx.Err()))
		case <-time.After(readyPause):
		}
	}
}

// Stall freezes what receives the log at the standby: it stays connected and
// takes nothing more, until it is killed.
func (p *Pair) Stall() error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.Standby.URL("postgres"))
	if err != nil {
		return err
	}
	var pid int
	err = conn.QueryRow(ctx, `SELECT pid FROM pg_stat_wal_receiver`).Scan(&pid)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGSTOP)
}

// Interrupt ends the wait of the commits that wait for the standby, as an
// impatient person or program does: half of them are cancelled, the connections of
// the others are ended. It returns how many there were.
func (p *Pair) Interrupt() (n int, err error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.Primary.URL("postgres"))
	if err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, `SELECT count(CASE WHEN pid % 2 = 0 THEN pg_cancel_backend(pid) ELSE pg_terminate_backend(pid) END)
		FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&n)
	return n, errors.Join(err, conn.Close(ctx))
}

// Failover kills both servers, without a warning, and lets the standby begin
// again as the primary. What it had not received is lost.
func (p *Pair) Failover() error {
	err := errors.Join(p.Primary.Crash(), p.Standby.Crash(), p.Standby.Launch())
	if err != nil {
		return err
	}
	if err := p.Standby.run("pg_ctl", "promote", "-D", p.Standby.data()); err != nil {
		return err
	}
	return p.Standby.until(`SELECT NOT pg_is_in_recovery()`)
}

// Rejoin makes a new standby after Failover, on the port of the primary that died.
func (p *Pair) Rejoin() error {
	dead := p.Primary
	p.Primary, p.Standby = p.Standby, nil
	dead.Stop()
	return p.follow(dead.Port)
}

// Crash kills every process of the server at once (SIGKILL).
func (s *Server) Crash() error {
	all := append([]int{s.process.Process.Pid}, children(s.process.Process.Pid)...)
	for _, pid := range all {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	_ = s.process.Wait() // it was killed
	return gone(all)
}

// gone waits until processes have let go of what they had.
func gone(pids []int) error {
	for end := time.After(readyLimit); ; {
		pids = slices.DeleteFunc(pids, func(pid int) bool {
			state, _ := stat(pid)
			return state == "" || state == "Z"
		})
		if len(pids) == 0 {
			return nil
		}
		select {
		case <-end:
			return fmt.Errorf("the processes %v were killed and do not end", pids)
		case <-time.After(readyPause):
		}
	}
}

// children are the processes that a process has begun.
func children(of int) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if _, parent := stat(pid); parent == of {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stat is the state and the parent of a process; empty when it has ended.
func stat(pid int) (state string, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// The name, in brackets, may hold anything; state and parent follow it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return "", 0
	}
	return fields[0], parent
}
