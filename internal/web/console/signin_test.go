package console_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/web/console"
)

func credentials(email, secret string) url.Values {
	return url.Values{"email": {email}, "password": {secret}}
}

func TestSignIn(t *testing.T) {
	s := begin(t)
	b := s.browser()
	p := b.get("/console/payments?q=a")
	p.is(http.StatusOK, "상점 관리자 로그인", `value="/console/payments?q=a"`)
	if p.path != "/console/sign-in?next=%2Fconsole%2Fpayments%3Fq%3Da" {
		t.Errorf("led to %s", p.path)
	}
	form := credentials(" Shop@Holdfast.example ", serve.SeedPassword)
	form.Set("next", "/console/payments?q=a")
	p = b.send("/console/sign-in", form)
	p.is(http.StatusOK, "한빛상점", "로그아웃")
	if p.path != "/console/payments?q=a" {
		t.Errorf("led to %s", p.path)
	}
	if p := b.get("/console/sign-in"); p.path != "/console" {
		t.Errorf("the sign-in of one who is in leads to %s", p.path)
	}
	form.Set("next", "https://evil.example/console")
	if p := s.browser().send("/console/sign-in", form); p.path != "/console" {
		t.Errorf("led to %s", p.path)
	}
	b.send("/console/sign-out", nil).is(http.StatusOK, "상점 관리자 로그인")
	if p := b.get("/console"); !strings.HasPrefix(p.path, "/console/sign-in") {
		t.Errorf("after the sign-out %s is shown", p.path)
	}
	b.send("/console/payments/imp_1/cancel", nil).is(http.StatusOK, "상점 관리자 로그인")
}

// TestWrongCredentialsLookAlike: nobody learns which mail addresses have accounts.
func TestWrongCredentialsLookAlike(t *testing.T) {
	s := begin(t)
	var answers []string
	for _, c := range []url.Values{
		credentials(serve.SeedEmail, "not the password"),
		credentials("nobody@holdfast.example", "not the password"),
		credentials("nobody@holdfast.example", serve.SeedPassword),
		credentials(serve.SeedEmail, ""),
		credentials(serve.SeedEmail, serve.SeedPassword+"x"),
		credentials(serve.SeedEmail, strings.Repeat("x", 2000)),
		credentials("", ""),
		{},
	} {
		p := s.browser().send("/console/sign-in", c)
		p.is(http.StatusUnprocessableEntity, "이메일 또는 비밀번호가 올바르지 않습니다.").lacks("not the password")
		if p.header.Get("Set-Cookie") != "" {
			t.Errorf("%v gets a cookie", c)
		}
		answers = append(answers, regexp.MustCompile(`(name="email"[^>]*) value="[^"]*"`).ReplaceAllString(p.text, "$1"))
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("answers differ:\n%s\n%s", a, answers[0])
		}
	}
}

// cookieOf is the session cookie that a browser holds.
func (b *browser) cookieOf() string {
	b.t.Helper()
	u, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.Contains(c.Name, "console") {
			return c.Value
		}
	}
	return ""
}

// TestPlantedSession: a session that somebody planted before the sign-in is
// worth nothing after it, and one that is over does not come back.
func TestPlantedSession(t *testing.T) {
	s := begin(t)
	b := s.browser()
	u, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	const planted = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "holdfast_console", Value: planted}})
	b.send("/console/sign-in", credentials(serve.SeedEmail, serve.SeedPassword)).is(http.StatusOK, "로그아웃")
	first := b.cookieOf()
	if first == planted || first == "" {
		t.Errorf("the session after the sign-in is %q", first)
	}
	b.send("/console/sign-in", credentials(serve.SeedEmail, serve.SeedPassword)).is(http.StatusOK, "로그아웃")
	if b.cookieOf() == first {
		t.Error("a second sign-in keeps the session")
	}
	old := s.browser()
	old.client.Jar.SetCookies(u, []*http.Cookie{{Name: "holdfast_console", Value: first}})
	if p := old.get("/console"); !strings.HasPrefix(p.path, "/console/sign-in") {
		t.Errorf("the session before the second sign-in still opens %s", p.path)
	}
}

func TestCookieIsBoundToHTTPS(t *testing.T) {
	s := begin(t)
	pages := console.New(s.App, console.Config{Secure: true}, slog.New(slog.DiscardHandler))
	req := httptest.NewRequest(http.MethodPost, "https://shop.example/console/sign-in", strings.NewReader(credentials(serve.SeedEmail, serve.SeedPassword).Encode()))
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, req)
	cookie := w.Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-holdfast_console=") {
		t.Errorf("the cookie is %s", cookie)
	}
	for _, want := range []string{"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %s lacks %s", cookie, want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	s := begin(t)
	idle := s.signedIn()
	busy := s.signedIn()
	for range 13 {
		s.Clock.Advance(55 * time.Minute)
		if p := busy.get("/console"); p.path != "/console" {
			t.Fatalf("a busy session ended at %s", p.path)
		}
	}
	if p := idle.get("/console"); !strings.HasPrefix(p.path, "/console/sign-in") {
		t.Errorf("a session that was idle for hours opens %s", p.path)
	}
	s.Clock.Advance(10 * time.Minute)
	if p := busy.get("/console"); !strings.HasPrefix(p.path, "/console/sign-in") {
		t.Errorf("a session of more than twelve hours opens %s", p.path)
	}
}

func TestTriesAreCounted(t *testing.T) {
	s := begin(t)
	b := s.browser()
	for i := range 10 {
		b.send("/console/sign-in", credentials(serve.SeedEmail, "wrong "+itoa(int64(i)))).is(http.StatusUnprocessableEntity)
	}
	p := b.send("/console/sign-in", credentials(serve.SeedEmail, serve.SeedPassword))
	p.is(http.StatusTooManyRequests, "로그인 시도가 너무 많습니다")
	if p.header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
	b.send("/console/sign-in", credentials("other@holdfast.example", "wrong")).is(http.StatusUnprocessableEntity)
}

// TestOtherSitesCannotAct sends the forms that other sites' pages could send.
func TestOtherSitesCannotAct(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.held()
	body := s.form(p.ID, "reason", "x").Encode()
	for name, headers := range map[string]map[string]string{
		"cross site":   {"Sec-Fetch-Site": "cross-site"},
		"same site":    {"Sec-Fetch-Site": "same-site"},
		"old browser":  {"Origin": "https://evil.example"},
		"null origin":  {"Origin": "null"},
		"other scheme": {"Origin": "https://127.0.0.1:1"},
	} {
		answer := b.post("/console/payments/"+p.ID+"/cancel", body, headers)
		if answer.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, answer.status)
		}
		answer.is(http.StatusForbidden, "다른 사이트에서 보낸 요청은 처리하지 않습니다")
		if out := b.post("/console/sign-out", "", headers); out.status != http.StatusForbidden {
			t.Errorf("%s signs out: %d", name, out.status)
		}
	}
	if now := s.payment(p.ID); now.Version != p.Version {
		t.Error("another site's form changed the payment")
	}
	b.get("/console").is(http.StatusOK, "로그아웃")
}

func TestHeaders(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	for _, path := range []string{"/console", "/console/sign-in", "/console/none"} {
		h := b.get(path).header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if !strings.Contains(h.Get("Cache-Control"), "no-store") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}
