package app

import (
	"context"

	"github.com/holdfast-pay/holdfast/internal/recon"
)

// Violation is one place where the books do not agree.
type Violation = recon.Violation

// VerifyBooks walks through all books once: both chains of hashes of every
// merchant, and every payment and payout against its transfers, events, lines and
// orders. It returns what does not agree, at most 1,000 places.
func (a *App) VerifyBooks(ctx context.Context) ([]Violation, error) { return a.store.VerifyBooks(ctx) }
