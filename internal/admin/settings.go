package admin

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Bounds of settings, in characters or entries.
const (
	nameMax      = 100
	textMax      = 200
	mailMax      = 254
	urlMax       = 2000
	originsMax   = 20
	remindersMax = 5
	daysMax      = 60
	rateMax      = 100_000 // hundred-thousandths: the whole amount
	graceMax     = 24 * 60 // minutes
	codeMax      = 40
)

// methods are the payment methods as this API spells them.
var methods = []escrow.Method{escrow.VirtualAccount, escrow.BankTransfer, escrow.Card}

// change is one setting to be made on a merchant as it is stored.
type change func(m *merchant.Merchant, now time.Time)

// changes gathers the settings that a request makes, so that all of them are
// read before any is made.
type changes struct{ list []change }

func (c *changes) add(fn change) { c.list = append(c.list, fn) }

func (c *changes) apply(m *merchant.Merchant, now time.Time) {
	for _, fn := range c.list {
		fn(m, now)
	}
}

// readSettings takes every setting that a merchant has. What is absent changes nothing.
func readSettings(f *body.Fields) *changes {
	c := &changes{}
	c.text(f, "name", nameMax, func(m *merchant.Merchant) *string { return &m.Name })
	c.businessNumber(f)
	c.text(f, "phone", textMax, func(m *merchant.Merchant) *string { return &m.Phone })
	c.email(f)
	c.bankAccount(f)
	c.methods(f)
	c.fees(f)
	c.cycle(f.Object("cycle"))
	c.policy(f.Object("policy"))
	c.webhook(f.Object("webhook"))
	c.origins(f)
	c.returnTo(f)
	return c
}

func (c *changes) text(f *body.Fields, name string, limit int, of func(*merchant.Merchant) *string) {
	if f.Has(name) {
		text := strings.TrimSpace(f.Text(name, limit))
		c.add(func(m *merchant.Merchant, _ time.Time) { *of(m) = text })
	}
}

// businessNumber takes ten digits with or without hyphens and keeps them as 123-45-67890.
func (c *changes) businessNumber(f *body.Fields) {
	const name = "businessNumber"
	if !f.Has(name) {
		return
	}
	digits := strings.ReplaceAll(f.Text(name, 20), "-", "")
	if digits != "" && (len(digits) != 10 || strings.Trim(digits, "0123456789") != "") {
		f.Refuse(name, body.Reason{Code: "business_number", English: "must be ten digits such as 123-45-67890", Korean: "123-45-67890과 같은 숫자 10자리여야 합니다"})
		return
	}
	if digits != "" {
		digits = digits[:3] + "-" + digits[3:5] + "-" + digits[5:]
	}
	c.add(func(m *merchant.Merchant, _ time.Time) { m.BusinessNo = digits })
}

func (c *changes) email(f *body.Fields) {
	if f.Has("email") {
		mail := readMail(f, "email")
		c.add(func(m *merchant.Merchant, _ time.Time) { m.Email = mail })
	}
}

// readMail takes a mail address, or an empty text.
func readMail(f *body.Fields, name string) string {
	mail := f.Ident(name, mailMax)
	before, after, _ := strings.Cut(mail, "@")
	if mail != "" && (before == "" || after == "" || strings.ContainsAny(mail, " <>,;\"")) {
		f.Refuse(name, body.Reason{Code: "mail", English: "must be a mail address", Korean: "올바른 이메일 주소여야 합니다"})
	}
	return mail
}

// bankAccount takes the account that payouts go to; null takes it away.
func (c *changes) bankAccount(f *body.Fields) {
	given := f.Has("bankAccount")
	if !given && !f.IsNull("bankAccount") {
		return
	}
	var account escrow.BankAccount
	if given {
		account = readAccount(f.Object("bankAccount"))
	}
	c.add(func(m *merchant.Merchant, _ time.Time) { m.Account = account })
}

// readAccount takes a whole bank account: a bank of the national table, a
// number and its holder.
func readAccount(f *body.Fields) escrow.BankAccount {
	f.Require("bank", "number", "holder")
	bank, number, holder := f.Ident("bank", 3), f.Ident("number", textMax), strings.TrimSpace(f.Text("holder", nameMax))
	if _, known := krbank.ByCode(bank); bank != "" && !known {
		f.Refuse("bank", body.Reason{Code: "bank", English: "must be the three-digit code of a Korean bank", Korean: "국내 은행의 세 자리 코드여야 합니다"})
	}
	digits, right := krbank.Number(number)
	if number != "" && !right {
		f.Refuse("number", body.Reason{Code: "account_number", English: "must be an account number of 10 to 16 digits", Korean: "10~16자리 계좌번호여야 합니다"})
	}
	return escrow.BankAccount{Bank: bank, Number: digits, Holder: holder}
}

