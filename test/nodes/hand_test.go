package nodes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// price is what every order costs, in won.
const price = 30_000

// hand makes the calls of a shop and of its buyers.
type hand struct {
	url    string
	token  string
	client *http.Client
}

// newHand is a hand with connections of its own, which waits for an answer no
// longer than patience.
func newHand(url, token string, patience time.Duration) *hand {
	return &hand{url: url, token: token, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: patience}}
}

// answer is V1's envelope.
type answer struct {
	Status   int
	Code     int             `json:"code"`
	Message  string          `json:"message"`
	Response json.RawMessage `json:"response"`
}

func (a answer) ok() bool { return a.Status == http.StatusOK && a.Code == 0 }

// call makes one call. An error says that nobody knows whether it was done.
func (h *hand) call(ctx context.Context, method, path string, body any) (answer, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Language", "en")
	req.Header.Set("Authorization", h.token)
	res, err := h.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	got, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return answer{}, err
	}
	a := answer{Status: res.StatusCode}
	if err := json.Unmarshal(got, &a); err != nil {
		return a, fmt.Errorf("%d %s: %w", res.StatusCode, got, err)
	}
	if a.Status >= http.StatusInternalServerError {
		return a, fmt.Errorf("status %d: %s", a.Status, a.Message)
	}
	return a, nil
}

// must makes a call that has to succeed, and reads its answer into out.
func (h *hand) must(t testing.TB, method, path string, body, out any) {
	t.Helper()
	a, err := h.call(t.Context(), method, path, body)
	if err == nil && !a.ok() {
		err = fmt.Errorf("refused with %d: %s", a.Status, a.Message)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(a.Response, out)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// signIn is done once: a token outlives the nodes.
func signIn(t testing.TB, url string) string {
	t.Helper()
	var token struct {
		Value string `json:"access_token"`
	}
	newHand(url, "", time.Minute).must(t, http.MethodPost, "/users/getToken", map[string]string{"imp_key": serve.SeedKey, "imp_secret": serve.SeedSecret}, &token)
	return token.Value
}

// order opens an escrow on a virtual account, which then waits for its deposit.
func (h *hand) order(t testing.TB, orderID, notice string) string {
	t.Helper()
	var p struct {
		ID string `json:"imp_uid"`
	}
	h.must(t, http.MethodPost, "/sandbox/payments", map[string]any{
		"merchant_uid": orderID, "pay_method": "vbank", "amount": price, "name": "도자기 컵", "escrow": true,
		"buyer_name": "김하늘", "buyer_email": "buyer@holdfast.example", "buyer_tel": "010-1234-5678", "notice_url": notice,
	}, &p)
	return p.ID
}

// cancelling asks for money back: won of it, or all that is left for 0.
func cancelling(id string, won int) map[string]any {
	return map[string]any{
		"imp_uid": id, "amount": won, "reason": "품절", "refund_holder": "김하늘", "refund_bank": "004", "refund_account": "11012345678901",
	}
}

// shipping registers a parcel that was sent at an instant of the machine's clock.
func shipping(id string, sent time.Time) map[string]any {
	return map[string]any{
		"sender":   map[string]string{"name": "한빛상점", "tel": "02-1234-5678", "addr": "서울특별시 종로구", "postcode": "03154"},
		"receiver": map[string]string{"name": "김하늘", "tel": "010-1234-5678", "addr": "부산광역시 해운대구", "postcode": "48094"},
		"logis":    map[string]any{"company": "CJ", "invoice": "6" + id[len(id)-11:], "sent_at": sent.Unix()},
	}
}
