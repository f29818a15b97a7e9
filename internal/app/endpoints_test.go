package app_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestASecretThatCannotBeOpened: once the server's secret was replaced, an endpoint
// signs again as soon as its own is rotated, and says before that why it does not.
func TestASecretThatCannotBeOpened(t *testing.T) {
	s := servetest.Run(t)
	made, _, err := s.App.CreateEndpoint(t.Context(), "test", s.Merchant, merchant.Endpoint{URL: "http://127.0.0.1:1/", Format: merchant.V2}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.RotateSecret(t.Context(), "test", s.Merchant, made.ID, ""); err != nil {
		t.Fatal(err)
	}
	m, err := s.App.MerchantNew(t.Context(), s.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := m.Endpoint(made.ID)
	both, err := s.App.SigningKeys(m.ID, &e)
	if err != nil || len(both) != 2 {
		t.Fatalf("%d keys, %v", len(both), err)
	}
	e.Secrets = slices.Clone(e.Secrets)
	foreign := base64.StdEncoding.EncodeToString(make([]byte, 60)) // as if sealed by another server
	e.Secrets[1].Sealed = foreign
	if keys, err := s.App.SigningKeys(m.ID, &e); err != nil || len(keys) != 1 || !bytes.Equal(keys[0], both[0]) {
		t.Errorf("after the rotation: %d keys, %v", len(keys), err)
	}
	e.Secrets[0].Sealed = foreign
	if keys, err := s.App.SigningKeys(m.ID, &e); !errors.Is(err, app.ErrNoSigningKey) || keys != nil {
		t.Errorf("before it: %d keys, %v", len(keys), err)
	}
}

// TestRotationKeepsBothSecrets: a third secret would end the one that the receiver may
// have, so that the old one is to be dropped first.
func TestRotationKeepsBothSecrets(t *testing.T) {
	s, id := still(t, merchant.V2)
	keys := func() [][]byte {
		m, err := s.App.MerchantNew(t.Context(), s.Merchant)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := m.Endpoint(id)
		all, err := s.App.SigningKeys(m.ID, &e)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	rotate := func() error {
		_, err := s.App.RotateSecret(t.Context(), "test", s.Merchant, id, "")
		return err
	}
	if err := rotate(); err != nil {
		t.Fatal(err)
	}
	both := keys()
	refused(t, rotate(), escrow.WrongState)
	if got := keys(); len(both) != 2 || !slices.EqualFunc(got, both, bytes.Equal) {
		t.Errorf("%d keys sign, %d before the refusal", len(got), len(both))
	}
	for range 2 { // the second finds nothing to drop
		if err := s.App.DropOldSecret(t.Context(), "test", s.Merchant, id); err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(); len(got) != 1 || !bytes.Equal(got[0], both[0]) {
		t.Errorf("%d keys are left, not the newest alone", len(got))
	}
	if err := rotate(); err != nil {
		t.Errorf("after the old one was dropped: %v", err)
	}
}

// TestOffByItselfAndByTheShop: the shop's word stands beside the instant at which the
// endpoint was switched off.
func TestOffByItselfAndByTheShop(t *testing.T) {
	s, id := still(t, merchant.V2)
	opened(t, s, 1)
	failed(t, s, due(t, s, id), true)
	off := func() merchant.Off {
		m, err := s.App.MerchantNew(t.Context(), s.Merchant)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := m.Endpoint(id)
		if e.Off == nil {
			t.Fatal("it is on")
		}
		return *e.Off
	}
	first := off()
	if first.Why != merchant.OffGone {
		t.Fatalf("off: %+v", first)
	}
	s.Clock.Advance(time.Hour)
	switched(t, s, id, false)
	if got := off(); got.Why != merchant.OffByShop || !got.Since.Equal(first.Since) {
		t.Errorf("off: %+v, want by the shop's word since %s", got, first.Since)
	}
}

func TestIsEndpointName(t *testing.T) {
	for name, want := range map[string]bool{
		"v1": true, "v2+notice": true, "whe_abcdefgh2345": true, "whe_abcdefgh2345+notice": true,
		"": false, "zz": false, "whe_": false, "whe_abc": false, "whe_abcdefgh2341": false, "abcdefgh2345": false, "v3": false,
	} {
		if got := app.IsEndpointName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
