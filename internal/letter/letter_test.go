package letter_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

var update = flag.Bool("update", false, "write the golden files anew")

const decisionURL = "https://pay.example.kr/d/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"

func kst(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, bizday.KST)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// view is a payment of an ordinary shop on which every kind of letter makes
// sense once arrange has put it into the state that the kind belongs to.
func view(kind escrow.Mail, en bool) letter.View {
	m := merchant.New("m1", "imp00000001", "꽃다발 상점", merchant.Live, kst("2026-01-02 09:00"))
	m.BusinessNo, m.Phone = "123-45-67890", "02-1234-5678"
	m.ReturnTo = escrow.Party{Name: "꽃다발 상점 물류팀", Address: "서울특별시 중구 세종대로 110, 2층", Postcode: "04524", Phone: "02-1234-5678"}
	p := escrow.Payment{
		Merchant: "m1", ID: "imp_000000000001", OrderID: "ORD-20260309-0001", State: escrow.Held, Escrow: true, Method: escrow.VirtualAccount,
		Amount: 12_000, Name: "수국 꽃다발 외 1건", Buyer: escrow.Party{Name: "김구매", Email: "buyer@example.com"}, English: en,
		OpenedAt: kst("2026-03-09 10:00"), PaidAt: kst("2026-03-09 10:30"),
		Account: &escrow.Account{BankAccount: escrow.BankAccount{Bank: "088", Number: "562-1234-567890", Holder: "홀드패스트"}, Due: kst("2026-03-11 23:59")},
	}
	v := letter.View{
		Payment: p, Merchant: m, English: en, DecisionURL: decisionURL, Now: kst("2026-03-10 14:05"), ID: "mail_0001",
		Operator: letter.Operator{Name: "주식회사 홀드패스트", Registration: "02-004-00123", Contact: "1588-0000", URL: "https://pay.example.kr/"},
	}
	arrange(kind, &v)
	return v
}

// deadlines of the payment: delivered on Tuesday 10 March, or not to be tracked.
var (
	afterDelivery     = &escrow.Deadline{At: kst("2026-03-14 00:00"), LastDay: bizday.MustParseDate("2026-03-13"), From: bizday.MustParseDate("2026-03-10"), Days: 3, Rule: escrow.AfterDelivery}
	afterRegistration = &escrow.Deadline{At: kst("2026-03-18 00:00"), LastDay: bizday.MustParseDate("2026-03-17"), From: bizday.MustParseDate("2026-03-09"), Days: 6, Rule: escrow.AfterRegistration}
)

func shipped(v *letter.View) {
	v.Payment.State = escrow.Shipped
	v.Payment.Delivery = &escrow.Delivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: "123456789012"}}, Trackable: true, SentAt: kst("2026-03-09 16:00")}
	v.Projected = afterRegistration
}

func delivered(v *letter.View) {
	shipped(v)
	v.Payment.State = escrow.Delivered
	v.Payment.Delivery.DeliveredAt = kst("2026-03-10 13:40")
	v.Projected = afterDelivery
}

func refund(v *letter.View, state escrow.RefundState) {
	v.Payment.State, v.Payment.Refunded, v.Payment.CancelReason = escrow.Cancelled, v.Payment.Amount, "품절"
	r := escrow.Refund{ID: "imp_000000000001-r1", Amount: v.Payment.Amount, State: state}
	if state != escrow.RefundAccountNeeded {
		r.Account = escrow.BankAccount{Bank: "088", Number: "110-222-333444", Holder: "김구매"}
	}
	if state == escrow.RefundSent {
		r.SentAt = kst("2026-03-10 14:00")
	}
	if state == escrow.RefundFailed {
		r.FailedFor = "해지된 계좌입니다."
	}
	v.Payment.Refunds = []escrow.Refund{r}
}

