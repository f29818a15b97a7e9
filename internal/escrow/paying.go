package escrow

import (
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// reasonExpired marks a payment that ended because its account's due time
// passed. Money that was paid in time and reported late still finds it.
const reasonExpired = "입금기한이 지나 자동으로 취소되었습니다."

// reasonReversed marks a payment that ended because the bank took its deposit back.
const reasonReversed = "은행이 입금을 취소하였습니다."

// maxDeposits bounds the notices of deposits that one payment keeps. With that it
// bounds the returns from suspense too, each of which needs a deposit.
const maxDeposits = 100

// clockSkew is how far in the future a bank's or carrier's clock may be.
const clockSkew = 5 * time.Minute

func (a *act) open(c Open) error {
	if a.p.ID != "" {
		return refuse(Exists, "", "payment %s exists", a.p.ID)
	}
	if err := checkOpen(c); err != nil {
		return err
	}
	a.p = Payment{
		Merchant: c.Merchant, ID: c.ID, OrderID: c.OrderID, State: Opened, Method: c.Method, Goods: c.Goods,
		Amount: c.Amount, TaxFree: c.TaxFree, VAT: c.VAT, Name: c.Name, Buyer: c.Buyer, English: c.English,
		Device: c.Device, UserAgent: c.UserAgent, CustomData: c.CustomData, NoticeURLs: c.NoticeURLs,
		RedirectURL: c.RedirectURL, ConfirmURL: c.ConfirmURL, Provider: c.Provider, Products: c.Products,
		AskedEscrow: c.Escrow, V2: c.V2, OpenedAt: a.env.Now,
	}
	if c.Escrow {
		if err := a.escrowable(c.Method); err != nil {
			return err
		}
	}
	a.emit(Event{Type: EventOpened, Amount: c.Amount})
	return nil
}

func checkOpen(c Open) error {
	switch c.Method {
	case VirtualAccount, BankTransfer, Card, "": // empty: the buyer chooses in the window
	default:
		return refuse(Invalid, "pay_method", "%q is not a payment method", c.Method)
	}
	switch c.Goods {
	case Physical, Digital, Instalments:
	default:
		return refuse(Invalid, "goods", "%q is not one of physical, digital, instalments", c.Goods)
	}
	if c.ID == "" || c.Merchant == "" {
		return refuse(Invalid, "id", "a payment needs an id and a merchant")
	}
	if c.OrderID == "" {
		return refuse(Invalid, "merchant_uid", "an order id is required")
	}
	if err := checkAmount("amount", c.Amount); err != nil {
		return err
	}
	return checkParts(c.Amount, c.TaxFree, c.VAT)
}

// escrowable refuses an escrow that could not be kept: better no payment than
// a silent ordinary one.
func (a *act) escrowable(method Method) error {
	switch {
	case a.p.Goods == Digital:
		return refuseFor(CauseDigital, EscrowUnavailable, "escrow", "digital goods cannot be escrowed: their delivery cannot be verified; leave escrow out or sell physical goods")
	case a.p.Goods == Instalments:
		return refuseFor(CauseInstalments, EscrowUnavailable, "escrow", "a service supplied in instalments cannot be escrowed; leave escrow out")
	case !a.env.Profile.Contracted:
		return refuseFor(CauseContract, EscrowUnavailable, "escrow", "the merchant has no escrow contract in force; apply for it in the merchant settings")
	case method == Card && !a.env.Profile.CardEscrow:
		return refuseFor(CauseCard, EscrowUnavailable, "escrow", "this merchant does not offer an escrow for card payments; leave escrow out")
	}
	return nil
}

func (a *act) choose(c Choose) error {
	if err := a.unpaid(Opened); err != nil {
		return err
	}
	switch c.Method {
	case VirtualAccount, BankTransfer, Card:
	default:
		return refuse(Invalid, "pay_method", "%q is not a payment method", c.Method)
	}
	before := a.p
	a.p.Method = c.Method
	a.p.Escrow = a.p.AskedEscrow || c.Escrow
	if a.p.Escrow {
		if err := a.escrowable(c.Method); err != nil {
			return err
		}
		if c.Terms == "" && !c.ByAPI {
			return refuse(Invalid, "terms", "the buyer must agree to the escrow terms")
		}
	}
	a.p.Grounds = a.grounds(c)
	agreed := c.Terms != ""
	sameTerms := !agreed || (before.Consent != nil && before.Consent.Terms == c.Terms)
	a.unchanged = before.Method == a.p.Method && before.Escrow == a.p.Escrow && before.Grounds == a.p.Grounds && sameTerms
	if agreed {
		a.p.Consent = &Consent{Terms: c.Terms, At: a.env.Now}
	}
	return nil
}

// unpaid refuses unless the payment is in one of the states before any money,
// and says so where money has come.
func (a *act) unpaid(states ...State) error {
	if a.p.Cancellable() > 0 {
		return refuse(AlreadyPaid, "", "the payment is paid (%s)", a.p.State)
	}
	return a.in(states...)
}

func (a *act) grounds(c Choose) Grounds {
	switch {
	case a.p.AskedEscrow:
		return AskedByShop
	case c.Escrow && !c.ByAPI:
		return ChosenByBuyer
	case c.Escrow:
		return AskedByShop
	case a.p.Goods == Digital:
		return ExemptDigital
	case a.p.Goods == Instalments:
		return ExemptService
	case c.Method == Card:
		return ExemptCard
	case c.ByAPI:
		return NotOffered
	}
	return DeclinedByBuyer
}

func (a *act) issueAccount(c IssueAccount) error {
	if a.p.Account != nil && a.p.Account.Number == c.Account.Number && a.p.Account.Bank == c.Account.Bank {
		a.unchanged = true
		return nil
	}
	if err := a.unpaid(Opened); err != nil {
		return err
	}
	if a.p.Method != VirtualAccount || a.p.Grounds == "" {
		return refuse(WrongState, "pay_method", "the buyer has not chosen a virtual account")
	}
	if c.Account.Bank == "" || c.Account.Number == "" {
		return refuse(Invalid, "vbank", "the account needs a bank and a number")
	}
	if !c.Account.Due.After(a.env.Now) {
		return refuse(Invalid, "vbank_due", "the due time must be in the future")
	}
	account := c.Account
	account.IssuedAt = a.env.Now
	a.p.Account = &account
	a.p.State = AwaitingDeposit
	a.emit(Event{Type: EventAccountIssued, Amount: a.p.Amount, Due: account.Due, Ref: account.Number})
	a.mail(MailAccountIssued)
	return nil
}

func (a *act) amendAccount(c AmendAccount) error {
	if a.p.Method != VirtualAccount {
		return refuse(WrongState, "", "the payment has no virtual account")
	}
	if err := a.unpaid(AwaitingDeposit); err != nil {
		return err
	}
	newAmount := c.Amount != 0 && c.Amount != a.p.Amount
	newDue := !c.Due.IsZero() && !c.Due.Equal(a.p.Account.Due)
	if !newAmount && !newDue {
		a.unchanged = true
		return nil
	}
	if newAmount {
		if err := a.amendAmount(c.Amount); err != nil {
			return err
		}
	}
	if newDue {
		if !c.Due.After(a.env.Now) {
			return refuse(Invalid, "vbank_due", "the due time must be in the future")
		}
		a.p.Account.Due = c.Due
		a.p.Reminded = nil // the new due time has its own reminder
	}
	a.emit(Event{Type: EventAccountAmended, Amount: a.p.Amount, Due: a.p.Account.Due})
	a.mail(MailAccountIssued)
	return nil
}

// amendAmount changes what is to be paid. The tax-free part stays as far as it
// fits; the VAT of the old amount says nothing about the new one.
func (a *act) amendAmount(amount money.Won) error {
	if err := checkAmount("amount", amount); err != nil {
		return err
	}
	if a.p.Suspended > 0 {
		return refuse(WrongState, "amount", "money has already come; it must be returned before the amount can change")
	}
	a.p.Amount, a.p.TaxFree, a.p.VAT = amount, min(a.p.TaxFree, amount), 0
	return nil
}

func (a *act) closeAccount(c CloseAccount) error {
	if a.p.Method != VirtualAccount || a.p.Account == nil {
		return refuse(WrongState, "", "the payment has no virtual account")
	}
	if a.p.State == Failed {
		a.unchanged = true
		return nil
	}
	if err := a.unpaid(AwaitingDeposit); err != nil {
		return err
	}
	if err := checkLength("reason", c.Reason); err != nil {
		return err
	}
	a.p.State, a.p.FailedAt, a.p.FailReason = Failed, a.env.Now, c.Reason
	a.emit(Event{Type: EventAccountClosed, Reason: c.Reason})
	return nil
}

func (a *act) fail(c Fail) error {
	if a.p.State == Failed {
		a.unchanged = true
		return nil
	}
	if err := a.unpaid(Opened); err != nil {
		return err
	}
	if err := checkLength("reason", c.Reason); err != nil {
		return err
	}
	a.p.State, a.p.FailedAt, a.p.FailReason = Failed, a.env.Now, c.Reason
	a.emit(Event{Type: EventFailed, Reason: c.Reason})
	return nil
}

func (a *act) approve(c Approve) error {
	if c.ApprovalNo == "" {
		return refuse(Invalid, "apply_num", "the approval number is required: by it a repeated approval is known")
	}
	if a.p.ApprovalNo == c.ApprovalNo {
		a.unchanged = true
		return nil
	}
	if err := a.unpaid(Opened); err != nil {
		return err
	}
	if a.p.Method == VirtualAccount || a.p.Grounds == "" {
		return refuse(WrongState, "pay_method", "the buyer has not chosen a transfer or a card")
	}
	a.p.ApprovalNo, a.p.Payer, a.p.CardName, a.p.CardNumber = c.ApprovalNo, c.Payer, c.CardName, c.CardNumber
	return a.take(ledger.BankEscrow, c.ApprovalNo)
}

// take books the payment's money, which lies on an account: held for an escrow
// (rows 1 and 3), the shop's for an ordinary payment.
func (a *act) take(from ledger.Account, ref string) error {
	a.p.PaidAt = a.env.Now
	a.p.FailReason, a.p.CancelReason, a.p.CancelledAt = "", "", time.Time{}
	a.emit(Event{Type: EventPaid, Amount: a.p.Amount, Ref: ref})
	a.mail(MailPaid)
	if a.p.Escrow {
		a.p.State = Held
		a.move(ledger.Transfer{Debit: from, Credit: ledger.Held(a.p.ID), Amount: a.p.Amount})
		return nil
	}
	a.p.State = Paid
	return a.sell(from, a.p.Amount)
}

// sell gives an amount to the shop, less fee and VAT, out of an account, and
// makes the statement line (row 10).
func (a *act) sell(from ledger.Account, gross money.Won) error {
	charge, err := a.env.Terms.Fees[string(a.p.Method)].Of(gross)
	if err != nil {
		return err
	}
	net := gross - charge.Fee - charge.VAT
	a.move(
		ledger.Transfer{Debit: from, Credit: ledger.Shop(a.p.Merchant), Amount: net},
		ledger.Transfer{Debit: from, Credit: ledger.Fee, Amount: charge.Fee},
		ledger.Transfer{Debit: from, Credit: ledger.VAT, Amount: charge.VAT},
	)
	return a.line(Line{Kind: LineSale, Gross: gross, Fee: charge.Fee, VAT: charge.VAT, Net: net})
}

func (a *act) notifyDeposit(c NotifyDeposit) error {
	known := a.knownDeposit(c)
	if a.unchanged {
		return nil
	}
	if a.p.Account == nil {
		return refuse(WrongState, "", "the payment has no virtual account")
	}
	if err := a.plausible(c); err != nil {
		return err
	}
	if len(a.p.Deposits) >= maxDeposits {
		return refuse(TooMany, "bank_tx", "a payment takes at most %d notices of deposits", maxDeposits)
	}
	if known {
		a.quarantine(c)
		return nil
	}
	inTime := !c.At.After(a.p.Account.Due.Add(a.env.Profile.DepositGrace))
	waiting := a.waitsForMoney() && !a.env.OrderPaid
	total, err := money.Add(a.p.Suspended, c.Amount)
	if err != nil {
		return err
	}
	if waiting && inTime && total == a.p.Amount {
		return a.completeDeposit(c, total)
	}
	if waiting && inTime && a.env.Profile.Deposit == SuspendDeposit && total > a.p.Amount {
		a.emit(Event{Type: EventDepositMismatched, Kind: "over", Amount: total - a.p.Amount, Ref: c.BankTx})
		a.mail(MailDepositMismatched)
		return a.completeDeposit(c, total)
	}
	return a.mismatched(c, mismatch(waiting, inTime, total, a.p.Amount))
}

// waitsForMoney reports whether a deposit may still pay the order: the account is
// open, or nothing but its due time ended it.
func (a *act) waitsForMoney() bool {
	return a.p.State == AwaitingDeposit || (a.p.State == Cancelled && a.p.CancelReason == reasonExpired && a.p.PaidAt.IsZero())
}

// knownDeposit recognises a notice whose bank transaction was reported before.
// The same story again changes nothing; another amount is quarantined.
func (a *act) knownDeposit(c NotifyDeposit) bool {
	known := false
	for _, d := range a.p.Deposits {
		if fault.Planted(fault.DepositTwice) {
			break
		}
		if d.BankTx == c.BankTx && d.Amount == c.Amount {
			a.unchanged = true
			return true
		}
		known = known || d.BankTx == c.BankTx
	}
	return known
}

// quarantine keeps a notice that contradicts an earlier one, for a person to ask
// the bank about. It may be forged, so it moves no money and the buyer is told nothing.
func (a *act) quarantine(c NotifyDeposit) {
	a.addDeposit(c, DepositQuarantined)
	a.task(TaskDepositForged)
	a.emit(Event{Type: EventDepositMismatched, Kind: "conflict", Amount: c.Amount, Ref: c.BankTx})
}

func (a *act) plausible(c NotifyDeposit) error {
	if c.BankTx == "" {
		return refuse(Invalid, "bank_tx", "the bank's transaction id is required")
	}
	if err := checkAmount("amount", c.Amount); err != nil {
		return err
	}
	if c.At.IsZero() || c.At.After(a.env.Now.Add(clockSkew)) || c.At.Before(a.p.Account.IssuedAt.Add(-clockSkew)) {
		return refuse(Invalid, "at", "the time of the deposit must lie between the issue of the account and now")
	}
	return nil
}

// completeDeposit takes the deposit that makes the sum whole. Earlier parts lie
// in suspense, so the last part goes there too and the whole is taken from
// there; what is over stays in suspense, to be returned (edge case "over-payment").
func (a *act) completeDeposit(c NotifyDeposit, total money.Won) error {
	a.addDeposit(c, DepositHeld)
	a.p.Payer = c.Payer
	if total == c.Amount && total == a.p.Amount {
		return a.take(ledger.BankEscrow, c.BankTx)
	}
	a.remark(DepositSuspended, DepositHeld)
	a.suspend(total - a.p.Amount)
	a.move(ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Suspense, Amount: c.Amount})
	return a.take(ledger.Suspense, c.BankTx)
}

