package wirev1

import (
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
)

// Bounds of the parameters of request_pay, in characters where they are texts.
const (
	orderIDMax       = 40
	orderNameMax     = 40 // longer names are cut: they are only shown
	orderNameReadMax = 1000
	buyerNameMax     = 16
	buyerEmailMax    = 64
	buyerTelMax      = 16
	buyerAddrMax     = 128
	buyerPostcodeMax = 8
	customDataMax    = 10_000
	productsMax      = 100
	productTextMax   = 200
	quantityMax      = 1_000_000
)

// RequestPay are the parameters of IMP.request_pay: what a shop's page asks of
// the payment window.
type RequestPay struct {
	// Channel is channelKey, or the older pg.
	Channel string
	// Method is empty if the shop leaves the choice to the buyer.
	Method  escrow.Method
	OrderID string // merchant_uid; may be empty, see OrderIDOf
	Name    string
	Amount  money.Won
	TaxFree money.Won
	VAT     money.Won
	// Escrow is the shop's own request; the buyer may choose an escrow beyond it.
	Escrow  bool
	Digital bool
	Buyer   escrow.Party
	// English says that the window and the mails are in English: language is
	// given and is not ko.
	English    bool
	CustomData string // JSON text
	NoticeURLs []string
	ConfirmURL string
	// RedirectURL is m_redirect_url: http, https, or the app_scheme of the same request.
	RedirectURL string
	// Due is vbank_due; zero if the shop does not say. A date alone means its
	// last second in Korea.
	Due      time.Time
	Products []escrow.Product
}

// TakeRequestPay takes the parameters out of a request. Members that the
// dialect has for other purposes are ignored. The caller asks f.Err before it
// uses the result.
func TakeRequestPay(f *body.Fields) RequestPay {
	p := RequestPay{
		Channel: f.Text("channelKey", productTextMax), Method: payMethods[f.OneOf("pay_method", "card", "trans", "vbank")],
		OrderID: f.Ident("merchant_uid", orderIDMax), Name: order.Cut(f.Text("name", orderNameReadMax), orderNameMax),
		Buyer: TakeBuyer(f), NoticeURLs: order.CallURLs(f, "notice_url"), ConfirmURL: order.CallURL(f, "confirm_url"),
		RedirectURL: order.ReturnURL(f, "m_redirect_url", "app_scheme"),
		Due:         order.Due(f, "vbank_due"), Products: takeProducts(f),
	}
	if pg := f.Text("pg", productTextMax); p.Channel == "" {
		p.Channel = pg
	}
	f.Require("amount")
	p.Amount, p.TaxFree, p.VAT = takeWon(f, "amount"), takeWon(f, "tax_free"), takeWon(f, "vat_amount")
	p.Escrow, _ = f.Bool("escrow")
	p.Digital, _ = f.Bool("digital")
	p.CustomData, _ = f.JSONText("custom_data", customDataMax)
	f.OneOf("currency", CurrencyKRW)
	language := f.OneOf("language", "ko", "en", "zh")
	p.English = language != "" && language != "ko"
	return p
}

// payMethods are the words of pay_method.
var payMethods = map[string]escrow.Method{"card": escrow.Card, "trans": escrow.BankTransfer, "vbank": escrow.VirtualAccount}

// OrderIDOf is the order id that the dialect gives to a request without one.
func OrderIDOf(now time.Time) string { return "nobody_" + strconv.FormatInt(now.UnixMilli(), 10) }

// Open is the command by which the payment begins, without the merchant and the
// id, which the door gives it.
func (p RequestPay) Open() escrow.Open {
	goods := escrow.Physical
	if p.Digital {
		goods = escrow.Digital
	}
	return escrow.Open{
		OrderID: p.OrderID, Method: p.Method, Goods: goods, Escrow: p.Escrow, Amount: p.Amount, TaxFree: p.TaxFree, VAT: p.VAT,
		Name: p.Name, Buyer: p.Buyer, English: p.English, CustomData: p.CustomData, NoticeURLs: p.NoticeURLs,
		RedirectURL: p.RedirectURL, ConfirmURL: p.ConfirmURL, Products: p.Products,
	}
}

func takeWon(f *body.Fields, name string) money.Won {
	n, _ := f.Won(name)
	return money.Won(n)
}

// takeProducts takes the goods under whichever name the shop's gateway has for them.
func takeProducts(f *body.Fields) []escrow.Product {
	var products []escrow.Product
	for _, name := range []string{"products", "kcpProducts", "kiccProducts"} {
		id, amount := "orderNumber", "amount"
		if name == "products" {
			id, amount = "id", "unitPrice"
		}
		for _, o := range f.Objects(name, productsMax) {
			p := escrow.Product{
				ID: o.Text(id, productTextMax), Name: o.Text("name", productTextMax), Code: o.Text("code", productTextMax),
				Amount: takeWon(o, amount), Quantity: 1,
			}
			if n, ok := o.Int("quantity", 1, quantityMax); ok {
				p.Quantity = n
			}
			products = append(products, p)
		}
	}
	return products
}
