package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// Order is the column and direction of a list of payments.
type Order struct {
	By   string // one of opened, paid, updated, failed, cancelled, standing
	Desc bool
}

// column maps the words of Order to columns; anything else sorts by opening.
// Where the instant may not have come, it counts as the earliest on both engines.
func (o Order) column() (name string, optional bool) {
	switch o.By {
	case "paid", "failed", "cancelled":
		return o.By + "_at", true
	case "updated", "standing":
		return o.By + "_at", false
	}
	return "opened_at", false
}

func (o Order) clause() string {
	column, optional := o.column()
	direction, nulls := "", ""
	if o.Desc {
		direction = " DESC"
	}
	if optional {
		nulls = " NULLS FIRST"
		if o.Desc {
			nulls = " NULLS LAST"
		}
	}
	return column + direction + nulls + ", id" + direction
}

// Filter chooses payments of a merchant. Zero fields do not filter.
type Filter struct {
	OrderID string
	Status  escrow.Status
	State   escrow.State
	Method  escrow.Method
	Escrow  *bool
	Task    bool // only payments that somebody has to look at
	// Standings, States and Methods choose what is any of them.
	Standings []escrow.Standing
	States    []escrow.State
	Methods   []escrow.Method
	// OnePerOrder chooses of the attempts to pay an order the paid one, else the newest.
	OnePerOrder bool
	// Text is looked for in every field, without regard to case; Texts are all looked for.
	Text  string
	Texts []string
	// Since and Until bound the instant named by At, both inclusive.
	At           string
	Since, Until time.Time
	// After is the last payment that a caller has seen of a list in the order of
	// AfterOrder, whose instant comes for every payment; nil begins at the front.
	After      *Spot
	AfterOrder Order
}

// Spot is where a payment stands in a list: by an instant, then by id.
type Spot struct {
	At time.Time
	ID string
}

// maxText bounds a search text, in characters.
const maxText = 100

