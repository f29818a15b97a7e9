// Package fault holds the bugs that the fault tests must find.
//
// A harness that breaks the program proves something only if it fails when the
// program is wrong. Each harness therefore names a bug that it must catch, and
// the place of the bug asks Planted. In a program built as usual the answer is a
// constant no, and the compiler leaves nothing of the bug. Built with
//
//	go build -tags planted -ldflags '-X github.com/holdfast-pay/holdfast/internal/fault.bug=NAME'
//
// the program has the one bug of that name.
package fault

// Bug names a planted bug.
type Bug string

// The bugs, each with the harness that must find it.
const (
	// DecideRemembered: a node decides on the payment as it saw it last and not on
	// the locked row (test/nodes, races).
	DecideRemembered Bug = "decide-remembered"
	// RepeatLostCommit: a commit whose answer is lost counts as one that failed, and
	// its work is done again (test/nodes, connections to the database).
	RepeatLostCommit Bug = "repeat-lost-commit"
	// NoFence: what a node brings of an attempt is kept although another node has
	// taken the work since (test/nodes, frozen node).
	NoFence Bug = "no-fence"
	// OrderIgnored: calls to an endpoint that wants the steps of a payment in order are
	// made as they are due (test/nodes, endpoints).
	OrderIgnored Bug = "order-ignored"
	// AnswerFirst: the writer answers before it commits (test/kill).
	AnswerFirst Bug = "answer-first"
	// ActUnmarked: what a request with an idempotency key does is not marked in its own
	// transaction (test/kill).
	ActUnmarked Bug = "act-unmarked"
	// NewBankKey: an order that is asked for again gets another key at the bank
	// (test/kill, test/sim).
	NewBankKey Bug = "new-bank-key"
	// LazySync: SQLite runs with synchronous=NORMAL, which leaves the flush of the
	// log to later (test/disk, power cut).
	LazySync Bug = "lazy-sync"
	// IgnoreFailedCommit: a commit that the disk refused counts as done (test/disk,
	// disk full).
	IgnoreFailedCommit Bug = "ignore-failed-commit"
	// IgnoreStandby: the server's warning that it gave up waiting for the standby
	// is no matter (test/failover).
	IgnoreStandby Bug = "ignore-standby"
	// DepositTwice: the second notice of one deposit counts as another (test/sim).
	DepositTwice Bug = "deposit-twice"
	// DayShort: the buyer's time is a business day too short (test/sim).
	DayShort Bug = "day-short"
	// BounceIgnored: a letter that came back counts as read (test/sim).
	BounceIgnored Bug = "bounce-ignored"
	// WebhookForgotten: a call that a process has taken and not made is made by
	// nobody (test/sim).
	WebhookForgotten Bug = "webhook-forgotten"
	// NoticeForgotten: a notice of the bank is forgotten before it is booked (test/sim).
	NoticeForgotten Bug = "notice-forgotten"
	// RecountLost: time confirms by the calendar that was in force when the deadline
	// was counted (test/sim).
	RecountLost Bug = "recount-lost"
	// WonTooMany: a transfer is written with one won more than was decided; its hash
	// is right (internal/work, the audit of the books).
	WonTooMany Bug = "won-too-many"
)
