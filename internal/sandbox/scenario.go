package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

const (
	scenarioAmount    = 50_000 // won, unless the caller says otherwise
	scenarioAmountMin = 10_000 // the stories pay 1,000 won too much or too little
	scenarioEmail     = "buyer@holdfast.example"
	payoutTries       = 10 // business days on which a payout is waited for
)

// words are one sentence in both languages.
type words struct {
	Ko string `json:"ko"`
	En string `json:"en"`
}

func say(ko, en string) words { return words{ko, en} }

// scenario is a named life.
type scenario struct {
	name  string
	about words
	// pays says that the scenario ends in a payout, for which the merchant needs
	// an account and a bank that behaves.
	pays bool
	play func(ctx context.Context, r *run) error
}

// scenarioItem is a scenario in the list.
type scenarioItem struct {
	Name  string `json:"name"`
	About words  `json:"about"`
}

func (s *server) listScenarios(_ context.Context, c *call) (any, error) {
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	return scenarioItems(), nil
}

func scenarioItems() []scenarioItem {
	out := []scenarioItem{}
	for _, sc := range scenarios {
		out = append(out, scenarioItem{sc.name, sc.about})
	}
	return out
}

// stepItem is one step of a scenario that was played.
type stepItem struct {
	N      int            `json:"n"`
	At     *string        `json:"at"`
	Say    words          `json:"say"`
	ImpUID *string        `json:"imp_uid"`
	State  *string        `json:"state"`
	Events []happenedItem `json:"events"`
}

type transferItem struct {
	Ref    string `json:"ref"`
	Debit  string `json:"debit"`
	Credit string `json:"credit"`
	Amount int64  `json:"amount"`
}

// played is a scenario with everything that happened in it.
type played struct {
	Name    string     `json:"name"`
	About   words      `json:"about"`
	Passed  bool       `json:"passed"`
	Problem *words     `json:"problem"` // what was not as it should have been
	From    *string    `json:"from"`
	To      *string    `json:"to"`
	ImpUIDs []string   `json:"imp_uids"`
	Steps   []stepItem `json:"steps"`
	Books   booksItem  `json:"books"`
	// Transfers are the ledger rows of the scenario's payments and payouts.
	Transfers []transferItem `json:"transfers"`
}

type booksItem struct {
	Balanced bool     `json:"balanced"`
	Problems []string `json:"problems"`
}

// run is a scenario that is being played.
type run struct {
	s      *server
	m      merchant.Merchant
	name   string
	amount money.Won
	email  string
	p      escrow.Payment // the payment that the story is about
	seen   mark           // up to where the story has been told
	steps  []stepItem
	refs   []string // payments and payouts, for the ledger
}

// unmet says that the story did not go as it should.
type unmet struct{ words }

// Error says so in English.
func (u *unmet) Error() string { return u.En }

var (
	reasonNoPayoutAccount = body.Reason{Code: "no_payout_account", English: "the merchant has no bank account for payouts; set one first", Korean: "상점에 정산 계좌가 없습니다. 먼저 정산 계좌를 등록해 주세요"}
	reasonBankScripted    = body.Reason{Code: "bank_scripted", English: "the bank waits to misbehave; clear its behaviours first", Korean: "은행에 대기 중인 오동작이 있습니다. 먼저 삭제해 주세요"}
	reasonInterrupted     = body.Reason{Code: "interrupted", English: "this scenario was begun and cut off; play it again under a new key", Korean: "시작된 시나리오가 중단되었습니다. 새로운 키로 다시 실행해 주세요"}
	reasonNoFeast         = body.Reason{Code: "no_feast", English: "the clock stands too late for this holiday", Korean: "시계가 너무 뒤에 있어 이 명절을 사용할 수 없습니다"}
)

func scenarioNames() []string {
	names := make([]string, len(scenarios))
	for i, sc := range scenarios {
		names[i] = sc.name
	}
	return names
}

