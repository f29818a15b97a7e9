package sandbox

import (
	"context"
	"net"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// The acts of a buyer on the mailed page.
const (
	actConfirm           = "confirm"
	actReject            = "reject"
	actWithdrawRejection = "withdraw_rejection"
	actAskCancel         = "ask_cancel"
	actAskWithdrawal     = "ask_withdrawal"
	actRefundAccount     = "refund_account"
)

// reasonMax bounds a reason that a person gives, in characters.
const reasonMax = 1000

// decide acts as the buyer would on the mailed page.
func (s *server) decide(ctx context.Context, c *call) (any, error) {
	cmd := takeDecision(c)
	p, err := s.payment(ctx, c)
	if err != nil {
		return nil, err
	}
	res, err := s.app.Do(ctx, escrow.Buyer, c.m.ID, p.ID, cmd)
	if err != nil {
		return nil, err
	}
	return s.life(ctx, &res.Payment)
}

func takeDecision(c *call) escrow.Command {
	c.f.Require("decision")
	reason, account := c.f.Lines("reason", reasonMax), wirev1.TakeRefundAccount(c.f)
	address, _, _ := net.SplitHostPort(c.r.RemoteAddr)
	switch c.f.OneOf("decision", actConfirm, actReject, actWithdrawRejection, actAskCancel, actAskWithdrawal, actRefundAccount) {
	case actReject:
		return escrow.Reject{Reason: reason, Account: account, Address: address}
	case actWithdrawRejection:
		return escrow.WithdrawRejection{}
	case actAskCancel:
		return escrow.AskCancel{Reason: reason, Account: account}
	case actAskWithdrawal:
		return escrow.AskWithdrawal{Reason: reason}
	case actRefundAccount:
		c.f.Require("refund_bank", "refund_account", "refund_holder")
		return escrow.GiveRefundAccount{Account: account}
	default:
		return escrow.Confirm{Kind: escrow.ByBuyer, Address: address}
	}
}
