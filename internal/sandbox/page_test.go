package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// page sends a form, or nothing, to the page and follows no redirect.
func (w world) page(form url.Values, lang string) (int, string, http.Header) {
	w.T.Helper()
	var req *http.Request
	var err error
	if form == nil {
		req, err = http.NewRequest(http.MethodGet, w.URL+"/sandbox", nil)
	} else {
		req, err = http.NewRequest(http.MethodPost, w.URL+"/sandbox", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err != nil {
		w.T.Fatal(err)
	}
	req.SetBasicAuth(w.Key, w.Secret)
	req.Header.Set("Accept-Language", lang)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		w.T.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var text strings.Builder
	if _, err := io.Copy(&text, res.Body); err != nil {
		w.T.Fatal(err)
	}
	return res.StatusCode, text.String(), res.Header
}

// press does what a button does and shows the page that follows.
func (w world) press(form url.Values) string {
	w.T.Helper()
	status, text, header := w.page(form, "ko")
	if status != http.StatusSeeOther {
		w.T.Fatalf("%v: %d %s", form, status, text)
	}
	got := w.Call("GET", header.Get("Location"), basic(w.Key, w.Secret), nil)
	if got.Status != http.StatusOK || !strings.Contains(string(got.Raw), "notice good") {
		w.T.Fatalf("%v leads to %d %s", form, got.Status, got.Raw)
	}
	return string(got.Raw)
}

var chosen = regexp.MustCompile(`name="imp_uid" value="(imp_[0-9]+)"`)

// TestPageLivesAWholeLife presses the buttons of a purchase from the account to
// the confirmation.
func TestPageLivesAWholeLife(t *testing.T) {
	w := newWorld(t)
	text := w.press(url.Values{"act": {"pay"}, "pay_method": {"vbank"}, "amount": {"10000"}, "escrow": {"true"}, "buyer_email": {"buyer@holdfast.example"}, "name": {""}})
	id := chosen.FindStringSubmatch(text)[1]
	w.press(url.Values{"act": {"deposit"}, "imp_uid": {id}, "kind": {"exact"}})
	w.press(url.Values{"act": {"ship"}, "imp_uid": {id}, "company": {"CJGLS"}})
	w.Drain()
	w.press(url.Values{"act": {"deliver"}, "imp_uid": {id}, "script": {"deliver_now"}})
	w.press(url.Values{"act": {"decide"}, "imp_uid": {id}, "decision": {"reject"}, "reason": {"파손"}})
	w.press(url.Values{"act": {"decide"}, "imp_uid": {id}, "decision": {"withdraw_rejection"}})
	w.Drain()
	w.press(url.Values{"act": {"advance"}, "imp_uid": {id}, "business_days": {"3"}})
	if p := w.life(id); p.State != "confirmed" {
		t.Errorf("%+v", p)
	}
	mail := must[[]mailItem](w, "GET", "/sandbox/mails?imp_uid="+id, nil)[0]
	got := w.Call("GET", "/sandbox?imp_uid="+id+"&mail="+mail.ID, basic(w.Key, w.Secret), nil)
	if !strings.Contains(string(got.Raw), `src="/sandbox/mails/`+mail.ID+`/body" sandbox="allow-popups`) {
		t.Error("the letter is not shown in its frame")
	}
	if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src 'self'") || !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("policy %s", policy)
	}
	w.CheckBooks()
}

func TestPageSaysNo(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		status int
		form   url.Values
		ko, en string
	}{
		{http.StatusBadRequest, url.Values{"act": {"fly"}}, "act: ", "act: must be one of"},
		{http.StatusBadRequest, url.Values{"act": {"advance"}, "by": {"soon"}}, "기간이어야", "must be a time span"},
		{http.StatusBadRequest, url.Values{"act": {"pay"}, "amount": {"many"}}, "amount", "amount: must be a number"},
		{http.StatusNotFound, url.Values{"act": {"deposit"}, "imp_uid": {"imp_000000000000"}}, "존재하지", "no such payment"},
		{http.StatusConflict, url.Values{"act": {"decide"}, "imp_uid": {w.pay("trans").ImpUID}, "decision": {"confirm"}}, "배송정보", "not registered a delivery"},
	} {
		for lang, want := range map[string]string{"ko": c.ko, "en": c.en} {
			status, text, _ := w.page(c.form, lang)
			if status != c.status || !strings.Contains(text, want) || !strings.Contains(text, "notice bad") {
				t.Errorf("%v in %s: %d, lacks %q", c.form, lang, status, want)
			}
		}
	}
	got := w.Call("GET", "/sandbox?imp_uid=imp_000000000000", basic(w.Key, w.Secret), nil)
	if got.Status != http.StatusNotFound || !strings.Contains(string(got.Raw), "2026년 3월 9일(월) 09:00") {
		t.Errorf("an unknown payment: %d %s", got.Status, got.Raw)
	}
}

func TestPagePlaysAScenario(t *testing.T) {
	w := newWorld(t)
	status, text, _ := w.page(url.Values{"act": {"scenario"}, "name": {"confirm"}}, "en")
	if status != http.StatusOK || !strings.Contains(text, "Books balance") || !strings.Contains(text, "The buyer confirms the purchase.") {
		t.Errorf("%d %s", status, text)
	}
}

func TestPageEscapesWhatOthersWrote(t *testing.T) {
	w := newWorld(t)
	must[payment](w, "POST", "/sandbox/payments", body{"amount": 1000, "name": `<script>alert(1)</script>`})
	_, text, _ := w.page(nil, "ko")
	if strings.Contains(text, "<script>alert") || !strings.Contains(text, "&lt;script&gt;alert") {
		t.Error("the name of the goods is not escaped")
	}
}
