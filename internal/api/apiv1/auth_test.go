package apiv1_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestGetTokenFollowsTheRules(t *testing.T) {
	w := newWorld(t)
	ask := func() (string, int64) {
		t.Helper()
		r := w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-", body: object{"imp_key": w.shop.key, "imp_secret": w.shop.secret}}).want(200, 0)
		r.has(object{"now": w.clock.Now().Unix()})
		return r.object()["access_token"].(string), int64(r.object()["expired_at"].(float64))
	}
	token, expires := ask()
	if want := w.clock.Now().Add(30 * time.Minute).Unix(); expires != want {
		t.Errorf("the token ends at %d, want %d", expires, want)
	}
	w.clock.Advance(28 * time.Minute)
	if again, same := ask(); again != token || same != expires {
		t.Errorf("two minutes before its end the token is %s until %d", again, same)
	}
	w.clock.Advance(90 * time.Second)
	again, later := ask()
	if again != token || later != expires+5*60 {
		t.Errorf("in its last minute the token is %s until %d, want it until %d", again, later, expires+300)
	}
	w.do(request{method: http.MethodGet, path: "/banks", token: token}).want(200, 0)
	w.clock.Advance(6 * time.Minute)
	w.do(request{method: http.MethodGet, path: "/banks", token: token}).want(401, -1).says("Unauthorized")
	if fresh, _ := ask(); fresh == token {
		t.Error("a token came back after its end")
	}
}

