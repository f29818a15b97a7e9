package letter

import (
	"slices"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// body is what a letter says before its notice, its buttons and its tables.
func (c *composer) body() []string {
	w := c.w
	switch c.kind {
	case escrow.MailAccountIssued:
		return c.all(w.PayIn, w.PayExactly, c.ifEscrow(w.HeldOnceIn))
	case escrow.MailDepositDueSoon:
		return c.all(w.DueSoon, w.PayExactly)
	case escrow.MailAccountExpired:
		return c.all(w.Expired, w.DoNotPay)
	case escrow.MailPaid:
		return c.paid()
	case escrow.MailDepositMismatched:
		return c.mismatched()
	case escrow.MailShipped:
		return c.all(w.Shipped, w.DecideOnceIn)
	case escrow.MailDeliveryChanged:
		return c.all(w.DeliveryChanged, w.DecideOnceIn)
	case escrow.MailDelivered:
		return c.all(w.Delivered)
	case escrow.MailReminder:
		return c.all(w.Reminder)
	case escrow.MailNewLastDay:
		return c.all(w.NewLastDay)
	case escrow.MailLink:
		if c.decidable() {
			return c.all(w.NewLink)
		}
		return c.all(w.NewLink, w.NewLinkLook)
	case escrow.MailConfirmed:
		return c.confirmed()
	case escrow.MailAutoConfirmed:
		return c.all(w.AutoConfirmed, w.PaidToShop, c.ifLink(w.WithdrawWithin))
	case escrow.MailRejected:
		return c.all(w.Rejected, w.RejectedReason, w.RejectedHeld, c.ifLink(w.RejectedWithdraw))
	case escrow.MailRejectionAccepted:
		return c.accepted()
	case escrow.MailDisputed:
		return c.all(w.Disputed, w.DisputedReason, w.DisputedHeld, w.DisputedNext)
	case escrow.MailCancelled:
		return c.cancelled()
	case escrow.MailRefundAccount:
		return c.all(w.AccountNeeded, c.ifLink(w.AccountByLink), c.unlessLink(w.AccountByShop))
	case escrow.MailRefundSent:
		return c.refunded()
	case escrow.MailRefundFailed:
		return c.all(w.RefundFailed, w.RefundFailedWhy, c.ifLink(w.AccountByLink), c.unlessLink(w.AccountByShop))
	case escrow.MailHold:
		return c.all(w.Held, w.HeldReason, w.HeldClock)
	case escrow.MailHoldReleased:
		return c.released()
	}
	return nil
}

// released tells that a hold is gone. After the confirmation it was the buyer's
// own withdrawal that held the money back, and this is its answer.
func (c *composer) released() []string {
	w := c.w
	switch {
	case c.decidable():
		return c.all(w.Released, w.ReleasedLastDay)
	case c.p.State == escrow.Confirmed:
		return c.all(w.WithdrawalOver, w.PaidToShop, w.WithdrawalObject)
	}
	return c.all(w.Released)
}

func (c *composer) ifEscrow(text string) string {
	if c.p.Escrow {
		return text
	}
	return ""
}

func (c *composer) ifLink(text string) string {
	if c.v.DecisionURL != "" {
		return text
	}
	return ""
}

func (c *composer) unlessLink(text string) string {
	if c.v.DecisionURL == "" {
		return text
	}
	return ""
}

func (c *composer) paid() []string {
	if !c.p.Escrow {
		return c.all(c.w.PaidOrdinary)
	}
	return c.all(c.w.PaidEscrow, c.w.PaidHeld, c.w.PaidShipsSoon)
}

// mismatched tells what became of a deposit that does not fit: refused at the
// bank, kept apart, or too much of a good one.
func (c *composer) mismatched() []string {
	w := c.w
	d := c.lastDeposit()
	if d == nil {
		return nil
	}
	switch d.Outcome {
	case escrow.DepositHeld:
		return c.all(w.DepositOwn, w.DepositRest)
	case escrow.DepositSuspended, escrow.DepositReturned:
		return c.all(w.DepositSuspended, w.DepositReturns)
	case escrow.DepositRefused, escrow.DepositQuarantined:
	}
	return c.all(w.DepositRefused)
}

// lastDeposit is the newest movement that the bank reported, without those
// notices that contradict one; nil if there is none.
func (c *composer) lastDeposit() *escrow.Deposit {
	for i := range slices.Backward(c.p.Deposits) {
		if d := &c.p.Deposits[i]; d.Outcome != escrow.DepositQuarantined {
			return d
		}
	}
	return nil
}

func (c *composer) confirmed() []string {
	w := c.w
	kind := escrow.ByBuyer
	if c.p.Decided != nil {
		kind = c.p.Decided.Kind
	}
	switch kind {
	case escrow.ByShop:
		return c.all(w.ConfirmedByShop, w.ConfirmedObject, w.PaidToShop)
	case escrow.Forced:
		return c.all(w.ConfirmedForced, w.ConfirmedWhy, w.ConfirmedObject, w.PaidToShop)
	case escrow.ByBuyer, escrow.ByTime:
	}
	return c.all(w.ConfirmedByBuyer, w.PaidToShop)
}

func (c *composer) accepted() []string {
	w := c.w
	if c.p.Return == escrow.ReturnWaived {
		return c.all(w.Accepted, w.AcceptedWaived)
	}
	return c.all(w.Accepted, w.AcceptedReturn, w.AcceptedCosts, w.AcceptedRefund)
}

// reversed reports whether the bank ended the payment by taking the money back,
// so that nothing is left to refund.
func (c *composer) reversed() bool { return c.p.State == escrow.Cancelled && c.p.Refunded == 0 }

func (c *composer) cancelled() []string {
	w := c.w
	if c.reversed() {
		return c.all(w.CancelledByBank, w.CancelledTaken)
	}
	said := c.all(w.CancelledWhole)
	if c.p.Refunded < c.p.Amount {
		said = c.all(w.CancelledPart)
	}
	said = append(said, c.all(w.CancelledReason)...)
	r := c.refund()
	switch {
	case r == nil:
		return said
	case c.p.Method == escrow.Card:
		return append(said, w.RefundByCard)
	case r.State == escrow.RefundAccountNeeded:
		return append(said, w.RefundAsksAccount)
	}
	return append(said, w.RefundToAccount)
}

func (c *composer) refunded() []string {
	if c.p.Method == escrow.Card {
		return c.all(c.w.RefundSentCard)
	}
	return c.all(c.w.RefundSent, c.w.RefundSentSlow)
}
