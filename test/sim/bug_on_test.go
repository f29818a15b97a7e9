//go:build planted

package sim_test

import (
	"flag"

	"github.com/holdfast-pay/holdfast/internal/fault"
)

func init() {
	flag.Func("sim.bug", "the bug to plant", func(name string) error {
		fault.Plant(fault.Bug(name))
		return nil
	})
}
