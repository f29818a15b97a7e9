package bank

import (
	"context"
	"time"

	"github.com/holdfast-pay/holdfast/internal/money"
)

// Simulator is a bank that a shop's developers can move by hand. It belongs to
// the sandbox: every call names the merchant and touches nothing of another.
type Simulator interface {
	Bank

	// Misbehave makes orders of the merchant go wrong from now on. Behaviours are
	// used in the order of their coming; a sticky one stays until it is cleared.
	// At most MaxBehaviours may wait.
	Misbehave(ctx context.Context, merchant string, b Behaviour) error
	// Behaviours lists what waits to be used.
	Behaviours(ctx context.Context, merchant string) ([]Behaviour, error)
	// ClearBehaviours makes the bank behave again. Orders already gone wrong stay so.
	ClearBehaviours(ctx context.Context, merchant string) error
	// Release ends the silence about one order, or about all if key is empty.
	// It returns how many orders it released, and ErrNoOrder for an unknown key.
	Release(ctx context.Context, merchant, key string) (int, error)
	// Return brings the money of one paid order back, or of every order that met
	// ComeBack if key is empty, and leaves a notice of each. It returns how many
	// came back now; ErrNoOrder for an unknown key.
	Return(ctx context.Context, merchant, key string) (int, error)
	// Orders lists what the merchant ordered, in the order of arrival.
	Orders(ctx context.Context, merchant string) ([]Execution, error)
	// PendingNotices returns what the bank has to tell by itself, the oldest first.
	// It is told again until it is heard.
	PendingNotices(ctx context.Context, merchant string) ([]Notice, error)
	// NoticesHeard says that notices need not be told any more.
	NoticesHeard(ctx context.Context, merchant string, heard []Notice) error

	// Deposits makes the bank's notices of one buyer's paying. They are data;
	// bringing them to the core is the caller's work.
	Deposits(ctx context.Context, plan DepositPlan) ([]Deposit, error)
	// Reverse makes the notice by which the bank takes a deposit back. It returns
	// ErrNoDeposit for a deposit that it never reported to the merchant.
	Reverse(ctx context.Context, merchant, bankTx string) (Deposit, error)
}

// MaxBehaviours is how many behaviours may wait for one merchant.
const MaxBehaviours = 100

// Way is how an order goes wrong.
type Way string

// The ways of going wrong.
const (
	// Refuse: the bank answers Failed with the reason; no money goes.
	Refuse Way = "refuse"
	// Late: the money goes, the answer is Unknown, and so are the answers to the
	// first After inquiries, or to all of them until Release.
	Late Way = "late"
	// Twice: the money goes once, and its notice comes a second time.
	Twice Way = "twice"
	// Silent: no answer is to be had until Release. With a reason, the bank had
	// refused the order in its silence; without one, the money has gone.
	Silent Way = "silent"
	// ComeBack: the money goes and comes back with the reason when Return is called.
	ComeBack Way = "return"
)

// Behaviour is one piece of scripted misbehaviour.
type Behaviour struct {
	Way    Way
	For    Kind   // which orders; empty for all
	Reason string // the bank's text; a usual one if empty
	After  int    // of Late: inquiries that are still answered Unknown; 0 waits for Release
	Sticky bool   // used again and again instead of once
}

// Execution is an order as the simulated bank keeps it.
type Execution struct {
	Order  Order
	Result Result // the truth, whatever the bank has answered
	// Paid says that the money left. It is true also after it came back.
	Paid bool
	// Way is the misbehaviour that the order met; empty for none.
	Way Way
	// Hidden says that the bank still answers Unknown.
	Hidden bool
	// Inquiries counts the questions that were answered Unknown.
	Inquiries int
	// Reason is the text with which a ComeBack order will come back.
	Reason string
	// After is how many inquiries a Late order leaves unanswered; 0 for all.
	After int
	// ArrivedAt is when the bank took the order, on the machine's clock.
	ArrivedAt time.Time
}

// Story is how a buyer pays into a virtual account.
type Story string

// The stories of a deposit.
const (
	Exact    Story = "exact"    // the amount, in time
	Over     Story = "over"     // 1,000 won too much
	Under    Story = "under"    // 1,000 won too little, or 1 won where the amount is smaller
	TooLate  Story = "late"     // the amount, after the due time
	PaidTwo  Story = "twice"    // the buyer pays the amount twice: two transactions
	Repeated Story = "repeated" // the bank reports one transaction twice
	TakeBack Story = "reversed" // the bank reports a deposit and takes it back
)

// DepositPlan says what a buyer does with a virtual account.
type DepositPlan struct {
	Story    Story
	Merchant string
	Bank     string
	Number   string
	// Amount is what is asked for, and paid in the story Exact.
	Amount money.Won
	// Due is when the account closes; only the story TooLate looks at it.
	Due time.Time
	// Now is the merchant's clock; deposits happen at it.
	Now time.Time
	// Payer is where the money comes from; the bank invents it if empty.
	Payer Account
}
