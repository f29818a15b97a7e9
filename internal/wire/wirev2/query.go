package wirev2

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Bounds of a list.
const (
	PageSizeDefault = 10
	PageSizeMax     = 1000
	// ReachMax is how far into a list a page may reach.
	ReachMax = 60_000
	// windowDefault is the time that a list covers when the shop does not say.
	windowDefault = 90 * 24 * time.Hour

	cursorMax      = 100 // characters
	searchesMax    = 10
	searchMax      = 100 // characters
	identifierMax  = 100 // characters of a store's or merchant's id
	filterItemsMax = 100
)

// reasonReach refuses a page beyond the reach of a list.
var reasonReach = body.Reason{Code: "reach", English: "(number + 1) * size must be at most 60000", Korean: "(number + 1) * size는 60000 이하여야 합니다"}

// reasonWindow refuses a time that ends before it begins.
var reasonWindow = body.Reason{Code: "window", English: "must not be later than until", Korean: "until보다 늦을 수 없습니다"}

// Window is the time that a list covers, both ends included.
type Window struct{ From, Until time.Time }

// takeWindow takes from and until. What is left out is chosen so that the window is
// as long as it is by default.
func takeWindow(f *body.Fields, now time.Time) Window {
	from, hasFrom := f.Instant("from")
	until, hasUntil := f.Instant("until")
	if !hasUntil {
		until = now
	}
	if !hasFrom {
		from = until.Add(-windowDefault)
	}
	if from.After(until) {
		f.Refuse("from", reasonWindow)
	}
	return Window{From: from, Until: until}
}

// CursorQuery asks for a list that goes on from where it was left.
type CursorQuery struct {
	StoreID string
	Window  Window
	Cursor  string
	Size    int
}

// TakeCursorQuery takes the parameters of a list by cursor.
func TakeCursorQuery(f *body.Fields, now time.Time) CursorQuery {
	size, given := f.Int("size", 1, PageSizeMax)
	if !given {
		size = PageSizeDefault
	}
	return CursorQuery{StoreID: f.Text("storeId", identifierMax), Window: takeWindow(f, now), Cursor: f.Ident("cursor", cursorMax), Size: int(size)}
}

// Query asks for a page of payments.
type Query struct {
	StoreID, MerchantID string
	Number, Size        int64
	Window              Window
	// ByStanding says that the window is about the change of the status, and not
	// about the beginning; SortByStanding the same of the order.
	ByStanding, SortByStanding, Ascending bool

	Standings []escrow.Standing
	States    []escrow.State
	Methods   []escrow.Method
	Escrow    *bool
	Test      *bool
	// Texts are looked for anywhere in a payment.
	Texts []string
	// None says that the filter asks for what no payment here can be.
	None bool

	// What no column tells is checked: of a payment, of its cash receipt (nil for
	// none), and of the calls to the shop about it.
	checks   []func(*escrow.Payment, Store) bool
	receipts []func(*ReceiptFacts) bool
	webhooks []func([]Webhook) bool
}

// Checks reports whether there is anything to check that no column tells.
func (q *Query) Checks() bool { return len(q.checks)+len(q.receipts)+len(q.webhooks) > 0 }

// Around is what is known of payments beyond themselves.
type Around struct {
	Store Store
	// Receipts finds the cash receipts of payments by the payment's id.
	Receipts func([]escrow.Payment) (map[string]ReceiptFacts, error)
	// Webhooks finds the calls to the shop about a payment.
	Webhooks func(paymentID string) ([]Webhook, error)
}

// Sift returns the payments that pass all checks, in their order. What is around them
// is found only for those that pass the checks of what they know themselves, receipts
// before webhooks, and only if a check looks at it.
func (q *Query) Sift(payments []escrow.Payment, around Around) ([]escrow.Payment, error) {
	left := keep(payments, func(p *escrow.Payment) bool {
		return passes(q.checks, func(check func(*escrow.Payment, Store) bool) bool { return check(p, around.Store) })
	})
	if len(q.receipts) > 0 && len(left) > 0 {
		receipts, err := around.Receipts(left)
		if err != nil {
			return nil, err
		}
		left = keep(left, func(p *escrow.Payment) bool {
			var r *ReceiptFacts
			if facts, has := receipts[p.ID]; has {
				r = &facts
			}
			return passes(q.receipts, func(check func(*ReceiptFacts) bool) bool { return check(r) })
		})
	}
	if len(q.webhooks) == 0 {
		return left, nil
	}
	var failed error
	left = keep(left, func(p *escrow.Payment) bool {
		if failed != nil {
			return false
		}
		var calls []Webhook
		calls, failed = around.Webhooks(p.ID)
		return failed == nil && passes(q.webhooks, func(check func([]Webhook) bool) bool { return check(calls) })
	})
	return left, failed
}

