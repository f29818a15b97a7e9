package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/webhook"
)

// listenCmd brings a shop's events to a program that the server cannot reach.
type listenCmd struct {
	Forward string `required:"" placeholder:"URL" help:"Where each event is posted, such as http://localhost:3000/hook."`
	Server  string `placeholder:"URL" env:"HOLDFAST_SERVER" default:"http://127.0.0.1:8080" help:"The running server (${default})."`
	Secret  string `placeholder:"S" env:"HOLDFAST_API_SECRET" help:"The shop's API secret; that of the demonstration shop if none is given."`
	Sign    string `placeholder:"whsec_..." env:"HOLDFAST_SIGNING_SECRET" help:"The signing secret; one is made and printed if none is given."`
	From    string `placeholder:"POSITION" help:"Begin after this position, or \"now\". Without it the listener goes on where it was, and begins with what comes now."`
	Format  string `enum:"2024-04-25,2024-01-01,v1" default:"2024-04-25" help:"The format of the bodies (${enum})."`
	State   string `placeholder:"FILE" help:"Where the position is kept; a file in the user's cache folder by itself."`
}

// Help tells what cannot be said in a line.
func (listenCmd) Help() string {
	return `Every event is posted as a webhook is, signed by Standard Webhooks, one after the other.
An event that is not taken with 2xx is printed and passed over; --from tells it again.
The listener outlives restarts of the server. ` + clientExitCodes
}

const (
	listenWait    = 50 * time.Second
	listenTimeout = listenWait + 20*time.Second
	forwardLimit  = 30 * time.Second
	// retryPause is how long the listener waits for a server that does not answer, or
	// that answers at once though there is nothing.
	retryPause = 2 * time.Second
	// saidMax bounds what is printed of a refusal, in bytes.
	saidMax = 500
	// feedReplyMax bounds an answer of the feed, in bytes.
	feedReplyMax = 16 << 20
)

// feedPage is an answer of the feed.
type feedPage struct {
	Events []struct {
		Position int64           `json:"position"`
		ID       string          `json:"id"`
		Type     string          `json:"type"`
		Body     json.RawMessage `json:"body"`
	} `json:"events"`
	Next int64 `json:"next"`
}

// listener follows the feed.
type listener struct {
	*listenCmd
	key   []byte
	state string
	at    int64
	out   io.Writer
	http  *http.Client
}

// Run follows the feed until it is interrupted.
func (c *listenCmd) Run(k *kong.Context) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := c.listener(k.Stdout)
	if err != nil {
		return err
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(l.out, "listening after position %d; each event goes to %s\n", l.at, c.Forward); err != nil {
		return err
	}
	return l.follow(ctx)
}

// follow forwards what comes until the context is over or the server refuses.
func (l *listener) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		began := time.Now() //nolint:forbidigo // how long the server held its answer
		page, err := l.read(ctx, l.at, listenWait)
		held := time.Since(began) >= retryPause //nolint:forbidigo // as above
		var refused *failure
		switch {
		case ctx.Err() != nil:
		case errors.As(err, &refused):
			return err
		case err != nil:
			_, _ = fmt.Fprintf(l.out, "the server does not answer (%v); trying again\n", err)
			wait(ctx, retryPause)
		default:
			if page.Next <= l.at && !held {
				wait(ctx, retryPause)
			}
			if err := l.forward(ctx, page); err != nil {
				return err
			}
		}
	}
	return nil
}

