// Package simcarrier is the carrier of the sandbox. Parcels that nobody directs
// are taken over [SeenAfter] and delivered [DeliveredAfter] the first question
// about them; a script can give a tracking number any other fate.
//
// # What is always true
//
//   - Time is the merchant's clock, handed in with every question. The carrier
//     has no clock of its own, so that a moved clock moves its parcels.
//   - The same questions at the same instants have the same answers. Everything
//     it knows is in its [Records]; a restart forgets nothing.
//   - A parcel belongs to a merchant and a tracking number. A number that is
//     registered again after a change begins where it was.
//   - Carriers that do not follow parcels show no event, as in life.
package simcarrier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
)

// The usual way of a parcel, counted from the first question about it.
const (
	SeenAfter      = 3 * time.Hour
	sortedAfter    = 9 * time.Hour
	outAfter       = 22 * time.Hour
	DeliveredAfter = 26 * time.Hour
)

// maxNumber is the length of the longest tracking number, in bytes.
const maxNumber = 64

// ErrUnreachable says that the carrier cannot be asked just now.
var ErrUnreachable = errors.New("the carrier cannot be reached")

// Records is the memory of the simulated carrier: documents by merchant, kind
// and key. Every change is durable when the call returns.
type Records interface {
	// Get returns the document, and false if there is none.
	Get(ctx context.Context, merchant, kind, key string) (doc []byte, ok bool, err error)
	// Add keeps a document under a key that has none and reports whether it did.
	Add(ctx context.Context, merchant, kind, key string, doc []byte) (added bool, err error)
	// Put keeps a document in place of what was there.
	Put(ctx context.Context, merchant, kind, key string, doc []byte) error
	// List returns all documents of a kind by key.
	List(ctx context.Context, merchant, kind string) (map[string][]byte, error)
}

// The kinds of documents, both by tracking number. A question and a script never
// write the same document, so neither can undo the other.
const (
	kindAsked  = "carrier.asked"
	kindScript = "carrier.script"
)

// asked is the first question about a parcel.
type asked struct {
	Carrier string
	At      time.Time
}

// Carrier is the simulated carrier. It implements [carrier.Simulator] and is
// safe for concurrent use.
type Carrier struct{ records Records }

var _ carrier.Simulator = (*Carrier)(nil)

// New returns the carrier that remembers in records.
func New(records Records) *Carrier { return &Carrier{records: records} }

// Track implements [carrier.Tracker].
func (c *Carrier) Track(ctx context.Context, merchant, code, number string, now time.Time) (carrier.Report, error) {
	if !krcarrier.Trackable(code) {
		return carrier.Report{}, nil
	}
	key, err := parcelKey(number)
	if err != nil {
		return carrier.Report{}, err
	}
	script := carrier.Script{Fate: carrier.Usual}
	if _, err := c.load(ctx, merchant, kindScript, key, &script); err != nil {
		return carrier.Report{}, err
	}
	if script.Fate == carrier.Down {
		return carrier.Report{}, ErrUnreachable
	}
	first, err := c.firstAsked(ctx, merchant, key, asked{Carrier: code, At: now.UTC()})
	if err != nil {
		return carrier.Report{}, err
	}
	plan := steps(script, first.At)
	report := carrier.Read(slices.DeleteFunc(slices.Clone(plan), func(s carrier.Step) bool { return s.At.After(now) }), now)
	report.NextAt = next(plan, now)
	return report, nil
}

// next is when the plan goes on after now; zero when nothing more will happen.
func next(plan []carrier.Step, now time.Time) time.Time {
	for _, s := range plan {
		if s.At.After(now) {
			return s.At
		}
	}
	return time.Time{}
}

// steps is all that will ever happen to a parcel, in order.
func steps(s carrier.Script, first time.Time) []carrier.Step {
	switch s.Fate {
	case carrier.NeverSeen:
		return nil
	case carrier.Lost:
		return []carrier.Step{pickedUp(first), sorted(first.Add(sortedAfter))}
	case carrier.DeliverAt:
		return []carrier.Step{pickedUp(before(first, s.At)), delivered(s.At)}
	case carrier.LeftInShop:
		return []carrier.Step{pickedUp(before(first, s.At)), {At: s.At, Status: carrier.AwaitingPickup, Place: "편의점", Note: "편의점에 보관 중입니다."}}
	case carrier.SentBack:
		return []carrier.Step{pickedUp(before(first, s.At)), {At: s.At, Status: carrier.DeliveryAbnormal, Place: "배달 대리점", Note: "반송 처리되었습니다."}}
	default:
		return []carrier.Step{
			pickedUp(first.Add(SeenAfter)), sorted(first.Add(sortedAfter)),
			{At: first.Add(outAfter), Status: carrier.OutForDelivery, Place: "배달 대리점", Note: "배달을 출발했습니다."},
			delivered(first.Add(DeliveredAfter)),
		}
	}
}

