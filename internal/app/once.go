package app

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// # A request that is sent twice
//
// A caller may send a key with a request (Idempotency-Key). An edge begins such
// a request with BeginOnce, carries it out under the context of WithOnce, and
// ends it with AnswerOnce, or with FreeOnce where nothing was decided.
//
// Under that context each transaction of the door that serves the request is an
// act (see act): it writes into the row of the key, in itself, that the request
// has acted, and what came of it. It fails if the request is carried out by
// another one since. So:
//
//   - A request that ended is answered with what was answered then.
//   - A process that dies between an act and the answer leaves its acts. Whoever
//     repeats the request goes through the same steps; an act that is recorded is
//     not done but told, and the first that is not recorded is done.
//   - An execution that slept while another took over cannot act.
//
// What a request causes beside its acts is not the request's: calls to banks and
// shops, and the loops. It is done under Apart.

// KeyLife is how long a key is known, by the machine's clock, from when it came
// first (contract section 3.1).
const KeyLife = 3 * time.Hour

const (
	// onceLease is how long a request is left to a node that gives no sign of life;
	// one whose process is known to have ended is taken over at once.
	onceLease = time.Minute
	// KeepOnceEvery is how often a node prolongs the leases of what it carries out.
	KeepOnceEvery = onceLease / 4
	// maxActs bounds the acts of one request.
	maxActs = 64
	// maxStored bounds an answer that is kept, in bytes. A larger one is made anew,
	// from what the acts have left, for whoever repeats the request.
	maxStored = 4 << 20
)

var (
	// ErrOutstanding says that the request of this key is being carried out.
	ErrOutstanding = errors.New("the request of this key is being carried out")
	// ErrOtherRequest says that the key belongs to another request.
	ErrOtherRequest = errors.New("the key belongs to another request")
	// errSealed says that what was kept was sealed under another secret.
	errSealed = errors.New("app: what was kept of a request cannot be opened; was the server's secret replaced?")
)

// OnceKey names a request.
type OnceKey struct {
	// Merchant is whose credentials came with it; empty for the operator's.
	Merchant string
	// Key is what the caller chose.
	Key string
	// Print is equal for two requests only if they ask for the same.
	Print string
}

// Answer is an answer as it was given.
type Answer struct {
	Status int
	Header map[string][]string
	Body   []byte
}

// Once is one execution of a request with a key.
type Once struct {
	// Answer is what was answered to the request before; nil if it is to be carried
	// out now.
	Answer *Answer

	ref  store.Ref // of its row
	run  string
	seal cipher.AEAD

	mu  sync.Mutex
	row store.KeyedRequest // as it is in the database
	// acts are what the request has done, of which told many have been told to this
	// execution.
	acts      []actMemo
	told      int
	lost      bool // another one carries the request out
	strayed   bool // it would have done something else than before
	undecided bool
}

// actMemo is an act and what came of it.
type actMemo struct {
	Name string          `json:"name"`
	Memo json.RawMessage `json:"memo"`
}

type onceKey struct{}

// WithOnce lets what is done under a context be acts of the request.
func WithOnce(ctx context.Context, o *Once) context.Context {
	return context.WithValue(ctx, onceKey{}, o)
}

// Apart is a context under which nothing is an act of the request.
func Apart(ctx context.Context) context.Context {
	if onceOf(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, onceKey{}, (*Once)(nil))
}

func onceOf(ctx context.Context) *Once {
	o, _ := ctx.Value(onceKey{}).(*Once)
	return o
}

// Acted reports whether the request of a context has acts that were not told yet:
// it is repeated after its process died, and the next act is not done but told.
// What would forbid it, had it not been done, is passed over then.
func Acted(ctx context.Context) bool {
	o := onceOf(ctx)
	return o != nil && o.Untold()
}

// Undecided says that the answer to come decides nothing and is not kept: the
// same request may come to another one later.
func Undecided(ctx context.Context) {
	if o := onceOf(ctx); o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.undecided = true
	}
}

// Decided reports whether an answer may be kept.
func (o *Once) Decided() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.undecided && !o.lost
}

