package sandbox

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// script is what a shop's developer calls the fate of a parcel.
type script string

// The scripts.
const (
	scriptUsual      script = "usual"
	scriptDeliverNow script = "deliver_now"
	scriptDeliverAt  script = "deliver_at"
	scriptNeverSeen  script = "never_seen"
	scriptLost       script = "lost"
	scriptPickup     script = "pickup"
	scriptReturned   script = "returned"
	scriptDown       script = "down"
)

// fates are the scripts in the carrier's words; timed ones happen at an instant.
var fates = map[script]carrier.Fate{
	scriptUsual: carrier.Usual, scriptDeliverNow: carrier.DeliverAt, scriptDeliverAt: carrier.DeliverAt, scriptNeverSeen: carrier.NeverSeen,
	scriptLost: carrier.Lost, scriptPickup: carrier.LeftInShop, scriptReturned: carrier.SentBack, scriptDown: carrier.Down,
}

func isTimed(f carrier.Fate) bool {
	return f == carrier.DeliverAt || f == carrier.LeftInShop || f == carrier.SentBack
}

func scriptOf(f carrier.Fate) script {
	for _, s := range []script{scriptUsual, scriptDeliverAt, scriptNeverSeen, scriptLost, scriptPickup, scriptReturned, scriptDown} {
		if fates[s] == f {
			return s
		}
	}
	return scriptUsual
}

const (
	companyMax = 40
	invoiceMax = 40
	parcelsMax = 500 // parcels that one answer lists
)

var (
	reasonNotShipped = body.Reason{Code: "not_shipped", English: "no delivery is registered for the payment", Korean: "배송정보가 등록되지 않은 결제입니다"}
	reasonNoParcel   = body.Reason{Code: "no_parcel", English: "no payment of this shop has a parcel with this tracking number", Korean: "이 상점의 결제 중에 해당 운송장번호가 없습니다"}
	reasonNeedsAt    = body.Reason{Code: "missing", English: "is required for this script", Korean: "이 script에는 필수 항목입니다"}
	reasonNoAt       = body.Reason{Code: "no_at", English: "has no meaning for this script", Korean: "이 script에는 사용할 수 없습니다"}
)

// directed is what became of one parcel.
type directed struct {
	ImpUID      string  `json:"imp_uid"`
	Company     string  `json:"company"`
	Invoice     string  `json:"invoice"`
	Script      script  `json:"script"`
	Reachable   bool    `json:"reachable"`
	Seen        bool    `json:"seen"`
	DeliveredAt *string `json:"delivered_at"`
	NextAt      *string `json:"next_at"`
	// Refused is why the core did not believe the carrier; null if it did.
	Refused *string `json:"refused"`
}

type directedAnswer struct {
	Parcels []directed `json:"parcels"`
	Payment life       `json:"payment"`
}

// directParcel says what happens to parcels, and lets the carrier tell at once
// what is already so.
func (s *server) directParcel(ctx context.Context, c *call) (any, error) {
	plan, name := takeScript(c.f)
	p, number, err := s.parcelPayment(ctx, c)
	if err != nil {
		return nil, err
	}
	parcels, err := s.directAs(ctx, &p, number, name, plan)
	if err != nil {
		return nil, err
	}
	out := directedAnswer{Parcels: parcels}
	if p, err = s.app.Payment(ctx, p.Merchant, p.ID); err != nil {
		return nil, err
	}
	out.Payment, err = s.life(ctx, &p)
	return out, err
}

func takeScript(f *body.Fields) (carrier.Script, script) {
	f.Require("script")
	name := script(f.OneOf("script", string(scriptUsual), string(scriptDeliverNow), string(scriptDeliverAt), string(scriptNeverSeen),
		string(scriptLost), string(scriptPickup), string(scriptReturned), string(scriptDown)))
	plan := carrier.Script{Fate: fates[name], At: takeInstant(f, "at")}
	switch wants := isTimed(plan.Fate) && name != scriptDeliverNow; {
	case wants && plan.At.IsZero():
		f.Refuse("at", reasonNeedsAt)
	case !wants && !plan.At.IsZero():
		f.Refuse("at", reasonNoAt)
	}
	return plan, name
}

