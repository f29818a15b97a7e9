package wirev2

import (
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
)

// Bounds of texts, in characters, and of lists.
const (
	orderNameMax    = 100
	customDataMax   = 10_000
	nameMax         = 40
	emailMax        = 254
	phoneMax        = 20
	zipcodeMax      = 8
	addressLineMax  = 100
	relationshipMax = 20
	reasonMax       = 256
	channelMax      = 100
	tokenMax        = 1000
	paymentTokenMax = 4000
	productsMax     = 100
	productTextMax  = 100
	quantityMax     = 1_000_000
	invoiceMax      = 40
	hoursMax        = 24 * 180
	holderMax       = 40
)

func won(f *body.Fields, name string) money.Won {
	n, _ := f.Won(name)
	return money.Won(n)
}

// takeCurrency takes the currency, which is won wherever it is said.
func takeCurrency(f *body.Fields) { f.OneOf("currency", CurrencyKRW) }

// amounts are what an order costs: at least one won, of which a part is free of tax and
// another the tax.
type amounts struct{ total, taxFree, vat money.Won }

func takeAmounts(f *body.Fields) amounts {
	o := f.Object("amount")
	if o.Given() {
		o.Require("total")
	}
	total, _ := o.Int("total", 1, body.WonMax)
	return amounts{money.Won(total), won(o, "taxFree"), won(o, "vat")}
}

// PreRegistration is an amount that a shop registers before its window opens; zero if
// it registers none.
type PreRegistration struct {
	StoreID string
	Total   money.Won
}

// TakePreRegistration takes the parameters of a registration.
func TakePreRegistration(f *body.Fields) PreRegistration {
	takeCurrency(f)
	won(f, "taxFreeAmount")
	total, _ := f.Int("totalAmount", 1, body.WonMax)
	return PreRegistration{StoreID: takeStoreID(f), Total: money.Won(total)}
}

func takeStoreID(f *body.Fields) string { return f.Text("storeId", identifierMax) }

// InstantOrder is a payment that a shop asks for without a window.
type InstantOrder struct {
	StoreID      string
	Channel      string // empty if the shop names none
	ChannelGroup string
	// Account says that a virtual account is meant; nothing else can be had.
	Account bool
	Open    escrow.Open // without the merchant and the id
	Bank    string      // national three-digit code
	Holder  string      // empty if the shop does not say
	Hours   int64       // to pay in; zero if Due says it
	Due     time.Time
	Fixed   bool // an account that belongs to the buyer for good is meant
	Receipt bool // a cash receipt is wanted with the deposit
}

// TakeInstant takes the parameters of a payment without a window.
func TakeInstant(f *body.Fields) InstantOrder {
	f.Require("method", "orderName", "amount", "currency")
	takeCurrency(f)
	amount := takeAmounts(f)
	asked, _ := f.Bool("isEscrow")
	data, _ := f.JSONText("customData", customDataMax)
	o := InstantOrder{
		StoreID: takeStoreID(f), Channel: f.Text("channelKey", channelMax), ChannelGroup: f.Text("channelGroupId", channelMax),
		Open: escrow.Open{
			V2: true, Method: escrow.VirtualAccount, Goods: takeGoods(f), Escrow: asked, Amount: amount.total, TaxFree: amount.taxFree, VAT: amount.vat,
			Name: f.Text("orderName", orderNameMax), Buyer: takeCustomer(f), Device: "api", CustomData: data, NoticeURLs: order.CallURLs(f, "noticeUrls"),
			Products: takeProducts(f),
		},
	}
	// It silences no notice of a deposit, and the issuing of an account is told to the
	// shop that asked for it anyway.
	f.Bool("skipWebhook")
	f.Int("productCount", 1, quantityMax)
	o.takeMethod(f.Object("method"))
	return o
}

var (
	reasonOneExpiry = body.Reason{Code: "expiry", English: "needs validHours or dueDate, and not both", Korean: "validHours와 dueDate 중 하나가 필요합니다"}
	reasonName      = body.Reason{Code: "name", English: "needs full, or separated with first and last", Korean: "full 또는 separated(first, last)가 필요합니다"}
)

func (o *InstantOrder) takeMethod(f *body.Fields) {
	account := f.Object("virtualAccount")
	if o.Account = account.Given(); !o.Account {
		return
	}
	account.Require("bank", "expiry", "option")
	o.Bank, o.Holder = TakeBank(account, "bank"), account.Text("remitteeName", holderMax)
	option := account.Object("option")
	if option.Given() {
		option.Require("type")
	}
	o.Fixed = option.OneOf("type", "NORMAL", "FIXED") == "FIXED"
	receipt := account.Object("cashReceipt").OneOf("type", "PERSONAL", "CORPORATE", "NO_RECEIPT")
	o.Receipt = receipt != "" && receipt != "NO_RECEIPT"
	expiry := account.Object("expiry")
	o.Hours, _ = expiry.Int("validHours", 1, hoursMax)
	o.Due, _ = expiry.Instant("dueDate")
	if expiry.Given() && expiry.Has("validHours") == expiry.Has("dueDate") {
		account.Refuse("expiry", reasonOneExpiry)
	}
}

