package apiv1

import (
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// answer is a whole answer before a byte of it is written, so that no fault can
// leave half of one.
type answer struct {
	status   int
	envelope wirev1.Envelope
}

func ok(value any) answer { return answer{http.StatusOK, wirev1.Success(value)} }

func refused(status, code int, message string) answer {
	return answer{status, wirev1.Refusal(code, message)}
}

// fault refuses a request that is wrong in itself, or tells of a failure.
func fault(status int, message string) answer { return refused(status, wirev1.CodeFault, message) }

// ruled is a refusal by a rule of the business as this dialect gives it for
// cancels, registered amounts and accounts: with the status of a success.
func ruled(message string) answer { return refused(http.StatusOK, wirev1.CodeRule, message) }

// notFoundPayment also answers for a payment of another shop, so that nobody
// learns of it.
func notFoundPayment() answer { return fault(http.StatusNotFound, wirev1.MessagePaymentNotFound) }

func failure() answer { return fault(http.StatusInternalServerError, wirev1.MessageFailure) }

// write sends the answer in one piece with its length: there is a client that
// parses every piece it receives as a whole document.
func (a answer) write(w http.ResponseWriter) {
	out, err := a.envelope.JSON()
	if err != nil {
		a = failure()
		out, _ = a.envelope.JSON() // Two numbers and two texts always marshal.
	}
	transport.WriteJSON(w, a.status, out)
}
