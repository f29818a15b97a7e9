package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// ByCode finds a merchant by the public code that its pages carry.
func (a *App) ByCode(ctx context.Context, code string) (merchant.Merchant, error) {
	ref, err := read(ctx, a, func(r *store.Reader) (store.Ref, error) { return r.Lookup(dirCode, code) })
	if err != nil {
		return merchant.Merchant{}, notFound(err, "shop code")
	}
	return a.Merchant(ctx, ref.Merchant)
}

// Merchants lists merchants in the order of their making.
func (a *App) Merchants(ctx context.Context, offset, limit int) ([]merchant.Merchant, error) {
	return read(ctx, a, func(r *store.Reader) ([]merchant.Merchant, error) { return r.Merchants(offset, limit) })
}

// MerchantNow is the merchant's present instant, moved by its test clock.
func (a *App) MerchantNow(m *merchant.Merchant) time.Time { return m.Now(a.clock.Now()) }

// CreateMerchant records a merchant with its defaults. adjust may change them
// before they are checked. Code may be empty; then one is made.
func (a *App) CreateMerchant(ctx context.Context, actor, code, name string, mode merchant.Mode, adjust func(*merchant.Merchant)) (merchant.Merchant, error) {
	now := a.clock.Now()
	if code == "" {
		code = "imp" + ident.Digits(8)
	}
	m := merchant.New(ident.New("mrc", now), code, strings.TrimSpace(name), mode, now)
	if adjust != nil {
		adjust(&m)
	}
	if err := m.Check(); err != nil {
		return m, err
	}
	if m.Mode == merchant.Live {
		if err := a.safeForLive(ctx); err != nil {
			return m, err
		}
	}
	id, told, err := act(ctx, a, "merchant.create", func(tx *store.Tx) (string, error) {
		if err := tx.InsertMerchant(&m); err != nil {
			return "", err
		}
		if err := tx.PutDirectory(dirCode, m.Code, m.ID, m.ID); err != nil {
			return "", err
		}
		return m.ID, a.audit(tx, m.ID, actor, "merchant.create", m.ID, m.Name)
	})
	if told && err == nil {
		return a.MerchantNew(ctx, id)
	}
	if errors.Is(err, store.ErrExists) {
		return m, invalid("code", "the shop code %s is taken", m.Code)
	}
	if err == nil {
		a.keep(m, now)
	}
	return m, err
}

// UpdateMerchant changes settings: change is applied to the stored settings,
// checked, and stored with an audit row. Its error is returned as it is. change
// may run more than once.
func (a *App) UpdateMerchant(ctx context.Context, actor, id, action string, change func(*merchant.Merchant) error) (merchant.Merchant, error) {
	inside := func(_ *store.Tx, m *merchant.Merchant) error { return change(m) }
	m, err := a.updateMerchant(ctx, actor, id, action, inside, false)
	if errors.Is(err, errGoesLive) {
		if err := a.safeForLive(ctx); err != nil {
			return merchant.Merchant{}, err
		}
		m, err = a.updateMerchant(ctx, actor, id, action, inside, true)
	}
	return m, err
}

// errGoesLive says that a change makes a merchant live whose database nobody has
// asked yet whether it is safe.
var errGoesLive = errors.New("the merchant becomes live")

// safeForLive refuses live money on a database that can lose what it acknowledged.
// It asks the database as it runs now, outside of any transaction.
func (a *App) safeForLive(ctx context.Context) error {
	reasons, err := a.store.Unsafe(ctx)
	if err == nil && len(reasons) > 0 {
		err = &escrow.Refusal{Code: UnsafeDatabase, Field: "mode", Reason: "the database is not safe for live money: " + strings.Join(reasons, "; ")}
	}
	return err
}

