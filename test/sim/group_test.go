package sim_test

import (
	"errors"
	"runtime"
	"sync"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// rival is one of the commands that meet in one commit.
type rival struct {
	actor escrow.Actor
	cmd   escrow.Command
	res   app.Result
	err   error
}

// race lets opposite commands about one payment meet in one group of the store, in
// an order that the seed decides. They share their commit, and its end.
func (w *world) race() {
	var live []*pay
	for _, m := range w.live() {
		if m.phase == sent || m.phase == rejected || m.phase == held {
			live = append(live, m)
		}
	}
	if len(live) == 0 {
		return
	}
	m := one(w, live...)
	rivals := w.rivals(m)
	w.rng.Shuffle(len(rivals), func(i, j int) { rivals[i], rivals[j] = rivals[j], rivals[i] })
	for _, r := range rivals {
		w.note("%s: in one group: %s by %s", m, r.cmd.Verb(), r.actor)
	}
	seq := m.seq
	w.run("a group", func() { w.together(m, rivals) })
	w.follow(m)
	w.judgeRace(m, rivals, seq)
}

func (w *world) rivals(m *pay) []*rival {
	switch m.phase {
	case held:
		parcels, trackable := w.parcels()
		return []*rival{{actor: escrow.Shop, cmd: escrow.RegisterDelivery{Parcels: parcels, Trackable: trackable, SentAt: w.now()}}, {actor: escrow.Shop, cmd: escrow.Cancel{Reason: "품절"}}, {actor: escrow.Buyer, cmd: escrow.AskCancel{Reason: "변심"}}}
	case rejected:
		return []*rival{{actor: escrow.Shop, cmd: escrow.AcceptRejection{By: "김직원"}}, {actor: escrow.Buyer, cmd: escrow.WithdrawRejection{}}, {actor: escrow.Operator, cmd: escrow.Confirm{Kind: escrow.Forced, Reason: "정정"}}}
	default:
	}
	out := []*rival{{actor: escrow.Buyer, cmd: escrow.Confirm{Kind: escrow.ByBuyer}}, {actor: escrow.Buyer, cmd: escrow.Reject{Reason: "파손"}}}
	if d := m.now.Deadline; d != nil { // everybody waits for the last moment
		if d.At.After(w.now()) {
			w.pass(d.At.Sub(w.now()))
		}
		w.count("rivals met at the deadline", m.name)
		out = append(out, &rival{actor: escrow.System, cmd: escrow.Tick{}})
	}
	return out
}

// together gives the rivals to the store so that all of them wait when it begins
// with them: a write before them waits in its commit until they stand in line.
func (w *world) together(m *pay, rivals []*rival) {
	p, s := w.p, w.store
	w.grouped = true
	defer func() { w.grouped = false }()
	var all sync.WaitGroup
	gate := make(chan struct{})
	w.gate = gate
	all.Go(func() { _ = p.app.Maintain(w.ctx) }) // what becomes of it does not matter
	<-gate                                       // it stands before its commit
	for i, r := range rivals {
		all.Go(func() { r.res, r.err = p.app.Do(w.ctx, r.actor, m.shop.id, m.id, r.cmd) })
		for s.Stats().Waiting <= i {
			runtime.Gosched()
		}
	}
	gate <- struct{}{}
	all.Wait()
}

// judgeRace: whatever the order, one decision at most was the first, and a rival that was
// told of success has had it.
func (w *world) judgeRace(m *pay, rivals []*rival, seq int64) {
	changed := 0
	for _, r := range rivals {
		var no *escrow.Refusal
		switch {
		case errors.Is(r.err, errInjected):
			return
		case errors.As(r.err, &no):
			w.note("   %s refused: %s", r.cmd.Verb(), no.Reason)
		case r.err != nil:
			w.fail("%s: %s in a group fails: %v", m, r.cmd.Verb(), r.err)
		case !r.res.Unchanged:
			changed++
		}
	}
	if changed > 0 && m.seq == seq {
		w.fail("%s: %d of a group were done, and nothing has happened", m, changed)
	}
	if changed > 0 && changed < len(rivals) {
		w.seen["one of a group was refused beside one that was done"]++
	}
}
