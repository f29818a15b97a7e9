package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// shop is a shop's server as a test plays it.
type shop struct {
	*client.Client
	t      *testing.T
	server *servetest.Server
	play   *client.Sandbox
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := servetest.Run(t)
	c, err := client.New(s.URL, client.Secret(s.API), client.StoreID(s.Code))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.CheckBooks() })
	return &shop{Client: c, t: t, server: s, play: c.Sandbox(s.Key, s.Secret)}
}

// must stops the test at an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var tea = client.InstantPayment{
	Account: client.AccountOrder{Bank: "SHINHAN", ValidHours: 72}, OrderName: "백자 찻잔", Amount: client.AmountOrder{Total: 39000}, Escrow: true,
	Customer: &client.CustomerInput{Name: "홍길동", Email: "buyer@holdfast.example", PhoneNumber: "010-1234-5678"},
	Products: []client.Product{{ID: "p1", Name: "백자 찻잔", Amount: 39000, Quantity: 1}},
}

var refund = client.RefundAccount{Bank: "KOOKMIN", Number: "12345678901234", HolderName: "홍길동"}

// held is an order whose money is held.
func (s *shop) held(id string) client.Payment {
	s.t.Helper()
	ctx := s.t.Context()
	must(s.PayInstantly(ctx, id, tea))(s.t)
	p := must(s.Payment(ctx, id))(s.t)
	must(s.play.Deposit(ctx, p.TransactionID, 0))(s.t)
	return p
}

func (s *shop) ship(id string) {
	s.t.Helper()
	now := must(s.play.Clock(s.t.Context()))(s.t).Now
	d := client.Delivery{Company: "CJ", InvoiceNumber: "689012345678", SentAt: now}
	if got := must(s.RegisterDelivery(s.t.Context(), id, d))(s.t); got.InvoiceNumber != d.InvoiceNumber || got.AppliedAt.IsZero() {
		s.t.Errorf("registered %+v", got)
	}
}

// inbox collects the events that a shop is told.
type inbox struct {
	sync.Mutex
	events []client.Event
}

func (i *inbox) add(_ context.Context, e client.Event) error {
	i.Lock()
	defer i.Unlock()
	i.events = append(i.events, e)
	return nil
}

func (i *inbox) types() (out []client.EventType) {
	i.Lock()
	defer i.Unlock()
	for _, e := range i.events {
		out = append(out, e.Type)
	}
	return out
}

// has reports whether an event came whose id begins so.
func (i *inbox) has(id string) bool {
	i.Lock()
	defer i.Unlock()
	return slices.ContainsFunc(i.events, func(e client.Event) bool { return strings.HasPrefix(e.ID, id) })
}

