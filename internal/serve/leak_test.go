package serve_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestMain asks that a server that was closed leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(servetest.OnBoth(m)) }