// updateMerchant is UpdateMerchant for a change that may do something else in its
// transaction. safe says that the database was asked whether it is safe for live money.
func (a *App) updateMerchant(ctx context.Context, actor, id, action string, change func(*store.Tx, *merchant.Merchant) error, safe bool) (merchant.Merchant, error) {
	var m merchant.Merchant
	at := a.clock.Now()
	told, err := a.write(ctx, action+" "+id, func(tx *store.Tx) error {
		var err error
		if m, err = tx.Merchant(id); err != nil {
			return notFound(err, "merchant")
		}
		ahead, live := m.Ahead, m.Mode == merchant.Live
		if err := change(tx, &m); err != nil {
			return err
		}
		if m.Mode == merchant.Live && !live && !safe {
			return errGoesLive
		}
		if m.Ahead < ahead {
			return invalid("clock", "a test clock moves only forward")
		}
		if m.Mode != merchant.Sandbox && m.Ahead != 0 {
			return invalid("clock", "a live merchant has no test clock")
		}
		if err := m.Check(); err != nil {
			return err
		}
		if err := tx.UpdateMerchant(&m); err != nil {
			return err
		}
		return a.audit(tx, id, actor, action, id, "")
	})
	if told && err == nil {
		return a.MerchantNew(ctx, id)
	}
	if err == nil {
		a.keep(m, at)
		a.pokeAll()
	}
	return m, err
}

// ErrClockTaken says that another one moves the merchant's test clock.
var ErrClockTaken = errors.New("the test clock is being moved by another one")

const (
	// clockLease is the name of the lease on a merchant's test clock.
	clockLease = "clock"
	// clockLeaseLife is how long a clock is left to a node that has not moved it
	// on, and may have died. One that was only slow is refused at its next move.
	clockLeaseLife = 15 * time.Second
)

// TakeClock makes holder the only one who moves a merchant's test clock, until
// GiveClock; ErrClockTaken if another one does.
func (a *App) TakeClock(ctx context.Context, merchantID, holder string) error {
	if a.store.Alone() {
		return nil
	}
	return clockTaken(a.store.Write(ctx, func(tx *store.Tx) error { return a.holdClock(tx, merchantID, holder) }, store.OnRow(merchantID, clockLease)))
}

// holdClock takes the lease on a clock or prolongs it. A process that has the
// database for itself needs none.
func (a *App) holdClock(tx *store.Tx, merchantID, holder string) error {
	if a.store.Alone() {
		return nil
	}
	now := a.clock.Now()
	return tx.TakeLease(merchantID, clockLease, holder, now, now.Add(clockLeaseLife))
}

func clockTaken(err error) error {
	if errors.Is(err, store.ErrLeased) {
		return ErrClockTaken
	}
	return err
}

// GiveClock ends TakeClock. If it cannot be recorded, the lease runs out.
func (a *App) GiveClock(ctx context.Context, merchantID, holder string) {
	if a.store.Alone() {
		return
	}
	err := a.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.DropLease(merchantID, clockLease, holder) }, store.OnRow(merchantID, clockLease))
	if err != nil {
		a.log.Warn("a test clock could not be given back and is free later", "merchant", merchantID, "error", err)
	}
}

// MoveClock sets a sandbox merchant's test clock so that its present is at
// least to; ErrClockTaken if the clock is not the holder's any more. It is not an
// audited setting: tests move it often.
func (a *App) MoveClock(ctx context.Context, id, holder string, to time.Time) (merchant.Merchant, error) {
	var m merchant.Merchant
	at := a.clock.Now()
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		if err := a.holdClock(tx, id, holder); err != nil {
			return err
		}
		var err error
		if m, err = tx.Merchant(id); err != nil {
			return notFound(err, "merchant")
		}
		if m.Mode != merchant.Sandbox {
			return &escrow.Refusal{Code: escrow.NotFound, Reason: "there is no such test clock"}
		}
		if ahead := to.Sub(a.clock.Now()); ahead > m.Ahead {
			m.Ahead = ahead.Round(time.Microsecond)
		}
		return tx.UpdateMerchant(&m)
	})
	if err == nil {
		a.keep(m, at)
	}
	return m, clockTaken(err)
}

// KeyPair is a new key with its secret, which is shown once.
type KeyPair struct{ Key, Secret string }

