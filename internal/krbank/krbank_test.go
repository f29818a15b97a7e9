package krbank

import (
	"slices"
	"strings"
	"testing"
)

func TestTableIsOrderedAndWhole(t *testing.T) {
	all := All()
	if !slices.IsSortedFunc(all, func(a, b Bank) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the table is not ordered by code")
	}
	seen := map[string]bool{}
	for _, b := range all {
		if len(b.Code) != 3 || strings.Trim(b.Code, "0123456789") != "" {
			t.Errorf("%q is not a three-digit code", b.Code)
		}
		if b.Korean == "" || b.English == "" {
			t.Errorf("%s lacks a name", b.Code)
		}
		if seen[b.Code] {
			t.Errorf("%s stands twice", b.Code)
		}
		seen[b.Code] = true
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		code    string
		english bool
		want    string
	}{
		{"088", false, "신한은행"}, {"088", true, "Shinhan Bank"}, {"090", false, "카카오뱅크"}, {"88", false, "88"}, {"", true, ""},
	} {
		if got := Name(c.code, c.english); got != c.want {
			t.Errorf("Name(%q, %v) = %q, want %q", c.code, c.english, got, c.want)
		}
	}
}

func TestIssuersAreInTheTable(t *testing.T) {
	for i, b := range Issuers() {
		if b.Code == "" {
			t.Errorf("issuer %d has no row", i)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		text, want string
		ok         bool
	}{
		{"110-123-456789", "110123456789", true},
		{"1101 2345 6789", "110123456789", true},
		{"1234567890", "1234567890", true},
		{"123456789", "123456789", false},
		{"12345678901234567", "", false},
		{"11012345678a", "", false},
		{"１２３４５６７８９０", "", false},
		{"", "", false},
	} {
		got, ok := Number(c.text)
		if got != c.want || ok != c.ok {
			t.Errorf("Number(%q) = %q, %v, want %q, %v", c.text, got, ok, c.want, c.ok)
		}
	}
}
