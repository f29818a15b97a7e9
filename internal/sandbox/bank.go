package sandbox

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

const (
	bankTxMax = 64
	ordersMax = 200 // orders that one answer lists
	foundMax  = 10  // payments that one account number is looked for in
	afterMax  = 100 // inquiries that a late answer leaves unanswered
)

// reasonBankTook is the bank's word for taking a deposit back.
const reasonBankTook = "은행이 입금을 취소하였습니다."

var (
	reasonNoAccount  = body.Reason{Code: "no_account", English: "the payment has no virtual account", Korean: "가상계좌가 발급되지 않은 결제입니다"}
	reasonUnknownAcc = body.Reason{Code: "unknown_account", English: "no payment of this shop has this virtual account", Korean: "이 상점의 결제 중에 해당 가상계좌가 없습니다"}
	reasonNotDueYet  = body.Reason{Code: "not_due", English: "the account's due time has not passed yet; advance the test clock first", Korean: "아직 입금기한이 지나지 않았습니다. 먼저 테스트 시계를 옮겨 주세요"}
	reasonAt         = body.Reason{Code: "at", English: "must lie between the issue of the account and the merchant's present", Korean: "계좌 발급 시각과 상점의 현재 시각 사이여야 합니다"}
	reasonNoDeposit  = body.Reason{Code: "no_deposit", English: "there is no such deposit that could be taken back", Korean: "취소할 수 있는 입금이 없습니다"}
	reasonNoOrder    = body.Reason{Code: "no_order", English: "the bank has no such order", Korean: "은행에 해당 이체 요청이 없습니다"}
	reasonNoPayout   = body.Reason{Code: "no_payout", English: "there is no such payout", Korean: "존재하지 않는 정산 지급입니다"}
	reasonNotSent    = body.Reason{Code: "not_sent", English: "no money of this order has gone that could come back", Korean: "반환할 수 있는 이체 완료 건이 아닙니다"}
)

// depositAnswer is what became of a buyer's paying.
type depositAnswer struct {
	Deposits []lifeDeposit `json:"deposits"`
	Payment  life          `json:"payment"`
}

// deposit plays a buyer who pays into a virtual account.
func (s *server) deposit(ctx context.Context, c *call) (any, error) {
	story := bank.Story(c.f.OneOf("kind", string(bank.Exact), string(bank.Over), string(bank.Under), string(bank.TooLate),
		string(bank.PaidTwo), string(bank.Repeated), string(bank.TakeBack)))
	amount, _ := c.f.Int("amount", 1, int64(money.Max))
	at, payer := takeInstant(c.f, "at"), c.f.Text("payer", 40)
	p, err := s.accountPayment(ctx, c)
	if err != nil {
		return nil, err
	}
	plan := bank.DepositPlan{Story: cmp.Or(story, bank.Exact), Amount: money.Won(amount), Now: at}
	p, txs, err := s.depositAs(ctx, &p, plan, payer)
	if err != nil {
		return nil, err
	}
	out := depositAnswer{Deposits: []lifeDeposit{}}
	for _, d := range p.Deposits {
		if slices.Contains(txs, d.BankTx) {
			out.Deposits = append(out.Deposits, newDeposit(d))
		}
	}
	out.Payment, err = s.life(ctx, &p)
	return out, err
}

// accountPayment finds the payment by imp_uid, or by the account's bank and number.
func (s *server) accountPayment(ctx context.Context, c *call) (escrow.Payment, error) {
	code, number := wirev1.TakeBank(c.f, "vbank_code"), order.AccountNumber(c.f, "vbank_num")
	if !c.f.Has("imp_uid") {
		c.f.Require("vbank_code", "vbank_num")
	}
	if c.f.Has("imp_uid") {
		return s.payment(ctx, c)
	}
	if err := c.f.Err(); err != nil {
		return escrow.Payment{}, err
	}
	found, _, err := s.app.Payments(ctx, c.m.ID, app.Filter{Method: escrow.VirtualAccount, Text: number}, app.Order{By: "opened", Desc: true}, 0, foundMax)
	for _, p := range found {
		if p.Account != nil && p.Account.Bank == code && p.Account.Number == number {
			return p, err
		}
	}
	return escrow.Payment{}, cmp.Or(err, error(&refusal{http.StatusNotFound, "vbank_num", reasonUnknownAcc}))
}