// runScenario plays a whole life of fresh payments on the merchant's clock.
func (s *server) runScenario(ctx context.Context, c *call) (any, error) {
	names := scenarioNames()
	c.f.Require("name")
	name := c.f.OneOf("name", names...)
	amount, given := c.f.Int("amount", scenarioAmountMin, int64(money.Max)-10_000)
	if !given {
		amount = scenarioAmount
	}
	r := &run{s: s, m: c.m, name: name, amount: money.Won(amount), email: c.f.Text("buyer_email", 64)}
	if r.email == "" {
		r.email = scenarioEmail
	}
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	sc := scenarios[slices.Index(names, name)]
	if err := r.possible(ctx, &sc); err != nil {
		return nil, err
	}
	done, err := s.hold(c.m.ID)
	if err != nil {
		return nil, err
	}
	defer done()
	if app.Acted(ctx) {
		return nil, &refusal{http.StatusConflict, "", reasonInterrupted}
	}
	if _, err := app.Note(ctx, s.app, "scenario", name); err != nil {
		return nil, err
	}
	// A story that was cut off is not told on: its steps look at what is now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(app.Apart(ctx)), advanceTime)
	defer cancel()
	return r.perform(ctx, &sc)
}

// possible refuses a scenario that could not be played to its end.
func (r *run) possible(ctx context.Context, sc *scenario) error {
	if !sc.pays {
		return nil
	}
	waiting, err := r.s.bank.Behaviours(ctx, r.m.ID)
	switch {
	case err != nil:
		return err
	case r.m.Account.Number == "":
		return &refusal{http.StatusConflict, "", reasonNoPayoutAccount}
	case len(waiting) > 0:
		return &refusal{http.StatusConflict, "", reasonBankScripted}
	}
	return nil
}

// perform plays the scenario and closes with the books. A story that goes wrong
// is told up to there; a fault of the server is an error.
func (r *run) perform(ctx context.Context, sc *scenario) (played, error) {
	var err error
	if r.seen, err = r.s.mark(ctx, r.m.ID); err != nil {
		return played{}, err
	}
	out := played{Name: sc.name, About: sc.about, From: instant(r.seen.at)}
	err = sc.play(ctx, r)
	var no *unmet
	var rule *escrow.Refusal
	switch {
	case errors.As(err, &no):
		out.Problem = &no.words
	case errors.As(err, &rule):
		out.Problem = &words{wirev1.RefusalText(rule), rule.Error()}
	case err != nil:
		return played{}, err
	}
	if out.Books, err = r.s.books(ctx, r.m.ID); err != nil {
		return played{}, err
	}
	if out.Transfers, err = r.transfers(ctx); err != nil {
		return played{}, err
	}
	now, err := r.s.app.NowOf(ctx, r.m.ID)
	out.To, out.Steps, out.ImpUIDs = instant(now), r.steps, r.payments()
	out.Passed = out.Problem == nil && out.Books.Balanced
	return out, err
}

// books closes the ledger. Of other merchants' payments only is said that
// something is wrong.
func (s *server) books(ctx context.Context, merchantID string) (booksItem, error) {
	b, err := s.app.Books(ctx)
	out := booksItem{Balanced: len(b.Problems) == 0, Problems: []string{}}
	for _, f := range b.Faults {
		if f.Merchant == merchantID {
			out.Problems = append(out.Problems, fmt.Sprintf("payment %s carries %d won instead of %d", f.Payment, f.Has, f.Should))
		}
	}
	if !out.Balanced && len(out.Problems) == 0 {
		out.Problems = append(out.Problems, "the books of the server do not balance")
	}
	return out, err
}

func (r *run) payments() []string {
	return slices.DeleteFunc(slices.Clone(r.refs), func(ref string) bool { return !strings.HasPrefix(ref, "imp_") })
}

func (r *run) transfers(ctx context.Context) ([]transferItem, error) {
	out := []transferItem{}
	for _, ref := range r.refs {
		moves, err := r.s.app.Transfers(ctx, r.m.ID, ref)
		if err != nil {
			return nil, err
		}
		for _, t := range moves {
			out = append(out, transferItem{ref, string(t.Debit), string(t.Credit), int64(t.Amount)})
		}
	}
	return out, nil
}

