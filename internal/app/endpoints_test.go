package app_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
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