// TestSilence is the whole life of an escrow whose buyer says nothing, told by webhook
// and by the feed.
func TestSilence(t *testing.T) {
	s, ctx := newShop(t), t.Context()
	var in inbox
	endpoint := s.listen(&in)

	const id = "주문 1/?가"
	if err := s.PreRegister(ctx, id, client.PreRegistration{TotalAmount: 39000}); err != nil {
		t.Fatal(err)
	}
	issued := must(s.PayInstantly(ctx, id, tea))(t)
	waiting := must(s.Payment(ctx, id))(t)
	account, ok := waiting.Method.(client.VirtualAccount)
	if _, waits := waiting.State.(client.AccountIssued); !ok || !waits || account.AccountNumber == "" || issued.PgTxID != waiting.PgTxID {
		t.Fatalf("issued %+v, payment %+v", issued, waiting)
	}
	must(s.play.Deposit(ctx, waiting.TransactionID, 0))(t)
	paid := must(s.Payment(ctx, id))(t)
	state, ok := paid.State.(client.Paid)
	if !ok || state.PaidAt.IsZero() || paid.Amount.Paid != 39000 {
		t.Fatalf("paid %+v", paid)
	}
	if _, ok := paid.Escrow.(client.EscrowBeforeRegistered); !ok {
		t.Fatalf("escrow %T", paid.Escrow)
	}
	s.ship(id)
	must(s.ChangeDelivery(ctx, id, client.Delivery{Company: "HANJIN", InvoiceNumber: "512345678901", SentAt: state.PaidAt}))(t)
	must(s.play.Parcel(ctx, waiting.TransactionID, client.ParcelDeliverNow))(t)
	if e, ok := must(s.Payment(ctx, id))(t).Escrow.(client.EscrowDelivered); !ok || e.Company != "HANJIN" || e.InvoiceNumber != "512345678901" {
		t.Fatalf("escrow %+v", e)
	}
	advanced := must(s.play.AdvanceBusinessDays(ctx, 4))(t)
	if advanced.Count == 0 || !advanced.Now.After(advanced.From) {
		t.Errorf("advanced %+v", advanced)
	}
	if e, ok := must(s.Payment(ctx, id))(t).Escrow.(client.EscrowConfirmed); !ok || !e.IsAutomaticallyConfirmed {
		t.Fatalf("escrow %+v", e)
	}
	if at := must(s.CompleteEscrow(ctx, id))(t); at.IsZero() || at.After(advanced.Now) {
		t.Errorf("confirmed again at %s", at)
	}
	s.told(&in, endpoint, id)
	s.rotated(endpoint)
	s.paidOut(id)
}

// paidOut lets the settlement pay the sale out, and finds the payout, what it pays and
// what is told of it.
func (s *shop) paidOut(id string) {
	s.t.Helper()
	ctx := s.t.Context()
	must(s.play.AdvanceBusinessDays(ctx, 6))(s.t)
	var payouts []client.Payout
	for p, err := range s.Payouts(ctx) {
		if err != nil {
			s.t.Fatal(err)
		}
		payouts = append(payouts, p)
	}
	if len(payouts) != 1 || payouts[0].State != client.PayoutPaid || must(s.Payout(ctx, payouts[0].ID))(s.t) != payouts[0] {
		s.t.Fatalf("payouts %+v", payouts)
	}
	var net int64
	for l, err := range s.PayoutLines(ctx, payouts[0].ID) {
		if err != nil || l.PaymentID != id || l.Kind != "sale" {
			s.t.Fatalf("line %+v, %v", l, err)
		}
		net += l.Net
	}
	if net != payouts[0].Amount {
		s.t.Errorf("lines of %d won in a payout of %d", net, payouts[0].Amount)
	}
	for e, err := range s.Feed(ctx, 0) {
		if err != nil {
			s.t.Fatal(err)
		}
		if e.Type != client.EventEscrowPayoutSent {
			continue
		}
		told, is := must(e.Event())(s.t).Data.(client.PayoutEvent)
		if !is || told.PayoutID != payouts[0].ID || told.Amount != net || told.Sequence != 1 || told.Date != payouts[0].Date || told.AccountNumber != payouts[0].AccountNumber {
			s.t.Errorf("told %+v", told)
		}
		break
	}
}

// listen makes an endpoint that a handler of the client receives.
func (s *shop) listen(in *inbox) client.Endpoint {
	s.t.Helper()
	const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	v := must(client.NewVerifier(secret))(s.t).At(s.server.Clock.Now) // the machine's clock, as the server sees it
	receiver := httptest.NewServer(v.Handler(in.add))
	s.t.Cleanup(receiver.Close)
	e := must(s.CreateEndpoint(s.t.Context(), client.EndpointSettings{
		URL: new(receiver.URL), Events: &[]string{"Transaction.*", "Escrow.*"}, Ordered: new(true), Secret: new(secret),
	}))(s.t)
	if e.Secret != secret || !e.Ordered || e.Secrets != 1 {
		s.t.Errorf("created %+v", e)
	}
	return e
}

