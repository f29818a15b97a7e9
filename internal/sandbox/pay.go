package sandbox

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// purchase is what a buyer without a browser is asked to pay, and what that buyer
// chooses in the window.
type purchase struct {
	wirev1.RequestPay
	// bank is where a virtual account is wanted, or where a transfer comes from.
	bank string
	// choosesEscrow says that the buyer picks the escrow although the shop did
	// not ask for one.
	choosesEscrow bool
	userAgent     string
}

// What the simulated bank and card issuer say of every payment.
const (
	approvalDigits = 8
	// orderIDDigits keep order ids apart that are made while a clock stands still.
	orderIDDigits = 6
	simulatedCard = "신한카드"
	simulatedPAN  = "941010******1234" // masked, as real ones are
	nameOfNobody  = "홍길동"
	userAgentMax  = 255 // bytes
)

// pay does what the payment window would: a virtual account is issued, a
// transfer or a card payment is paid.
func (s *server) pay(ctx context.Context, c *call) (any, error) {
	o := takeOrder(c)
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	p, err := s.payAs(ctx, &c.m, o)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, c, &p)
}

func takeOrder(c *call) purchase {
	o := purchase{RequestPay: wirev1.TakeRequestPay(c.f)}
	o.bank = cmp.Or(wirev1.TakeBank(c.f, "vbank_code"), wirev1.TakeBank(c.f, "bank_code"))
	o.choosesEscrow, _ = c.f.Bool("choose_escrow")
	if o.choosesEscrow && o.Digital {
		c.f.Refuse("choose_escrow", reasonDigital)
	}
	agent := c.r.UserAgent()
	o.userAgent = strings.ToValidUTF8(agent[:min(len(agent), userAgentMax)], "")
	return o
}

var (
	reasonDigital = body.Reason{Code: "digital", English: "the window offers no escrow for digital goods", Korean: "디지털 상품에는 결제창에서 에스크로를 선택할 수 없습니다"}
	reasonPast    = body.Reason{Code: "past", English: "must be later than the merchant's present", Korean: "상점의 현재 시각 이후여야 합니다"}
)

// payAs opens a payment, chooses in the buyer's place and pays. What can be
// refused is refused before the payment is opened; where the window itself comes
// to a refusal, the attempt is left failed, as by a buyer who gives up.
func (s *server) payAs(ctx context.Context, m *merchant.Merchant, o purchase) (escrow.Payment, error) {
	now, err := s.app.NowOf(ctx, m.ID)
	if err != nil {
		return escrow.Payment{}, err
	}
	open := o.Open()
	open.Method = cmp.Or(open.Method, escrow.Card)
	open.OrderID = cmp.Or(open.OrderID, wirev1.OrderIDOf(now)+ident.Digits(orderIDDigits))
	open.Device, open.UserAgent = "pc", o.userAgent
	switch {
	case !m.Offers(open.Method):
		return escrow.Payment{}, &escrow.Refusal{Code: app.MethodNotOffered, Field: "pay_method", Reason: "this shop does not offer the payment method"}
	case !o.Due.IsZero() && !o.Due.After(now):
		return escrow.Payment{}, &refusal{http.StatusBadRequest, "vbank_due", reasonPast}
	}
	p, err := s.app.Open(ctx, escrow.Shop, m.ID, open)
	if err != nil {
		return p, err
	}
	paid, err := s.checkOut(ctx, p, o)
	var no *escrow.Refusal
	if errors.As(err, &no) {
		_, failing := s.app.Do(ctx, escrow.Buyer, m.ID, p.ID, escrow.Fail{Reason: no.Reason})
		return p, errors.Join(err, failing)
	}
	return paid, err
}

// checkOut is the buyer's way through the window.
func (s *server) checkOut(ctx context.Context, p escrow.Payment, o purchase) (escrow.Payment, error) {
	choice := app.Checkout{Method: p.Method, Escrow: p.AskedEscrow || o.choosesEscrow}
	if choice.Escrow {
		choice.Terms = merchant.TermsVersion
	}
	if p.Method == escrow.VirtualAccount {
		choice.Account = app.AccountOrder{Bank: cmp.Or(o.bank, krbank.Issuers()[0].Code), Due: o.Due}
		return s.app.ChooseAccount(ctx, p.Merchant, p.ID, choice)
	}
	if _, err := s.app.Choose(ctx, p.Merchant, p.ID, choice); err != nil {
		return p, err
	}
	return s.app.Approve(ctx, p.Merchant, p.ID, approval(p, o.bank))
}

// approval is the answer of the simulated bank or card issuer.
func approval(p escrow.Payment, bank string) escrow.Approve {
	yes := escrow.Approve{ApprovalNo: ident.Digits(approvalDigits)}
	if p.Method == escrow.Card {
		yes.CardName, yes.CardNumber = simulatedCard, simulatedPAN
		return yes
	}
	number := ident.Digits(11) + "1" // accounts that end in zeros do not exist
	yes.Payer = escrow.BankAccount{Bank: cmp.Or(bank, krbank.Issuers()[0].Code), Number: number, Holder: cmp.Or(p.Buyer.Name, nameOfNobody)}
	return yes
}
