package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// fakeBank is the bank with its own books. Nothing of it ends with a process.
type fakeBank struct {
	w        *world
	mu       sync.Mutex // of accounts: calls of one group may close them together
	accounts map[escrow.BankAccount]*vaccount
	drawn    int
	deposits []*deposit
	orders   map[[2]string]*order // by merchant and key
	inOrder  []*order
	purposes map[string]*order // what has been paid out and not come back, by refund or payout
	tells    []tell
	balance  money.Won // of the escrow account
}

// vaccount is a virtual account.
type vaccount struct {
	escrow.BankAccount
	payment string
	closed  bool
}

// deposit is money that came into a virtual account, or was approved.
type deposit struct {
	tx       string
	account  *vaccount
	amount   money.Won
	at       time.Time
	payer    escrow.BankAccount
	tellAt   time.Time // when its notice is delivered next; zero once it is acknowledged
	told     bool      // the program has acknowledged it
	refused  bool      // it was told to give it back
	reversed bool      // the bank took it back
	backAt   time.Time // when the notice of that is delivered next
}

// order is a payment out.
type order struct {
	bank.Order
	merchant string
	purpose  string // the refund or payout, without the attempt
	result   bank.State
	reason   string
	hidden   time.Time // until then the bank says that it does not know
	returns  time.Time // when the money comes back; zero if it does not
	lost     bool      // the reply of its sending was lost
}

// tell is a notice about an order.
type tell struct {
	merchant string
	notice   bank.Notice
	at       time.Time
}

func newBank(w *world) *fakeBank {
	return &fakeBank{w: w, accounts: map[escrow.BankAccount]*vaccount{}, orders: map[[2]string]*order{}, purposes: map[string]*order{}}
}

// trouble reports whether a call to the bank goes wrong.
func (b *fakeBank) trouble() bool { return b.w.faulty && b.w.chance(b.w.rates.bank) }

var errNoLine = fmt.Errorf("the bank does not answer: %w", errInjected)

// door is the bank as the door sees it.
type door struct{ p *process }

// IssueAccount opens an account; asked again it names the one that is open.
func (d door) IssueAccount(_ context.Context, r app.AccountRequest) (escrow.BankAccount, error) {
	if err := d.p.outside("before an account is issued"); err != nil {
		return escrow.BankAccount{}, err
	}
	b := d.p.w.bank
	if b.trouble() && b.w.chance(0.5) {
		return escrow.BankAccount{}, errNoLine
	}
	b.drawn++
	a := &vaccount{BankAccount: escrow.BankAccount{Bank: r.Bank, Number: fmt.Sprintf("9%013d", b.drawn), Holder: r.Holder}, payment: r.Payment}
	for _, have := range b.accounts {
		if have.payment == r.Payment && have.Bank == r.Bank && !have.closed {
			a = have
		}
	}
	b.accounts[key(a.BankAccount)] = a
	if b.trouble() && b.w.chance(0.5) {
		b.w.count("an account was issued and the reply lost", "")
		return escrow.BankAccount{}, errNoLine
	}
	return a.BankAccount, d.p.outside("after an account was issued")
}

// key is an account without its holder.
func key(a escrow.BankAccount) escrow.BankAccount {
	return escrow.BankAccount{Bank: a.Bank, Number: a.Number}
}

