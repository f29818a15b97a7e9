package store

import (
	"github.com/holdfast-pay/holdfast/internal/recon"
)

// Rows as an auditor reads them: every column as it stands, and the hash that
// stands beside it.

type chainedEvent struct {
	recon.Event
	has recon.Hash
}

const chainedEvents = `SELECT merchant, payment, seq, position, type, actor, at, doc, hash FROM event WHERE merchant = $1 AND position > $2 ORDER BY position LIMIT $3`

func scanChainedEvent(rows rowSet) (e chainedEvent, err error) {
	var hash []byte
	err = rows.Scan(&e.Merchant, &e.Payment, &e.Seq, &e.Position, &e.Type, &e.Actor, &e.At, &e.Doc, &hash)
	e.has = recon.ReadHash(hash)
	return e, err
}

type chainedTransfer struct {
	recon.Transfer
	has recon.Hash
}

const chainedTransfers = `SELECT merchant, ref, seq, n, position, debit, credit, amount, at, hash FROM transfer WHERE merchant = $1 AND position > $2 ORDER BY position LIMIT $3`

func scanChainedTransfer(rows rowSet) (x chainedTransfer, err error) {
	var hash []byte
	err = rows.Scan(&x.Merchant, &x.Ref, &x.Seq, &x.N, &x.Position, &x.Debit, &x.Credit, &x.Amount, &x.At, &hash)
	x.has = recon.ReadHash(hash)
	return x, err
}

type summedPayment struct {
	paymentRow
	words string
	has   recon.Hash
}

func scanSummedPayment(rows rowSet) (p summedPayment, err error) {
	r := &p.paymentRow
	var sum []byte
	err = rows.Scan(append(r.columns(), &p.words, &sum)...)
	p.has = recon.ReadHash(sum)
	return p, err
}

func (p *summedPayment) violation(k recon.Kind, want, got string) recon.Violation {
	return recon.Violation{Merchant: p.merchant, Kind: k, Of: "payment", Ref: p.id, Want: want, Got: got}
}

// wrongSum is not empty when the row is not the one that was written.
func (p *summedPayment) wrongSum() []recon.Violation {
	want := p.sum(p.words)
	if want == p.has {
		return nil
	}
	return []recon.Violation{p.violation(recon.WrongSum, want.String(), p.has.String())}
}

type summedLine struct {
	recon.Line
	held   int64
	payout *string
	has    recon.Hash
}

func scanSummedLine(rows rowSet) (l summedLine, err error) {
	var sum []byte
	err = rows.Scan(&l.Merchant, &l.ID, &l.Payment, &l.Kind, &l.Gross, &l.Fee, &l.VAT, &l.Net, &l.FromDue, &l.At, &l.PaidAt, &l.DueDate, &l.held, &l.payout, &sum)
	l.has = recon.ReadHash(sum)
	return l, err
}
