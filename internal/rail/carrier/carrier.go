// Package carrier is the port to those who know where parcels are: a simulated
// carrier, a tracking service.
//
// # What is always true
//
//   - An error says that nobody could be asked. It is no news of the parcel: it
//     makes it neither untrackable nor delivered.
//   - A report without a single event is silence. Carriers cannot tell a wrong
//     number from a parcel that was not scanned yet.
//   - A parcel is delivered when its last event says so. Waiting in a shop to be
//     picked up is not receipt, and neither is anything that an exception followed.
//
// The table of carriers is in package krcarrier; carriers are named by its codes.
package carrier

import (
	"context"
	"slices"
	"time"
)

// Tracker asks where a parcel is. Implementations are safe for concurrent use
// and bound every call by its context and a limit of their own.
type Tracker interface {
	// Track reports on one parcel of a merchant. The instant now is the merchant's
	// clock; nothing in the report is later.
	Track(ctx context.Context, merchant, carrier, number string, now time.Time) (Report, error)
}

// Report is what is known of a parcel.
type Report struct {
	// Seen says that the carrier has shown at least one event.
	Seen bool
	// DeliveredAt is when the parcel was handed over; zero if it was not.
	DeliveredAt time.Time
	// NextAt is when asking again is worth it; zero if the carrier cannot say.
	NextAt time.Time
	// Steps are the events in the order of their time.
	Steps []Step
}

// Step is one event on a parcel's way.
type Step struct {
	At     time.Time
	Status Status
	Place  string
	Note   string // the carrier's own words
}

// Status is the meaning of an event.
type Status string

// The statuses, from the shop to the buyer.
const (
	StatusUnknown    Status = "UNKNOWN"
	Informed         Status = "INFORMATION_RECEIVED" // a label exists, the carrier knows the number
	AtPickup         Status = "AT_PICKUP"            // taken over from the shop
	InTransit        Status = "IN_TRANSIT"
	OutForDelivery   Status = "OUT_FOR_DELIVERY"
	AttemptFailed    Status = "ATTEMPT_FAIL"
	Delivered        Status = "DELIVERED" // also at the door, when the buyer agreed to it
	AwaitingPickup   Status = "AVAILABLE_FOR_PICKUP"
	DeliveryAbnormal Status = "EXCEPTION" // lost, damaged, sent back
)

// MaxSteps is how many events of one parcel are looked at; the latest count.
const MaxSteps = 200

// skew is how far a carrier's clock may run ahead.
const skew = 10 * time.Minute

// Read makes a report of a carrier's events, in whatever order they come.
// Events that lie in the future are left out: they are plans or mistakes.
func Read(steps []Step, now time.Time) Report {
	past := slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.At.After(now.Add(skew)) })
	slices.SortStableFunc(past, func(a, b Step) int { return a.At.Compare(b.At) })
	past = past[max(0, len(past)-MaxSteps):]
	r := Report{Steps: past}
	for _, s := range past {
		r.Seen = r.Seen || s.Status.known()
	}
	if last := len(past) - 1; last >= 0 && past[last].Status == Delivered {
		r.DeliveredAt = earlier(past[last].At, now)
	}
	return r
}

// known reports whether the status is one of the words of this package and says
// anything about the parcel.
func (s Status) known() bool {
	switch s {
	case Informed, AtPickup, InTransit, OutForDelivery, AttemptFailed, Delivered, AwaitingPickup, DeliveryAbnormal:
		return true
	default:
		return false
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
