// Package app is the one door: every change of a payment, a payout or a
// merchant passes through it, and every screen and API reads through it.
//
// # A change
//
// Do loads the payment under lock, asks escrow.Decide, and stores the whole
// decision in one transaction. It returns once that is durable. Nothing outside
// is called while a transaction is open; a bank or a carrier is asked before or
// after, and its answer comes back as another command through the same door.
//
// # An answer
//
// A rule that says no comes back as *escrow.Refusal, which is safe to show.
// Every other error is a fault: it is logged, and people are told only that
// something went wrong.
//
// A request that carries a key acts once, however often it is sent and wherever
// a process dies: see once.go.
//
// A payment of another merchant does not exist: the answer is NotFound, without
// a hint.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Accounts is what the door asks of a bank before a payment begins. It is
// called outside every transaction.
type Accounts interface {
	// IssueAccount gives the payment an account of its own at the bank.
	IssueAccount(ctx context.Context, a AccountRequest) (escrow.BankAccount, error)
	// CloseAccount tells the bank to take no more deposits.
	CloseAccount(ctx context.Context, merchantID string, account escrow.BankAccount) error
	// HolderName is the name on any account, or ErrNoHolder.
	HolderName(ctx context.Context, bank, number string) (string, error)
}

// AccountRequest asks for a virtual account.
type AccountRequest struct {
	Merchant, Payment, Bank, Holder string
	Amount                          money.Won
	Due                             time.Time
}

// Confirmer asks a shop whether a payment may come about (PortOne V1's confirm
// process, contract section 1.8). It is called outside every transaction.
type Confirmer interface {
	// Confirm returns nil to go on. A *escrow.Refusal carries the shop's reason;
	// any other error says that the shop did not answer, which stops the payment too.
	Confirm(ctx context.Context, m *merchant.Merchant, p *escrow.Payment) error
}

// ErrNoHolder says that the bank knows no such account.
var ErrNoHolder = errors.New("the bank knows no such account")

// Config is what the door needs to be built.
type Config struct {
	Store *store.Store
	Clock clock.Clock
	Bank  Accounts
	// SimulatedBank says that Bank only plays one: no live merchant is given an
	// account or an approval of it, for nobody's money would stand behind them.
	SimulatedBank bool
	// Shops is asked before a payment with a confirm URL comes about.
	Shops Confirmer
	Log   *slog.Logger
	// Secret is the key from which tokens and links are derived; 32 bytes.
	Secret []byte
	// ReplaceSecret puts the secret in the place of the one that the database was
	// made with. Tokens and links that were made with that one end.
	ReplaceSecret bool
	// BaseURL is where buyers and shops reach this server, without a trailing slash.
	BaseURL string
	// CompareClock compares Clock with the database's: it is a machine's.
	CompareClock bool
}

// App is the door.
type App struct {
	store    *store.Store
	clock    clock.Clock
	bank     Accounts
	playBank bool // the bank is simulated
	shops    Confirmer
	log      *slog.Logger
	secret   []byte
	baseURL  string
	ids      ident.Payments
	calendar atomic.Pointer[dated]

	mu        sync.RWMutex
	merchants map[string]known
	tokens    map[string]liveToken
	forgotten atomic.Int64 // how often tokens was emptied by a revocation
	pokes     map[Work][]chan struct{}
	onces     onces
	lanes     map[Lane]struct{} // in which calls are due
	waiting   readers           // of feeds

	compareClock bool
	vitals       atomic.Pointer[vitals] // nil before the first Heartbeat
}

// New builds the door and reads the calendar's overrides.
func New(ctx context.Context, c Config) (*App, error) {
	if len(c.Secret) < 32 {
		return nil, errors.New("the server's secret must have at least 32 bytes")
	}
	a := &App{
		store: c.Store, clock: c.Clock, bank: c.Bank, playBank: c.SimulatedBank, shops: c.Shops, log: c.Log, secret: c.Secret, baseURL: c.BaseURL,
		merchants: map[string]known{}, tokens: map[string]liveToken{}, pokes: map[Work][]chan struct{}{}, lanes: map[Lane]struct{}{},
		compareClock: c.CompareClock,
	}
	if err := a.agreeOnSecret(ctx, c.ReplaceSecret); err != nil {
		return nil, err
	}
	return a, a.loadCalendar(ctx)
}