func keep(payments []escrow.Payment, wanted func(*escrow.Payment) bool) []escrow.Payment {
	var out []escrow.Payment
	for i := range payments {
		if wanted(&payments[i]) {
			out = append(out, payments[i])
		}
	}
	return out
}

func passes[T any](checks []T, holds func(T) bool) bool {
	return !slices.ContainsFunc(checks, func(check T) bool { return !holds(check) })
}

// TakeQuery takes the parameters of a list by page.
func TakeQuery(f *body.Fields, now time.Time) Query {
	q := Query{Size: PageSizeDefault}
	page := f.Object("page")
	q.Number, _ = page.Int("number", 0, ReachMax)
	if size, given := page.Int("size", 1, PageSizeMax); given {
		q.Size = size
	}
	if (q.Number+1)*q.Size > ReachMax {
		page.Refuse("number", reasonReach)
	}
	filter := f.Object("filter")
	q.StoreID, q.MerchantID = filter.Text("storeId", identifierMax), filter.Text("merchantId", identifierMax)
	q.Window = takeWindow(filter, now)
	q.ByStanding = filter.OneOf("timestampType", "CREATED_AT", "STATUS_CHANGED_AT") != "CREATED_AT"
	q.SortByStanding = q.ByStanding
	if by := filter.OneOf("sortBy", "REQUESTED_AT", "STATUS_CHANGED_AT"); by != "" {
		q.SortByStanding = by == "STATUS_CHANGED_AT"
	}
	q.Ascending = filter.OneOf("sortOrder", "DESC", "ASC") == "ASC"
	q.takeColumns(filter)
	q.takeImpossible(filter)
	q.takeChecks(filter)
	q.takeSearches(filter)
	return q
}

// listStatuses are the statuses of a filter. A waiting payment has another word here
// than in a payment; there is none.
var listStatuses = []string{"READY", "PENDING", "VIRTUAL_ACCOUNT_ISSUED", "PAID", "FAILED", "PARTIAL_CANCELLED", "CANCELLED"}

var listMethods = []string{"CARD", "TRANSFER", "VIRTUAL_ACCOUNT", "GIFT_CERTIFICATE", "MOBILE", "EASY_PAY", "CONVENIENCE_STORE", "CRYPTO"}

// methodWords are the words of the methods that Holdfast has.
var methodWords = map[string]escrow.Method{"CARD": escrow.Card, "TRANSFER": escrow.BankTransfer, "VIRTUAL_ACCOUNT": escrow.VirtualAccount}

// takeColumns takes what the store can look for.
func (q *Query) takeColumns(f *body.Fields) {
	for _, word := range takeWords(f, "status", listStatuses...) {
		q.Standings = append(q.Standings, standingOf(Status(word)))
	}
	for _, word := range takeWords(f, "methods", listMethods...) {
		q.Methods = append(q.Methods, cmp.Or(methodWords[word], escrow.Method(word)))
	}
	q.Escrow, q.Test = takeSwitch(f, "isEscrow"), takeSwitch(f, "isTest")
	steps := []string{"REGISTERED", "DELIVERED", "CONFIRMED", "REJECTED", "CANCELLED", "REJECT_CONFIRMED"}
	if step := f.OneOf("escrowStatus", steps...); step != "" {
		yes := true
		if q.Escrow != nil && !*q.Escrow {
			q.None = true
		}
		q.Escrow, q.States = &yes, []escrow.State{escrowStates[EscrowStatus(step)]}
	}
}

// standingOf is the standing of a status, or one that no payment has.
func standingOf(s Status) escrow.Standing {
	for standing, status := range statusOf {
		if status == s {
			return standing
		}
	}
	return ""
}

// takeSwitch takes a switch that filters nothing when it is absent.
func takeSwitch(f *body.Fields, name string) *bool {
	v, given := f.Bool(name)
	if !given {
		return nil
	}
	return &v
}

