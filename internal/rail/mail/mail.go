// Package mail is the port to whoever carries letters: a mail server.
//
// # What is always true
//
//   - Sending is done once or not known. A message that may have been taken is
//     sent again with the same ID, and so with the same Message-ID, by which the
//     receiver's mailbox can tell the two are one.
//   - Every failure is a [SendError] and says whether trying again can help.
//   - Being taken by the mail server is not yet being received: a report of
//     non-delivery may follow. [ParseBounce] reads it and leads back to the ID.
//   - Nothing in a message can add a header, a recipient or a second message.
package mail

import (
	"context"
	"fmt"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
)

// Sender hands a message to a mail server. Implementations are safe for
// concurrent use and bound every call by its context and a limit of their own.
type Sender interface {
	// Send returns nil when the server took responsibility for the message, and
	// a *SendError in every other case.
	Send(ctx context.Context, m Message) error
}

// Message is one letter to one person.
type Message struct {
	// ID names the letter for good. It becomes the left side of the Message-ID
	// and has letters, digits, dots, hyphens and underscores only.
	ID       string
	From     string // address
	FromName string
	To       string // address
	ToName   string
	ReplyTo  string // address; empty for none
	Subject  string
	Text     string // plain text; required
	HTML     string // empty for none
	// Headers are further lines of the head, by name.
	Headers map[string]string
}

// SendError says why a message was not sent.
type SendError struct {
	// Permanent says that sending this message again cannot help, because the
	// message or the address is at fault. Everything else may pass: an unreachable
	// server, a full mailbox, a wrong password of ours.
	Permanent bool
	// Code is the server's reply code, such as 550; 0 if it did not come to one.
	Code int
	// Reason is for people: the server's own words, or ours.
	Reason string
}

// Error says whether it is for good, and why.
func (e *SendError) Error() string {
	kind := "for now"
	if e.Permanent {
		kind = "for good"
	}
	if e.Code != 0 {
		return fmt.Sprintf("mail not sent %s: %d %s", kind, e.Code, e.Reason)
	}
	return fmt.Sprintf("mail not sent %s: %s", kind, e.Reason)
}

// The limits of a message.
const (
	maxID      = 128
	maxAddress = 254       // RFC 5321, section 4.5.3.1.3, less the brackets
	maxLine    = 500       // bytes of a subject, name or header value
	maxBody    = 512 << 10 // bytes of text and HTML together
	maxHeaders = 20
)

// reserved are the headers that the message's own fields and its sending write.
var reserved = []string{"From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Return-Path", "Subject", "Date", "Message-Id", "Mime-Version", "Received"}

// Check returns a permanent *SendError that names the first field which no mail
// server could be given, and nil if there is none.
func (m Message) Check() error {
	if !isToken(m.ID, maxID, "._") {
		return invalid("id", "must have 1 to 128 letters, digits, dots, hyphens and underscores")
	}
	for _, a := range []struct{ field, address string }{{"from", m.From}, {"to", m.To}} {
		if reason := addressFault(a.address); reason != "" {
			return invalid(a.field, reason)
		}
	}
	if m.ReplyTo != "" {
		if reason := addressFault(m.ReplyTo); reason != "" {
			return invalid("reply_to", reason)
		}
	}
	for _, l := range []struct{ field, text string }{{"from_name", m.FromName}, {"to_name", m.ToName}, {"subject", m.Subject}} {
		if reason := lineFault(l.text); reason != "" {
			return invalid(l.field, reason)
		}
	}
	if m.Text == "" || len(m.Text)+len(m.HTML) > maxBody {
		return invalid("text", "is required, and with the HTML may have at most 512 KiB")
	}
	return checkHeaders(m.Headers)
}

func invalid(field, reason string) error {
	return &SendError{Permanent: true, Reason: field + ": " + reason}
}

func checkHeaders(headers map[string]string) error {
	if len(headers) > maxHeaders {
		return invalid("headers", "are more than 20")
	}
	for name, value := range headers {
		field := fmt.Sprintf("headers[%q]", name)
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name, maxID, ""):
			return invalid(field, "is not a header name")
		case slices.Contains(reserved, canonical) || strings.HasPrefix(canonical, "Content-"):
			return invalid(field, "is written by the message itself")
		}
		if reason := lineFault(value); reason != "" {
			return invalid(field, reason)
		}
	}
	return nil
}

// isToken reports whether s has 1 to limit letters, digits, hyphens and
// characters of more.
func isToken(s string, limit int, more string) bool {
	outside := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || strings.ContainsRune(more, r))
	}
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, outside)
}

// addressFault says what is wrong with a bare address; empty if nothing is.
func addressFault(address string) string {
	if address == "" {
		return "is required"
	}
	if len(address) > maxAddress {
		return "is longer than 254 bytes"
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "may have only printable ASCII characters without spaces"
	}
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return "is not a mail address"
	}
	return ""
}

// lineFault says why a text cannot stand in one header line.
func lineFault(text string) string {
	switch {
	case len(text) > maxLine:
		return "is longer than 500 bytes"
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return "has a line break or another control character"
	case strings.ToValidUTF8(text, "") != text:
		return "is not UTF-8"
	default:
		return ""
	}
}
