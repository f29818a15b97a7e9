// Package merchant says who a shop is to Holdfast: its contract, its policy,
// its methods and where it is told of things.
//
// It is pure. One rule lives here: the escrow contract of a cash-like method
// exists from the moment the method is enabled, whatever the amount (Act on
// Consumer Protection in Electronic Commerce, art. 24(2)).
package merchant

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// Mode separates play from money.
type Mode string

// The modes. A sandbox merchant has a clock of its own and a simulated bank and
// carrier; none of that can touch a live one.
const (
	Sandbox Mode = "sandbox"
	Live    Mode = "live"
)

// TermsVersion is the version of the escrow terms that buyers are shown and
// contracts are made under. The texts that ship with Holdfast carry this date.
const TermsVersion = "2026-11-01"

// ContractState is whether a method is covered by an escrow contract.
type ContractState string

// The states of a contract.
const (
	NoContract ContractState = "none"
	InForce    ContractState = "in_force"
)

// Contract is the escrow contract for one payment method.
type Contract struct {
	State ContractState
	Since time.Time
	Terms string // version of the terms
	// ByItself says that it came with the method, not by an application.
	ByItself bool
}

// Webhook is where a shop hears of its payments.
type Webhook struct {
	URL  string
	Form bool // application/x-www-form-urlencoded instead of JSON
	// Retries is how often a failed call is repeated, a minute apart; 0 is PortOne V1's default.
	Retries int
	// EscrowEvents also sends Inicis.Escrow.Changed to the same URL.
	EscrowEvents bool
}

// maxRetries is PortOne V1's own bound.
const maxRetries = 5

// Merchant is one shop with all its settings.
type Merchant struct {
	ID         string
	Code       string // the shop's public code, IMP.init(code)
	Name       string
	BusinessNo string
	Phone      string
	Email      string
	Mode       Mode
	Methods    []escrow.Method
	Contracts  map[escrow.Method]Contract
	Profile    escrow.Profile
	Terms      settle.Terms
	Account    escrow.BankAccount // where payouts go
	Webhook    Webhook
	Endpoints  []Endpoint // besides the one that Webhook stands for
	Provider   string     // name of the payment channel in answers
	ChannelKey string
	// Origins are the web origins from which the window may be opened as a
	// frame; empty allows every origin, which only a sandbox merchant may do.
	Origins   []string
	ReturnTo  escrow.Party  // where rejected goods are sent
	Ahead     time.Duration // how far the merchant's test clock runs ahead
	CreatedAt time.Time
	Version   int64
}

// Now is the merchant's present instant: the real one, moved ahead by the test
// clock of a sandbox merchant.
func (m *Merchant) Now(real time.Time) time.Time {
	if m.Mode != Sandbox {
		return real
	}
	return real.Add(m.Ahead)
}

// New returns a merchant with the defaults that a contract starts from.
func New(id, code, name string, mode Mode, now time.Time) Merchant {
	m := Merchant{
		ID: id, Code: code, Name: name, Mode: mode, Profile: escrow.DefaultProfile(), Terms: DefaultTerms(),
		Contracts: map[escrow.Method]Contract{}, Provider: "holdfast", ChannelKey: "channel-key-" + id, CreatedAt: now,
	}
	if mode == Sandbox {
		m.Profile.ShopMayConfirm = true
	}
	m.Enable(now, escrow.VirtualAccount, escrow.BankTransfer, escrow.Card)
	return m
}

// DefaultTerms are the fees and the cycle of a merchant that agreed on nothing
// else: a virtual account 300 won, a transfer 2 per cent with at least 200 won,
// a card 3 per cent; paid daily, two business days after the confirmation.
func DefaultTerms() settle.Terms {
	return settle.Terms{
		Fees: map[string]settle.Fee{
			string(escrow.VirtualAccount): {Flat: 300},
			string(escrow.BankTransfer):   {Rate: 2000, Min: 200},
			string(escrow.Card):           {Rate: 3000},
		},
		Cycle: settle.Cycle{Rhythm: settle.Daily, FromPayment: 3, FromConfirm: 2},
	}
}

