package escrow

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// reasonExpired marks a payment that ended because its account's due time
// passed. Money that was paid in time and reported late still finds it.
const reasonExpired = "입금기한이 지나 자동으로 취소되었습니다."

// clockSkew is how far in the future a bank's or carrier's clock may be.
const clockSkew = 5 * time.Minute

func (a *act) open(c Open) error {
	if a.p.ID != "" {
		return refuse(Exists, "", "payment %s exists", a.p.ID)
	}
	if err := checkAmount("amount", c.Amount); err != nil {
		return err
	}
	if c.TaxFree < 0 || c.VAT < 0 || c.TaxFree+c.VAT > c.Amount {
		return refuse(Invalid, "tax_free", "tax-free amount and VAT must not exceed the amount")
	}
	if c.OrderID == "" {
		return refuse(Invalid, "merchant_uid", "an order id is required")
	}
	a.p = Payment{
		Merchant: c.Merchant, ID: c.ID, OrderID: c.OrderID, State: Opened, Method: c.Method, Goods: c.Goods,
		Amount: c.Amount, TaxFree: c.TaxFree, VAT: c.VAT, Name: c.Name, Buyer: c.Buyer, English: c.English,
		Device: c.Device, UserAgent: c.UserAgent, CustomData: c.CustomData, NoticeURLs: c.NoticeURLs,
		RedirectURL: c.RedirectURL, ConfirmURL: c.ConfirmURL, Provider: c.Provider, Products: c.Products,
		AskedEscrow: c.Escrow, OpenedAt: a.env.Now,
	}
	if c.Escrow {
		if err := a.escrowable(c.Method); err != nil {
			return err
		}
	}
	a.emit(Event{Type: EventOpened, Amount: c.Amount})
	return nil
}

// escrowable refuses an escrow that could not be kept: better no payment than
// a silent ordinary one.
func (a *act) escrowable(method Method) error {
	switch {
	case a.p.Goods == Digital:
		return refuse(EscrowUnavailable, "escrow", "digital goods cannot be escrowed: their delivery cannot be verified; leave escrow out or sell physical goods")
	case a.p.Goods == Instalments:
		return refuse(EscrowUnavailable, "escrow", "a service supplied in instalments cannot be escrowed; leave escrow out")
	case !a.env.Profile.Contracted:
		return refuse(EscrowUnavailable, "escrow", "the merchant has no escrow contract in force; apply for it in the merchant settings")
	case method == Card && !a.env.Profile.CardEscrow:
		return refuse(EscrowUnavailable, "escrow", "this merchant does not offer an escrow for card payments; leave escrow out")
	}
	return nil
}