func (f Filter) where(merchant string) (string, []any) {
	conds, args := []string{"merchant = $1"}, []any{merchant}
	add := func(cond string, arg any) {
		if !storable([]any{arg}) { // no row holds it
			conds = append(conds, "1 = 0")
			return
		}
		args = append(args, arg)
		conds = append(conds, strings.ReplaceAll(cond, "?", fmt.Sprintf("$%d", len(args))))
	}
	addAny := func(column string, values []string) {
		if values == nil {
			return
		}
		marks := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		if len(marks) == 0 { // nothing is any of none
			conds = append(conds, "1 = 0")
			return
		}
		conds = append(conds, column+" IN ("+strings.Join(marks, ", ")+")")
	}
	if f.OrderID != "" {
		add("order_id = ?", f.OrderID)
	}
	addAny("state", wordsOf(f.States))
	addAny("method", wordsOf(f.Methods))
	if cond := standingCondition(f.Standings); cond != "" {
		conds = append(conds, cond)
	}
	if f.OnePerOrder {
		conds = append(conds, standsForOrder)
	}
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Method != "" {
		add("method = ?", string(f.Method))
	}
	if f.Escrow != nil {
		add("escrow = ?", bit(*f.Escrow))
	}
	if f.Task {
		conds = append(conds, "tasks IS NOT NULL")
	}
	if cond := statusCondition(f.Status); cond != "" {
		conds = append(conds, cond)
	}
	for _, text := range append([]string{f.Text}, f.Texts...) {
		if text != "" {
			add(`words LIKE ? ESCAPE '\'`, "%"+escapeLike(strings.ToLower(text))+"%")
		}
	}
	column, _ := Order{By: f.At}.column()
	if !f.Since.IsZero() {
		add(column+" >= ?", f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		add(column+" <= ?", f.Until.UnixMicro())
	}
	if f.After != nil && storable([]any{f.After.ID}) {
		column, _ := f.AfterOrder.column()
		direction := ">"
		if f.AfterOrder.Desc {
			direction = "<"
		}
		args = append(args, f.After.At.UnixMicro(), f.After.ID)
		n := len(args)
		conds = append(conds, fmt.Sprintf("(%[1]s %[2]s $%[3]d OR (%[1]s = $%[3]d AND id %[2]s $%[4]d))", column, direction, n-1, n))
		// The same once more, so that the index is entered there.
		conds = append(conds, fmt.Sprintf("%s %s= $%d", column, direction, n-1))
	}
	return strings.Join(conds, " AND "), args
}

// wordsOf are words of any kind as texts; nil stays nil.
func wordsOf[T ~string](in []T) []string {
	if in == nil {
		return nil
	}
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}

// standsForOrder is the payment that stands for its order: the paid one, else the
// newest attempt.
var standsForOrder = `NOT EXISTS (SELECT 1 FROM payment other WHERE other.merchant = $1 AND other.order_id = payment.order_id AND other.id <> payment.id
	AND (` + of("other", statusCondition(escrow.StatusPaid)) + ` OR (NOT (` + of("payment", statusCondition(escrow.StatusPaid)) + `)
		AND (other.opened_at > payment.opened_at OR (other.opened_at = payment.opened_at AND other.id > payment.id)))))`

// of says of which table the columns of a status's condition are.
func of(table, cond string) string {
	return strings.NewReplacer("state ", table+".state ", "refunded ", table+".refunded ", "< amount", "< "+table+".amount", "= amount", "= "+table+".amount").Replace(cond)
}

// standingCondition is escrow.Payment.Standing as a condition for any of several;
// empty for nil.
func standingCondition(any []escrow.Standing) string {
	if any == nil {
		return ""
	}
	conds := []string{"1 = 0"}
	for _, s := range any {
		switch s {
		case escrow.StandingReady:
			conds = append(conds, "state = 'opened'")
		case escrow.StandingAccountIssued:
			conds = append(conds, "state = 'awaiting_deposit'")
		case escrow.StandingPaid:
			conds = append(conds, statusCondition(escrow.StatusPaid)+" AND refunded = 0")
		case escrow.StandingPartCancelled:
			conds = append(conds, statusCondition(escrow.StatusPaid)+" AND refunded > 0")
		case escrow.StandingCancelled:
			conds = append(conds, statusCondition(escrow.StatusCancelled))
		case escrow.StandingFailed:
			conds = append(conds, statusCondition(escrow.StatusFailed))
		}
	}
	return "(" + strings.Join(conds, " OR ") + ")"
}

func escapeLike(text string) string {
	if r := []rune(text); len(r) > maxText {
		text = string(r[:maxText])
	}
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// statusCondition is escrow.Payment.Status as a condition.
func statusCondition(s escrow.Status) string {
	switch s {
	case escrow.StatusReady:
		return "state IN ('opened', 'awaiting_deposit')"
	case escrow.StatusFailed:
		return "state = 'failed'"
	case escrow.StatusCancelled:
		return "(state = 'cancelled' OR refunded = amount)"
	case escrow.StatusPaid:
		return "state IN ('paid', 'held', 'shipped', 'delivered', 'confirmed', 'rejected', 'rejection_accepted') AND refunded < amount"
	}
	return ""
}

// LastPaymentID is the highest id among a merchant's payments, or ErrNotFound.
func (q *queries) LastPaymentID(merchant string) (string, error) {
	return one(q, scalar[string], `SELECT id FROM payment WHERE merchant = $1 ORDER BY id DESC LIMIT 1`, merchant)
}

// Payments returns a page of a merchant's payments.
func (q *queries) Payments(merchant string, f Filter, o Order, offset, limit int) ([]escrow.Payment, error) {
	where, args := f.where(merchant)
	args = append(args, limit, offset)
	return all(q, scanPayment, fmt.Sprintf(`SELECT %s FROM payment WHERE %s ORDER BY %s LIMIT $%d OFFSET $%d`, paymentColumns, where, o.clause(), len(args)-1, len(args)), args...)
}

// OrderPayment returns the payment that stands for an order: the paid one, else the
// newest attempt; or ErrNotFound.
func (q *queries) OrderPayment(merchant, orderID string) (escrow.Payment, error) {
	paid, err := q.PaidPayment(merchant, orderID)
	if !errors.Is(err, ErrNotFound) {
		return paid, err
	}
	return one(q, scanPayment, `SELECT `+paymentColumns+` FROM payment WHERE merchant = $1 AND order_id = $2 ORDER BY opened_at DESC, id DESC LIMIT 1`, merchant, orderID)
}

// CountPayments counts what a filter chooses.
func (q *queries) CountPayments(merchant string, f Filter) (int64, error) {
	where, args := f.where(merchant)
	return one(q, scalar[int64], `SELECT count(*) FROM payment WHERE `+where, args...)
}

// CountStates counts a merchant's payments by state.
func (q *queries) CountStates(merchant string) (map[escrow.State]int64, error) {
	type row struct {
		state escrow.State
		n     int64
	}
	rows, err := all(q, func(rows rowSet) (r row, err error) {
		err = rows.Scan((*string)(&r.state), &r.n)
		return r, err
	}, `SELECT state, count(*) FROM payment WHERE merchant = $1 GROUP BY state`, merchant)
	out := map[escrow.State]int64{}
	for _, r := range rows {
		out[r.state] = r.n
	}
	return out, err
}

// PaidPayment returns a payment of an order whose money has been taken and
// stays, or ErrNotFound.
func (q *queries) PaidPayment(merchant, orderID string) (escrow.Payment, error) {
	return one(q, scanPayment, `SELECT `+paymentColumns+` FROM payment WHERE merchant = $1 AND order_id = $2 AND `+statusCondition(escrow.StatusPaid)+` LIMIT 1`, merchant, orderID)
}

// PaidPayment is the same in a transaction: until its end no other one asks
// about the order, so that an order is paid once.
func (t *Tx) PaidPayment(merchant, orderID string) (escrow.Payment, error) {
	if err := t.hold("order", merchant, orderID); err != nil {
		return escrow.Payment{}, err
	}
	return t.queries.PaidPayment(merchant, orderID)
}
