package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

type said struct{ Ko, En string }

type playedScenario struct {
	Name     string
	Passed   bool
	Problem  *said
	From, To string
	ImpUIDs  []string `json:"imp_uids"`
	Steps    []struct {
		N      int
		At     string
		Say    said
		State  *string
		Events []struct{ At, What, Type string }
	}
	Books     struct{ Balanced bool }
	Transfers []struct{ Ref, Debit, Credit string }
}

func TestScenariosGoAsTheyShould(t *testing.T) {
	w := newWorld(t)
	list := must[[]struct {
		Name  string
		About said
	}](w, "GET", "/sandbox/scenarios", nil)
	if len(list) < 15 {
		t.Errorf("only %d scenarios", len(list))
	}
	for _, sc := range list {
		t.Run(sc.Name, func(t *testing.T) {
			if sc.About.Ko == "" || sc.About.En == "" {
				t.Error("it is not described")
			}
			got := must[playedScenario](w, "POST", "/sandbox/scenarios", body{"name": sc.Name})
			if !got.Passed || !got.Books.Balanced || len(got.ImpUIDs) != 1 || len(got.Steps) < 2 {
				t.Errorf("problem %+v, books %+v, %d steps", got.Problem, got.Books, len(got.Steps))
			}
			for i, step := range got.Steps {
				if step.N != i+1 || step.Say.Ko == "" || step.Say.En == "" {
					t.Errorf("step %+v", step)
				}
			}
		})
	}
	w.CheckBooks()
}

// TestScenariosUnderSuspense plays the deposits that do not fit for a shop that
// takes them into suspense.
func TestScenariosUnderSuspense(t *testing.T) {
	w := newWorld(t)
	w.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	for _, name := range []string{"deposit_over", "deposit_under", "deposit_late", "deposit_twice"} {
		if got := must[playedScenario](w, "POST", "/sandbox/scenarios", body{"name": name, "amount": 20_000}); !got.Passed {
			t.Errorf("%s: %+v", name, got.Problem)
		}
	}
	w.CheckBooks()
}

// TestScenarioThatFails says what was not as it should be: a shop without the
// strict notice guard confirms although its mails bounce.
func TestScenarioThatFails(t *testing.T) {
	w := newWorld(t)
	w.Change(func(m *merchant.Merchant) { m.Profile.StrictNotice = false })
	got := must[playedScenario](w, "POST", "/sandbox/scenarios", body{"name": "mail_bounced"})
	if got.Passed || got.Problem == nil || !strings.Contains(got.Problem.En, "confirmed") || !got.Books.Balanced {
		t.Errorf("%+v", got)
	}
}

func TestScenarioAcrossSeollal(t *testing.T) {
	w := newWorld(t, servetest.At(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)))
	got := must[playedScenario](w, "POST", "/sandbox/scenarios", body{"name": "seollal"})
	// Delivered on Friday 13 February 2026: 16 to 18 are Seollal, so 19, 20 and 23 count.
	if !got.Passed || got.To != "2026-02-24T00:00:00+09:00" {
		t.Errorf("%+v", got)
	}
}

func TestScenarioRefuses(t *testing.T) {
	w := newWorld(t)
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/scenarios", body{}, "name")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/scenarios", body{"name": "miracle"}, "name")
	w.refuse(http.StatusBadRequest, "POST", "/sandbox/scenarios", body{"name": "confirm", "amount": 1}, "amount")
	w.Change(func(m *merchant.Merchant) { m.Account = escrow.BankAccount{} })
	w.refuse(http.StatusConflict, "POST", "/sandbox/scenarios", body{"name": "payout_late"}, "정산 계좌")
	if got := must[playedScenario](w, "POST", "/sandbox/scenarios", body{"name": "confirm"}); !got.Passed {
		t.Errorf("%+v", got)
	}
}
