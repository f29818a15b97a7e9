package letter

import (
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
)

// tables are the facts of a letter: what its kind is about first, then the
// order, the seller and the escrow agent, which stand in every letter.
func (c *composer) tables() []table {
	var ts []table
	switch c.kind {
	case escrow.MailAccountIssued, escrow.MailDepositDueSoon:
		ts = append(ts, c.account())
	case escrow.MailDepositMismatched:
		ts = append(ts, c.deposit())
	case escrow.MailRejectionAccepted:
		ts = append(ts, c.returnTo())
	case escrow.MailCancelled, escrow.MailRefundSent, escrow.MailRefundFailed, escrow.MailRefundAccount:
		ts = append(ts, c.refundTable())
	default:
	}
	ts = append(ts, c.order())
	if c.p.Delivery != nil {
		ts = append(ts, c.delivery())
	}
	ts = append(ts, c.seller(), c.agent())
	kept := ts[:0]
	for _, t := range ts {
		if len(t.Rows) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}

// rows drops lines without a value and makes the rest safe to print.
func rows(in ...row) []row {
	out := in[:0]
	for _, r := range in {
		if r.Value = plain(r.Value, maxLine); r.Value != "" {
			out = append(out, r)
		}
	}
	return out
}

func (c *composer) account() table {
	a := c.p.Account
	if a == nil {
		return table{}
	}
	return table{Head: c.w.Account, Rows: rows(
		row{Label: c.w.Bank, Value: c.bank(a.Bank)},
		row{Label: c.w.Number, Value: a.Number, Strong: true},
		row{Label: c.w.Holder, Value: a.Holder},
		row{Label: c.w.Amount, Value: won(c.p.Amount, c.v.English), Strong: true},
		row{Label: c.w.Due, Value: minute(a.Due, c.v.English), Strong: true},
	)}
}

func (c *composer) deposit() table {
	d := c.lastDeposit()
	if d == nil {
		return table{}
	}
	return table{Head: c.w.Deposit, Rows: rows(
		row{Label: c.w.DepositAmount, Value: won(d.Amount, c.v.English), Strong: true},
		row{Label: c.w.DepositAt, Value: minute(d.At, c.v.English)},
	)}
}

func (c *composer) returnTo() table {
	if c.p.Return == escrow.ReturnWaived {
		return table{}
	}
	to := c.v.Merchant.ReturnTo
	return table{Head: c.w.Return, Rows: rows(
		row{Label: c.w.Name, Value: to.Name},
		row{Label: c.w.Address, Value: strings.TrimSpace(to.Postcode + " " + to.Address)},
		row{Label: c.w.Phone, Value: to.Phone},
	)}
}

func (c *composer) refundTable() table {
	r := c.refund()
	if r == nil {
		return table{}
	}
	to := row{Label: c.w.RefundTo}
	switch {
	case c.p.Method == escrow.Card:
		to.Label, to.Value = c.w.RefundBy, c.w.RefundCard
	case r.Account.Number != "":
		to.Value = strings.TrimSpace(c.bank(r.Account.Bank) + " " + masked(r.Account.Number) + " " + r.Account.Holder)
	}
	return table{Head: c.w.Refund, Rows: rows(
		row{Label: c.w.RefundAmount, Value: won(r.Amount, c.v.English), Strong: true}, to,
		row{Label: c.w.RefundAt, Value: minute(r.SentAt, c.v.English)},
	)}
}

func (c *composer) order() table {
	p, en := c.p, c.v.English
	return table{Head: c.w.Order, Rows: rows(
		row{Label: c.w.OrderNo, Value: p.OrderID},
		row{Label: c.w.Goods, Value: p.Name},
		row{Label: c.w.Amount, Value: won(p.Amount, en), Strong: true},
		row{Label: c.w.Method, Value: c.w.Methods[p.Method]},
		row{Label: c.w.PaidAt, Value: minute(p.PaidAt, en)},
		row{Label: c.w.ConfirmedAt, Value: minute(p.ConfirmedAt, en)},
	)}
}

func (c *composer) delivery() table {
	d := c.p.Delivery
	var list []row
	for _, parcel := range d.Parcels {
		list = append(list,
			row{Label: c.w.Carrier, Value: c.carrier(parcel.Carrier)},
			row{Label: c.w.Tracking, Value: parcel.Number, URL: krcarrier.Page(parcel.Carrier, parcel.Number)},
		)
	}
	list = append(list,
		row{Label: c.w.SentAt, Value: minute(d.SentAt, c.v.English)},
		row{Label: c.w.ArrivedAt, Value: minute(d.DeliveredAt, c.v.English)},
	)
	return table{Head: c.w.Delivery, Rows: rows(list...)}
}

func (c *composer) seller() table {
	m := c.v.Merchant
	return table{Head: c.w.Seller, Rows: rows(
		row{Label: c.w.Trade, Value: m.Name},
		row{Label: c.w.BusinessNo, Value: m.BusinessNo},
		row{Label: c.w.Phone, Value: m.Phone},
	)}
}

func (c *composer) agent() table {
	o := c.v.Operator
	return table{Head: c.w.Agent, Rows: rows(
		row{Label: c.w.Trade, Value: o.Name, URL: o.URL},
		row{Label: c.w.Registration, Value: o.Registration},
		row{Label: c.w.Contact, Value: o.Contact},
	)}
}

func (c *composer) bank(code string) string { return krbank.Name(code, c.v.English) }

// carrier is the carrier's name; a shop that delivers by itself and a carrier
// outside the table have words of their own.
func (c *composer) carrier(code string) string {
	switch code {
	case escrow.SelfDelivery:
		return c.w.SelfDelivery
	case escrow.OtherCarrier:
		return c.w.OtherCarrier
	}
	return krcarrier.Name(code, c.v.English)
}
