package apiv1

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

const (
	// windowMax is the longest time that a list by state may cover.
	windowMax = 90 * 24 * time.Hour
	// pageMax bounds page numbers before they are multiplied.
	pageMax = 10_000_000
	// attemptsMax bounds how many payments of one order are looked at to find
	// the one that is meant.
	attemptsMax = 100
)

// byPath returns the payment that the path names.
func (h *api) byPath(c *call) (escrow.Payment, error) {
	id, sound := transport.PathValue(c.r, "imp_uid")
	if !sound || len(id) > impUIDMax {
		return escrow.Payment{}, &escrow.Refusal{Code: escrow.NotFound}
	}
	return h.app.Payment(c.ctx(), c.shop.ID, id)
}

func (h *api) getPayment(c *call) answer {
	c.fields.Bool("include_sandbox")
	extended, _ := c.fields.Bool("extension")
	if err := c.fields.Err(); err != nil {
		return asking.fields(err)
	}
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, asking, err)
	}
	shown, err := h.show(c, p)
	if err != nil {
		return h.failed(c.r, err)
	}
	if extended {
		shown[0].Extension = &wirev1.Extension{Remitter: p.Payer.Holder}
	}
	return ok(shown[0])
}

// getPayments answers several payments by id or order number. What is missing is
// told by the status alone.
func (h *api) getPayments(c *call) answer {
	ids := distinct(c.fields.Idents("imp_uid", wirev1.MultiGetMax, impUIDMax))
	orders := distinct(c.fields.Idents("merchant_uid", wirev1.MultiGetMax, merchantUIDMax))
	if len(ids)+len(orders) > wirev1.MultiGetMax {
		c.fields.Refuse("imp_uid", body.TooMany(wirev1.MultiGetMax))
	}
	if err := c.fields.Err(); err != nil {
		return asking.fields(err)
	}
	if len(ids)+len(orders) == 0 {
		return asking.field("imp_uid", "imp_uid[] 또는 merchant_uid[]가 필요합니다")
	}
	found, err := h.app.PaymentsByID(c.ctx(), c.shop.ID, ids)
	if err != nil {
		return h.failed(c.r, err)
	}
	for _, order := range orders {
		rows, _, err := h.app.Payments(c.ctx(), c.shop.ID, app.Filter{OrderID: order}, newest, 0, 1)
		if err != nil {
			return h.failed(c.r, err)
		}
		found = append(found, rows...)
	}
	return h.several(c, found, len(ids)+len(orders))
}

func (h *api) several(c *call, found []escrow.Payment, asked int) answer {
	if len(found) == 0 {
		return notFoundPayment()
	}
	shown, err := h.show(c, found...)
	if err != nil {
		return h.failed(c.r, err)
	}
	a := ok(shown)
	if len(found) < asked {
		a.status = http.StatusMultiStatus
	}
	return a
}

// newest is the order of lists in which the client asks for none.
var newest = app.Order{By: "opened", Desc: true}

// ordering reads the sorting of a list.
func ordering(f *body.Fields) app.Order {
	sorting := f.OneOf("sorting", "-started", "started", "-paid", "paid", "-updated", "updated")
	if sorting == "" {
		return newest
	}
	by := strings.TrimPrefix(sorting, "-")
	if by == "started" {
		by = "opened"
	}
	return app.Order{By: by, Desc: strings.HasPrefix(sorting, "-")}
}

// statusFilter reads a state from the path. Clients write undefined, null or
// nothing at all where they mean every state.
func statusFilter(c *call) (status escrow.Status, known bool) {
	word, sound := transport.PathValue(c.r, "payment_status")
	switch word {
	case "", "all", "undefined", "null":
		return "", sound
	case "ready", "paid", "failed", "cancelled":
		return escrow.Status(word), true
	}
	return "", false
}

func badStatus() answer {
	return asking.field("payment_status", "다음 중 하나여야 합니다(all, ready, paid, cancelled, failed)")
}

// orderFilter reads an order number and a state from the path.
func orderFilter(c *call) (app.Filter, *answer) {
	word, sound := transport.PathValue(c.r, "merchant_uid")
	f := body.Named("merchant_uid", word).Fields()
	order := f.Ident("merchant_uid", merchantUIDMax)
	if no := notFoundPayment(); !sound || f.Err() != nil || order == "" {
		return app.Filter{}, &no
	}
	status, known := statusFilter(c)
	if no := badStatus(); !known {
		return app.Filter{}, &no
	}
	return app.Filter{OrderID: order, Status: status}, nil
}

