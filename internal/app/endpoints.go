package app

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Signing secrets of endpoints are kept sealed by a key that is derived from the
// server's secret: a copy of the database alone signs nothing. They are shown once,
// when they are made.

// endpointPrefix begins the ids of endpoints.
const endpointPrefix = "whe_"

// signingPrefix begins a signing secret as shops keep it (Standard Webhooks).
const signingPrefix = "whsec_"

// Standard Webhooks' bounds of a secret, in bytes; one that is made here has as
// many as secretBytes.
const (
	leastSecret = 24
	mostSecret  = 64
	secretBytes = 32
)

// endpointLetters is how many letters of base32 follow the prefix.
const endpointLetters = 12

// newEndpointID is short, because it is a part of every id of a call.
func newEndpointID() string { return endpointPrefix + strings.ToLower(rand.Text()[:endpointLetters]) }

// IsEndpointName reports whether calls can bear a name as their endpoint's: that of
// an endpoint, present or deleted, or of its calls to notice URLs.
func IsEndpointName(name string) bool {
	id, _ := merchant.Lane(name)
	drawn, made := strings.CutPrefix(id, endpointPrefix)
	if !made {
		return merchant.IsFixed(id)
	}
	return len(drawn) == endpointLetters && strings.Trim(drawn, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// newSigningSecret is a signing secret in the form that shops keep.
func newSigningSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return signingPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// SigningKey is the key in a signing secret of Standard Webhooks, "whsec_" and base64.
// A secret of another form, or shorter or longer than they allow, is refused as
// Invalid.
func SigningKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, signingPrefix))
	if err != nil || len(key) < leastSecret || len(key) > mostSecret {
		return nil, invalid("secret", "a signing secret is %s and the standard base64 of %d to %d bytes", signingPrefix, leastSecret, mostSecret)
	}
	return key, nil
}

// secretSeal is the label of the key that seals signing secrets.
const secretSeal = "webhook signing secrets"