// before is the instant at which a parcel that arrives at the end was taken over.
func before(first, end time.Time) time.Time {
	if latest := end.Add(-time.Hour); latest.Before(first) {
		return latest
	}
	return first
}

func pickedUp(at time.Time) carrier.Step {
	return carrier.Step{At: at, Status: carrier.AtPickup, Place: "집화 대리점", Note: "상품을 인수했습니다."}
}

func sorted(at time.Time) carrier.Step {
	return carrier.Step{At: at, Status: carrier.InTransit, Place: "허브 터미널", Note: "터미널에 도착했습니다."}
}

func delivered(at time.Time) carrier.Step {
	return carrier.Step{At: at, Status: carrier.Delivered, Place: "배송지", Note: "배달을 완료했습니다."}
}

// firstAsked keeps the question if it is the first about the parcel, and returns
// the first.
func (c *Carrier) firstAsked(ctx context.Context, merchant, key string, q asked) (asked, error) {
	var first asked
	if ok, err := c.load(ctx, merchant, kindAsked, key, &first); err != nil || ok {
		return first, err
	}
	doc, err := json.Marshal(q)
	if err != nil {
		return asked{}, fmt.Errorf("keep the question: %w", err)
	}
	added, err := c.records.Add(ctx, merchant, kindAsked, key, doc)
	if err != nil {
		return asked{}, fmt.Errorf("keep the question: %w", err)
	}
	if !added {
		_, err = c.load(ctx, merchant, kindAsked, key, &q)
	}
	return q, err
}

// Direct implements [carrier.Simulator].
func (c *Carrier) Direct(ctx context.Context, merchant, number string, s carrier.Script) error {
	key, err := parcelKey(number)
	if err != nil {
		return err
	}
	if err := check(s); err != nil {
		return err
	}
	s.At = s.At.UTC()
	doc, err := json.Marshal(s)
	if err == nil {
		err = c.records.Put(ctx, merchant, kindScript, key, doc)
	}
	if err != nil {
		return fmt.Errorf("keep the script: %w", err)
	}
	return nil
}

func check(s carrier.Script) error {
	switch s.Fate {
	case carrier.Usual, carrier.NeverSeen, carrier.Lost, carrier.Down:
		if !s.At.IsZero() {
			return &carrier.Invalid{Field: "at", Reason: "has no meaning for this fate"}
		}
	case carrier.DeliverAt, carrier.LeftInShop, carrier.SentBack:
		if s.At.IsZero() {
			return &carrier.Invalid{Field: "at", Reason: "is required"}
		}
	default:
		return &carrier.Invalid{Field: "fate", Reason: "must be usual, deliver, never_seen, lost, pickup, returned or unreachable"}
	}
	return nil
}

// parcelKey is the tracking number as carriers compare them.
func parcelKey(number string) (string, error) {
	key := krcarrier.Compact(number)
	if key == "" || len(key) > maxNumber {
		return "", &carrier.Invalid{Field: "number", Reason: "must have 1 to 64 bytes"}
	}
	return key, nil
}

// Parcels implements [carrier.Simulator].
func (c *Carrier) Parcels(ctx context.Context, merchant string) ([]carrier.Parcel, error) {
	parcels := map[string]*carrier.Parcel{}
	get := func(number string) *carrier.Parcel {
		if parcels[number] == nil {
			parcels[number] = &carrier.Parcel{Number: number, Script: carrier.Script{Fate: carrier.Usual}}
		}
		return parcels[number]
	}
	err := c.each(ctx, merchant, kindScript, func(number string, doc []byte) error {
		return json.Unmarshal(doc, &get(number).Script)
	})
	if err != nil {
		return nil, err
	}
	err = c.each(ctx, merchant, kindAsked, func(number string, doc []byte) error {
		var q asked
		err := json.Unmarshal(doc, &q)
		get(number).Carrier, get(number).AskedAt = q.Carrier, q.At
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]carrier.Parcel, 0, len(parcels))
	for _, p := range parcels {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b carrier.Parcel) int { return strings.Compare(a.Number, b.Number) })
	return out, nil
}

func (c *Carrier) each(ctx context.Context, merchant, kind string, see func(key string, doc []byte) error) error {
	docs, err := c.records.List(ctx, merchant, kind)
	if err != nil {
		return fmt.Errorf("list %s: %w", kind, err)
	}
	for key, doc := range docs {
		if err := see(key, doc); err != nil {
			return fmt.Errorf("read %s %s: %w", kind, key, err)
		}
	}
	return nil
}

func (c *Carrier) load(ctx context.Context, merchant, kind, key string, v any) (bool, error) {
	doc, ok, err := c.records.Get(ctx, merchant, kind, key)
	if err == nil && ok {
		err = json.Unmarshal(doc, v)
	}
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	return ok, nil
}
