package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// sandboxCmd plays the outside world against a running server.
type sandboxCmd struct {
	sandboxServer

	Pay      sandboxPayCmd      `cmd:"" help:"Pay as the payment window would."`
	Show     sandboxShowCmd     `cmd:"" help:"Show all that is known of a payment."`
	Deposit  sandboxDepositCmd  `cmd:"" help:"Pay into a virtual account."`
	Reverse  sandboxReverseCmd  `cmd:"" help:"Let the bank take a deposit back."`
	Deliver  sandboxDeliverCmd  `cmd:"" help:"Say what happens to a payment's parcels."`
	Decide   sandboxDecideCmd   `cmd:"" help:"Decide as the buyer would on the mailed page."`
	Advance  sandboxAdvanceCmd  `cmd:"" help:"Move the test clock forward and list what happened."`
	Mails    sandboxMailsCmd    `cmd:"" help:"List the mailbox, show a letter, or send it back."`
	Bank     sandboxBankCmd     `cmd:"" help:"Look at the bank's orders, and make it go wrong."`
	Scenario sandboxScenarioCmd `cmd:"" help:"Play a whole life in one call, or list what can be played."`
}

// Help tells the exit codes.
func (*sandboxCmd) Help() string {
	return "Plays the buyer, the bank, the carrier, the mail server and time for a test shop of a running server.\n\n" + clientExitCodes
}

// lifeJSON is what the commands read of a payment; --json prints all of it.
type lifeJSON struct {
	ImpUID      string `json:"imp_uid"`
	MerchantUID string `json:"merchant_uid"`
	State       string
	Amount      int64
	Held        int64
	Suspended   int64
	Escrow      bool
	Account     *struct {
		Bank   string `json:"vbank_name"`
		Number string `json:"vbank_num"`
		Due    string
	}
	Deadline *struct {
		LastDay   string `json:"last_day"`
		Projected bool
	}
	Decision *struct {
		Verdict string
		Kind    *string
	}
	DecisionURL *string `json:"decision_url"`
	Refunds     []struct {
		ID, State string
		Amount    int64
	}
	Tasks []string
}