// suspend sets what lies in suspense, and the task that keeps it in sight.
func (a *act) suspend(amount money.Won) {
	a.p.Suspended = amount
	if amount > 0 {
		a.task(TaskSuspense)
		return
	}
	a.done(TaskSuspense)
}

// remark gives every deposit of one outcome that the bank has left here another.
func (a *act) remark(from, to DepositOutcome) {
	for i := range a.p.Deposits {
		if d := &a.p.Deposits[i]; d.Outcome == from && !d.Reversed {
			d.Outcome = to
		}
	}
}

func mismatch(waiting, inTime bool, total, amount money.Won) string {
	switch {
	case !waiting:
		return "closed"
	case !inTime:
		return "late"
	case total > amount:
		return "over"
	}
	return "under"
}

// mismatched keeps the state (row 4). By policy the bank is told to refuse the
// money, and nothing is booked; or it is taken into suspense with a task.
func (a *act) mismatched(c NotifyDeposit, kind string) error {
	a.emit(Event{Type: EventDepositMismatched, Kind: kind, Amount: c.Amount, Ref: c.BankTx})
	a.mail(MailDepositMismatched)
	if a.env.Profile.Deposit == RefuseDeposit {
		a.addDeposit(c, DepositRefused)
		return nil
	}
	a.addDeposit(c, DepositSuspended)
	a.suspend(a.p.Suspended + c.Amount)
	if a.p.Payer.Number == "" {
		a.p.Payer = c.Payer
	}
	a.move(ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Suspense, Amount: c.Amount})
	return nil
}

