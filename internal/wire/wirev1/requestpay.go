package wirev1

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
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
	noticeURLsMax    = 10
	urlMax           = 2000
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
		OrderID: f.Ident("merchant_uid", orderIDMax), Name: cut(f.Text("name", orderNameReadMax), orderNameMax),
		Buyer: TakeBuyer(f), NoticeURLs: takeURLs(f, "notice_url"), ConfirmURL: takeURL(f, "confirm_url"), RedirectURL: takeRedirect(f),
		Due: takeDue(f), Products: takeProducts(f),
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

func cut(s string, limit int) string {
	runes := []rune(s)
	return string(runes[:min(limit, len(runes))])
}

var reasonURL = body.Reason{Code: "url", English: "must be an http or https URL without credentials or fragment; a port is 1 to 65535", Korean: "계정 정보와 프래그먼트가 없는 http 또는 https 주소여야 합니다. 포트는 1부터 65535까지입니다"}

func takeURL(f *body.Fields, name string) string {
	u := f.Text(name, urlMax)
	if u != "" && merchant.CheckURL(u) != nil {
		f.Refuse(name, reasonURL)
	}
	return u
}

func takeURLs(f *body.Fields, name string) []string {
	urls := f.Texts(name, noticeURLsMax, urlMax)
	if slices.ContainsFunc(urls, func(u string) bool { return merchant.CheckURL(u) != nil }) {
		f.Refuse(name, reasonURL)
	}
	return urls
}

var reasonRedirect = body.Reason{Code: "url", English: "must be an absolute http or https URL, or one of app_scheme", Korean: "http 또는 https로 시작하거나 app_scheme으로 시작하는 전체 주소여야 합니다"}

// reasonUserInfo refuses what makes one site look like another.
var reasonUserInfo = body.Reason{Code: "url", English: "must not carry a user name or password", Korean: "주소에 사용자 이름이나 비밀번호를 넣을 수 없습니다"}

// takeRedirect takes the address to which the window leads when it is done. The
// browser follows it, so only web addresses and the shop's own app are allowed.
func takeRedirect(f *body.Fields) string {
	raw, app := f.Text("m_redirect_url", urlMax), f.Text("app_scheme", productTextMax)
	if raw == "" {
		return ""
	}
	app, _, _ = strings.Cut(strings.ToLower(app), ":")
	u, err := url.Parse(raw)
	switch {
	case err == nil && u.User != nil:
		f.Refuse("m_redirect_url", reasonUserInfo)
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
	case err == nil && u.Scheme != "" && u.Scheme == app && !slices.Contains(scriptSchemes, u.Scheme):
	default:
		f.Refuse("m_redirect_url", reasonRedirect)
	}
	return raw
}

// scriptSchemes are schemes that a browser runs or reads in its own name.
var scriptSchemes = []string{"javascript", "data", "vbscript", "blob", "file", "about"}

// dueLayouts are the four notations of a due time, all in Korean time.
var dueLayouts = []struct {
	layout  string
	dateful bool // a date alone
}{
	{"2006-01-02", true}, {"20060102", true}, {"2006-01-02 15:04:05", false}, {"20060102150405", false},
}

var reasonDue = body.Reason{
	Code: "due", English: "must be Korean time as YYYY-MM-DD, YYYYMMDD, YYYY-MM-DD HH:mm:ss or YYYYMMDDHHmmss",
	Korean: "한국 시각을 YYYY-MM-DD, YYYYMMDD, YYYY-MM-DD HH:mm:ss, YYYYMMDDHHmmss 중 한 형식으로 입력해야 합니다",
}

func takeDue(f *body.Fields) time.Time {
	text := f.Text("vbank_due", len("2006-01-02 15:04:05"))
	if text == "" {
		return time.Time{}
	}
	for _, l := range dueLayouts {
		at, err := time.ParseInLocation(l.layout, text, kst)
		switch {
		case err != nil:
		case l.dateful:
			return at.AddDate(0, 0, 1).Add(-time.Second).UTC()
		default:
			return at.UTC()
		}
	}
	f.Refuse("vbank_due", reasonDue)
	return time.Time{}
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
