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
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// serveCmd runs the server until it is told to stop.
type serveCmd struct {
	databaseFlags
	Listen string `help:"Address to listen on; overrides the settings."`
	Seed   bool   `help:"Make a demonstration merchant with known credentials (sandbox only)."`

	ReplaceSecret bool `help:"Start though the server's secret is not the one that the database was made with, and make it the database's. All access tokens, the links in all mails sent so far and the signing secrets of endpoints end."`
}

// Help tells the exit codes.
func (serveCmd) Help() string {
	return "Runs until SIGINT or SIGTERM, and then ends what it has begun.\n\n" +
		"Exit codes: 0 it was told to stop; 1 it was refused a start, or has failed; 2 the command line or a setting is wrong; 3 the database cannot be reached or failed."
}

// Limits of the HTTP server.
const (
	readHeaderLimit = 10 * time.Second
	readLimit       = 30 * time.Second
	writeLimit      = 60 * time.Second
	idleLimit       = 2 * time.Minute
	maxHeader       = 32 << 10
	// shutdownLimit is how long running requests are waited for.
	shutdownLimit = 15 * time.Second
)

// Run starts the server, says how to reach it, and stops cleanly on SIGINT or SIGTERM.
func (cmd *serveCmd) Run(k *kong.Context) error {
	c, err := cmd.settings(cmd.variables()...)
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	c.ReplaceSecret = cmd.ReplaceSecret
	tradeMemory()
	log := newLog(os.Stderr, c.LogLevel)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	srv, err := serve.New(ctx, c, serve.Options{Log: log})
	if err != nil {
		return coded(errors.Join(err, listener.Close()))
	}
	front := &http.Server{
		Handler: parting(ctx, srv.Handler()), ReadHeaderTimeout: readHeaderLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- front.Serve(listener) }()
	greet(k.Stdout, c, srv.Seeded)
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = shutDown(log, srv, front, c.DrainTime(), failed)
	}
	return errors.Join(err, srv.Close())
}

// parting tells with every answer that its connection carries no further call, once
// the server was told to stop. Connections that lie idle stay open until the end:
// one that was closed at once could carry a call that a balancer, which has not
// noticed yet, has sent in the same moment, and that call would have no answer.
func parting(told context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if told.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// shutDown ends a server without loss: it is not ready from now on, so that
// balancers send their callers elsewhere, but answers for a while whoever comes
// still; then it takes no more calls and waits for those that it has. A second
// signal, or a front that has failed, ends the first wait.
func shutDown(log *slog.Logger, srv *serve.Server, front *http.Server, drain time.Duration, failed <-chan error) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	log.Info("stopping", "drain", drain)
	wait, cancel := context.WithTimeout(context.Background(), drain+shutdownLimit)
	defer cancel()
	retired := make(chan struct{})
	go func() {
		srv.Retire(wait)
		close(retired)
	}()
	select {
	case <-time.After(drain):
	case <-again:
	case err := <-failed:
		return err
	}
	err := front.Shutdown(wait)
	<-retired
	return err
}

// heapGrowth is by how many percent of what lives the heap may grow before it is
// collected. What lives is some 15 MiB; letting it grow further than Go's 100
// takes a tenth off the processor time of a payment (docs/performance.md).
const heapGrowth = 300

// tradeMemory applies heapGrowth unless the operator has set GOGC.
func tradeMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

// variables are the server's own flags in the words of the settings.
func (cmd *serveCmd) variables() (env []string) {
	if cmd.Listen != "" {
		env = append(env, "HOLDFAST_LISTEN="+cmd.Listen)
	}
	if cmd.Seed {
		env = append(env, "HOLDFAST_SEED=true")
	}
	return env
}

func newLog(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the configuration has checked it
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// greet prints what a person needs to begin.
func greet(w io.Writer, c config.Config, s *serve.Seeded) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("Holdfast %s is ready (mode: %s).", version, c.Mode)
	line("  PortOne V1, V2 API %s", c.BaseURL)
	line("  Script             %s/v1/iamport.js", c.BaseURL)
	line("  Documentation      %s/docs", c.BaseURL)
	if c.Mode == config.Sandbox {
		line("  Sandbox            %s/sandbox", c.BaseURL)
	}
	line("  Shop console       %s/console", c.BaseURL)
	if c.AdminToken == "" {
		line("  Admin commands     closed; start with HOLDFAST_ADMIN_TOKEN (16 characters or more of your choice), then with the same: holdfast merchant list --server %s", c.BaseURL)
	} else {
		line("  Admin commands     with the HOLDFAST_ADMIN_TOKEN of this server: holdfast merchant list --server %s", c.BaseURL)
	}
	line("  Listens on         %s", c.Listen)
	line("  Database           %s", serve.DatabaseName(c))
	if s == nil {
		return
	}
	line("Demonstration shop (play money only):")
	line("  IMP.init           %s", s.Code)
	line("  imp_key            %s", s.Key)
	line("  imp_secret         %s", s.Secret)
	line("  V2 storeId         %s", s.Code)
	line("  V2 API secret      %s", s.APISecret)
	line("  Console sign-in    %s / %s", s.Email, s.Password)
}
