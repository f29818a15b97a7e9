package pay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// dialect is one generation of PortOne's script: how it asks for a window, and
// how it is told what came of it.
type dialect interface {
	// about takes what every answer needs: whose shop, which order, which language.
	about(envelope, params *body.Fields, ask *asked)
	// shop is the shop of the name that about took; one that is unknown is NotFound.
	shop(ctx context.Context, door *app.App, name string) (merchant.Merchant, error)
	// take takes the parameters. The caller asks Err of them afterwards.
	take(params *body.Fields, now time.Time) wanted
	// opened is the answer with a window.
	opened(address string, p *escrow.Payment) any
	// refused is the answer without one.
	refused(orderID string, why trouble, message string) any
	// result is what came of the window of a visit.
	result(v *visit) result
	// field is the dialect's name of a parameter that V1 gives the name to.
	field(name string) string
}

// wanted is what a shop asks of the window.
type wanted struct {
	open  escrow.Open
	terms terms
	// channel has to be the shop's; empty if the shop leaves it out.
	channel string
}

// terms are what a ticket keeps of the request, beside the payment.
type terms struct {
	// Due is until when an account may be paid into, unix seconds; 0 for the default.
	Due int64 `json:"d,omitempty"`
	// Hours is the same, counted from the issue of the account; 0 for the default.
	Hours int64 `json:"h,omitempty"`
	// Banks are those that the buyer may choose from; none means all.
	Banks []string `json:"b,omitempty"`
}

// result is what came of a window, ready to be told.
type result struct {
	success bool
	// key is of the sentence that tells the buyer why it failed; empty if reason does.
	key, reason string
	told        any        // for the script, JSON
	query       url.Values // for the shop's address
}

// message is the result as the script gets it.
func (r result) message() string {
	raw, err := json.Marshal(r.told)
	if err != nil {
		panic("pay: a result is always JSON: " + err.Error())
	}
	return string(raw)
}

// returnTo is the shop's address with the result in its query, beside the shop's
// own parameters, which stay as they are written, byte for byte. An address that
// cannot be read gives an empty one.
func (r result) returnTo(address string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += r.query.Encode()
	return u.String()
}

// trouble is why no window opens, in the words of both dialects.
type trouble struct {
	v1 wirev1.ErrorCode
	v2 wirev2.WindowCode
}

var (
	badRequest  = trouble{wirev1.ErrorInvalid, wirev2.CodeParse}
	badShop     = trouble{wirev1.ErrorShop, wirev2.CodeStore}
	badChannel  = trouble{wirev1.ErrorInvalid, wirev2.CodeChannel}
	badOrigin   = trouble{wirev1.ErrorOrigin, wirev2.CodeDenied}
	badMethod   = trouble{wirev1.ErrorMethod, wirev2.CodeNoChannel}
	noEscrow    = trouble{wirev1.ErrorEscrow, wirev2.CodeNoChannel}
	paidAlready = trouble{wirev1.ErrorPaid, wirev2.CodePaid}
	notPrepared = trouble{wirev1.ErrorPrepared, wirev2.CodePredefined}
	tooOften    = trouble{wirev1.ErrorTooMany, wirev2.CodeTooMany}
	unavailable = trouble{wirev1.ErrorUnavailable, wirev2.CodeUnavailable}
	notFound    = trouble{wirev1.ErrorInvalid, wirev2.CodeNotFound}
)

// dialectOf is the dialect in which a payment was opened.
func dialectOf(p *escrow.Payment) dialect {
	if p.V2 {
		return v2{}
	}
	return v1{}
}

// spoken is the dialect of an address of the window.
func spoken(r *http.Request) dialect {
	if r.URL.Path == openV2 {
		return v2{}
	}
	return v1{}
}

// v1 is IMP.request_pay.
type v1 struct{}

func (v1) about(envelope, params *body.Fields, ask *asked) {
	envelope.Require("code")
	ask.shop = envelope.Text("code", codeMax)
	envelope.Text("tier", codeMax) // a sub-shop of an agency; Holdfast has none
	ask.orderID = params.Text("merchant_uid", userAgentMax)
	if language := params.Text("language", codeMax); language != "" && language != string(ui.Korean) {
		ask.lang = ui.English
	}
}

func (v1) shop(ctx context.Context, door *app.App, name string) (merchant.Merchant, error) {
	return door.ByCode(ctx, name)
}

// take gives what a shop leaves out the defaults that PortOne's script has. The
// channel is not looked at: an unknown one falls back to the shop's own.
func (v1) take(params *body.Fields, now time.Time) wanted {
	request := wirev1.TakeRequestPay(params)
	if request.OrderID == "" {
		request.OrderID = wirev1.OrderIDOf(now)
	}
	if request.Method == "" {
		request.Method = escrow.Card
	}
	if request.Name == "" {
		request.Name = request.OrderID
	}
	return wanted{open: request.Open(), terms: terms{Due: seconds(request.Due)}}
}

func (v1) opened(address string, p *escrow.Payment) any {
	return struct {
		URL         string `json:"url"` // relative to this server
		ImpUID      string `json:"imp_uid"`
		MerchantUID string `json:"merchant_uid"`
	}{address, p.ID, p.OrderID}
}

func (v1) refused(orderID string, why trouble, message string) any {
	return wirev1.RefusedCallback(orderID, why.v1, message)
}

