package work

import (
	"context"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
)

const (
	// watchRest is the pause of an auditor who has nothing to read.
	watchRest = 5 * time.Second
	// watchShare is how many times as long as its reading the auditor rests: it
	// takes at most a twentieth of one processor.
	watchShare = 19
	// watchPause is its shortest rest.
	watchPause = 20 * time.Millisecond
)

// watch audits the books for as long as the loops run: first what is new, then
// the next page of the walk through everything.
func (l *Loops) watch(ctx context.Context) {
	w := l.App.WatchBooks(l.Lease)
	defer func() {
		if err := w.Leave(context.WithoutCancel(ctx)); err != nil && !app.IsUnavailable(err) {
			l.Log.Warn("the audit of the books is not handed on; the next begins after the lease", "error", err)
		}
	}()
	for ctx.Err() == nil {
		began := time.Now() //nolint:forbidigo // how long the machine worked, not a business instant
		_, more, err := w.Step(ctx)
		took := time.Since(began) //nolint:forbidigo // as above
		if err != nil && ctx.Err() == nil && !app.IsUnavailable(err) {
			l.Log.Error("the books could not be audited; it is tried again", "error", err)
		}
		rest := watchRest
		if more && err == nil {
			rest = max(watchPause, watchShare*took)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}
