package app

import (
	"context"
	"crypto/subtle"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Lives and forms of the credentials by which a shop's server speaks as the shop
// (contract section 3.1). A shop has any number of secrets. A secret is either
// sent with every call, or exchanged for an access token, which other programs may
// hold, and a refresh token.
const (
	accessLife  = 30 * time.Minute
	refreshLife = 24 * time.Hour

	secretPrefix  = "hfv2_"
	accessPrefix  = "hfv2a~"
	refreshPrefix = "hfv2r~"

	// credentialMax bounds what is looked up, in bytes.
	credentialMax = 400
	// secretMin is the least length of a secret that a merchant brings along, in
	// bytes. Secrets made here have 48.
	secretMin = 20
)

// APISecret is a secret as it may be shown: without its text.
type APISecret = store.APISecret

// NewSecret is a secret with its text, which is shown this once.
type NewSecret struct{ ID, Secret string }

// CreateSecret makes a secret. A given text is kept (seeds and migrations from
// another gateway); an empty one is made.
func (a *App) CreateSecret(ctx context.Context, actor, merchantID, given string) (NewSecret, error) {
	now := a.clock.Now()
	made := NewSecret{ID: ident.New("sec", now), Secret: given}
	if given == "" {
		made.Secret = ident.Secret(secretPrefix)
	}
	if len(made.Secret) < secretMin || len(made.Secret) > credentialMax || strings.ContainsAny(made.Secret, "~ \t\r\n") {
		return NewSecret{}, invalid("secret", "a secret of %d to %d characters without blanks or ~ is required", secretMin, credentialMax)
	}
	kept, _, err := act(ctx, a, "secret.create "+merchantID, func(tx *store.Tx) (NewSecret, error) {
		if _, err := tx.Merchant(merchantID); err != nil {
			return made, notFound(err, "merchant")
		}
		if err := tx.InsertSecret(store.APISecret{Merchant: merchantID, ID: made.ID, Hash: ident.Hash(made.Secret), CreatedAt: now}); err != nil {
			return made, err
		}
		return made, a.audit(tx, merchantID, actor, "secret.create", made.ID, "")
	})
	if errors.Is(err, store.ErrExists) {
		return NewSecret{}, invalid("secret", "the secret is taken; let one be made")
	}
	return kept, err
}

// Secrets lists a merchant's secrets.
func (a *App) Secrets(ctx context.Context, merchantID string) ([]APISecret, error) {
	return read(ctx, a, func(r *store.Reader) ([]APISecret, error) { return r.Secrets(merchantID) })
}

// RevokeSecret ends a secret and its tokens: at once on this node, after Lag on every other one.
func (a *App) RevokeSecret(ctx context.Context, actor, merchantID, id string) error {
	_, err := a.write(ctx, "secret.revoke "+id, func(tx *store.Tx) error {
		if err := tx.RevokeSecret(merchantID, id, a.clock.Now()); err != nil {
			return notFound(err, "secret")
		}
		return a.audit(tx, merchantID, actor, "secret.revoke", id, "")
	})
	a.forgetTokens()
	return err
}

// ShopByAuthorization finds the shop for which a request speaks by the values of its
// Authorization headers: "PortOne" and a secret, or "Bearer" and an access token, the
// word in any letter case. Everything else is ErrUnauthorized, and so are several
// headers: which one is meant would be a guess.
func (a *App) ShopByAuthorization(ctx context.Context, headers []string) (merchant.Merchant, error) {
	if len(headers) != 1 {
		return merchant.Merchant{}, ErrUnauthorized
	}
	scheme, credential, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	find := a.AccessOwner
	if strings.EqualFold(scheme, SecretScheme) {
		find = a.SecretOwner
	} else if !strings.EqualFold(scheme, "Bearer") {
		return merchant.Merchant{}, ErrUnauthorized
	}
	id, err := find(ctx, strings.TrimSpace(credential))
	if err != nil {
		return merchant.Merchant{}, err
	}
	return a.Merchant(ctx, id)
}

// SecretScheme is the word before a secret in an Authorization header. Clients write
// it in other letter cases too.
const SecretScheme = "PortOne"

// IsAccessToken reports whether a credential has the form of an access token of a secret.
func IsAccessToken(value string) bool { return strings.HasPrefix(value, accessPrefix) }

// SecretOwner returns the merchant of a secret, or ErrUnauthorized. One that another
// node revoked may pass for Lag.
func (a *App) SecretOwner(ctx context.Context, secret string) (merchantID string, err error) {
	s, err := a.secretByText(ctx, secret)
	return s.merchant, err
}

func (a *App) secretByText(ctx context.Context, secret string) (liveToken, error) {
	if len(secret) < secretMin || len(secret) > credentialMax {
		return liveToken{}, ErrUnauthorized
	}
	hash := ident.Hash(secret)
	return a.liveSecret(ctx, hash, func(r *store.Reader) (store.APISecret, error) { return r.SecretByHash(hash) })
}

// liveSecret returns the secret that find finds, from the cache under a key while
// that is recent. An unknown one is ErrUnauthorized.
func (a *App) liveSecret(ctx context.Context, key string, find func(*store.Reader) (store.APISecret, error)) (liveToken, error) {
	now, forgotten := a.clock.Now(), a.forgotten.Load()
	a.mu.RLock()
	live, cached := a.tokens[key]
	a.mu.RUnlock()
	if cached && a.recent(live.at) {
		return live, nil
	}
	s, err := read(ctx, a, find)
	if errors.Is(err, store.ErrNotFound) {
		return liveToken{}, ErrUnauthorized
	}
	if err != nil {
		return liveToken{}, err
	}
	live = liveToken{merchant: s.Merchant, key: s.ID, at: now}
	a.keepCredential(key, live, forgotten)
	return live, nil
}

// Login is what a secret is exchanged for.
type Login struct {
	AccessToken, RefreshToken string
	// AccessEnds and RefreshEnds are when the tokens end.
	AccessEnds, RefreshEnds time.Time
}

// LogIn exchanges a secret for tokens. Every refresh token that the secret was
// exchanged for before ends; access tokens live on to their end.
func (a *App) LogIn(ctx context.Context, secret string) (Login, error) {
	s, err := a.secretByText(ctx, secret)
	if err != nil {
		return Login{}, err
	}
	return a.newLogin(ctx, s.merchant, s.key, func(store.Login) bool { return true })
}

// RefreshLogin exchanges a refresh token for new tokens. A refresh token is good once,
// and only while no other exchange of its secret has taken its place.
func (a *App) RefreshLogin(ctx context.Context, token string) (Login, error) {
	facts, ok := a.readCredential(refreshPrefix, token)
	if !ok {
		return Login{}, ErrUnauthorized
	}
	now := a.clock.Now()
	return a.newLogin(ctx, facts.merchant, facts.secret, func(l store.Login) bool { return l.Serial == facts.number && l.ExpiresAt.After(now) })
}

// newLogin puts a new login in the place of the one that stands, if that one pleases.
func (a *App) newLogin(ctx context.Context, merchantID, secretID string, pleases func(store.Login) bool) (Login, error) {
	now := a.clock.Now()
	next := store.Login{Merchant: merchantID, Secret: secretID, ExpiresAt: now.Add(refreshLife)}
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		last, err := tx.Login(merchantID, secretID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if !pleases(last) {
			return ErrUnauthorized
		}
		if _, err := tx.Secret(merchantID, secretID); errors.Is(err, store.ErrNotFound) {
			return ErrUnauthorized
		} else if err != nil {
			return err
		}
		next.Serial = last.Serial + 1
		return tx.PutLogin(next)
	}, store.OnRow(merchantID, "login"+secretID))
	if err != nil {
		return Login{}, err
	}
	ends := now.Add(accessLife)
	return Login{
		AccessToken:  a.credential(accessPrefix, credentialFacts{merchantID, secretID, ends.UnixMicro()}),
		RefreshToken: a.credential(refreshPrefix, credentialFacts{merchantID, secretID, next.Serial}),
		AccessEnds:   ends, RefreshEnds: next.ExpiresAt,
	}, nil
}

