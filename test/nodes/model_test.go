package nodes_test

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// The model is the rules of one payment as a shop and a buyer may rely on them,
// written from the table of transitions and not from the program: the first
// durable decision wins, the same one again is a success that changes nothing,
// the opposite is refused naming the earlier, and what is given back never comes
// to more than the amount.

// phase is where a payment stands.
type phase string

const (
	awaiting  phase = "awaiting"
	closed    phase = "closed"
	expired   phase = "expired"
	held      phase = "held"
	shipped   phase = "shipped"
	confirmed phase = "confirmed"
	rejected  phase = "rejected"
	cancelled phase = "cancelled"
)

// life is the whole state of a payment in the model.
type life struct {
	phase    phase
	verdict  string // of the buyer or of time: confirm, reject, or none
	refunded int
}

// verb is what somebody does to a payment.
type verb string

const (
	deposit verb = "deposit"
	closing verb = "close the account"
	ship    verb = "ship"
	confirm verb = "confirm"
	reject  verb = "reject"
	cancel  verb = "cancel"
	refund  verb = "refund"
	look    verb = "look"
	// tick is time that comes to the end of every deadline.
	tick verb = "time"
)

// act is the input of an operation.
type act struct {
	Verb    verb
	Payment string
	Won     int // of a refund
}

// result is what the caller was told.
type result struct {
	Unknown bool // nobody knows whether it was done
	Silent  bool // there was not even an answer that says so
	Done    bool // for a deposit, that it is held; for time, that it confirmed
	Names   string
	// Shown is the payment in the answer, for acts whose answer shows it.
	Shown *life
}

// rule is what the table says of an act: the state that follows, whether it is
// done, and which decision a refusal names.
func (l life) rule(a act) (next life, done bool, names string) {
	next = l
	switch a.Verb {
	case deposit:
		if done = l.phase == awaiting; done {
			next.phase = held
		}
	case closing:
		if done = l.phase == awaiting; done {
			next.phase = closed
		}
	case ship:
		if done = l.phase == held; done {
			next.phase = shipped
		}
	case confirm, reject:
		return l.decide(string(a.Verb))
	case cancel:
		return l.giveBack(price - l.refunded)
	case refund:
		return l.giveBack(a.Won)
	case tick:
		switch l.phase {
		case awaiting:
			next.phase = expired
		case shipped:
			next.phase, next.verdict, done = confirmed, string(confirm), true
		default: // time has nothing to do
		}
	case look:
		done = true
	}
	return next, done, ""
}

func (l life) decide(verdict string) (life, bool, string) {
	switch {
	case l.verdict == verdict:
		return l, true, ""
	case l.verdict != "":
		return l, false, l.verdict
	case l.phase != shipped:
		return l, false, ""
	}
	l.verdict, l.phase = verdict, confirmed
	if verdict == string(reject) {
		l.phase = rejected
	}
	return l, true, ""
}

// giveBack is a cancel of so many won. The shop's policy forbids a cancel after
// shipping unless the buyer rejects, and money that is held does not divide.
func (l life) giveBack(won int) (life, bool, string) {
	whole := won == price
	switch {
	case won == 0 || won > price-l.refunded:
		return l, false, ""
	case l.phase == confirmed:
		l.refunded += won
	case whole && (l.phase == held || l.phase == rejected):
		l.phase, l.refunded = cancelled, price
	default:
		return l, false, ""
	}
	return l, true, ""
}

// model lets porcupine judge histories, each payment by itself.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		index := map[string]int{}
		for _, o := range history {
			id := o.Input.(act).Payment
			n, known := index[id]
			if !known {
				n = len(parts)
				index[id] = n
				parts = append(parts, nil)
			}
			parts[n] = append(parts[n], o)
		}
		return parts
	},
	Init: func() any { return life{phase: awaiting} },
	Step: func(state, input, output any) (bool, any) {
		next, done, names := state.(life).rule(input.(act))
		got := output.(result)
		if got.Unknown {
			return true, next
		}
		return got.Done == done && got.Names == names && (got.Shown == nil || !done || *got.Shown == next), next
	},
	DescribeOperation: func(input, output any) string {
		a, r := input.(act), output.(result)
		said := "refused"
		switch {
		case r.Unknown:
			said = "no answer"
		case r.Done:
			said = "done"
		case r.Names != "":
			said = "refused: it is decided: " + r.Names
		}
		if r.Shown != nil {
			said += fmt.Sprintf(" %+v", *r.Shown)
		}
		if a.Won > 0 {
			return fmt.Sprintf("%s %d: %s", a.Verb, a.Won, said)
		}
		return fmt.Sprintf("%s: %s", a.Verb, said)
	},
	DescribeState: func(state any) string { return fmt.Sprintf("%+v", state) },
}
