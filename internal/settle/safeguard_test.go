package settle

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

func TestSafeguard(t *testing.T) {
	for _, c := range []struct {
		day        string
		held, want money.Won
	}{
		{"2026-12-16", 10_000, 0},
		{"2026-12-17", 10_000, 6_000},
		{"2026-12-31", 1, 1},
		{"2027-06-30", 10_001, 6_001},
		{"2027-12-16", 10_000, 6_000},
		{"2027-12-17", 10_000, 8_000},
		{"2028-12-17", 10_001, 10_001},
		{"2040-01-01", 7, 7},
		{"2027-12-20", 0, 0},
	} {
		day, err := bizday.ParseDate(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := Safeguard(c.held, day); got != c.want {
			t.Errorf("%d won on %s: %d, want %d", c.held, c.day, got, c.want)
		}
	}
}
