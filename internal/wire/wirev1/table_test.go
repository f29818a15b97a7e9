package wirev1

import (
	"regexp"
	"testing"
)

func TestBanks(t *testing.T) {
	code := regexp.MustCompile(`^[0-9]{3}$`)
	last := ""
	for _, b := range Banks() {
		if !code.MatchString(b.Code) || b.Code <= last {
			t.Errorf("%s is out of order after %q", b.Code, last)
		}
		if b.Korean == "" || b.English == "" {
			t.Errorf("%s lacks a name", b.Code)
		}
		last = b.Code
	}
	for want, name := range map[string]string{"088": "신한은행", "011": "NH농협은행", "092": "토스뱅크"} {
		if b, ok := BankByCode(want); !ok || b.Korean != name {
			t.Errorf("%s: got %+v, want %s", want, b, name)
		}
	}
	if _, ok := BankByCode("88"); ok {
		t.Error("a two-digit code was found")
	}
}

func TestCarriers(t *testing.T) {
	tests := []struct{ company, house, back string }{
		{"CJGLS", "CJ", "CJGLS"},
		{"KOREX", "CJ", "CJGLS"},
		{"KGB", "LOGEN", "KGB"},
		{"LOGEN", "LOGEN", "KGB"},
		{"ETC", "ETC", "ETC"},
		{"시옷", "ETC", "ETC"},
		{"cjgls", "ETC", "ETC"},
		{"CJ", "ETC", "ETC"},
	}
	for _, test := range tests {
		if got := CarrierOf(test.company); got != test.house {
			t.Errorf("%q: got %s, want %s", test.company, got, test.house)
		}
		if got := CompanyOf(test.house); got != test.back {
			t.Errorf("%s: got %s, want %s", test.house, got, test.back)
		}
	}
	if got := CompanyOf("FEDEX"); got != CarrierETC {
		t.Errorf("a carrier without a word here is %s", got)
	}
	seen := map[string]bool{}
	for _, c := range Carriers() {
		if seen[c.Code] || c.Korean == "" || c.House == "" {
			t.Errorf("%s is twice in the table or lacks a name", c.Code)
		}
		seen[c.Code] = true
	}
}

func TestPage(t *testing.T) {
	tests := []struct{ number, limit, total, previous, next int }{
		{1, 20, 0, 0, 0},
		{1, 20, 20, 0, 0},
		{1, 20, 21, 0, 2},
		{2, 20, 21, 1, 0},
		{2, 20, 41, 1, 3},
	}
	for _, test := range tests {
		p := NewPage[int](nil, test.number, test.limit, test.total)
		if p.Previous != test.previous || p.Next != test.next || p.List == nil {
			t.Errorf("%+v: got %+v", test, p)
		}
	}
	for _, test := range []struct {
		number, limit, total int
		want                 bool
	}{{1, 20, 0, true}, {2, 20, 20, false}, {2, 20, 21, true}, {0, 20, 100, false}, {-1, 20, 100, false}} {
		if got := PageExists(test.number, test.limit, test.total); got != test.want {
			t.Errorf("%+v: got %t", test, got)
		}
	}
}