// takeWords takes a list of words, each one of several; nil if the member is absent or
// an empty list, which filters nothing.
func takeWords(f *body.Fields, name string, allowed ...string) []string {
	words := f.Texts(name, filterItemsMax, identifierMax)
	for _, w := range words {
		if len(allowed) > 0 && !slices.Contains(allowed, w) {
			f.Refuse(name, body.NotOneOf(allowed...))
			return nil
		}
	}
	if len(words) == 0 {
		return nil
	}
	return words
}

// takeImpossible takes what no payment here has: it is understood, and the answer is
// an empty list.
func (q *Query) takeImpossible(f *body.Fields) {
	scheduled, _ := f.Bool("isScheduled")
	none := []bool{
		scheduled,
		f.OneOf("cardBrand", "LOCAL", "MASTER", "UNIONPAY", "VISA", "JCB", "AMEX", "DINERS") != "",
		f.OneOf("cardType", "CREDIT", "DEBIT", "GIFT") != "",
		f.OneOf("cardOwnerType", "PERSONAL", "CORPORATE") != "",
		f.Text("giftCertificateType", identifierMax) != "",
	}
	currency := f.Text("currency", identifierMax)
	none = append(none, currency != "" && currency != CurrencyKRW)
	q.None = q.None || slices.Contains(none, true)
}

// takeChecks takes what is looked at payment by payment.
func (q *Query) takeChecks(f *body.Fields) {
	check := func(c func(*escrow.Payment, Store) bool) { q.checks = append(q.checks, c) }
	if providers := takeWords(f, "pgProvider"); providers != nil {
		check(func(p *escrow.Payment, s Store) bool { return slices.Contains(providers, channelOf(p, s).PgProvider) })
	}
	if version := f.OneOf("version", VersionV1, VersionV2); version != "" {
		check(func(p *escrow.Payment, _ Store) bool { return versionOf(p) == version })
	}
	if platform := f.OneOf("platformType", "SDK_MOBILE", "SDK_PC", "API"); platform != "" {
		want := strings.TrimPrefix(platform, "SDK_")
		check(func(p *escrow.Payment, _ Store) bool { return originOf(p).PlatformType == want })
	}
	if status := f.OneOf("webhookStatus", WebhookSucceeded, WebhookRefused, WebhookFailed); status != "" {
		q.webhooks = append(q.webhooks, func(calls []Webhook) bool {
			return slices.ContainsFunc(calls, func(w Webhook) bool { return w.Status == status })
		})
	}
	q.takeReceiptChecks(f)
}

func (q *Query) takeReceiptChecks(f *body.Fields) {
	check := func(c func(*ReceiptFacts) bool) { q.receipts = append(q.receipts, c) }
	switch kind := f.OneOf("cashReceiptType", "PERSONAL", "CORPORATE", "NO_RECEIPT"); kind {
	case "":
	case "NO_RECEIPT":
		check(func(r *ReceiptFacts) bool { return r == nil })
	default:
		check(func(r *ReceiptFacts) bool { return r != nil && r.kind() == kind })
	}
	if status := f.OneOf("cashReceiptStatus", ReceiptStands, ReceiptRevoked); status != "" {
		check(func(r *ReceiptFacts) bool { return r != nil && r.status() == status })
	}
	within := func(name string, at func(*ReceiptFacts) time.Time) {
		o := f.Object(name)
		if !o.Given() {
			return
		}
		o.Require("from", "until")
		from, _ := o.Instant("from")
		until, _ := o.Instant("until")
		check(func(r *ReceiptFacts) bool {
			return r != nil && !at(r).IsZero() && !at(r).Before(from) && !at(r).After(until)
		})
	}
	within("cashReceiptIssuedAtRange", func(r *ReceiptFacts) time.Time { return r.IssuedAt })
	within("cashReceiptCancelledAtRange", func(r *ReceiptFacts) time.Time { return r.CancelledAt })
}