// takeGoods takes productType. Goods are physical unless the shop says otherwise.
func takeGoods(f *body.Fields) escrow.Goods {
	if f.OneOf("productType", "PHYSICAL", "DIGITAL") == "DIGITAL" {
		return escrow.Digital
	}
	return escrow.Physical
}

// takeCustomer takes what is known of the buyer. A name is sent in one piece or in two.
func takeCustomer(f *body.Fields) escrow.Party {
	c := f.Object("customer")
	p := escrow.Party{Email: c.Text("email", emailMax), Phone: c.Text("phoneNumber", phoneMax), Postcode: c.Text("zipcode", zipcodeMax), Address: takeAddress(c)}
	name := c.Object("name")
	p.Name = name.Text("full", nameMax)
	if parts := name.Object("separated"); p.Name == "" && parts.Given() {
		parts.Require("first", "last")
		p.Name = strings.TrimSpace(parts.Text("last", nameMax/2) + parts.Text("first", nameMax/2))
	}
	if name.Given() && p.Name == "" && !name.Has("separated") {
		c.Refuse("name", reasonName)
	}
	return p
}

// takeAddress takes an address of two lines, both of which it must have.
func takeAddress(f *body.Fields) string {
	a := f.Object("address")
	if a.Given() {
		a.Require("addressLine1", "addressLine2")
	}
	parts := []string{a.Text("province", addressLineMax), a.Text("city", addressLineMax), a.Text("addressLine1", addressLineMax), a.Text("addressLine2", addressLineMax)}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

func takeProducts(f *body.Fields) (out []escrow.Product) {
	for _, p := range f.Objects("products", productsMax) {
		p.Require("id", "name", "amount", "quantity")
		quantity, _ := p.Int("quantity", 1, quantityMax)
		out = append(out, escrow.Product{
			ID: p.Text("id", productTextMax), Name: p.Text("name", productTextMax), Code: p.Text("code", productTextMax), Tag: p.Text("tag", productTextMax),
			Amount: won(p, "amount"), Quantity: quantity,
		})
	}
	return out
}

// Cancel is a cancel that a shop asks for.
type Cancel struct {
	StoreID string
	Command escrow.Cancel
}

// TakeCancel takes the parameters of a cancel. The shop is told by its webhook unless
// it says otherwise.
func TakeCancel(f *body.Fields) Cancel {
	f.Require("reason")
	amount, given := f.Int("amount", 1, body.WonMax)
	if !given {
		amount = 0
	}
	quiet, _ := f.Bool("skipWebhook")
	cmd := escrow.Cancel{
		Amount: money.Won(amount), TaxFree: won(f, "taxFreeAmount"), VAT: won(f, "vatAmount"), Reason: f.Lines("reason", reasonMax), Notify: !quiet,
		Account: takeRefundAccount(f),
	}
	if expected, given := f.Won("currentCancellableAmount"); given {
		cmd.Expected = new(money.Won)
		*cmd.Expected = money.Won(expected)
	}
	// Nothing follows from these: both are the shop's, and there are no promotions.
	f.OneOf("requester", "CUSTOMER", "ADMIN")
	f.OneOf("promotionDiscountRetainOption", "RETAIN", "RELEASE")
	f.Text("refundEmail", emailMax)
	return Cancel{StoreID: takeStoreID(f), Command: cmd}
}

func takeRefundAccount(f *body.Fields) escrow.BankAccount {
	a := f.Object("refundAccount")
	if a.Given() {
		a.Require("bank", "number", "holderName")
	}
	a.Text("holderPhoneNumber", phoneMax)
	return escrow.BankAccount{Bank: TakeBank(a, "bank"), Number: order.AccountNumber(a, "number"), Holder: a.Text("holderName", holderMax)}
}

// Shipment is a delivery that a shop registers or corrects.
type Shipment struct {
	StoreID   string
	Delivery  escrow.Delivery
	SendEmail bool
}

// reasonInvoice refuses what no carrier prints.
var reasonInvoice = body.Reason{Code: "invoice", English: "is no tracking number", Korean: "운송장번호로 사용할 수 없는 문자가 있습니다"}

// TakeShipment takes the parameters of a registration.
func TakeShipment(f *body.Fields) Shipment {
	f.Require("logistics")
	l := f.Object("logistics")
	if l.Given() {
		l.Require("company", "invoiceNumber", "sentAt")
	}
	carrier, invoice := l.OneOf("company", carriers...), l.Text("invoiceNumber", invoiceMax)
	if invoice != "" && carrier != "" && !krcarrier.Number(carrier, invoice) {
		l.Refuse("invoiceNumber", reasonInvoice)
	}
	sent, _ := l.Instant("sentAt")
	l.Instant("receivedAt")
	takeAddress(l)
	mailed, given := f.Bool("sendEmail")
	return Shipment{
		StoreID: takeStoreID(f), SendEmail: mailed || !given,
		Delivery: escrow.Delivery{
			Parcels: []escrow.Parcel{{Carrier: carrier, Number: invoice}}, Trackable: krcarrier.Trackable(carrier), Sender: takeParty(f, "sender"),
			Recipient: takeParty(f, "receiver"), Products: takeProducts(f), SentAt: sent,
		},
	}
}

func takeParty(f *body.Fields, name string) escrow.Party {
	p := f.Object(name)
	party := escrow.Party{Name: p.Text("name", nameMax), Phone: p.Text("phoneNumber", phoneMax), Postcode: p.Text("zipcode", zipcodeMax), Address: takeAddress(p)}
	if name == "sender" {
		party.Relationship = p.Text("relationship", relationshipMax)
	}
	return party
}

// Approval is the manual approval of a payment. What is nil or empty was not said.
type Approval struct {
	StoreID, Token, TxID, Currency string
	Total, TaxFree                 *money.Won
	Test                           *bool
}

// TakeApproval takes the parameters of a manual approval. Those beside the token are
// for comparison alone; skipWebhook changes nothing.
func TakeApproval(f *body.Fields) Approval {
	f.Require("paymentToken")
	a := Approval{
		StoreID: takeStoreID(f), Token: f.Ident("paymentToken", paymentTokenMax), TxID: f.Text("txId", identifierMax), Currency: f.Text("currency", identifierMax),
		Total: wonIfSaid(f, "totalAmount"), TaxFree: wonIfSaid(f, "taxFreeAmount"),
	}
	if test, said := f.Bool("isTest"); said {
		a.Test = &test
	}
	f.Bool("skipWebhook")
	return a
}

// wonIfSaid takes an amount that may be left out.
func wonIfSaid(f *body.Fields, name string) *money.Won {
	n, said := f.Won(name)
	if !said {
		return nil
	}
	amount := money.Won(n)
	return &amount
}

// ReceiptOrder is a cash receipt that a shop asks for.
type ReceiptOrder struct {
	StoreID, PaymentID string
	Channel            string // empty if the shop names none
	Identity           string // with or without hyphens
	Facts              ReceiptFacts
}

// TakeReceipt takes the parameters of a cash receipt. identify reads the number that it
// is for.
func TakeReceipt(f *body.Fields, identify func(string) (string, bool)) ReceiptOrder {
	f.Require("paymentId", "type", "orderName", "currency", "amount", "customer")
	takeCurrency(f)
	amount := takeAmounts(f)
	customer := f.Object("customer")
	if customer.Given() {
		customer.Require("identityNumber")
	}
	customer.OneOf("identityNumberType", "PHONE", "CARD", "BUSINESS")
	customer.Text("name", nameMax)
	customer.Text("email", emailMax)
	customer.Text("phoneNumber", phoneMax)
	takeGoods(f)
	f.Instant("paidAt")
	f.Text("businessRegistrationNumber", identifierMax)
	f.OneOf("paymentMethod", "TRANSFER", "VIRTUAL_ACCOUNT")
	if amount.taxFree+amount.vat > amount.total && amount.total > 0 {
		f.Refuse("amount", reasonParts)
	}
	return ReceiptOrder{
		StoreID: takeStoreID(f), Channel: f.Text("channelKey", channelMax), PaymentID: f.Ident("paymentId", PaymentIDMax),
		Identity: customer.Spelt("identityNumber", nameMax, reasonIdentity, identify),
		Facts: ReceiptFacts{
			Company: f.OneOf("type", "PERSONAL", "CORPORATE") == "CORPORATE", Name: f.Text("orderName", orderNameMax),
			Amount: amount.total, TaxFree: amount.taxFree, VAT: amount.vat, VATGiven: f.Object("amount").Has("vat"),
		},
	}
}

var (
	reasonParts    = body.Reason{Code: "parts", English: "the tax-free amount and VAT exceed the total", Korean: "면세금액과 부가세의 합이 총액을 초과할 수 없습니다"}
	reasonIdentity = body.Reason{Code: "identity", English: "must have 10 to 19 digits", Korean: "10~19자리 숫자여야 합니다"}
)

// TakeStoreOnly takes a body of which nothing but the shop follows, and further members
// that are read so that a wrong form of them is refused.
func TakeStoreOnly(f *body.Fields, switches ...string) string {
	for _, name := range switches {
		f.Bool(name)
	}
	return takeStoreID(f)
}

// WebhookWanted is which webhook a shop wants again; empty for the latest.
func WebhookWanted(f *body.Fields) (storeID, id string) {
	return takeStoreID(f), f.Text("webhookId", identifierMax)
}
