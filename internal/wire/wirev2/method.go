package wirev2

import "github.com/holdfast-pay/holdfast/internal/escrow"

// Types of a method, which on the wire are the names of their shapes.
const (
	MethodAccount  = "PaymentMethodVirtualAccount"
	MethodTransfer = "PaymentMethodTransfer"
	MethodCard     = "PaymentMethodCard"
)

// Method is how a payment is made; only the members of its type are there.
type Method struct {
	Type string `json:"type"`
	// Of a virtual account or a transfer.
	Bank string `json:"bank,omitempty"`
	// Of a virtual account.
	AccountNumber string `json:"accountNumber,omitempty"`
	AccountType   string `json:"accountType,omitempty"`
	RemitteeName  string `json:"remitteeName,omitempty"`
	RemitterName  string `json:"remitterName,omitempty"`
	ExpiredAt     string `json:"expiredAt,omitempty"`
	IssuedAt      string `json:"issuedAt,omitempty"`
	RefundStatus  string `json:"refundStatus,omitempty"`
	// Of a card.
	Card           *Card  `json:"card,omitempty"`
	ApprovalNumber string `json:"approvalNumber,omitempty"`
}

// Card is what is known of a card. Its number is masked.
type Card struct {
	Name   string `json:"name,omitempty"`
	Number string `json:"number,omitempty"`
}

// methodOf is nil until the buyer has chosen one, and for a virtual account until it
// is issued.
func methodOf(p *escrow.Payment) *Method {
	switch p.Method {
	case escrow.VirtualAccount:
		return accountOf(p)
	case escrow.BankTransfer:
		return &Method{Type: MethodTransfer, Bank: Bank(p.Payer.Bank)}
	case escrow.Card:
		return &Method{Type: MethodCard, Card: &Card{Name: p.CardName, Number: p.CardNumber}, ApprovalNumber: p.ApprovalNo}
	}
	return nil
}

func accountOf(p *escrow.Payment) *Method {
	a := p.Account
	if a == nil {
		return nil
	}
	return &Method{
		Type: MethodAccount, Bank: Bank(a.Bank), AccountNumber: a.Number, AccountType: "NORMAL", RemitteeName: a.Holder, RemitterName: p.Payer.Holder,
		ExpiredAt: moment(a.Due), IssuedAt: moment(a.IssuedAt), RefundStatus: refundStatus(p.Refunds),
	}
}

// refundStatus says how far the refunds of a purchase have come; empty if there are none.
func refundStatus(refunds []escrow.Refund) string {
	var pending, failed, sent int
	for _, r := range refunds {
		switch {
		case r.Suspense:
		case r.State == escrow.RefundSent:
			sent++
		case r.State == escrow.RefundFailed:
			failed++
		default:
			pending++
		}
	}
	switch {
	case failed > 0 && sent > 0:
		return "PARTIAL_REFUND_FAILED"
	case failed > 0:
		return "FAILED"
	case pending > 0:
		return "PENDING"
	case sent > 0:
		return "COMPLETED"
	}
	return ""
}
