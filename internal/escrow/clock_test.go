package escrow_test

import (
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// shippedOn registers a delivery at ten in the morning of a day, by a payment
// that came the day before; the notice reaches the buyer at once.
func shippedOn(t tester, day string, parcels []escrow.Parcel) *world {
	w := newWorld(t)
	w.env.Now = date(day).AddDays(-1).Start().Add(10 * time.Hour)
	w.held()
	w.env.Now = date(day).Start().Add(10 * time.Hour)
	w.do(escrow.Shop, w.registration(parcels))
	w.do(escrow.System, escrow.NoticeResult{Delivered: true})
	return w
}

// TestLastDays takes days worked out by hand through a whole payment: the
// deadline, and the confirmation at midnight after it and not a moment before.
func TestLastDays(t *testing.T) {
	for _, c := range []struct {
		name    string
		day     string // of the delivery, or of the registration of what cannot be tracked
		parcels []escrow.Parcel
		last    string
	}{
		{"over Seollal 2026", "2026-02-13", inTrack, "2026-02-23"},
		{"over Chuseok 2025 and Hangul day", "2025-10-02", inTrack, "2025-10-14"},
		{"over Chuseok 2025, not tracked", "2025-10-02", byHand, "2025-10-17"},
		{"over Chuseok 2026, whose Saturday has no substitute", "2026-09-23", inTrack, "2026-09-30"},
		{"over Chuseok 2026 and a substitute holiday, not tracked", "2026-09-23", byHand, "2026-10-06"},
		{"over Chuseok 2024", "2024-09-12", inTrack, "2024-09-20"},
		{"over Seollal 2025 and a temporary holiday", "2025-01-23", inTrack, "2025-02-03"},
		{"over Seollal 2027 and its substitute", "2027-02-05", inTrack, "2027-02-12"},
		{"over Chuseok 2028 and two substitutes", "2028-09-29", inTrack, "2028-10-11"},
		{"over the bank holiday of May 2025", "2025-04-30", inTrack, "2025-05-08"},
		{"over Labour Day 2026", "2026-04-30", inTrack, "2026-05-07"},
		{"no holiday", "2026-03-10", inTrack, "2026-03-13"},
		{"delivered on a Saturday", "2026-03-14", inTrack, "2026-03-18"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := shippedOn(t, c.day, c.parcels)
			rule := escrow.AfterRegistration
			if w.p.Delivery.Trackable {
				w.do(escrow.Carrier, w.arrives())
				rule = escrow.AfterDelivery
			}
			w.deadline(c.last, rule)
			end := w.p.Deadline.At
			w.env.Now = end.Add(-time.Microsecond)
			w.do(escrow.System, escrow.Tick{})
			if w.p.State == escrow.Confirmed {
				t.Fatalf("confirmed before %s", end)
			}
			w.idle()
			w.env.Now = end
			w.do(escrow.System, escrow.Tick{})
			w.state(escrow.Confirmed)
			if d := w.p.Decided; d.Kind != escrow.ByTime || !d.At.Equal(end) {
				t.Fatalf("decided %+v", d)
			}
		})
	}
}

// TestKoreanMidnight: 15:00 UTC is the next day in Korea.
func TestKoreanMidnight(t *testing.T) {
	w := shippedOn(t, "2026-02-13", inTrack)
	w.env.Now = time.Date(2026, 2, 13, 15, 0, 0, 0, time.UTC)
	w.do(escrow.Carrier, w.arrives())
	w.deadline("2026-02-23", escrow.AfterDelivery) // from Saturday 14 February, the same three days
	if w.p.Deadline.From != date("2026-02-14") {
		t.Fatalf("counted from %v", w.p.Deadline.From)
	}
}

func TestReminders(t *testing.T) {
	w := newWorld(t).delivered() // Monday 9 March; last day Thursday 12
	w.deadline("2026-03-12", escrow.AfterDelivery)
	if got := w.p.Reminded; len(got) != 1 || got[0] != 3 {
		t.Fatalf("left out %v, want the one whose time was this morning", got)
	}
	w.wake()
	if !w.env.Now.Equal(kst("2026-03-11 10:00")) {
		t.Fatalf("reminded at %s", w.env.Now)
	}
	w.wake()
	w.state(escrow.Confirmed)

	// Nobody is reminded of a time that is over.
	w = newWorld(t).delivered()
	w.at("2026-03-16 10:00")
	w.told(w.do(escrow.System, escrow.Tick{}), "Confirmed", "auto_confirmed")
}