func arrange(kind escrow.Mail, v *letter.View) {
	p := &v.Payment
	switch kind {
	case escrow.MailAccountIssued, escrow.MailDepositDueSoon:
		p.State, p.PaidAt, v.DecisionURL = escrow.AwaitingDeposit, time.Time{}, ""
	case escrow.MailAccountExpired:
		p.State, p.PaidAt, v.DecisionURL = escrow.Cancelled, time.Time{}, ""
	case escrow.MailPaid:
		v.DecisionURL = ""
	case escrow.MailDepositMismatched:
		p.State, p.PaidAt, v.DecisionURL = escrow.AwaitingDeposit, time.Time{}, ""
		p.Deposits = []escrow.Deposit{{BankTx: "tx", Amount: 11_000, At: kst("2026-03-10 14:00"), Outcome: escrow.DepositRefused}}
	case escrow.MailShipped, escrow.MailDeliveryChanged:
		shipped(v)
	case escrow.MailDelivered, escrow.MailReminder, escrow.MailNewLastDay, escrow.MailLink, escrow.MailHoldReleased:
		delivered(v)
	case escrow.MailHold:
		delivered(v)
		v.Projected, p.Hold = nil, &escrow.Hold{By: escrow.Operator, Reason: "배송 확인 중"}
	case escrow.MailConfirmed:
		delivered(v)
		p.State, p.ConfirmedAt = escrow.Confirmed, kst("2026-03-10 14:00")
		p.Decided = &escrow.Decided{Verdict: escrow.VerdictConfirm, Kind: escrow.ByBuyer, At: p.ConfirmedAt}
	case escrow.MailAutoConfirmed:
		delivered(v)
		p.State, p.ConfirmedAt = escrow.Confirmed, kst("2026-03-14 00:00")
		p.Decided = &escrow.Decided{Verdict: escrow.VerdictConfirm, Kind: escrow.ByTime, At: p.ConfirmedAt}
	case escrow.MailRejected, escrow.MailRejectionAccepted, escrow.MailDisputed:
		delivered(v)
		p.State, p.Decided = escrow.Rejected, &escrow.Decided{Verdict: escrow.VerdictReject, Reason: "꽃이 시들어서 왔습니다.", At: kst("2026-03-10 14:00")}
		if kind == escrow.MailRejectionAccepted {
			p.State, p.Return = escrow.RejectionAccepted, escrow.ReturnAgreed
		}
		if kind == escrow.MailDisputed {
			p.Dispute = &escrow.Dispute{Evidence: "포장할 때 찍은 사진이 있습니다."}
		}
	case escrow.MailCancelled, escrow.MailRefundAccount:
		refund(v, escrow.RefundAccountNeeded)
		if kind == escrow.MailCancelled {
			refund(v, escrow.RefundOrdered)
			v.DecisionURL = ""
		}
	case escrow.MailRefundSent:
		refund(v, escrow.RefundSent)
	case escrow.MailRefundFailed:
		refund(v, escrow.RefundFailed)
	}
}