// failuresV1 are the keys of sentences for failures that buyers meet often.
var failuresV1 = map[wirev1.ErrorCode]string{wirev1.ErrorUserCancel: "result.cancel", wirev1.ErrorDeclined: "result.decline"}

// result tells no more, once the ticket has ended, than which payment it was and
// whether it came about.
func (v1) result(v *visit) result {
	over := v.over(v.now)
	told := wirev1.NewCallback(&v.pay, wirev1.Circumstances{Sandbox: v.sandbox(), PGProvider: v.pay.Provider})
	switch {
	case over && v.pay.State == escrow.Opened:
		told = wirev1.RefusedCallback(v.pay.OrderID, wirev1.ErrorTimeout, site.Say(v.lang(), "expired.reason"))
		told.ImpUID = &v.pay.ID
	case over:
		told = told.Bare()
	}
	return result{success: told.Success, key: failuresV1[told.ErrorCode], reason: told.ErrorMsg, told: told, query: told.Query()}
}

// field calls the shop's code by the function that takes it.
func (v1) field(name string) string {
	if name == "code" {
		return "IMP.init"
	}
	return name
}

// v2 is PortOne.requestPayment.
type v2 struct{}

func (v2) about(_, params *body.Fields, ask *asked) {
	params.Require("storeId")
	ask.shop = params.Text("storeId", userAgentMax)
	ask.orderID = params.Text("paymentId", userAgentMax)
	if locale := params.Text("locale", codeMax); locale != "" && locale != wirev2.LocaleKorean {
		ask.lang = ui.English
	}
}

// shop knows a storeId as the REST API does: the shop's code or the merchant's id.
func (v2) shop(ctx context.Context, door *app.App, name string) (merchant.Merchant, error) {
	m, err := door.ByCode(ctx, name)
	var no *escrow.Refusal
	if errors.As(err, &no) && no.Code == escrow.NotFound {
		return door.Merchant(ctx, name)
	}
	return m, err
}

func (v2) take(params *body.Fields, _ time.Time) wanted {
	request := wirev2.TakeRequestPayment(params)
	return wanted{
		open: request.Open, channel: request.Channel,
		terms: terms{Due: seconds(request.Due), Hours: request.ValidHours, Banks: request.Banks},
	}
}

func (v2) opened(address string, p *escrow.Payment) any {
	return struct {
		URL       string `json:"url"` // relative to this server
		TxID      string `json:"txId"`
		PaymentID string `json:"paymentId"`
	}{address, p.ID, p.OrderID}
}

func (v2) refused(orderID string, why trouble, message string) any {
	return wirev2.WindowRefused(orderID, why.v2, message)
}

// result reads why a payment failed off its reason. One that ended in the window
// for a reason that is neither the buyer's nor the bank's, and that the shop was
// to be asked about, was stopped by the shop, and the reason is the shop's word.
func (v2) result(v *visit) result {
	p := &v.pay
	failed := func(code wirev2.WindowCode, key, message string) result {
		told := wirev2.WindowFailed(p, code, message)
		return result{key: key, reason: message, told: told, query: told.Query()}
	}
	byPG := func(pgCode, key string) result {
		told := wirev2.WindowFailed(p, wirev2.CodePG, site.Say(v.lang(), key))
		told.PGCode, told.PGMessage = pgCode, told.Message
		return result{key: key, reason: told.Message, told: told, query: told.Query()}
	}
	switch {
	case v.token != "":
		told := wirev2.WindowAgreed(p, v.token)
		return result{success: true, told: told, query: told.Query()}
	case p.State == escrow.Opened && v.over(v.now):
		return failed(wirev2.CodeLate, "", site.Say(v.lang(), "expired.reason"))
	case p.State == escrow.Opened, p.State == escrow.Failed && p.FailReason == wirev1.ReasonUserCancel:
		return byPG(wirev2.PGUserCancel, "result.cancel")
	case p.State == escrow.Failed && p.FailReason == wirev1.ReasonDeclined:
		return byPG(wirev2.PGDeclined, "result.decline")
	case p.State == escrow.Failed && p.ConfirmURL != "" && p.Account == nil:
		return failed(wirev2.CodeConfirm, "", p.FailReason)
	case p.State == escrow.Failed:
		return failed(wirev2.CodePG, "", orNotMade(p.FailReason, v.lang()))
	case p.State == escrow.Cancelled:
		return failed(wirev2.CodePG, "", orNotMade(p.CancelReason, v.lang()))
	}
	told := wirev2.WindowDone(p)
	return result{success: true, told: told, query: told.Query()}
}

func orNotMade(reason string, l ui.Lang) string {
	if reason == "" {
		return site.Say(l, "result.failed")
	}
	return reason
}

// fieldsV2 are the names in V2 of V1's parameters.
var fieldsV2 = map[string]string{
	"pay_method": "payMethod", "merchant_uid": "paymentId", "amount": "totalAmount", "tax_free": "taxFreeAmount", "vat_amount": "vatAmount",
	"escrow": "isEscrow", "notice_url": "noticeUrls", "confirm_url": "confirmUrl", "m_redirect_url": "redirectUrl",
	"vbank_due": "virtualAccount.accountExpiry", "code": "storeId",
}

func (v2) field(name string) string {
	if other, known := fieldsV2[name]; known {
		return other
	}
	return name
}

// seconds is an instant as a ticket keeps it; 0 if there is none.
func seconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}