// TestUnseenParcel: a parcel that could be tracked and never was seen counts as
// one that cannot be; D+6 is a fallback that nobody was told.
func TestUnseenParcel(t *testing.T) {
	w := newWorld(t).shipped(inTrack)
	w.deadline("2026-03-17", escrow.AfterRegistration)
	if !w.p.Announced.IsZero() {
		t.Fatalf("announced %s", w.p.Announced)
	}
	for w.p.State == escrow.Shipped {
		w.wake()
	}
	w.state(escrow.Confirmed)
	if !w.env.Now.Equal(kst("2026-03-18 00:00")) {
		t.Fatalf("confirmed at %s", w.env.Now)
	}
}

// TestLostParcel: one that was seen is never confirmed by D+6; a person looks for it.
func TestLostParcel(t *testing.T) {
	w := newWorld(t).shipped(inTrack)
	seen := escrow.ReportTracking{Number: inTrack[0].Number, Seen: true}
	w.do(escrow.Carrier, seen)
	w.stopped()
	d := w.wake()
	w.told(d, "ParcelOverdue", "")
	w.tasks(escrow.TaskParcelOverdue)
	if !w.env.Now.Equal(kst("2026-03-24 00:00")) {
		t.Fatalf("overdue at %s, want after ten business days", w.env.Now)
	}
	if !w.p.WakeAt.IsZero() {
		t.Fatalf("something is due at %s", w.p.WakeAt)
	}
	w.idle()
	w.do(escrow.Carrier, w.arrives())
	w.tasks()
	w.deadline("2026-03-27", escrow.AfterDelivery)
}

// TestLookedForAParcel: a person who has looked closes the task; it comes back
// if the parcel is still not there after ten more business days.
func TestLookedForAParcel(t *testing.T) {
	w := newWorld(t).overdue()
	looked := escrow.ResolveTask{Task: escrow.TaskParcelOverdue, Note: "택배사가 찾고 있습니다."}
	d := w.do(escrow.Shop, looked)
	w.told(d, "TaskResolved", "")
	if e := d.Events[0]; e.Kind != "parcel_overdue" || e.Reason != looked.Note || e.Actor != escrow.Shop {
		t.Fatalf("told %+v", e)
	}
	w.tasks()
	w.same(escrow.Shop, looked)
	w.wake()
	w.tasks(escrow.TaskParcelOverdue)
	if !w.env.Now.Equal(kst("2026-04-08 00:00")) {
		t.Fatalf("asked again at %s, want after ten more business days", w.env.Now)
	}
}

// TestTasksThatEndByTheirAct: nobody waves a rejection or held money away.
func TestTasksThatEndByTheirAct(t *testing.T) {
	w := newWorld(t).disputed()
	for _, task := range []escrow.Task{escrow.TaskDispute, escrow.TaskRejected, escrow.TaskSuspense, escrow.TaskRefundFailed, "lunch", ""} {
		if r := w.refused(escrow.Invalid, escrow.Operator, escrow.ResolveTask{Task: task, Note: "확인"}); r.Field != "task" {
			t.Errorf("the refusal of %q names %q", task, r.Field)
		}
	}
	w.tasks(escrow.TaskDispute)

	w = newWorld(t).confirmed()
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.do(escrow.Bank, w.deposit("tx-1", amount-1))
	w.tasks(escrow.TaskReversed, escrow.TaskDepositForged)
	w.do(escrow.Operator, escrow.ResolveTask{Task: escrow.TaskReversed, Note: "상점과 상계"})
	w.do(escrow.Operator, escrow.ResolveTask{Task: escrow.TaskDepositForged, Note: "은행에 확인"})
	w.tasks()
}

// TestSilentCarrier: no news changes nothing but the time of the next question.
func TestSilentCarrier(t *testing.T) {
	w := newWorld(t).shipped(inTrack)
	before := *w.p.Deadline
	next := w.env.Now.Add(7 * time.Hour)
	d := w.do(escrow.Carrier, escrow.ReportTracking{Number: inTrack[0].Number, NextAt: next})
	w.told(d, "", "")
	if *w.p.Deadline != before || !w.p.TrackAt.Equal(next) {
		t.Fatalf("deadline %v, next question at %s", w.p.Deadline, w.p.TrackAt)
	}
}