// tell does what is due and notes a step with everything that has happened
// since the one before.
func (r *run) tell(ctx context.Context, what words) error {
	if err := r.s.loops.Drain(ctx, r.m.ID); err != nil {
		return err
	}
	step := stepItem{N: len(r.steps) + 1, Say: what}
	if r.p.ID != "" {
		p, err := r.s.app.Payment(ctx, r.m.ID, r.p.ID)
		if err != nil {
			return err
		}
		r.p, step.ImpUID, step.State = p, text(p.ID), text(string(p.State))
	}
	happened, _, err := r.s.happenedSince(ctx, r.m.ID, r.seen)
	if err != nil {
		return err
	}
	// Time acts on the shop's other payments too; they belong to other stories.
	step.Events = slices.DeleteFunc(happened, func(h happenedItem) bool { return h.ImpUID != nil && !slices.Contains(r.refs, *h.ImpUID) })
	if r.seen, err = r.s.mark(ctx, r.m.ID); err != nil {
		return err
	}
	step.At = instant(r.seen.at)
	r.steps = append(r.steps, step)
	return nil
}

// expect ends the story if it has not come to where it should.
func expect(ok bool, ko, en string, args ...any) error {
	if ok {
		return nil
	}
	return &unmet{say(fmt.Sprintf(ko, args...), fmt.Sprintf(en, args...))}
}

func (r *run) in(state escrow.State) error {
	return expect(r.p.State == state, "결제 상태가 %[2]s이어야 하지만 %[1]s입니다", "the payment is %[1]s and should be %[2]s", r.p.State, state)
}

// pay buys something fresh.
func (r *run) pay(ctx context.Context, method escrow.Method, what words) error {
	p, err := r.s.payAs(ctx, &r.m, purchase{RequestPay: wirev1.RequestPay{
		Method: method, OrderID: "sandbox_" + ident.Digits(14), Name: "시나리오 상품", Amount: r.amount, Escrow: true,
		Buyer: escrow.Party{Name: nameOfNobody, Email: r.email, Phone: "010-0000-0000", Address: "서울특별시 중구 세종대로 110", Postcode: "04524"},
	}})
	if err != nil {
		return err
	}
	r.p, r.refs = p, append(r.refs, p.ID)
	return r.tell(ctx, what)
}

func (r *run) account(ctx context.Context) error {
	return r.pay(ctx, escrow.VirtualAccount, say("구매자가 에스크로로 가상계좌를 발급받았습니다.", "The buyer is given a virtual account, in escrow."))
}

func (r *run) transfer(ctx context.Context) error {
	if err := r.pay(ctx, escrow.BankTransfer, say("구매자가 에스크로로 실시간 계좌이체를 하였습니다.", "The buyer pays by bank transfer, in escrow.")); err != nil {
		return err
	}
	return r.in(escrow.Held)
}

// deposit pays into the account as a story tells.
func (r *run) deposit(ctx context.Context, story bank.Story, what words) error {
	p, _, err := r.s.depositAs(ctx, &r.p, bank.DepositPlan{Story: story}, "")
	if err != nil {
		return err
	}
	r.p = p
	return r.tell(ctx, what)
}

func (r *run) exactDeposit(ctx context.Context) error {
	if err := r.deposit(ctx, bank.Exact, say("구매자가 정확한 금액을 입금하여 대금이 예치되었습니다.", "The buyer deposits the exact amount; the money is held.")); err != nil {
		return err
	}
	return r.in(escrow.Held)
}

// do gives a command and notes it.
func (r *run) do(ctx context.Context, actor escrow.Actor, cmd escrow.Command, what words) error {
	if _, err := r.s.app.Do(ctx, actor, r.m.ID, r.p.ID, cmd); err != nil {
		return err
	}
	return r.tell(ctx, what)
}

// ship registers a delivery with a carrier.
func (r *run) ship(ctx context.Context, code string, what words) error {
	now, err := r.s.app.NowOf(ctx, r.m.ID)
	if err != nil {
		return err
	}
	err = r.do(ctx, escrow.Shop, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: code, Number: ident.Digits(12)}}, Trackable: krcarrier.Trackable(code), SentAt: now, SendEmail: true,
	}, what)
	if err != nil {
		return err
	}
	return r.in(escrow.Shipped)
}

func (r *run) shipTracked(ctx context.Context) error {
	return r.ship(ctx, "CJ", say("상점이 배송정보를 등록하였고, 구매자에게 구매결정 안내 메일이 발송되었습니다.", "The shop registers the delivery; the buyer is mailed what silence will mean."))
}

// deliver lets the carrier hand the parcel over now.
func (r *run) deliver(ctx context.Context) error {
	if _, err := r.s.directAs(ctx, &r.p, "", scriptDeliverNow, carrier.Script{Fate: carrier.DeliverAt}); err != nil {
		return err
	}
	if err := r.tell(ctx, say("택배사가 배송을 완료하였습니다.", "The carrier delivers.")); err != nil {
		return err
	}
	return r.in(escrow.Delivered)
}