// parcelPayment finds the payment by imp_uid, or by a parcel's carrier and
// number, and then that number.
func (s *server) parcelPayment(ctx context.Context, c *call) (escrow.Payment, string, error) {
	company, number := c.f.Text("company", companyMax), c.f.Text("invoice", invoiceMax)
	if c.f.Has("imp_uid") {
		p, err := s.payment(ctx, c)
		if err == nil && p.Delivery == nil {
			err = &refusal{http.StatusConflict, "imp_uid", reasonNotShipped}
		}
		return p, "", err
	}
	c.f.Require("company", "invoice")
	if err := c.f.Err(); err != nil {
		return escrow.Payment{}, "", err
	}
	found, _, err := s.app.Payments(ctx, c.m.ID, app.Filter{Text: number}, app.Order{By: "opened", Desc: true}, 0, foundMax)
	if err != nil {
		return escrow.Payment{}, "", err
	}
	for _, p := range found {
		if p.Delivery == nil {
			continue
		}
		for _, parcel := range p.Delivery.Parcels {
			if parcel.Number == number && parcel.Carrier == wirev1.CarrierOf(company) {
				return p, number, nil
			}
		}
	}
	return escrow.Payment{}, "", &refusal{http.StatusNotFound, "invoice", reasonNoParcel}
}

// directAs gives a script to the parcels of a payment; an empty number means all.
func (s *server) directAs(ctx context.Context, p *escrow.Payment, number string, name script, plan carrier.Script) ([]directed, error) {
	now, err := s.app.NowOf(ctx, p.Merchant)
	if err != nil {
		return nil, err
	}
	if name == scriptDeliverNow {
		plan.At = now
	}
	out := []directed{}
	for _, parcel := range p.Delivery.Parcels {
		if number != "" && parcel.Number != number {
			continue
		}
		if err := s.carrier.Direct(ctx, p.Merchant, parcel.Number, plan); err != nil {
			return nil, err
		}
		d, err := s.tell(ctx, p, parcel, now)
		if err != nil {
			return nil, err
		}
		d.Script = name
		out = append(out, d)
	}
	return out, nil
}

// tell brings what the carrier knows of a parcel now to the core.
func (s *server) tell(ctx context.Context, p *escrow.Payment, parcel escrow.Parcel, now time.Time) (directed, error) {
	d := directed{ImpUID: p.ID, Company: wirev1.CompanyOf(parcel.Carrier), Invoice: parcel.Number}
	report, err := s.carrier.Track(ctx, p.Merchant, parcel.Carrier, parcel.Number, now)
	if err != nil {
		// A carrier that cannot be asked is a script like any other; the loops
		// will ask again.
		s.log.InfoContext(ctx, "the simulated carrier gives no answer", "payment", p.ID, "number", parcel.Number, "error", err)
		return d, nil
	}
	d.Reachable, d.Seen, d.DeliveredAt, d.NextAt = true, report.Seen, instant(report.DeliveredAt), instant(report.NextAt)
	_, err = s.app.Do(ctx, escrow.Carrier, p.Merchant, p.ID, escrow.ReportTracking{
		Number: parcel.Number, Seen: report.Seen, DeliveredAt: report.DeliveredAt, NextAt: report.NextAt,
	})
	var no *escrow.Refusal
	if errors.As(err, &no) {
		d.Refused = text(no.Error())
		return d, nil
	}
	return d, err
}

// parcel is a parcel as the simulated carrier keeps it.
type parcel struct {
	Invoice string  `json:"invoice"`
	Company *string `json:"company"` // null before the first question
	Script  script  `json:"script"`
	At      *string `json:"at"`
	AskedAt *string `json:"asked_at"`
}

func (s *server) listParcels(ctx context.Context, c *call) (any, error) {
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	known, err := s.carrier.Parcels(ctx, c.m.ID)
	if err != nil {
		return nil, err
	}
	out := []parcel{}
	for _, p := range known[:min(len(known), parcelsMax)] {
		item := parcel{Invoice: p.Number, Script: scriptOf(p.Script.Fate), At: instant(p.Script.At), AskedAt: instant(p.AskedAt)}
		if p.Carrier != "" {
			item.Company = text(wirev1.CompanyOf(p.Carrier))
		}
		out = append(out, item)
	}
	return out, nil
}
