package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/admin"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/password"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func TestOnlyTheOperatorGetsIn(t *testing.T) {
	c := start(t)
	for _, header := range []string{"", token, "Bearer", "Bearer ", "Bearer " + token + "x", "Basic " + token, "Bearer " + token[:len(token)-1]} {
		for _, path := range []string{"/merchants", "/no/such/thing"} {
			req, err := http.NewRequest(http.MethodGet, c.url+"/admin/v1"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", header)
			a := do(t, req)
			if a.status != http.StatusUnauthorized || a.Error.Code != "unauthorized" || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%q at %s: %d %s", header, path, a.status, a.raw)
			}
		}
	}
	twice, _ := http.NewRequest(http.MethodGet, c.url+"/admin/v1/merchants", nil)
	twice.Header["Authorization"] = []string{"Bearer " + token, "Bearer x"}
	if a := do(t, twice); a.status != http.StatusUnauthorized {
		t.Errorf("two tokens, one of them wrong: %d", a.status)
	}
	closed := httptest.NewServer(admin.New(c.App, "", slog.New(slog.DiscardHandler)))
	defer closed.Close()
	for _, header := range []string{"", "Bearer ", "Bearer x"} {
		req, _ := http.NewRequest(http.MethodGet, closed.URL+"/admin/v1/merchants", nil)
		req.Header.Set("Authorization", header)
		if a := do(t, req); a.status != http.StatusUnauthorized || !strings.Contains(string(a.raw), "admin_token") {
			t.Errorf("without a token of its own the server answers %d to %q", a.status, header)
		}
	}
}

func TestAddressesThatDoNotExist(t *testing.T) {
	c := start(t)
	c.refused(http.MethodGet, "/nothing", nil, http.StatusNotFound, "not_found", "")
	a := c.refused(http.MethodPut, "/merchants", nil, http.StatusMethodNotAllowed, "method_not_allowed", "")
	if allow := a.header.Get("Allow"); allow != "GET, POST" {
		t.Errorf("Allow is %q", allow)
	}
	c.refused(http.MethodGet, "/merchants/mrc_none", nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodGet, "/merchants/imp_none", nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodGet, "/merchants/"+c.Merchant+"/payments/imp_000000000000", nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodGet, "/merchants/"+c.Merchant+"/payouts/none", nil, http.StatusNotFound, "not_found", "")
}

// merchantView is what the tests read of a merchant.
type merchantView struct {
	ID, Code, Name, Mode, BusinessNumber string
	BankAccount                          *struct{ Bank, Number, Holder string }
	Methods                              []string
	Contracts                            []contractView
	Fees                                 map[string]struct{ Rate, Flat, Min int64 }
	Cycle                                struct {
		Rhythm                   string
		Days                     []int
		FromPayment, FromConfirm int
	}
	Policy struct {
		CancelAfterShip        string
		AutoConfirmTrackedDays int
		StrictNotice           bool
		ManualApproval         bool
		RemindersDays          []int
	}
	Webhook struct {
		URL          string
		Retries      int
		EscrowEvents bool
	}
	Origins []string
	Version int64
}

type contractView struct {
	Method, State, Since, Terms string
	Offered, ByItself           bool
}

func (m merchantView) contract(method string) contractView {
	for _, c := range m.Contracts {
		if c.Method == method {
			return c
		}
	}
	return contractView{}
}

func TestContractComesWithTheMethod(t *testing.T) {
	c := start(t)
	var m merchantView
	c.must(http.MethodPost, "/merchants", map[string]any{"name": "새상점", "code": "imp77777777"}, &m)
	if m.Mode != "sandbox" || m.Code != "imp77777777" || !strings.HasPrefix(m.ID, "mrc_") {
		t.Errorf("created %+v", m)
	}
	born := iso(servetest.Start)
	for method, want := range map[string]contractView{
		"virtual_account": {"virtual_account", "in_force", born, merchant.TermsVersion, true, true},
		"bank_transfer":   {"bank_transfer", "in_force", born, merchant.TermsVersion, true, true},
		"card":            {Method: "card", State: "none", Offered: true},
	} {
		if got := m.contract(method); got != want {
			t.Errorf("%s: %+v, want %+v", method, got, want)
		}
	}

	c.must(http.MethodPost, "/merchants", map[string]any{"name": "카드상점", "methods": []string{"card"}}, &m)
	if got := m.contract("virtual_account"); got.State != "none" || got.Offered {
		t.Errorf("a method that was not asked for has %+v", got)
	}
	c.Clock.Advance(48 * time.Hour)
	c.must(http.MethodPatch, "/merchants/"+m.ID, map[string]any{"methods": []string{"virtual_account"}}, &m)
	if got, want := m.contract("virtual_account"), (contractView{"virtual_account", "in_force", iso(servetest.Start.Add(48 * time.Hour)), merchant.TermsVersion, true, true}); got != want {
		t.Errorf("enabled: %+v, want %+v", got, want)
	}
	if m.contract("card").Offered || !slices.Equal(m.Methods, []string{"virtual_account"}) {
		t.Errorf("methods are %v", m.Methods)
	}
	c.must(http.MethodPatch, "/merchants/"+m.Code, map[string]any{"methods": []string{}}, &m)
	if got := m.contract("virtual_account"); got.State != "in_force" || got.Offered {
		t.Errorf("disabled: %+v; the contract stays for payments already made", got)
	}
}