// wait moves the clock.
func (r *run) wait(ctx context.Context, to time.Time, what words) error {
	if err := r.s.loops.Advance(ctx, r.m.ID, to); err != nil {
		return err
	}
	return r.tell(ctx, what)
}

// silence waits for the end of the buyer's time, first to a second before it.
func (r *run) silence(ctx context.Context) error {
	d := r.p.Deadline
	if err := expect(d != nil, "구매결정 기한이 정해지지 않았습니다", "no deadline is set"); err != nil {
		return err
	}
	working, err := r.s.app.Calendar().Explain(d.From, d.Days)
	if err != nil {
		return err
	}
	err = r.wait(ctx, d.At.Add(-time.Second), say(
		fmt.Sprintf("구매결정 기한(%s) 마지막 순간까지 구매자의 응답이 없습니다.\n%s", d.LastDay, working.KoreanString()),
		fmt.Sprintf("Until the last moment of the last day, %s, the buyer is silent.\n%s", d.LastDay, working.String())))
	if err != nil {
		return err
	}
	if err := expect(r.p.Decided == nil, "기한 전에 구매결정이 이루어졌습니다", "a decision was made too early"); err != nil {
		return err
	}
	if err := r.wait(ctx, d.At, say("다음 날 0시가 되어 자동으로 구매확정되었습니다.", "At 00:00 of the next day the purchase is confirmed by time.")); err != nil {
		return err
	}
	if err := r.in(escrow.Confirmed); err != nil {
		return err
	}
	return expect(r.p.Decided.Kind == escrow.ByTime, "자동 구매확정이 아닙니다", "it was not confirmed by time")
}

// payoutDay waits for the day on which the payment's sale is paid out, and
// returns the payout that took it.
func (r *run) payoutDay(ctx context.Context, what words) (id string, err error) {
	lines, err := r.s.app.Lines(ctx, r.m.ID, r.p.ID, "", 0, 10)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(lines, func(l app.SettlementLine) bool { return l.Kind == escrow.LineSale })
	if err := expect(i >= 0, "정산 내역이 없습니다", "there is no statement line"); err != nil {
		return "", err
	}
	day := lines[i].DueDate
	for range payoutTries {
		if err := r.s.loops.Advance(ctx, r.m.ID, day.Start().Add(noon)); err != nil {
			return "", err
		}
		if lines, err = r.s.app.Lines(ctx, r.m.ID, r.p.ID, "", 0, 10); err != nil {
			return "", err
		}
		if id = lines[i].Payout; id != "" {
			r.refs = append(r.refs, id)
			return id, r.tell(ctx, what)
		}
		if day, err = r.s.app.Calendar().Add(day, 1); err != nil {
			return "", err
		}
	}
	stopped, err := r.s.app.PayoutsStopped(ctx)
	if err == nil {
		err = expect(!stopped, "장부가 맞지 않아 지급이 멈춰 있습니다 (holdfast books status)", "payouts are stopped, because the books do not agree (holdfast books status)")
	}
	if err != nil {
		return "", err
	}
	return "", expect(false, "정산금이 지급되지 않았습니다", "nothing was paid out")
}

// noon is by when a payout day's run is done.
const noon = 12 * time.Hour

// paidOut waits for an ordinary payout.
func (r *run) paidOut(ctx context.Context) error {
	if r.m.Account.Number == "" {
		return r.tell(ctx, say("상점에 정산 계좌가 없어 정산금은 지급되지 않습니다.", "The merchant has no account for payouts, so nothing is paid out."))
	}
	id, err := r.payoutDay(ctx, say("정산일이 되어 수수료와 부가세를 뺀 금액이 상점에 지급되었습니다.", "On the settlement day the shop is paid, less fee and VAT."))
	if err != nil {
		return err
	}
	return r.payoutIs(ctx, id, "paid")
}

func (r *run) payoutIs(ctx context.Context, id, state string) error {
	p, err := r.s.app.Payout(ctx, r.m.ID, id)
	if err != nil {
		return err
	}
	return expect(string(p.State) == state, "정산금 지급 상태가 %[2]s이어야 하지만 %[1]s입니다", "the payout is %[1]s and should be %[2]s", p.State, state)
}