// Lost reports whether another one carries the request out since.
func (o *Once) Lost() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// Untold reports whether the request has done what this execution was not told.
func (o *Once) Untold() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told < len(o.acts)
}

// Strayed reports whether this execution was stopped because it would have done
// something else than what the request has done before.
func (o *Once) Strayed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.strayed && o.told < len(o.acts)
}

// BeginOnce begins a request, or goes on with one that nobody carries out any more.
// The answer is set if there is one. A request that is being carried out is
// ErrOutstanding; one that asks for something else is ErrOtherRequest.
func (a *App) BeginOnce(ctx context.Context, k OnceKey) (*Once, error) {
	o, err := a.newOnce(k)
	if err != nil {
		return nil, err
	}
	row, err := read(ctx, a, func(r *store.Reader) (store.KeyedRequest, error) { return r.KeyedRequest(o.row.Merchant, o.row.Key) })
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	case a.outOfDate(&row):
	case row.Print != k.Print:
		return nil, ErrOtherRequest
	case row.Status != 0:
		return o, o.answered(&row)
	}
	if !a.onces.enter(o) {
		return nil, ErrOutstanding
	}
	err = a.claimOnce(ctx, o, row.Holder)
	if err != nil || o.Answer != nil {
		a.onces.leave(o)
	}
	return o, err
}

func (a *App) newOnce(k OnceKey) (*Once, error) {
	mac := hmac.New(sha256.New, a.secret)
	fmt.Fprintf(mac, "once\x00%s\x00%s", k.Merchant, k.Key)
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	row := store.KeyedRequest{Merchant: k.Merchant, Key: ident.Hash(k.Key), Print: k.Print, Run: rand.Text(), Holder: a.store.Holder()}
	return &Once{ref: store.Ref{Merchant: row.Merchant, ID: row.Key}, run: row.Run, seal: seal, row: row}, nil
}

// outOfDate reports whether a request counts as never seen.
func (a *App) outOfDate(row *store.KeyedRequest) bool {
	now := a.clock.Now()
	return !now.Before(row.CreatedAt.Add(KeyLife)) && !leased(row, now)
}

// leased reports whether a request is left to whom carries it out. A lease that ends
// later than leases do was taken by a clock that was wrong.
func leased(row *store.KeyedRequest, now time.Time) bool {
	return row.Holder != 0 && row.LeasedUntil.After(now) && row.LeasedUntil.Before(now.Add(2*onceLease))
}

// claimOnce makes the request this execution's. seen is the process that was seen
// to carry it out before.
func (a *App) claimOnce(ctx context.Context, o *Once, seen int64) error {
	ended := int64(-1) // no process
	if seen != 0 && seen != a.store.Holder() {
		gone, err := a.store.Ended(ctx, seen)
		if err != nil {
			return err
		}
		if gone {
			ended = seen
		}
	}
	fresh := o.row
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		now := a.clock.Now()
		mine := fresh
		o.Answer, o.acts = nil, nil
		mine.CreatedAt, mine.LeasedUntil = now, now.Add(onceLease)
		was, err := tx.KeyedRequest(mine.Merchant, mine.Key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			o.row = mine
			return tx.BeginKeyed(mine)
		case err != nil:
			return err
		case a.outOfDate(&was):
			o.row = mine
			return tx.TakeKeyed(mine, was.Run)
		case was.Print != mine.Print:
			return ErrOtherRequest
		case was.Status != 0:
			return o.answered(&was)
		case leased(&was, now) && was.Holder != mine.Holder && was.Holder != ended:
			return ErrOutstanding
		}
		// Nobody carries it out: what this process itself carries out is known to it.
		mine.CreatedAt, mine.Acts, mine.Doc = was.CreatedAt, was.Acts, was.Doc
		o.row = mine
		if err := o.open(mine.Doc, mine.Acts, &o.acts); err != nil {
			return err
		}
		return tx.TakeKeyed(mine, was.Run)
	}, store.OnRow(fresh.Merchant, fresh.Key))
	if errors.Is(err, store.ErrLeased) {
		return ErrOutstanding
	}
	return err
}

