package nodes_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

var races = flag.Int("races", 2, "how many rounds of payments are raced for")

const (
	// hands is how many clients race, racedFor how many payments in a round.
	hands    = 12
	racedFor = 24
	// usualPatience is how long a client waits where nothing is broken.
	usualPatience = 10 * time.Second
	// judging bounds the search for an order of a history.
	judging = time.Minute
)

// race is everything that was done and answered.
type race struct {
	t     testing.TB
	c     *cluster
	token string
	began time.Time
	// patience is how long a hand waits before nobody knows.
	patience time.Duration

	mu      sync.Mutex
	history []porcupine.Operation
	// open are the operations of which nobody knows when they ended, by index.
	open []int
	// silent is how many calls had no answer at all.
	silent int
	// slow is the longest time that an answer took since slowest was asked.
	slow time.Duration
}

func newRace(t testing.TB, c *cluster) *race {
	return &race{t: t, c: c, token: signIn(t, c.front), began: time.Now(), patience: usualPatience}
}

func (r *race) now() int64 { return int64(time.Since(r.began)) }

func (r *race) record(client int, a act, call int64, out result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := r.now()
	r.slow = max(r.slow, time.Duration(end-call))
	if out.Silent {
		r.silent++
	}
	if out.Unknown {
		r.open = append(r.open, len(r.history))
	}
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: a, Output: out, Call: call, Return: end})
}

// slowest is the longest time that an answer took since it was last asked.
func (r *race) slowest() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.slow = 0 }()
	return r.slow
}

// do acts on a payment through one node and records what came of it.
func (r *race) do(client int, h *hand, a act) {
	call := r.now()
	out := h.act(r.t.Context(), a)
	r.record(client, a, call, out)
}

// wave lets all hands act on all payments, each in the same order, so that they
// meet. among are the acts to choose from.
func (r *race) wave(round int, payments []string, among []act) {
	var wg sync.WaitGroup
	for client := range hands {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(client), uint64(round)))
			h := newHand(r.c.nodes[client%size].URL(), r.token, r.patience)
			defer h.client.CloseIdleConnections()
			for _, id := range payments {
				a := among[rng.IntN(len(among))]
				a.Payment = id
				r.do(client, h, a)
			}
		})
	}
	wg.Wait()
}

// timePasses moves the clock beyond every deadline, through one node, while the
// others act. What time did to a payment is seen from its events.
func (r *race) timePasses(payments []string, n int) {
	<-time.After(rand.N(100 * time.Millisecond)) // anywhere among the acts
	h := newHand(r.c.nodes[n%size].URL(), r.token, time.Minute)
	call := r.now()
	a, err := h.call(r.t.Context(), http.MethodPost, "/sandbox/clock/advance", map[string]any{"by": "20d"})
	if err != nil || !a.ok() {
		r.t.Errorf("the clock does not move: %v %d %s", err, a.Status, a.Message)
	}
	end := r.now()
	for _, id := range payments {
		l, _, err := h.look(r.t.Context(), id)
		if err != nil {
			r.t.Errorf("look at %s: %v", id, err)
			return
		}
		r.mu.Lock()
		r.history = append(r.history, porcupine.Operation{ClientId: hands, Input: act{Verb: tick, Payment: id}, Output: result{Done: l.byTime()}, Call: call, Return: end})
		r.mu.Unlock()
	}
}

// round takes new payments through all of their states, in waves of acts that
// contradict each other.
func (r *race) round(n int) {
	h := newHand(r.c.front, r.token, time.Minute)
	payments := make([]string, racedFor)
	for i := range payments {
		payments[i] = h.order(r.t, fmt.Sprintf("race-%d-%d", n, i), "")
	}
	few, most := act{Verb: refund, Won: 1_000}, act{Verb: refund, Won: 13_000}
	all := act{Verb: cancel}
	r.wave(n, payments, []act{{Verb: deposit}, {Verb: deposit}, {Verb: deposit}, {Verb: closing}, all, {Verb: look}})
	r.wave(n, payments, []act{{Verb: ship}, {Verb: ship}, {Verb: ship}, {Verb: deposit}, {Verb: confirm}, all, few, {Verb: look}})
	var time sync.WaitGroup
	time.Go(func() { r.timePasses(payments, n) })
	r.wave(n, payments, []act{{Verb: confirm}, {Verb: reject}, all, few, {Verb: look}})
	time.Wait()
	r.wave(n, payments, []act{{Verb: confirm}, {Verb: reject}, all, few, most, most, most, {Verb: look}})
	for _, id := range payments {
		r.do(hands, h, act{Verb: look, Payment: id})
	}
}

// judge asks porcupine whether one order of acts explains all answers, and
// returns how many acts there were and of how many nobody knows.
func (r *race) judge() (acts, unknown int, ok bool) {
	end := r.now()
	for _, n := range r.open {
		r.history[n].Return = end // it may have happened at any time since
	}
	verdict, info := porcupine.CheckOperationsVerbose(model, r.history, judging)
	if verdict != porcupine.Ok {
		r.t.Logf("the history is judged %s: %s", verdict, r.show(info))
	}
	return len(r.history), len(r.open), verdict == porcupine.Ok
}

// show writes porcupine's picture of the history and says where.
func (r *race) show(info porcupine.LinearizationInfo) string {
	dir := filepath.Join("..", "..", "artefacts")
	path := filepath.Join(dir, strings.ReplaceAll(r.t.Name(), "/", "-")+".html")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err.Error()
	}
	if err := porcupine.VisualizePath(model, info, path); err != nil {
		return err.Error()
	}
	return "see " + path
}

