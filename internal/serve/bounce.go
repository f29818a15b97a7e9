package serve

import "github.com/holdfast-pay/holdfast/internal/rail/mail"

// ReadBounce reads a mail server's report of non-delivery (RFC 3464): which mail
// came back, by the id that the admin API takes, and why. The id is empty when
// the report speaks of a delay only.
func ReadBounce(report []byte) (mailID, reason string, err error) {
	id, permanent, reason, err := mail.ParseBounce(report)
	if err != nil || !permanent {
		return "", reason, err
	}
	return id, reason, nil
}
