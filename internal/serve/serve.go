// Package serve builds the whole server from its settings: the store, the door,
// the rails, the loops and every edge. The command line and the tests use the
// same builder, so that what is tested is what runs.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/bank/simbank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier/simcarrier"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
	"github.com/holdfast-pay/holdfast/internal/rail/mail/smtp"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// Server is the running whole.
type Server struct {
	App     *app.App
	Loops   *work.Loops
	Bank    *simbank.Bank
	Carrier *simcarrier.Carrier
	// Seeded tells how to reach the demonstration merchant; nil without one.
	Seeded *Seeded

	config  config.Config
	log     *slog.Logger
	clock   clock.Clock
	store   *store.Store
	secret  []byte
	backups *backups
	handler http.Handler
	// retiring says that the server is about to end.
	retiring atomic.Bool
}

// Options are what a test may put in the place of the real thing.
type Options struct {
	Clock clock.Clock // the machine's when nil
	// CompareClock compares Clock with the database's, as the machine's always is.
	CompareClock bool
	Log          *slog.Logger
	// Sender replaces the mail server of the configuration.
	Sender mail.Sender
}

// New builds the server and starts its loops. It does not listen.
func New(ctx context.Context, c config.Config, o Options) (_ *Server, err error) {
	s := &Server{config: c, log: o.Log, clock: o.Clock}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.clock == nil {
		s.clock = clock.Real{}
	}
	proxies, err := c.Proxies()
	if err != nil {
		return nil, err
	}
	var made string
	if s.secret, made, err = serverSecret(&c); err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, c, s.log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	// The simulated parties remember through the door, and the door asks the bank:
	// the bank is built first and given its memory through the door's address.
	hooks := webhook.New(s.clock)
	records, asks := &app.Records{}, &confirmer{sender: hooks}
	s.Bank = simbank.New(records, s.clock)
	s.Carrier = simcarrier.New(records)
	if s.App, err = app.New(ctx, app.Config{
		Store: s.store, Clock: s.clock, Bank: accounts{s.Bank}, SimulatedBank: true, Shops: asks, Log: s.log, Secret: s.secret, ReplaceSecret: c.ReplaceSecret, BaseURL: c.BaseURL,
		CompareClock: o.Clock == nil || o.CompareClock,
	}); err != nil {
		return nil, inWords(err, made)
	}
	records.App, asks.app = s.App, s.App
	if err := s.clockAgrees(ctx); err != nil {
		return nil, err
	}
	post, err := s.letters(o.Sender)
	if err != nil {
		return nil, err
	}
	s.Loops = work.New(work.Config{
		App: s.App, Bank: s.Bank, Notices: s.Bank, Tracker: s.Carrier, Post: post, Hooks: hooks, Lease: c.Lease, Log: s.log,
	})
	if c.Seed {
		if s.Seeded, err = s.seed(ctx); err != nil {
			return nil, err
		}
	}
	if s.backups, err = startBackups(c, s.log); err != nil {
		return nil, fmt.Errorf("periodic backups: %w", err)
	}
	s.handler = s.routes(proxies)
	s.Loops.Start()
	return s, nil
}

// clockAgrees refuses, with live money, a machine whose clock is not the
// database's. The sandbox starts and waits, not ready, until they agree.
func (s *Server) clockAgrees(ctx context.Context) error {
	err := s.App.Heartbeat(ctx)
	if errors.Is(err, app.ErrClock) && s.config.Mode == config.Sandbox {
		return nil
	}
	return err
}

// inWords says what can be done when a node must not start. made is the file of a
// secret that was made at this start; one that does not fit the database is of no
// use and is taken away.
func inWords(err error, made string) error {
	switch {
	case errors.Is(err, app.ErrOtherSecret) && made != "":
		return errors.Join(fmt.Errorf("the database was made with a secret that is not here: %s was missing. Put the server's secret there, or name it (secret_file or secret_key); "+
			"if it is lost, start once with --replace-secret, which ends all access tokens, the links in all mails sent so far and the signing secrets of endpoints (%w)", made, err), os.Remove(made))
	case errors.Is(err, app.ErrOtherSecret):
		return fmt.Errorf("%w. Give every node the same secret (secret_file or secret_key); if that one is lost, start once with --replace-secret, "+
			"which ends all access tokens, the links in all mails sent so far and the signing secrets of endpoints", err)
	}
	return err
}

// Handler serves every edge.
func (s *Server) Handler() http.Handler { return s.handler }

// Retire prepares the server's end: /readyz says that it is not ready, so that
// balancers send their callers elsewhere, clocks that are being moved stop where
// they are, and the loops begin nothing more. It returns when what they have begun is done, or ctx ends. Requests are answered
// as before.
func (s *Server) Retire(ctx context.Context) {
	s.retiring.Store(true)
	s.Loops.Retire(ctx)
}

// Close ends the loops and closes the database.
func (s *Server) Close() error {
	s.Loops.Close()
	s.backups.close()
	return s.store.Close()
}

func (s *Server) letters(sender mail.Sender) (*work.Letters, error) {
	m := s.config.Mail
	if sender == nil && m.Host != "" {
		made, err := smtp.New(smtp.Config{
			Host: m.Host, Port: m.Port, Security: smtp.Security(m.Security), User: m.User, Password: string(m.Password),
		}, s.clock)
		if err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
		sender = made
	}
	return &work.Letters{App: s.App, Sender: sender, Operator: s.operator(), From: m.From, FromName: m.FromName}, nil
}

func (s *Server) operator() letter.Operator {
	o := s.config.Operator
	return letter.Operator{Name: o.Name, Registration: o.Registration, Contact: o.Contact, URL: o.URL}
}

// accounts lets the door ask a bank.
type accounts struct{ bank bank.Bank }

func (a accounts) IssueAccount(ctx context.Context, r app.AccountRequest) (escrow.BankAccount, error) {
	got, err := a.bank.IssueAccount(ctx, bank.IssueRequest{Merchant: r.Merchant, Payment: r.Payment, Bank: r.Bank, Holder: r.Holder, Amount: r.Amount, Due: r.Due})
	return escrow.BankAccount{Bank: got.Bank, Number: got.Number, Holder: got.Holder}, refusal(err)
}

func (a accounts) CloseAccount(ctx context.Context, merchantID string, account escrow.BankAccount) error {
	return a.bank.CloseAccount(ctx, merchantID, account.Bank, account.Number)
}

func (a accounts) HolderName(ctx context.Context, code, number string) (string, error) {
	name, err := a.bank.HolderName(ctx, code, number)
	if errors.Is(err, bank.ErrNoAccount) {
		return "", app.ErrNoHolder
	}
	return name, refusal(err)
}

// bankFields are a bank's fields in the words of those who asked.
var bankFields = map[string]string{"bank": "vbank_code", "holder": "vbank_holder", "number": "bank_num"}

// refusal turns a bank's word about a field into an answer that may be shown.
func refusal(err error) error {
	var no *bank.Invalid
	if !errors.As(err, &no) {
		return err
	}
	field := no.Field
	if named, ok := bankFields[field]; ok {
		field = named
	}
	return &escrow.Refusal{Code: escrow.Invalid, Field: field, Reason: no.Reason}
}