// methods takes the whole list of methods on offer. A cash-like one that is new
// brings its escrow contract.
func (c *changes) methods(f *body.Fields) {
	if !f.Has("methods") {
		return
	}
	var offered []escrow.Method
	for i, text := range f.Texts("methods", len(methods), textMax) {
		method := escrow.Method(text)
		switch {
		case !slices.Contains(methods, method):
			f.Refuse(fmt.Sprintf("methods[%d]", i), body.NotOneOf(methodNames()...))
		case !slices.Contains(offered, method):
			offered = append(offered, method)
		}
	}
	c.add(func(m *merchant.Merchant, now time.Time) {
		for _, method := range methods {
			if !slices.Contains(offered, method) {
				m.Disable(method)
			}
		}
		m.Enable(now, offered...)
	})
}

func methodNames() []string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = string(m)
	}
	return names
}

func (c *changes) fees(f *body.Fields) {
	fees := f.Object("fees")
	for _, name := range methodNames() {
		change := readFee(fees.Object(name))
		c.add(func(m *merchant.Merchant, _ time.Time) {
			all := map[string]settle.Fee{}
			for k, v := range m.Terms.Fees {
				all[k] = v
			}
			all[name] = change(all[name])
			m.Terms.Fees = all
		})
	}
	refund := readFee(f.Object("refundFee"))
	c.add(func(m *merchant.Merchant, _ time.Time) { m.Terms.Refund = refund(m.Terms.Refund) })
}

// readFee takes the parts of a fee and returns how they change one.
func readFee(f *body.Fields) func(settle.Fee) settle.Fee {
	rate, hasRate := f.Int("rate", 0, rateMax)
	flat, hasFlat := f.Won("flat")
	least, hasMin := f.Won("min")
	return func(fee settle.Fee) settle.Fee {
		if hasRate {
			fee.Rate = rate
		}
		if hasFlat {
			fee.Flat = money.Won(flat)
		}
		if hasMin {
			fee.Min = money.Won(least)
		}
		return fee
	}
}

func (c *changes) cycle(f *body.Fields) {
	rhythm := settle.Rhythm(f.OneOf("rhythm", string(settle.Daily), string(settle.Weekly), string(settle.Monthly)))
	days, hasDays := readDays(f, "days", 0, 31, 31)
	fromPayment, hasPayment := f.Int("fromPayment", 0, daysMax)
	fromConfirm, hasConfirm := f.Int("fromConfirm", 0, daysMax)
	c.add(func(m *merchant.Merchant, _ time.Time) {
		cycle := &m.Terms.Cycle
		if rhythm != "" {
			cycle.Rhythm = rhythm
		}
		if hasDays {
			cycle.Days = days
		}
		if rhythm == settle.Daily {
			cycle.Days = nil
		}
		if hasPayment {
			cycle.FromPayment = int(fromPayment)
		}
		if hasConfirm {
			cycle.FromConfirm = int(fromConfirm)
		}
	})
}

// readDays takes a list of whole numbers of days.
func readDays(f *body.Fields, name string, low, high, limit int) (days []int, given bool) {
	if !f.Has(name) {
		return nil, false
	}
	days = []int{}
	for i, text := range f.Texts(name, limit, 4) {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			f.Refuse(fmt.Sprintf("%s[%d]", name, i), body.Reason{Code: "day", English: fmt.Sprintf("must be a whole number from %d to %d", low, high), Korean: fmt.Sprintf("%d부터 %d까지의 정수여야 합니다", low, high)})
			continue
		}
		days = append(days, n)
	}
	return days, true
}

