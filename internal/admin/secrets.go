package admin

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

type secretView struct {
	ID        string  `json:"id"`
	CreatedAt *string `json:"createdAt"`
	RevokedAt *string `json:"revokedAt"`
}

// newSecretView carries the text of a secret, which is shown this once.
type newSecretView struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

func (s *api) listSecrets(r *http.Request) (reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return reply{}, err
	}
	secrets, err := s.app.Secrets(r.Context(), m.ID)
	if err != nil {
		return reply{}, err
	}
	views := []secretView{}
	for _, x := range secrets {
		views = append(views, secretView{ID: x.ID, CreatedAt: moment(x.CreatedAt), RevokedAt: moment(x.RevokedAt)})
	}
	return ok(map[string][]secretView{"items": views})
}

func (s *api) createSecret(r *http.Request) (reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return reply{}, err
	}
	f, err := readBody(r)
	if err != nil {
		return reply{}, err
	}
	given := takeSecret(f)
	if err := f.ErrStrict(); err != nil {
		return reply{}, err
	}
	made, err := s.app.CreateSecret(r.Context(), operator, m.ID, given)
	if err != nil {
		return reply{}, err
	}
	return created(newSecretView(made))
}

func (s *api) revokeSecret(r *http.Request) (reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return reply{}, err
	}
	if err := s.app.RevokeSecret(r.Context(), operator, m.ID, chi.URLParam(r, "secret")); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, nil
}
