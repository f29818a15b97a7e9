package admin

import (
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// listLines lists statement lines: of a payment, of a payout, or the ones that
// no payout has taken.
func (s *api) listLines(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	var payment, payout string
	return own.Answer(own.List(r, func(f *body.Fields) {
		payment, payout = f.Ident("payment", textMax), f.Ident("payout", textMax)
	}, func(offset, limit int) ([]app.SettlementLine, error) {
		return s.App.Lines(r.Context(), m.ID, payment, payout, offset, limit)
	}, viewLine))
}

func (s *api) listPayouts(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	return own.Answer(own.List(r, nil, func(offset, limit int) ([]settle.Payout, error) {
		return s.App.Payouts(r.Context(), m.ID, offset, limit)
	}, viewPayout))
}

func (s *api) showPayout(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	p, err := s.App.Payout(r.Context(), m.ID, inPath(r, "payout"))
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(viewPayout(p))
}

// resumePayouts lets money of failed and returned payouts be paid out again,
// once somebody has seen to the account.
func (s *api) resumePayouts(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	if err := s.App.ResumePayouts(r.Context(), operator, m.ID); err != nil {
		return own.Reply{}, err
	}
	return own.OK(map[string]bool{"resumed": true})
}

func (s *api) showBooks(r *http.Request) (own.Reply, error) {
	b, err := s.App.Books(r.Context())
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(viewBooks(b))
}

func (s *api) showHeld(r *http.Request) (own.Reply, error) {
	f, err := own.Query(r)
	if err != nil {
		return own.Reply{}, err
	}
	f.Require("date")
	day := date(f, "date")
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	held, err := s.App.HeldOn(r.Context(), day)
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(heldView{day, held})
}

type heldView struct {
	Date bizday.Date `json:"date"`
	Held money.Won   `json:"held"`
}

type balanceView struct {
	Account ledger.Account `json:"account"`
	Class   ledger.Class   `json:"class"`
	Debits  money.Won      `json:"debits"`
	Credits money.Won      `json:"credits"`
	Net     money.Won      `json:"net"`
}

type booksView struct {
	Balanced bool          `json:"balanced"`
	Held     money.Won     `json:"held"`
	Balances []balanceView `json:"balances"`
	Problems []string      `json:"problems"`
}

func viewBooks(b app.Books) booksView {
	v := booksView{Balanced: len(b.Problems) == 0, Held: b.Held, Balances: []balanceView{}, Problems: append([]string{}, b.Problems...)}
	for _, x := range b.Balances {
		v.Balances = append(v.Balances, balanceView{x.Account, x.Account.Class(), x.Debits, x.Credits, x.Net()})
	}
	return v
}

type lineView struct {
	ID      string          `json:"id"`
	Payment string          `json:"payment"`
	Kind    escrow.LineKind `json:"kind"`
	Gross   money.Won       `json:"gross"`
	Fee     money.Won       `json:"fee"`
	VAT     money.Won       `json:"vat"`
	Net     money.Won       `json:"net"`
	At      *string         `json:"at"`
	PaidAt  *string         `json:"paidAt"`
	DueDate bizday.Date     `json:"dueDate"`
	Held    bool            `json:"held"`
	Payout  *string         `json:"payout"`
}

func viewLine(l app.SettlementLine) lineView {
	v := lineView{
		ID: l.ID, Payment: l.Payment, Kind: l.Kind, Gross: l.Gross, Fee: l.Fee, VAT: l.VAT, Net: l.Net,
		At: moment(l.At), PaidAt: moment(l.PaidAt), DueDate: l.DueDate, Held: l.Held,
	}
	if l.Payout != "" {
		v.Payout = &l.Payout
	}
	return v
}

type payoutView struct {
	ID          string             `json:"id"`
	Date        bizday.Date        `json:"date"`
	State       settle.PayoutState `json:"state"`
	Gross       money.Won          `json:"gross"`
	Fee         money.Won          `json:"fee"`
	VAT         money.Won          `json:"vat"`
	Deducted    money.Won          `json:"deducted"`
	Amount      money.Won          `json:"amount"`
	Lines       int64              `json:"lines"`
	BankAccount *accountView       `json:"bankAccount"`
	Reason      string             `json:"reason"`
	OrderedAt   *string            `json:"orderedAt"`
	DoneAt      *string            `json:"doneAt"`
}

func viewPayout(p settle.Payout) payoutView {
	return payoutView{
		ID: p.ID, Date: p.Date, State: p.State, Gross: p.Gross, Fee: p.Fee, VAT: p.VAT, Deducted: p.Deducted, Amount: p.Amount, Lines: p.Lines,
		BankAccount: viewAccount(escrow.BankAccount{Bank: p.Bank, Number: p.Number, Holder: p.Holder}), Reason: p.Reason,
		OrderedAt: moment(p.OrderAt), DoneAt: moment(p.DoneAt),
	}
}