func TestSeveralParcels(t *testing.T) {
	w := newWorld(t).held()
	two := []escrow.Parcel{{Carrier: "CJ", Number: "1"}, {Carrier: "LOTTE", Number: "2"}}
	w.do(escrow.Shop, w.registration(two))
	w.do(escrow.System, escrow.NoticeResult{Delivered: true})
	w.do(escrow.Carrier, escrow.ReportTracking{Number: "2", DeliveredAt: w.env.Now})
	w.state(escrow.Shipped)
	w.stopped()
	w.same(escrow.Carrier, escrow.ReportTracking{Number: "2", Seen: true})
	w.at("2026-03-11 09:00")
	w.do(escrow.Carrier, escrow.ReportTracking{Number: "1", DeliveredAt: w.env.Now})
	w.state(escrow.Delivered)
	w.deadline("2026-03-16", escrow.AfterDelivery)
	w.refused(escrow.NotRegistered, escrow.Carrier, escrow.ReportTracking{Number: "3"})
}

// TestBackDatedDelivery: three days after the receipt, but one is left from the
// day on which it became known.
func TestBackDatedDelivery(t *testing.T) {
	w := newWorld(t).shipped(inTrack)
	received := w.env.Now.Add(2 * time.Hour)
	w.at("2026-03-10 20:00")
	w.do(escrow.Carrier, escrow.ReportTracking{Number: inTrack[0].Number, DeliveredAt: received})
	w.deadline("2026-03-12", escrow.AfterDelivery)

	w = newWorld(t).shipped(inTrack)
	received = w.env.Now.Add(2 * time.Hour)
	w.at("2026-03-16 20:00")
	w.do(escrow.Carrier, escrow.ReportTracking{Number: inTrack[0].Number, DeliveredAt: received})
	w.deadline("2026-03-17", escrow.AfterNotice)
}

func TestImpossibleDeliveries(t *testing.T) {
	w := newWorld(t).shipped(inTrack)
	number := inTrack[0].Number
	w.refused(escrow.Invalid, escrow.Carrier, escrow.ReportTracking{Number: number, DeliveredAt: w.env.Now.Add(6 * time.Minute)})
	w.refused(escrow.Invalid, escrow.Carrier, escrow.ReportTracking{Number: number, DeliveredAt: w.env.Now.Add(-13 * time.Hour)})
	w.refused(escrow.Invalid, escrow.Operator, escrow.MarkDelivered{At: w.env.Now.Add(time.Second)})
	w.refused(escrow.Invalid, escrow.Operator, escrow.MarkDelivered{})
}

// TestStrictNotice: silence means nothing to a buyer who was not told.
func TestStrictNotice(t *testing.T) {
	unreached := func(t *testing.T, strict bool) *world {
		w := newWorld(t)
		w.env.Profile.StrictNotice = strict
		w.held()
		w.do(escrow.Shop, w.registration(inTrack))
		w.do(escrow.Carrier, w.arrives())
		return w
	}
	w := unreached(t, false)
	w.deadline("2026-03-12", escrow.AfterDelivery)

	w = unreached(t, true)
	w.stopped()
	w.at("2026-04-09 10:00").idle()
	w.state(escrow.Delivered)
	w.do(escrow.System, escrow.NoticeResult{Delivered: true})
	w.deadline("2026-04-14", escrow.AfterNotice)

	// Told on the day after the receipt: three business days from there.
	w = unreached(t, true)
	w.at("2026-03-10 10:00").do(escrow.System, escrow.NoticeResult{Delivered: true})
	w.deadline("2026-03-13", escrow.AfterNotice)
}

func TestBouncedNotice(t *testing.T) {
	w := newWorld(t).delivered()
	w.deadline("2026-03-12", escrow.AfterDelivery)
	bounce := escrow.NoticeResult{Reason: "550 no such user"}
	w.told(w.do(escrow.System, bounce), "NoticeFailed", "")
	w.stopped()
	w.tasks(escrow.TaskNoticeFailed)
	w.same(escrow.System, bounce)
	w.at("2026-03-30 10:00").idle()
	w.told(w.do(escrow.Shop, escrow.RenewLink{}), "LinkRenewed", "link")
	w.stopped()
	w.do(escrow.Operator, escrow.NoticeResult{Delivered: true}) // by telephone
	w.tasks()
	w.deadline("2026-04-02", escrow.AfterNotice)
}