func TestApplyForAContract(t *testing.T) {
	c := start(t)
	var first, again contractView
	c.must(http.MethodPost, "/merchants/"+c.Code+"/contracts/card", nil, &first)
	if first.State != "in_force" || first.ByItself || first.Since != iso(servetest.Start) || first.Terms != merchant.TermsVersion {
		t.Errorf("applied: %+v", first)
	}
	c.Clock.Advance(time.Hour)
	c.must(http.MethodPost, "/merchants/"+c.Code+"/contracts/card", map[string]any{}, &again)
	if again != first {
		t.Errorf("a second application makes %+v of %+v", again, first)
	}
	rows, err := c.App.Audit(context.Background(), c.Merchant, 0, 100)
	if err != nil || strings.Count(actions(rows), "contract.apply") != 1 {
		t.Errorf("audit: %s, %v", actions(rows), err)
	}
	c.refused(http.MethodPost, "/merchants/"+c.Code+"/contracts/cash", nil, http.StatusBadRequest, "invalid", "method")
	c.refused(http.MethodPost, "/merchants/"+c.Code+"/contracts/card", map[string]any{"terms": "x"}, http.StatusBadRequest, "invalid", "terms")
	var all struct{ Items []contractView }
	c.must(http.MethodGet, "/merchants/"+c.Code+"/contracts", nil, &all)
	if len(all.Items) != 3 {
		t.Errorf("%d contracts", len(all.Items))
	}
}

func actions(rows []app.AuditRow) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.Action)
	}
	return strings.Join(out, " ")
}

func TestSettings(t *testing.T) {
	c := start(t)
	path := "/merchants/" + c.Merchant
	var before, m merchantView
	c.must(http.MethodGet, path, nil, &before)
	c.must(http.MethodPatch, path, map[string]any{
		"name": " 한빛상점 2호 ", "businessNumber": "1234567890", "phone": "02-1", "email": "shop@holdfast.example",
		"bankAccount": map[string]string{"bank": "088", "number": "110-123-456789", "holder": "한빛상점"},
		"fees":        map[string]any{"card": map[string]any{"rate": 2500}},
		"refundFee":   map[string]any{"flat": 300},
		"cycle":       map[string]any{"rhythm": "weekly", "days": []int{1, 4}, "fromConfirm": 3},
		"policy":      map[string]any{"cancelAfterShip": "direct", "autoConfirmTrackedDays": 5, "strictNotice": false, "manualApproval": true, "remindersDays": []int{2}},
		"webhook":     map[string]any{"url": "https://shop.example/hook?a=1", "retries": 5, "escrowEvents": true},
		"origins":     []string{"https://shop.example", "http://127.0.0.1:3000"},
		"returnTo":    map[string]string{"name": "반품 담당", "address": "서울"},
		"version":     before.Version,
	}, &m)
	if m.Name != "한빛상점 2호" || m.BusinessNumber != "123-45-67890" || m.BankAccount.Number != "110123456789" || m.Fees["card"].Rate != 2500 ||
		m.Fees["virtual_account"].Flat != 300 || m.Cycle.Rhythm != "weekly" || m.Cycle.FromPayment != 3 || m.Cycle.FromConfirm != 3 ||
		m.Policy.CancelAfterShip != "direct" || m.Policy.AutoConfirmTrackedDays != 5 || m.Policy.StrictNotice || !m.Policy.ManualApproval || before.Policy.ManualApproval || !slices.Equal(m.Policy.RemindersDays, []int{2}) ||
		m.Webhook.URL != "https://shop.example/hook?a=1" || m.Webhook.Retries != 5 || !m.Webhook.EscrowEvents || len(m.Origins) != 2 || m.Version <= before.Version {
		t.Errorf("changed to %+v", m)
	}
	c.refused(http.MethodPatch, path, map[string]any{"name": "x", "version": before.Version}, http.StatusConflict, "changed", "version")
	c.must(http.MethodPatch, path, `{"bankAccount":null,"returnTo":null,"webhook":{"url":""},"cycle":{"rhythm":"daily"}}`, &m)
	if m.BankAccount != nil || m.Webhook.URL != "" || m.Webhook.Retries != 5 || m.Name != "한빛상점 2호" || len(m.Cycle.Days) != 0 {
		t.Errorf("cleared to %+v", m)
	}
}

