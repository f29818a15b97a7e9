// Package mailtest is a real mail server for tests. It listens on this machine,
// keeps what it is sent, and refuses, asks for a password or falls silent when
// it is told to.
package mailtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Option changes how the server starts.
type Option func(*Server)

// WithStartTLS makes the server offer STARTTLS with a certificate of its own.
func WithStartTLS() Option { return func(s *Server) { s.offerTLS = true } }

// WithTLS makes the server speak TLS from the first byte.
func WithTLS() Option { return func(s *Server) { s.onlyTLS = true } }

// WithPassword makes the server ask for a name and a password.
func WithPassword(user, password string) Option {
	return func(s *Server) { s.user, s.password = user, password }
}

// Server is the mail server. It is safe for concurrent use and stops with the test.
type Server struct {
	offerTLS, onlyTLS bool
	user, password    string
	listener          net.Listener
	roots             *x509.CertPool
	stopped           chan struct{}

	mu       sync.Mutex
	hanging  bool
	refused  map[string]*smtp.SMTPError // by recipient
	content  *smtp.SMTPError            // for any message
	messages []Message
	arrived  chan struct{} // closed and made anew with every message
}

// Start starts a server and stops it when the test ends.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := &Server{stopped: make(chan struct{}), arrived: make(chan struct{}), refused: map[string]*smtp.SMTPError{}}
	for _, o := range options {
		o(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = l
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return s.session(), nil }))
	server.Domain = "mail.test"
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.AllowInsecureAuth = true
	if s.offerTLS || s.onlyTLS {
		certificate, roots := selfMade(t)
		s.roots = roots
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	if s.onlyTLS {
		l = tls.NewListener(l, server.TLSConfig)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends when the test closes it
	}()
	t.Cleanup(func() {
		close(s.stopped)
		server.Close()
		<-done
	})
	return s
}

// Host is where the server listens.
func (s *Server) Host() string { return "127.0.0.1" }

// Port is where the server listens.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Roots trust the server's certificate; nil without TLS.
func (s *Server) Roots() *x509.CertPool { return s.roots }

// Refuse makes the server refuse a recipient with a reply code such as 451 or 550.
func (s *Server) Refuse(address string, code int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[strings.ToLower(address)] = reply(code, text)
}

// RefuseContent makes the server refuse every message once it has read it.
func (s *Server) RefuseContent(code int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.content = reply(code, text)
}

// Hang makes the server fall silent in the middle of the next conversations.
func (s *Server) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hanging = true
}

// Behave takes back every Refuse, RefuseContent and Hang.
func (s *Server) Behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused, s.content, s.hanging = map[string]*smtp.SMTPError{}, nil, false
}

// Messages returns what has come, the oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Wait returns the messages as soon as there are n of them, or an error when the
// context ends before.
func (s *Server) Wait(ctx context.Context, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		arrived, have := s.arrived, append([]Message(nil), s.messages...)
		s.mu.Unlock()
		if len(have) >= n {
			return have, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return have, fmt.Errorf("%d of %d messages came: %w", len(have), n, ctx.Err())
		}
	}
}

func (s *Server) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

func (s *Server) rules(recipient string) (hanging bool, refused, content *smtp.SMTPError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hanging, s.refused[strings.ToLower(recipient)], s.content
}

func reply(code int, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}

// session is one conversation. The server asks for a password only if the
// session is an AuthSession.
func (s *Server) session() smtp.Session {
	if s.user == "" {
		return &conversation{server: s}
	}
	return &guarded{conversation: conversation{server: s}}
}

type conversation struct {
	server   *Server
	from, to string
}

func (c *conversation) Reset()        { c.from, c.to = "", "" }
func (c *conversation) Logout() error { return nil }

func (c *conversation) Mail(from string, _ *smtp.MailOptions) error {
	if hanging, _, _ := c.server.rules(""); hanging {
		<-c.server.stopped
	}
	c.from = from
	return nil
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	if _, refused, _ := c.server.rules(to); refused != nil {
		return refused
	}
	c.to = to
	return nil
}

func (c *conversation) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if _, _, content := c.server.rules(c.to); content != nil {
		return content
	}
	m, err := read(raw)
	if err != nil {
		return reply(554, err.Error())
	}
	m.Sender, m.Recipient = c.from, c.to
	c.server.keep(m)
	return nil
}

// guarded is a conversation that begins with a password.
type guarded struct {
	conversation
	known bool
}

func (g *guarded) AuthMechanisms() []string { return []string{sasl.Plain} }

func (g *guarded) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != g.server.user || password != g.server.password {
			return smtp.ErrAuthFailed
		}
		g.known = true
		return nil
	}), nil
}

func (g *guarded) Mail(from string, o *smtp.MailOptions) error {
	if !g.known {
		return smtp.ErrAuthRequired
	}
	return g.conversation.Mail(from, o)
}

// Blackhole listens and never says a word. It returns where.
func Blackhole(t testing.TB) (host string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var taken []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			taken = append(taken, c)
		}
		for _, c := range taken {
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
}

// selfMade makes a certificate for this machine and the roots that trust it.
func selfMade(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
