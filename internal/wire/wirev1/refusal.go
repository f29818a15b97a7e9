package wirev1

import (
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/korean"
)

// RefusalText says in Korean why a rule refused, without a full stop, so that it
// fits into the brackets of the dialect's messages, and names the field at fault.
func RefusalText(r *escrow.Refusal) string {
	said := korean.Refusal(r)
	if r.Field != "" {
		return r.Field + ": " + said
	}
	return said
}
