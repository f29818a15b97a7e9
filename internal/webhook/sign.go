package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Sign is the signature of a body by Standard Webhooks: HMAC-SHA256 of id, instant
// and body, once with every key, parted by blanks. The instant is that of the
// attempt in real time: receivers refuse one that is minutes away from their own.
func Sign(id string, at time.Time, body []byte, keys [][]byte) string {
	signed := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signed[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signed, " ")
}

// headers are those of a call that is made at an instant of real time.
func headers(c *Call, at time.Time) map[string]string {
	h := map[string]string{HeaderID: c.ID, HeaderTimestamp: strconv.FormatInt(at.Unix(), 10)}
	if len(c.Keys) > 0 {
		h[HeaderSignature] = Sign(c.ID, at, c.Body, c.Keys)
	}
	return h
}

// maxRetryAfter bounds how long a shop may ask to be left alone.
const maxRetryAfter = 24 * time.Hour

// seconds reads a Retry-After header, which has seconds or an instant.
func seconds(after string, now time.Time) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(after), 10, 64)
	if err != nil {
		at, err := http.ParseTime(after)
		if err != nil {
			return 0
		}
		n = int64(at.Sub(now) / time.Second)
	}
	return min(max(n, 0), int64(maxRetryAfter/time.Second))
}
