package wirev2

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
)

// Bounds of what only the window's request has, in characters where they are texts.
const (
	windowNameMax    = 1000 // of an order; longer than orderNameMax is cut, for it is only shown
	windowBuyerMax   = 50
	windowAddressMax = 300 // of a line
	windowLocaleMax  = 20
	windowBankMax    = 50
	windowBanksMax   = 50
)

// RequestPayment are the parameters of PortOne.requestPayment: what a shop's
// page asks of the payment window.
type RequestPayment struct {
	StoreID string
	// Channel is channelKey, or else channelGroupId.
	Channel string
	// Open begins the payment, without the merchant, the id and the device, which
	// the door gives it. Its method is empty for a payMethod that Holdfast has
	// nothing of, such as EASY_PAY.
	Open escrow.Open
	// Due is accountExpiry.dueDate; zero if the shop does not say.
	Due time.Time
	// ValidHours is accountExpiry.validHours, counted from the issue of the account; 0
	// if the shop does not say.
	ValidHours int64
	// Banks are the banks that the buyer may choose from, by national code; none
	// means all.
	Banks []string
}

// windowMethods are the words of payMethod, of which Holdfast has some, see methodWords.
var windowMethods = []string{"CARD", "VIRTUAL_ACCOUNT", "TRANSFER", "MOBILE", "GIFT_CERTIFICATE", "EASY_PAY", "PAYPAL", "ALIPAY", "ALIPAY_PLUS", "CONVENIENCE_STORE"}

// TakeRequestPayment takes the parameters out of a request. Members that the
// dialect has for other purposes are ignored. The caller asks f.Err before it
// uses the result.
func TakeRequestPayment(f *body.Fields) RequestPayment {
	f.Require("storeId", "paymentId", "orderName", "totalAmount", "currency", "payMethod")
	word := f.OneOf("payMethod", windowMethods...)
	p := RequestPayment{StoreID: takeStoreID(f), Channel: windowChannel(f)}
	p.Open = escrow.Open{
		V2: true, OrderID: f.Ident("paymentId", PaymentIDMax), Method: methodWords[word], Goods: windowGoods(f),
		Amount: won(f, "totalAmount"), TaxFree: won(f, "taxFreeAmount"), VAT: won(f, "vatAmount"),
		Name: order.Cut(f.Text("orderName", windowNameMax), orderNameMax), Buyer: windowBuyer(f), English: windowEnglish(f),
		NoticeURLs: order.CallURLs(f, "noticeUrls"), ConfirmURL: order.CallURL(f, "confirmUrl"),
		RedirectURL: order.ReturnURL(f, "redirectUrl", "appScheme"), Products: takeProducts(f),
	}
	p.Open.Escrow, _ = f.Bool("isEscrow")
	p.Open.CustomData, _ = f.JSONText("customData", customDataMax)
	windowWord(f, "currency", "CURRENCY", CurrencyKRW)
	if f.Has("promotionId") {
		f.Refuse("promotionId", reasonWindowPromotion)
	}
	switch p.Open.Method {
	case escrow.VirtualAccount:
		p.takeAccount(f.Object("virtualAccount"))
	case escrow.BankTransfer:
		transfer := f.Object("transfer")
		windowReceipt(transfer)
		p.Banks = windowBanks(transfer, "bankCode")
	case escrow.Card:
	}
	return p
}

var (
	reasonWindowPromotion = body.Reason{Code: "promotion", English: "promotions are not offered; leave it out, or the buyer would pay the full amount", Korean: "프로모션은 제공하지 않습니다. 이 값을 빼지 않으면 구매자가 전액을 결제하게 됩니다"}
	reasonWindowChannel   = body.Reason{Code: "channel", English: "one of channelKey and channelGroupId is required", Korean: "channelKey와 channelGroupId 중 하나가 필요합니다"}
	reasonWindowFixed     = body.Reason{Code: "fixed_account", English: "accounts with a number of the shop's own are not issued; leave it out", Korean: "상점이 정한 번호의 고정식 계좌는 발급하지 않습니다. 이 값을 빼 주십시오"}
	reasonWindowReceipt   = body.Reason{Code: "receipt", English: "no cash receipt is issued with the payment; leave it out and issue one by POST /cash-receipts once it is paid", Korean: "결제와 함께 현금영수증을 발급하지 않습니다. 이 값을 빼고 결제 후 POST /cash-receipts로 발급해 주십시오"}
	reasonWindowBank      = body.Reason{Code: "bank", English: "is no bank of the browser SDK", Korean: "브라우저 SDK에 없는 은행입니다"}
	reasonWindowIssuer    = body.Reason{Code: "bank", English: "names no bank at which the window offers accounts", Korean: "결제창에서 선택할 수 있는 은행이 없습니다"}
)