func TestBadSettingsChangeNothing(t *testing.T) {
	c := start(t)
	path := "/merchants/" + c.Merchant
	long := strings.Repeat("가", 101)
	cases := []struct{ body, code, field string }{
		{`{"nane":"x"}`, "invalid", "nane"},
		{`{"NAME":"x"}`, "invalid", "NAME"},
		{`{"webhook":{"uri":"x"}}`, "invalid", "webhook.uri"},
		{`{"mode":"live"}`, "invalid", "mode"},
		{`{"name":""}`, "invalid", "name"},
		{`{"name":"   "}`, "invalid", "name"},
		{`{"name":"` + long + `"}`, "invalid", "name"},
		{`{"name":{"a":1}}`, "invalid", "name"},
		{`{"name":"a\u0000b"}`, "nul", ""},
		{`{"name":"줄\n바꿈"}`, "invalid", "name"},
		{`{"businessNumber":"12345"}`, "invalid", "businessNumber"},
		{`{"email":"nobody"}`, "invalid", "email"},
		{`{"bankAccount":{"bank":"088","number":"110123456789"}}`, "invalid", "bankAccount.holder"},
		{`{"bankAccount":{"bank":"999","number":"110123456789","holder":"a"}}`, "invalid", "bankAccount.bank"},
		{`{"bankAccount":{"bank":"088","number":"12","holder":"a"}}`, "invalid", "bankAccount.number"},
		{`{"bankAccount":"088 110123456789"}`, "invalid", "bankAccount"},
		{`{"methods":["cash"]}`, "invalid", "methods[0]"},
		{`{"methods":{"card":true}}`, "invalid", "methods"},
		{`{"fees":{"card":{"rate":100001}}}`, "invalid", "fees.card.rate"},
		{`{"fees":{"card":{"rate":-1}}}`, "invalid", "fees.card.rate"},
		{`{"fees":{"card":{"rate":1.5}}}`, "invalid", "fees.card.rate"},
		{`{"fees":{"card":{"flat":99999999999999999999}}}`, "invalid", "fees.card.flat"},
		{`{"fees":{"cash":{"rate":1}}}`, "invalid", "fees.cash"},
		{`{"refundFee":{"flat":"many"}}`, "invalid", "refundFee.flat"},
		{`{"cycle":{"rhythm":"hourly"}}`, "invalid", "cycle.rhythm"},
		{`{"cycle":{"rhythm":"weekly"}}`, "invalid", "cycle"},
		{`{"cycle":{"rhythm":"weekly","days":[7]}}`, "invalid", "cycle"},
		{`{"cycle":{"rhythm":"monthly","days":["x"]}}`, "invalid", "cycle.days[0]"},
		{`{"cycle":{"fromConfirm":61}}`, "invalid", "cycle.fromConfirm"},
		{`{"policy":{"autoConfirmTrackedDays":2}}`, "invalid", "policy.autoConfirmTrackedDays"},
		{`{"policy":{"autoConfirmUntrackedDays":0}}`, "invalid", "policy.autoConfirmUntrackedDays"},
		{`{"policy":{"cancelAfterShip":"always"}}`, "invalid", "policy.cancelAfterShip"},
		{`{"policy":{"strictNotice":"maybe"}}`, "invalid", "policy.strictNotice"},
		{`{"policy":{"remindersDays":[1,2,3,4,5,6]}}`, "invalid", "policy.remindersDays"},
		{`{"policy":{"remindersDays":[-1]}}`, "invalid", "policy.remindersDays[0]"},
		{`{"policy":{"strictnotice":true}}`, "invalid", "policy.strictnotice"},
		{`{"webhook":{"url":"ftp://shop.example/"}}`, "invalid", "webhook.url"},
		{`{"webhook":{"url":"javascript:alert(1)"}}`, "invalid", "webhook.url"},
		{`{"webhook":{"url":"https://a:b@shop.example/"}}`, "invalid", "webhook.url"},
		{`{"webhook":{"retries":6}}`, "invalid", "webhook.retries"},
		{`{"origins":["https://shop.example/path"]}`, "invalid", "origins[0]"},
		{`{"origins":["shop.example"]}`, "invalid", "origins[0]"},
		{`{"returnTo":{"name":"a"}}`, "invalid", "returnTo.address"},
		{`{"version":0}`, "invalid", "version"},
		{`{"name":"a","name":"b"}`, "duplicate", ""},
		{`{"name":"a"} {"name":"b"}`, "trailing", ""},
		{`["name"]`, "not_object", ""},
		{`name=a`, "not_object", ""},
		{`{"name":`, "malformed", ""},
		{strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "too_deep", ""},
		{"{\"name\":\"\xff\"}", "not_utf8", ""},
	}
	var before, after merchantView
	c.must(http.MethodGet, path, nil, &before)
	for _, k := range cases {
		c.refused(http.MethodPatch, path, k.body, http.StatusBadRequest, k.code, k.field)
	}
	c.refused(http.MethodPatch, path, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, http.StatusRequestEntityTooLarge, "too_large", "")
	c.must(http.MethodGet, path, nil, &after)
	if before.Version != after.Version || before.Name != after.Name {
		t.Errorf("something was changed: %+v", after)
	}
	a := c.refused(http.MethodPatch, path, `{"name":"","email":"x","zzz":1}`, http.StatusBadRequest, "invalid", "email")
	var all struct {
		Error struct{ Problems []struct{ Field string } }
	}
	a.into(t, &all)
	if len(all.Error.Problems) != 2 {
		t.Errorf("problems are %+v", all.Error.Problems)
	}
	for body, field := range map[string]string{
		`{}`: "name", `{"name":"x","code":"a b"}`: "code", `{"name":"x","mode":"play"}`: "mode", `{"name":"x","code":"` + c.Code + `"}`: "code",
	} {
		c.refused(http.MethodPost, "/merchants", body, http.StatusBadRequest, "invalid", field)
	}
}

