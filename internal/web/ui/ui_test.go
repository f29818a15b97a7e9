package ui

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

func source(body string, words Words) Source {
	return Source{Words: words, Pages: fstest.MapFS{"page.html": {Data: []byte(body)}}}
}

func TestSharedWordsAreWhole(t *testing.T) {
	if problems := Shared.problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestSiteFindsFaultsOfTheCatalogue(t *testing.T) {
	cases := []struct {
		name, body, want string
		words            Words
	}{
		{"key missing", `{{t "lost"}}`, `no text for "lost"`, nil},
		{"key missing deep inside", `{{if .}}{{range .}}{{with (pair "a" (t "deep"))}}{{end}}{{end}}{{end}}`, `no text for "deep"`, nil},
		{"part missing", `{{template "lost"}}`, `no part "lost"`, nil},
		{"key missing in the other branch", `{{if .}}{{else}}{{t "else"}}{{end}}`, `no text for "else"`, nil},
		{"no Korean", ``, "a: no Korean text", Words{"a": {En: "x"}}},
		{"no English", ``, "a: no English text", Words{"a": {Ko: "x"}}},
		{"placeholders differ", ``, "a: placeholders differ", Words{"a": {Ko: "%s님", En: "you"}}},
		{"verbs differ", ``, "a: placeholders differ", Words{"a": {Ko: "%s", En: "%d"}}},
		{"twice", ``, `"brand" stands twice`, Words{"brand": {Ko: "x", En: "x"}}},
		{"template broken", `{{if}}`, "missing value", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, problems := build(source(c.body, c.words))
			if !strings.Contains(strings.Join(problems, "\n"), c.want) {
				t.Errorf("problems are %q, want one with %q", problems, c.want)
			}
		})
	}
}

func TestPlaceholdersMayChangePlaces(t *testing.T) {
	words := Words{"a": {Ko: "%[2]s의 %[1]s 100%%", En: "%s of %s 100%%"}}
	if _, problems := build(source(`{{t "a" "x" "y"}}`, words)); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestRender(t *testing.T) {
	words := Words{"hello": {Ko: "%s님, 안녕하십니까", En: "Hello %s"}}
	site := NewSite(source(`<p id="x">{{t "hello" .Name}} {{won .Sum}}</p>`, words))
	data := struct {
		Name string
		Sum  money.Won
	}{`<img src=x onerror=alert(1)>`, 1250000}

	w := httptest.NewRecorder()
	site.Render(w, httptest.NewRequest(http.MethodGet, "/p?q=1", nil), http.StatusOK, "page", Page{Title: "제목", Data: data})
	body := w.Body.String()
	for _, want := range []string{`<html lang="ko">`, "&lt;img src=x onerror=alert(1)&gt;님", "1,250,000원", `href="/p?lang=en&amp;q=1"`, "<title>제목 · 홀드패스트</title>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy is %q", csp)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("headers are %v", w.Header())
	}
}

func TestRenderInEnglishAndInAFrame(t *testing.T) {
	site := NewSite(source(`{{t "amount"}}`, nil))
	w := httptest.NewRecorder()
	page := Page{Lang: English, Bare: true, Policy: Policy{FrameAncestors: []string{"https://shop.example"}, FormActions: []string{"https://shop.example"}}}
	site.Render(w, httptest.NewRequest(http.MethodGet, "/p", nil), http.StatusTeapot, "page", page)
	if w.Code != http.StatusTeapot || !strings.Contains(w.Body.String(), "Amount") || strings.Contains(w.Body.String(), "?lang=") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "frame-ancestors https://shop.example") || !strings.Contains(csp, "form-action 'self' https://shop.example;") || w.Header().Get("X-Frame-Options") != "" {
		t.Errorf("policy is %q, %q", csp, w.Header().Get("X-Frame-Options"))
	}
}

func TestRenderNeverSendsHalfAPage(t *testing.T) {
	site := NewSite(source(`begin {{.Lost}}`, nil))
	w := httptest.NewRecorder()
	site.Render(w, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, "page", Page{Data: struct{}{}})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "begin") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestLanguage(t *testing.T) {
	cases := []struct {
		query, cookie, accept string
		want                  Lang
	}{
		{"", "", "", Korean},
		{"", "", "fr-FR,fr;q=0.9", Korean},
		{"", "", "en-US,en;q=0.9,ko;q=0.8", English},
		{"", "", "en;q=0.3, ko-KR;q=0.9", Korean},
		{"", "", "en;q=zero", Korean},
		{"", "en", "ko", English},
		{"", "xx", "en", English},
		{"?lang=ko", "en", "en", Korean},
		{"?lang=en-GB", "ko", "ko", English},
		{"?lang=%00", "en", "", English},
	}
	for _, c := range cases {
		r := httptest.NewRequest(http.MethodGet, "/"+c.query, nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "lang", Value: c.cookie})
		}
		if got := Language(r); got != c.want {
			t.Errorf("%+v gives %s", c, got)
		}
	}
}