func windowChannel(f *body.Fields) string {
	key, group := f.Text("channelKey", channelMax), f.Text("channelGroupId", channelMax)
	switch {
	case key != "":
		return key
	case group == "":
		f.Refuse("channelKey", reasonWindowChannel)
	}
	return group
}

// windowWord takes one word of an enumeration, with or without the prefix that
// the first releases of the SDK put before it.
func windowWord(f *body.Fields, name, prefix string, words ...string) string {
	allowed := slices.Clone(words)
	for _, w := range words {
		allowed = append(allowed, prefix+"_"+w)
	}
	return strings.TrimPrefix(f.OneOf(name, allowed...), prefix+"_")
}

// windowGoods takes productType. Goods are physical unless the shop says otherwise.
func windowGoods(f *body.Fields) escrow.Goods {
	if windowWord(f, "productType", "PRODUCT_TYPE", "REAL", "DIGITAL") == "DIGITAL" {
		return escrow.Digital
	}
	return escrow.Physical
}

// windowEnglish reports whether the window and the mails are in English: a locale
// is given and is not Korean.
func windowEnglish(f *body.Fields) bool {
	locale := f.Text("locale", windowLocaleMax)
	return locale != "" && locale != LocaleKorean
}

// LocaleKorean is the locale of a window in Korean.
const LocaleKorean = "KO_KR"

// windowBuyer takes the buyer. Goods go to shippingAddress where it is given.
func windowBuyer(f *body.Fields) escrow.Party {
	c := f.Object("customer")
	party := escrow.Party{
		Name: windowName(c), Email: c.Text("email", emailMax), Phone: c.Text("phoneNumber", windowBuyerMax),
		Address: windowAddress(c.Object("address")), Postcode: c.Text("zipcode", windowLocaleMax),
	}
	if shipping := windowAddress(f.Object("shippingAddress")); shipping != "" {
		party.Address = shipping
	}
	return party
}

// windowName takes fullName, or joins the parts in the order of their language.
func windowName(c *body.Fields) string {
	full, first, last := c.Text("fullName", windowBuyerMax), c.Text("firstName", windowBuyerMax), c.Text("lastName", windowBuyerMax)
	switch {
	case full != "":
		return full
	case strings.ContainsFunc(last+first, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }):
		return last + first
	}
	return strings.TrimSpace(first + " " + last)
}

func windowAddress(a *body.Fields) string {
	var parts []string
	for _, name := range []string{"province", "city", "addressLine1", "addressLine2"} {
		if part := strings.TrimSpace(a.Text(name, windowAddressMax)); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

func (p *RequestPayment) takeAccount(a *body.Fields) {
	windowReceipt(a)
	p.Banks = windowBanks(a, "availableBanks")
	if bank := windowBanks(a, "bankCode"); bank != nil {
		if p.Banks != nil && !slices.Contains(p.Banks, bank[0]) {
			a.Refuse("bankCode", reasonWindowIssuer)
		}
		p.Banks = bank
	}
	if a.Has("fixedOption") {
		a.Refuse("fixedOption", reasonWindowFixed)
	}
	expiry := a.Object("accountExpiry")
	p.ValidHours, _ = expiry.Int("validHours", 1, hoursMax)
	p.Due = order.Due(expiry, "dueDate")
	if expiry.Given() && expiry.Has("validHours") == expiry.Has("dueDate") {
		a.Refuse("accountExpiry", reasonOneExpiry)
	}
}

// windowReceipt takes what the shop wants of a cash receipt, which nobody issues with the
// payment.
func windowReceipt(f *body.Fields) {
	word := windowWord(f, "cashReceiptType", "CASH_RECEIPT_TYPE", "PERSONAL", "CORPORATE", "ANONYMOUS")
	if word != "" && word != "ANONYMOUS" {
		f.Refuse("cashReceiptType", reasonWindowReceipt)
	}
}

// windowBanks takes one bank or a list of them and leaves those that the window
// offers. It is nil if the member is absent.
func windowBanks(f *body.Fields, name string) []string {
	var codes []string
	words := f.Texts(name, windowBanksMax, windowBankMax)
	for _, word := range words {
		code, known := SDKBank(word)
		if !known {
			f.Refuse(name, reasonWindowBank)
			return nil
		}
		if slices.ContainsFunc(krbank.Issuers(), func(b krbank.Bank) bool { return b.Code == code }) {
			codes = append(codes, code)
		}
	}
	if len(words) > 0 && len(codes) == 0 {
		f.Refuse(name, reasonWindowIssuer)
	}
	return codes
}
