package krcarrier

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if c.Code == "" || c.Korean == "" || c.English == "" {
			t.Errorf("%+v lacks a code or a name", c)
		}
		if seen[c.Code] {
			t.Errorf("%s stands twice", c.Code)
		}
		seen[c.Code] = true
		if c.page != "" && (!strings.HasPrefix(c.page, "https://") || !c.Trackable) {
			t.Errorf("%s: the page %q is not a secure page of a trackable carrier", c.Code, c.page)
		}
	}
}

func TestTrackable(t *testing.T) {
	for code, want := range map[string]bool{"CJ": true, "POST_REGISTERED": true, "DHL": true, Self: false, Other: false, "HANARO": false, "nobody": false, "": false} {
		if Trackable(code) != want {
			t.Errorf("Trackable(%q) = %v", code, !want)
		}
	}
}

func TestPage(t *testing.T) {
	for _, c := range []struct{ code, number, want string }{
		{"CJ", "6812-3456-7890", "https://trace.cjlogistics.com/next/tracking.html?wblNo=681234567890"},
		{"POST", "6123456789012", "https://service.epost.go.kr/trace.RetrieveDomRigiTraceList.comm?sid1=6123456789012"},
		{"KYUNGDONG", "1234567890", ""},
		{"CJ", "1&next=https://evil.example", ""},
		{"CJ", "", ""},
		{"CJ", "한글", ""},
		{Self, "123", ""},
	} {
		if got := Page(c.code, c.number); got != c.want {
			t.Errorf("Page(%q, %q) = %q, want %q", c.code, c.number, got, c.want)
		}
	}
}

func TestDoubts(t *testing.T) {
	for _, c := range []struct {
		code, number string
		doubt        bool
	}{
		{"CJ", "1234567890", false}, {"CJ", "6812-3456-7890", false}, {"CJ", "123456789", true}, {"CJ", "12345678901x", true},
		{"HANJIN", "123456789012", false}, {"HANJIN", "12345678901234", false}, {"HANJIN", "1234567890123", true},
		{"LOTTE", "100000000004", false}, {"LOTTE", "100000000005", true}, {"LOTTE", "10000000000", true},
		{"POST", "6123456789012", false}, {"POST", "1123456789012", true}, {"POST", "", true},
		{"POST_REGISTERED", "1123456789012", false}, {"POST_REGISTERED", "6123456789012", true},
		{"EMS", "EE123456789KR", false}, {"EMS", "EE12345678KR", true}, {"EMS", "1E123456789KR", true},
		{"LOGEN", "anything", false}, {Self, "", false}, {Other, "?", false},
	} {
		if got := Doubts(c.code, c.number); (got != nil) != c.doubt {
			t.Errorf("Doubts(%q, %q) = %v, want a doubt: %v", c.code, c.number, got, c.doubt)
		}
	}
}