// told checks that webhooks and the feed tell the same, in order.
func (s *shop) told(in *inbox, endpoint client.Endpoint, id string) {
	s.t.Helper()
	types := in.types()
	var last int
	for _, want := range []client.EventType{
		client.EventVirtualAccountIssued, client.EventPaid, client.EventEscrowDeliveryRegistered, client.EventEscrowDeliveryChanged,
		client.EventEscrowDelivered, client.EventEscrowDecisionDue, client.EventEscrowConfirmed,
	} {
		at := slices.Index(types[last:], want)
		if at < 0 {
			s.t.Fatalf("%s is not told after %v: %v", want, types[:last], types)
		}
		last += at
	}
	for _, e := range in.events {
		switch d := e.Data.(type) {
		case client.EscrowEvent:
			if d.PaymentID != id || d.Sequence == 0 || (e.Type == client.EventEscrowDecisionDue && (d.DecideBefore.IsZero() || d.Working == nil)) {
				s.t.Errorf("%s: %+v", e.Type, d)
			}
		case client.TransactionEvent:
			if d.PaymentID != id {
				s.t.Errorf("%s: %+v", e.Type, d)
			}
		default:
			s.t.Errorf("%s is a %T", e.Type, d)
		}
	}
	var fed []client.EventType // two names of one step come to an endpoint in either order
	for e, err := range s.Feed(s.t.Context(), 0) {
		if err != nil {
			s.t.Fatal(err)
		}
		if event := must(e.Event())(s.t); event.Type != e.Type || !in.has(e.ID) {
			s.t.Errorf("the feed tells %s %s", e.Type, e.ID)
		}
		if fed = append(fed, e.Type); len(fed) == len(types) {
			break
		}
	}
	slices.Sort(fed)
	if slices.Sort(types); !slices.Equal(fed, types) {
		s.t.Errorf("the feed tells\n%v\nand the webhooks\n%v", fed, types)
	}
	var delivered int
	for d, err := range s.Deliveries(s.t.Context(), client.DeliveryFilter{Endpoint: endpoint.ID, State: client.DeliveryDelivered}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if delivered++; delivered == 1 {
			if whole := must(s.Delivery(s.t.Context(), d.ID))(s.t); len(whole.Log) != 1 || whole.Log[0].Status != 204 {
				s.t.Errorf("delivery %+v", whole)
			}
		}
	}
	if delivered != len(types) {
		s.t.Errorf("the log has %d calls, of %d", delivered, len(types))
	}
}

// rotated checks what the shop API does with an endpoint.
func (s *shop) rotated(endpoint client.Endpoint) {
	s.t.Helper()
	ctx := s.t.Context()
	fresh := must(s.RotateSecret(ctx, endpoint.ID))(s.t)
	must(client.NewVerifier(fresh))(s.t)
	if got := must(s.Endpoint(ctx, endpoint.ID))(s.t); got.Secrets != 2 || got.Secret != "" {
		s.t.Errorf("rotated %+v", got)
	}
	if err := s.DropOldSecret(ctx, endpoint.ID); err != nil {
		s.t.Error(err)
	}
	if got := must(s.ReplayRange(ctx, endpoint.ID, 1, 0))(s.t); got.Deliveries == 0 {
		s.t.Errorf("replayed %+v", got)
	}
	if got := must(s.ChangeEndpoint(ctx, endpoint.ID, client.EndpointSettings{Description: new("찻집")}))(s.t); got.Description != "찻집" {
		s.t.Errorf("changed %+v", got)
	}
	if got := must(s.SwitchEndpoint(ctx, endpoint.ID, false))(s.t); got.Off == nil || got.Off.Why != "shop" {
		s.t.Errorf("switched %+v", got)
	}
	if err := s.DeleteEndpoint(ctx, endpoint.ID); err != nil {
		s.t.Error(err)
	}
	if _, err := s.Endpoint(ctx, endpoint.ID); !errors.Is(err, client.ShopNotFound) {
		s.t.Errorf("deleted: %v", err)
	}
}