// depositAs brings the deposits of a plan to the core. The plan's amount may be
// zero for what is still missing, and its instant for now. It returns the payment
// as it is then and the bank transactions of the deposits.
func (s *server) depositAs(ctx context.Context, p *escrow.Payment, plan bank.DepositPlan, payer string) (escrow.Payment, []string, error) {
	if p.Account == nil {
		return *p, nil, &refusal{http.StatusConflict, "imp_uid", reasonNoAccount}
	}
	now, err := s.app.NowOf(ctx, p.Merchant)
	if err != nil {
		return *p, nil, err
	}
	if plan.Now.IsZero() {
		plan.Now = now
	}
	plan.Merchant, plan.Bank, plan.Number, plan.Due = p.Merchant, p.Account.Bank, p.Account.Number, p.Account.Due
	plan.Amount = cmp.Or(plan.Amount, missing(p))
	if err := checkPlan(&plan, p, now); err != nil {
		return *p, nil, err
	}
	deposits, err := s.bank.Deposits(ctx, plan)
	if errors.Is(err, bank.ErrNoAccount) {
		return *p, nil, &refusal{http.StatusNotFound, "vbank_num", reasonUnknownAcc}
	}
	var txs []string
	for i := 0; err == nil && i < len(deposits); i++ {
		if payer != "" {
			deposits[i].Payer.Holder = payer
		}
		txs = append(txs, deposits[i].BankTx)
		_, err = s.notify(ctx, p, deposits[i])
	}
	if err != nil {
		return *p, nil, err
	}
	after, err := s.app.Payment(ctx, p.Merchant, p.ID)
	return after, txs, err
}

// missing is what an account still waits for.
func missing(p *escrow.Payment) money.Won {
	if left := p.Amount - p.Suspended; p.State == escrow.AwaitingDeposit && left > 0 {
		return left
	}
	return p.Amount
}

// checkPlan refuses what the bank would report and the core could not believe,
// before anything is kept of it.
func checkPlan(plan *bank.DepositPlan, p *escrow.Payment, now time.Time) error {
	switch {
	case plan.Now.Before(p.Account.IssuedAt) || plan.Now.After(now):
		return &refusal{http.StatusBadRequest, "at", reasonAt}
	case plan.Story == bank.TooLate && !plan.Now.After(plan.Due):
		return &refusal{http.StatusConflict, "kind", reasonNotDueYet}
	}
	return nil
}

// notify brings one notice of the bank to the core.
func (s *server) notify(ctx context.Context, p *escrow.Payment, d bank.Deposit) (app.Result, error) {
	if d.Reversed {
		return s.app.Do(ctx, escrow.Bank, p.Merchant, p.ID, escrow.ReverseDeposit{BankTx: d.BankTx, Reason: reasonBankTook})
	}
	return s.app.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{
		BankTx: d.BankTx, Amount: d.Amount, At: d.At, Payer: escrow.BankAccount{Bank: d.Payer.Bank, Number: d.Payer.Number, Holder: d.Payer.Holder},
	})
}

// reverse plays the bank that takes a deposit back.
func (s *server) reverse(ctx context.Context, c *call) (any, error) {
	bankTx := c.f.Ident("bank_tx", bankTxMax)
	c.f.Require("imp_uid")
	p, err := s.payment(ctx, c)
	if err != nil {
		return nil, err
	}
	after, err := s.reverseAs(ctx, &p, bankTx)
	if err != nil {
		return nil, err
	}
	return s.life(ctx, &after)
}

