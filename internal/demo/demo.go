// Package demo plays whole escrow lives against a running sandbox server, as
// the people of the trade would: a shop over PortOne's V1 API, a buyer by mail
// and decision page, a bank and a carrier by the sandbox. It knows the server by
// its HTTP interfaces alone.
//
// Every act is checked where it is done; the first thing that is not as it must
// be ends the play with an error that says what was expected.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Stage is where the play is given.
type Stage struct {
	Out         io.Writer
	URL         string
	Key, Secret string
	AdminToken  string
	Korean      bool
}

// play is one performance.
type play struct {
	Stage
	ctx   context.Context
	token string
	shop  *shop
	acts  int
	err   error // the first thing that went wrong
}

// Play gives the whole play.
func Play(ctx context.Context, s Stage) error {
	receiver, err := openShop()
	if err != nil {
		return err
	}
	p := &play{Stage: s, ctx: ctx, shop: receiver}
	defer p.shop.close()
	for _, scene := range []func(){p.signIn, p.silence, p.byHand, p.card, p.rejection, p.mistakes, p.untrackable, p.settlement, p.close} {
		scene()
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// failed reports whether the play is over, so that later acts do nothing.
func (p *play) failed() bool { return p.err != nil }

func (p *play) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// scene prints a heading.
func (p *play) scene(ko, en string) {
	p.acts++
	p.print("\n%d. %s\n", p.acts, p.either(ko, en))
}

// say prints one step with the merchant's time.
func (p *play) say(ko, en string, args ...any) {
	if !p.failed() {
		p.print("   %s  %s\n", p.now().In(seoul).Format("2006-01-02 15:04"), fmt.Sprintf(p.either(ko, en), args...))
	}
}

var seoul = time.FixedZone("KST", 9*3600)

func (p *play) either(ko, en string) string {
	if p.Korean {
		return ko
	}
	return en
}

func (p *play) print(format string, args ...any) {
	if _, err := fmt.Fprintf(p.Out, format, args...); err != nil {
		p.fail("print: %w", err)
	}
}

// expect ends the play unless what was got is what was wanted.
func (p *play) expect(what string, got, want any) {
	if !p.failed() && got != want {
		p.fail("%s: got %v, want %v", what, got, want)
	}
}

// envelope is V1's answer.
type envelope struct {
	Code     int             `json:"code"`
	Message  *string         `json:"message"`
	Response json.RawMessage `json:"response"`
}

// v1 calls the V1 or sandbox API and decodes its response member.
func (p *play) v1(method, path string, body, into any) {
	if p.failed() {
		return
	}
	var e envelope
	status, raw := p.call(method, path, p.token, body)
	if p.failed() {
		return
	}
	if err := json.Unmarshal(raw, &e); err != nil || status != http.StatusOK || e.Code != 0 {
		p.fail("%s %s: %d %s", method, path, status, raw)
		return
	}
	if into != nil {
		if err := json.Unmarshal(e.Response, into); err != nil {
			p.fail("%s %s: %w in %s", method, path, err, raw)
		}
	}
}

// admin calls the admin API.
func (p *play) admin(path string, into any) {
	if p.failed() {
		return
	}
	status, raw := p.call(http.MethodGet, "/admin/v1"+path, "Bearer "+p.AdminToken, nil)
	if p.failed() {
		return
	}
	if err := json.Unmarshal(raw, into); err != nil || status != http.StatusOK {
		p.fail("GET /admin/v1%s: %d %s", path, status, raw)
	}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

func (p *play) call(method, path, auth string, body any) (int, []byte) {
	sent := ""
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case form:
		sent, kind = b.encode(), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			p.fail("%w", err)
			return 0, nil
		}
		sent = string(raw)
	}
	url := path
	if strings.HasPrefix(path, "/") {
		url = p.URL + path
	}
	req, err := http.NewRequestWithContext(p.ctx, method, url, strings.NewReader(sent))
	if err != nil {
		p.fail("%w", err)
		return 0, nil
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if sent != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.fail("%s %s: %w", method, path, err)
		return 0, nil
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		p.fail("%s %s: %w", method, path, err)
	}
	return res.StatusCode, raw
}

// shop receives webhooks, as a shop's server does.
type shop struct {
	server *http.Server
	url    string
	mu     sync.Mutex
	heard  map[string][]string // imp_uid -> statuses in the order of arrival
	news   chan struct{}
}

func openShop() (*shop, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &shop{url: "http://" + listener.Addr().String() + "/webhook", heard: map[string][]string{}, news: make(chan struct{}, 1)}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // ends with close
	return s, nil
}

func (s *shop) close() { _ = s.server.Close() }

// ServeHTTP takes one webhook.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var notice struct {
		ImpUID string `json:"imp_uid"`
		Status string `json:"status"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxAnswer)).Decode(&notice); err != nil {
		http.Error(w, "not a webhook", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[notice.ImpUID] = append(s.heard[notice.ImpUID], notice.Status)
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *shop) has(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.heard[id], " ")
}