func (h *api) findPayment(c *call) answer {
	filter, no := orderFilter(c)
	if no != nil {
		return *no
	}
	order := ordering(c.fields)
	if err := c.fields.Err(); err != nil {
		return asking.fields(err)
	}
	rows, _, err := h.app.Payments(c.ctx(), c.shop.ID, filter, order, 0, 1)
	switch {
	case err != nil:
		return h.failed(c.r, err)
	case len(rows) == 0:
		return notFoundPayment()
	}
	return h.showOne(c, rows[0])
}

// findPayments lists the attempts to pay one order. An order that nobody tried
// to pay is not found; one without an attempt in the asked state has an empty
// list.
func (h *api) findPayments(c *call) answer {
	filter, no := orderFilter(c)
	if no != nil {
		return *no
	}
	_, known, err := h.app.Payments(c.ctx(), c.shop.ID, app.Filter{OrderID: filter.OrderID}, newest, 0, 1)
	switch {
	case err != nil:
		return h.failed(c.r, err)
	case known == 0:
		return notFoundPayment()
	}
	return h.page(c, filter)
}

func (h *api) listPayments(c *call) answer {
	status, known := statusFilter(c)
	if !known {
		return badStatus()
	}
	filter := app.Filter{Status: status, At: comparedTime(status)}
	if no := h.window(c, &filter); no != nil {
		return *no
	}
	return h.page(c, filter)
}

// comparedTime is the instant that a list by state compares with its window.
func comparedTime(s escrow.Status) string {
	switch s {
	case escrow.StatusPaid:
		return "paid"
	case escrow.StatusFailed:
		return "failed"
	case escrow.StatusCancelled:
		return "cancelled"
	case escrow.StatusReady:
	}
	return "opened"
}

// window reads from and to. What is left out is chosen so that the window is as
// long as it may be.
func (h *api) window(c *call, filter *app.Filter) *answer {
	from, hasFrom := c.fields.UnixSeconds("from")
	to, hasTo := c.fields.UnixSeconds("to")
	if err := c.fields.Err(); err != nil {
		no := asking.fields(err)
		return &no
	}
	now := h.app.MerchantNow(&c.shop)
	filter.Since, filter.Until = time.Unix(from, 0), time.Unix(to, 0)
	switch {
	case !hasFrom && !hasTo:
		filter.Until = now
		filter.Since = now.Add(-windowMax)
	case !hasFrom:
		filter.Since = filter.Until.Add(-windowMax)
	case !hasTo:
		if filter.Until = filter.Since.Add(windowMax); filter.Until.After(now) && now.After(filter.Since) {
			filter.Until = now
		}
	}
	if filter.Since.After(filter.Until) {
		no := asking.field("from", "to보다 늦을 수 없습니다")
		return &no
	}
	if filter.Until.Sub(filter.Since) > windowMax {
		no := asking.field("from", "조회 기간은 최대 90일입니다")
		return &no
	}
	// Instants are finer than seconds; the last second belongs to the window.
	filter.Until = filter.Until.Truncate(time.Second).Add(time.Second - time.Microsecond)
	return nil
}

// page answers one page of what the filter chooses.
func (h *api) page(c *call, filter app.Filter) answer {
	number, given := c.fields.Int("page", 1, pageMax)
	if !given {
		number = 1
	}
	limit, given := c.fields.Int("limit", 1, wirev1.PageLimitMax)
	if !given {
		limit = wirev1.PageLimitDefault
	}
	order := ordering(c.fields)
	if err := c.fields.Err(); err != nil {
		return asking.fields(err)
	}
	rows, total, err := h.app.Payments(c.ctx(), c.shop.ID, filter, order, int((number-1)*limit), int(limit))
	if err != nil {
		return h.failed(c.r, err)
	}
	if !wirev1.PageExists(int(number), int(limit), int(total)) {
		return asking.field("page", fmt.Sprintf("존재하지 않는 페이지입니다(전체 %d건)", total))
	}
	shown, err := h.show(c, rows...)
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(wirev1.NewPage(shown, int(number), int(limit), int(total)))
}

// distinct drops repetitions and keeps the order.
func distinct(in []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