func (a *act) choose(c Choose) error {
	if err := a.in(Opened); err != nil {
		return err
	}
	switch c.Method {
	case VirtualAccount, BankTransfer, Card:
	default:
		return refuse(Invalid, "pay_method", "%q is not a payment method", c.Method)
	}
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
	if c.Terms != "" {
		a.p.Consent = &Consent{Terms: c.Terms, At: a.env.Now}
	}
	return nil
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
	if err := a.in(Opened); err != nil {
		return err
	}
	if a.p.Method != VirtualAccount || a.p.Grounds == "" {
		return refuse(WrongState, "pay_method", "the buyer has not chosen a virtual account")
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
	if err := a.in(AwaitingDeposit); err != nil {
		return err
	}
	if c.Amount != 0 {
		if err := checkAmount("amount", c.Amount); err != nil {
			return err
		}
		if a.p.Suspended > 0 {
			return refuse(WrongState, "amount", "money has already come; it must be returned before the amount can change")
		}
		a.p.Amount, a.p.TaxFree, a.p.VAT = c.Amount, min(a.p.TaxFree, c.Amount), 0
	}
	if !c.Due.IsZero() {
		if !c.Due.After(a.env.Now) {
			return refuse(Invalid, "vbank_due", "the due time must be in the future")
		}
		a.p.Account.Due = c.Due
	}
	a.emit(Event{Type: EventAccountAmended, Amount: a.p.Amount, Due: a.p.Account.Due})
	a.mail(MailAccountIssued)
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
	if err := a.in(AwaitingDeposit); err != nil {
		return err
	}
	a.p.State, a.p.FailedAt, a.p.FailReason = Failed, a.env.Now, c.Reason
	a.emit(Event{Type: EventAccountClosed, Reason: c.Reason})
	a.suspenseTask()
	return nil
}

func (a *act) fail(c Fail) error {
	if a.p.State == Failed {
		a.unchanged = true
		return nil
	}
	if err := a.in(Opened); err != nil {
		return err
	}
	a.p.State, a.p.FailedAt, a.p.FailReason = Failed, a.env.Now, c.Reason
	a.emit(Event{Type: EventFailed, Reason: c.Reason})
	return nil
}

func (a *act) approve(c Approve) error {
	if a.p.ApprovalNo != "" && a.p.ApprovalNo == c.ApprovalNo {
		a.unchanged = true
		return nil
	}
	if err := a.in(Opened); err != nil {
		return err
	}
	if a.p.Method == VirtualAccount || a.p.Grounds == "" {
		return refuse(WrongState, "pay_method", "the buyer has not chosen a transfer or a card")
	}
	a.p.ApprovalNo, a.p.Payer, a.p.CardName, a.p.CardNumber = c.ApprovalNo, c.Payer, c.CardName, c.CardNumber
	return a.take(c.ApprovalNo)
}

// take books the payment's money: held for an escrow (rows 1 and 3), the
// shop's for an ordinary payment.
func (a *act) take(ref string) error {
	a.p.PaidAt = a.env.Now
	a.p.FailReason, a.p.CancelReason, a.p.CancelledAt = "", "", time.Time{}
	a.emit(Event{Type: EventPaid, Amount: a.p.Amount, Ref: ref})
	a.mail(MailPaid)
	if a.p.Escrow {
		a.p.State = Held
		a.move(ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Held(a.p.ID), Amount: a.p.Amount})
		return nil
	}
	a.p.State = Paid
	return a.sell(ledger.BankEscrow, a.p.Amount)
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
	if done, err := a.knownDeposit(c); done || err != nil {
		return err
	}
	if a.p.Account == nil {
		return refuse(WrongState, "", "the payment has no virtual account")
	}
	if err := a.plausible(c); err != nil {
		return err
	}
	inTime := !c.At.After(a.p.Account.Due.Add(a.env.Profile.DepositGrace))
	waiting := a.p.State == AwaitingDeposit || (a.p.State == Cancelled && a.p.CancelReason == reasonExpired && a.p.PaidAt.IsZero())
	total, err := money.Add(a.p.Suspended, c.Amount)
	if err != nil {
		return err
	}
	if waiting && inTime && total == a.p.Amount {
		return a.exactDeposit(c)
	}
	if waiting && inTime && a.env.Profile.Deposit == SuspendDeposit && total > a.p.Amount {
		return a.overDeposit(c, total)
	}
	return a.mismatched(c, mismatch(waiting, inTime, total, a.p.Amount))
}

// knownDeposit recognises a notice that came before. The same id with another
// story is never booked.
func (a *act) knownDeposit(c NotifyDeposit) (done bool, err error) {
	for _, d := range a.p.Deposits {
		if d.BankTx != c.BankTx {
			continue
		}
		if d.Amount != c.Amount {
			return false, refuse(DepositConflict, "amount", "bank transaction %s was reported with %d won before and with %d won now", c.BankTx, d.Amount, c.Amount)
		}
		a.unchanged = true
		return true, nil
	}
	return false, nil
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

func (a *act) exactDeposit(c NotifyDeposit) error {
	a.addDeposit(c, DepositHeld)
	a.p.Payer = c.Payer
	suspended := a.p.Suspended
	a.p.Suspended = 0
	a.done(TaskSuspense)
	if suspended == 0 {
		return a.take(c.BankTx)
	}
	// Earlier parts lie in suspense; bring the last part there and take the whole.
	a.move(
		ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Suspense, Amount: c.Amount},
		ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.BankEscrow, Amount: a.p.Amount},
	)
	return a.take(c.BankTx)
}

// overDeposit holds the order amount and leaves the rest in suspense, to be
// returned (edge case "over-payment").
func (a *act) overDeposit(c NotifyDeposit, total money.Won) error {
	rest := total - a.p.Amount
	a.addDeposit(c, DepositHeld)
	a.p.Payer = c.Payer
	a.move(
		ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Suspense, Amount: c.Amount},
		ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.BankEscrow, Amount: a.p.Amount},
	)
	a.p.Suspended = rest
	a.task(TaskSuspense)
	a.emit(Event{Type: EventDepositMismatched, Kind: "over", Amount: rest, Ref: c.BankTx})
	a.mail(MailDepositMismatched)
	return a.take(c.BankTx)
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
	a.p.Suspended += c.Amount
	if a.p.Payer.Number == "" {
		a.p.Payer = c.Payer
	}
	a.task(TaskSuspense)
	a.move(ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Suspense, Amount: c.Amount})
	return nil
}

func (a *act) addDeposit(c NotifyDeposit, outcome DepositOutcome) {
	a.p.Deposits = append(a.p.Deposits, Deposit{BankTx: c.BankTx, Amount: c.Amount, At: c.At, Outcome: outcome, Payer: c.Payer})
}