// write prints a payment as names and values.
func (l *lifeJSON) write(w io.Writer) {
	line := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	line("payment", "%s", l.ImpUID)
	line("order", "%s", l.MerchantUID)
	line("state", "%s", l.State)
	line("amount", "%d won, %d held, %d in suspense", l.Amount, l.Held, l.Suspended)
	line("escrow", "%t", l.Escrow)
	if a := l.Account; a != nil {
		line("account", "%s %s until %s", a.Bank, a.Number, a.Due)
	}
	if d := l.Deadline; d != nil && d.Projected {
		line("last day", "%s, if the buyer's notice arrived now", d.LastDay)
	} else if d != nil {
		line("last day", "%s", d.LastDay)
	}
	if d := l.Decision; d != nil {
		line("decision", "%s %s", d.Verdict, orDash(d.Kind))
	}
	if l.DecisionURL != nil {
		line("decision page", "%s", *l.DecisionURL)
	}
	for _, r := range l.Refunds {
		line("refund", "%s: %d won, %s", r.ID, r.Amount, r.State)
	}
	if len(l.Tasks) > 0 {
		line("to look at", "%s", strings.Join(l.Tasks, ", "))
	}
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

func writeLife(w io.Writer, l lifeJSON) { l.write(w) }

type sandboxPayCmd struct {
	Amount       int64             `arg:"" help:"Won."`
	Method       string            `enum:"card,trans,vbank" default:"vbank" help:"card, trans or vbank (${default})."`
	Escrow       bool              `help:"The shop asks for an escrow."`
	ChooseEscrow bool              `help:"The buyer picks an escrow that the shop did not ask for."`
	Digital      bool              `help:"Digital goods."`
	Order        string            `placeholder:"ID" help:"The order id, merchant_uid; one is made if left out."`
	Name         string            `default:"Sandbox goods" help:"What is bought (${default})."`
	Email        string            `default:"buyer@holdfast.example" help:"The buyer's mail address (${default})."`
	Bank         string            `placeholder:"CODE" help:"The bank of the virtual account or of the transfer."`
	Due          string            `placeholder:"TIME" help:"Until when a virtual account is open, in Korean time."`
	Param        map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Any further parameter of request_pay. May be repeated."`
}

// Run prints the payment.
func (p *sandboxPayCmd) Run(c *sandboxClient) error {
	sent := fields{
		"amount": strconv.FormatInt(p.Amount, 10), "pay_method": p.Method, "escrow": p.Escrow, "choose_escrow": p.ChooseEscrow, "digital": p.Digital,
		"merchant_uid": p.Order, "name": p.Name, "buyer_email": p.Email, "vbank_code": p.Bank, "vbank_due": p.Due,
	}
	for name, value := range p.Param {
		sent[name] = value
	}
	type v1Payment struct {
		ImpUID      string `json:"imp_uid"`
		MerchantUID string `json:"merchant_uid"`
		Status      string
		Bank        *string `json:"vbank_name"`
		Number      *string `json:"vbank_num"`
		Approval    *string `json:"apply_num"`
	}
	return play(c, http.MethodPost, "", sent, []string{"payments"}, func(w io.Writer, v v1Payment) {
		fmt.Fprintf(w, "payment\t%s\norder\t%s\nstatus\t%s\n", v.ImpUID, v.MerchantUID, v.Status)
		if v.Number != nil {
			fmt.Fprintf(w, "account\t%s %s\n", orDash(v.Bank), *v.Number)
		}
		if v.Approval != nil {
			fmt.Fprintf(w, "approval\t%s\n", *v.Approval)
		}
	})
}

// sandboxPayment is the payment that a command is about.
type sandboxPayment struct {
	Payment string `arg:"" name:"imp_uid" help:"The payment."`
}

type sandboxShowCmd struct{ sandboxPayment }

// Run prints the payment and its steps.
func (s *sandboxShowCmd) Run(c *sandboxClient) error {
	type whole struct {
		lifeJSON
		Events []happenedJSON
	}
	return play(c, http.MethodGet, "", nil, []string{"payments", s.Payment}, func(w io.Writer, v whole) {
		v.write(w)
		writeHappened(w, v.Events)
	})
}

type sandboxDepositCmd struct {
	sandboxPayment
	Kind   string `enum:"exact,over,under,late,twice,repeated,reversed" default:"exact" help:"exact, over, under, late, twice, repeated (one deposit, reported twice) or reversed (${default})."`
	Amount int64  `help:"Won, instead of what is missing."`
	At     string `placeholder:"INSTANT" help:"When, instead of now; RFC 3339."`
	Payer  string `help:"The payer's name."`
}

// Run prints what became of each deposit.
func (d *sandboxDepositCmd) Run(c *sandboxClient) error {
	type made struct {
		Deposits []struct {
			BankTx  string `json:"bank_tx"`
			Amount  int64
			Outcome string
		}
		Payment lifeJSON
	}
	sent := fields{"imp_uid": d.Payment, "kind": d.Kind, "amount": d.Amount, "at": d.At, "payer": d.Payer}
	return play(c, http.MethodPost, "", sent, []string{"bank", "deposits"}, func(w io.Writer, v made) {
		for _, deposit := range v.Deposits {
			fmt.Fprintf(w, "deposit\t%s: %d won, %s\n", deposit.BankTx, deposit.Amount, deposit.Outcome)
		}
		v.Payment.write(w)
	})
}

type sandboxReverseCmd struct {
	sandboxPayment
	BankTx string `placeholder:"ID" help:"The bank's transaction; the newest deposit that brought money if left out."`
}

// Run prints the payment.
func (r *sandboxReverseCmd) Run(c *sandboxClient) error {
	return play(c, http.MethodPost, "", fields{"imp_uid": r.Payment, "bank_tx": r.BankTx}, []string{"bank", "reversals"}, writeLife)
}

type sandboxDeliverCmd struct {
	sandboxPayment
	Script string `enum:"usual,deliver_now,deliver_at,never_seen,lost,pickup,returned,down" default:"deliver_now" help:"usual, deliver_now, deliver_at, never_seen, lost, pickup, returned or down (${default})."`
	At     string `placeholder:"INSTANT" help:"When, for deliver_at, pickup and returned; RFC 3339."`
}

// Run prints what the carrier says.
func (d *sandboxDeliverCmd) Run(c *sandboxClient) error {
	type directed struct {
		Parcels []struct {
			Company, Invoice, Script string
			DeliveredAt              *string `json:"delivered_at"`
			Refused                  *string
		}
		Payment lifeJSON
	}
	sent := fields{"imp_uid": d.Payment, "script": d.Script, "at": d.At}
	return play(c, http.MethodPost, "", sent, []string{"carrier", "parcels"}, func(w io.Writer, v directed) {
		for _, p := range v.Parcels {
			fmt.Fprintf(w, "parcel\t%s %s: %s, delivered %s\n", p.Company, p.Invoice, p.Script, orDash(p.DeliveredAt))
			if p.Refused != nil {
				fmt.Fprintf(w, "not believed\t%s\n", *p.Refused)
			}
		}
		v.Payment.write(w)
	})
}

type sandboxDecideCmd struct {
	sandboxPayment
	Decision      string `arg:"" enum:"confirm,reject,withdraw_rejection,ask_cancel,ask_withdrawal,refund_account" help:"confirm, reject, withdraw_rejection, ask_cancel, ask_withdrawal or refund_account."`
	Reason        string `help:"Why; required to reject, to ask for a cancel or to withdraw."`
	RefundBank    string `placeholder:"CODE" help:"Where to refund: the bank."`
	RefundAccount string `placeholder:"NUMBER" help:"Where to refund: the account."`
	RefundHolder  string `placeholder:"NAME" help:"Where to refund: its holder."`
}

// Run prints the payment.
func (d *sandboxDecideCmd) Run(c *sandboxClient) error {
	sent := fields{"decision": d.Decision, "reason": d.Reason, "refund_bank": d.RefundBank, "refund_account": d.RefundAccount, "refund_holder": d.RefundHolder}
	return play(c, http.MethodPost, "", sent, []string{"payments", d.Payment, "decision"}, writeLife)
}

// happenedJSON is something that happened.
type happenedJSON struct {
	At         *string
	What, Type string
	ImpUID     *string `json:"imp_uid"`
	Detail     *string
}

func writeHappened(w io.Writer, list []happenedJSON) {
	for _, h := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", orDash(h.At), h.What, h.Type, orDash(h.ImpUID), orDash(h.Detail))
	}
}

