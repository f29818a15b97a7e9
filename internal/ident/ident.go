// Package ident makes the identifiers and secrets of Holdfast.
//
// Identifiers sort by the time of their making, so that new rows are appended
// to an index and not scattered over it. Secrets are random, and what is stored
// of them is a hash.
package ident

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// paymentEpoch is where the millisecond count of payment numbers begins:
// 2026-01-01 00:00:00 UTC. Twelve digits of milliseconds last until 2057.
var paymentEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// paymentNumbers is the width of the digits in a payment id; shops keep the
// whole in columns made for sixteen characters.
const paymentNumbers = 12

// Payments hands out payment ids of the form "imp_" and twelve digits. Ids of
// one source never repeat and always rise. Two sources (two nodes, or one node
// before and after a restart) may meet on a number; the store's primary key
// finds that, and the caller draws again after Jump.
type Payments struct {
	mu   sync.Mutex
	last int64
}

// Next returns an id for a payment opened at now.
func (p *Payments) Next(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := now.Sub(paymentEpoch).Milliseconds()
	if n <= p.last {
		n = p.last + 1
	}
	p.last = n
	return fmt.Sprintf("imp_%0*d", paymentNumbers, n)
}

// Past moves the source behind an id that is taken. What is no id of a payment
// moves nothing.
func (p *Payments) Past(id string) {
	var n int64
	if _, err := fmt.Sscanf(id, "imp_%d", &n); err != nil || n >= paymentsEnd {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = max(p.last, n)
}

// paymentsEnd is the first number that has too many digits.
const paymentsEnd = 1_000_000_000_000

// Jump moves the source a random step ahead, out of the way of another source
// that is handing out the same numbers.
func (p *Payments) Jump() {
	var b [8]byte
	mustRead(b[:])
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last += int64(binary.BigEndian.Uint64(b[:])%10_000) + 1
}

// New returns a time-ordered identifier with a prefix that names its kind:
// prefix, underscore, 12 hexadecimal digits of milliseconds, 16 of randomness.
func New(prefix string, now time.Time) string {
	var b [14]byte
	ms := uint64(now.UnixMilli())
	b[0], b[1], b[2], b[3], b[4], b[5] = byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms)
	mustRead(b[6:])
	return prefix + "_" + hex.EncodeToString(b[:])
}

// Secret returns prefix and 256 random bits in URL-safe base64.
func Secret(prefix string) string {
	var b [32]byte
	mustRead(b[:])
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// Digits returns n random decimal digits, the first of which is not zero.
func Digits(n int) string {
	b := make([]byte, n)
	mustRead(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	if n > 0 && b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

// Hash is what is stored of a secret: its SHA-256 in hexadecimal. Secrets made
// here carry 256 bits of randomness, so a slow hash would add nothing.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Derive returns prefix and 256 bits that only the holder of key can compute
// from the parts. It serves tokens that must be shown again but never stored.
func Derive(key []byte, prefix string, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		mac.Write(n[:])
		mac.Write([]byte(part))
	}
	return prefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// mustRead fills b with randomness. The system's source does not fail on the
// platforms that Go supports; if it ever does, no secret may be made.
func mustRead(b []byte) {
	if _, err := rand.Read(b); err != nil {
		panic("ident: the system's random source failed: " + err.Error())
	}
}