func compose(t *testing.T, kind escrow.Mail, v letter.View) letter.Letter {
	t.Helper()
	l, err := letter.Compose(kind, v)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEveryKindInBothLanguages(t *testing.T) {
	for _, kind := range escrow.Mails() {
		for _, lang := range []string{"ko", "en"} {
			t.Run(string(kind)+"/"+lang, func(t *testing.T) {
				l := compose(t, kind, view(kind, lang == "en"))
				golden(t, string(kind)+"."+lang+".golden.txt", "Subject: "+l.Subject+"\n\n"+l.Text)
				golden(t, string(kind)+"."+lang+".golden.html", l.HTML)
				wellFormed(t, l)
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at the change and write it with -update\n%s", name, got)
	}
}

// wellFormed holds a letter against what is true of every one.
func wellFormed(t *testing.T, l letter.Letter) {
	t.Helper()
	if strings.ContainsAny(l.Subject, "\r\n") || l.Subject == "" || len([]rune(l.Subject)) > 120 {
		t.Errorf("subject %q", l.Subject)
	}
	for name, body := range map[string]string{"text": l.Text, "html": l.HTML} {
		if strings.Contains(body, "{") && name == "text" || strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "<no value>") {
			t.Errorf("%s has a hole:\n%s", name, body)
		}
		for _, want := range []string{"ORD-20260309-0001", "12,000", "123-45-67890", "02-1234-5678", "주식회사 홀드패스트", "02-004-00123", "1588-0000", "mail_0001"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	if regexp.MustCompile(`\n{3,}|[ \t]\n`).MatchString(l.Text) {
		t.Errorf("the text has gaps:\n%q", l.Text)
	}
}

// TestTellsCarriesTheNotice: where a mail's delivery counts as the statutory
// notice, the last day, the consequence of silence, the article, and the way to
// decide must stand in both parts.
func TestTellsCarriesTheNotice(t *testing.T) {
	type says struct{ silence, law, lastDay, untraced string }
	languages := map[bool]says{
		false: {"아무 말씀이 없으시면", "제28조의3", "2026년 3월 13일(금요일)", "2026년 3월 17일(화요일)"},
		true:  {"If we hear nothing", "art. 28-3", "Friday, 13 March 2026", "Tuesday, 17 March 2026"},
	}
	for _, kind := range escrow.Mails() {
		for en, say := range languages {
			v := view(kind, en)
			l := compose(t, kind, v)
			for part, body := range map[string]string{"text": l.Text, "html": l.HTML} {
				if !kind.Tells() {
					if strings.Contains(body, say.law) && kind != escrow.MailHoldReleased {
						t.Errorf("%s (%s) carries a notice whose delivery nobody watches", kind, part)
					}
					continue
				}
				last := say.lastDay
				if v.Payment.State == escrow.Shipped {
					last = say.untraced
				}
				for _, want := range []string{say.silence, say.law, last, decisionURL} {
					if !strings.Contains(body, want) {
						t.Errorf("%s (english %v, %s) does not say %q", kind, en, part, want)
					}
				}
			}
		}
	}
}

func TestNoticeByCircumstance(t *testing.T) {
	cases := []struct {
		name       string
		change     func(*letter.View)
		want, lack []string
	}{
		{
			"a parcel on its way has no date yet",
			func(v *letter.View) { shipped(v); v.Projected = nil },
			[]string{"받으신 날의 다음 날부터 3영업일", "배송이 완료되면 정확한 마지막 날", "아무 말씀이 없으시면"},
			[]string{"마지막 날: 2026", "아무 기록이"},
		},
		{
			"a parcel that may yet be tracked has a fallback",
			shipped,
			[]string{"받으신 날의 다음 날부터 3영업일", "6영업일인 2026년 3월 17일(화요일)"},
			[]string{"마지막 날: 2026"},
		},
		{
			"a parcel that cannot be tracked counts from its registration",
			func(v *letter.View) {
				shipped(v)
				v.Payment.Delivery.Trackable = false
				v.Payment.Delivery.Parcels = []escrow.Parcel{{Carrier: escrow.SelfDelivery}}
			},
			[]string{"구매결정 마지막 날: 2026년 3월 17일(화요일)", "배송이 등록된 날의 다음 날부터 세어 6영업일", "판매자 직접 배송"},
			[]string{"https://trace.", "송장번호"},
		},
		{
			"a notice that came late says from when it counts",
			func(v *letter.View) {
				delivered(v)
				d := *afterDelivery
				d.Rule = escrow.AfterNotice
				v.Projected = &d
			},
			[]string{"안내가 늦어진 만큼", "2026년 3월 10일(화요일)의 다음 날부터"},
			nil,
		},
		{
			"a hold stops the clock",
			func(v *letter.View) {
				delivered(v)
				v.Projected, v.Payment.Hold = nil, &escrow.Hold{Reason: "확인 중"}
			},
			[]string{"기한이 흐르지 않습니다"},
			[]string{"마지막 날: 2026"},
		},
		{
			"a shop with a longer term says its own",
			func(v *letter.View) { shipped(v); v.Merchant.Profile.TrackedDays = 5; v.Projected = nil },
			[]string{"받으신 날의 다음 날부터 5영업일"},
			nil,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := view(escrow.MailLink, false)
			c.change(&v)
			l := compose(t, escrow.MailLink, v)
			contains(t, l.Text, c.want, c.lack)
		})
	}
}

func contains(t *testing.T, body string, want, lack []string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(body, s) {
			t.Errorf("does not say %q:\n%s", s, body)
		}
	}
	for _, s := range lack {
		if strings.Contains(body, s) {
			t.Errorf("says %q:\n%s", s, body)
		}
	}
}

// TestVariants: one kind says different things in different circumstances.
func TestVariants(t *testing.T) {
	cases := []struct {
		name       string
		kind       escrow.Mail
		change     func(*letter.View)
		want, lack []string
	}{
		{"ordinary payment", escrow.MailPaid, func(v *letter.View) { v.Payment.Escrow = false }, []string{"구매안전(에스크로) 거래가 아닙니다"}, []string{"안전하게 보관"}},
		{"sandbox", escrow.MailPaid, func(v *letter.View) { v.Merchant.Mode = merchant.Sandbox }, []string{"실제 돈은 오가지 않습니다"}, nil},
		{"confirmed by the shop", escrow.MailConfirmed, func(v *letter.View) { v.Payment.Decided.Kind = escrow.ByShop }, []string{"판매자가 구매확정을 처리", "1588-0000)에 알려"}, []string{"감사합니다"}},
		{"forced", escrow.MailConfirmed, func(v *letter.View) {
			v.Payment.Decided.Kind, v.Payment.Decided.Reason = escrow.Forced, "수령 확인서"
		}, []string{"운영자가 구매확정을 처리", "사유: 수령 확인서"}, nil},
		{"a divided amount", escrow.MailConfirmed, func(v *letter.View) { v.Payment.Refunded = 4_000 }, []string{"보관하던 대금 8,000원"}, nil},
		{"rejection accepted without return", escrow.MailRejectionAccepted, func(v *letter.View) { v.Payment.Return = escrow.ReturnWaived }, []string{"돌려보내지 않으셔도"}, []string{"반송 주소", "반송 비용"}},
		{"rejection accepted", escrow.MailRejectionAccepted, func(*letter.View) {}, []string{"04524 서울특별시 중구", "3영업일 안에"}, nil},
		{"deposit over the amount", escrow.MailDepositMismatched, func(v *letter.View) {
			v.Payment.Deposits[0].Outcome, v.Payment.Deposits[0].Amount, v.Payment.Suspended = escrow.DepositHeld, 15_000, 3_000
		}, []string{"더 입금하신 3,000원"}, []string{"받지 않았습니다"}},
		{"deposit suspended", escrow.MailDepositMismatched, func(v *letter.View) {
			v.Payment.Deposits[0].Outcome, v.Payment.Suspended = escrow.DepositSuspended, 11_000
		}, []string{"따로 보관"}, nil},
		{"cancelled in part", escrow.MailCancelled, func(v *letter.View) {
			v.Payment.Refunded, v.Payment.Refunds[0].Amount = 2_000, 2_000
		}, []string{"가운데 2,000원이 취소"}, nil},
		{"cancelled card", escrow.MailCancelled, func(v *letter.View) { v.Payment.Method = escrow.Card }, []string{"카드사를 통해 취소"}, []string{"환불 계좌:"}},
		{"cancelled, account unknown", escrow.MailCancelled, func(v *letter.View) { refund(v, escrow.RefundAccountNeeded) }, []string{"계좌를 알려 주셔야"}, nil},
		{"refunded card", escrow.MailRefundSent, func(v *letter.View) { v.Payment.Method = escrow.Card }, []string{"카드 결제를 취소했습니다"}, []string{"계좌로 보냈습니다"}},
		{"refund account without a link", escrow.MailRefundAccount, func(v *letter.View) { v.DecisionURL = "" }, []string{"꽃다발 상점에 은행"}, []string{"아래 버튼"}},
		{"refund account hidden", escrow.MailRefundSent, func(*letter.View) {}, []string{"신한은행 ****3444 김구매"}, []string{"110-222"}},
		{"taken back by the bank", escrow.MailCancelled, func(v *letter.View) {
			v.Payment.State, v.Payment.Refunded, v.Payment.Refunds, v.Payment.CancelReason = escrow.Cancelled, 0, nil, "은행이 입금을 취소하였습니다."
		}, []string{"은행이 입금을 취소하여", "따로 환불해 드릴 금액이 없습니다"}, []string{"돌려드립니다", "환불이 끝나면"}},
		{"withdrawal answered", escrow.MailHoldReleased, func(v *letter.View) { v.Payment.State, v.Projected = escrow.Confirmed, nil }, []string{"청약철회를 검토한 결과", "판매자에게 지급됩니다", "동의하지 않으시면"}, []string{"기한이 다시 흐릅니다", "받았어요"}},
		{"a notice that nobody believes", escrow.MailDepositMismatched, func(v *letter.View) {
			v.Payment.Deposits = append(v.Payment.Deposits, escrow.Deposit{BankTx: v.Payment.Deposits[0].BankTx, Amount: 77_777, Outcome: escrow.DepositQuarantined})
		}, nil, []string{"77,777"}},
		{"hold released before shipping", escrow.MailHoldReleased, func(v *letter.View) { v.Payment.State, v.Projected = escrow.Held, nil }, []string{"보류가 풀렸습니다"}, []string{"제28조의3", "받았어요"}},
		{"link after the decision", escrow.MailLink, func(v *letter.View) { v.Payment.State, v.Projected = escrow.Confirmed, nil }, []string{"처리 결과"}, []string{"제28조의3", "받았어요"}},
		{"buyer without a name", escrow.MailPaid, func(v *letter.View) { v.Payment.Buyer.Name = " " }, []string{"고객님, 안녕하십니까."}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.kind, false)
			c.change(&v)
			contains(t, compose(t, c.kind, v).Text, c.want, c.lack)
		})
	}
}

// TestHostileWords: nothing that a shop or a buyer wrote becomes markup, a
// header, a link, a second line or a placeholder.
func TestHostileWords(t *testing.T) {
	const evil = "<script>alert(1)</script>\r\nBcc: x@evil.com {amount} https://evil.com/?a=1 www.evil.co.kr javascript:alert(1)\u202e"
	for _, kind := range escrow.Mails() {
		for _, en := range []bool{false, true} {
			v := view(kind, en)
			v.Merchant.Name, v.Payment.Name, v.Payment.Buyer.Name, v.Payment.CancelReason, v.Merchant.ReturnTo.Address = evil, evil, evil, evil, evil
			v.Payment.OrderID = evil
			if v.Payment.Decided != nil {
				v.Payment.Decided.Reason = evil
			}
			if v.Payment.Delivery != nil {
				v.Payment.Delivery.Parcels[0].Number = evil
			}
			l := compose(t, kind, v)
			if strings.ContainsAny(l.Subject, "\r\n\u202e") || len([]rune(l.Subject)) > 120 {
				t.Errorf("%s: subject %q", kind, l.Subject)
			}
			for part, body := range map[string]string{"text": l.Text, "html": l.HTML, "subject": l.Subject} {
				for _, bad := range []string{"https://evil", "evil.com", "evil.co.kr", "\u202e", `href="javascript`, "\r", "\nBcc"} {
					if strings.Contains(body, bad) {
						t.Errorf("%s (%s) carries %q", kind, part, bad)
					}
				}
			}
			if strings.Contains(l.HTML, "<script") {
				t.Errorf("%s: a script stands in the HTML", kind)
			}
			for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(l.HTML, -1) {
				if !strings.HasPrefix(m[1], "https://pay.example.kr/") { // the hostile tracking number has no page either
					t.Errorf("%s: link to %q", kind, m[1])
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	cases := []struct {
		name   string
		kind   escrow.Mail
		change func(*letter.View)
		want   string
	}{
		{"an unknown kind", "birthday", func(*letter.View) {}, "birthday"},
		{"a decision without a link", escrow.MailDelivered, func(v *letter.View) { v.DecisionURL = "" }, "no decision link"},
		{"a link that is a script", escrow.MailDelivered, func(v *letter.View) { v.DecisionURL = "javascript:alert(1)" }, "decision link"},
		{"a link without a host", escrow.MailDelivered, func(v *letter.View) { v.DecisionURL = "/d/x" }, "decision link"},
		{"a link with a line break", escrow.MailDelivered, func(v *letter.View) { v.DecisionURL = "https://x/d/\nBcc:" }, "decision link"},
		{"an operator's address that is none", escrow.MailPaid, func(v *letter.View) { v.Operator.URL = "ftp://x/" }, "operator's address"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.kind, false)
			c.change(&v)
			if l, err := letter.Compose(c.kind, v); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v and the subject %q, want an error about %q", err, l.Subject, c.want)
			}
		})
	}
}

// TestNoticeOf: a page shows the words of the mail.
func TestNoticeOf(t *testing.T) {
	v := view(escrow.MailDelivered, false)
	l := compose(t, escrow.MailDelivered, v)
	n, ok := letter.NoticeOf(v)
	if !ok || n.Big != "2026년 3월 13일(금요일)" {
		t.Fatalf("notice %+v, %v", n, ok)
	}
	for _, line := range append(n.Lines, n.Head, n.Law) {
		if !strings.Contains(l.Text, line) {
			t.Errorf("the mail does not say %q", line)
		}
	}
	for _, kind := range []escrow.Mail{escrow.MailPaid, escrow.MailConfirmed, escrow.MailCancelled} {
		if n, ok := letter.NoticeOf(view(kind, false)); ok {
			t.Errorf("%s: a notice of a purchase that is not to be decided: %+v", kind, n)
		}
	}
}

// TestLateLetters: a letter is written when it is sent, and the payment may
// have moved on by then. Whatever its state, there is a letter, with a subject
// and without a hole.
func TestLateLetters(t *testing.T) {
	for _, kind := range escrow.Mails() {
		for _, later := range escrow.Mails() {
			for _, en := range []bool{false, true} {
				l := compose(t, kind, view(later, en))
				if l.Subject == "" || strings.Contains(l.Subject+l.Text, "{") {
					t.Errorf("%s of a payment that got %s: subject %q\n%s", kind, later, l.Subject, l.Text)
				}
			}
		}
	}
	v := view(escrow.MailRefundSent, false)
	v.Payment.Refunds, v.Merchant.Name = nil, ""
	if l := compose(t, escrow.MailRefundSent, v); l.Subject != "환불해 드렸습니다" {
		t.Errorf("subject %q", l.Subject)
	}
}