// reverseAs takes a deposit back; an empty transaction means the latest that
// brought money.
func (s *server) reverseAs(ctx context.Context, p *escrow.Payment, bankTx string) (escrow.Payment, error) {
	for _, d := range p.Deposits {
		if bankTx == "" && d.Outcome != escrow.DepositRefused && !d.Reversed {
			bankTx = d.BankTx
		}
	}
	if !slices.ContainsFunc(p.Deposits, func(d escrow.Deposit) bool { return d.BankTx == bankTx }) {
		return *p, &refusal{http.StatusConflict, "bank_tx", reasonNoDeposit}
	}
	d, err := s.bank.Reverse(ctx, p.Merchant, bankTx)
	if errors.Is(err, bank.ErrNoDeposit) {
		return *p, &refusal{http.StatusNotFound, "bank_tx", reasonNoDeposit}
	}
	if err != nil {
		return *p, err
	}
	res, err := s.notify(ctx, p, d)
	return res.Payment, err
}

// behaviour is a piece of misbehaviour that waits for an order.
type behaviour struct {
	Kind   bank.Way `json:"kind"`
	For    *string  `json:"for"`
	Reason *string  `json:"reason"`
	After  int      `json:"after"`
	Sticky bool     `json:"sticky"`
}

func (s *server) listBehaviours(ctx context.Context, c *call) (any, error) {
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	return s.behaviours(ctx, c.m.ID)
}

func (s *server) behaviours(ctx context.Context, merchantID string) ([]behaviour, error) {
	waiting, err := s.bank.Behaviours(ctx, merchantID)
	out := make([]behaviour, len(waiting))
	for i, b := range waiting {
		out[i] = behaviour{b.Way, text(string(b.For)), text(b.Reason), b.After, b.Sticky}
	}
	return out, err
}

// misbehave makes the bank go wrong with an order to come.
func (s *server) misbehave(ctx context.Context, c *call) (any, error) {
	c.f.Require("kind")
	b := bank.Behaviour{
		Way:    bank.Way(c.f.OneOf("kind", string(bank.Refuse), string(bank.Late), string(bank.Twice), string(bank.Silent), string(bank.ComeBack))),
		For:    bank.Kind(c.f.OneOf("for", string(bank.Refund), string(bank.Payout))),
		Reason: c.f.Text("reason", 200),
	}
	after, _ := c.f.Int("after", 0, afterMax)
	b.After = int(after)
	b.Sticky, _ = c.f.Bool("sticky")
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	if err := s.bank.Misbehave(ctx, c.m.ID, b); err != nil {
		return nil, err
	}
	return s.behaviours(ctx, c.m.ID)
}

// clearBehaviours makes the bank behave with orders to come.
func (s *server) clearBehaviours(ctx context.Context, c *call) (any, error) {
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	if err := s.bank.ClearBehaviours(ctx, c.m.ID); err != nil {
		return nil, err
	}
	return s.behaviours(ctx, c.m.ID)
}

// changedOrders says how many orders an act changed, and how all stand.
type changedOrders struct {
	Changed int         `json:"changed"`
	Orders  []bankOrder `json:"orders"`
}

// release ends the bank's silence about one order, or about all, and asks again.
func (s *server) release(ctx context.Context, c *call) (any, error) {
	key := c.f.Ident("key", bankTxMax)
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	n, err := s.releaseAs(ctx, c.m.ID, key)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, c.m.ID, n)
}

func (s *server) releaseAs(ctx context.Context, merchantID, key string) (int, error) {
	n, err := s.bank.Release(ctx, merchantID, key)
	if errors.Is(err, bank.ErrNoOrder) {
		return 0, &refusal{http.StatusNotFound, "key", reasonNoOrder}
	}
	if err != nil {
		return 0, err
	}
	if err := s.askAgain(ctx, merchantID, key); err != nil {
		return n, err
	}
	return n, s.loops.Drain(ctx, merchantID)
}