// CreateKey makes a key pair. Given values are kept (seeds and migrations from
// another gateway); empty ones are made.
func (a *App) CreateKey(ctx context.Context, actor, merchantID string, given KeyPair) (KeyPair, error) {
	if given.Key == "" {
		given.Key = ident.Digits(16)
	}
	if given.Secret == "" {
		given.Secret = ident.Secret("")
	}
	if strings.ContainsAny(given.Key, "~ \t\r\n") || len(given.Key) > 100 || len(given.Secret) > 200 {
		return given, invalid("key", "a key of at most 100 characters without blanks or ~ is required")
	}
	now := a.clock.Now()
	made, _, err := act(ctx, a, "key.create "+merchantID, func(tx *store.Tx) (KeyPair, error) {
		if _, err := tx.Merchant(merchantID); err != nil {
			return given, notFound(err, "merchant")
		}
		if err := tx.InsertKey(store.APIKey{Merchant: merchantID, ID: given.Key, SecretHash: ident.Hash(given.Secret), CreatedAt: now}); err != nil {
			return given, err
		}
		return given, a.audit(tx, merchantID, actor, "key.create", given.Key, "")
	})
	if errors.Is(err, store.ErrExists) {
		return given, invalid("key", "the key %s is taken", given.Key)
	}
	return made, err
}

// APIKey is a key as it may be shown: without its secret.
type APIKey = store.APIKey

// Keys lists a merchant's keys.
func (a *App) Keys(ctx context.Context, merchantID string) ([]APIKey, error) {
	return read(ctx, a, func(r *store.Reader) ([]APIKey, error) { return r.Keys(merchantID) })
}

// RevokeKey ends a key and its tokens: at once on this node, after Lag on every other one.
func (a *App) RevokeKey(ctx context.Context, actor, merchantID, key string) error {
	_, err := a.write(ctx, "key.revoke "+key, func(tx *store.Tx) error {
		if err := tx.RevokeKey(merchantID, key, a.clock.Now()); err != nil {
			return notFound(err, "key")
		}
		return a.audit(tx, merchantID, actor, "key.revoke", key, "")
	})
	a.forgetTokens()
	return err
}

// Staff is a person who signs in to a merchant's console.
type Staff = store.Staff

// AddStaff records a person with the hash of a password.
func (a *App) AddStaff(ctx context.Context, actor, merchantID, email, passwordHash string) error {
	now := a.clock.Now()
	email = strings.ToLower(strings.TrimSpace(email))
	if !strings.Contains(email, "@") || len(email) > 254 {
		return invalid("email", "a mail address is required")
	}
	_, err := a.write(ctx, "staff.create "+email, func(tx *store.Tx) error {
		if err := tx.InsertStaff(Staff{Merchant: merchantID, ID: ident.New("stf", now), Email: email, PasswordHash: passwordHash, CreatedAt: now}); err != nil {
			return err
		}
		return a.audit(tx, merchantID, actor, "staff.create", email, "")
	})
	if errors.Is(err, store.ErrExists) {
		return invalid("email", "%s has an account already", email)
	}
	return err
}

// StaffByEmail finds a person by mail address, or NotFound.
func (a *App) StaffByEmail(ctx context.Context, email string) (Staff, error) {
	s, err := read(ctx, a, func(r *store.Reader) (Staff, error) {
		ref, err := r.Lookup("staff", strings.ToLower(strings.TrimSpace(email)))
		if err != nil {
			return Staff{}, err
		}
		return r.Staff(ref.Merchant, ref.ID)
	})
	return s, notFound(err, "person")
}

// Session stores the sign-ins of a session manager.
type Session struct{ App *App }

