package app

import (
	"context"
	"crypto/subtle"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// PortOne V1's token rules (contract section 1.2).
const (
	tokenLife   = 30 * time.Minute
	tokenLow    = time.Minute     // with less than this left ...
	tokenExtend = 5 * time.Minute // ... the same token lives this much longer
	tokenPrefix = "hfv1~"
)

// ErrUnauthorized says that credentials are unknown, expired or revoked. It
// does not say which.
var ErrUnauthorized = errors.New("unauthorized")

// Token is a V1 access token.
type Token struct {
	Value     string
	ExpiresAt time.Time
	Now       time.Time
}

// liveToken is what the cache knows of a credential.
type liveToken struct {
	merchant, key string
	expires       time.Time // of a V1 token; the others say it themselves
	at            time.Time // when the database said so
}

// KeyOwner checks a key pair and returns its merchant. Unknown keys and wrong
// secrets take the same path: the secret is hashed first and compared in
// constant time.
func (a *App) KeyOwner(ctx context.Context, key, secret string) (string, error) {
	hash := ident.Hash(secret)
	owner, err := read(ctx, a, func(r *store.Reader) (store.APIKey, error) {
		ref, err := r.Lookup("imp_key", key)
		if err != nil {
			return store.APIKey{}, err
		}
		return r.Key(ref.Merchant, key)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if subtle.ConstantTimeCompare([]byte(hash), []byte(owner.SecretHash)) != 1 {
		return "", ErrUnauthorized
	}
	return owner.Merchant, nil
}

// IssueToken answers getToken: the live token if there is one, prolonged when
// it is about to end, else a new one.
func (a *App) IssueToken(ctx context.Context, key, secret string) (Token, error) {
	forgotten := a.forgotten.Load()
	owner, err := a.KeyOwner(ctx, key, secret)
	if err != nil {
		return Token{}, err
	}
	at := a.clock.Now()
	now := at.Truncate(time.Second)
	known, err := read(ctx, a, func(r *store.Reader) (store.Token, error) { return r.Token(owner, key) })
	if err == nil && known.ExpiresAt.Sub(now) >= tokenLow {
		return a.token(known, forgotten, now, at), nil
	}
	var t store.Token
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		t, err = tx.Token(owner, key)
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case err == nil && t.ExpiresAt.Sub(now) >= tokenLow: // another call was first
			return nil
		case err == nil && t.ExpiresAt.After(now):
			t.ExpiresAt = t.ExpiresAt.Add(tokenExtend)
		default:
			t = store.Token{Merchant: owner, KeyID: key, IssuedAt: a.clock.Now(), ExpiresAt: now.Add(tokenLife)}
		}
		return tx.PutToken(t)
	})
	return a.token(t, forgotten, now, at), err
}

// token derives the token's text from its facts, which were true at an instant;
// it is never stored. forgotten is the number of revocations before they were
// read: what was read before the latest one is not kept.
func (a *App) token(t store.Token, forgotten int64, now, at time.Time) Token {
	mac := ident.Derive(a.secret, "", "token", t.Merchant, t.KeyID, strconv.FormatInt(t.IssuedAt.UnixMicro(), 10))
	value := tokenPrefix + t.KeyID + "~" + mac
	a.keepCredential(value, liveToken{t.Merchant, t.KeyID, t.ExpiresAt, at}, forgotten)
	return Token{Value: value, ExpiresAt: t.ExpiresAt, Now: now}
}

// keepCredential keeps what the database said of a credential, unless a revocation
// has come since forgotten was read.
func (a *App) keepCredential(key string, live liveToken, forgotten int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.forgotten.Load() != forgotten {
		return
	}
	if len(a.tokens) >= maxTokens {
		clear(a.tokens)
	}
	a.tokens[key] = live
}

// maxTokens bounds the cache of live tokens.
const maxTokens = 10_000

// IsV1Token reports whether a credential has the form of a V1 token.
func IsV1Token(value string) bool { return strings.HasPrefix(value, tokenPrefix) }

// TokenOwner returns the merchant of a live token, or ErrUnauthorized. A key that
// another node revoked may pass for Lag.
func (a *App) TokenOwner(ctx context.Context, value string) (string, error) {
	now := a.clock.Now()
	a.mu.RLock()
	live, cached := a.tokens[value]
	a.mu.RUnlock()
	if cached && live.expires.After(now) && a.recent(live.at) {
		return live.merchant, nil
	}
	parts := strings.Split(strings.TrimPrefix(value, tokenPrefix), "~")
	if !IsV1Token(value) || len(parts) != 2 {
		return "", ErrUnauthorized
	}
	facts, forgotten, err := a.tokenFacts(ctx, parts[0])
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrUnauthorized
	}
	if err != nil {
		return "", err
	}
	if !facts.ExpiresAt.After(now) {
		return "", ErrUnauthorized
	}
	if subtle.ConstantTimeCompare([]byte(a.token(facts, forgotten, now, now).Value), []byte(value)) != 1 {
		return "", ErrUnauthorized
	}
	return facts.Merchant, nil
}

// tokenFacts reads the facts of a key's token, and says how many revocations
// there were before.
func (a *App) tokenFacts(ctx context.Context, key string) (facts store.Token, forgotten int64, err error) {
	forgotten = a.forgotten.Load()
	facts, err = read(ctx, a, func(r *store.Reader) (store.Token, error) {
		ref, err := r.Lookup("imp_key", key)
		if err != nil {
			return store.Token{}, err
		}
		if _, err := r.Key(ref.Merchant, key); err != nil {
			return store.Token{}, err
		}
		return r.Token(ref.Merchant, key)
	})
	return facts, forgotten, err
}

// forgetTokens empties the cache after a key was revoked.
func (a *App) forgetTokens() {
	a.mu.Lock()
	clear(a.tokens)
	a.forgotten.Add(1)
	a.mu.Unlock()
}