func (a *act) addDeposit(c NotifyDeposit, outcome DepositOutcome) {
	a.p.Deposits = append(a.p.Deposits, Deposit{BankTx: c.BankTx, Amount: c.Amount, At: c.At, Outcome: outcome, Payer: c.Payer})
}

// acceptLate pays the order from suspense, where the money of late deposits
// lies. Whatever it does not need stays there. That the order was not paid in
// another way meanwhile is for the caller to know.
func (a *act) acceptLate() error {
	switch {
	case a.p.Cancellable() > 0:
		return refuse(AlreadyPaid, "", "the payment is paid (%s)", a.p.State)
	case !a.waitsForMoney():
		return refuse(WrongState, "", "the payment is %s; only one whose account has expired can be paid late", a.p.State)
	case a.p.Suspended < a.p.Amount:
		return refuse(NotPaid, "", "%s won lie in suspense, %s are needed", a.p.Suspended.Digits(), a.p.Amount.Digits())
	}
	ref := a.takeLate()
	a.suspend(a.p.Suspended - a.p.Amount)
	return a.take(ledger.Suspense, ref)
}

// takeLate marks the suspended deposits that pay the order, and returns the last
// of them: the one that fits alone, or else the oldest until the sum is whole.
func (a *act) takeLate() (ref string) {
	late := func(d Deposit) bool { return d.Outcome == DepositSuspended && !d.Reversed }
	fits := slices.IndexFunc(a.p.Deposits, func(d Deposit) bool { return late(d) && d.Amount == a.p.Amount })
	var sum money.Won
	for i := range a.p.Deposits {
		d := &a.p.Deposits[i]
		if !late(*d) || (fits >= 0 && i != fits) || sum >= a.p.Amount {
			continue
		}
		d.Outcome, a.p.Payer, ref = DepositHeld, d.Payer, d.BankTx
		sum += d.Amount
	}
	return ref
}

