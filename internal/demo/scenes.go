package demo

import (
	"net/http"
	"strings"
)

func (p *play) silence() {
	p.scene("가상계좌로 결제하고, 구매자가 아무 말도 하지 않습니다 (설 연휴)", "Virtual account; the buyer stays silent (over Seollal)")
	pay := p.pay(p.order("demo-1", "vbank", 30_000))
	p.expect("status of an issued account", pay.Status, "ready")
	p.expect("escrow", pay.Escrow, true)
	p.say("가상계좌 발급: %s %s", "account issued: %s %s", pay.VbankName, pay.VbankNum)
	p.hears(pay.ImpUID, "ready") // calls to a shop come in no promised order
	p.deposit(pay.ImpUID, "exact")
	p.expect("status after the deposit", p.look(pay.ImpUID).Status, "paid")
	p.hears(pay.ImpUID, "ready paid")
	p.say("입금 확인, 대금 보관 (웹훅: %s)", "deposit arrived, money is held (webhooks: %s)", p.shop.has(pay.ImpUID))
	p.until("2026-02-12 10:00")
	p.ship(pay.ImpUID, "CJGLS", "123456789012")
	p.say("배송등록", "delivery registered")
	happened := p.until("2026-02-26 00:00")
	p.expect("delivery", day(happenedAt(happened, pay.ImpUID, "Delivered")), "2026-02-13")
	p.expect("automatic confirmation (16 to 18 February are closed)", happenedAt(happened, pay.ImpUID, "Confirmed"), "2026-02-24 00:00")
	m := p.mailOf(pay.ImpUID, "delivered")
	if !strings.Contains(m.Text, p.URL+"/d/") {
		p.fail("the mail %q has no decision link", m.Subject)
	}
	p.say("메일: %q", "mail sent: %q", m.Subject)
}

func (p *play) byHand() {
	p.scene("실시간 계좌이체로 결제하고, 메일의 링크로 구매를 확정합니다", "Real-time transfer; the buyer confirms by the link in the mail")
	pay := p.pay(p.order("demo-2", "trans", 120_000))
	p.expect("status of a transfer", pay.Status, "paid")
	p.ship(pay.ImpUID, "HANJIN", "456789012345")
	p.days(2)
	m := p.mailOf(pay.ImpUID, "shipped")
	p.say("메일: %q", "mail sent: %q", m.Subject)
	page := p.link(m)
	for range 3 {
		p.visit(page) // a mail scanner opens every link
	}
	p.press(page, "confirm", form{"received": "yes"})
	p.press(page, "confirm", form{"received": "yes"}) // a second click changes nothing
	p.say("구매확정", "confirmed by the buyer")
	if !p.failed() {
		status, _ := p.call(http.MethodPost, page+"/reject", "", form{"reason": "damaged"})
		p.expect("rejecting what was confirmed", status, http.StatusConflict)
	}
}

func (p *play) card() {
	p.scene("카드 결제 (일반 결제)", "Card (an ordinary payment)")
	pay := p.pay(p.order("demo-3", "card", 50_000))
	p.expect("status of a card payment", pay.Status, "paid")
	p.expect("escrow", pay.Escrow, false)
	p.say("카드 결제 완료", "card paid")
}

func (p *play) rejection() {
	p.scene("구매거절과 환불", "Rejection and refund")
	pay := p.pay(p.order("demo-4", "vbank", 45_000))
	p.deposit(pay.ImpUID, "exact")
	p.ship(pay.ImpUID, "EPOST", "6123456789012")
	p.days(2)
	p.v1(http.MethodPost, "/sandbox/payments/"+pay.ImpUID+"/decision", map[string]string{"decision": "reject", "reason": "깨져서 왔습니다"}, nil)
	p.say("구매거절: 깨져서 왔습니다", "rejected: it arrived broken")
	var cancelled payment
	p.v1(http.MethodPost, "/payments/cancel", map[string]any{
		"imp_uid": pay.ImpUID, "reason": "구매거절에 따른 환불", "refund_holder": "김하늘", "refund_bank": "088", "refund_account": "110123456789",
	}, &cancelled)
	p.expect("status after the cancel", cancelled.Status, "cancelled")
	p.expect("amount given back", cancelled.CancelAmount, int64(45_000))
	p.days(1)
	m := p.mailOf(pay.ImpUID, "refund_sent")
	p.say("환불 완료 (메일: %q)", "refund sent (mail: %q)", m.Subject)
}