// AccessOwner returns the merchant of a live access token, or ErrUnauthorized. One
// whose secret another node revoked may pass for Lag.
func (a *App) AccessOwner(ctx context.Context, token string) (merchantID string, err error) {
	facts, ok := a.readCredential(accessPrefix, token)
	if !ok || facts.number <= a.clock.Now().UnixMicro() {
		return "", ErrUnauthorized
	}
	s, err := a.liveSecret(ctx, accessPrefix+facts.merchant+"~"+facts.secret, func(r *store.Reader) (store.APISecret, error) {
		return r.Secret(facts.merchant, facts.secret)
	})
	return s.merchant, err
}

// credentialFacts are what a token is derived from: whose it is, and when it ends
// (access) or which login it belongs to (refresh).
type credentialFacts struct {
	merchant, secret string
	number           int64
}

// credential is a token's text; it carries its facts and is never stored.
func (a *App) credential(prefix string, f credentialFacts) string {
	number := strconv.FormatInt(f.number, 10)
	return strings.Join([]string{prefix + f.merchant, f.secret, number, ident.Derive(a.secret, "", prefix, f.merchant, f.secret, number)}, "~")
}

// readCredential takes the facts out of a token that this server made.
func (a *App) readCredential(prefix, token string) (f credentialFacts, ok bool) {
	text, has := strings.CutPrefix(token, prefix)
	parts := strings.Split(text, "~")
	if !has || len(token) > credentialMax || len(parts) != 4 {
		return f, false
	}
	number, err := strconv.ParseInt(parts[2], 10, 64)
	f = credentialFacts{parts[0], parts[1], number}
	return f, err == nil && subtle.ConstantTimeCompare([]byte(a.credential(prefix, f)), []byte(token)) == 1
}
