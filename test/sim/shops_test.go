package sim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// shop is a merchant and its server.
type shop struct {
	w         *world
	id, name  string
	profile   escrow.Profile // as the world has set it
	strict    bool           // the buyer must have been told; it does not change
	pays      []*pay
	position  int64             // of the last event of the log that was read
	log       []logged          // all of them
	payouts   map[string]logged // the last event of each
	calls     map[string]*hearing
	downUntil time.Time
}

// openShops makes the shops of a run, each with a policy of its own.
func (w *world) openShops() {
	for i := range 1 + w.rng.IntN(3) {
		s := &shop{w: w, name: string(rune('A' + i)), calls: map[string]*hearing{}, payouts: map[string]logged{}}
		p := escrow.DefaultProfile()
		p.CancelAfterShip = one(w, escrow.AfterReject, escrow.AfterHold, escrow.Direct)
		p.Deposit = one(w, escrow.RefuseDeposit, escrow.SuspendDeposit)
		p.StrictNotice = w.chance(0.75)
		p.ShopMayConfirm = w.chance(0.5)
		p.AutoAgreeDays = one(w, 0, 3)
		p.TrackedDays, p.UntrackedDays = one(w, 3, 3, 5), one(w, 6, 6, 8)
		p.Reminders = one(w, nil, []int{3, 1}, []int{5, 0})
		s.profile, s.strict = p, p.StrictNotice
		terms := merchant.DefaultTerms()
		terms.Refund = one(w, settle.Fee{}, settle.Fee{Flat: 500})
		terms.Cycle = one(w, terms.Cycle, settle.Cycle{Rhythm: settle.Daily, FromConfirm: 0}, settle.Cycle{Rhythm: settle.Weekly, Days: []int{3}, FromPayment: 2, FromConfirm: 1})
		m, err := w.p.app.CreateMerchant(w.ctx, "world", fmt.Sprintf("imp%08d", i+1), "상점 "+s.name, merchant.Live, func(m *merchant.Merchant) {
			m.Profile, m.Terms = p, terms
			m.Account = payoutAccount
			m.Webhook = merchant.Webhook{URL: s.url(), Retries: one(w, 0, 3, 5), EscrowEvents: w.chance(0.6)}
		})
		if err != nil {
			w.fail("make a shop: %v", err)
			return
		}
		s.id = m.ID
		w.shops = append(w.shops, s)
		w.pass(time.Second)
	}
}

var payoutAccount = escrow.BankAccount{Bank: "004", Number: "11012345678901", Holder: "상점"}

func (s *shop) url() string { return "https://" + strings.ToLower(s.name) + ".shop.example/hook" }

func (w *world) shopAt(url string) *shop {
	i := slices.IndexFunc(w.shops, func(s *shop) bool { return s.url() == url })
	if i < 0 {
		return nil
	}
	return w.shops[i]
}

// settings has a shop change its settings.
func (w *world) settings() {
	s := one(w, w.shops...)
	p := s.profile
	p.CancelAfterShip = one(w, escrow.AfterReject, escrow.AfterHold, escrow.Direct)
	p.TrackedDays = one(w, 3, 5)
	p.Deposit = one(w, escrow.RefuseDeposit, escrow.SuspendDeposit)
	gone := w.chance(0.1)
	var err error
	w.change("settings", func() {
		_, err = w.p.app.UpdateMerchant(w.ctx, "shop", s.id, "merchant.update", func(m *merchant.Merchant) error {
			m.Profile = p
			m.Account = payoutAccount
			if gone {
				m.Account = escrow.BankAccount{}
			}
			return nil
		})
	})
	switch {
	case errors.Is(err, errInjected):
		w.reread(s)
	case err != nil:
		w.fail("%s changes its settings: %v", s.name, err)
	default:
		s.profile = p
		w.note("%s changes its settings: cancel %s, deposits %s, without an account %t", s.name, p.CancelAfterShip, p.Deposit, gone)
	}
}

// setAccount names the account for payouts again.
func (w *world) setAccount(s *shop) error {
	m, err := w.p.app.Merchant(w.ctx, s.id)
	if err != nil || m.Account == payoutAccount {
		return err
	}
	_, err = w.p.app.UpdateMerchant(w.ctx, "shop", s.id, "merchant.update", func(m *merchant.Merchant) error {
		m.Account = payoutAccount
		return nil
	})
	return err
}

// change runs a change of what a process remembers. Where a commit may be unknown, every
// transaction asks for the version of what it remembers; here it trusts its memory.
func (w *world) change(what string, fn func()) {
	w.certain = true
	w.run(what, fn)
	w.certain = false
	w.followAll()
}

// reread finds out what became of settings when their process ended.
func (w *world) reread(s *shop) {
	m, err := w.p.app.Merchant(w.ctx, s.id)
	if err != nil {
		w.fail("read the settings of %s: %v", s.name, err)
		return
	}
	s.profile = m.Profile
}

// holiday closes a day of the weeks to come, or opens one again.
func (w *world) holiday() {
	if len(w.closed) > 0 && w.chance(0.3) {
		day := w.closed[0]
		var err error
		w.change("calendar", func() { _, err = w.p.app.DropOverride(w.ctx, "operator", day) })
		var no *escrow.Refusal
		if err == nil || errors.As(err, &no) {
			w.closed = w.closed[1:]
			w.note("%s is open again", day)
		} else if !errors.Is(err, errInjected) {
			w.fail("open %s: %v", day, err)
		}
		return
	}
	day := w.today().AddDays(1 + w.rng.IntN(7))
	var err error
	w.change("calendar", func() {
		_, err = w.p.app.SetOverride(w.ctx, "operator", bizday.Override{Date: day, Closed: true, Reason: "임시공휴일"})
	})
	w.closed = append(w.closed, day)
	w.count("an ad-hoc holiday", day.String())
	if err != nil && !errors.Is(err, errInjected) {
		w.fail("close %s: %v", day, err)
	}
}
