package mailtest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// Message is a letter as it came.
type Message struct {
	// Sender and Recipient stand on the envelope.
	Sender, Recipient string
	// Header is as sent; Subject, From and To are decoded.
	Header        mail.Header
	Subject       string
	From, To      mail.Address
	Text, HTML    string
	BodyEncodings []string // the transfer encoding of each part
	Raw           []byte
}

// ID is the left side of the Message-ID, which is the ID the sender gave.
func (m Message) ID() string {
	left, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-Id"), "<>"), "@")
	return left
}

// read takes a letter apart.
func read(raw []byte) (Message, error) {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{}, fmt.Errorf("read message: %w", err)
	}
	m := Message{Header: parsed.Header, Raw: raw}
	words := &mime.WordDecoder{}
	if m.Subject, err = words.DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return Message{}, fmt.Errorf("read subject: %w", err)
	}
	for _, a := range []struct {
		name string
		into *mail.Address
	}{{"From", &m.From}, {"To", &m.To}} {
		address, err := mail.ParseAddress(parsed.Header.Get(a.name))
		if err != nil {
			return Message{}, fmt.Errorf("read %s: %w", a.name, err)
		}
		*a.into = *address
	}
	return m, m.readBody(parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body)
}

// readBody reads one part and, if it has any, the parts within.
func (m *Message) readBody(contentType, encoding string, body io.Reader) error {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("read content type: %w", err)
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		return m.readParts(multipart.NewReader(body, params["boundary"]))
	}
	m.BodyEncodings = append(m.BodyEncodings, strings.ToLower(encoding))
	switch strings.ToLower(encoding) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	switch mediaType {
	case "text/plain":
		m.Text = string(content)
	case "text/html":
		m.HTML = string(content)
	}
	return nil
}

func (m *Message) readParts(r *multipart.Reader) error {
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read part: %w", err)
		}
		if err := m.readBody(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
			return err
		}
	}
}
