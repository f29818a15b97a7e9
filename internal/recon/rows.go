package recon

// Event is a row of the log of events with every column.
type Event struct {
	Merchant, Payment string // payment or payout
	Seq, Position     int64
	Type, Actor       string
	At                int64 // microseconds UTC
	Doc               string
}

// Link is the event's hash behind another one.
func (e *Event) Link(before Hash) Hash {
	return NewRow("event/1").Text(e.Merchant).Text(e.Payment).Number(e.Seq).Number(e.Position).
		Text(e.Type).Text(e.Actor).Number(e.At).Text(e.Doc).Link(before)
}

// Transfer is a row of the ledger with every column.
type Transfer struct {
	Merchant, Ref    string // payment or payout
	Seq, N, Position int64
	Debit, Credit    string
	Amount           int64 // won
	At               int64 // microseconds UTC
}

// Link is the transfer's hash behind another one.
func (t *Transfer) Link(before Hash) Hash {
	return NewRow("transfer/1").Text(t.Merchant).Text(t.Ref).Number(t.Seq).Number(t.N).Number(t.Position).
		Text(t.Debit).Text(t.Credit).Number(t.Amount).Number(t.At).Link(before)
}

// Line is a settlement line with every column that never changes: all but
// whether it is held, and its payout.
type Line struct {
	Merchant, ID, Payment, Kind   string
	Gross, Fee, VAT, Net, FromDue int64 // won
	At, PaidAt                    int64 // microseconds UTC
	DueDate                       string
}

// Sum is the line's sum.
func (l *Line) Sum() Hash {
	return NewRow("line/1").Text(l.Merchant).Text(l.ID).Text(l.Payment).Text(l.Kind).
		Number(l.Gross).Number(l.Fee).Number(l.VAT).Number(l.Net).Number(l.FromDue).Number(l.At).Number(l.PaidAt).Text(l.DueDate).Sum()
}