func (o *Once) answered(row *store.KeyedRequest) error {
	o.Answer = &Answer{}
	return o.open(row.Answer, 1, o.Answer)
}

// open reads what was sealed, unless there is nothing.
func (o *Once) open(sealed []byte, n int, into any) error {
	if n == 0 {
		return nil
	}
	raw, err := o.seal.Open(nil, nil, sealed, []byte(o.row.Key))
	if err != nil {
		return errSealed
	}
	return json.Unmarshal(raw, into)
}

// close seals a value. What requests have done and were answered may contain what
// is shown once, such as the secret of a key that was made.
func (o *Once) close(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return o.seal.Seal(nil, nil, raw, []byte(o.row.Key)), nil
}

// AnswerOnce keeps the answer of a request and ends its execution. If it cannot be
// kept, whoever repeats the request is told the same acts. ErrOutstanding says
// that another one carries the request out since.
func (a *App) AnswerOnce(ctx context.Context, o *Once, answer Answer) error {
	defer a.onces.leave(o)
	o.mu.Lock()
	defer o.mu.Unlock()
	sealed, err := o.close(answer)
	if err == nil && len(sealed) > maxStored {
		err = fmt.Errorf("app: an answer of %d bytes is not kept", len(sealed))
	}
	row := o.row
	row.Status, row.Answer = answer.Status, sealed
	if err == nil {
		err = a.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.KeyedAnswered(row) }, store.OnRow(row.Merchant, row.Key))
	}
	switch {
	case errors.Is(err, store.ErrFenced):
		return ErrOutstanding
	case err != nil:
		a.log.Warn("the answer to a request with a key was not kept", "merchant", row.Merchant, "error", err)
		a.freeOnce(ctx, o)
	}
	return nil
}

// FreeOnce ends an execution without an answer that could be kept. What it has
// done remains known.
func (a *App) FreeOnce(ctx context.Context, o *Once) {
	defer a.onces.leave(o)
	a.freeOnce(ctx, o)
}

func (a *App) freeOnce(ctx context.Context, o *Once) {
	err := a.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.FreeKeyed(o.ref.Merchant, o.ref.ID, o.run) }, store.OnRow(o.ref.Merchant, o.ref.ID))
	if err != nil {
		a.log.Warn("a request with a key could not be freed and is free later", "merchant", o.ref.Merchant, "error", err)
	}
}

