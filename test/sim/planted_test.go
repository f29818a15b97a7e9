package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/fault"
)

// bugs are those that the simulation must find, each within so many seeds.
var bugs = map[fault.Bug]int{
	fault.NewBankKey: 24, fault.DepositTwice: 24, fault.DayShort: 24, fault.WebhookForgotten: 60,
	fault.BounceIgnored: 100, fault.NoticeForgotten: 100, fault.RecountLost: 100,
}

// TestFindsPlantedBugs: a simulation that finds nothing has shown nothing, unless it
// finds what is there.
func TestFindsPlantedBugs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and plays a program for each bug")
	}
	bin := build(t, "-tags", "planted")
	for bug, within := range bugs {
		t.Run(string(bug), func(t *testing.T) {
			out, err := runChild(t, bin, "-sim.bug", string(bug), "-sim.first", "-sim.seeds", fmt.Sprint(within), "-sim.days", "60")
			if err == nil {
				t.Fatalf("%d seeds do not find it\n%s", within, out)
			}
			_, found, said := strings.Cut(out, ": seed ")
			if !said {
				t.Fatalf("the program fails for another reason: %v\n%s", err, out)
			}
			found, _, _ = strings.Cut(found, "\n")
			t.Logf("found by seed %s", found)
		})
	}
}
