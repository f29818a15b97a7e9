package apiv2

import (
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

const (
	// attemptsMax bounds how many attempts to pay one order are shown, the newest ones.
	attemptsMax = 1000
	// siftMax bounds how many payments are looked at one by one for a filter that the
	// store does not know.
	siftMax = wirev2.ReachMax
)

// newest is the order of attempts.
var newest = app.Order{By: "opened", Desc: true}

// paymentID is the order number that the path names, or why it is none.
func paymentID(c *call) (string, error) {
	word, sound := transport.PathValue(c.r, "paymentId")
	f := body.Named("paymentId", word).Fields()
	if !sound {
		f.Refuse("paymentId", body.ReasonNotText)
		return "", f.Err()
	}
	f.Require("paymentId")
	return f.Ident("paymentId", wirev2.PaymentIDMax), f.Err()
}

// byPath is the payment that stands for the order which the path names.
func (h *api) byPath(c *call) (escrow.Payment, error) {
	id, err := paymentID(c)
	if err != nil { // a text that is no order number names none
		return escrow.Payment{}, &escrow.Refusal{Code: escrow.NotFound}
	}
	return h.app.OrderPayment(c.ctx(), c.shop.ID, id)
}

func (h *api) getPayment(c *call) answer {
	if err := c.fields.Err(); err != nil {
		return invalid(err)
	}
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, wirev2.GetPayment, err)
	}
	known, err := h.circumstances(c, []escrow.Payment{p})
	if err != nil {
		return h.failed(c.r, err)
	}
	if known[0].Webhooks, err = h.webhooks(c, p.ID); err != nil {
		return h.failed(c.r, err)
	}
	return ok(wirev2.NewPayment(&p, known[0]))
}

// getTransactions lists the attempts to pay an order, newest first.
func (h *api) getTransactions(c *call) answer {
	if err := c.fields.Err(); err != nil {
		return invalid(err)
	}
	id, err := paymentID(c)
	if err != nil {
		return no(wirev2.PaymentNotFound, wirev2.MessagePaymentNotFound)
	}
	rows, total, err := h.app.Payments(c.ctx(), c.shop.ID, app.Filter{OrderID: id}, newest, 0, attemptsMax)
	if err != nil {
		return h.failed(c.r, err)
	}
	if total == 0 {
		return no(wirev2.PaymentNotFound, wirev2.MessagePaymentNotFound)
	}
	known, err := h.circumstances(c, rows)
	if err != nil {
		return h.failed(c.r, err)
	}
	out := wirev2.Items[wirev2.Transaction]{Items: make([]wirev2.Transaction, len(rows))}
	for i := range rows {
		out.Items[i] = wirev2.NewTransaction(&rows[i], known[i])
	}
	return ok(out)
}

// listPayments answers a page of orders, each with the payment that stands for it.
func (h *api) listPayments(c *call) answer {
	q := wirev2.TakeQuery(c.fields, h.app.MerchantNow(&c.shop))
	if refusal := c.taken(q.StoreID, q.MerchantID); refusal != nil {
		return *refusal
	}
	test := c.shop.Mode == merchant.Sandbox
	if q.None || (q.Test != nil && *q.Test != test) {
		return h.page(c, &q, nil, 0)
	}
	filter, order := filterOf(&q)
	if q.Checks() {
		return h.sifted(c, &q, filter, order)
	}
	rows, total, err := h.app.Payments(c.ctx(), c.shop.ID, filter, order, int(q.Number*q.Size), int(q.Size))
	if err != nil {
		return h.failed(c.r, err)
	}
	return h.page(c, &q, rows, total)
}

// filterOf is what of a query the store looks for, and its order.
func filterOf(q *wirev2.Query) (app.Filter, app.Order) {
	column := func(byStanding bool) string {
		if byStanding {
			return "standing"
		}
		return "opened"
	}
	return app.Filter{
		OnePerOrder: true, Standings: q.Standings, States: q.States, Methods: q.Methods, Escrow: q.Escrow, Texts: q.Texts,
		At: column(q.ByStanding), Since: q.Window.From, Until: q.Window.Until,
	}, app.Order{By: column(q.SortByStanding), Desc: !q.Ascending}
}

