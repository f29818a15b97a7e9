package bizday

import (
	"fmt"
	"slices"
	"testing"
)

// The rules must say what the almanac says, but for the days that no rule can know.
func TestRulesReproduceFacts(t *testing.T) {
	facts, err := parseFacts(factsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	adHoc := 0
	for _, h := range facts {
		if h.cause.Kind == AdHoc {
			adHoc++
			continue
		}
		want = append(want, describe(h))
	}
	for year := factsFirstYear; year <= factsLastYear; year++ {
		for _, h := range computeYear(year) {
			got = append(got, describe(h))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("the rules miss   %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("the rules invent %s", line)
		}
	}
	if adHoc != 5 {
		t.Errorf("the facts hold %d ad-hoc holidays, want 5", adHoc)
	}
}

func describe(h holiday) string {
	return fmt.Sprintf("%v %v %s / %s for %v", h.date, h.cause.Kind, h.cause.Korean, h.cause.English, h.cause.For)
}