// askAgain makes the house ask now after orders that have no answer.
func (s *server) askAgain(ctx context.Context, merchantID, key string) error {
	now, err := s.app.NowOf(ctx, merchantID)
	if err != nil {
		return err
	}
	orders, err := s.app.BankOrders(ctx, merchantID, "", ordersMax)
	if err != nil {
		return err
	}
	for _, o := range orders {
		if o.State != app.OrderAsked || (key != "" && o.Key != key) {
			continue
		}
		if err := s.app.OrderUnknown(ctx, o, o.Detail, now); err != nil {
			return err
		}
	}
	return nil
}

// returnOrder plays the receiving bank that sends money back.
func (s *server) returnOrder(ctx context.Context, c *call) (any, error) {
	payout, key := c.f.Ident("payout", idMax), c.f.Ident("key", bankTxMax)
	if payout == "" {
		c.f.Require("key")
	}
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	if key == "" {
		p, err := s.app.Payout(ctx, c.m.ID, payout)
		if err != nil {
			return nil, missingAs(err, "payout", reasonNoPayout)
		}
		key = p.Key()
	}
	n, err := s.returnAs(ctx, c.m.ID, key)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, c.m.ID, n)
}

func (s *server) returnAs(ctx context.Context, merchantID, key string) (int, error) {
	n, err := s.bank.Return(ctx, merchantID, key)
	switch {
	case errors.Is(err, bank.ErrNoOrder):
		return 0, &refusal{http.StatusNotFound, "key", reasonNoOrder}
	case err != nil:
		return 0, err
	case n == 0 && !app.Acted(ctx):
		return 0, &refusal{http.StatusConflict, "key", reasonNotSent}
	}
	return n, s.loops.Drain(ctx, merchantID)
}

func (s *server) changed(ctx context.Context, merchantID string, n int) (any, error) {
	orders, err := s.orders(ctx, merchantID)
	return changedOrders{n, orders}, err
}

// bankOrder is an order as the bank and as the house see it.
type bankOrder struct {
	Key    string    `json:"key"`
	Kind   bank.Kind `json:"kind"`
	Ref    *string   `json:"ref"` // payment or payout
	Amount int64     `json:"amount"`
	Bank   *string   `json:"bank"`
	Number *string   `json:"number"`
	Holder *string   `json:"holder"`
	Card   bool      `json:"card"`
	// State is the truth at the bank, Answered whether the bank tells it,
	// HouseState what the house knows.
	State      bank.State `json:"state"`
	Answered   bool       `json:"answered"`
	HouseState *string    `json:"house_state"`
	Behaviour  *string    `json:"behaviour"`
	Inquiries  int        `json:"inquiries"`
	Reason     *string    `json:"reason"`
	ArrivedAt  *string    `json:"arrived_at"` // by the machine's clock
}

func (s *server) listOrders(ctx context.Context, c *call) (any, error) {
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	return s.orders(ctx, c.m.ID)
}

// orders lists the newest orders of a merchant, the latest first.
func (s *server) orders(ctx context.Context, merchantID string) ([]bankOrder, error) {
	atBank, err := s.bank.Orders(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	house, err := s.app.BankOrders(ctx, merchantID, "", ordersMax)
	if err != nil {
		return nil, err
	}
	known := map[string]app.BankOrder{}
	for _, o := range house {
		known[o.Key] = o
	}
	out := []bankOrder{}
	for _, x := range slices.Backward(atBank) {
		if len(out) == ordersMax {
			break
		}
		o := known[x.Order.Key]
		out = append(out, bankOrder{
			x.Order.Key, x.Order.Kind, text(o.Ref), int64(x.Order.Amount), text(x.Order.Bank), text(x.Order.Number), text(x.Order.Holder), x.Order.Card,
			x.Result.State, !x.Hidden, text(o.State), text(string(x.Way)), x.Inquiries, text(x.Result.Reason), instant(x.ArrivedAt),
		})
	}
	return out, nil
}