// TestRacesAreLinearizable: many clients of three nodes deposit, close, ship,
// confirm, reject, cancel and refund the same payments while their time runs
// out. One order of acts must explain what each of them was told.
func TestRacesAreLinearizable(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	c := start(t, pgtest.StartFor(t), setup{})
	r := newRace(t, c)
	for n := range *races {
		r.round(n)
	}
	acts, unknown, ok := r.judge()
	t.Logf("%d acts on %d payments, %d without an answer", acts, *races*racedFor, unknown)
	if !ok {
		t.Error("no order of acts explains the answers")
	}
	if unknown > 0 {
		t.Errorf("%d acts had no answer although nothing was broken", unknown)
	}
}

// TestPlantedRaces: nodes that decide on the payment that they remember, and not
// on the locked row, must be found out.
func TestPlantedRaces(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs processes")
	}
	c := start(t, pgtest.StartFor(t), setup{bug: fault.DecideRemembered})
	r := newRace(t, c)
	r.round(0)
	acts, unknown, ok := r.judge()
	if ok {
		t.Errorf("%d acts, %d without an answer, and the bug was not found", acts, unknown)
	}
}

// act does one act and reads the answer.
func (h *hand) act(ctx context.Context, a act) result {
	switch a.Verb {
	case deposit:
		return h.deposit(ctx, a.Payment)
	case closing:
		return h.plain(ctx, http.MethodDelete, "/vbanks/"+a.Payment, nil)
	case ship:
		return h.plain(ctx, http.MethodPost, "/escrows/logis/"+a.Payment, shipping(a.Payment, time.Now()))
	case confirm, reject:
		return h.decide(ctx, a)
	case cancel, refund:
		return h.plain(ctx, http.MethodPost, "/payments/cancel", cancelling(a.Payment, a.Won))
	case look:
		l, answered, err := h.look(ctx, a.Payment)
		if err != nil {
			return result{Unknown: true, Silent: !answered}
		}
		return result{Done: true, Shown: new(l.inModel())}
	case tick: // is not done by a hand
	}
	panic("unknown act " + a.Verb)
}

// plain is an act whose answer says only whether it was done.
func (h *hand) plain(ctx context.Context, method, path string, body any) result {
	a, err := h.call(ctx, method, path, body)
	return result{Unknown: err != nil, Silent: a.Status == 0, Done: err == nil && a.ok()}
}

func (h *hand) deposit(ctx context.Context, id string) result {
	a, err := h.call(ctx, http.MethodPost, "/sandbox/bank/deposits", map[string]any{"imp_uid": id, "kind": "exact"})
	var out struct {
		Deposits []struct {
			Outcome escrow.DepositOutcome `json:"outcome"`
		} `json:"deposits"`
	}
	if err != nil || !a.ok() || json.Unmarshal(a.Response, &out) != nil || len(out.Deposits) != 1 {
		return result{Unknown: true, Silent: a.Status == 0}
	}
	return result{Done: out.Deposits[0].Outcome == escrow.DepositHeld}
}

func (h *hand) decide(ctx context.Context, act act) result {
	a, err := h.call(ctx, http.MethodPost, "/sandbox/payments/"+act.Payment+"/decision", map[string]any{"decision": act.Verb, "reason": "파손"})
	if err != nil {
		return result{Unknown: true, Silent: a.Status == 0}
	}
	var l shownLife
	if a.ok() && json.Unmarshal(a.Response, &l) == nil {
		return result{Done: true, Shown: new(l.inModel())}
	}
	for verdict, words := range map[verb]string{confirm: "was confirmed at", reject: "was rejected at"} {
		if strings.Contains(a.Message, words) {
			return result{Names: string(verdict)}
		}
	}
	return result{}
}

// shownLife is what the sandbox shows of a payment.
type shownLife struct {
	State    escrow.State `json:"state"`
	Refunded int          `json:"refunded"`
	Decision *struct {
		Verdict escrow.Verdict `json:"verdict"`
		Kind    *string        `json:"kind"`
	} `json:"decision"`
	Events []struct {
		Type string `json:"type"`
	} `json:"events"`
}

// look reads a payment; answered is false when there was no answer at all.
func (h *hand) look(ctx context.Context, id string) (l shownLife, answered bool, err error) {
	a, err := h.call(ctx, http.MethodGet, "/sandbox/payments/"+id, nil)
	if err == nil && !a.ok() {
		err = fmt.Errorf("refused with %d: %s", a.Status, a.Message)
	}
	if err == nil {
		err = json.Unmarshal(a.Response, &l)
	}
	return l, a.Status != 0, err
}

// byTime reports whether time confirmed the payment.
func (l shownLife) byTime() bool {
	return l.Decision != nil && l.Decision.Kind != nil && *l.Decision.Kind == string(escrow.ByTime)
}

// inModel is the payment in the words of the model, in which a parcel that has
// arrived is one that was sent.
func (l shownLife) inModel() life {
	out := life{refunded: l.Refunded}
	switch l.State {
	case escrow.AwaitingDeposit:
		out.phase = awaiting
	case escrow.Failed:
		out.phase = closed
	case escrow.Delivered:
		out.phase = shipped
	default:
		out.phase = phase(l.State)
	}
	if l.State == escrow.Cancelled && l.Refunded == 0 {
		out.phase = expired
	}
	if l.Decision != nil {
		out.verdict = string(l.Decision.Verdict)
	}
	return out
}
