package webhook

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// TestSign: the published example of Standard Webhooks, and one signature for each
// of two live secrets.
func TestSign(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	sign := func(keys ...[]byte) string {
		return Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), keys)
	}
	if got := sign(key); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
	if got := strings.Split(sign([]byte("another key of twenty-four bytes"), key), " "); len(got) != 2 || got[1] != want || got[0] == want {
		t.Errorf("two secrets sign %q", got)
	}
}

// TestRetryAfter takes seconds and instants, and bounds both.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	for text, want := range map[string]int64{
		"": 0, "120": 120, " 7 ": 7, "-5": 0, "99999999": 86_400, "soon": 0,
		"Mon, 09 Mar 2026 01:02:00 GMT": 120, "Mon, 09 Mar 2026 00:00:00 GMT": 0, "Mon, 09 Mar 2099 00:00:00 GMT": 86_400,
	} {
		if got := seconds(text, now); got != want {
			t.Errorf("%q is %d seconds, want %d", text, got, want)
		}
	}
}
