package escrow

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-pay/holdfast/internal/fault"
)

// The carrier of a shop that delivers by itself, and the one that stands for
// every carrier without tracking.
const (
	SelfDelivery = "SELF"
	OtherCarrier = "ETC"
)

const (
	maxParcels = 20
	// maxNumber bounds a tracking number, in characters; the longest in use have about thirty.
	maxNumber = 50
	// firstLook is how long after a registration the carrier is first asked.
	firstLook = time.Hour
	// lookAgain is the pause between two questions to the carrier.
	lookAgain = 4 * time.Hour
	// lookBack is how long before its sending a parcel may have been delivered,
	// to allow for clocks.
	lookBack = 12 * time.Hour
)

func (a *act) registerDelivery(c RegisterDelivery) error {
	if err := a.shippable(); err != nil {
		return err
	}
	if err := a.checkParcels(c.Parcels, c.SentAt); err != nil {
		return err
	}
	now := a.env.Now
	a.p.Delivery = &Delivery{
		Parcels: newParcels(c.Parcels), Trackable: trackable(c.Parcels, c.Trackable), Sender: c.Sender, Recipient: c.Recipient, Products: c.Products,
		SentAt: c.SentAt, RegisteredAt: now, ChangedAt: now, SendEmail: c.SendEmail,
	}
	a.p.State = Shipped
	a.p.LinkVersion++
	a.track()
	a.done(TaskCancelAsked)
	a.p.CancelAskedAt, a.p.CancelAskedFor = time.Time{}, ""
	a.emit(Event{Type: EventDeliveryRegistered, Kind: c.Parcels[0].Carrier, Ref: c.Parcels[0].Number})
	a.tell(MailShipped)
	a.recount = true
	return nil
}

// shippable refuses a first registration with the reason that helps the shop.
func (a *act) shippable() error {
	switch {
	case a.p.State == Opened || a.p.State == AwaitingDeposit || a.p.State == Failed:
		return refuse(NotPaid, "", "the payment is %s: a delivery can be registered once it is paid", a.p.State)
	case !a.p.Escrow:
		return refuse(NotEscrow, "", "this is an ordinary payment; only an escrow needs a delivery registration")
	case a.p.Delivery != nil:
		return refuse(AlreadyRegistered, "", "a delivery is registered; correct it instead of registering again")
	}
	if err := a.in(Held); err != nil {
		return err
	}
	if a.p.Hold != nil {
		return refuse(WrongState, "", "the payment is on hold; the hold must be released before the goods are shipped")
	}
	return nil
}

// trackable reports whether any of the parcels can be tracked: what the shop
// carries itself never is, nor is a carrier that Holdfast does not know.
func trackable(parcels []Parcel, offered bool) bool {
	return offered && slices.ContainsFunc(parcels, func(p Parcel) bool { return p.Carrier != SelfDelivery && p.Carrier != OtherCarrier })
}

func (a *act) checkParcels(parcels []Parcel, sentAt time.Time) error {
	if len(parcels) == 0 {
		return refuse(Invalid, "logis", "at least one parcel is required")
	}
	if len(parcels) > maxParcels {
		return refuse(Invalid, "logis", "at most %d parcels", maxParcels)
	}
	numbers := map[string]bool{}
	for _, p := range newParcels(parcels) {
		if err := a.checkParcel(p); err != nil {
			return err
		}
		if p.Number != "" && numbers[p.Number] {
			return refuse(Invalid, "logis.invoice", "the tracking number %s is given twice", p.Number)
		}
		numbers[p.Number] = true
	}
	if sentAt.IsZero() {
		return refuse(Invalid, "logis.sent_at", "the time of sending is required")
	}
	if sentAt.After(a.env.Now.Add(24 * time.Hour)) {
		return refuse(Invalid, "logis.sent_at", "the time of sending lies in the future")
	}
	return nil
}