func TestPaging(t *testing.T) {
	c := start(t)
	for i := range 3 {
		c.Clock.Advance(time.Second)
		c.must(http.MethodPost, "/merchants", map[string]any{"name": fmt.Sprintf("상점 %d", i)}, nil)
	}
	var p struct {
		Items         []merchantView
		Offset, Limit int
		More          bool
	}
	c.must(http.MethodGet, "/merchants?offset=1&limit=2", nil, &p)
	if len(p.Items) != 2 || p.Items[0].Name != "상점 0" || !p.More || p.Offset != 1 || p.Limit != 2 {
		t.Errorf("a page in the middle is %+v", p)
	}
	c.must(http.MethodGet, "/merchants?offset=2&limit=2", nil, &p)
	if len(p.Items) != 2 || p.More {
		t.Errorf("the last page has %d and more=%t", len(p.Items), p.More)
	}
	c.must(http.MethodGet, "/merchants?offset=99", nil, &p)
	if len(p.Items) != 0 || p.More || p.Limit != 20 {
		t.Errorf("beyond the end is %+v", p)
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "offset=-1": "offset", "limit=x": "limit", "page=2": "page", "offset=99999999999999999999": "offset",
	} {
		c.refused(http.MethodGet, "/merchants?"+query, nil, http.StatusBadRequest, "invalid", field)
	}
}

func TestKeys(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	path := "/merchants/" + c.Merchant + "/keys"
	var pair struct{ Key, Secret string }
	c.must(http.MethodPost, path, nil, &pair)
	if owner, err := c.App.KeyOwner(ctx, pair.Key, pair.Secret); owner != c.Merchant || err != nil {
		t.Errorf("the new key belongs to %q, %v", owner, err)
	}
	a := c.call(http.MethodGet, path, nil)
	if strings.Contains(string(a.raw), pair.Secret) || !strings.Contains(string(a.raw), pair.Key) {
		t.Errorf("the list is %s", a.raw)
	}
	tok, err := c.App.IssueToken(ctx, pair.Key, pair.Secret)
	if err != nil {
		t.Fatal(err)
	}
	c.must(http.MethodDelete, path+"/"+pair.Key, nil, nil)
	if _, err := c.App.TokenOwner(ctx, tok.Value); !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("the token of a revoked key still works: %v", err)
	}
	c.refused(http.MethodDelete, path+"/"+pair.Key, nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodPost, path, map[string]string{"key": c.Key}, http.StatusBadRequest, "invalid", "key")
	c.refused(http.MethodPost, path, map[string]string{"key": "mine", "secret": "short"}, http.StatusBadRequest, "invalid", "secret")
	c.refused(http.MethodPost, path, map[string]string{"key": "a~b"}, http.StatusBadRequest, "invalid", "key")
}

func TestSecrets(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	path := "/merchants/" + c.Merchant + "/secrets"
	var made struct{ ID, Secret string }
	c.must(http.MethodPost, path, nil, &made)
	if owner, err := c.App.SecretOwner(ctx, made.Secret); owner != c.Merchant || err != nil {
		t.Errorf("the new secret belongs to %q, %v", owner, err)
	}
	a := c.call(http.MethodGet, path, nil)
	if strings.Contains(string(a.raw), made.Secret) || !strings.Contains(string(a.raw), made.ID) {
		t.Errorf("the list is %s", a.raw)
	}
	c.must(http.MethodDelete, path+"/"+made.ID, nil, nil)
	if _, err := c.App.SecretOwner(ctx, made.Secret); !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("a revoked secret still works: %v", err)
	}
	c.refused(http.MethodDelete, path+"/"+made.ID, nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodPost, path, map[string]string{"secret": "short"}, http.StatusBadRequest, "invalid", "secret")
	c.refused(http.MethodPost, path, map[string]string{"secret": strings.Repeat("~", 40)}, http.StatusBadRequest, "invalid", "secret")
}

func TestStaff(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	path := "/merchants/" + c.Merchant + "/staff"
	var made struct{ Email, Password string }
	c.must(http.MethodPost, path, map[string]string{"email": "two@holdfast.example"}, &made)
	person, err := c.App.StaffByEmail(ctx, "two@holdfast.example")
	if err != nil || person.Merchant != c.Merchant {
		t.Fatalf("staff %+v, %v", person, err)
	}
	if ok, err := password.Match(ctx, made.Password, person.PasswordHash); !ok || err != nil {
		t.Errorf("the password shown does not open: %v", err)
	}
	a := c.call(http.MethodPost, path, map[string]string{"email": "three@holdfast.example", "password": "비밀번호는 열 자보다 깁니다"})
	if a.status != http.StatusCreated || strings.Contains(string(a.raw), "비밀번호") {
		t.Errorf("a given password is answered: %s", a.raw)
	}
	c.refused(http.MethodPost, path, map[string]string{"email": "two@holdfast.example"}, http.StatusBadRequest, "invalid", "email")
	c.refused(http.MethodPost, path, map[string]string{"email": "x"}, http.StatusBadRequest, "invalid", "email")
	c.refused(http.MethodPost, path, map[string]string{"email": "a@b.example", "password": "short"}, http.StatusBadRequest, "invalid", "password")
	c.refused(http.MethodPost, path, map[string]string{"email": "a@b.example", "password": strings.Repeat("x", 1025)}, http.StatusBadRequest, "invalid", "password")
	c.refused(http.MethodPost, "/merchants/mrc_none/staff", map[string]string{"email": "a@b.example"}, http.StatusNotFound, "not_found", "")
}

