package apiv1

import (
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// Bounds of a delivery registration.
const (
	partyNameMax    = 40
	partyTelMax     = 20
	partyAddrMax    = 200
	partyLineMax    = 100
	postcodeMax     = 8
	relationshipMax = 20
	companyMax      = 40
	invoiceMax      = 40
	productsMax     = 100
	productTextMax  = 100
	quantityMax     = 1_000_000
)

var (
	reasonInvoice = body.Reason{Code: "invoice", English: "is no tracking number", Korean: wirev1.ReasonInvoice}
	reasonDay     = body.Reason{Code: "day", English: "must be a day as YYYYMMDD", Korean: wirev1.ReasonDay}
)

func (h *api) getDelivery(c *call) answer {
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, delivering, err)
	}
	if p.Delivery == nil {
		code := escrow.NotRegistered
		if !p.Escrow && p.Status() != escrow.StatusReady {
			code = escrow.NotEscrow
		}
		return h.refuse(c, delivering, &escrow.Refusal{Code: code})
	}
	return ok(wirev1.NewDelivery(p.Delivery))
}

func (h *api) registerDelivery(c *call) answer {
	d := readDelivery(c.fields)
	mailed, given := c.fields.Bool("send_email")
	return h.deliver(c, escrow.RegisterDelivery{
		Parcels: d.Parcels, Trackable: d.Trackable, Sender: d.Sender, Recipient: d.Recipient, Products: d.Products,
		SentAt: d.SentAt, SendEmail: mailed || !given,
	})
}

func (h *api) changeDelivery(c *call) answer {
	d := readDelivery(c.fields)
	return h.deliver(c, escrow.AmendDelivery{
		Parcels: d.Parcels, Trackable: d.Trackable, Sender: d.Sender, Recipient: d.Recipient, Products: d.Products, SentAt: d.SentAt,
	})
}

func (h *api) deliver(c *call, cmd escrow.Command) answer {
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, delivering, err)
	}
	if err := c.fields.Err(); err != nil {
		return delivering.fields(err)
	}
	res, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, cmd)
	if err != nil {
		return h.refuse(c, delivering, err)
	}
	return ok(wirev1.NewDelivery(res.Payment.Delivery))
}

// readDelivery reads what was shipped. Who sent it and to whom is optional: some
// clients leave the sender out.
func readDelivery(f *body.Fields) escrow.Delivery {
	f.Require("logis")
	logis := f.Object("logis")
	if logis.Given() {
		logis.Require("company", "invoice", "sent_at")
	}
	carrier := wirev1.CarrierOf(logis.Text("company", companyMax))
	sentAt, _ := logis.UnixSeconds("sent_at")
	if day := logis.Text("receiving_at", 8); day != "" && !isDay(day) {
		logis.Refuse("receiving_at", reasonDay)
	}
	logis.Text("address", partyAddrMax)
	return escrow.Delivery{
		Parcels:   []escrow.Parcel{{Carrier: carrier, Number: readInvoice(logis, carrier)}},
		Trackable: krcarrier.Trackable(carrier), Sender: readParty(f.Object("sender")), Recipient: readParty(f.Object("receiver")),
		Products: readProducts(f), SentAt: time.Unix(sentAt, 0),
	}
}

// isDay reports whether the text is a day of the calendar as YYYYMMDD.
func isDay(text string) bool {
	_, err := time.Parse("20060102", text)
	return err == nil
}

func readInvoice(logis *body.Fields, carrier string) string {
	number := logis.Text("invoice", invoiceMax)
	if number != "" && !krcarrier.Number(carrier, number) {
		logis.Refuse("invoice", reasonInvoice)
	}
	return number
}

func readParty(f *body.Fields) escrow.Party {
	lines := f.Object("formed_address")
	address := f.Text("addr", partyAddrMax)
	formed := strings.TrimSpace(lines.Text("address_line_1", partyLineMax) + " " + lines.Text("address_line_2", partyLineMax))
	if address == "" {
		address = formed
	}
	return escrow.Party{
		Name: f.Text("name", partyNameMax), Phone: f.Text("tel", partyTelMax), Address: address,
		Postcode: f.Text("postcode", postcodeMax), Relationship: f.Text("relationship", relationshipMax),
	}
}

func readProducts(f *body.Fields) []escrow.Product {
	var products []escrow.Product
	for _, p := range f.Objects("products", productsMax) {
		p.Require("id", "name", "amount")
		amount, _ := p.Won("amount")
		quantity, given := p.Int("quantity", 1, quantityMax)
		if !given {
			quantity = 1
		}
		p.OneOf("currency", wirev1.CurrencyKRW)
		products = append(products, escrow.Product{
			ID: p.Text("id", productTextMax), Name: p.Text("name", productTextMax), Code: p.Text("code", productTextMax),
			Amount: money.Won(amount), Quantity: quantity, Tag: p.Text("tag", productTextMax),
		})
	}
	return products
}