// CloseAccount ends the taking of deposits, if the bank hears it.
func (d door) CloseAccount(_ context.Context, _ string, a escrow.BankAccount) error {
	if err := d.p.outside("before an account is closed"); err != nil {
		return err
	}
	b := d.p.w.bank
	if !d.p.w.grouped && b.trouble() {
		return errNoLine
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	have := b.accounts[key(a)]
	if have == nil {
		return bank.ErrNoAccount
	}
	have.closed = true
	return nil
}

// HolderName knows everybody.
func (door) HolderName(context.Context, string, string) (string, error) { return "김하늘", nil }

// teller is the bank as the loops see it.
type teller struct{ p *process }

// IssueAccount is the door's.
func (teller) IssueAccount(context.Context, bank.IssueRequest) (bank.Account, error) {
	return bank.Account{}, errors.New("the loops issue no accounts")
}

// CloseAccount is the door's.
func (teller) CloseAccount(context.Context, string, string, string) error {
	return errors.New("the loops close no accounts")
}

// HolderName is the door's.
func (teller) HolderName(context.Context, string, string) (string, error) {
	return "", errors.New("the loops ask for no names")
}

// Send takes an order, once for each key.
func (t teller) Send(ctx context.Context, merchant string, o bank.Order) (bank.Result, error) {
	b := t.p.w.bank
	if err := t.p.outside("before an order is sent"); err != nil {
		return bank.Result{}, err
	}
	if err := o.Check(); err != nil {
		b.w.fail("the bank cannot work with %+v: %v", o, err)
	}
	b.mustBeAsked(ctx, t.p, merchant, o)
	if b.trouble() && b.w.chance(0.2) {
		b.w.count("an order was lost", o.Key)
		return bank.Result{}, errNoLine
	}
	if have := b.orders[[2]string{merchant, o.Key}]; have != nil {
		b.w.count("an order was sent twice and refused by its key", o.Key)
		if have.Order != o {
			b.w.fail("order %s was sent as %+v and then as %+v", o.Key, have.Order, o)
		}
		return bank.Result{}, bank.ErrDuplicate
	}
	x := b.execute(merchant, o)
	if b.trouble() && b.w.chance(0.3) {
		x.lost = true
		b.w.count("an order was executed and the reply lost", o.Key)
		return bank.Result{}, errNoLine
	}
	if err := t.p.outside("after an order was sent"); err != nil {
		x.lost = true
		b.w.count("a process ended between an order and its record", o.Key)
		return bank.Result{}, err
	}
	return x.answer(b.w.now()), nil
}

// mustBeAsked holds the program to its word: before the bank is asked, it is
// durable that the bank may have been asked.
func (b *fakeBank) mustBeAsked(ctx context.Context, p *process, merchant string, o bank.Order) {
	row, err := p.app.OrderByKey(ctx, merchant, o.Key)
	if p.dead {
		return
	}
	if err != nil || row.State == app.OrderPending || row.Amount != o.Amount {
		b.w.fail("the bank is asked for order %s of %d won, which is recorded as %+v (%v)", o.Key, o.Amount, row, err)
	}
}

// execute decides what becomes of a new order.
func (b *fakeBank) execute(merchant string, o bank.Order) *order {
	w := b.w
	purpose := merchant + " " + o.Key[:strings.LastIndex(o.Key, "-")]
	x := &order{Order: o, merchant: merchant, purpose: purpose, result: bank.Sent}
	b.orders[[2]string{merchant, o.Key}] = x
	b.inOrder = append(b.inOrder, x)
	if b.trouble() && w.chance(0.4) {
		x.hidden = w.now().Add(w.between(time.Second, 48*time.Hour))
		w.count("the bank does not know yet", o.Key)
	}
	if !o.Card && strings.HasSuffix(o.Number, "0000") || b.trouble() && w.chance(0.25) {
		x.result, x.reason = bank.Failed, "수취 계좌 오류"
		w.count("an order was refused", o.Key)
		return x
	}
	b.pay(x)
	if b.trouble() && w.chance(0.4) {
		x.returns = w.now().Add(w.between(time.Minute, 12*24*time.Hour))
	}
	return x
}

// pay lets the money go. The same refund or payout must not be paid twice, under
// whatever key.
func (b *fakeBank) pay(x *order) {
	if other := b.purposes[x.purpose]; other != nil {
		b.w.fail("%s was paid under the key %s and again under %s", x.purpose, other.Key, x.Key)
	}
	b.purposes[x.purpose] = x
	b.balance -= x.Amount
	b.w.note("the bank pays %d won by %s", x.Amount, x.Key)
}

func (x *order) answer(now time.Time) bank.Result {
	if now.Before(x.hidden) {
		return bank.Result{State: bank.Unknown}
	}
	return bank.Result{State: x.result, Reason: x.reason}
}

// Inquire says what became of an order.
func (t teller) Inquire(_ context.Context, merchant, key string) (bank.Result, error) {
	b := t.p.w.bank
	if err := t.p.outside("before an inquiry"); err != nil {
		return bank.Result{}, err
	}
	if b.trouble() && b.w.chance(0.3) {
		return bank.Result{}, errNoLine
	}
	x := b.orders[[2]string{merchant, key}]
	if x == nil {
		b.w.count("the bank was asked after an order that it never got", key)
		return bank.Result{}, bank.ErrNoOrder
	}
	if x.lost && !b.w.now().Before(x.hidden) {
		x.lost = false
		b.w.count("a lost reply was looked up", key)
	}
	return x.answer(b.w.now()), t.p.outside("after an inquiry")
}

// PendingNotices gives what the bank has to tell about orders.
func (t teller) PendingNotices(_ context.Context, merchant string) (out []bank.Notice, err error) {
	b := t.p.w.bank
	if !slices.ContainsFunc(b.tells, func(n tell) bool { return n.merchant == merchant }) {
		return nil, nil
	}
	if err := t.p.outside("before notices are read"); err != nil {
		return nil, err
	}
	for _, n := range b.tells {
		if n.merchant == merchant && !n.at.After(b.w.now()) {
			out = append(out, n.notice)
		}
	}
	return out, t.p.outside("after notices were read")
}

// NoticesHeard forgets notices, each of them once.
func (t teller) NoticesHeard(_ context.Context, merchant string, heard []bank.Notice) error {
	if err := t.p.outside("before notices are forgotten"); err != nil {
		return err
	}
	b := t.p.w.bank
	for _, h := range heard {
		if i := slices.IndexFunc(b.tells, func(n tell) bool { return n.merchant == merchant && n.notice == h }); i >= 0 {
			b.tells = slices.Delete(b.tells, i, i+1)
		}
	}
	return t.p.outside("after notices were forgotten")
}

// returnMoney brings back what comes back by now.
func (b *fakeBank) returnMoney() {
	for _, x := range b.inOrder {
		if x.returns.IsZero() || x.returns.After(b.w.now()) {
			continue
		}
		x.returns = time.Time{}
		x.result, x.reason = bank.Returned, "수취인 계좌 해지"
		delete(b.purposes, x.purpose)
		b.balance += x.Amount
		what := "a returned refund"
		if x.Kind == bank.Payout {
			what = "a returned payout"
		}
		b.w.count(what, x.Key)
		for range 1 + b.w.rng.IntN(2) { // perhaps told twice
			b.tells = append(b.tells, tell{x.merchant, bank.Notice{Key: x.Key, Result: bank.Result{State: bank.Returned, Reason: x.reason}}, b.w.now().Add(b.w.between(0, 6*time.Hour))})
		}
	}
}

// deposit takes money on an account. Notices come at once, or much later. A closed
// account takes no money; sometimes some was under way.
func (b *fakeBank) deposit(a *vaccount, amount money.Won, payer escrow.BankAccount) *deposit {
	w := b.w
	if a.closed && w.chance(0.7) {
		w.count("a deposit was refused at the bank", "")
		return nil
	}
	d := &deposit{tx: fmt.Sprintf("%s-%d", a.Bank, len(b.deposits)+1), account: a, amount: amount, at: w.now(), payer: payer, tellAt: w.now()}
	if b.trouble() {
		d.tellAt = w.now().Add(w.between(time.Minute, 3*24*time.Hour))
	}
	b.deposits = append(b.deposits, d)
	b.balance += amount
	w.note("%d won come into %s as %s", amount, a.Number, d.tx)
	return d
}

// notice tells the program of a deposit until it is acknowledged, and now and then
// once more.
func (b *fakeBank) notice(d *deposit) {
	w := b.w
	var res app.Result
	var err error
	w.run("the notice of deposit "+d.tx, func() {
		res, err = w.p.app.Deposit(w.ctx, d.account.BankAccount, escrow.NotifyDeposit{BankTx: d.tx, Amount: d.amount, At: d.at, Payer: d.payer})
	})
	w.follow(w.byID[d.account.payment])
	if err != nil {
		if !errors.Is(err, errInjected) {
			w.fail("the notice of deposit %s is refused: %v", d.tx, err)
		}
		d.tellAt = w.now().Add(w.between(time.Minute, 6*time.Hour))
		return
	}
	if d.told && !res.Unchanged {
		w.fail("the second notice of deposit %s changed something", d.tx)
	}
	d.told, d.tellAt = true, time.Time{}
	if b.trouble() && w.chance(0.5) {
		w.count("a deposit notice came twice", d.tx)
		d.tellAt = w.now().Add(w.between(time.Second, 24*time.Hour))
	}
	for _, x := range res.Payment.Deposits {
		if x.BankTx == d.tx && x.Amount == d.amount && x.Outcome == escrow.DepositRefused && !d.refused {
			d.refused = true
			b.balance -= d.amount
			w.count("a deposit was refused by policy", d.tx)
		}
	}
}

// reverse tells the program that a deposit was taken back.
func (b *fakeBank) reverse(d *deposit) {
	w := b.w
	m := w.byID[d.account.payment]
	a := w.ask(m, escrow.Bank, escrow.ReverseDeposit{BankTx: d.tx, Reason: "착오송금 반환"})
	switch {
	case a.err == nil:
		d.backAt = time.Time{}
	case a.lost || !d.told:
		d.backAt = w.now().Add(w.between(time.Minute, 6*time.Hour))
	default:
		w.fail("the reversal of deposit %s is refused: %v", d.tx, a.err)
	}
}

// tellAll delivers the notices that are due.
func (b *fakeBank) tellAll() {
	b.returnMoney()
	for _, d := range b.deposits {
		if !d.tellAt.IsZero() && !d.tellAt.After(b.w.now()) {
			b.notice(d)
		}
		if !d.backAt.IsZero() && !d.backAt.After(b.w.now()) {
			b.reverse(d)
		}
	}
}
