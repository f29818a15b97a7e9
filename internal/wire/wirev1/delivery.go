package wirev1

import "github.com/holdfast-pay/holdfast/internal/escrow"

// Delivery is a registered delivery on the wire. None of its values is ever
// null: Java clients take them without looking.
type Delivery struct {
	Company   string `json:"company"`
	Invoice   string `json:"invoice"`
	SentAt    int64  `json:"sent_at"`
	AppliedAt int64  `json:"applied_at"`
}

// NewDelivery shows the delivery of a payment, which must have one. This
// dialect knows one parcel; of several it shows the first.
func NewDelivery(d *escrow.Delivery) Delivery {
	parcel := d.Parcels[0]
	applied := d.RegisteredAt
	if d.ChangedAt.After(applied) {
		applied = d.ChangedAt
	}
	return Delivery{Company: CompanyOf(parcel.Carrier), Invoice: parcel.Number, SentAt: d.SentAt.Unix(), AppliedAt: applied.Unix()}
}
