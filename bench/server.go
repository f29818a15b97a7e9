package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// The demonstration shop's credentials.
const (
	demoKey    = serve.SeedKey
	demoSecret = serve.SeedSecret
)

// build compiles the server, and this program for what runs beside it, into the
// temporary folder.
func (b *bench) build(ctx context.Context) error {
	b.program, b.self = filepath.Join(b.dir, "holdfast"), filepath.Join(b.dir, "bench")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", b.dir, "github.com/holdfast-pay/holdfast/cmd/holdfast", "github.com/holdfast-pay/holdfast/bench").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return nil
}

// folder makes a data folder with the demonstration shop.
func (b *bench) folder(ctx context.Context, name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	h, err := openHouse(ctx, dir, clock.Real{})
	if err != nil {
		return "", err
	}
	return dir, h.Close()
}

// server is Holdfast in a process of its own.
type server struct {
	cmd   *exec.Cmd
	host  string
	ready time.Duration // from exec to the first answer of /readyz
	log   *os.File
}

// readyLimit is the longest that a start may take.
const readyLimit = 30 * time.Second

// start runs Holdfast on a data folder and waits until it is ready.
func (b *bench) start(ctx context.Context, dir string) (*server, error) {
	if file := b.profileOf(dir); file != "" {
		return b.startSelf(ctx, dir, "-child", dir, "-profile", file)
	}
	host, err := freeHost()
	if err != nil {
		return nil, err
	}
	return b.launch(ctx, dir, host, b.program, "serve", "--seed", "--data", dir, "--listen", host)
}

// startSelf runs this program as a server.
func (b *bench) startSelf(ctx context.Context, dir string, args ...string) (*server, error) {
	host, err := freeHost()
	if err != nil {
		return nil, err
	}
	return b.launch(ctx, dir, host, b.self, append(args, "-listen", host)...)
}

func (b *bench) launch(ctx context.Context, dir, host, program string, args ...string) (*server, error) {
	var err error
	s := &server{host: host, cmd: exec.CommandContext(ctx, program, args...)}
	s.cmd.Env = append(os.Environ(), "HOLDFAST_LOG_LEVEL=warn", "HOLDFAST_DATABASE="+string(databaseOf(dir)))
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no server outlives its measurement
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	if s.log, err = os.Create(filepath.Join(b.dir, fmt.Sprintf("server-%s.log", strings.ReplaceAll(host, ":", "-")))); err != nil {
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = io.Discard, s.log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for !s.isReady() {
		if time.Since(began) > readyLimit || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("the server was not ready within %s", readyLimit), s.stop(), s.complaints())
		}
		pause(time.Millisecond)
	}
	s.ready = time.Since(began)
	return s, nil
}

// profileOf is where the first server on a data folder leaves its CPU profile; empty for none.
func (b *bench) profileOf(dir string) string {
	file := b.profile + "." + filepath.Base(dir)
	if b.profile == "" || b.profiled[file] {
		return ""
	}
	b.profiled[file] = true
	return file
}

// pause waits for something that gives no sign.
func pause(d time.Duration) { <-time.After(d) }

// freeHost is a loopback address with a port that nobody listens on.
func freeHost() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *server) isReady() bool {
	conn, err := net.DialTimeout("tcp", s.host, time.Second)
	if err != nil {
		return false
	}
	c := &http.Client{Timeout: time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	res, err := c.Get("http://" + s.host + "/readyz")
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// stop ends the server as an operator would.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return errors.Join(s.cmd.Wait(), s.log.Close())
}

// complaints is what the server logged, which should be nothing.
func (s *server) complaints() error {
	raw, err := os.ReadFile(s.log.Name())
	if err != nil || len(raw) == 0 {
		return err
	}
	return fmt.Errorf("the server logged: %.2000s", raw)
}

func (s *server) enter() (world, error) { return dial(s.host, demoKey, demoSecret) }

// status reads a number of kilobytes from /proc/PID/status.
func (s *server) status(name string) (mib float64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc", name)
}

// cpu is the processor time that a process has used.
func cpu(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is short")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / clockTicks), errors.Join(err1, err2)
}

// clockTicks is Linux's unit of processor time, a hundredth of a second.
const clockTicks = 100

// serveProfiled is the server inside this program with a CPU profile around it.
func serveProfiled(ctx context.Context, dir, listen, profile string) error {
	c := config.Default()
	c.Data, c.Database, c.Listen, c.Seed, c.BaseURL = dir, databaseOf(dir), listen, true, "http://"+listen
	srv, err := serve.New(ctx, c, serve.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	f, err := os.Create(profile)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	front := &http.Server{Addr: listen, Handler: srv.Handler(), ReadHeaderTimeout: time.Minute}
	go func() { <-ctx.Done(); _ = front.Close() }()
	err = front.ListenAndServe()
	pprof.StopCPUProfile()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, f.Close(), srv.Close())
}