func (a *act) checkParcel(p Parcel) error {
	switch {
	case p.Carrier == "":
		return refuse(Invalid, "logis.company", "the carrier is required")
	case p.Carrier == SelfDelivery && !a.env.Profile.SelfDelivery:
		return refuseFor(CauseSelf, ByPolicy, "logis.company", "this shop may not deliver by itself (policy.selfDelivery)")
	case p.Carrier != SelfDelivery && p.Number == "":
		return refuse(Invalid, "logis.invoice", "the tracking number is required")
	case utf8.RuneCountInString(p.Number) > maxNumber:
		return refuse(Invalid, "logis.invoice", "a tracking number has at most %d characters", maxNumber)
	}
	return nil
}

func newParcels(in []Parcel) []Parcel {
	out := make([]Parcel, len(in))
	for i, p := range in {
		out[i] = Parcel{Carrier: p.Carrier, Number: strings.TrimSpace(p.Number)}
	}
	return out
}

// tell owes the buyer a mail that says what silence means, and puts the notice
// guard on it. A buyer without an address cannot be told by mail; a person has
// to do it (policy strictNotice).
func (a *act) tell(m Mail) {
	a.mail(m)
	switch {
	case a.p.Buyer.Email == "":
		if a.env.Profile.StrictNotice {
			a.task(TaskNoticeFailed)
		}
	case a.p.Notice == NoticeNone:
		a.p.Notice = NoticePending
	}
}

// track plans the first question to the carrier, if it can be asked at all.
func (a *act) track() {
	a.p.TrackAt = time.Time{}
	if a.p.Tracked() {
		a.p.TrackAt = a.env.Now.Add(firstLook)
	}
}

func (a *act) amendDelivery(c AmendDelivery) error {
	if !a.p.Escrow {
		return refuse(NotEscrow, "", "this is an ordinary payment; it has no delivery registration")
	}
	if a.p.Delivery == nil {
		return refuse(NotRegistered, "", "no delivery is registered yet")
	}
	if err := a.in(Shipped, Delivered); err != nil {
		return err
	}
	if !a.env.Profile.AllowModify {
		return refuseFor(CauseModify, ByPolicy, "", "this shop's registrations may not be corrected (policy.allowModify)")
	}
	if err := a.checkParcels(c.Parcels, c.SentAt); err != nil {
		return err
	}
	d := a.p.Delivery
	parcels := newParcels(c.Parcels)
	moved := !slices.EqualFunc(d.Parcels, parcels, func(x, y Parcel) bool { return x.Carrier == y.Carrier && x.Number == y.Number })
	same := d.Sender == c.Sender && d.Recipient == c.Recipient && slices.Equal(d.Products, c.Products) && d.SentAt.Equal(c.SentAt)
	if same && !moved {
		a.unchanged = true
		return nil
	}
	d.Sender, d.Recipient, d.Products, d.SentAt = c.Sender, c.Recipient, c.Products, c.SentAt
	if moved {
		d.Parcels, d.Trackable, d.ChangedAt = parcels, trackable(parcels, c.Trackable), a.env.Now
		d.DeliveredAt, d.KnownAt = time.Time{}, time.Time{}
		a.p.State = Shipped
		a.done(TaskParcelOverdue)
		a.track()
	}
	a.emit(Event{Type: EventDeliveryChanged, Kind: c.Parcels[0].Carrier, Ref: c.Parcels[0].Number})
	a.tell(MailDeliveryChanged)
	a.recount = true
	return nil
}

