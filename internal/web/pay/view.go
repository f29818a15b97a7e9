package pay

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/korean"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// page is the dot of every page of a window.
type page struct {
	View view
	Body any
}

// view is what every page of a window shows or needs.
type view struct {
	Shop, Name string
	Amount     money.Won
	Test       bool
	Base       string // address of the window
	Open       bool   // the payment can still be given up
	Escrow     bool
	Method     string // words of the wire: vbank, trans, card
}

func (v *visit) view() view {
	return view{
		Shop: v.shop.Name, Name: v.pay.Name, Amount: v.pay.Amount, Test: v.sandbox(), Base: v.at(""),
		Open: v.pay.State == escrow.Opened, Escrow: v.pay.Escrow, Method: wirev1.PayMethod(v.pay.Method),
	}
}

// option is one entry of a list to choose from.
type option struct {
	Value, Text string
	Chosen      bool
}

// choice is the form in which the buyer chooses.
type choice struct {
	Methods []option
	Banks   []option
	Offer   offer
	Agreed  bool
	Consent bool
	Faults  map[string]string // by field, in the reader's language
}

// offer is what the window says about escrow.
type offer struct {
	Offered bool // the buyer may choose it for cash-like methods
	Fixed   bool // the shop asked for it
	Chosen  bool // ticked before, in a form that came back
	// Exempt is the key of the sentence that says why the goods are exempt.
	Exempt string
}

// choiceView fills the form: with the buyer's own values after a fault, else
// with what the shop asked for.
func (v *visit) choiceView(given checkout, faults map[string]string) choice {
	c := choice{Offer: v.offer(), Agreed: given.agreed, Consent: given.consent, Faults: faults}
	c.Offer.Chosen = given.escrow
	methods := v.methods()
	chosen := given.method
	if !slices.Contains(methods, chosen) {
		chosen = v.pay.Method
	}
	if !slices.Contains(methods, chosen) && len(methods) > 0 {
		chosen = methods[0]
	}
	for _, m := range methods {
		word := wirev1.PayMethod(m)
		c.Methods = append(c.Methods, option{Value: word, Text: site.Say(v.lang(), "tile."+word), Chosen: m == chosen})
	}
	banks := v.banks()
	for _, b := range banks {
		c.Banks = append(c.Banks, option{Value: b.Code, Text: krbank.Name(b.Code, v.pay.English), Chosen: b.Code == given.bank || len(banks) == 1})
	}
	return c
}

// methods are those that the buyer may choose here: offered by the shop, able
// to carry the escrow that it asked for, and with somebody to take the money.
// Transfers and cards are taken by the simulated bank, so a live shop has none.
// A shop that speaks V2 has named the one that it asks for.
func (v *visit) methods() []escrow.Method {
	var out []escrow.Method
	for _, m := range []escrow.Method{escrow.VirtualAccount, escrow.BankTransfer, escrow.Card} {
		switch {
		case v.pay.V2 && m != v.pay.Method:
		case !v.shop.Offers(m), m != escrow.VirtualAccount && !v.sandbox():
		case v.pay.AskedEscrow && m == escrow.Card && !v.shop.Profile.CardEscrow:
		case v.pay.AskedEscrow && !v.shop.Contracted(m):
		default:
			out = append(out, m)
		}
	}
	return out
}

func (v *visit) offer() offer {
	switch {
	case v.pay.AskedEscrow:
		return offer{Offered: true, Fixed: true}
	case v.pay.Goods == escrow.Digital:
		return offer{Exempt: "exempt.digital"}
	case v.pay.Goods == escrow.Instalments:
		return offer{Exempt: "exempt.instalments"}
	}
	return offer{Offered: v.shop.Contracted(escrow.VirtualAccount) || v.shop.Contracted(escrow.BankTransfer)}
}

// account is what the buyer needs to pay into a virtual account.
type account struct {
	Bank, Number, Holder string
	Due                  time.Time
	Left                 int64 // seconds until the due time
	Mail                 string
	Answer               answer
}

func (v *visit) account() account {
	a := v.pay.Account
	return account{
		Bank: krbank.Name(a.Bank, v.pay.English), Number: a.Number, Holder: a.Holder, Due: a.Due,
		Left: max(0, int64(a.Due.Sub(v.now)/time.Second)), Mail: masked(v.pay.Buyer.Email), Answer: v.answer(),
	}
}

// masked shows enough of a mail address to recognise it.
func masked(address string) string {
	name, host, found := strings.Cut(address, "@")
	if !found {
		return ""
	}
	runes := []rune(name)
	return string(runes[:min(2, len(runes))]) + "***@" + host
}

// answer is how the shop hears the result: by message to the page that opened
// the window, or by the buyer going there.
type answer struct {
	Success bool
	Agreed  bool   // the shop has still to approve the payment
	Key     string // of the sentence that says why it failed; empty if Reason says it
	Reason  string
	Return  string // where the window leads when it is done; empty if by message
	Message string // JSON of the callback
	Origin  string // of the page that may read it; "*" without a named page
	Nonce   string
}

// result is what came of the window, in the words of the shop's script.
func (v *visit) result() result { return dialectOf(&v.pay).result(v) }

func (v *visit) answer() answer {
	r := v.result()
	a := answer{Success: r.success, Agreed: v.token != "", Reason: r.reason, Key: r.key}
	if v.Redirects {
		a.Return = v.at("/return")
		return a
	}
	a.Message, a.Origin, a.Nonce = r.message(), v.Origin, v.Nonce
	if a.Origin == "" {
		a.Origin = "*"
	}
	return a
}

// originsOf is the origin of an address as a policy names it: that of a web
// page, or the scheme of an app.
func originsOf(address string) []string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "":
		return nil
	case u.Scheme == "http" || u.Scheme == "https":
		return []string{u.Scheme + "://" + u.Host}
	}
	return []string{u.Scheme + ":"}
}

// banks are those that the buyer may choose from here.
func (v *visit) banks() []krbank.Bank {
	all := krbank.Issuers()
	if len(v.Banks) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(b krbank.Bank) bool { return !slices.Contains(v.Banks, b.Code) })
}

// bankChoice reports whether the code is one that the window offers.
func (v *visit) bankChoice(code string) bool {
	return slices.ContainsFunc(v.banks(), func(b krbank.Bank) bool { return b.Code == code })
}

// sentence says a refusal of the rules to a buyer or a shop's page.
func sentence(d dialect, l ui.Lang, no *escrow.Refusal) string {
	said := *no
	said.Field = d.field(no.Field)
	switch {
	case no.Code == app.PreparedDiffers:
		return site.Say(l, "refused.prepared", said.Field)
	case no.Code == escrow.AlreadyPaid:
		return site.Say(l, "refused.paid")
	case l == ui.English:
		return said.Error() + "."
	}
	text := korean.Refusal(no) + "."
	if said.Field != "" {
		return said.Field + ": " + text
	}
	return text
}