// plain is a text that leaves the terminal as it is.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text[:min(len(text), saidMax)])
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (c *listenCmd) listener(out io.Writer) (*listener, error) {
	for name, raw := range map[string]string{"--forward": c.Forward, "--server": c.Server} {
		if _, err := httpURL(name, raw); err != nil {
			return nil, err
		}
	}
	c.Secret = cmp.Or(c.Secret, serve.SeedAPISecret)
	l := &listener{listenCmd: c, out: out, state: c.State, http: &http.Client{
		Timeout: listenTimeout,
		// A webhook follows no redirect either, and the API secret is for the server that was named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	var err error
	if c.Sign == "" {
		sum := sha256.Sum256([]byte("listen " + c.Secret)) // the same at every start
		c.Sign = "whsec_" + base64.StdEncoding.EncodeToString(sum[:])
		if _, err := fmt.Fprintln(out, "events are signed with", c.Sign); err != nil {
			return nil, err
		}
	}
	if l.key, err = app.SigningKey(c.Sign); err != nil {
		return nil, misused("--sign: %v", err)
	}
	if l.state == "" {
		folder, err := os.UserCacheDir()
		if err != nil {
			return nil, misused("--state: %v", err)
		}
		sum := sha256.Sum256([]byte(c.Server + " " + c.Secret + " " + c.Forward))
		l.state = filepath.Join(folder, "holdfast", "listen-"+hex.EncodeToString(sum[:8]))
	}
	return l, nil
}

// begin finds the position to begin after.
func (l *listener) begin(ctx context.Context) error {
	if l.From != "" && l.From != "now" {
		n, err := strconv.ParseInt(l.From, 10, 64)
		if err != nil || n < 0 {
			return misused("--from: %q is neither a position nor now", l.From)
		}
		l.at = n
		return nil
	}
	if kept, err := os.ReadFile(l.state); err == nil && l.From == "" {
		if l.at, err = strconv.ParseInt(strings.TrimSpace(string(kept)), 10, 64); err == nil {
			return nil
		}
	}
	page, err := l.ask(ctx, url.Values{"from": {"now"}})
	var refused *failure
	if err != nil && !errors.As(err, &refused) && ctx.Err() == nil {
		return unreachable("the server cannot be reached: %v", err)
	}
	l.at = page.Next
	return err
}

// read asks the feed for what is after a position.
func (l *listener) read(ctx context.Context, after int64, wait time.Duration) (page feedPage, err error) {
	return l.ask(ctx, url.Values{"after": {strconv.FormatInt(after, 10)}, "wait": {strconv.Itoa(int(wait / time.Second))}, "format": {l.Format}, "limit": {"500"}})
}

// ask puts a question to the feed.
func (l *listener) ask(ctx context.Context, q url.Values) (page feedPage, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(l.Server, "/")+"/holdfast/v1/events?"+q.Encode(), nil)
	if err != nil {
		return page, err
	}
	req.Header.Set("Authorization", "PortOne "+l.Secret)
	res, err := l.http.Do(req)
	if err != nil {
		return page, err
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, feedReplyMax))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return page, err
	}
	switch {
	case res.StatusCode >= http.StatusInternalServerError:
		return page, fmt.Errorf("status %d", res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return page, &failure{exitFailed, fmt.Sprintf("the server refuses: %d %s", res.StatusCode, plain(string(bytes.TrimSpace(raw))))}
	}
	return page, json.Unmarshal(raw, &page)
}

// forward posts the events of a page and keeps the position after each of them.
func (l *listener) forward(ctx context.Context, page feedPage) error {
	for i, e := range page.Events {
		began := time.Now() //nolint:forbidigo // how long a call takes
		said := l.post(ctx, e.ID, e.Body)
		took := time.Since(began) //nolint:forbidigo // as above
		if ctx.Err() != nil {
			return nil
		}
		if _, err := fmt.Fprintf(l.out, "%8d  %-32s %s  %s (%d ms)\n", e.Position, plain(e.Type), plain(e.ID), plain(said), took.Milliseconds()); err != nil {
			return err
		}
		if i+1 == len(page.Events) || page.Events[i+1].Position > e.Position {
			if err := l.keep(e.Position); err != nil {
				return err
			}
		}
	}
	if page.Next > l.at {
		return l.keep(page.Next)
	}
	return nil
}

// post makes the call and says what came of it.
func (l *listener) post(ctx context.Context, id string, body []byte) string {
	ctx, cancel := context.WithTimeout(ctx, forwardLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.Forward, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	now := time.Now() //nolint:forbidigo // the signature is as of real time
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(webhook.HeaderID, id)
	req.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(webhook.HeaderSignature, webhook.Sign(id, now, body, [][]byte{l.key}))
	res, err := l.http.Do(req)
	if err != nil {
		return "not taken: " + err.Error()
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection is used again
	_ = res.Body.Close()
	return res.Status
}

// keep leaves the position for the next start.
func (l *listener) keep(position int64) error {
	l.at = position
	if err := os.MkdirAll(filepath.Dir(l.state), 0o700); err != nil {
		return err
	}
	next := l.state + ".next"
	if err := os.WriteFile(next, []byte(strconv.FormatInt(position, 10)+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, l.state)
}
