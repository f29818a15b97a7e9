package pay_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// handed is what the window's last page hands to the shop's page.
func handed(t *testing.T, page seen) (told told) {
	t.Helper()
	found := regexp.MustCompile(`data-message="([^"]*)"`).FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("nothing is handed over by %d %s", page.status, page.body)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(found[1])), &told.raw); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(told.raw)
	_ = json.Unmarshal(again, &told)
	return told
}

// confirm is what the shop's server does with a token.
func confirm(s *servetest.Server, paymentID, token string) servetest.Answer {
	return s.Call(http.MethodPost, "/payments/"+url.PathEscape(paymentID)+"/confirm", map[string]string{"Authorization": "PortOne " + s.API}, map[string]any{"paymentToken": token})
}

func byHand(m *merchant.Merchant) { m.Profile.ManualApproval = true }

// TestManualApproval: the buyer's last step ends the window with a token and carries
// nothing out; the shop's server does that, and is asked at its confirmUrl once.
func TestManualApproval(t *testing.T) {
	s := servetest.Run(t)
	s.Change(byHand)
	asks := 0
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asks++ }))
	defer shop.Close()
	for _, c := range []struct {
		method string
		choice url.Values
		state  escrow.State
	}{
		{"CARD", form("method", "card", "agree", "on"), escrow.Paid},
		{"TRANSFER", form("method", "trans", "bank", "088", "escrow", "on", "consent", "on", "agree", "on"), escrow.Held},
		{"VIRTUAL_ACCOUNT", form("method", "vbank", "bank", "088", "escrow", "on", "consent", "on", "agree", "on"), escrow.AwaitingDeposit},
	} {
		address, id := openV2(t, s, map[string]any{"payMethod": c.method, "paymentId": "by hand/" + c.method, "confirmUrl": shop.URL, "virtualAccount": map[string]any{"accountExpiry": map[string]any{"validHours": 5}}})
		before := asks
		last := visit(t, http.MethodPost, address, c.choice)
		if c.method != "VIRTUAL_ACCOUNT" {
			last = visit(t, http.MethodPost, address+"/approve", form("answer", "approve", "bank", "088", "card", "삼성카드"))
		}
		wants(t, last, http.StatusOK, "상점이 승인하면 결제가 완료됩니다", `data-auto="0"`)
		got := handed(t, last)
		token, _ := got.raw["paymentToken"].(string)
		if len(got.raw) != 4 || got.TransactionType != "PAYMENT" || got.TxID != id || got.PaymentID != "by hand/"+c.method || token == "" || len(token) > 2000 {
			t.Fatalf("%s: handed over %v", c.method, got.raw)
		}
		if p := payment(t, s, id); p.State != escrow.Opened || p.Account != nil || asks != before {
			t.Errorf("%s: before the shop approves: %s, asked %d times", c.method, p.State, asks-before)
		}
		wants(t, get(t, address), http.StatusOK, `id="pay"`) // the buyer may look again and choose again
		s.Clock.Advance(10 * time.Minute)
		if a := confirm(s, "by hand/"+c.method, token); a.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", c.method, a.Status, a.Raw)
		}
		p := payment(t, s, id)
		if p.State != c.state || asks != before+1 {
			t.Errorf("%s: %s, asked %d times", c.method, p.State, asks-before)
		}
		switch {
		case c.method == "CARD" && p.CardName != "삼성카드", c.method == "TRANSFER" && (p.Payer.Bank != "088" || p.Payer.Holder != "홍길동"):
			t.Errorf("%s: paid by %+v %s", c.method, p.Payer, p.CardName)
		case p.Account != nil && !p.Account.Due.Equal(s.Now().Add(5*time.Hour)):
			t.Errorf("%s: until %v", c.method, p.Account.Due)
		}
	}
}

// TestManualApprovalStoppedAtTheConfirmURL: a shop may still say no there.
func TestManualApprovalStoppedAtTheConfirmURL(t *testing.T) {
	s := servetest.Run(t)
	s.Change(byHand)
	shop := httptest.NewServer(&questions{status: http.StatusConflict})
	defer shop.Close()
	address, id := openV2(t, s, map[string]any{"payMethod": "VIRTUAL_ACCOUNT", "paymentId": "stop", "confirmUrl": shop.URL + "/ask"})
	token, _ := handed(t, visit(t, http.MethodPost, address, form("method", "vbank", "bank", "088", "agree", "on"))).raw["paymentToken"].(string)
	for range 2 {
		if a := confirm(s, "stop", token); a.Status != http.StatusBadGateway || !strings.Contains(string(a.Raw), "wrong_state") {
			t.Errorf("%d %s", a.Status, a.Raw)
		}
	}
	if p := payment(t, s, id); p.State != escrow.Failed || p.FailReason != "재고가 없습니다" {
		t.Errorf("%s %s", p.State, p.FailReason)
	}
}

// TestManualApprovalByRedirect: the buyer takes the token to the shop's address.
func TestManualApprovalByRedirect(t *testing.T) {
	s := servetest.Run(t)
	s.Change(byHand)
	request := requestV2(s, map[string]any{"payMethod": "CARD"})
	request["redirect"] = true
	got := tell(t, s.URL+"/pay/v2/open", request)
	visit(t, http.MethodPost, s.URL+got.URL, form("method", "card", "agree", "on"))
	back, err := url.Parse(visit(t, http.MethodPost, s.URL+got.URL+"/approve", form("answer", "approve")).to)
	if err != nil {
		t.Fatal(err)
	}
	query := back.Query()
	if !strings.HasPrefix(back.String(), shopOrigin+"/back?keep=1&") || query.Get("txId") != got.TxID || query.Has("code") {
		t.Errorf("back to %s", back)
	}
	if a := confirm(s, query.Get("paymentId"), query.Get("paymentToken")); a.Status != http.StatusOK {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
}

// TestManualApprovalIsAskedForWhenTheWindowOpens: the setting concerns windows of V2
// that are opened under it. One that is closed gives the payment up, whatever token
// it gave.
func TestManualApprovalIsAskedForWhenTheWindowOpens(t *testing.T) {
	s := servetest.Run(t)
	before, earlier := openV2(t, s, map[string]any{"payMethod": "CARD", "paymentId": "before"})
	s.Change(byHand)
	after, later := openV2(t, s, map[string]any{"payMethod": "CARD", "paymentId": "after"})
	s.Change(func(m *merchant.Merchant) { m.Profile.ManualApproval = false })
	var last seen
	for _, address := range []string{before, after} {
		visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
		last = visit(t, http.MethodPost, address+"/approve", form("answer", "approve"))
	}
	token, _ := handed(t, last).raw["paymentToken"].(string)
	if one, two := payment(t, s, earlier), payment(t, s, later); one.State != escrow.Paid || two.State != escrow.Opened {
		t.Errorf("opened before: %s, under the setting: %s", one.State, two.State)
	}
	if got := tell(t, after+"/close", nil); got.PGCode != "USER_CANCEL" {
		t.Errorf("%+v", got)
	}
	if a := confirm(s, "after", token); a.Status != http.StatusBadGateway {
		t.Errorf("%d %s", a.Status, a.Raw)
	}

	s.Change(byHand)
	address, id := mustOpen(t, s, request(s.Code, map[string]any{"pay_method": "card"}))
	visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
	visit(t, http.MethodPost, address+"/approve", form("answer", "approve"))
	if p := payment(t, s, id); p.State != escrow.Paid {
		t.Errorf("through V1: %s", p.State)
	}
}