// reportTracking takes what a carrier says. Silence is no news: it neither
// makes a parcel untrackable nor delivered.
func (a *act) reportTracking(c ReportTracking) error {
	d := a.p.Delivery
	i := -1
	if d != nil {
		i = slices.IndexFunc(d.Parcels, func(p Parcel) bool { return p.Number == c.Number })
	}
	if i < 0 {
		return refuse(NotRegistered, "number", "no parcel with this tracking number is registered")
	}
	if !a.p.Tracked() || !d.Parcels[i].DeliveredAt.IsZero() {
		a.unchanged = true
		return nil
	}
	a.p.TrackAt = a.env.Now.Add(lookAgain)
	if c.NextAt.After(a.env.Now) {
		a.p.TrackAt = c.NextAt
	}
	if !c.DeliveredAt.IsZero() && c.DeliveredAt.After(a.env.Now.Add(clockSkew)) {
		return refuse(Invalid, "delivered_at", "the delivery lies in the future")
	}
	if !c.DeliveredAt.IsZero() && c.DeliveredAt.Before(d.SentAt.Add(-lookBack)) {
		return refuse(Invalid, "delivered_at", "the delivery lies before the sending; the tracking number may belong to another parcel")
	}
	if (c.Seen || !c.DeliveredAt.IsZero()) && d.Parcels[i].Seen.IsZero() {
		first := !d.Seen()
		d.Parcels[i].Seen = a.env.Now
		if first {
			a.emit(Event{Type: EventInTransit, Kind: d.Parcels[i].Carrier, Ref: c.Number})
			a.recount = true
		}
	}
	if !c.DeliveredAt.IsZero() {
		d.Parcels[i].DeliveredAt = c.DeliveredAt
		a.arrived()
	}
	return nil
}

// arrived makes the payment Delivered once its last parcel is there (row 9).
func (a *act) arrived() {
	d := a.p.Delivery
	var last time.Time
	for _, p := range d.Parcels {
		if p.DeliveredAt.IsZero() {
			return
		}
		if p.DeliveredAt.After(last) {
			last = p.DeliveredAt
		}
	}
	d.DeliveredAt, d.KnownAt = last, a.env.Now
	a.done(TaskParcelOverdue)
	if a.p.State != Shipped {
		return // the buyer rejected before it came; the rejection stands
	}
	a.p.State = Delivered
	a.emit(Event{Type: EventDelivered, Due: last})
	a.tell(MailDelivered)
	a.recount = true
}

func (a *act) markDelivered(c MarkDelivered) error {
	if a.p.State == Delivered {
		a.unchanged = true
		return nil
	}
	if err := a.in(Shipped); err != nil {
		return err
	}
	if c.At.IsZero() || c.At.After(a.env.Now) || c.At.Before(a.p.Delivery.SentAt.Add(-lookBack)) {
		return refuse(Invalid, "at", "the delivery must lie between the sending and now")
	}
	for i := range a.p.Delivery.Parcels {
		if a.p.Delivery.Parcels[i].DeliveredAt.IsZero() {
			a.p.Delivery.Parcels[i].DeliveredAt = c.At
		}
	}
	a.arrived()
	return nil
}

// noticeResult records whether the buyer was reached. A bounce after a
// delivery withdraws it: the buyer was not told after all, unless a person has
// told them in another way.
func (a *act) noticeResult(c NoticeResult) error {
	if err := a.in(Shipped, Delivered); err != nil {
		a.unchanged = true // the notice no longer matters
		return nil
	}
	if c.Delivered {
		if a.p.Notice == NoticeDelivered {
			a.unchanged = true
			return nil
		}
		a.p.Notice, a.p.NoticeAt, a.p.NoticeBy = NoticeDelivered, a.env.Now, a.env.Actor
		a.done(TaskNoticeFailed)
		a.emit(Event{Type: EventNoticeDelivered, Reason: c.Reason})
		a.recount = true
		return nil
	}
	if fault.Planted(fault.BounceIgnored) || a.p.Notice == NoticeFailed || (a.p.NoticeBy == Operator && a.env.Actor != Operator) {
		a.unchanged = true
		return nil
	}
	a.p.Notice, a.p.NoticeAt, a.p.NoticeBy = NoticeFailed, time.Time{}, ""
	a.task(TaskNoticeFailed)
	a.emit(Event{Type: EventNoticeFailed, Reason: c.Reason})
	a.recount = true
	return nil
}

func (a *act) renewLink() error {
	if a.p.Delivery == nil {
		return refuse(NotRegistered, "", "there is nothing to decide before a delivery is registered")
	}
	if a.p.Buyer.Email == "" {
		return refuse(Invalid, "buyer_email", "the buyer has no mail address")
	}
	a.p.LinkVersion++
	a.emit(Event{Type: EventLinkRenewed})
	if a.p.State == Shipped || a.p.State == Delivered {
		a.tell(MailLink)
		return nil
	}
	a.mail(MailLink)
	return nil
}
