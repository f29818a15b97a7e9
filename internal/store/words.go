package store

import (
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// maxWords bounds what is kept of a payment for searching, in bytes.
const maxWords = 4000

// separators are what people write between the digits of a number. A replacer
// is costly to make and free to use.
var separators = strings.NewReplacer("-", "", " ", "")

// searchWords are the texts of a payment that people look for, in small
// letters and a line each: what a person typed or reads, and no names of fields.
// Phone, account and tracking numbers also stand without hyphens and blanks.
func searchWords(p *escrow.Payment) string {
	var b strings.Builder
	add := func(texts ...string) {
		for _, t := range texts {
			if t == "" || b.Len()+len(t) > maxWords {
				continue
			}
			b.WriteString(strings.ToLower(t))
			b.WriteByte('\n')
			if plain := separators.Replace(t); plain != t && strings.Trim(plain, "0123456789+") == "" {
				b.WriteString(plain)
				b.WriteByte('\n')
			}
		}
	}
	party := func(x escrow.Party) { add(x.Name, x.Email, x.Phone, x.Address, x.Postcode) }
	account := func(x escrow.BankAccount) { add(x.Number, x.Holder) }
	add(p.ID, p.OrderID, p.Name, p.ApprovalNo, p.CardName, p.FailReason, p.CancelReason, p.CustomData, p.CancelAskedFor)
	party(p.Buyer)
	account(p.Payer)
	if p.Account != nil {
		account(p.Account.BankAccount)
	}
	if d := p.Delivery; d != nil {
		for _, parcel := range d.Parcels {
			add(parcel.Number)
		}
		party(d.Recipient)
		party(d.Sender)
	}
	if p.Decided != nil {
		add(p.Decided.Reason)
	}
	for _, x := range p.Products {
		add(x.Name, x.Code)
	}
	for _, r := range p.Refunds {
		account(r.Account)
	}
	return b.String()
}