// act runs fn in a transaction of the door, as an act of the context's request if
// that has a key. name says which act it is; what fn returns is what is told in its
// place if the request is carried out again. told says that this is so, and that
// nothing was done now.
func act[T any](ctx context.Context, a *App, name string, fn func(*store.Tx) (T, error), hints ...store.Hint) (out T, told bool, err error) {
	o := onceOf(ctx)
	if o == nil {
		err = a.store.Write(ctx, func(tx *store.Tx) (err error) {
			out, err = fn(tx)
			return err
		}, hints...)
		return out, false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if told, err := o.tell(name, &out); told || err != nil {
		return out, told, err
	}
	var next store.KeyedRequest
	var acts []actMemo
	err = a.store.Write(ctx, func(tx *store.Tx) (err error) {
		if out, err = fn(tx); err != nil {
			return err
		}
		if fault.Planted(fault.ActUnmarked) {
			return nil
		}
		if next, acts, err = o.with(name, out); err != nil {
			return err
		}
		return tx.KeyedActed(next)
	}, hints...)
	if errors.Is(err, store.ErrFenced) {
		o.lost = true
		err = ErrOutstanding
	}
	if err == nil && !fault.Planted(fault.ActUnmarked) {
		o.row, o.acts, o.told = next, acts, len(acts)
	}
	return out, false, err
}

// errOtherAct says that the request went another way than before.
var errOtherAct = errors.New("app: the request has done something else before")

// tell gives what came of the next act, if it is recorded. One of another name is
// errOtherAct: what is recorded stands, and nothing is done.
func (o *Once) tell(name string, into any) (told bool, err error) {
	if o.told == len(o.acts) {
		return false, nil
	}
	next := o.acts[o.told]
	if next.Name != name {
		o.strayed = true
		return false, fmt.Errorf("%w: %s, and not %s", errOtherAct, next.Name, name)
	}
	o.told++
	return true, json.Unmarshal(next.Memo, into)
}

// with is the row and the acts of the request with one act more.
func (o *Once) with(name string, memo any) (store.KeyedRequest, []actMemo, error) {
	raw, err := json.Marshal(memo)
	if err != nil {
		return o.row, nil, err
	}
	if len(o.acts) >= maxActs {
		return o.row, nil, fmt.Errorf("app: a request acts more than %d times", maxActs)
	}
	acts := append(o.acts[:len(o.acts):len(o.acts)], actMemo{name, raw})
	row := o.row
	row.Acts = len(acts)
	row.Doc, err = o.close(acts)
	return row, acts, err
}

// told gives what came of the next act of the context's request, if it is recorded
// and has that name.
func told[T any](ctx context.Context, name string) (out T, ok bool, err error) {
	o := onceOf(ctx)
	if o == nil {
		return out, false, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	ok, err = o.tell(name, &out)
	return out, ok, err
}

// recorded is the name of the next act that the context's request has done before;
// empty if there is none.
func recorded(ctx context.Context) string {
	o := onceOf(ctx)
	if o == nil {
		return ""
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.told == len(o.acts) {
		return ""
	}
	return o.acts[o.told].Name
}

// write is act for what has nothing to tell.
func (a *App) write(ctx context.Context, name string, fn func(*store.Tx) error, hints ...store.Hint) (told bool, err error) {
	_, told, err = act(ctx, a, name, func(tx *store.Tx) (struct{}, error) { return struct{}{}, fn(tx) }, hints...)
	return told, err
}

// Note keeps a value that a request draws or reads, so that it is the same if the
// request is carried out again. Without a key it is the value as it is.
func Note[T any](ctx context.Context, a *App, name string, value T) (T, error) {
	if onceOf(ctx) == nil {
		return value, nil
	}
	out, _, err := act(ctx, a, "note."+name, func(*store.Tx) (T, error) { return value, nil })
	return out, err
}

// onces are the requests that this process carries out.
type onces struct {
	mu      sync.Mutex
	running map[store.Ref]*Once
}

func (r *onces) enter(o *Once) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[o.ref] != nil {
		return false
	}
	if r.running == nil {
		r.running = map[store.Ref]*Once{}
	}
	r.running[o.ref] = o
	return true
}

func (r *onces) leave(o *Once) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[o.ref] == o {
		delete(r.running, o.ref)
	}
}

// now are the executions, in the order of their rows.
func (r *onces) now() []*Once {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.running), func(a, b *Once) int {
		return cmp.Or(cmp.Compare(a.ref.Merchant, b.ref.Merchant), cmp.Compare(a.ref.ID, b.ref.ID))
	})
}

// keepPage is how many leases are prolonged in one transaction.
const keepPage = 500

// KeepOnces prolongs the leases of the requests that this node carries out.
func (a *App) KeepOnces(ctx context.Context) error {
	until := a.clock.Now().Add(onceLease)
	for some := range slices.Chunk(a.onces.now(), keepPage) {
		if err := a.store.Write(ctx, func(tx *store.Tx) error {
			for _, o := range some {
				if err := tx.KeepKeyed(o.ref.Merchant, o.ref.ID, o.run, until); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// forgetPage is how many keys are forgotten in one transaction.
const forgetPage = 500

// forgetOnces forgets keys whose time is over.
func (a *App) forgetOnces(ctx context.Context) error {
	now := a.clock.Now()
	for ctx.Err() == nil {
		old, err := read(ctx, a, func(r *store.Reader) ([]store.Ref, error) { return r.OldKeyed(now.Add(-KeyLife), now, forgetPage) })
		if err != nil || len(old) == 0 {
			return err
		}
		err = a.store.Write(ctx, func(tx *store.Tx) error {
			for _, ref := range old {
				if err := tx.ForgetKeyed(ref.Merchant, ref.ID, now.Add(-KeyLife), now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