// returnSuspense orders suspended money back to its payer. Where it came from
// several accounts, somebody has to say where it goes.
func (a *act) returnSuspense(c ReturnSuspense) error {
	if a.p.Suspended == 0 {
		return refuse(WrongState, "", "no money of this payment is in suspense")
	}
	if err := checkAccount("refund_account", c.Account); err != nil {
		return err
	}
	account := c.Account
	if account.Number == "" {
		account = a.suspensePayer()
	}
	if account.Number == "" {
		return refuse(NeedsRefundAccount, "refund_account", "the money has no payer, or more than one; say where to send it")
	}
	amount := a.p.Suspended
	a.suspend(0)
	a.remark(DepositSuspended, DepositReturned)
	a.move(ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.Refund(a.p.ID), Amount: amount})
	a.emit(Event{Type: EventSuspenseReturned, Amount: amount})
	a.orderRefund(Refund{Amount: amount, Account: account, Reason: "deposit without an owner", Suspense: true})
	return nil
}

// suspensePayer is the one account from which the money in suspense came, or
// none if there are several or the bank did not say.
func (a *act) suspensePayer() BankAccount {
	payers := map[BankAccount]bool{}
	for _, d := range a.p.Deposits {
		if d.Outcome == DepositSuspended && !d.Reversed {
			payers[d.Payer] = true
		}
	}
	if a.suspendedAlone() < a.p.Suspended { // the rest of an over-payment
		payers[a.p.Payer] = true
	}
	if len(payers) != 1 {
		return BankAccount{}
	}
	for payer := range payers {
		return payer
	}
	return BankAccount{}
}

