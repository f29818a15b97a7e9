package console

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

// step is one event of a payment's life in words.
type step struct {
	Seq   int64
	At    time.Time
	Text  string
	More  string // the reason or evidence that somebody wrote
	Actor escrow.Actor
}

func stamp(at time.Time) string { return ui.Stamp(at) }

// step tells an event. A type that has no words here, because it is newer than
// this page, is named as it is.
func (v *visit) step(p *escrow.Payment, e escrow.Event) step {
	s := step{Seq: e.Seq, At: e.At, Actor: e.Actor, More: e.Reason}
	key, args := v.telling(p, e)
	if _, ok := words[key]; !ok {
		s.Text = string(e.Type)
		return s
	}
	s.Text = v.say(key, args...)
	return s
}

// telling is the key of an event's text with what goes into it.
func (v *visit) telling(p *escrow.Payment, e escrow.Event) (key string, args []any) {
	key = "event." + string(e.Type)
	won := ui.Won(v.lang, e.Amount)
	switch e.Type {
	case escrow.EventPaid:
		if p.Escrow {
			key += ".escrow"
		}
		return key, []any{won}
	case escrow.EventAccountIssued:
		return key, []any{ui.Instant(v.lang, e.Due)}
	case escrow.EventAccountAmended:
		return key, []any{won, ui.Instant(v.lang, e.Due)}
	case escrow.EventDepositMismatched:
		return key, []any{won, v.say("mismatch." + e.Kind)}
	case escrow.EventDepositReversed, escrow.EventSuspenseReturned, escrow.EventCancelled, escrow.EventPartlyRefunded,
		escrow.EventRefundOrdered, escrow.EventRefundAccountAsked, escrow.EventRefundSent, escrow.EventRefundFailed, escrow.EventDisputeDecided:
		return key, []any{won}
	case escrow.EventDeliveryRegistered, escrow.EventDeliveryChanged, escrow.EventInTransit:
		return key, []any{krcarrier.Name(e.Kind, v.english()), dash(e.Ref)}
	case escrow.EventDelivered:
		return key, []any{ui.Instant(v.lang, e.Due)}
	case escrow.EventDecisionDue:
		return key, []any{ui.Day(v.lang, e.LastDay)}
	case escrow.EventReminded, escrow.EventConfirmed:
		return key + "." + e.Kind, nil
	case escrow.EventRejectionAccepted:
		return key, nil
	case escrow.EventTaskResolved:
		return key, []any{v.say("task." + e.Kind)}
	default:
		return key, nil
	}
}

func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
