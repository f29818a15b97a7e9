package apiv1_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

func TestDelivery(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	w.get("/escrows/logis/"+id).want(409, -1)
	w.put("/escrows/logis/"+id, w.parcel(nil)).want(409, -1)
	sent := w.clock.Now().Unix()
	registered := object{"company": "CJGLS", "invoice": "689012345678", "sent_at": sent, "applied_at": w.clock.Now().Unix()}
	w.post("/escrows/logis/"+id, w.parcel(object{"sent_at": sent})).want(200, 0).has(registered)
	w.get("/escrows/logis/"+id).want(200, 0).has(registered)
	w.post("/escrows/logis/"+id, w.parcel(nil)).want(409, -1, "이미 배송정보가 등록된")
	w.advance(time.Hour)
	changed := object{"company": "HANJIN", "invoice": "123456789012", "sent_at": sent, "applied_at": w.clock.Now().Unix()}
	w.put("/escrows/logis/"+id, w.parcel(object{"company": "HANJIN", "invoice": "123456789012", "sent_at": sent})).want(200, 0).has(changed)
	w.get("/escrows/logis/"+id+"/").want(200, 0).has(changed)
	w.get("/payments/"+id).want(200, 0).has(object{"status": "paid", "escrow": true})
	w.byBuyer(id, escrow.Confirm{Kind: escrow.ByBuyer})
	w.put("/escrows/logis/"+id, w.parcel(nil)).want(409, -1)
	w.get("/escrows/logis/"+id).want(200, 0).has(changed)
}

func TestDeliveryTakesWhatClientsSend(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now().Unix()
	for name, test := range map[string]struct {
		body any
		want object
	}{
		"unknown carrier":   {w.parcel(object{"company": "시옷"}), object{"company": "ETC"}},
		"former carrier":    {w.parcel(object{"company": "KOREX"}), object{"company": "CJGLS"}},
		"words for ETC":     {w.parcel(object{"company": "ETC", "invoice": "직접 배송 (김기사)"}), object{"invoice": "직접 배송 (김기사)"}},
		"no sender":         {object{"receiver": object{"name": "홍길동"}, "logis": w.parcel(nil)["logis"]}, object{"invoice": "689012345678"}},
		"nulls and strays":  {with(w.parcel(nil), object{"imp_uid": "imp_1", "sender": nil, "products": nil, "send_email": nil, "extraCondition": nil}), object{"invoice": "689012345678"}},
		"two-line address":  {with(w.parcel(nil), object{"receiver": object{"name": "홍", "formed_address": object{"address_line_1": "a", "address_line_2": "b"}}}), object{"company": "CJGLS"}},
		"number as number":  {w.parcel(object{"invoice": 689012345678}), object{"invoice": "689012345678"}},
		"with products":     {with(w.parcel(nil), object{"products": []object{{"id": "1", "name": "찻잔", "amount": 39000, "quantity": "2", "currency": "KRW"}}, "send_email": false}), object{"company": "CJGLS"}},
		"sent before paid":  {w.parcel(object{"sent_at": now - 86400}), object{"sent_at": now - 86400}},
		"form":              {fmt.Sprintf("logis[company]=CJGLS&logis[invoice]=1234567890&logis[sent_at]=%d&sender[name]=a&receiver[name]=b&receiver[formed_address][address_line_1]=c&products[0][id]=1&products[0][name]=x&products[0][amount]=100&send_email=0", now), object{"invoice": "1234567890"}},
		"receiver is other": {with(w.parcel(nil), object{"receiver": object{"name": "김선물"}}), object{"company": "CJGLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.held()
			w.post("/escrows/logis/"+id, test.body).want(200, 0).has(test.want)
			w.put("/escrows/logis/"+id, test.body).want(200, 0).has(test.want)
		})
	}
}

func TestDeliveryRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	before := w.version(id)
	for name, test := range map[string]struct {
		body  object
		field string
	}{
		"nothing":               {object{}, "logis"},
		"logis null":            {object{"logis": nil}, "logis"},
		"logis as text":         {object{"logis": "CJGLS"}, "logis"},
		"no company":            {w.parcel(object{"company": nil}), "logis.company"},
		"no invoice":            {w.parcel(object{"invoice": nil}), "logis.invoice"},
		"empty invoice":         {w.parcel(object{"invoice": ""}), "logis.invoice"},
		"SQL":                   {w.parcel(object{"invoice": "' OR 1=1"}), "logis.invoice"},
		"SQL for ETC":           {w.parcel(object{"company": "ETC", "invoice": "' OR 1=1"}), "logis.invoice"},
		"blank in a number":     {w.parcel(object{"invoice": "1234 5678"}), "logis.invoice"},
		"endless invoice":       {w.parcel(object{"invoice": strings.Repeat("1", 41)}), "logis.invoice"},
		"no sent_at":            {w.parcel(object{"sent_at": nil}), "logis.sent_at"},
		"sent_at 0":             {w.parcel(object{"sent_at": 0}), "logis.sent_at"},
		"sent_at milliseconds":  {w.parcel(object{"sent_at": w.clock.Now().UnixMilli()}), "logis.sent_at"},
		"sent_at in the future": {w.parcel(object{"sent_at": w.clock.Now().Add(48 * time.Hour).Unix()}), "logis.sent_at"},
		"no such day":           {w.parcel(object{"receiving_at": "20269999"}), "logis.receiving_at: YYYYMMDD"},
		"not a leap year":       {w.parcel(object{"receiving_at": "20270229"}), "logis.receiving_at"},
		"receiving_at":          {w.parcel(object{"receiving_at": "2026-12-1"}), "logis.receiving_at"},
		"endless address":       {with(w.parcel(nil), object{"receiver": object{"addr": strings.Repeat("가", 10_000)}}), "receiver.addr"},
		"receiver as text":      {with(w.parcel(nil), object{"receiver": "홍길동"}), "receiver"},
		"product without name":  {with(w.parcel(nil), object{"products": []object{{"id": "1", "amount": 1}}}), "products[0].name"},
		"product as text":       {with(w.parcel(nil), object{"products": []string{"x"}}), "products[0]"},
		"products as text":      {with(w.parcel(nil), object{"products": "x"}), "products"},
		"product amount":        {with(w.parcel(nil), object{"products": []object{{"id": "1", "name": "a", "amount": -1}}}), "products[0].amount"},
		"send_email":            {with(w.parcel(nil), object{"send_email": "perhaps"}), "send_email"},
		"misspelt":              {with(w.parcel(nil), object{"Receiver": object{}}), "Receiver"},
		"misspelt inside":       {w.parcel(object{"Invoice": "1"}), "logis.Invoice"},
	} {
		t.Run(name, func(t *testing.T) { w.post("/escrows/logis/"+id, test.body).want(400, -1, test.field) })
	}
	if after := w.version(id); after != before {
		t.Errorf("the payment changed from version %d to %d", before, after)
	}
}

func TestDeliveryByState(t *testing.T) {
	w := newWorld(t)
	cancelled := w.held()
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": cancelled})).want(200, 0)
	for name, id := range map[string]string{
		"unpaid": w.issue(object{"escrow": true}), "ordinary": w.pay(w.issue(nil)), "card": w.window(escrow.Card, false), "cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			before := w.version(id)
			w.post("/escrows/logis/"+id, w.parcel(nil)).want(409, -1)
			w.put("/escrows/logis/"+id, w.parcel(nil)).want(409, -1)
			w.get("/escrows/logis/"+id).want(409, -1)
			if after := w.version(id); after != before {
				t.Errorf("the payment changed from version %d to %d", before, after)
			}
		})
	}
	w.post("/escrows/logis/imp_000000000000", w.parcel(nil)).want(404, -1).says("존재하지 않는 결제정보입니다.")
}

func TestConfirmPurchase(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	path := "/payments/" + id + "/naver/confirm"
	w.post(path, object{"requester": "nobody"}).want(200, -1, "requester")
	w.post(path, object{"requester": "customer"}).want(200, 0)
	w.post(path, nil).want(200, 0)
	rejected := w.shipped()
	w.byBuyer(rejected, escrow.Reject{Reason: "파손"})
	w.post("/payments/"+rejected+"/naver/confirm", nil).want(200, 1, "구매거절")
	w.post("/payments/"+w.pay(w.issue(nil))+"/naver/confirm", nil).want(200, 1, "구매확정에 실패하였습니다(")
	w.post("/payments/imp_000000000000/naver/confirm", nil).want(404, -1)
}
