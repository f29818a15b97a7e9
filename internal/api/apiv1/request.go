package apiv1

import (
	"errors"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// Bounds of names that this dialect gives to things.
const (
	impUIDMax      = 32
	merchantUIDMax = 40
)

// unreadable says why a body or query could not be read.
func unreadable(err error) answer {
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, transport.ErrCompressed):
		return fault(http.StatusUnsupportedMediaType, wirev1.MessageCompressed)
	case errors.As(err, &large):
		return fault(http.StatusRequestEntityTooLarge, wirev1.MessageTooLarge)
	case errors.Is(err, body.ErrEmpty):
		return fault(http.StatusBadRequest, wirev1.MessageEmptyBody)
	case errors.As(err, &syntax):
		return fault(http.StatusBadRequest, wirev1.RequestRefused(syntax.Reason.Korean))
	}
	return fault(http.StatusBadRequest, wirev1.RequestRefused("요청 본문을 끝까지 읽지 못했습니다"))
}