// TestReject is the life of an escrow whose buyer rejects, and whose money goes back.
func TestReject(t *testing.T) {
	s, ctx := newShop(t), t.Context()
	p := s.held("order-2")
	s.ship("order-2")
	must(s.play.Parcel(ctx, p.TransactionID, client.ParcelDeliverNow))(t)
	must(s.play.AdvanceBy(ctx, time.Hour))(t)
	must(s.play.Decide(ctx, p.TransactionID, client.DecideReject, "금이 갔습니다"))(t)
	if e, ok := must(s.Payment(ctx, "order-2"))(t).Escrow.(client.EscrowRejected); !ok {
		t.Fatalf("escrow %T", e)
	}
	got := must(s.Cancel(ctx, "order-2", client.Cancel{Reason: "반품", Account: &refund, Cancellable: new(int64(39000))}))(t)
	if got.TotalAmount != 39000 || got.Reason != "반품" {
		t.Errorf("cancellation %+v", got)
	}
	must(s.play.AdvanceBusinessDays(ctx, 2))(t)
	p = must(s.Payment(ctx, "order-2"))(t)
	state, ok := p.State.(client.Cancelled)
	if !ok || len(state.Cancellations) != 1 || state.Cancellations[0].Status != client.CancellationSucceeded {
		t.Fatalf("state %+v", p.State)
	}
	_, err := s.Cancel(ctx, "order-2", client.Cancel{Reason: "다시", Account: &refund})
	var no *client.Error
	if !errors.As(err, &no) || no.Type != client.PaymentAlreadyCancelled || no.Status != 409 || no.Message == "" || no.IdempotencyKey == "" {
		t.Errorf("cancelled again: %+v", err)
	}
	if err := s.StopCancellation(ctx, "order-2", state.Cancellations[0].ID); !errors.Is(err, client.CancellationNotPending) {
		t.Errorf("stopped: %v", err)
	}
}

// TestLists reads payments in every way there is.
func TestLists(t *testing.T) {
	s, ctx := newShop(t), t.Context()
	ids := []string{"a-1", "a-2", "a-3"}
	for _, id := range ids {
		s.held(id)
		must(s.play.AdvanceBy(ctx, time.Minute))(t)
	}
	page := must(s.ListPayments(ctx, 0, 2, client.Filter{IsEscrow: new(true), SortOrder: "ASC", Status: []string{"PAID"}}))(t)
	if page.Page.TotalCount != 3 || len(page.Items) != 2 || page.Items[0].ID != "a-1" {
		t.Errorf("page %+v", page.Page)
	}
	var got []string
	for p, err := range s.Payments(ctx, client.Range{Size: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Payment.ID)
	}
	if !slices.Equal(got, ids) {
		t.Errorf("by cursor %v", got)
	}
	for e, err := range s.PaymentEvents(ctx, client.Range{Size: 2}) {
		if err != nil || e.PaymentEvent.Type != client.StatusPaid || e.PaymentEvent.EventAmount != 39000 || e.PaymentEvent.Method == nil {
			t.Fatalf("event %+v, %v", e, err)
		}
	}
	attempts := must(s.Transactions(ctx, "a-1"))(t)
	if len(attempts) != 1 || attempts[0].PaymentID != "a-1" || attempts[0].State == nil {
		t.Errorf("transactions %+v", attempts)
	}
	for _, err := range s.Payments(ctx, client.Range{Cursor: "nonsense"}) {
		if !errors.Is(err, client.InvalidRequest) {
			t.Errorf("a cursor that is none: %v", err)
		}
	}
}