// TestToldByAPerson: the mails that go on bouncing do not take back what a person
// has told; only a person does.
func TestToldByAPerson(t *testing.T) {
	w := newWorld(t).delivered()
	bounce := escrow.NoticeResult{Reason: "550 no such user"}
	w.do(escrow.System, bounce)
	d := w.do(escrow.Operator, escrow.NoticeResult{Delivered: true, Reason: "전화로 안내"})
	if e := d.Events[0]; e.Type != escrow.EventNoticeDelivered || e.Reason != "전화로 안내" || e.Actor != escrow.Operator {
		t.Fatalf("told %+v", e)
	}
	w.same(escrow.System, bounce)
	w.deadline("2026-03-12", escrow.AfterDelivery)
	w.do(escrow.Operator, escrow.NoticeResult{Reason: "다른 사람이었습니다."})
	w.stopped()
	w.do(escrow.System, escrow.NoticeResult{Delivered: true})
	w.do(escrow.System, bounce)
	w.stopped()
}

// TestBuyerWithoutMail: nobody can be told by mail, so a person has to.
func TestBuyerWithoutMail(t *testing.T) {
	w := newWorld(t)
	open := opening(escrow.VirtualAccount, true)
	open.Buyer.Email = ""
	w.do(escrow.Shop, open)
	w.do(escrow.Buyer, escrow.Choose{Method: escrow.VirtualAccount, Escrow: true, Terms: "2026-01"})
	w.do(escrow.Bank, issue(w.env.Now))
	w.do(escrow.Bank, w.deposit("tx-1", amount))
	w.told(w.do(escrow.Shop, w.registration(byHand)), "DeliveryRegistered", "")
	w.tasks(escrow.TaskNoticeFailed)
	w.stopped()
	w.refused(escrow.Invalid, escrow.Shop, escrow.RenewLink{})
	w.do(escrow.Operator, escrow.NoticeResult{Delivered: true})
	w.deadline("2026-03-17", escrow.AfterRegistration)
}

// TestAmendedDelivery: the clock counts from the last number or carrier, and
// never to an earlier day than the buyer was told.
func TestAmendedDelivery(t *testing.T) {
	amend := func(w *world, parcels []escrow.Parcel, track bool) escrow.AmendDelivery {
		return escrow.AmendDelivery{Parcels: parcels, Trackable: track, SentAt: w.p.Delivery.SentAt}
	}
	w := newWorld(t).shipped(byHand)
	w.deadline("2026-03-17", escrow.AfterRegistration)
	w.at("2026-03-11 10:00")
	w.same(escrow.Shop, amend(w, byHand, false))

	// The recipient alone: no new clock.
	change := amend(w, byHand, false)
	change.Recipient = escrow.Party{Name: "이웃"}
	w.do(escrow.Shop, change)
	w.deadline("2026-03-17", escrow.AfterRegistration)

	// A parcel that can be tracked, and arrives: three days would end earlier than announced.
	w.do(escrow.Shop, amend(w, inTrack, true))
	w.deadline("2026-03-19", escrow.AfterRegistration)
	w.do(escrow.Carrier, w.arrives())
	w.deadline("2026-03-17", escrow.AfterDelivery)

	// Delivered by mistake of the number: the tracking and the clock begin anew.
	w.at("2026-03-13 10:00")
	w.do(escrow.Shop, amend(w, []escrow.Parcel{{Carrier: "LOTTE", Number: "9"}}, true))
	w.state(escrow.Shipped)
	w.deadline("2026-03-23", escrow.AfterRegistration)
	if !w.p.Delivery.DeliveredAt.IsZero() || !w.p.TrackAt.Equal(w.env.Now.Add(time.Hour)) {
		t.Fatalf("delivered at %v, next question at %v", w.p.Delivery.DeliveredAt, w.p.TrackAt)
	}
	w.env.Profile.AllowModify = false
	w.refused(escrow.ByPolicy, escrow.Shop, amend(w, byHand, false))
}

// TestRemindedDayIsAnnounced: a reminder names the fallback day of an unseen
// parcel; the delivery that comes then must not shorten it.
func TestRemindedDayIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.env.Profile.Reminders = []int{5}
	w.shipped(inTrack)
	w.deadline("2026-03-17", escrow.AfterRegistration)
	w.wake()
	if !w.env.Now.Equal(kst("2026-03-10 10:00")) {
		t.Fatalf("reminded at %s", w.env.Now)
	}
	w.do(escrow.Carrier, w.arrives())
	w.deadline("2026-03-17", escrow.AfterDelivery)
}

