package sandbox_test

import (
	"testing"

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
	s := servetest.Run(t)
	var list []struct{ Name string }
	s.MustV1("GET", "/sandbox/scenarios", nil).Into(t, &list)
	for _, sc := range list {
		t.Run(sc.Name, func(t *testing.T) {
			var got playedScenario
			s.MustV1("POST", "/sandbox/scenarios", map[string]any{"name": sc.Name}).Into(t, &got)
			if !got.Passed {
				t.Errorf("problem: %+v, books %+v", got.Problem, got.Books)
			}
			for _, step := range got.Steps {
				state := ""
				if step.State != nil {
					state = *step.State
				}
				t.Logf("%d %s [%s] %s", step.N, step.At, state, step.Say.En)
				for _, e := range step.Events {
					t.Logf("      %s %s %s", e.At, e.What, e.Type)
				}
			}
		})
	}
	s.CheckBooks()
}