// sealer is a cipher whose key is derived from the server's secret for one purpose,
// which the label names.
func (a *App) sealer(label string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, a.secret, nil, label, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (a *App) sealSecret(merchantID, endpoint, secret string) (merchant.Secret, error) {
	key, err := SigningKey(secret)
	if err != nil {
		return merchant.Secret{}, err
	}
	aead, err := a.sealer(secretSeal)
	if err != nil {
		return merchant.Secret{}, err
	}
	sealed := aead.Seal(nil, nil, key, []byte(merchantID+"/"+endpoint))
	return merchant.Secret{Sealed: base64.StdEncoding.EncodeToString(sealed), CreatedAt: a.clock.Now()}, nil
}

// SigningKeys are the keys that sign calls to an endpoint now, the newest first.
// A secret that was sealed under another secret of the server is left out; if none
// is left, that is an error, because a shop would take an unsigned call for a forged one.
func (a *App) SigningKeys(merchantID string, e *merchant.Endpoint) (keys [][]byte, err error) {
	if len(e.Secrets) == 0 {
		return nil, nil
	}
	aead, err := a.sealer(secretSeal)
	if err != nil {
		return nil, err
	}
	var closed error
	for _, s := range e.Secrets {
		sealed, err := base64.StdEncoding.DecodeString(s.Sealed)
		if err != nil {
			return nil, err
		}
		key, err := aead.Open(nil, nil, sealed, []byte(merchantID+"/"+e.ID))
		if err != nil {
			closed = err
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: endpoint %s: %w", ErrNoSigningKey, e.ID, closed)
	}
	return keys, nil
}

// ErrNoSigningKey says that no signing secret of an endpoint can be opened: the
// server's secret was replaced since they were made.
var ErrNoSigningKey = errors.New("app: no signing secret can be opened; rotate it")

// changeEndpoint changes one endpoint of a merchant; one that is unknown is NotFound.
func changeEndpoint(m *merchant.Merchant, id string, change func(*merchant.Endpoint) error) error {
	i := slices.IndexFunc(m.Endpoints, func(e merchant.Endpoint) bool { return e.ID == id })
	if i < 0 {
		return noEndpoint()
	}
	m.Endpoints = slices.Clone(m.Endpoints) // what others remember of the merchant stays as it is
	return change(&m.Endpoints[i])
}

func noEndpoint() error {
	return &escrow.Refusal{Code: escrow.NotFound, Reason: "there is no such endpoint"}
}

// CreateEndpoint adds an endpoint and returns it with its signing secret, which is
// shown once; a format without signatures has none. Given may name a secret that
// the shop has already, so that its receiver need not change.
func (a *App) CreateEndpoint(ctx context.Context, actor, merchantID string, e merchant.Endpoint, given string) (merchant.Endpoint, string, error) {
	drawn, err := Note(ctx, a, "endpoint", KeyPair{Key: newEndpointID(), Secret: newSigningSecret()})
	if err != nil {
		return e, "", err
	}
	e.ID, e.CreatedAt, e.Secrets, e.Off = drawn.Key, a.clock.Now(), nil, nil
	secret := ""
	if !e.Format.IsV1() {
		secret = cmp.Or(given, drawn.Secret)
		sealed, err := a.sealSecret(merchantID, e.ID, secret)
		if err != nil {
			return e, "", err
		}
		e.Secrets = []merchant.Secret{sealed}
	}
	_, err = a.UpdateMerchant(ctx, actor, merchantID, "endpoint.create", func(m *merchant.Merchant) error {
		m.Endpoints = append(slices.Clone(m.Endpoints), e)
		return nil
	})
	return e, secret, err
}

// ChangeEndpoint changes the settings of an endpoint; its id, secrets and the time
// of its making stay.
func (a *App) ChangeEndpoint(ctx context.Context, actor, merchantID, id string, change func(*merchant.Endpoint) error) (merchant.Endpoint, error) {
	now, err := a.UpdateMerchant(ctx, actor, merchantID, "endpoint.change", func(m *merchant.Merchant) error {
		return changeEndpoint(m, id, func(e *merchant.Endpoint) error {
			was := *e
			if err := change(e); err != nil {
				return err
			}
			e.ID, e.Secrets, e.CreatedAt = was.ID, was.Secrets, was.CreatedAt
			if e.Format.IsV1() != was.Format.IsV1() {
				return invalid("format", "an endpoint stays with its generation of PortOne; make another one")
			}
			return nil
		})
	})
	if err != nil {
		return merchant.Endpoint{}, err
	}
	e, _ := now.Endpoint(id)
	return e, nil
}

// SwitchEndpoint switches an endpoint on, which begins its health anew, or off in
// the shop's name. One that was switched off by itself is off since then, and from
// now on because the shop wants it.
func (a *App) SwitchEndpoint(ctx context.Context, actor, merchantID, id string, on bool) (merchant.Endpoint, error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return merchant.Endpoint{}, err
	}
	e, err := a.ChangeEndpoint(ctx, actor, merchantID, id, func(e *merchant.Endpoint) error {
		switch {
		case on:
			e.Off = nil
		case e.Off == nil:
			e.Off = &merchant.Off{Why: merchant.OffByShop, Since: now}
		default:
			e.Off = &merchant.Off{Why: merchant.OffByShop, Since: e.Off.Since}
		}
		return nil
	})
	if err != nil || !on {
		return e, err
	}
	return e, a.endpointWell(ctx, merchantID, id)
}

// endpointWell begins the health of an endpoint anew.
func (a *App) endpointWell(ctx context.Context, merchantID, id string) error {
	_, err := a.write(ctx, "endpoint.well "+id, func(tx *store.Tx) error { return tx.EndpointWell(Lane{Merchant: merchantID, Endpoint: id}) }, store.OnRow(merchantID, id))
	return err
}

// DeleteEndpoint takes an endpoint away. What is still owed to it comes to nothing.
func (a *App) DeleteEndpoint(ctx context.Context, actor, merchantID, id string) error {
	_, err := a.UpdateMerchant(ctx, actor, merchantID, "endpoint.delete", func(m *merchant.Merchant) error {
		left := slices.DeleteFunc(slices.Clone(m.Endpoints), func(e merchant.Endpoint) bool { return e.ID == id })
		if len(left) == len(m.Endpoints) {
			return noEndpoint()
		}
		m.Endpoints = left
		return nil
	})
	if err != nil {
		return err
	}
	return a.endpointWell(ctx, merchantID, id)
}

// RotateSecret gives an endpoint a new signing secret beside the present one, so
// that both sign until DropOldSecret. Given is as for CreateEndpoint. It returns the
// new secret, which is shown once. While two are live it is refused, because the
// older of them may be the one that the receiver has.
func (a *App) RotateSecret(ctx context.Context, actor, merchantID, id, given string) (string, error) {
	secret, err := Note(ctx, a, "secret", cmp.Or(given, newSigningSecret()))
	if err != nil {
		return "", err
	}
	sealed, err := a.sealSecret(merchantID, id, secret)
	if err != nil {
		return "", err
	}
	_, err = a.UpdateMerchant(ctx, actor, merchantID, "endpoint.rotate", func(m *merchant.Merchant) error {
		return changeEndpoint(m, id, func(e *merchant.Endpoint) error {
			if e.Format.IsV1() {
				return &escrow.Refusal{Code: escrow.WrongState, Field: "format", Reason: "calls in PortOne V1's format are not signed"}
			}
			if len(e.Secrets) >= merchant.MaxSecrets {
				return &escrow.Refusal{Code: escrow.WrongState, Field: "secret", Reason: "two secrets sign already; drop the old secret first"}
			}
			e.Secrets = slices.Insert(slices.Clone(e.Secrets), 0, sealed)
			return nil
		})
	})
	return secret, err
}

// DropOldSecret ends the older one of an endpoint's two signing secrets. Of an
// endpoint that has only one it changes nothing.
func (a *App) DropOldSecret(ctx context.Context, actor, merchantID, id string) error {
	_, err := a.UpdateMerchant(ctx, actor, merchantID, "endpoint.drop_secret", func(m *merchant.Merchant) error {
		return changeEndpoint(m, id, func(e *merchant.Endpoint) error {
			e.Secrets = slices.Clone(e.Secrets[:min(len(e.Secrets), 1)])
			return nil
		})
	})
	return err
}