func TestRememberKeepsOnlyAChoice(t *testing.T) {
	for query, want := range map[string]int{"": 0, "?lang=fr": 0, "?lang=en": 1} {
		w := httptest.NewRecorder()
		Remember(w, httptest.NewRequest(http.MethodGet, "/"+query, nil))
		if got := len(w.Result().Cookies()); got != want {
			t.Errorf("%q sets %d cookies", query, got)
		}
	}
}

func TestFormats(t *testing.T) {
	at := time.Date(2026, 2, 13, 15, 5, 0, 0, time.UTC) // 14 February in Korea
	for got, want := range map[string]string{
		Won(Korean, 1250000):                             "1,250,000원",
		Won(English, 1250000):                            "₩1,250,000",
		Won(English, -1000):                              "-₩1,000",
		Day(Korean, bizday.MustParseDate("2026-11-26")):  "2026년 11월 26일(목)",
		Day(English, bizday.MustParseDate("2026-11-26")): "Thu, 26 November 2026",
		Day(Korean, bizday.Date{}):                       "",
		Instant(Korean, at):                              "2026년 2월 14일(토) 00:05",
		Instant(English, at):                             "Sat, 14 February 2026, 00:05 KST",
		Instant(English, time.Time{}):                    "",
		Stamp(at):                                        "2026-02-14 00:05",
		Stamp(time.Time{}):                               "–",
		ISO(at):                                          "2026-02-14T00:05:00+09:00",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAssets(t *testing.T) {
	address := shared.Path("pico.min.css")
	get := func(method, path, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		Static().ServeHTTP(w, r)
		return w
	}
	plain, zip := get(http.MethodGet, address, ""), get(http.MethodGet, address, "gzip, br")
	if plain.Code != http.StatusOK || !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") || plain.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%d %v", plain.Code, plain.Header())
	}
	if zip.Header().Get("Content-Encoding") != "gzip" || zip.Body.Len() >= plain.Body.Len()/3 {
		t.Errorf("zipped: %d of %d bytes, %v", zip.Body.Len(), plain.Body.Len(), zip.Header())
	}
	if head := get(http.MethodHead, address, ""); head.Body.Len() != 0 || head.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD answers %d bytes, %v", head.Body.Len(), head.Header())
	}
	for path, want := range map[string]int{"/assets/pico.min.css": 404, "/assets/../go.mod": 404, "/assets/": 404, "/assets/pico.min.000000000000.css": 404} {
		if got := get(http.MethodGet, path, "").Code; got != want {
			t.Errorf("%s gives %d", path, got)
		}
	}
	if got := get(http.MethodPost, address, "").Code; got != http.StatusMethodNotAllowed {
		t.Errorf("POST gives %d", got)
	}
}

// TestASiteIsParsedWhenItIsServed: naming a site costs nothing, so that what is
// wrong with it is found when it is made ready.
func TestASiteIsParsedWhenItIsServed(t *testing.T) {
	site := NewSite(source(`{{t "no such text"}}`, nil))
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, "no such text") {
			t.Errorf("a site with a fault was made ready: %s", said)
		}
	}()
	site.Ready()
}

func TestPagesFindTheirOwnFiles(t *testing.T) {
	own := NewAssets("/own/", fstest.MapFS{"own.js": {Data: []byte("1")}})
	site := NewSite(Source{Assets: own, Pages: fstest.MapFS{
		"page.html":  {Data: []byte(`{{template "part" (pair "src" (asset "own.js"))}}`)},
		"_part.html": {Data: []byte(`{{define "part"}}{{.src}} {{asset "ui.css"}}{{end}}`)},
	}})
	w := httptest.NewRecorder()
	site.Render(w, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, "page", Page{})
	if body := w.Body.String(); !strings.Contains(body, own.Path("own.js")) || !strings.Contains(body, shared.Path("ui.css")) {
		t.Error(body)
	}
	if !slices.Equal(slices.Sorted(func(yield func(string) bool) {
		for name := range site.parsed().pages[Korean] {
			if !yield(name) {
				return
			}
		}
	}), []string{"page"}) {
		t.Error("a part became a page")
	}
}
