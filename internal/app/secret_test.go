package app_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// unauthorized checks that an error says no more than that credentials are not good.
func unauthorized(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("%s: %v, want unauthorized", what, err)
	}
}

// TestSeveralSecrets: each opens the shop until it is revoked, and no other one with it.
func TestSeveralSecrets(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	second, err := s.App.CreateSecret(ctx, "test", s.Merchant, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{s.API, second.Secret} {
		for _, scheme := range []string{"PortOne ", "Portone ", "portone  "} {
			if m, err := s.App.ShopByAuthorization(ctx, []string{scheme + secret}); err != nil || m.ID != s.Merchant {
				t.Errorf("%s: %q, %v", scheme, m.ID, err)
			}
		}
	}
	login, err := s.App.LogIn(ctx, second.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.App.RevokeSecret(ctx, "test", s.Merchant, second.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.App.SecretOwner(ctx, second.Secret)
	unauthorized(t, "a revoked secret", err)
	_, err = s.App.AccessOwner(ctx, login.AccessToken)
	unauthorized(t, "an access token of a revoked secret", err)
	_, err = s.App.RefreshLogin(ctx, login.RefreshToken)
	unauthorized(t, "a refresh token of a revoked secret", err)
	if _, err := s.App.SecretOwner(ctx, s.API); err != nil {
		t.Errorf("the other secret: %v", err)
	}
	refused(t, s.App.RevokeSecret(ctx, "test", s.Merchant, second.ID), "not_found")
	_, err = s.App.CreateSecret(ctx, "test", s.Merchant, s.API)
	refused(t, err, "invalid")
}

// TestCredentialsThatAreNone: none of them opens anything.
func TestCredentialsThatAreNone(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	login, err := s.App.LogIn(ctx, s.API)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{
		"", "PortOne", "PortOne ", "PortOne wrong-secret-of-some-length", s.API, "Bearer " + s.API, "PortOne " + login.AccessToken, "Basic " + s.API,
		"Bearer " + login.RefreshToken, "Bearer " + login.AccessToken + "x", "Bearer " + strings.ToUpper(login.AccessToken), "Bearer " + s.Token(),
		"Bearer " + strings.Replace(login.AccessToken, s.Merchant, s.Merchant+"x", 1), "PortOne " + strings.Repeat("x", 1<<16), "PortOne \x00\xff" + s.API,
	} {
		_, err := s.App.ShopByAuthorization(ctx, []string{header})
		unauthorized(t, header, err)
	}
	_, err = s.App.ShopByAuthorization(ctx, nil)
	unauthorized(t, "no header", err)
	_, err = s.App.ShopByAuthorization(ctx, []string{"PortOne " + s.API, "PortOne " + s.API})
	unauthorized(t, "two headers", err)
	if m, err := s.App.ShopByAuthorization(ctx, []string{"bearer " + login.AccessToken}); err != nil || m.ID != s.Merchant {
		t.Errorf("the good one: %q, %v", m.ID, err)
	}
}

// TestTokensEnd: an access token after half an hour, a refresh token after a day,
// after its one use, and when another login takes its place.
func TestTokensEnd(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	login := func() app.Login {
		t.Helper()
		l, err := s.App.LogIn(ctx, s.API)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := login()
	second, err := s.App.RefreshLogin(ctx, first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.App.RefreshLogin(ctx, first.RefreshToken)
	unauthorized(t, "a refresh token that was used", err)
	third := login()
	_, err = s.App.RefreshLogin(ctx, second.RefreshToken)
	unauthorized(t, "a refresh token after another login", err)
	if _, err := s.App.AccessOwner(ctx, first.AccessToken); err != nil {
		t.Errorf("an access token lives to its end: %v", err)
	}
	s.Clock.Advance(30*time.Minute - time.Microsecond)
	if _, err := s.App.AccessOwner(ctx, third.AccessToken); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	s.Clock.Advance(time.Microsecond)
	_, err = s.App.AccessOwner(ctx, third.AccessToken)
	unauthorized(t, "an access token after 30 minutes", err)
	s.Clock.Advance(24*time.Hour - 30*time.Minute)
	_, err = s.App.RefreshLogin(ctx, third.RefreshToken)
	unauthorized(t, "a refresh token after a day", err)
}

// TestARefreshTokenHasOneHolder: of many who use it at once, on several nodes, one
// gets new tokens.
func TestARefreshTokenHasOneHolder(t *testing.T) {
	ctx := context.Background()
	a := servetest.Run(t)
	nodes := []*servetest.Server{a}
	if a.Database != "" {
		nodes = append(nodes, servetest.Run(t, servetest.Beside(a)))
	}
	login, err := a.App.LogIn(ctx, a.API)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var good []app.Login
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			l, err := nodes[i%len(nodes)].App.RefreshLogin(ctx, login.RefreshToken)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				good = append(good, l)
			case !errors.Is(err, app.ErrUnauthorized):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(good) != 1 {
		t.Fatalf("%d of 20 got tokens, want 1", len(good))
	}
	if _, err := nodes[len(nodes)-1].App.AccessOwner(ctx, good[0].AccessToken); err != nil {
		t.Errorf("on another node: %v", err)
	}
}

// TestARevokedSecretOnAnotherNode: it passes for Lag and no longer.
func TestARevokedSecretOnAnotherNode(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	if owner, err := b.App.SecretOwner(ctx, b.API); err != nil || owner != b.Merchant {
		t.Fatalf("a good secret: %q, %v", owner, err)
	}
	secrets, err := a.App.Secrets(ctx, a.Merchant)
	if err != nil || len(secrets) != 1 {
		t.Fatalf("%d secrets, %v", len(secrets), err)
	}
	if err := a.App.RevokeSecret(ctx, "test", a.Merchant, secrets[0].ID); err != nil {
		t.Fatal(err)
	}
	_, err = a.App.SecretOwner(ctx, a.API)
	unauthorized(t, "on the node that revoked it", err)
	b.Clock.Advance(app.Lag)
	_, err = b.App.SecretOwner(ctx, b.API)
	unauthorized(t, "on the other node after Lag", err)
}
