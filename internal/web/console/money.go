package console

import (
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// linesMost bounds the lines that a settlement page shows at once.
const linesMost = 200

type settlementsPage struct {
	Waiting    []app.SettlementLine
	WaitingNet money.Won
	More       bool // lines beyond those shown
	Payouts    []settle.Payout
	Pager      pager
	HasAccount bool
	Stopped    bool // nobody is paid, because the books do not agree
}

func (c *console) settlements(v *visit) error {
	ctx := v.r.Context()
	waiting, err := c.app.Lines(ctx, v.m.ID, "", "", 0, linesMost+1)
	if err != nil {
		return err
	}
	page := pageOf(v.r.URL.Query())
	payouts, err := c.app.Payouts(ctx, v.m.ID, page*pageSize, pageSize+1)
	if err != nil {
		return err
	}
	stopped, err := c.app.PayoutsStopped(ctx)
	if err != nil {
		return err
	}
	p := settlementsPage{More: len(waiting) > linesMost, HasAccount: v.m.Account.Number != "", Stopped: stopped}
	p.Waiting = waiting[:min(len(waiting), linesMost)]
	for _, l := range p.Waiting {
		p.WaitingNet += l.Net
	}
	p.Payouts = payouts[:min(len(payouts), pageSize)]
	p.Pager = newPager(page, len(p.Payouts), int64(page*pageSize+len(payouts)), func(n int) string {
		return pageAddress("/console/settlements", url.Values{}, n)
	})
	return v.render(http.StatusOK, "/console/settlements", "settlements", v.say("nav.settlements"), p)
}

type payoutPage struct {
	Payout settle.Payout
	Lines  []app.SettlementLine
	Pager  pager
}

func (c *console) payout(v *visit) error {
	ctx := v.r.Context()
	payout, err := c.app.Payout(ctx, v.m.ID, chi.URLParam(v.r, "payout"))
	if err != nil {
		return err
	}
	page := pageOf(v.r.URL.Query())
	lines, err := c.app.Lines(ctx, v.m.ID, "", payout.ID, page*pageSize, pageSize)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "/console/settlements", "payout", v.say("payout.title", payout.Date.String()), payoutPage{
		Payout: payout, Lines: lines,
		Pager: newPager(page, len(lines), payout.Lines, func(n int) string {
			return pageAddress("/console/settlements/"+payout.ID, url.Values{}, n)
		}),
	})
}
