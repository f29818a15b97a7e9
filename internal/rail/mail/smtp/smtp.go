// Package smtp sends mail through a mail server.
//
// Every message has a connection of its own and a limit of time from dialling to
// the server's last word. Bodies go as base64, which leaves Korean text as it is
// on the way and a third larger instead of three times. What the server says
// about the recipient or the message with a code of 5xx is permanent; everything
// else, a wrong password of ours included, may pass.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
)

// Security is how the way to the mail server is protected.
type Security string

// The kinds of protection. There is none that falls back to plain text.
const (
	Plain    Security = "none"     // not at all; for a server on the same machine
	StartTLS Security = "starttls" // begun in plain text, usually on port 587
	TLS      Security = "tls"      // from the first byte, usually on port 465
)

// DefaultTimeLimit is how long sending one message may take.
const DefaultTimeLimit = 30 * time.Second

// Config says which mail server to use.
type Config struct {
	Host     string
	Port     int
	Security Security
	// User and Password sign in; both empty for a server that asks for nothing.
	User, Password string
	// Hello is the name we greet with; the machine's name if empty.
	Hello string
	// ReturnPath is the address that reports of non-delivery go to; the
	// message's From if empty.
	ReturnPath string
	// TimeLimit is DefaultTimeLimit if zero.
	TimeLimit time.Duration
	// TLS replaces the usual settings, such as the trusted roots. ServerName is
	// Host if empty.
	TLS *tls.Config
}

// Sender sends through one mail server. It implements [mail.Sender].
type Sender struct {
	config Config
	clock  clock.Clock
}

var _ mail.Sender = (*Sender)(nil)

// New returns a sender, or an error that names the setting which is wrong. It
// does not connect. The clock dates the messages.
func New(c Config, clk clock.Clock) (*Sender, error) {
	if c.TimeLimit == 0 {
		c.TimeLimit = DefaultTimeLimit
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.TLS == nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.TLS.ServerName == "" {
		c.TLS = c.TLS.Clone()
		c.TLS.ServerName = c.Host
	}
	return &Sender{config: c, clock: clk}, nil
}

func (c Config) check() error {
	switch {
	case c.Host == "":
		return errors.New("host: is required")
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("port: %d is not between 1 and 65535", c.Port)
	case c.Security != Plain && c.Security != StartTLS && c.Security != TLS:
		return fmt.Errorf("security: %q is not none, starttls or tls", string(c.Security))
	case (c.User == "") != (c.Password == ""):
		return errors.New("user, password: must be given together")
	case c.User != "" && c.Security == Plain && !onThisMachine(c.Host):
		return errors.New("security: a password may not travel unprotected; use starttls or tls")
	case c.TimeLimit < 0:
		return errors.New("time_limit: cannot be negative")
	default:
		return nil
	}
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Send implements [mail.Sender].
func (s *Sender) Send(ctx context.Context, m mail.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	letter, err := s.compose(m)
	if err != nil {
		return &mail.SendError{Permanent: true, Reason: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.TimeLimit)
	defer cancel()
	if err := s.deliver(ctx, letter); err != nil && !letter.IsDelivered() {
		return s.classify(ctx, err)
	}
	return nil
}

// compose writes the letter as the library wants it.
func (s *Sender) compose(m mail.Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingB64), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithNoDefaultUserAgent())
	letter.SetAddrHeaderFromMailAddress(gomail.HeaderFrom, &netmail.Address{Name: literal(m.FromName), Address: m.From})
	letter.SetAddrHeaderFromMailAddress(gomail.HeaderTo, &netmail.Address{Name: literal(m.ToName), Address: m.To})
	if m.ReplyTo != "" {
		letter.ReplyToMailAddress(&netmail.Address{Address: m.ReplyTo})
	}
	if s.config.ReturnPath != "" {
		if err := letter.EnvelopeFrom(s.config.ReturnPath); err != nil {
			return nil, fmt.Errorf("return path: %w", err)
		}
	}
	letter.SetMessageIDWithValue(m.ID + m.From[strings.LastIndexByte(m.From, '@'):])
	letter.SetDateWithValue(s.clock.Now())
	letter.Subject(literal(m.Subject))
	// Nobody's holiday notice shall answer a letter written by a machine (RFC 3834).
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	for name, value := range m.Headers {
		letter.SetGenHeader(gomail.Header(name), literal(value))
	}
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		letter.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return letter, nil
}

// literal keeps a text from being read as an encoded word, which could show a
// reader something else than what was checked.
func literal(text string) string { return strings.ReplaceAll(text, "=?", "= ?") }

// deliver connects, sends and takes its leave. When the context ends the
// connection is cut, whatever it is waiting for.
func (s *Sender) deliver(ctx context.Context, letter *gomail.Msg) error {
	line, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(s.config.Host, strconv.Itoa(s.config.Port)))
	if err != nil {
		return err
	}
	defer line.Close()
	stop := context.AfterFunc(ctx, func() { line.Close() })
	defer stop()
	client, err := gomail.NewClient(s.config.Host, s.options(line)...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	if err := client.SendWithSMTPClient(session, letter); err != nil {
		return err
	}
	return client.CloseWithSMTPClient(session)
}

// options set the library's client up to use the line that is open already.
func (s *Sender) options(line net.Conn) []gomail.Option {
	c := s.config
	options := []gomail.Option{
		// The context of Send keeps the time limit; the library's own clock, which
		// starts anew with every step, is only a second net.
		gomail.WithPort(c.Port), gomail.WithTimeout(2 * c.TimeLimit), gomail.WithTLSConfig(c.TLS),
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
		gomail.WithTLSPolicy(gomail.NoTLS),
	}
	if c.Security == StartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.Security == TLS {
		line = tls.Client(line, c.TLS)
	}
	options = append(options, gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return line, nil }))
	if c.User != "" {
		options = append(options, gomail.WithUsername(c.User), gomail.WithPassword(c.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	if c.Hello != "" {
		options = append(options, gomail.WithHELO(c.Hello))
	}
	return options
}

// classify says whether sending again can help.
func (s *Sender) classify(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &mail.SendError{Reason: "the mail server did not answer in time"}
	}
	if ctx.Err() != nil {
		return &mail.SendError{Reason: "sending was broken off"}
	}
	out := &mail.SendError{Reason: err.Error()}
	var refused *gomail.SendError
	if !errors.As(err, &refused) {
		return out
	}
	out.Code = refused.ErrorCode()
	if out.Code >= 500 {
		switch refused.Reason {
		case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
			out.Permanent = true
		default: // the server refused something that is not this letter
		}
	}
	return out
}
