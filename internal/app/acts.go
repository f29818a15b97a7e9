package app

import (
	"context"
	"errors"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Act says in whose name a person changes a payment, for the audit log.
type Act struct {
	Who string       // the person, or the credential that stands for one
	As  escrow.Actor // Shop or Operator
	// Version is that of the payment which the person saw; 0 does not ask. It
	// makes a form that is sent twice act once.
	Version int64
	Detail  string // what the audit row says beside the verb
}

// Changed: the payment is no longer the one that the person saw.
const Changed escrow.Code = "changed"

// DoFor gives a command to a payment in the name of a person and writes who it
// was into the audit log, in one transaction. A command that changes nothing
// leaves no audit row.
func (a *App) DoFor(ctx context.Context, act Act, merchantID, paymentID string, cmd escrow.Command) (Result, error) {
	if err := a.acquaint(ctx, merchantID); err != nil {
		return Result{}, err
	}
	res, err := a.payment(ctx, actOn(cmd, paymentID), merchantID, paymentID, func(tx *store.Tx) (Result, error) {
		m, err := a.settings(tx, merchantID)
		if err != nil {
			return Result{}, err
		}
		before, err := tx.Payment(merchantID, paymentID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Result{}, err
		}
		if err == nil && act.Version != 0 && act.Version != before.Version {
			return Result{}, &escrow.Refusal{Code: Changed, Reason: "the payment has changed since it was shown; look at it again"}
		}
		res, err := a.decide(tx, &m, before, []step{{act.As, cmd}})
		if err != nil || res.Unchanged {
			return res, err
		}
		return res, a.audit(tx, merchantID, act.Who, "payment."+cmd.Verb(), paymentID, act.Detail)
	})
	if err != nil {
		return Result{}, err
	}
	a.after(&res)
	return res, nil
}