type actView struct {
	Changed bool
	Payment struct {
		State, Notice         string
		Held, Refunded        int64
		Suspended             int64
		Version               int64
		Hold                  *struct{ By, Reason string }
		Deadline              *struct{ LastDay, Rule string }
		Decided               *struct{ Kind, Reason string }
		Tasks                 []string
		Deposits, Refunds     []map[string]any
		ID, OrderID, Grounds  string
		PaidAt, CancelledAt   *string
		Delivery, Buyer       map[string]any
		Escrow                bool
		Status, Method, Name  string
		Amount                int64
		Dispute, ConfirmedAt  any
		UpdatedAt, OpenedAt   *string
		RefundedAt, FailedFor any
	}
}

func TestOperatorActs(t *testing.T) {
	c := start(t)
	var v actView
	act := func(p escrow.Payment, name string, body any) {
		t.Helper()
		c.Clock.Advance(time.Second) // the audit log is ordered by time
		c.must(http.MethodPost, c.payments(p)+"/"+name, body, &v)
	}

	p := c.shipped("order-hold")
	act(p, "hold", map[string]any{"reason": "신고 접수", "version": p.Version})
	if !v.Changed || v.Payment.Hold == nil || v.Payment.Hold.By != "operator" || v.Payment.Deadline != nil {
		t.Errorf("held back: %+v", v)
	}
	c.refused(http.MethodPost, c.payments(p)+"/hold", map[string]any{"reason": "again", "version": p.Version}, http.StatusConflict, "changed", "")
	act(p, "hold", map[string]any{"reason": "again"})
	if v.Changed {
		t.Error("a second hold changes something")
	}
	act(p, "release", nil)
	if !v.Changed || v.Payment.Hold != nil || v.Payment.Deadline == nil {
		t.Errorf("released: %+v", v)
	}
	act(p, "mark-delivered", map[string]any{"at": iso(c.Now()), "reason": "택배사 확인"})
	if v.Payment.State != "delivered" {
		t.Errorf("marked: %+v", v)
	}
	act(p, "force-confirm", map[string]any{"reason": "구매자와 통화"})
	if v.Payment.State != "confirmed" || v.Payment.Decided.Kind != "forced" || v.Payment.Held != 0 {
		t.Errorf("forced: %+v", v)
	}

	p = c.shipped("order-dispute")
	c.refused(http.MethodPost, c.payments(p)+"/rule", map[string]any{"refund": 0, "reason": "x"}, http.StatusConflict, "wrong_state", "")
	c.reject(p)
	c.refused(http.MethodPost, c.payments(p)+"/rule", map[string]any{"refund": 30_001, "reason": "x"}, http.StatusBadRequest, "invalid", "refund")
	act(p, "rule", map[string]any{"refund": 10_000, "reason": "부분 파손"})
	if v.Payment.State != "confirmed" || v.Payment.Refunded != 10_000 {
		t.Errorf("ruled: %+v", v)
	}

	rows, err := c.App.Audit(context.Background(), c.Merchant, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	want := "payment.decide_dispute payment.confirm payment.mark_delivered payment.release_hold payment.place_hold"
	if got := actions(rows); !strings.HasPrefix(got, want) {
		t.Errorf("audit is %s, want %s first", got, want)
	}
	if rows[0].Actor != "operator" || rows[0].Detail != "부분 파손" || rows[0].Subject != p.ID {
		t.Errorf("the newest row is %+v", rows[0])
	}
	c.Drain()
	c.CheckBooks()
}

func TestActsRefuseBadInput(t *testing.T) {
	c := start(t)
	p := c.shipped("order-bad")
	for _, k := range []struct{ act, body, field string }{
		{"hold", `{}`, "reason"}, {"hold", `{"reason":""}`, "reason"}, {"hold", `{"reason":"` + strings.Repeat("가", 1001) + `"}`, "reason"},
		{"hold", `{"reason":"x","why":"y"}`, "why"}, {"hold", `{"reason":"x","version":"y"}`, "version"},
		{"release", `{"reason":"x"}`, "reason"}, {"force-confirm", `{}`, "reason"}, {"mark-delivered", `{"reason":"x"}`, "at"},
		{"mark-delivered", `{"reason":"x","at":"yesterday"}`, "at"}, {"mark-delivered", `{"reason":"x","at":"2031-01-01T00:00:00Z"}`, "at"},
		{"rule", `{"reason":"x"}`, "refund"}, {"rule", `{"reason":"x","refund":-1}`, "refund"}, {"rule", `{"reason":"x","refund":1.5}`, "refund"},
		{"return-suspense", `{"account":{"bank":"1"}}`, "account.number"}, {"notice-told", `{}`, "reason"},
	} {
		a := c.call(http.MethodPost, c.payments(p)+"/"+k.act, k.body)
		if a.status != http.StatusBadRequest || a.Error.Field != k.field {
			t.Errorf("%s %.60s: %d %s, want 400 about %s", k.act, k.body, a.status, a.raw, k.field)
		}
	}
	c.refused(http.MethodPost, c.payments(p)+"/return-suspense", nil, http.StatusConflict, "wrong_state", "")
	c.refused(http.MethodPost, c.payments(p)+"/settle-it", nil, http.StatusNotFound, "not_found", "")
	now, err := c.App.Payment(context.Background(), c.Merchant, p.ID)
	if err != nil || now.Version != p.Version {
		t.Errorf("the payment has version %d, had %d, %v", now.Version, p.Version, err)
	}
}

// TestBouncedMailAndTelephone: a notice that came back stops the clock, and a
// call starts it again.
func TestBouncedMailAndTelephone(t *testing.T) {
	c := start(t)
	p := c.shipped("order-bounce")
	mails, err := c.App.Mails(context.Background(), c.Merchant, p.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(mails, func(m app.Mail) bool { return m.Kind == escrow.MailShipped })
	path := "/mails/" + c.Merchant + "." + mails[i].ID + "/bounce"
	c.refused(http.MethodPost, path, `{}`, http.StatusBadRequest, "invalid", "reason")
	c.refused(http.MethodPost, "/mails/"+mails[i].ID+"/bounce", `{"reason":"x"}`, http.StatusNotFound, "not_found", "")
	for range 2 {
		c.must(http.MethodPost, path, map[string]string{"reason": "550 no such mailbox"}, nil)
	}
	var v actView
	c.must(http.MethodGet, c.payments(p), nil, &v.Payment)
	if v.Payment.Notice != "failed" || v.Payment.Deadline != nil || !slices.Contains(v.Payment.Tasks, "notice_failed") {
		t.Errorf("bounced: %+v", v.Payment)
	}
	c.must(http.MethodPost, c.payments(p)+"/notice-told", map[string]string{"reason": "전화로 안내"}, &v)
	if v.Payment.Notice != "delivered" || v.Payment.Deadline == nil || len(v.Payment.Tasks) != 0 {
		t.Errorf("told: %+v", v.Payment)
	}
}

// TestHeldDaysAsCSV: who asks for CSV by the address or the header is given the
// same rows with a line of titles.
func TestHeldDaysAsCSV(t *testing.T) {
	c := start(t)
	c.held("order-csv")
	const address = "/books/held/days?from=2026-03-01&to=2026-03-09"
	want := fmt.Sprintf("merchant,date,held,safeguard,month_end\n%s,2026-03-09,30000,0,false\n", c.Merchant)
	for _, ask := range []struct {
		query, accept string
		csv           bool
	}{
		{"", "", false},
		{"", "*/*", false},
		{"", "text/csv", true},
		{"", "text/html, text/csv;q=0.9, application/json;q=0.1", true},
		{"", "application/json, text/csv", false},
		{"&format=csv", "", true},
		{"&format=csv", "application/json", true},
		{"&format=json", "text/csv", false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/admin/v1"+address+ask.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Accept", ask.accept)
		a := do(t, req)
		kind := a.header.Get("Content-Type")
		if !ask.csv {
			if !strings.HasPrefix(kind, "application/json") || !json.Valid(a.raw) {
				t.Errorf("%+v: %s %s", ask, kind, a.raw)
			}
			continue
		}
		if a.status != http.StatusOK || !strings.HasPrefix(kind, "text/csv;") || string(a.raw) != want {
			t.Errorf("%+v: %d %s %q, want %q", ask, a.status, kind, a.raw, want)
		}
	}
	if a := c.call(http.MethodGet, address+"&format=csv", nil); string(a.raw) != want { // is as documented
		t.Errorf("%d %s", a.status, a.raw)
	}
	c.refused(http.MethodGet, address+"&format=xml", nil, http.StatusBadRequest, "invalid", "format")
}

func TestSuspenseGoesBack(t *testing.T) {
	c := start(t)
	c.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	p := c.held("order-twice")
	_, err := c.App.Deposit(context.Background(), p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-more", Amount: 5000, At: c.Now()})
	if err != nil {
		t.Fatal(err)
	}
	c.refused(http.MethodPost, c.payments(p)+"/return-suspense", nil, http.StatusBadRequest, "needs_refund_account", "account")
	var v actView
	c.must(http.MethodPost, c.payments(p)+"/return-suspense", map[string]any{"account": map[string]string{"bank": "088", "number": "110123456789", "holder": "김하늘"}}, &v)
	if v.Payment.Suspended != 0 || len(v.Payment.Refunds) != 1 {
		t.Errorf("returned: %+v", v.Payment)
	}
	c.Drain()
	c.CheckBooks()
}

func TestLateMoneyAndTasks(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	c.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	var v actView
	p := c.held("order-conflict")
	c.refused(http.MethodPost, c.payments(p)+"/accept-late", nil, http.StatusConflict, "already_paid", "")
	if _, err := c.App.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-order-conflict", Amount: 1, At: c.Now()}); err != nil {
		t.Fatal(err)
	}
	c.refused(http.MethodPost, c.payments(p)+"/resolve-task", map[string]string{"task": "deposit_conflict"}, http.StatusBadRequest, "invalid", "note")
	c.refused(http.MethodPost, c.payments(p)+"/resolve-task", map[string]string{"task": "rejected", "note": "x"}, http.StatusBadRequest, "invalid", "task")
	c.must(http.MethodPost, c.payments(p)+"/resolve-task", map[string]string{"task": "deposit_conflict", "note": "은행에 확인"}, &v)
	if !v.Changed || len(v.Payment.Tasks) != 0 || v.Payment.Deposits[1]["outcome"] != "quarantined" {
		t.Errorf("resolved: %+v", v.Payment)
	}

	p, err := c.App.OpenWithAccount(ctx, c.Merchant, escrow.Open{
		OrderID: "order-late", Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: 30_000, Name: "도자기 컵",
	}, app.AccountOrder{Bank: "004"})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(p.Account.Due.Add(time.Hour))
	if _, err := c.App.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-late", Amount: 30_000, At: c.Now()}); err != nil {
		t.Fatal(err)
	}
	c.must(http.MethodPost, c.payments(p)+"/accept-late", nil, &v)
	if v.Payment.State != "held" || v.Payment.Suspended != 0 {
		t.Errorf("accepted: %+v", v.Payment)
	}
	c.CheckBooks()
}

func TestListPayments(t *testing.T) {
	c := start(t)
	first := c.held("order-100%")
	c.shipped("order-200")
	var p struct {
		Items []struct{ ID, OrderID, State string }
		More  bool
	}
	for query, want := range map[string]int{
		"": 2, "?state=held": 1, "?text=order-": 2, "?text=%25": 1, "?text=r_er": 0, "?text=%27%20OR%201=1": 0, "?orderId=order-200": 1,
		"?method=card": 0, "?escrow=true": 2, "?escrow=false": 0, "?task=true": 0, "?limit=1": 1,
	} {
		c.must(http.MethodGet, "/merchants/"+c.Merchant+"/payments"+query, nil, &p)
		if len(p.Items) != want {
			t.Errorf("%s finds %d, want %d", query, len(p.Items), want)
		}
	}
	for query, field := range map[string]string{"?state=paused": "state", "?method=cash": "method", "?escrow=x": "escrow", "?text=" + strings.Repeat("x", 101): "text", "?q=1": "q"} {
		c.refused(http.MethodGet, "/merchants/"+c.Merchant+"/payments"+query, nil, http.StatusBadRequest, "invalid", field)
	}
	var other merchantView
	c.must(http.MethodPost, "/merchants", map[string]any{"name": "다른상점"}, &other)
	c.refused(http.MethodGet, "/merchants/"+other.ID+"/payments/"+first.ID, nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodPost, "/merchants/"+other.ID+"/payments/"+first.ID+"/hold", `{"reason":"x"}`, http.StatusNotFound, "not_found", "")
}

// TestCalendarMovesDeadlines closes a day inside a buyer's time.
func TestCalendarMovesDeadlines(t *testing.T) {
	c := start(t)
	p := c.shipped("order-calendar")
	before := p.Deadline.LastDay
	if before.String() != "2026-03-17" { // six business days after Monday 9 March
		t.Fatalf("the last day is %v", before)
	}
	var done struct {
		Override struct {
			Date, Reason string
			Closed       bool
		}
		Moved int
	}
	day := map[string]any{"date": "2026-03-12", "closed": true, "reason": "임시공휴일"}
	c.must(http.MethodPost, "/calendar/overrides", day, &done)
	if done.Moved != 1 || done.Override.Date != "2026-03-12" {
		t.Errorf("closed: %+v", done)
	}
	day["reason"] = "임시공휴일(정정)"
	c.must(http.MethodPost, "/calendar/overrides", day, &done)
	if done.Moved != 0 || done.Override.Reason != "임시공휴일(정정)" {
		t.Errorf("replaced: %+v", done)
	}
	var cal struct {
		Version string
		Items   []struct{ Date, Reason string }
	}
	c.must(http.MethodGet, "/calendar/overrides", nil, &cal)
	if len(cal.Items) != 1 || cal.Items[0].Reason != "임시공휴일(정정)" {
		t.Errorf("overrides are %+v", cal.Items)
	}
	var v actView
	c.must(http.MethodGet, c.payments(p), nil, &v.Payment)
	if v.Payment.Deadline.LastDay != "2026-03-18" {
		t.Errorf("the last day is now %s", v.Payment.Deadline.LastDay)
	}
	c.Clock.Advance(time.Second) // the audit log is ordered by time
	c.must(http.MethodDelete, "/calendar/overrides/2026-03-12", nil, &done)
	if done.Moved != 0 {
		t.Errorf("%d deadlines moved earlier", done.Moved)
	}
	c.refused(http.MethodDelete, "/calendar/overrides/2026-03-12", nil, http.StatusNotFound, "not_found", "")
	c.refused(http.MethodDelete, "/calendar/overrides/today", nil, http.StatusBadRequest, "invalid", "date")
	for body, field := range map[string]string{
		`{"closed":true,"reason":"x"}`:                                                    "date",
		`{"date":"2026-02-30","closed":true,"reason":"x"}`:                                "date",
		`{"date":"2060-01-01","closed":true,"reason":"x"}`:                                "date",
		`{"date":"2026-03-12","reason":"x"}`:                                              "closed",
		`{"date":"2026-03-12","closed":"?","reason":"x"}`:                                 "closed",
		`{"date":"2026-03-12","closed":true}`:                                             "reason",
		`{"date":"2026-03-12","closed":true,"reason":" "}`:                                "reason",
		`{"date":"2026-03-12","closed":true,"reason":"` + strings.Repeat("x", 201) + `"}`: "reason",
	} {
		c.refused(http.MethodPost, "/calendar/overrides", body, http.StatusBadRequest, "invalid", field)
	}
	var log struct {
		Items []struct{ Action, Subject, Detail string }
	}
	c.must(http.MethodGet, "/audit", nil, &log)
	if len(log.Items) != 3 || log.Items[0].Action != "calendar.restore" {
		t.Errorf("the audit log is %+v", log.Items)
	}
}

func TestMoney(t *testing.T) {
	c := start(t)
	p := c.shipped("order-money")
	var held struct{ Held int64 }
	c.must(http.MethodGet, "/books/held?date=2026-03-09", nil, &held)
	if held.Held != 30_000 {
		t.Errorf("held %d", held.Held)
	}
	c.refused(http.MethodGet, "/books/held", nil, http.StatusBadRequest, "invalid", "date")
	c.refused(http.MethodGet, "/books/held?date=9", nil, http.StatusBadRequest, "invalid", "date")
	if _, err := c.App.Do(context.Background(), escrow.Buyer, c.Merchant, p.ID, escrow.Confirm{Kind: escrow.ByBuyer}); err != nil {
		t.Fatal(err)
	}
	path := "/merchants/" + c.Merchant
	var lines struct {
		Items []struct {
			Payment, Kind, DueDate string
			Net                    int64
			Payout                 *string
		}
	}
	c.must(http.MethodGet, path+"/lines", nil, &lines)
	if len(lines.Items) != 1 || lines.Items[0].Net != 29_670 || lines.Items[0].Payout != nil || lines.Items[0].Payment != p.ID {
		t.Errorf("waiting lines are %+v", lines.Items)
	}
	c.Advance(servetest.Start.AddDate(0, 0, 10))
	var payouts struct {
		Items []struct {
			ID, State string
			Amount    int64
		}
	}
	c.must(http.MethodGet, path+"/payouts", nil, &payouts)
	if len(payouts.Items) != 1 || payouts.Items[0].Amount != 29_670 || payouts.Items[0].State != "paid" {
		t.Fatalf("payouts are %+v", payouts.Items)
	}
	c.must(http.MethodGet, path+"/payouts/"+payouts.Items[0].ID, nil, nil)
	c.must(http.MethodGet, path+"/lines?payout="+payouts.Items[0].ID, nil, &lines)
	if len(lines.Items) != 1 || lines.Items[0].Payout == nil {
		t.Errorf("the payout's lines are %+v", lines.Items)
	}
	var resumed struct{ Resumed bool }
	c.must(http.MethodPost, path+"/payouts/resume", nil, &resumed)
	var books struct {
		Balanced bool
		Balances []struct {
			Account string
			Net     int64
		}
		Problems []string
	}
	var daily struct {
		Days []struct {
			Merchant, Date  string
			Held, Safeguard int64
		}
	}
	c.must(http.MethodGet, "/books/held/days?from=2026-03-01&to=2026-03-31", nil, &daily)
	if n := len(daily.Days); n != 1 || daily.Days[0].Date != "2026-03-09" || daily.Days[0].Held != 0 || daily.Days[0].Safeguard != 0 { // taken and given on one day
		t.Errorf("held by day: %+v", daily.Days)
	}
	var same struct{ Days []any }
	c.must(http.MethodGet, "/books/held/days?from=2026-03-01&to=2026-03-31&merchant="+c.Code, nil, &same)
	if len(same.Days) != 1 {
		t.Errorf("held by day of one shop, by its code: %+v", same.Days)
	}
	c.refused(http.MethodGet, "/books/held/days?from=2026-03-01&to=2026-03-31&merchant=imp99999999", nil, http.StatusNotFound, "not_found", "")
	var audited struct {
		Stopped    bool
		Violations []any
	}
	c.must(http.MethodGet, "/books/audit", nil, &audited)
	var released struct{ Released int64 }
	c.must(http.MethodPost, "/books/release", map[string]string{"reason": "checked with the bank"}, &released)
	if audited.Stopped || audited.Violations == nil || released.Released != 0 {
		t.Errorf("%+v, %+v", audited, released)
	}
	c.must(http.MethodGet, "/books", nil, &books)
	if !books.Balanced || len(books.Balances) == 0 || books.Problems == nil {
		t.Errorf("the books are %+v", books)
	}
}
