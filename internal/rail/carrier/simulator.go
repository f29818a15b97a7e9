package carrier

import (
	"context"
	"time"
)

// Simulator is a carrier that a shop's developers can move by hand. It belongs
// to the sandbox: every call names the merchant and touches nothing of another.
type Simulator interface {
	Tracker

	// Direct says what happens to the parcel of a tracking number, whichever
	// carrier has it. A later script replaces an earlier one. It returns an
	// *Invalid for a script that makes no sense.
	Direct(ctx context.Context, merchant, number string, s Script) error
	// Parcels lists the parcels that were asked for or directed, by number.
	Parcels(ctx context.Context, merchant string) ([]Parcel, error)
}

// Fate is what happens to a parcel.
type Fate string

// The fates of a parcel.
const (
	Usual      Fate = "usual"       // seen and delivered after a usual time
	DeliverAt  Fate = "deliver"     // delivered at an instant; for one delivered now, At is now
	NeverSeen  Fate = "never_seen"  // no event ever, as of a wrong number
	Lost       Fate = "lost"        // seen, then nothing more
	LeftInShop Fate = "pickup"      // from At on it waits in a shop to be picked up; that is no delivery
	SentBack   Fate = "returned"    // from At on it is on its way back
	Down       Fate = "unreachable" // the carrier cannot be asked
)

// Script is the fate of one parcel. At is used by DeliverAt, LeftInShop and
// SentBack, on the merchant's clock.
type Script struct {
	Fate Fate
	At   time.Time
}

// Parcel is a parcel as the simulated carrier keeps it.
type Parcel struct {
	Number  string
	Carrier string    // of the last question; empty before the first
	AskedAt time.Time // of the first question; zero before
	Script  Script
}

// Invalid says that a script is wrong in itself; nothing was changed.
type Invalid struct{ Field, Reason string }

// Error names the field and the reason.
func (e *Invalid) Error() string { return e.Field + ": " + e.Reason }