// policyFields are the switches and numbers of the policy profile under the
// names that the rules use in refusals.
var policyFields = map[string]func(*changes, *body.Fields, string){
	"cancelAfterShip": policyWord(func(p *escrow.Profile, v string) { p.CancelAfterShip = escrow.CancelPolicy(v) },
		string(escrow.AfterReject), string(escrow.AfterHold), string(escrow.Direct)),
	"depositPolicy": policyWord(func(p *escrow.Profile, v string) { p.Deposit = escrow.DepositPolicy(v) },
		string(escrow.RefuseDeposit), string(escrow.SuspendDeposit)),
	"decisionIdentity": policyWord(func(p *escrow.Profile, v string) { p.Identity = escrow.IdentityPolicy(v) },
		string(escrow.TokenOnly), string(escrow.TokenAndTail)),
	"autoConfirmTrackedDays":   policyDays(daysMax, func(p *escrow.Profile, n int) { p.TrackedDays = n }),
	"autoConfirmUntrackedDays": policyDays(daysMax, func(p *escrow.Profile, n int) { p.UntrackedDays = n }),
	"buyerCancelAutoAgreeDays": policyDays(daysMax, func(p *escrow.Profile, n int) { p.AutoAgreeDays = n }),
	"depositGraceMinutes":      policyDays(graceMax, func(p *escrow.Profile, n int) { p.DepositGrace = time.Duration(n) * time.Minute }),
	"strictNotice":             policySwitch(func(p *escrow.Profile) *bool { return &p.StrictNotice }),
	"allowModify":              policySwitch(func(p *escrow.Profile) *bool { return &p.AllowModify }),
	"selfDelivery":             policySwitch(func(p *escrow.Profile) *bool { return &p.SelfDelivery }),
	"shopMayConfirm":           policySwitch(func(p *escrow.Profile) *bool { return &p.ShopMayConfirm }),
	"postConfirmRefund":        policySwitch(func(p *escrow.Profile) *bool { return &p.RefundAfter }),
	"cardEscrow":               policySwitch(func(p *escrow.Profile) *bool { return &p.CardEscrow }),
	"manualApproval":           policySwitch(func(p *escrow.Profile) *bool { return &p.ManualApproval }),
	"remindersDays": func(c *changes, f *body.Fields, name string) {
		if days, given := readDays(f, name, 0, daysMax, remindersMax); given {
			c.add(func(m *merchant.Merchant, _ time.Time) { m.Profile.Reminders = days })
		}
	},
}

func (c *changes) policy(f *body.Fields) {
	for name, read := range policyFields {
		read(c, f, name)
	}
}

func policyWord(set func(*escrow.Profile, string), allowed ...string) func(*changes, *body.Fields, string) {
	return func(c *changes, f *body.Fields, name string) {
		if v := f.OneOf(name, allowed...); v != "" {
			c.add(func(m *merchant.Merchant, _ time.Time) { set(&m.Profile, v) })
		}
	}
}

func policyDays(high int64, set func(*escrow.Profile, int)) func(*changes, *body.Fields, string) {
	return func(c *changes, f *body.Fields, name string) {
		if n, given := f.Int(name, 0, high); given {
			c.add(func(m *merchant.Merchant, _ time.Time) { set(&m.Profile, int(n)) })
		}
	}
}

func policySwitch(of func(*escrow.Profile) *bool) func(*changes, *body.Fields, string) {
	return func(c *changes, f *body.Fields, name string) {
		if v, given := f.Bool(name); given {
			c.add(func(m *merchant.Merchant, _ time.Time) { *of(&m.Profile) = v })
		}
	}
}

func (c *changes) webhook(f *body.Fields) {
	hasURL := f.Has("url")
	address := f.Ident("url", urlMax)
	form, hasForm := f.Bool("form")
	retries, hasRetries := f.Int("retries", 0, 5)
	events, hasEvents := f.Bool("escrowEvents")
	c.add(func(m *merchant.Merchant, _ time.Time) {
		if hasURL {
			m.Webhook.URL = address
		}
		if hasForm {
			m.Webhook.Form = form
		}
		if hasRetries {
			m.Webhook.Retries = int(retries)
		}
		if hasEvents {
			m.Webhook.EscrowEvents = events
		}
	})
}

// origins takes the whole list of web origins from which the window may be opened.
func (c *changes) origins(f *body.Fields) {
	if !f.Has("origins") {
		return
	}
	var origins []string
	for i, text := range f.Idents("origins", originsMax, urlMax) {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.Scheme+"://"+u.Host != text {
			f.Refuse(fmt.Sprintf("origins[%d]", i), body.Reason{Code: "origin", English: "must be a web origin such as https://shop.example, without a path", Korean: "https://shop.example과 같이 경로가 없는 출처여야 합니다"})
			continue
		}
		origins = append(origins, strings.ToLower(text))
	}
	c.add(func(m *merchant.Merchant, _ time.Time) { m.Origins = origins })
}

// returnTo takes where rejected goods are sent; null takes it away.
func (c *changes) returnTo(f *body.Fields) {
	given := f.Has("returnTo")
	if !given && !f.IsNull("returnTo") {
		return
	}
	party := f.Object("returnTo")
	if given {
		party.Require("name", "address")
	}
	to := escrow.Party{Name: party.Text("name", nameMax), Phone: party.Text("phone", textMax), Address: party.Text("address", textMax), Postcode: party.Text("postcode", 10)}
	c.add(func(m *merchant.Merchant, _ time.Time) { m.ReturnTo = to })
}
