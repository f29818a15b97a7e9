package admin

import (
	"context"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// A merchant has two kinds of credentials, which are listed, made and revoked alike:
// the key pairs of PortOne V1 and the API secrets of V2.

type keyView struct {
	Key       string  `json:"key"`
	CreatedAt *string `json:"createdAt"`
	RevokedAt *string `json:"revokedAt"`
}

func viewKey(k app.APIKey) keyView {
	return keyView{Key: k.ID, CreatedAt: moment(k.CreatedAt), RevokedAt: moment(k.RevokedAt)}
}

// pairView carries the secret of a key, which is shown this once.
type pairView struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
}

type secretView struct {
	ID        string  `json:"id"`
	CreatedAt *string `json:"createdAt"`
	RevokedAt *string `json:"revokedAt"`
}

func viewSecret(x app.APISecret) secretView {
	return secretView{ID: x.ID, CreatedAt: moment(x.CreatedAt), RevokedAt: moment(x.RevokedAt)}
}

// newSecretView carries the text of a secret, which is shown this once.
type newSecretView struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// listCredentials answers with all credentials of a kind that a merchant has.
func listCredentials[R, T any](s *api, all func(ctx context.Context, merchantID string) ([]R, error), view func(R) T) own.Handler {
	return func(r *http.Request) (own.Reply, error) {
		m, err := s.merchant(r)
		if err != nil {
			return own.Reply{}, err
		}
		rows, err := all(r.Context(), m.ID)
		if err != nil {
			return own.Reply{}, err
		}
		views := []T{}
		for _, row := range rows {
			views = append(views, view(row))
		}
		return own.OK(map[string][]T{"items": views})
	}
}

// making makes a credential and returns it as it is shown this once.
type making func(ctx context.Context, merchantID string) (any, error)

// createCredential answers with a new credential of the kind that take reads from
// the body.
func (s *api) createCredential(take func(*body.Fields) making) own.Handler {
	return func(r *http.Request) (own.Reply, error) {
		m, err := s.merchant(r)
		if err != nil {
			return own.Reply{}, err
		}
		f, err := own.ReadBody(r)
		if err != nil {
			return own.Reply{}, err
		}
		create := take(f)
		if err := f.ErrStrict(); err != nil {
			return own.Reply{}, err
		}
		made, err := create(r.Context(), m.ID)
		if err != nil {
			return own.Reply{}, err
		}
		return own.Created(made)
	}
}

func (s *api) takeKey(f *body.Fields) making {
	given := app.KeyPair{Key: f.Ident("key", 100), Secret: takeSecret(f)}
	return func(ctx context.Context, merchantID string) (any, error) {
		pair, err := s.App.CreateKey(ctx, operator, merchantID, given)
		return pairView{Key: pair.Key, Secret: pair.Secret}, err
	}
}

func (s *api) takeAPISecret(f *body.Fields) making {
	given := takeSecret(f)
	return func(ctx context.Context, merchantID string) (any, error) {
		secret, err := s.App.CreateSecret(ctx, operator, merchantID, given)
		return newSecretView(secret), err
	}
}

// secretMin is the least length of a secret that a merchant brings along, in
// characters. Secrets made here have 43.
const secretMin = 32

// takeSecret reads a secret that a merchant brings along.
func takeSecret(f *body.Fields) string {
	secret := f.Ident("secret", 200)
	if secret != "" && len(secret) < secretMin {
		f.Refuse("secret", body.AtLeast(secretMin))
	}
	return secret
}

// revokeCredential ends the credential that the path names.
func (s *api) revokeCredential(name string, revoke func(ctx context.Context, actor, merchantID, id string) error) own.Handler {
	return func(r *http.Request) (own.Reply, error) {
		m, err := s.merchant(r)
		if err != nil {
			return own.Reply{}, err
		}
		if err := revoke(r.Context(), operator, m.ID, inPath(r, name)); err != nil {
			return own.Reply{}, err
		}
		return own.Reply{Status: http.StatusNoContent}, nil
	}
}
