package wirev1

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/krcarrier"
)

func TestBanks(t *testing.T) {
	if len(Banks()) == 0 {
		t.Fatal("the table is empty")
	}
	for _, b := range Banks() {
		if code, ok := BankCode(b.Code); !ok || code != b.Code || b.Name == "" {
			t.Errorf("%+v does not find itself", b)
		}
	}
	for sent, want := range map[string]string{"088": "088", "88": "088", "BK88": "088", "04": "004", "888": "", "8": "", "": "", "bk88": "", "BK": ""} {
		if code, ok := BankCode(sent); ok != (want != "") || (ok && code != want) {
			t.Errorf("%q: got %q, %t", sent, code, ok)
		}
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
	for _, c := range carriers {
		if _, ok := krcarrier.ByCode(c.House); !ok || seen[c.Code] || c.Korean == "" {
			t.Errorf("%s is twice in the table, lacks a name or means no carrier", c.Code)
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
