// Package webhook calls shops over HTTP. Bodies come ready-made; when a call is
// owed and when it is repeated is decided elsewhere.
//
// What is always true of a call:
//
//   - Only http and https are spoken, through no proxy, and no redirect is followed.
//   - The address that is dialled is checked, not the name: unless private
//     addresses are allowed (a sandbox merchant's laptop), a name that resolves to
//     a private, loopback, link-local or otherwise special address is refused.
//   - The answer is read to a bound and never decompressed.
//   - Connecting, reading and the whole call have limits of their own.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"github.com/holdfast-pay/holdfast/internal/clock"
)

// PortOne V1's limits (contract section 1.8): the first call waits longer than
// its repetitions.
const (
	connectLimit = 10 * time.Second
	firstLimit   = 40 * time.Second
	repeatLimit  = 15 * time.Second
	// maxAnswer bounds what is read and kept of an answer.
	maxAnswer = 16 << 10
	// maxKept bounds what is logged of a body.
	maxKept = 2 << 10
)

// Call is one call to make.
type Call struct {
	ID          string // constant over repetitions
	URL         string
	ContentType string
	Body        []byte
	Repeated    bool
	// Keys sign the call by Standard Webhooks, the newest first; none leaves it unsigned.
	Keys [][]byte
	// Standard says that the call has Standard Webhooks' headers, signed or not.
	Standard bool
	// Private allows private addresses: only for sandbox merchants.
	Private bool
	// Limit ends the call earlier than PortOne V1's limits do; 0 leaves those.
	Limit time.Duration
}

// Attempt is what happened to a call, as it is logged.
type Attempt struct {
	At          time.Time `json:"at"`
	URL         string    `json:"url"`
	ContentType string    `json:"contentType"`
	Request     string    `json:"request"`
	// Headers are those of Standard Webhooks, as they were sent.
	Headers    map[string]string `json:"headers,omitempty"`
	Status     int               `json:"status,omitempty"` // 0 when there was no answer
	Response   string            `json:"response,omitempty"`
	Error      string            `json:"error,omitempty"`
	TookMillis int64             `json:"tookMillis"`
	// RetryAfter is how many seconds the shop asks to be left alone; at most a day.
	RetryAfter int64 `json:"retryAfter,omitempty"`
}

// Final reports whether a call in PortOne V1's format needs no repetition: any
// answer below 500 ends it. In those of V2 only a success does.
func (a Attempt) Final() bool { return a.Status >= 200 && a.Status < 500 }

// Delivered reports whether the shop took it.
func (a Attempt) Delivered() bool { return a.Status >= 200 && a.Status < 300 }

// Sender makes calls. It is safe for concurrent use.
type Sender struct {
	clock   clock.Clock
	guarded *http.Client
	open    *http.Client
}

// New returns a sender. The clock stamps attempts.
func New(c clock.Clock) *Sender {
	guard := ssrf.New(ssrf.WithAnyPort())
	private := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	), ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7")))
	return &Sender{clock: c, guarded: client(guard.Safe), open: client(func(network, address string, conn syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err == nil && slices.Contains(metadata, at.Addr().WithZone("")) {
			return ssrf.ErrProhibitedIP
		}
		return private.Safe(network, address, conn)
	})}
}

// metadata are addresses among the private ones at which clouds tell their machines
// secrets: Amazon's, Google's and Oracle's. No shop runs there.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"), netip.MustParseAddr("fd00:c1::a9fe:a9fe")}

func client(safe func(network, address string, conn syscall.RawConn) error) *http.Client {
	dialer := &net.Dialer{Timeout: connectLimit, Control: safe}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, DisableCompression: true, MaxIdleConns: 1000, MaxIdleConnsPerHost: 32,
			IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: connectLimit, MaxResponseHeaderBytes: maxAnswer,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends connections that wait for another call.
func (s *Sender) Close() {
	s.guarded.CloseIdleConnections()
	s.open.CloseIdleConnections()
}

// Send makes a call and says what happened; it has no other error.
func (s *Sender) Send(ctx context.Context, c Call) Attempt {
	at := s.clock.Now()
	began := time.Now() //nolint:forbidigo // a duration for the log, not a business instant
	a := Attempt{At: at, URL: c.URL, ContentType: c.ContentType, Request: kept(c.Body)}
	limit := firstLimit
	if c.Repeated {
		limit = repeatLimit
	}
	if c.Limit > 0 {
		limit = min(limit, c.Limit)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if c.Standard || len(c.Keys) > 0 {
		a.Headers = headers(&c, at)
	}
	status, after, answer, err := s.call(ctx, &c, a.Headers)
	a.RetryAfter = seconds(after, at)
	a.Status, a.Response, a.TookMillis = status, kept(answer), time.Since(began).Milliseconds() //nolint:forbidigo // as above
	if err != nil {
		a.Error = reason(err)
	}
	return a
}

func (s *Sender) call(ctx context.Context, c *Call, signature map[string]string) (status int, after string, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return 0, "", nil, err
	}
	for name, value := range signature {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", c.ContentType)
	req.Header.Set("User-Agent", "Holdfast-Webhook/1")
	req.Header.Set("Holdfast-Webhook-Id", c.ID)
	httpClient := s.guarded
	if c.Private {
		httpClient = s.open
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, res.Header.Get("Retry-After"), answer, errors.Join(err, res.Body.Close())
}

// kept cuts a body to what the log keeps, as valid UTF-8.
func kept(b []byte) string {
	if len(b) > maxKept {
		b = b[:maxKept]
	}
	return string(bytes.ToValidUTF8(bytes.ReplaceAll(b, []byte{0}, nil), []byte("?")))
}

// reason is an error in words for the shop's log.
func reason(err error) string {
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrProhibitedPort), errors.Is(err, ssrf.ErrInvalidHostPort):
		return "the address is private or special and is not called"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "the name " + dns.Name + " cannot be resolved"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	return err.Error()
}
