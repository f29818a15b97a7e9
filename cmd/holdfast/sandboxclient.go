package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// sandboxServer are the flags of every command that plays with a sandbox.
type sandboxServer struct {
	Server string `placeholder:"URL" env:"HOLDFAST_SERVER" default:"http://127.0.0.1:8080" help:"The running server (${default})."`
	Key    string `placeholder:"K" env:"HOLDFAST_KEY" help:"The shop's imp_key; that of the demonstration shop if neither key nor secret is given."`
	Secret string `placeholder:"S" env:"HOLDFAST_SECRET" help:"The shop's imp_secret."`
	JSON   bool   `name:"json" help:"Print the server's answer as JSON."`
}

// Bounds of a conversation with the sandbox. Moving a clock may take long.
const (
	sandboxTimeout  = 11 * time.Minute
	sandboxReplyMax = 16 << 20 // bytes
)

// sandboxClient calls the sandbox of a server.
type sandboxClient struct {
	base        *url.URL
	key, secret string
	json        bool
	out         io.Writer
	http        *http.Client
}

// AfterApply gives every command below the client that the flags describe.
func (s *sandboxServer) AfterApply(k *kong.Context) error {
	base, err := httpURL("--server", s.Server)
	if err != nil {
		return err
	}
	if (s.Key == "") != (s.Secret == "") {
		return misused("--key and --secret: give both or neither")
	}
	k.Bind(&sandboxClient{
		base: base.JoinPath("sandbox"), key: cmp.Or(s.Key, serve.SeedKey), secret: cmp.Or(s.Secret, serve.SeedSecret), json: s.JSON, out: k.Stdout,
		http: &http.Client{Timeout: sandboxTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	})
	return nil
}

// fields are the members of a request; empty ones are left out.
type fields map[string]any

func (f fields) without() fields {
	out := fields{}
	for name, value := range f {
		switch value {
		case "", 0, int64(0), false, nil:
		default:
			out[name] = value
		}
	}
	return out
}

// call makes one call and returns the response member of the answer.
func (c *sandboxClient) call(method, query string, sent fields, path ...string) (json.RawMessage, error) {
	var body io.Reader
	if sent != nil {
		raw, err := json.Marshal(sent.without())
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	for i, part := range path {
		path[i] = url.PathEscape(part)
	}
	address := *c.base.JoinPath(path...)
	address.RawQuery = query
	req, err := http.NewRequest(method, address.String(), body)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(c.key, c.secret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Language", language())
	res, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable("the server cannot be reached: %v", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, sandboxReplyMax))
	if err != nil {
		return nil, unreachable("the server's answer broke off: %v", err)
	}
	return responseOf(res.StatusCode, raw)
}

// responseOf opens the envelope of an answer.
func responseOf(status int, raw []byte) (json.RawMessage, error) {
	var envelope struct {
		Code     *int
		Message  string
		Response json.RawMessage
	}
	switch err := json.Unmarshal(raw, &envelope); {
	case err != nil || envelope.Code == nil:
		return nil, unreachable("the server answered %d; is it a Holdfast server?", status)
	case status >= http.StatusInternalServerError:
		return nil, unreachable("the server failed (%d): %s", status, envelope.Message)
	case status == http.StatusUnauthorized:
		return nil, &failure{exitFailed, "the server does not know this key and secret"}
	case status != http.StatusOK || *envelope.Code != 0:
		return nil, &failure{exitFailed, envelope.Message}
	}
	return envelope.Response, nil
}

// language is that of the person at the terminal, as far as a server speaks it.
func language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(value, "ko") {
				return "ko"
			}
			return "en"
		}
	}
	return "en"
}

// play makes a call and prints its answer: as JSON if that was asked for, else
// by text, which gets it decoded.
func play[T any](c *sandboxClient, method, query string, sent fields, path []string, text func(w io.Writer, answer T)) error {
	raw, err := c.call(method, query, sent, path...)
	if err != nil {
		return err
	}
	if c.json {
		return c.indent(raw)
	}
	var answer T
	if err := json.Unmarshal(raw, &answer); err != nil {
		return unreachable("the server's answer cannot be read: %v", err)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	text(w, answer)
	return w.Flush()
}

func (c *sandboxClient) indent(raw json.RawMessage) error {
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.out, out.String())
	return err
}