func TestGetTokenTakesForms(t *testing.T) {
	w := newWorld(t)
	for name, body := range map[string]string{
		"form":               "imp_key=" + w.shop.key + "&imp_secret=" + w.shop.secret,
		"blank before a key": "imp_key=" + w.shop.key + "& imp_secret=" + w.shop.secret,
		"JSON":               `{"imp_key":"` + w.shop.key + `","imp_secret":"` + w.shop.secret + `"}`,
		"unknown member":     `{"imp_key":"` + w.shop.key + `","imp_secret":"` + w.shop.secret + `","extraCondition":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"", "text/plain;charset=UTF-8", "application/json", "application/x-www-form-urlencoded"} {
				h := http.Header{"Authorization": {""}}
				if kind != "" {
					h.Set("Content-Type", kind)
				}
				w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-", body: body, header: h}).want(200, 0)
			}
		})
	}
}

func TestGetTokenRefuses(t *testing.T) {
	w := newWorld(t)
	const said = "인증에 실패하였습니다. API키와 secret을 확인하세요."
	for name, body := range map[string]any{
		"unknown key":    object{"imp_key": "1234567890123456", "imp_secret": w.shop.secret},
		"wrong secret":   object{"imp_key": w.shop.key, "imp_secret": "wrong"},
		"other's secret": object{"imp_key": w.shop.key, "imp_secret": w.other.secret},
		"no secret":      object{"imp_key": w.shop.key},
		"null secret":    object{"imp_key": w.shop.key, "imp_secret": nil},
		"no key":         object{"imp_secret": w.shop.secret},
		"SQL":            object{"imp_key": "' OR 1=1 --", "imp_secret": "' OR 1=1 --"},
		"secret as list": object{"imp_key": w.shop.key, "imp_secret": []string{w.shop.secret}},
		"endless key":    object{"imp_key": strings.Repeat("1", 10_000), "imp_secret": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-", body: body}).want(401, -1).says(said)
		})
	}
	w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-"}).want(400, -1)
	w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-", body: "null"}).want(400, -1)
}

func TestGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	guess := func(secret string) reply {
		return w.do(request{method: http.MethodPost, path: "/users/getToken", token: "-", body: object{"imp_key": w.shop.key, "imp_secret": secret}})
	}
	for range 10 {
		guess("wrong").want(401, -1)
	}
	if got := guess("wrong").want(429, -1).header.Get("Retry-After"); got == "" {
		t.Error("Retry-After is missing")
	}
	guess(w.shop.secret).want(429, -1)
	w.tokenOf(w.other) // Another key from the same address still works.
	w.clock.Advance(time.Minute)
	guess(w.shop.secret).want(200, 0)
	for range 200 { // Good attempts are not counted.
		guess(w.shop.secret).want(200, 0)
	}
}

func TestTokenForms(t *testing.T) {
	w := newWorld(t)
	token := w.shop.token
	for name, test := range map[string]struct {
		header http.Header
		query  string
		status int
	}{
		"raw":                 {http.Header{"Authorization": {token}}, "", 200},
		"bearer":              {http.Header{"Authorization": {"Bearer " + token}}, "", 200},
		"bearer in any case":  {http.Header{"Authorization": {"bearer  " + token}}, "", 200},
		"old header":          {http.Header{"X-Imptokenheader": {token}}, "", 200},
		"old header bearer":   {http.Header{"X-Imptokenheader": {"Bearer " + token}}, "", 200},
		"empty and old":       {http.Header{"Authorization": {""}, "X-Imptokenheader": {token}}, "", 200},
		"query":               {http.Header{}, "?_token=" + token, 200},
		"tier":                {http.Header{"Authorization": {token}, "Tier": {"ABC"}}, "", 200},
		"odd tier":            {http.Header{"Authorization": {token}, "Tier": {"ABCD"}}, "", 400},
		"none":                {http.Header{}, "", 401},
		"scheme only":         {http.Header{"Authorization": {"Bearer"}}, "", 401},
		"unknown":             {http.Header{"Authorization": {"hfv1~unknown~token"}}, "", 401},
		"changed":             {http.Header{"Authorization": {token[:len(token)-1] + "_"}}, "", 401},
		"cut":                 {http.Header{"Authorization": {token[:len(token)-1]}}, "", 401},
		"other dialect":       {http.Header{"Authorization": {"PortOne " + token}}, "", 401},
		"endless":             {http.Header{"Authorization": {strings.Repeat("x", 5000)}}, "", 401},
		"two headers":         {http.Header{"Authorization": {token, "bad"}}, "", 400},
		"two equal headers":   {http.Header{"Authorization": {token, token}}, "", 400},
		"bad before good one": {http.Header{"Authorization": {"bad"}, "X-Imptokenheader": {token}}, "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.do(request{method: http.MethodGet, path: "/banks" + test.query, token: "-", header: test.header})
			if r.status != test.status {
				t.Errorf("got %s, want %d", r.raw, test.status)
			}
			if test.status == 401 {
				r.says("Unauthorized")
			}
		})
	}
}

func TestRevokedKeysEndTheirTokens(t *testing.T) {
	w := newWorld(t)
	w.get("/banks").want(200, 0)
	if err := w.app.RevokeKey(t.Context(), "test", w.shop.ID, w.shop.key); err != nil {
		t.Fatal(err)
	}
	w.get("/banks").want(401, -1)
}

// TestEveryCallNeedsAToken goes through all calls but getToken.
func TestEveryCallNeedsAToken(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"GET /users/pg", "GET /payments", "GET /payments/imp_000000000000", "GET /payments/imp_000000000000/balance",
		"POST /payments/imp_000000000000/naver/confirm", "GET /payments/find/m", "GET /payments/find/m/paid", "GET /payments/findAll/m",
		"GET /payments/findAll/m/paid", "GET /payments/status/all", "POST /payments/cancel", "POST /payments/prepare", "PUT /payments/prepare",
		"GET /payments/prepare/m", "POST /vbanks", "PUT /vbanks", "PUT /vbanks/imp_000000000000", "DELETE /vbanks/imp_000000000000",
		"GET /vbanks/holder", "GET /escrows/logis/imp_000000000000", "POST /escrows/logis/imp_000000000000", "PUT /escrows/logis/imp_000000000000",
		"GET /receipts/imp_000000000000", "POST /receipts/imp_000000000000", "DELETE /receipts/imp_000000000000",
		"GET /receipts/external/m", "POST /receipts/external/m", "DELETE /receipts/external/m", "GET /banks", "GET /banks/088",
	} {
		method, path, _ := strings.Cut(path, " ")
		w.do(request{method: method, path: path, token: "-", body: "{}"}).want(401, -1).says("Unauthorized")
	}
}