// suspendedAlone is the part of the suspense that came in deposits of its own;
// the remainder is what was over in the deposits that paid the order.
func (a *act) suspendedAlone() money.Won {
	var sum money.Won
	for _, d := range a.p.Deposits {
		if d.Outcome == DepositSuspended && !d.Reversed {
			sum += d.Amount
		}
	}
	return min(sum, a.p.Suspended)
}

// reverseDeposit books that the bank took a deposit back (row 5). Suspended and
// held money is given up; what has gone to somebody already becomes the shop's debt.
func (a *act) reverseDeposit(c ReverseDeposit) error {
	i := a.depositIndex(c.BankTx)
	if i < 0 {
		return refuse(NotFound, "bank_tx", "no deposit with bank transaction %s is known", c.BankTx)
	}
	d := &a.p.Deposits[i]
	if d.Reversed || d.Outcome == DepositRefused { // money that never came cannot go
		a.unchanged = true
		return nil
	}
	over := a.p.Suspended - a.suspendedAlone()
	d.Reversed = true
	a.emit(Event{Type: EventDepositReversed, Amount: d.Amount, Ref: c.BankTx, Reason: c.Reason})
	switch {
	case d.Outcome == DepositSuspended:
		return a.reverseSpent(d.Amount, a.p.Suspended, true)
	case d.Outcome == DepositHeld && a.p.HeldAmount() > 0:
		a.task(TaskReversed)
		return a.reverseHeld(d.Amount, over)
	}
	a.task(TaskReversed)
	if d.Outcome == DepositReturned {
		return a.reverseSpent(d.Amount, 0, true)
	}
	return a.reverseSpent(d.Amount, over, false)
}

