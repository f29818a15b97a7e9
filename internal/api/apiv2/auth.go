package apiv2

import (
	"errors"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// Bounds of texts, in characters.
const (
	storeIDMax    = 100
	credentialMax = 1000
)

// mayBe reports whether a storeId is the shop's own; one that is left out is. The
// shop's public code is its storeId, and Holdfast's id is taken too.
func (c *call) mayBe(storeID string) bool {
	return storeID == "" || storeID == c.shop.Code || storeID == c.shop.ID
}

func (h *api) logIn(r *http.Request, f *body.Fields) answer {
	f.Require("apiSecret")
	secret := f.Text("apiSecret", credentialMax)
	if err := f.Err(); err != nil {
		return invalid(err)
	}
	login, err := h.app.LogIn(r.Context(), secret)
	return h.tokens(r, login, err)
}

func (h *api) refreshToken(r *http.Request, f *body.Fields) answer {
	f.Require("refreshToken")
	token := f.Text("refreshToken", credentialMax)
	if err := f.Err(); err != nil {
		return invalid(err)
	}
	login, err := h.app.RefreshLogin(r.Context(), token)
	return h.tokens(r, login, err)
}

func (h *api) tokens(r *http.Request, login app.Login, err error) answer {
	switch {
	case errors.Is(err, app.ErrUnauthorized):
		return no(wirev2.Unauthorized, wirev2.MessageUnauthorized)
	case err != nil:
		return h.failed(r, err)
	}
	return ok(wirev2.Tokens{AccessToken: login.AccessToken, RefreshToken: login.RefreshToken})
}
