// Package serve builds the whole server from its settings: the store, the door,
// the rails, the loops and every edge. The command line and the tests use the
// same builder, so that what is tested is what runs.
package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

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
	handler http.Handler
}

// Options are what a test may put in the place of the real thing.
type Options struct {
	Clock clock.Clock // the machine's when nil
	Log   *slog.Logger
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
	if s.secret, err = serverSecret(c.Data); err != nil {
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
	records := &app.Records{}
	s.Bank = simbank.New(records, s.clock)
	s.Carrier = simcarrier.New(records)
	if s.App, err = app.New(ctx, app.Config{
		Store: s.store, Clock: s.clock, Bank: accounts{s.Bank}, SimulatedBank: true, Shops: confirmer{hooks}, Log: s.log, Secret: s.secret, BaseURL: c.BaseURL,
	}); err != nil {
		return nil, err
	}
	records.App = s.App
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
	s.handler = s.routes(proxies)
	s.Loops.Start()
	return s, nil
}

// Handler serves every edge.
func (s *Server) Handler() http.Handler { return s.handler }

// End tells the server that it is going to be closed: long tasks stop where they
// are, everything else goes on.
func (s *Server) End() { s.Loops.End() }

// Close ends the loops and closes the database.
func (s *Server) Close() error {
	s.Loops.Close()
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

const (
	// secretFile is the name of the server's secret in the data folder.
	secretFile = "secret.key"
	// secretBytes is its length.
	secretBytes = 32
)

// serverSecret reads the key from which tokens and links are derived, and makes
// it at the first start. Losing it ends every link and token; nothing else.
func serverSecret(dir string) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	path := filepath.Join(dir, secretFile)
	secret, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		secret = make([]byte, secretBytes)
		if _, err := rand.Read(secret); err != nil {
			return nil, err
		}
		err = keep(path, secret)
	}
	if err != nil {
		return nil, fmt.Errorf("the server's secret: %w", err)
	}
	if len(secret) != secretBytes {
		return nil, fmt.Errorf("%s is damaged: it must have %d bytes; restore it from a backup", path, secretBytes)
	}
	return secret, nil
}

// keep makes a file of which a power cut leaves the whole or nothing.
func keep(path string, content []byte) error {
	half := path + ".new"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(half, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
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