// Enable offers methods to buyers. A cash-like method brings its escrow
// contract with it.
func (m *Merchant) Enable(now time.Time, methods ...escrow.Method) {
	for _, method := range methods {
		if !slices.Contains(m.Methods, method) {
			m.Methods = append(m.Methods, method)
		}
		if method.CashLike() && m.Contracts[method].State != InForce {
			m.contract(method, Contract{State: InForce, Since: now, Terms: TermsVersion, ByItself: true})
		}
	}
}

// Disable stops offering a method. Its contract stays for payments already made.
func (m *Merchant) Disable(method escrow.Method) {
	m.Methods = slices.DeleteFunc(m.Methods, func(have escrow.Method) bool { return have == method })
}

// Apply makes an escrow contract for a method that has none. It reports
// whether anything changed.
func (m *Merchant) Apply(now time.Time, method escrow.Method) bool {
	if m.Contracts[method].State == InForce {
		return false
	}
	m.contract(method, Contract{State: InForce, Since: now, Terms: TermsVersion})
	return true
}

func (m *Merchant) contract(method escrow.Method, c Contract) {
	contracts := map[escrow.Method]Contract{method: c}
	for k, v := range m.Contracts {
		if k != method {
			contracts[k] = v
		}
	}
	m.Contracts = contracts
}

// Offers reports whether buyers may pay by the method.
func (m *Merchant) Offers(method escrow.Method) bool { return slices.Contains(m.Methods, method) }

// Contracted reports whether an escrow by this method would be covered. A card
// escrow stands on the shop's contract for any method.
func (m *Merchant) Contracted(method escrow.Method) bool {
	if method != escrow.Card {
		return m.Contracts[method].State == InForce
	}
	for _, c := range m.Contracts {
		if c.State == InForce {
			return true
		}
	}
	return false
}

// Check refuses settings that could not be worked with. The error is a
// *escrow.Refusal that names the field.
func (m *Merchant) Check() error {
	invalid := func(field, format string, args ...any) error {
		return &escrow.Refusal{Code: escrow.Invalid, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if n := len([]rune(strings.TrimSpace(m.Name))); n == 0 || n > 100 {
		return invalid("name", "a name of 1 to 100 characters is required")
	}
	if m.Mode != Sandbox && m.Mode != Live {
		return invalid("mode", "must be sandbox or live")
	}
	if err := m.Profile.Check(); err != nil {
		return err
	}
	if err := m.Terms.Check(); err != nil {
		return invalid("terms", "%v", err)
	}
	if m.Webhook.Retries < 0 || m.Webhook.Retries > maxRetries {
		return invalid("webhook.retries", "must be between 0 and %d", maxRetries)
	}
	if m.Webhook.URL != "" {
		if err := m.CheckURL(m.Webhook.URL); err != nil {
			return invalid("webhook.url", "%v", err)
		}
	}
	return m.checkEndpoints()
}

// maxURL bounds every URL that a shop gives, in bytes.
const maxURL = 2000

// maxPort is the highest port there is.
const maxPort = 65535

// CheckURL is [CheckURL] for a URL that this merchant gives: a live one may not
// name an address that is never called for it.
func (m *Merchant) CheckURL(raw string) error {
	if err := CheckURL(raw); err != nil || m.Mode != Live {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return nil // a name; what it leads to is looked at when it is dialled
	}
	if a = a.Unmap(); !a.IsGlobalUnicast() || a.IsPrivate() {
		return fmt.Errorf("%s is a private or special address, which is not called for a live shop", a)
	}
	return nil
}

// CheckURL accepts an absolute http or https URL without credentials and
// fragment. Whether its host may be called is decided when it is dialled.
func CheckURL(raw string) error {
	if len(raw) > maxURL {
		return fmt.Errorf("the URL is longer than %d bytes", maxURL)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Errorf("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("only http and https URLs are called")
	case u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("the URL has no host")
	case u.User != nil:
		return fmt.Errorf("the URL must not carry credentials")
	case u.Fragment != "":
		return fmt.Errorf("the URL must not have a fragment")
	case !portExists(u.Port()):
		return fmt.Errorf("the port %s does not exist; ports are 1 to %d", u.Port(), maxPort)
	}
	return nil
}

// portExists reports whether a URL may carry the port; none is the scheme's own.
func portExists(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n >= 1 && n <= maxPort
}
