package servetest

import (
	"fmt"
	"os"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// engineVariable names the database of the tests; empty or sqlite for a file.
const (
	engineVariable = "TEST_DATABASE"
	postgres       = "postgres"
)

func onPostgres() bool { return os.Getenv(engineVariable) == postgres }

// Runner is a TestMain's m, or what stands in its place.
type Runner interface{ Run() int }

// OnBoth runs the tests of a package, and, unless the environment has chosen one
// engine already, runs them a second time on PostgreSQL. Without a PostgreSQL
// the second run is left out, and with CI set that is a failure.
//
//	func TestMain(m *testing.M) { os.Exit(servetest.OnBoth(m).Run()) }
func OnBoth(m *testing.M) Runner { return both{m} }

type both struct{ *testing.M }

func (b both) Run() int {
	code := b.M.Run()
	if os.Getenv(engineVariable) != "" || code != 0 || testing.Short() {
		return code
	}
	if _, err := pgtest.Binaries(); err != nil {
		_, _ = fmt.Fprintln(os.Stdout, "not run again on PostgreSQL:", err)
		if os.Getenv("CI") != "" {
			return 1
		}
		return code
	}
	if err := os.Setenv(engineVariable, postgres); err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		return 1
	}
	_, _ = fmt.Fprintln(os.Stdout, "again on PostgreSQL")
	return b.M.Run()
}