// returnSuspense orders suspended money back to its payer.
func (a *act) returnSuspense(c ReturnSuspense) error {
	if a.p.Suspended == 0 {
		return refuse(WrongState, "", "no money of this payment is in suspense")
	}
	account := c.Account
	if account.Number == "" {
		account = a.p.Payer
	}
	if account.Number == "" {
		return refuse(NeedsRefundAccount, "refund_account", "the payer's account is not known; say where to send the money")
	}
	amount := a.p.Suspended
	a.p.Suspended = 0
	a.done(TaskSuspense)
	for i := range a.p.Deposits {
		if a.p.Deposits[i].Outcome == DepositSuspended {
			a.p.Deposits[i].Outcome = DepositReturned
		}
	}
	a.move(ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.Refund(a.p.ID), Amount: amount})
	a.emit(Event{Type: EventSuspenseReturned, Amount: amount})
	a.orderRefund(Refund{Amount: amount, Account: account, Reason: "deposit without an owner", Suspense: true})
	return nil
}

// suspenseTask keeps suspended money in sight when its payment ends.
func (a *act) suspenseTask() {
	if a.p.Suspended > 0 {
		a.task(TaskSuspense)
	}
}

// reverseDeposit books that the bank took a deposit back (row 5). Held money
// is given up; money that is the shop's already becomes the shop's debt.
func (a *act) reverseDeposit(c ReverseDeposit) error {
	i := a.depositIndex(c.BankTx)
	if i < 0 {
		return refuse(NotFound, "bank_tx", "no deposit with bank transaction %s is known", c.BankTx)
	}
	d := &a.p.Deposits[i]
	if d.Reversed {
		a.unchanged = true
		return nil
	}
	d.Reversed = true
	a.emit(Event{Type: EventDepositReversed, Amount: d.Amount, Ref: c.BankTx, Reason: c.Reason})
	switch {
	case d.Outcome == DepositSuspended && a.p.Suspended >= d.Amount:
		a.p.Suspended -= d.Amount
		a.move(ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.BankEscrow, Amount: d.Amount})
		return nil
	case d.Outcome != DepositHeld:
		return nil
	}
	a.task(TaskReversed)
	if a.p.HeldAmount() > 0 {
		a.reverseHeld(*d)
		return nil
	}
	return a.reverseSpent(d.Amount)
}

func (a *act) depositIndex(bankTx string) int {
	for i, d := range a.p.Deposits {
		if d.BankTx == bankTx {
			return i
		}
	}
	return -1
}

// reverseHeld gives the held money up. Before shipping the account may still be
// paid; after it, or after the due time, the purchase is over. Parts of the
// deposit that were paid separately go to suspense, to be returned.
func (a *act) reverseHeld(last Deposit) {
	a.move(ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.BankEscrow, Amount: min(last.Amount, a.p.Amount)})
	if rest := a.p.Amount - last.Amount; rest > 0 {
		a.move(ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.Suspense, Amount: rest})
		a.p.Suspended += rest
		a.task(TaskSuspense)
	} else if rest < 0 {
		a.move(ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.BankEscrow, Amount: min(-rest, a.p.Suspended)})
		a.p.Suspended -= min(-rest, a.p.Suspended)
	}
	a.p.Deadline, a.p.Hold, a.p.Decided, a.p.Dispute, a.p.Return = nil, nil, nil, nil, ""
	if a.p.State == Held && a.env.Now.Before(a.p.Account.Due) {
		a.p.State, a.p.PaidAt = AwaitingDeposit, time.Time{}
		return
	}
	a.p.State, a.p.CancelledAt = Cancelled, a.env.Now
	a.p.CancelReason = "은행이 입금을 취소하였습니다."
	a.p.Refunded = 0
	a.emit(Event{Type: EventCancelled, Amount: a.p.Amount, Reason: a.p.CancelReason, Notify: true})
}

// reverseSpent makes the shop owe what the bank took back after the money had
// left the held account. The part of an over-payment that still lies in
// suspense pays first.
func (a *act) reverseSpent(amount money.Won) error {
	fromSuspense := min(a.p.Suspended, amount)
	a.p.Suspended -= fromSuspense
	owed := amount - fromSuspense
	a.move(
		ledger.Transfer{Debit: ledger.Suspense, Credit: ledger.BankEscrow, Amount: fromSuspense},
		ledger.Transfer{Debit: ledger.Due(a.p.Merchant), Credit: ledger.BankEscrow, Amount: owed},
	)
	if owed == 0 {
		return nil
	}
	return a.line(Line{Kind: LineReversal, Gross: -owed, Net: -owed, FromDue: owed})
}