func TestHoldAndRelease(t *testing.T) {
	w := newWorld(t).delivered() // last day Thursday 12 March
	w.at("2026-03-10 10:00")
	w.do(escrow.Operator, escrow.PlaceHold{Reason: "확인 중"}) // two business days are left
	w.stopped()
	w.same(escrow.Operator, escrow.PlaceHold{Reason: "다시"})
	w.refused(escrow.Forbidden, escrow.Shop, escrow.ReleaseHold{})
	w.at("2026-03-20 10:00").idle()
	w.do(escrow.Operator, escrow.ReleaseHold{})
	w.deadline("2026-03-24", escrow.AfterRelease)
	w.same(escrow.Operator, escrow.ReleaseHold{})

	// On the last day there is less than a day left; one is given.
	w = newWorld(t).delivered()
	w.at("2026-03-12 22:00")
	w.do(escrow.Shop, escrow.PlaceHold{Reason: "확인 중"})
	w.do(escrow.Shop, escrow.ReleaseHold{})
	w.deadline("2026-03-13", escrow.AfterRelease)

	// A hold of an hour does not shorten anything.
	w = newWorld(t).delivered()
	w.do(escrow.Shop, escrow.PlaceHold{Reason: "확인 중"})
	w.pass(time.Hour).do(escrow.Shop, escrow.ReleaseHold{})
	w.deadline("2026-03-12", escrow.AfterDelivery)
}

func TestNothingIsShippedUnderAHold(t *testing.T) {
	w := newWorld(t).held()
	w.do(escrow.Operator, escrow.PlaceHold{Reason: "도난 카드 의심"})
	w.refused(escrow.WrongState, escrow.Shop, w.registration(inTrack))
	w.do(escrow.Operator, escrow.ReleaseHold{})
	w.do(escrow.Shop, w.registration(inTrack))
}

// TestWithdrawnRejection: three business days from the new notice.
func TestWithdrawnRejection(t *testing.T) {
	w := newWorld(t).rejected()
	w.at("2026-03-20 10:00")
	w.do(escrow.Buyer, escrow.WithdrawRejection{})
	w.state(escrow.Delivered)
	w.stopped() // the new notice is on its way
	w.same(escrow.Buyer, escrow.WithdrawRejection{})
	w.at("2026-03-23 10:00").do(escrow.System, escrow.NoticeResult{Delivered: true})
	w.deadline("2026-03-26", escrow.AfterNotice)
	w.tasks()

	// What never came is still on its way, and the carrier is asked again.
	w = newWorld(t).shipped(inTrack)
	w.do(escrow.Buyer, escrow.Reject{Reason: "오지 않았습니다."})
	w.do(escrow.Buyer, escrow.WithdrawRejection{})
	w.state(escrow.Shipped)
	if w.p.TrackAt.IsZero() {
		t.Fatal("nobody asks the carrier any more")
	}

	// It came while it was rejected.
	w = newWorld(t).shipped(inTrack)
	w.do(escrow.Buyer, escrow.Reject{Reason: "오지 않았습니다."})
	w.do(escrow.Carrier, w.arrives())
	w.state(escrow.Rejected)
	w.do(escrow.Buyer, escrow.WithdrawRejection{})
	w.state(escrow.Delivered)
}

func TestRejectionStopsTheClock(t *testing.T) {
	w := newWorld(t).rejected()
	w.stopped()
	w.at("2026-06-01 10:00").idle()
	w.state(escrow.Rejected)
}

// TestRecount: a holiday declared later moves a pending day, later only, and
// the buyer is told; the calendar that was used is kept.
func TestRecount(t *testing.T) {
	w := newWorld(t).delivered()
	w.same(escrow.System, escrow.Recount{})
	w.env.Calendar = bizday.Korea().With(closed("2026-03-11"))
	d := w.do(escrow.System, escrow.Recount{})
	w.told(d, "DecisionDue", "new_last_day")
	w.deadline("2026-03-13", escrow.AfterDelivery)
	if w.p.Deadline.Calendar != w.env.Calendar.Version() {
		t.Fatalf("counted by %s", w.p.Deadline.Calendar)
	}
	w.same(escrow.System, escrow.Recount{})

	w.env.Calendar = bizday.Korea() // taken back: what was announced stays
	w.same(escrow.System, escrow.Recount{})
	w.deadline("2026-03-13", escrow.AfterDelivery)

	// A shop that gives less time by now does so for later payments only.
	w = newWorld(t)
	w.env.Profile.TrackedDays = 5
	w.delivered()
	w.deadline("2026-03-16", escrow.AfterDelivery)
	w.env.Profile.TrackedDays = 3
	w.same(escrow.System, escrow.Recount{})
	w.env.Calendar = bizday.Korea().With(closed("2026-03-11"))
	w.do(escrow.System, escrow.Recount{})
	w.deadline("2026-03-17", escrow.AfterDelivery)

	// The fallback day of an unseen parcel was told to nobody.
	w = newWorld(t).shipped(inTrack)
	w.env.Calendar = bizday.Korea().With(closed("2026-03-11"))
	w.told(w.do(escrow.System, escrow.Recount{}), "DecisionDue", "")
	w.deadline("2026-03-18", escrow.AfterRegistration)

	newWorld(t).held().same(escrow.System, escrow.Recount{})
}