// TestAccountsAndReceipts covers what is about a payment and is no step of it.
func TestAccountsAndReceipts(t *testing.T) {
	s, ctx := newShop(t), t.Context()
	banks := must(s.Banks(ctx))(t)
	if len(banks) < 20 || banks[0].Name.Ko == "" {
		t.Errorf("banks %v", banks)
	}
	if h := must(s.AccountHolder(ctx, "KOOKMIN", refund.Number))(t); h.HolderName == "" {
		t.Errorf("holder %+v", h)
	}
	p := s.held("r-1")
	order := client.CashReceiptOrder{
		PaymentID: "r-1", ChannelKey: p.Channel.Key, Type: "PERSONAL", OrderName: "백자 찻잔", Amount: client.AmountOrder{Total: 39000},
		Customer: client.CashReceiptCustomer{IdentityNumber: "01012345678"},
	}
	issued := must(s.IssueCashReceipt(ctx, order))(t)
	if r := must(s.CashReceipt(ctx, "r-1"))(t); r.IssueNumber != issued.IssueNumber || r.Amount != 39000 {
		t.Errorf("receipt %+v", r)
	}
	if p = must(s.Payment(ctx, "r-1"))(t); p.CashReceipt == nil {
		t.Error("the payment shows no receipt")
	}
	if r := must(s.CancelCashReceipt(ctx, "r-1"))(t); r.CancelledAmount != 39000 {
		t.Errorf("revoked %+v", r)
	}
	if _, err := s.CancelCashReceipt(ctx, "r-1"); !errors.Is(err, client.ReceiptNotIssued) {
		t.Errorf("revoked again: %v", err)
	}
	must(s.PayInstantly(ctx, "r-2", tea))(t)
	if at := must(s.CloseAccount(ctx, "r-2"))(t); at.IsZero() {
		t.Error("closed at no time")
	}
	if _, failed := must(s.Payment(ctx, "r-2"))(t).State.(client.Failed); !failed {
		t.Error("a closed account does not fail its payment")
	}
	if err := s.Approve(ctx, "r-2", client.Approval{PaymentToken: "t"}); !errors.Is(err, client.InvalidPaymentToken) {
		t.Errorf("approved: %v", err)
	}
	if _, err := s.ResendWebhook(ctx, "r-2", ""); !errors.Is(err, client.WebhookNotFound) {
		t.Errorf("resent: %v", err)
	}
}

// TestTokens calls with an access token, and with one that is none.
func TestTokens(t *testing.T) {
	s := servetest.Run(t)
	public := must(client.New(s.URL, client.Secret("wrong")))(t)
	if _, err := public.Payment(t.Context(), "x"); !errors.Is(err, client.Unauthorized) {
		t.Errorf("a wrong secret: %v", err)
	}
	tokens := must(public.LogIn(t.Context(), s.API))(t)
	tokens = must(public.RefreshToken(t.Context(), tokens.RefreshToken))(t)
	c := must(client.New(s.URL, client.AccessToken(tokens.AccessToken)))(t)
	if _, err := c.Payment(t.Context(), "x"); !errors.Is(err, client.PaymentNotFound) {
		t.Errorf("with a token: %v", err)
	}
	other := must(client.New(s.URL, client.Secret(s.API), client.StoreID("other")))(t)
	if _, err := other.Payment(t.Context(), "x"); !errors.Is(err, client.Forbidden) {
		t.Errorf("another store: %v", err)
	}
}

// TestSameKey makes a call again in another process: it acts once.
func TestSameKey(t *testing.T) {
	s := newShop(t)
	ctx := client.WithIdempotencyKey(t.Context(), "order-k of the shop")
	first := must(s.PayInstantly(ctx, "k", tea))(t)
	again := must(s.PayInstantly(ctx, "k", tea))(t)
	if first != again {
		t.Errorf("%+v and %+v", first, again)
	}
	if all := must(s.Transactions(t.Context(), "k"))(t); len(all) != 1 {
		t.Errorf("%d attempts to pay", len(all))
	}
	if _, err := s.PayInstantly(ctx, "k-2", tea); !errors.Is(err, client.InvalidRequest) {
		t.Errorf("the key of another request: %v", err)
	}
}

// TestKeepsWhatItReads writes a payment as it came.
func TestKeepsWhatItReads(t *testing.T) {
	s := newShop(t)
	p := s.held("keep")
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again client.Payment
	if err := json.Unmarshal(raw, &again); err != nil || again.TransactionID != p.TransactionID || again.Escrow != p.Escrow || again.Method != p.Method {
		t.Errorf("%v: %s", err, raw)
	}
}