// clockMove says how far a clock is moved: one of the three, or not at all.
type clockMove struct {
	To           string `placeholder:"INSTANT" help:"Move to an instant, RFC 3339."`
	BusinessDays int    `placeholder:"N" help:"Move until N business days have passed: 00:00 in Korea after the last of them."`
}

type clockJSON struct {
	Now          string
	NextDue      *string `json:"next_due"`
	AheadSeconds int64   `json:"ahead_seconds"`
	Happened     []happenedJSON
	Count        int
	Truncated    bool
}

func writeClock(w io.Writer, v clockJSON) {
	writeHappened(w, v.Happened)
	if v.Truncated {
		fmt.Fprintf(w, "… %d in all\n", v.Count)
	}
	fmt.Fprintf(w, "now\t%s\n", v.Now)
	fmt.Fprintf(w, "next due\t%s\n", orDash(v.NextDue))
}

func (m clockMove) send(c *sandboxClient, by string) error {
	sent := fields{"by": by, "to": m.To, "business_days": m.BusinessDays}
	if len(sent.without()) != 1 {
		return misused("give exactly one of a span such as 36h or 3d, --to and --business-days")
	}
	return play(c, http.MethodPost, "", sent, []string{"clock", "advance"}, writeClock)
}

type sandboxAdvanceCmd struct {
	By string `arg:"" optional:"" help:"A span such as 36h, 90m or 3d."`
	clockMove
}

// Run prints what happened and where the clock stands.
func (a *sandboxAdvanceCmd) Run(c *sandboxClient) error { return a.send(c, a.By) }

// clockCmd shows a test clock, or moves it.
type clockCmd struct {
	sandboxServer
	Advance string `placeholder:"SPAN" help:"Move forward by a span such as 36h, 90m or 3d."`
	clockMove
}

// Help tells the exit codes.
func (*clockCmd) Help() string {
	return "Without a flag the clock is shown. It moves forward only; the command returns when everything that fell due is done.\n\n" + clientExitCodes
}

