package apiv1

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

const (
	keyMax    = 100 // characters of an imp_key
	secretMax = 200 // characters of an imp_secret
	tokenMax  = 400 // bytes of a token; longer ones are not looked up
	tierBytes = 3   // length of a sub-shop code
)

// getToken answers the shop's live token. Unknown keys, wrong secrets and
// missing ones are the same to the caller.
func (h *api) getToken(r *http.Request, f *body.Fields, w http.ResponseWriter) answer {
	key, secret := f.Text("imp_key", keyMax), f.Text("imp_secret", secretMax)
	now, address := h.app.Real(), addressOf(r)
	if wait := h.guard.blocked(now, address, key); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return fault(http.StatusTooManyRequests, wirev1.MessageTooManyAttempts)
	}
	if f.Err() != nil || key == "" || secret == "" {
		return h.badKeys(now, address, key)
	}
	token, err := h.app.IssueToken(r.Context(), key, secret)
	if errors.Is(err, app.ErrUnauthorized) {
		return h.badKeys(now, address, key)
	}
	if err != nil {
		return h.failed(r, err)
	}
	return ok(wirev1.Token{AccessToken: token.Value, ExpiredAt: token.ExpiresAt.Unix(), Now: token.Now.Unix()})
}

func (h *api) badKeys(now time.Time, address, key string) answer {
	h.guard.failed(now, address, key)
	return fault(http.StatusUnauthorized, wirev1.MessageBadKeys)
}

// caller finds the shop of a request by its token, or says why there is none.
// The Tier header names a sub-shop of an agency; its form is checked and it
// changes nothing, because a merchant here has no sub-shops.
func (h *api) caller(r *http.Request) (merchant.Merchant, *answer) {
	refuse := func(a answer) (merchant.Merchant, *answer) { return merchant.Merchant{}, &a }
	token, err := tokenOf(r)
	if err != nil {
		return refuse(fault(http.StatusBadRequest, wirev1.RequestRefused("Authorization 헤더가 여러 개입니다")))
	}
	if token == "" || len(token) > tokenMax {
		return refuse(fault(http.StatusUnauthorized, wirev1.MessageUnauthorized))
	}
	id, err := h.app.TokenOwner(r.Context(), token)
	if errors.Is(err, app.ErrUnauthorized) {
		return refuse(fault(http.StatusUnauthorized, wirev1.MessageUnauthorized))
	}
	if err != nil {
		return refuse(h.failed(r, err))
	}
	if tier := r.Header.Get("Tier"); tier != "" && len(tier) != tierBytes {
		return refuse(fault(http.StatusBadRequest, wirev1.RequestRefused("Tier: 3자리 코드여야 합니다")))
	}
	shop, err := h.app.Merchant(r.Context(), id)
	if err != nil {
		return refuse(h.failed(r, err))
	}
	return shop, nil
}

// addressOf is the network address of the caller without its port.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
