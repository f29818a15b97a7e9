package verify_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestPage(t *testing.T) {
	s := servetest.Run(t)
	page := s.URL + "/verify/" + s.Code
	expect := func(name, url string, status int, wants ...string) {
		t.Helper()
		got, body := get(t, url)
		if got != status {
			t.Errorf("%s: status %d, want %d", name, got, status)
		}
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
	}
	expect("a member", page, 200, "가입 중", "한빛상점", "123-45-67890", "가상계좌", "실시간 계좌이체", "2026년 3월 9일(월)부터", "Holdfast Sandbox")
	expect("in English", page+"?lang=en", 200, "Member", "since Mon, 9 March 2026")
	expect("unknown", s.URL+"/verify/imp99999999", 404, "가입 정보를 찾을 수 없습니다")
	expect("too long", s.URL+"/verify/"+strings.Repeat("x", 41), 404, "가입 정보를 찾을 수 없습니다")
	expect("no code", s.URL+"/verify/", 404, "가입 정보를 찾을 수 없습니다")

	s.Change(func(m *merchant.Merchant) { m.Disable(escrow.VirtualAccount) })
	if _, body := get(t, page); strings.Contains(body, "가상계좌") {
		t.Error("a method that is not offered any more is still shown")
	}
	s.Change(func(m *merchant.Merchant) { m.Disable(escrow.BankTransfer) })
	expect("not a member", page, 200, "가입하지 않음")
}