// ErrOtherSecret says that the database was made with another secret.
var ErrOtherSecret = errors.New("the server's secret is not the one that the database was made with")

// agreement is the name of the secret's fingerprint in what all nodes agree on.
const agreement = "secret"

// agreeOnSecret compares the secret's fingerprint with the one in the database,
// which the first node has left there.
func (a *App) agreeOnSecret(ctx context.Context, replace bool) error {
	mine := a.fingerprint()
	var theirs string
	err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
		if theirs, err = tx.Agree(agreement, mine); err != nil || theirs == mine || !replace {
			return err
		}
		theirs = mine
		return tx.Reagree(agreement, mine)
	})
	if err != nil {
		return err
	}
	return otherSecret(mine, theirs)
}

// otherSecret is ErrOtherSecret if fingerprints differ.
func otherSecret(mine, theirs string) error {
	if mine == theirs {
		return nil
	}
	return fmt.Errorf("%w: its fingerprint is %s, the database has %s", ErrOtherSecret, mine, theirs)
}

// fingerprint lets the server's secret be compared, and tells nothing of it.
func (a *App) fingerprint() string {
	return ident.Derive(a.secret, "", "fingerprint")[:fingerprint]
}

// fingerprint is the length of a secret's fingerprint, in characters of 6 bits.
const fingerprint = 12

// Real is the machine's present instant.
func (a *App) Real() time.Time { return a.clock.Now() }

// BaseURL is where buyers and shops reach this server.
func (a *App) BaseURL() string { return a.baseURL }

// Work is a kind of work that a change may owe.
type Work string

// The kinds of work, each of which has a loop.
const (
	WorkMail       Work = "mail"
	WorkWebhook    Work = "webhook"
	WorkBank       Work = "bank"
	WorkTime       Work = "time"
	WorkCarrier    Work = "carrier"
	WorkSettlement Work = "settlement"
)

// Pokes returns a new channel that tells its loop when work of a kind may be
// owed at once. Work that falls due later is not announced: loops look by
// themselves.
func (a *App) Pokes(w Work) <-chan struct{} {
	c := make(chan struct{}, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pokes[w] = append(a.pokes[w], c)
	return c
}

// poke wakes the loops of the given kinds.
func (a *App) poke(kinds ...Work) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, w := range kinds {
		for _, c := range a.pokes[w] {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

// pokeAll wakes every loop.
func (a *App) pokeAll() {
	a.poke(WorkMail, WorkWebhook, WorkBank, WorkTime, WorkCarrier, WorkSettlement)
}

// notFound turns the store's answer into the refusal that an edge shows.
func notFound(err error, what string) error {
	if errors.Is(err, store.ErrNotFound) {
		return &escrow.Refusal{Code: escrow.NotFound, Reason: "there is no such " + what}
	}
	return err
}

// read runs fn on a reader and returns what it returns.
func read[T any](ctx context.Context, a *App, fn func(*store.Reader) (T, error)) (out T, err error) {
	err = a.store.Read(ctx, func(r *store.Reader) (err error) {
		out, err = fn(r)
		return err
	})
	return out, err
}

// Ready reports whether the database answers and this node is fit to serve: its
// error is one of Fit's otherwise.
func (a *App) Ready(ctx context.Context) error {
	if _, err := read(ctx, a, func(r *store.Reader) ([]merchant.Merchant, error) { return r.Merchants(0, 1) }); err != nil {
		return err
	}
	return a.Heartbeat(ctx)
}

// StoreStats returns the writer's counters.
func (a *App) StoreStats() store.Stats { return a.store.Stats() }

func invalid(field, format string, args ...any) error {
	return &escrow.Refusal{Code: escrow.Invalid, Field: field, Reason: fmt.Sprintf(format, args...)}
}

// ErrEnding says that this node was told to stop in the middle of a long task.
// Another node can go on with it.
var ErrEnding = fmt.Errorf("this node is being stopped: %w", store.ErrUnavailable)

// IsUnknown reports whether an error means that nobody can say whether the write
// was done.
func IsUnknown(err error) bool { return errors.Is(err, store.ErrUnknown) }

// IsUnavailable reports whether an error means that nothing was written and the
// same call may succeed later: the disk is full or the database does not answer.
func IsUnavailable(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrClosed)
}