// Run prints what happened, if the clock was moved, and where it stands.
func (m *clockCmd) Run(c *sandboxClient) error {
	if m.Advance == "" && m.To == "" && m.BusinessDays == 0 {
		return play(c, http.MethodGet, "", nil, []string{"clock"}, writeClock)
	}
	return m.send(c, m.Advance)
}

type sandboxMailsCmd struct {
	Payment string `placeholder:"IMP_UID" help:"Only the letters of a payment."`
	Show    string `placeholder:"ID" xor:"act" help:"Show one letter as plain text."`
	Bounce  string `placeholder:"ID" xor:"act" help:"Send one letter back, as a server does with an unknown address."`
	Reason  string `help:"The server's words for a bounce."`
}

type mailJSON struct {
	ID, Kind, To, State, Subject, Text string
	ImpUID                             string  `json:"imp_uid"`
	CreatedAt                          *string `json:"created_at"`
}

// Run prints the list, or one letter.
func (m *sandboxMailsCmd) Run(c *sandboxClient) error {
	one := func(w io.Writer, v mailJSON) {
		fmt.Fprintf(w, "to\t%s\nsubject\t%s\nstate\t%s\n\n%s\n", v.To, v.Subject, v.State, v.Text)
	}
	switch {
	case m.Show != "":
		return play(c, http.MethodGet, "", nil, []string{"mails", m.Show}, one)
	case m.Bounce != "":
		return play(c, http.MethodPost, "", fields{"reason": m.Reason}, []string{"mails", m.Bounce, "bounce"}, one)
	}
	query := ""
	if m.Payment != "" {
		query = url.Values{"imp_uid": {m.Payment}}.Encode()
	}
	return play(c, http.MethodGet, query, nil, []string{"mails"}, func(w io.Writer, list []mailJSON) {
		fmt.Fprintln(w, "ID\tAT\tSTATE\tTO\tSUBJECT")
		for _, v := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.ID, orDash(v.CreatedAt), v.State, v.To, v.Subject)
		}
	})
}

type sandboxBankCmd struct {
	Orders     bankOrdersCmd     `cmd:"" default:"1" help:"List what the bank was asked to send."`
	Behaviours bankBehavioursCmd `cmd:"" help:"List how the bank will go wrong."`
	Misbehave  bankMisbehaveCmd  `cmd:"" help:"Make the bank go wrong with an order to come."`
	Clear      bankClearCmd      `cmd:"" help:"Make the bank behave."`
	Release    bankReleaseCmd    `cmd:"" help:"End the bank's silence about an order, or about all."`
	Return     bankReturnCmd     `cmd:"" help:"Bring a payout, or an order by its key, back from the receiving bank."`
}

type bankOrderJSON struct {
	Key, Kind, State string
	Amount           int64
	Ref              *string
	HouseState       *string `json:"house_state"`
	Behaviour        *string
	Reason           *string
}

func writeOrders(w io.Writer, list []bankOrderJSON) {
	fmt.Fprintln(w, "KEY\tKIND\tAMOUNT\tAT THE BANK\tKNOWN HERE\tBEHAVIOUR\tREASON")
	for _, o := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", o.Key, o.Kind, o.Amount, o.State, orDash(o.HouseState), orDash(o.Behaviour), orDash(o.Reason))
	}
}

type bankOrdersCmd struct{}

// Run prints the orders, the latest first.
func (bankOrdersCmd) Run(c *sandboxClient) error {
	return play(c, http.MethodGet, "", nil, []string{"bank", "orders"}, writeOrders)
}

type behaviourJSON struct {
	Kind        string
	For, Reason *string
	After       int
	Sticky      bool
}

func writeBehaviours(w io.Writer, list []behaviourJSON) {
	if len(list) == 0 {
		fmt.Fprintln(w, "the bank behaves")
	}
	for _, b := range list {
		fmt.Fprintf(w, "%s\tfor %s\tafter %d\tsticky %t\t%s\n", b.Kind, orDash(b.For), b.After, b.Sticky, orDash(b.Reason))
	}
}

type bankBehavioursCmd struct{}

// Run prints the behaviours that wait.
func (bankBehavioursCmd) Run(c *sandboxClient) error {
	return play(c, http.MethodGet, "", nil, []string{"bank", "behaviours"}, writeBehaviours)
}