// TestWhatALetterNamesStands: a letter that was on its way when the payment changed
// has named a last day all the same, and the buyer's time does not end before it.
func TestWhatALetterNamesStands(t *testing.T) {
	named := escrow.Announce{LastDay: date("2026-03-17")}
	for name, steps := range map[string][]asked{
		"announced before the delivery": {{"", escrow.System, named}, {"", escrow.System, escrow.NoticeResult{Delivered: true}}, {"", escrow.Operator, escrow.MarkDelivered{At: kst("2026-03-09 09:30")}}},
		"announced after the delivery":  {{"", escrow.Operator, escrow.MarkDelivered{At: kst("2026-03-09 09:30")}}, {"", escrow.System, escrow.NoticeResult{Delivered: true}}, {"", escrow.System, named}},
	} {
		w := newWorld(t).held()
		w.do(escrow.Shop, w.registration(byHand))
		for _, s := range steps {
			w.do(s.actor, s.cmd)
		}
		if d := w.p.Deadline; w.p.State != escrow.Delivered || d == nil || d.LastDay != named.LastDay {
			t.Errorf("%s: %s, deadline %+v", name, w.p.State, d)
		}
		w.same(escrow.System, named)
		w.same(escrow.System, escrow.Announce{LastDay: date("2026-03-16")})
		w.same(escrow.System, escrow.Announce{})
	}
	newWorld(t).held().same(escrow.System, named)
}

// TestTimeCountsByTheNewestCalendar: a recount that never came does not cost the
// buyer the day that was declared a holiday; one that was opened gives none away.
func TestTimeCountsByTheNewestCalendar(t *testing.T) {
	w := newWorld(t).delivered() // Thursday is the last day
	w.env.Calendar = bizday.Korea().With(closed("2026-03-11"))
	w.at("2026-03-13 00:00")
	w.told(w.do(escrow.System, escrow.Tick{}), "DecisionDue", "new_last_day")
	w.deadline("2026-03-13", escrow.AfterDelivery)
	w.env.Calendar = bizday.Korea()
	w.at("2026-03-13 23:59").same(escrow.System, escrow.Tick{})
	w.at("2026-03-14 00:00").do(escrow.System, escrow.Tick{})
	if w.p.State != escrow.Confirmed {
		t.Errorf("after the new last day the payment is %s", w.p.State)
	}
}

func TestProjected(t *testing.T) {
	w := newWorld(t).held()
	w.do(escrow.Shop, w.registration(byHand))
	w.stopped()
	before := deepPayment(w.p)
	d, err := escrow.Projected(w.p, w.env)
	if err != nil || d == nil || d.LastDay != date("2026-03-17") {
		t.Fatalf("%+v, %v", d, err)
	}
	same(t, before, w.p)
	w.do(escrow.System, escrow.NoticeResult{Reason: "550"})
	w.at("2026-03-16 10:00")
	if d, err = escrow.Projected(w.p, w.env); err != nil || d.LastDay != date("2026-03-19") {
		t.Fatalf("after a bounce %+v, %v", d, err)
	}
	w = newWorld(t).held()
	if d, err = escrow.Projected(w.p, w.env); err != nil || d != nil {
		t.Fatalf("before shipping %+v, %v", d, err)
	}
}

func TestLongerTerms(t *testing.T) {
	w := newWorld(t)
	w.env.Profile.TrackedDays, w.env.Profile.UntrackedDays = 5, 10
	w.delivered()
	w.deadline("2026-03-16", escrow.AfterDelivery)
	w = newWorld(t)
	w.env.Profile.UntrackedDays = 10
	w.shipped(byHand)
	w.deadline("2026-03-23", escrow.AfterRegistration)
}