// searches are the fields that can be searched. ALL looks everywhere; fields that no
// payment here has find nothing.
var searches = map[string]func(*escrow.Payment) []string{
	"ALL": nil,
	// What a payment has.
	"PAYMENT_ID": func(p *escrow.Payment) []string { return []string{p.OrderID} }, "TX_ID": func(p *escrow.Payment) []string { return []string{p.ID} },
	"FAIL_REASON": func(p *escrow.Payment) []string { return []string{p.FailReason} }, "CARD_NUMBER": func(p *escrow.Payment) []string { return []string{p.CardNumber} },
	"CARD_APPROVAL_NUMBER": func(p *escrow.Payment) []string { return []string{p.ApprovalNo} }, "PG_TX_ID": func(p *escrow.Payment) []string { return []string{p.ID} },
	"TRANS_BANK": func(p *escrow.Payment) []string { return bankWords(p.Method == escrow.BankTransfer, p.Payer.Bank) },
	"VIRTUAL_ACCOUNT_BANK": func(p *escrow.Payment) []string {
		return ofAccount(p, func(a *escrow.Account) []string { return bankWords(true, a.Bank) })
	},
	"VIRTUAL_ACCOUNT_HOLDER_NAME": func(p *escrow.Payment) []string {
		return ofAccount(p, func(a *escrow.Account) []string { return []string{a.Holder} })
	},
	"VIRTUAL_ACCOUNT_NUMBER": func(p *escrow.Payment) []string {
		return ofAccount(p, func(a *escrow.Account) []string { return []string{a.Number} })
	},
	"PG_CANCELLATION_ID": func(p *escrow.Payment) (out []string) {
		for _, c := range CancellationsOf(p) {
			out = append(out, c.ID)
		}
		return out
	},
	"CANCEL_REASON": func(p *escrow.Payment) (out []string) {
		for _, c := range CancellationsOf(p) {
			out = append(out, c.Reason)
		}
		return append(out, p.CancelReason)
	},
	"ORDER_NAME": func(p *escrow.Payment) []string { return []string{p.Name} }, "CUSTOMER_NAME": func(p *escrow.Payment) []string { return []string{p.Buyer.Name} },
	"CUSTOMER_EMAIL": func(p *escrow.Payment) []string { return []string{p.Buyer.Email} }, "CUSTOMER_PHONE_NUMBER": func(p *escrow.Payment) []string { return []string{p.Buyer.Phone} },
	"CUSTOMER_ADDRESS": func(p *escrow.Payment) []string { return []string{p.Buyer.Address} }, "CUSTOMER_ZIPCODE": func(p *escrow.Payment) []string { return []string{p.Buyer.Postcode} },
	"USER_AGENT": func(p *escrow.Payment) []string { return []string{p.UserAgent} },
	// What none has.
	"SCHEDULE_ID": noText, "CARD_ISSUER": noText, "CARD_ACQUIRER": noText, "CARD_BIN": noText, "CARD_RECEIPT_NAME": noText, "CARD_INSTALLMENT": noText,
	"PG_MERCHANT_ID": noText, "PG_RECEIPT_ID": noText, "RECEIPT_APPROVAL_NUMBER": noText, "BILLING_KEY": noText, "PROMOTION_ID": noText,
	"GIFT_CERTIFICATION_APPROVAL_NUMBER": noText,
}

func noText(*escrow.Payment) []string { return nil }

func ofAccount(p *escrow.Payment, say func(*escrow.Account) []string) []string {
	if p.Account == nil {
		return nil
	}
	return say(p.Account)
}

// bankWords are the names under which a bank may be looked for.
func bankWords(meant bool, code string) []string {
	b, known := krbank.ByCode(code)
	if !meant || !known {
		return nil
	}
	return []string{Bank(code), b.Korean}
}

// notKept are the searched fields whose texts the store does not look for.
var notKept = []string{"USER_AGENT", "TRANS_BANK", "VIRTUAL_ACCOUNT_BANK", "CARD_NUMBER", "CANCEL_REASON", "PG_CANCELLATION_ID"}

func (q *Query) takeSearches(f *body.Fields) {
	for _, s := range f.Objects("textSearch", searchesMax) {
		s.Require("field", "value")
		field, value := s.Text("field", identifierMax), s.Text("value", searchMax)
		texts, known := searches[field]
		if !known && field != "" {
			s.Refuse("field", body.NotOneOf(slices.Sorted(maps.Keys(searches))...))
		}
		if !slices.Contains(notKept, field) {
			q.Texts = append(q.Texts, value)
		}
		if texts == nil {
			continue
		}
		want := strings.ToLower(value)
		q.checks = append(q.checks, func(p *escrow.Payment, _ Store) bool {
			return slices.ContainsFunc(texts(p), func(t string) bool { return strings.Contains(strings.ToLower(t), want) })
		})
	}
}