// sifted answers a page of what passes the checks of a query.
func (h *api) sifted(c *call, q *wirev2.Query, filter app.Filter, order app.Order) answer {
	var kept []escrow.Payment
	var total int64
	around := h.around(c)
	complete, err := h.app.Sift(c.ctx(), c.shop.ID, filter, order, siftMax, func(rows []escrow.Payment) error {
		passed, err := q.Sift(rows, around)
		for i := range passed {
			if total >= q.Number*q.Size && total < (q.Number+1)*q.Size {
				kept = append(kept, passed[i])
			}
			total++
		}
		return err
	})
	if err != nil {
		return h.failed(c.r, err)
	}
	if !complete {
		return no(wirev2.InvalidRequest, wirev2.MessageNarrow)
	}
	return h.page(c, q, kept, total)
}

// around finds what the checks of a query look at.
func (h *api) around(c *call) wirev2.Around {
	return wirev2.Around{
		Store: c.store(),
		Receipts: func(rows []escrow.Payment) (map[string]wirev2.ReceiptFacts, error) {
			receipts, err := h.app.ReceiptsOf(c.ctx(), c.shop.ID, rows)
			facts := map[string]wirev2.ReceiptFacts{}
			for id, r := range receipts {
				facts[id] = receiptFacts(r, "", false)
			}
			return facts, err
		},
		Webhooks: func(paymentID string) ([]wirev2.Webhook, error) { return h.webhooks(c, paymentID) },
	}
}

func (h *api) page(c *call, q *wirev2.Query, rows []escrow.Payment, total int64) answer {
	shown, err := h.show(c, rows)
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(wirev2.Page[wirev2.Payment]{Items: shown, Page: wirev2.PageInfo{Number: q.Number, Size: q.Size, TotalCount: total}})
}

// listByCursor answers orders in the order in which they were begun, from where a
// list was left. A payment that changes meanwhile keeps its place.
func (h *api) listByCursor(c *call) answer {
	q, refusal := h.cursorQuery(c)
	if refusal != nil {
		return *refusal
	}
	filter := app.Filter{OnePerOrder: true, At: "opened", Since: q.Window.From, Until: q.Window.Until, AfterOrder: app.Order{By: "opened"}}
	if q.Cursor != "" {
		at, id, sound := readCursor(q.Cursor)
		if !sound {
			return no(wirev2.InvalidRequest, wirev2.MessageCursor)
		}
		filter.After = &app.Spot{At: at, ID: id}
	}
	rows, err := h.app.PaymentsAfter(c.ctx(), c.shop.ID, filter, q.Size)
	if err != nil {
		return h.failed(c.r, err)
	}
	shown, err := h.show(c, rows)
	if err != nil {
		return h.failed(c.r, err)
	}
	out := wirev2.Items[wirev2.PaymentWithCursor]{Items: make([]wirev2.PaymentWithCursor, len(rows))}
	for i := range rows {
		out.Items[i] = wirev2.PaymentWithCursor{Payment: shown[i], Cursor: strconv.FormatInt(rows[i].OpenedAt.UnixMicro(), 10) + "~" + rows[i].ID}
	}
	return ok(out)
}

func (h *api) cursorQuery(c *call) (wirev2.CursorQuery, *answer) {
	q := wirev2.TakeCursorQuery(c.fields, h.app.MerchantNow(&c.shop))
	return q, c.taken(q.StoreID)
}

func readCursor(cursor string) (at time.Time, id string, sound bool) {
	micros, id, found := strings.Cut(cursor, "~")
	n, err := strconv.ParseInt(micros, 10, 64)
	return time.UnixMicro(n), id, found && err == nil && n >= 0 && id != ""
}

func (h *api) getAccountHolder(c *call) answer {
	c.fields.Bool("test")
	c.fields.Text("birthdate", storeIDMax)
	c.fields.Text("businessRegistrationNumber", storeIDMax)
	bank, _ := transport.PathValue(c.r, "bank")
	number, _ := transport.PathValue(c.r, "accountNumber")
	path := body.Named("bank", bank, "accountNumber", number).Fields()
	account := order.AccountNumber(path, "accountNumber")
	code, known := wirev2.BankCode(bank)
	switch {
	case !known:
		return no(wirev2.BankNotSupported, wirev2.MessageBankNotSupported)
	case c.fields.Err() != nil:
		return invalid(c.fields.Err())
	case path.Err() != nil:
		return invalid(path.Err())
	}
	name, err := h.app.HolderName(c.ctx(), code, account)
	if refusedWith(err, escrow.NotFound) {
		return no(wirev2.ExternalFailed, wirev2.MessageHolderNotFound)
	}
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(wirev2.Holder{HolderName: name, AccountVerificationID: ident.New("bav", h.app.Real())})
}
