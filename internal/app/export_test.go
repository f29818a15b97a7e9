package app

import "context"

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