// Find returns a session's data; found is false when it is unknown or over.
func (s Session) Find(token string) (data []byte, found bool, err error) {
	data, err = read(context.Background(), s.App, func(r *store.Reader) ([]byte, error) { return r.Session(token, s.App.clock.Now()) })
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// Commit records a session's data.
func (s Session) Commit(token string, data []byte, expiry time.Time) error {
	return s.App.store.Write(context.Background(), func(tx *store.Tx) error { return tx.PutSession(token, data, expiry) })
}

// Delete ends a session.
func (s Session) Delete(token string) error {
	return s.App.store.Write(context.Background(), func(tx *store.Tx) error { return tx.DropSession(token) })
}

func (a *App) audit(tx *store.Tx, merchantID, actor, action, subject, detail string) error {
	now := a.clock.Now()
	return tx.InsertAudit(store.AuditRow{Merchant: merchantID, ID: ident.New("aud", now), At: now, Actor: actor, Action: action, Subject: subject, Detail: detail})
}

// AuditRow is one act in the audit log.
type AuditRow = store.AuditRow

// Audit lists a merchant's audit log, newest first; an empty merchant names what concerns all.
func (a *App) Audit(ctx context.Context, merchantID string, offset, limit int) ([]AuditRow, error) {
	return read(ctx, a, func(r *store.Reader) ([]AuditRow, error) { return r.Audit(merchantID, offset, limit) })
}

// Records is the durable memory of the simulated bank and carrier. It refuses
// live merchants: nothing of the sandbox can touch one.
type Records struct{ App *App }

// SharedShelf is the merchant under which a simulated party keeps what belongs
// to all merchants.
const SharedShelf = "*"

// Get returns a record.
func (s Records) Get(ctx context.Context, merchantID, kind, key string) ([]byte, bool, error) {
	doc, err := read(ctx, s.App, func(r *store.Reader) (string, error) { return r.SandboxRecord(merchantID, kind, key) })
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return []byte(doc), err == nil, err
}

// Add keeps a document under a key that has none and reports whether it did.
func (s Records) Add(ctx context.Context, merchantID, kind, key string, doc []byte) (added bool, err error) {
	err = s.write(ctx, merchantID, kind+" "+key, func(tx *store.Tx) error { return tx.AddSandboxRecord(merchantID, kind, key, string(doc)) }, store.OnRow(merchantID, kind+key))
	if errors.Is(err, store.ErrExists) || errors.Is(err, errOtherAct) { // a key that was taken when the request came first
		return false, nil
	}
	return err == nil, err
}

// Swap keeps the documents of will, by kind and key, if all of them still are as
// in was: the same, or absent where was has none. It keeps all or none and
// reports which; of two that change the same document at once, one is told true.
func (s Records) Swap(ctx context.Context, merchantID string, was, will map[[2]string][]byte) (bool, error) {
	ids := slices.SortedFunc(maps.Keys(will), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	hints, names := make([]store.Hint, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		hints[i], names[i] = store.OnRow(merchantID, id[0]+id[1]), id[0]+" "+id[1]
	}
	err := s.write(ctx, merchantID, strings.Join(names, " "), func(tx *store.Tx) error {
		for _, id := range ids {
			if err := swapRecord(tx, merchantID, id, was[id], will[id]); err != nil {
				return err
			}
		}
		return nil
	}, hints...)
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrStale) {
		return false, nil
	}
	return err == nil, err
}

func swapRecord(tx *store.Tx, merchantID string, id [2]string, was, will []byte) error {
	if was == nil {
		return tx.AddSandboxRecord(merchantID, id[0], id[1], string(will))
	}
	return tx.ChangeSandboxRecord(merchantID, id[0], id[1], string(was), string(will))
}

// Put keeps a document in place of what was there.
func (s Records) Put(ctx context.Context, merchantID, kind, key string, doc []byte) error {
	return s.write(ctx, merchantID, kind+" "+key, func(tx *store.Tx) error { return tx.PutSandboxRecord(merchantID, kind, key, string(doc)) }, store.OnRow(merchantID, kind+key))
}

func (s Records) write(ctx context.Context, merchantID, what string, fn func(*store.Tx) error, rows ...store.Hint) error {
	if merchantID != SharedShelf {
		m, err := s.App.Merchant(ctx, merchantID)
		if err != nil {
			return err
		}
		if m.Mode != merchant.Sandbox {
			return fmt.Errorf("the sandbox does not touch live merchant %s", merchantID)
		}
	}
	_, err := s.App.write(ctx, "record "+what, fn, rows...)
	return err
}

// List returns all records of one kind by key.
func (s Records) List(ctx context.Context, merchantID, kind string) (map[string][]byte, error) {
	docs, err := read(ctx, s.App, func(r *store.Reader) (map[string]string, error) { return r.SandboxRecords(merchantID, kind) })
	out := make(map[string][]byte, len(docs))
	for k, v := range docs {
		out[k] = []byte(v)
	}
	return out, err
}
