package serve_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain asks that a server that was closed leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
