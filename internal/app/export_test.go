package app

import (
	"context"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// TokenAround reads the facts of a key's token, lets something happen, and makes
// the token of them.
func TokenAround(ctx context.Context, a *App, key string, between func()) (Token, error) {
	facts, forgotten, err := a.tokenFacts(ctx, key)
	between()
	now := a.clock.Now()
	return a.token(facts, forgotten, now, now), err
}

// Die makes this process forget that it carries a request out, as if it had ended.
func (a *App) Die(o *Once) { a.onces.leave(o) }

// CloseDay closes a day and counts no deadline anew, as if the process had ended there.
func (a *App) CloseDay(ctx context.Context, o bizday.Override) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.PutOverride(o, a.clock.Now()) })
}
