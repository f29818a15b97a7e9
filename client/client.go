package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// answerMax bounds an answer, in bytes: a list of 1,000 payments with all that
	// belongs to them is smaller.
	answerMax = 64 << 20
	// attemptTime bounds one attempt. A server may need a minute before it knows
	// whether an earlier attempt is still being carried out.
	attemptTime = 75 * time.Second
	// userAgent is what the client calls itself.
	userAgent = "holdfast-go-client"
)

// Credential returns the value of the Authorization header of a call. It is asked at
// each attempt, so that a token may be renewed; see [Secret] and [AccessToken].
type Credential func(context.Context) (string, error)

// Secret is an API secret ("hfv2_...").
func Secret(secret string) Credential {
	return func(context.Context) (string, error) { return "PortOne " + secret, nil }
}

// AccessToken is the access token of [Client.LogIn].
func AccessToken(token string) Credential {
	return func(context.Context) (string, error) { return "Bearer " + token, nil }
}

// Client calls one Holdfast server for one shop.
type Client struct {
	base       string // without a slash at its end
	credential Credential
	http       *http.Client
	storeID    string
	agent      string
	attempts   int
	pause      time.Duration // before the first repetition
}

// Option changes how a [Client] calls.
type Option func(*Client)

// HTTPClient sends requests by a client of the caller's own. Redirects should not be
// followed: Holdfast answers none.
func HTTPClient(c *http.Client) Option { return func(x *Client) { x.http = c } }

// StoreID names the store in every call of PortOne V2 that takes one. It may be left
// out: the credentials say which store is meant.
func StoreID(id string) Option { return func(x *Client) { x.storeID = id } }

// UserAgent is put before the client's own name in the User-Agent header.
func UserAgent(name string) Option { return func(x *Client) { x.agent = name + " " + userAgent } }

// Attempts sets how often a call is sent at most, between 1 (it is never repeated) and
// [AttemptsMax]. It is 4 by default.
func Attempts(n int) Option { return func(x *Client) { x.attempts = min(max(n, 1), AttemptsMax) } }

// Pause sets how long a call waits before its first repetition; it is doubled before
// each further one. It is 200 ms by default. A longer Retry-After of the server counts.
func Pause(d time.Duration) Option { return func(x *Client) { x.pause = max(d, 0) } }

// New returns a client of the server at an address, which may have a path before its
// APIs (https://shop.example/pay).
func New(baseURL string, credential Credential, options ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: the address of the server: %w", err)
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("client: %q is no address such as https://pay.example", u.Redacted())
	case credential == nil:
		return nil, errors.New("client: no credential")
	}
	c := &Client{base: strings.TrimRight(u.String(), "/"), credential: credential, http: stay(), agent: userAgent, attempts: attemptsDefault, pause: pauseDefault}
	for _, o := range options {
		o(c)
	}
	if c.http == nil {
		return nil, errors.New("client: no HTTP client")
	}
	return c, nil
}

// stay is an HTTP client that follows no redirect, so that credentials and bodies go
// where they were sent and nowhere else.
func stay() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// A call is one operation with its values, before anything is sent.
type call struct {
	method string
	// path is the parts of the path, not escaped. None may be empty: it would be another
	// operation.
	path  []string
	query url.Values
	// body is sent as JSON; nil sends none.
	body any
	// public calls carry no credentials, and so no key.
	public bool
	// single calls are sent once, because a second one would be refused.
	single bool
	// credential takes the place of the client's.
	credential Credential
	// enveloped answers are those of V1: code, message and response.
	enveloped bool
	// time bounds an attempt; attemptTime if zero.
	time time.Duration
}

func (k *call) name() string { return k.method + " /" + strings.Join(k.path, "/") }

// writes reports whether the call can change something.
func (k *call) writes() bool { return k.method != http.MethodGet && !k.public }

// prepared is a call in the bytes that each attempt sends.
type prepared struct {
	*call
	url  string
	body []byte
	key  string // as it stands in the header; empty for calls without one
}

func (c *Client) prepare(ctx context.Context, k *call) (*prepared, error) {
	p := &prepared{call: k, url: c.base}
	for _, part := range k.path {
		if part == "" {
			return nil, fmt.Errorf("client: %s: an id is empty", k.name())
		}
		escaped := url.PathEscape(part)
		if strings.Trim(part, ".") == "" { // "." and ".." would leave the path
			escaped = strings.ReplaceAll(part, ".", "%2E")
		}
		p.url += "/" + escaped
	}
	if len(k.query) > 0 {
		p.url += "?" + k.query.Encode()
	}
	if k.body != nil {
		raw, err := json.Marshal(k.body)
		if err != nil {
			return nil, fmt.Errorf("client: %s: %w", k.name(), err)
		}
		p.body = raw
	}
	if !k.writes() {
		return p, nil
	}
	key, err := keyOf(ctx)
	p.key = key
	return p, err
}

// do makes a call and reads its answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, k call, out any) error {
	p, err := c.prepare(ctx, &k)
	if err != nil {
		return err
	}
	raw, err := c.repeat(ctx, p)
	if err != nil || out == nil {
		return err
	}
	if k.enveloped {
		var e struct {
			Response json.RawMessage `json:"response"`
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("client: %s: the answer is not the server's: %w", k.name(), err)
		}
		raw = e.Response
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("client: %s: the answer is not the server's: %w", k.name(), err)
	}
	return nil
}

// attempt sends a call once. What it returns is the answer of a success, an *[Error], or
// why there is no whole answer.
func (c *Client) attempt(ctx context.Context, p *prepared) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(p.time, attemptTime))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, p.method, p.url, bytes.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	if p.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.key != "" {
		req.Header.Set(keyHeader, quote(p.key))
	}
	if !p.public {
		credential := c.credential
		if p.credential != nil {
			credential = p.credential
		}
		value, err := credential(ctx)
		if err != nil {
			return nil, &unsent{err}
		}
		req.Header.Set("Authorization", value)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerMax+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > answerMax:
		return nil, fmt.Errorf("the answer has more than %d bytes", answerMax)
	case res.StatusCode != http.StatusOK:
		return nil, refusal(p, res, raw)
	}
	return raw, nil
}

// get makes a call of PortOne V2 that reads.
func (c *Client) get(ctx context.Context, out any, path ...string) error {
	query := url.Values{}
	if c.storeID != "" {
		query.Set("storeId", c.storeID)
	}
	return c.do(ctx, call{method: http.MethodGet, path: path, query: query}, out)
}

// list makes a call of PortOne V2 that reads a list, whose parameters are one object.
func (c *Client) list(ctx context.Context, parameters, out any, path string) error {
	raw, err := json.Marshal(parameters)
	if err != nil {
		return fmt.Errorf("client: GET /%s: %w", path, err)
	}
	return c.do(ctx, call{method: http.MethodGet, path: []string{path}, query: url.Values{"requestBody": {string(raw)}}}, out)
}

// post makes a call of PortOne V2 that writes.
func (c *Client) post(ctx context.Context, body, out any, path ...string) error {
	return c.do(ctx, call{method: http.MethodPost, path: path, body: body}, out)
}

// of is the store of a call: the one that it names, else the client's.
func (c *Client) of(storeID string) string { return cmp.Or(storeID, c.storeID) }