type bankMisbehaveCmd struct {
	Kind   string `arg:"" enum:"refuse,late,twice,silent,return" help:"refuse, late, twice, silent or return."`
	For    string `enum:",payout,refund" default:"" help:"Only payouts, or only refunds."`
	Reason string `help:"The bank's words."`
	After  int    `help:"Of late: questions that are left unanswered; 0 waits for a release."`
	Sticky bool   `help:"Use it again and again."`
}

// Run prints the behaviours that wait.
func (m *bankMisbehaveCmd) Run(c *sandboxClient) error {
	sent := fields{"kind": m.Kind, "for": m.For, "reason": m.Reason, "after": m.After, "sticky": m.Sticky}
	return play(c, http.MethodPost, "", sent, []string{"bank", "behaviours"}, writeBehaviours)
}

type bankClearCmd struct{}

// Run prints that nothing waits.
func (bankClearCmd) Run(c *sandboxClient) error {
	return play(c, http.MethodDelete, "", nil, []string{"bank", "behaviours"}, writeBehaviours)
}

type changedJSON struct {
	Changed int
	Orders  []bankOrderJSON
}

func writeChanged(w io.Writer, v changedJSON) {
	fmt.Fprintf(w, "changed %d\n", v.Changed)
	writeOrders(w, v.Orders)
}

type bankReleaseCmd struct {
	Order string `arg:"" name:"key" optional:"" help:"The order, by its key; all if left out."`
}

// Run prints the orders.
func (r *bankReleaseCmd) Run(c *sandboxClient) error {
	return play(c, http.MethodPost, "", fields{"key": r.Order}, []string{"bank", "releases"}, writeChanged)
}

type bankReturnCmd struct {
	Payout string `placeholder:"ID" xor:"what" required:"" help:"The payout."`
	Order  string `placeholder:"KEY" xor:"what" required:"" help:"The order, by its key."`
}

// Run prints the orders.
func (r *bankReturnCmd) Run(c *sandboxClient) error {
	return play(c, http.MethodPost, "", fields{"payout": r.Payout, "key": r.Order}, []string{"bank", "returns"}, writeChanged)
}

type sandboxScenarioCmd struct {
	Name   string `arg:"" optional:"" help:"Which; the list is printed if left out."`
	Amount int64  `help:"Won, at least 10000."`
	Email  string `help:"The buyer's mail address."`
}

type wordsJSON struct{ Ko, En string }

func (t wordsJSON) text() string {
	if language() == "ko" {
		return t.Ko
	}
	return t.En
}

type playedJSON struct {
	Passed  bool
	Problem *wordsJSON
	Steps   []struct {
		N     int
		At    *string
		Say   wordsJSON
		State *string
	}
	Books struct{ Balanced bool }
}

// Run prints the list, or each step and the closing of the books. A scenario
// that did not go as it should is an error.
func (s *sandboxScenarioCmd) Run(c *sandboxClient) error {
	if s.Name == "" {
		type item struct {
			Name  string
			About wordsJSON
		}
		return play(c, http.MethodGet, "", nil, []string{"scenarios"}, func(w io.Writer, list []item) {
			for _, v := range list {
				fmt.Fprintf(w, "%s\t%s\n", v.Name, v.About.text())
			}
		})
	}
	raw, err := c.call(http.MethodPost, "", fields{"name": s.Name, "amount": s.Amount, "buyer_email": s.Email}, "scenarios")
	if err != nil {
		return err
	}
	var v playedJSON
	if err := json.Unmarshal(raw, &v); err != nil {
		return unreachable("the server's answer cannot be read: %v", err)
	}
	if c.json {
		err = c.indent(raw)
	} else {
		v.write(c.out)
	}
	if err == nil && !v.Passed {
		err = &failure{exitFailed, "the scenario did not go as it should"}
	}
	return err
}

func (v *playedJSON) write(w io.Writer) {
	for _, step := range v.Steps {
		fmt.Fprintf(w, "%2d  %s  %s\n", step.N, orDash(step.At), strings.ReplaceAll(strings.TrimRight(step.Say.text(), "\n"), "\n", "\n      "))
	}
	if v.Problem != nil {
		fmt.Fprintf(w, "problem: %s\n", v.Problem.text())
	}
	fmt.Fprintf(w, "the books balance: %t\n", v.Books.Balanced)
}