func (p *play) mistakes() {
	p.scene("잘못된 입금과 입금기한 경과", "A wrong deposit, and an account that expires")
	pay := p.pay(p.order("demo-5", "vbank", 20_000))
	p.deposit(pay.ImpUID, "under")
	p.expect("status after a deposit that is too small", p.look(pay.ImpUID).Status, "ready")
	p.say("부족한 금액은 은행이 거절", "the bank refuses too small an amount")
	p.days(5)
	p.expect("status after the due time", p.look(pay.ImpUID).Status, "cancelled")
	p.say("입금기한 경과로 취소", "cancelled: nobody paid in time")
}

func (p *play) untrackable() {
	p.scene("배송추적이 되지 않는 배송 (추석 연휴, 등록일 + 6영업일)", "A parcel that cannot be tracked (Chuseok; registration + 6 business days)")
	p.until("2026-09-23 10:00")
	pay := p.pay(p.order("demo-6", "trans", 70_000))
	p.ship(pay.ImpUID, "ETC", "OWN-CAR-1")
	p.say("직접 배송 등록", "delivery by an unknown carrier registered")
	happened := p.until("2026-10-08 00:00")
	p.expect("automatic confirmation (24, 25 September and 5 October are closed)", happenedAt(happened, pay.ImpUID, "Confirmed"), "2026-10-07 00:00")
}

func (p *play) settlement() {
	p.scene("정산과 지급", "Settlement and payout")
	p.days(10)
	var ms struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	p.admin("/merchants", &ms)
	if p.failed() || len(ms.Items) == 0 {
		p.fail("the admin API lists no merchant")
		return
	}
	var out struct {
		Items []struct {
			ID       string `json:"id"`
			Date     string `json:"date"`
			State    string `json:"state"`
			Gross    int64  `json:"gross"`
			Fee      int64  `json:"fee"`
			VAT      int64  `json:"vat"`
			Deducted int64  `json:"deducted"`
			Amount   int64  `json:"amount"`
		} `json:"items"`
	}
	p.admin("/merchants/"+ms.Items[0].ID+"/payouts", &out)
	var gross, net int64
	for _, x := range out.Items {
		p.print("   %s  %-8s %8d − %5d − %4d = %8d\n", x.Date, x.State, x.Gross, x.Fee, x.VAT, x.Amount)
		p.expect("payout of "+x.Date, x.State, "paid")
		p.expect("sum of the statement of "+x.Date, x.Gross-x.Fee-x.VAT-x.Deducted, x.Amount)
		gross, net = gross+x.Gross, net+x.Amount
	}
	// 30,000 by account, 120,000 and 70,000 by transfer, 50,000 by card.
	p.expect("sales paid out", gross, int64(270_000))
	// Fees 300, 2,400, 1,400 and 1,500, each with a tenth of VAT.
	p.expect("money paid out", net, int64(270_000-5_600-560))
}

func (p *play) close() {
	p.scene("시산표", "Trial balance")
	var books struct {
		Balanced bool     `json:"balanced"`
		Held     int64    `json:"held"`
		Problems []string `json:"problems"`
		Balances []struct {
			Account string `json:"account"`
			Debits  int64  `json:"debits"`
			Credits int64  `json:"credits"`
		} `json:"balances"`
	}
	p.admin("/books", &books)
	var debits, credits int64
	for _, b := range books.Balances {
		p.print("   %-14s %10d %10d\n", b.Account, b.Debits, b.Credits)
		debits, credits = debits+b.Debits, credits+b.Credits
	}
	p.print("   %-14s %10d %10d\n", "", debits, credits)
	p.expect("debits against credits", debits, credits)
	p.expect("the books balance", books.Balanced, true)
	p.expect("problems", strings.Join(books.Problems, "; "), "")
	p.expect("money still held", books.Held, int64(0))
}
