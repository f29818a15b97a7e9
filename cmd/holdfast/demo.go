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
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/demo"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// demoCmd plays whole escrow lives against a server of its own.
type demoCmd struct {
	Keep     string `help:"Keep the database in this folder instead of a temporary one." type:"path" xor:"where"`
	Database string `help:"Play on this PostgreSQL database, in a schema that is made for it and removed afterwards." xor:"where"`
	Lang     string `help:"Language of the story." enum:"ko,en" default:"en"`
}

// demoLimit bounds the whole demonstration.
const demoLimit = 2 * time.Minute

// Help says what the exit codes mean.
func (demoCmd) Help() string {
	return "Starts a sandbox server on a free port, acts as a shop, a buyer, a bank and a carrier over HTTP, moves the clock, and prints every step, " +
		"the events and the closing trial balance. Exits with 1 if anything is not as it must be."
}

// Run plays the demonstration.
func (cmd *demoCmd) Run(k *kong.Context) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), demoLimit)
	defer cancel()
	dir := cmd.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "holdfast-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	database, remove, err := cmd.place(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := config.Default()
	c.Data, c.Database, c.Seed, c.AdminToken = dir, database, true, "demonstration-token"
	c.Listen, c.BaseURL = listener.Addr().String(), "http://"+listener.Addr().String()
	// The story begins on a Monday before Seollal; from there on the clock is moved.
	start := clock.NewManual(time.Date(2026, 2, 9, 0, 30, 0, 0, time.UTC))
	srv, err := serve.New(ctx, c, serve.Options{Clock: start, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	front := &http.Server{Handler: srv.Handler(), ReadHeaderTimeout: readHeaderLimit}
	go func() { _ = front.Serve(listener) }() // ends with Close below
	began := clock.Real{}.Now()
	err = demo.Play(ctx, demo.Stage{
		Out: k.Stdout, URL: c.BaseURL, Key: srv.Seeded.Key, Secret: srv.Seeded.Secret, AdminToken: string(c.AdminToken), Korean: cmd.Lang == "ko",
	})
	err = errors.Join(err, front.Close(), srv.Close())
	if err == nil {
		said := "\nDone in %.1f s. Everything was as it must be.\n"
		if cmd.Lang == "ko" {
			said = "\n%.1f초 만에 끝났습니다. 모든 단계와 장부가 맞습니다.\n"
		}
		_, err = fmt.Fprintf(k.Stdout, said, clock.Real{}.Now().Sub(began).Seconds())
	}
	return err
}

// place is a schema of its own in the database that was named, and what removes it.
func (cmd *demoCmd) place(ctx context.Context) (config.Secret, func() error, error) {
	if cmd.Database == "" {
		return "", func() error { return nil }, nil
	}
	s, err := serve.NewScratch(ctx, config.Secret(cmd.Database), "holdfast_demo_"+ident.Digits(8))
	if err != nil {
		return "", nil, err
	}
	return s.Database, func() error { return s.Close(context.WithoutCancel(ctx)) }, nil
}
