package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"strings"
)

// ErrNotBounce says that a mail is no report about a message of ours that did
// not arrive.
var ErrNotBounce = errors.New("not a report of non-delivery")

const (
	// maxBounce is the largest report that is read, in bytes. Mail servers may
	// send the whole message back.
	maxBounce = 2 << 20
	// maxParts is how many parts of a report are looked at.
	maxParts = 10
	// maxReason is the length of a reason, in bytes.
	maxReason = 500
)

// ParseBounce reads a delivery status notification (RFC 3464). The messageID is
// the ID of the [Message] that it is about. Permanent says that the mail server
// has given up; otherwise the message is late and may still arrive.
// Any other mail, and a report that does not say which message it means, is
// ErrNotBounce. A report can be forged: believe it only about messages that were
// sent, and never let it do more than withhold trust in a delivery.
func ParseBounce(raw []byte) (messageID string, permanent bool, reason string, err error) {
	if len(raw) > maxBounce {
		return "", false, "", fmt.Errorf("%w: larger than 2 MiB", ErrNotBounce)
	}
	parts, err := reportParts(raw)
	if err != nil {
		return "", false, "", err
	}
	var status *deliveryStatus
	for _, p := range parts {
		switch p.mediaType {
		case "message/delivery-status", "message/global-delivery-status":
			status = readStatus(p.body)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			messageID = idOf(p.body)
		}
	}
	if status == nil || messageID == "" {
		return "", false, "", fmt.Errorf("%w: the status or the message it is about is missing", ErrNotBounce)
	}
	return messageID, status.failed, status.reason, nil
}

type part struct {
	mediaType string
	body      []byte
}

// reportParts takes a multipart/report apart.
func reportParts(raw []byte) ([]part, error) {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotBounce, err)
	}
	mediaType, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return nil, ErrNotBounce
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	var parts []part
	for range maxParts {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotBounce, err)
		}
		body, err := readPart(p)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotBounce, err)
		}
		partType, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err == nil {
			parts = append(parts, part{partType, body})
		}
	}
	return parts, nil
}

// readPart reads a part; quoted-printable is undone by the reader already.
func readPart(p *multipart.Part) ([]byte, error) {
	var r io.Reader = p
	if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "base64") {
		r = base64.NewDecoder(base64.StdEncoding, p)
	}
	return io.ReadAll(r)
}

// deliveryStatus is what the report says of the message's recipients.
type deliveryStatus struct {
	failed bool
	reason string
}

// readStatus reads the fields of each recipient after those of the message. It
// is nil if no recipient was left without the message.
func readStatus(body []byte) *deliveryStatus {
	var worst *deliveryStatus
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(body)))
	for range maxParts {
		fields, err := r.ReadMIMEHeader()
		action := strings.ToLower(strings.TrimSpace(fields.Get("Action")))
		if action == "failed" || (action == "delayed" && worst == nil) {
			worst = &deliveryStatus{failed: action == "failed", reason: statusReason(fields)}
		}
		if err != nil || (worst != nil && worst.failed) {
			break
		}
	}
	return worst
}

// statusReason is the server's own words, or its status code if it has none.
func statusReason(fields textproto.MIMEHeader) string {
	reason := fields.Get("Diagnostic-Code")
	if _, words, ok := strings.Cut(reason, ";"); ok {
		reason = words
	}
	reason = strings.Join(strings.Fields(reason), " ")
	if reason == "" {
		reason = strings.TrimSpace(fields.Get("Status"))
	}
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// idOf returns the left side of the Message-ID among the headers; empty if there
// is none.
func idOf(headers []byte) string {
	fields, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(headers))).ReadMIMEHeader() // cut off headers are read as far as they go
	id := strings.Trim(strings.TrimSpace(fields.Get("Message-Id")), "<>")
	left, _, _ := strings.Cut(id, "@")
	return left
}
