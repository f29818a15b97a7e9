package merchant

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// Format is how a shop's endpoint is told of things.
type Format string

// The formats: PortOne V1's bodies, and PortOne V2's in both of its versions.
// Those of V2 are signed.
const (
	V1JSON    Format = "v1"
	V1Form    Format = "v1-form"
	V2Old     Format = "2024-01-01"
	V2OldForm Format = "2024-01-01-form"
	V2        Format = "2024-04-25"
)

// Formats are all formats.
func Formats() []Format { return []Format{V1JSON, V1Form, V2Old, V2OldForm, V2} }

// IsV1 reports whether the bodies are PortOne V1's.
func (f Format) IsV1() bool { return f == V1JSON || f == V1Form }

// IsOld reports whether the bodies are those of PortOne V2's older version, which has
// no words for what is the escrow's own.
func (f Format) IsOld() bool { return f == V2Old || f == V2OldForm }

// IsForm reports whether the bodies are forms, and not JSON.
func (f Format) IsForm() bool { return f == V1Form || f == V2OldForm }

// ContentType is what a body of the format is announced as.
func (f Format) ContentType() string {
	if f.IsForm() {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// MainV1 is the id of the endpoint that the setting [Webhook] stands for.
const MainV1 = "v1"

// noneV2 stands for the endpoint of V2 that a shop does not have.
const noneV2 = "v2"

// IsFixed reports whether an id is one of those that every shop has.
func IsFixed(id string) bool { return id == MainV1 || id == noneV2 }

// noticed follows the id of an endpoint in the name of the calls that a payment
// sends elsewhere by notice URLs of its own. They are made as those to the
// endpoint are, and are no measure of its health.
const noticed = "+notice"

// Noticed is the name of an endpoint's calls to notice URLs.
func Noticed(endpoint string) string { return endpoint + noticed }

// Lane splits the name of calls into the endpoint and whether they go to notice URLs.
func Lane(name string) (endpoint string, notice bool) { return strings.CutSuffix(name, noticed) }

const (
	// MaxEndpoints bounds a merchant's endpoints.
	MaxEndpoints = 100
	// maxPauses bounds the repetitions of one call.
	maxPauses = 10
	// maxPause bounds the time between two of them.
	maxPause = 48 * time.Hour
	// MaxSecrets is how many secrets of an endpoint are live at a time.
	MaxSecrets = 2
	// maxNote bounds the shop's own words about an endpoint, in characters.
	maxNote = 200
	// maxPatterns bounds the list of events of an endpoint.
	maxPatterns = 60
	// OffAfterDays is after how many days without one success an endpoint is
	// switched off, unless it says otherwise.
	OffAfterDays = 5
	// maxOffAfterDays is the longest that it may say.
	maxOffAfterDays = 60
)

// PortOnePauses is PortOne V2's schedule of repetitions (contract section 5).
func PortOnePauses() []time.Duration {
	return []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute, 64 * time.Minute, 256 * time.Minute}
}

// v1Pause is the pause between two calls about one event (contract section 1.8).
const v1Pause = time.Minute

// Secret is one live signing secret of an endpoint, sealed: only the server can
// read it.
type Secret struct {
	Sealed    string
	CreatedAt time.Time // the machine's clock
}

// Off says that an endpoint is switched off.
type Off struct {
	Why   string // OffByShop, OffGone or OffFailing
	Since time.Time
}

// Why an endpoint is off.
const (
	OffByShop  = "shop"    // the shop switched it off
	OffGone    = "gone"    // it answered 410
	OffFailing = "failing" // it has taken nothing for days
)

// Endpoint is a place where a shop is told of things. It is kept with the
// merchant's settings, because a decision must know it in its own transaction.
type Endpoint struct {
	ID     string
	URL    string
	Format Format
	// Events are the names of what is told; a name that ends in ".*" means all that
	// begin so. Empty means PortOne's own of the format.
	Events []string
	// Ordered tells of a payment's steps strictly one after the other: the next is
	// told once the one before has been taken or given up.
	Ordered bool
	// Pauses are the times between repetitions of a call; nil is the format's default.
	Pauses []time.Duration
	// OffAfter is after how many days without a success the endpoint is switched
	// off; 0 means OffAfterDays.
	OffAfter int
	Note     string
	// Secrets sign calls in the formats of V2, the newest first.
	Secrets   []Secret
	Off       *Off
	CreatedAt time.Time
}

// Main is the endpoint that the setting [Webhook] stands for; its URL is empty
// for a shop that has none.
func (m *Merchant) Main() Endpoint {
	e := Endpoint{ID: MainV1, URL: m.Webhook.URL, Format: V1JSON, Pauses: slices.Repeat([]time.Duration{v1Pause}, m.Webhook.Retries), CreatedAt: m.CreatedAt}
	if m.Webhook.Form {
		e.Format = V1Form
	}
	if m.Webhook.EscrowEvents {
		e.Events = []string{TellStatus, TellEscrow}
	}
	return e
}

// Endpoint finds an endpoint by its id. That of the setting always exists.
func (m *Merchant) Endpoint(id string) (Endpoint, bool) {
	switch id {
	case MainV1:
		return m.Main(), true
	case noneV2:
		return unsignedV2(), true
	}
	i := slices.IndexFunc(m.Endpoints, func(e Endpoint) bool { return e.ID == id })
	if i < 0 {
		return Endpoint{}, false
	}
	return m.Endpoints[i], true
}

// Kept reports whether an endpoint is one of those that a shop has made, which are
// watched over and switched off when they fail.
func (m *Merchant) Kept(id string) bool {
	return slices.ContainsFunc(m.Endpoints, func(e Endpoint) bool { return e.ID == id })
}

// MainV2 is the endpoint whose format, secrets and schedule the notice URLs of a
// V2 payment use: the oldest of V2 that is on. A shop that has none is called in
// the newest format, unsigned.
func (m *Merchant) MainV2() Endpoint {
	i := slices.IndexFunc(m.Endpoints, func(e Endpoint) bool { return !e.Format.IsV1() && e.Off == nil })
	if i < 0 {
		return unsignedV2()
	}
	return m.Endpoints[i]
}

func unsignedV2() Endpoint { return Endpoint{ID: noneV2, Format: V2} }

// Schedule are the pauses between repetitions.
func (e *Endpoint) Schedule() []time.Duration {
	switch {
	case e.Pauses != nil || e.Format.IsV1():
		return e.Pauses
	}
	return PortOnePauses()
}

// Tries is how often a call is made at most.
func (e *Endpoint) Tries() int { return 1 + len(e.Schedule()) }

// jitterShare is the largest part of a pause by which it may be longer.
const jitterShare = 5

// Pause is the time from a failed try to the next, of which left remain. The part
// that is left to chance follows from the id of the call, so that calls that
// failed together do not come together, and a repeated history is the same.
func (e *Endpoint) Pause(call string, left int) time.Duration {
	s := e.Schedule()
	if len(s) == 0 {
		return v1Pause
	}
	pause := s[min(max(0, len(s)-left), len(s)-1)]
	if e.Format.IsV1() {
		return pause
	}
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %d", call, left) // a hash takes everything
	return pause + pause/jitterShare*time.Duration(h.Sum32()%1000)/1000
}

// Days is after how many days without a success the endpoint is switched off.
func (e *Endpoint) Days() int {
	if e.OffAfter == 0 {
		return OffAfterDays
	}
	return e.OffAfter
}

// Wants reports whether the endpoint is told of things of a name.
func (e *Endpoint) Wants(name string) bool {
	portOne := strings.HasPrefix(name, portOnes)
	switch {
	case isV1(name) != e.Format.IsV1(), e.Format.IsOld() && !portOne:
		return false
	case len(e.Events) == 0:
		return name == TellStatus || portOne
	}
	return slices.ContainsFunc(e.Events, func(p string) bool { return fits(p, name) })
}

func fits(pattern, name string) bool {
	begin, all := strings.CutSuffix(pattern, "*")
	return pattern == name || all && strings.HasPrefix(name, begin)
}

// checkEndpoint refuses an endpoint that could not be worked with.
func (m *Merchant) checkEndpoint(e *Endpoint) error {
	no := func(field, format string, args ...any) error {
		return &escrow.Refusal{Code: escrow.Invalid, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if err := m.CheckURL(e.URL); err != nil {
		return no("url", "%v", err)
	}
	if !slices.Contains(Formats(), e.Format) {
		return no("format", "must be one of %v", Formats())
	}
	if len(e.Events) > maxPatterns {
		return no("events", "at most %d names", maxPatterns)
	}
	for _, p := range e.Events {
		if !slices.ContainsFunc(TellNames(), func(name string) bool { return fits(p, name) && e.Format.IsV1() == isV1(name) }) {
			return no("events", "%q names nothing that this format tells of", p)
		}
	}
	if len(e.Pauses) > maxPauses {
		return no("retrySchedule", "at most %d pauses", maxPauses)
	}
	for _, p := range e.Pauses {
		if p < time.Second || p > maxPause {
			return no("retrySchedule", "a pause is between a second and %d hours", int(maxPause.Hours()))
		}
	}
	if e.OffAfter < 0 || e.OffAfter > maxOffAfterDays {
		return no("disableAfterDays", "must be between 1 and %d", maxOffAfterDays)
	}
	if len([]rune(e.Note)) > maxNote {
		return no("description", "at most %d characters", maxNote)
	}
	return nil
}

func (m *Merchant) checkEndpoints() error {
	if len(m.Endpoints) > MaxEndpoints {
		return &escrow.Refusal{Code: escrow.Invalid, Field: "endpoints", Reason: fmt.Sprintf("a shop has at most %d endpoints", MaxEndpoints)}
	}
	for i := range m.Endpoints {
		if err := m.checkEndpoint(&m.Endpoints[i]); err != nil {
			return err
		}
	}
	return nil
}
