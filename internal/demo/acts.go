package demo

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// form is a body in the shape that a browser sends.
type form map[string]string

func (f form) encode() string {
	v := url.Values{}
	for k, x := range f {
		v.Set(k, x)
	}
	return v.Encode()
}

// payment is what the play looks at of V1's payment object.
type payment struct {
	ImpUID       string `json:"imp_uid"`
	MerchantUID  string `json:"merchant_uid"`
	Status       string `json:"status"`
	Escrow       bool   `json:"escrow"`
	Amount       int64  `json:"amount"`
	CancelAmount int64  `json:"cancel_amount"`
	VbankName    string `json:"vbank_name"`
	VbankNum     string `json:"vbank_num"`
	VbankDate    int64  `json:"vbank_date"`
}

func (p *play) signIn() {
	var t struct {
		AccessToken string `json:"access_token"`
	}
	p.v1(http.MethodPost, "/users/getToken", map[string]string{"imp_key": p.Key, "imp_secret": p.Secret}, &t)
	p.token = t.AccessToken
}

// now is the merchant's clock.
func (p *play) now() time.Time {
	var c struct {
		Now time.Time `json:"now"`
	}
	p.v1(http.MethodGet, "/sandbox/clock", nil, &c)
	return c.Now
}

// order is what the buyer buys, as request_pay takes it.
func (p *play) order(id, method string, amount int64) map[string]any {
	return map[string]any{
		"merchant_uid": id, "pay_method": method, "amount": amount, "name": "도자기 컵", "escrow": method != "card",
		"buyer_name": "김하늘", "buyer_email": "buyer@holdfast.example", "buyer_tel": "010-1234-5678",
		"notice_url": p.shop.url, "language": p.either("ko", "en"),
	}
}

func (p *play) pay(order map[string]any) payment {
	var out payment
	p.v1(http.MethodPost, "/sandbox/payments", order, &out)
	return out
}

// hearing bounds how long a webhook is waited for.
const hearing = 10 * time.Second

// hears waits until the shop has heard what it must hear of a payment.
func (p *play) hears(id, want string) {
	if p.failed() {
		return
	}
	limit := time.After(hearing)
	for p.shop.has(id) != want {
		select {
		case <-p.shop.news:
		case <-limit:
			p.fail("webhooks of %s: heard %q, want %q", id, p.shop.has(id), want)
			return
		}
	}
}

// look reads the payment again, as a shop must.
func (p *play) look(id string) payment {
	var out payment
	p.v1(http.MethodGet, "/payments/"+id, nil, &out)
	return out
}

func (p *play) deposit(id, kind string) {
	p.v1(http.MethodPost, "/sandbox/bank/deposits", map[string]any{"imp_uid": id, "kind": kind}, nil)
}

func (p *play) ship(id, company, invoice string) {
	p.v1(http.MethodPost, "/escrows/logis/"+id, map[string]any{
		"sender":   map[string]string{"name": "한빛상점", "tel": "02-1234-5678", "addr": "서울특별시 종로구", "postcode": "03154"},
		"receiver": map[string]string{"name": "김하늘", "tel": "010-1234-5678", "addr": "부산광역시 해운대구", "postcode": "48094"},
		"logis":    map[string]any{"company": company, "invoice": invoice, "sent_at": p.now().Unix()},
	}, nil)
}

// happening is one line of what an advance of the clock brought about.
type happening struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	ImpUID string    `json:"imp_uid"`
	Type   string    `json:"type"`
}

func (p *play) advance(to map[string]any) []happening {
	var out struct {
		Happened []happening `json:"happened"`
	}
	p.v1(http.MethodPost, "/sandbox/clock/advance", to, &out)
	for _, h := range out.Happened {
		line := fmt.Sprintf("      %s  %-6s %-20s %s", h.At.In(seoul).Format("2006-01-02 15:04"), h.What, h.Type, h.ImpUID)
		p.print("%s\n", strings.TrimRight(line, " "))
	}
	return out.Happened
}

func (p *play) days(n int) []happening { return p.advance(map[string]any{"business_days": n}) }

// until advances to an instant of Korean time.
func (p *play) until(kst string) []happening {
	at, err := time.ParseInLocation("2006-01-02 15:04", kst, seoul)
	if err != nil {
		p.fail("%w", err)
		return nil
	}
	return p.advance(map[string]any{"to": at.UTC().Format(time.RFC3339)})
}

// happenedAt finds when an event of a payment came about.
func happenedAt(hs []happening, id, event string) string {
	for _, h := range hs {
		if h.What == "event" && h.ImpUID == id && h.Type == event {
			return h.At.In(seoul).Format("2006-01-02 15:04")
		}
	}
	return "never"
}

// mail is one message in the sandbox's mailbox.
type mail struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// mailOf reads the newest mail of a kind about a payment.
func (p *play) mailOf(id, kind string) mail {
	var list []mail
	p.v1(http.MethodGet, "/sandbox/mails?imp_uid="+id, nil, &list)
	for _, m := range list {
		if m.Kind == kind {
			var whole mail
			p.v1(http.MethodGet, "/sandbox/mails/"+m.ID, nil, &whole)
			return whole
		}
	}
	p.fail("payment %s: no mail of kind %q", id, kind)
	return mail{}
}

// link is the decision page that a mail leads to.
func (p *play) link(m mail) string {
	i := strings.Index(m.Text, p.URL+"/d/")
	if i < 0 {
		p.fail("the mail %q has no link to the decision page", m.Subject)
		return ""
	}
	return strings.Fields(m.Text[i:])[0]
}

// visit opens the decision page, which must decide nothing.
func (p *play) visit(page string) {
	if p.failed() {
		return
	}
	status, _ := p.call(http.MethodGet, page, "", nil)
	p.expect("opening the decision page", status, http.StatusOK)
}

// press sends a form of the decision page.
func (p *play) press(page, act string, f form) {
	if p.failed() {
		return
	}
	status, raw := p.call(http.MethodPost, page+"/"+act, "", f)
	if status != http.StatusOK {
		p.fail("pressing %s on the decision page: %d %.300s", act, status, raw)
	}
}

// day cuts an instant of Korean time to its date.
func day(instant string) string { return strings.Fields(instant)[0] }