func (a *act) depositIndex(bankTx string) int {
	return slices.IndexFunc(a.p.Deposits, func(d Deposit) bool { return d.BankTx == bankTx })
}

// reverseHeld gives the held money up. Before shipping the account may still be
// paid; after it, or after the due time, the purchase is over. The other
// deposits of the sum, and what was over in it, lie in suspense from then on.
func (a *act) reverseHeld(gone, over money.Won) error {
	direct := min(gone, a.p.Amount)
	a.move(
		ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.BankEscrow, Amount: direct},
		ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.Suspense, Amount: a.p.Amount - direct},
	)
	a.suspend(a.p.Suspended + a.p.Amount - direct)
	a.remark(DepositHeld, DepositSuspended)
	shipped := a.p.State != Held
	a.p.Deadline, a.p.Hold, a.p.Decided, a.p.Dispute, a.p.Return = nil, nil, nil, nil, ""
	a.p.CancelAskedAt, a.p.CancelAskedFor = time.Time{}, ""
	a.done(TaskRejected, TaskDispute, TaskCancelAsked, TaskParcelOverdue, TaskNoticeFailed)
	if !shipped && a.env.Now.Before(a.p.Account.Due) {
		a.p.State, a.p.PaidAt, a.p.Reminded = AwaitingDeposit, time.Time{}, nil
	} else {
		a.p.State, a.p.CancelledAt, a.p.CancelReason = Cancelled, a.env.Now, reasonReversed
		a.emit(Event{Type: EventCancelled, Amount: a.p.Amount, Reason: reasonReversed, Notify: true})
		a.mail(MailCancelled)
	}
	return a.reverseSpent(gone-direct, over, false)
}

// reverseSpent books money that the bank took back: out of what of it lies in
// suspense, then out of refunds of it that are still waiting here (the buyer has
// that money now), and beyond that the shop owes it. Alone says that the deposit
// was one without an owner.
func (a *act) reverseSpent(gone, suspended money.Won, alone bool) error {
	fromSuspense := min(suspended, gone)
	a.suspend(a.p.Suspended - fromSuspense)
	a.move(ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.BankEscrow, Amount: fromSuspense})
	owed := a.reachedByReversal(gone-fromSuspense, alone)
	if owed == 0 {
		return nil
	}
	a.move(ledger.Transfer{Debit: ledger.Due(a.p.Merchant), Credit: ledger.BankEscrow, Amount: owed})
	return a.line(Line{Kind: LineReversal, Gross: -owed, Net: -owed, FromDue: owed})
}

// reachedByReversal ends refunds that wait for an account: the bank has given
// their money to the buyer by taking the deposit back. It returns what is left
// of the amount.
func (a *act) reachedByReversal(amount money.Won, alone bool) money.Won {
	for _, r := range a.waiting(func(r Refund) bool { return r.Suspense == alone }) {
		if r.Amount > amount {
			continue
		}
		amount -= r.Amount
		r.Attempt++ // a late answer to the last attempt finds nothing
		a.refundReached(r)
	}
	return amount
}
