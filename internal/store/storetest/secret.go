package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// secrets: a secret is found by its hash until it is revoked, and takes its login
// with it.
func secrets(t *testing.T, s *store.Store) {
	first := store.APISecret{Merchant: Merchant, ID: "sec_1", Hash: "h1", CreatedAt: Monday}
	second := store.APISecret{Merchant: Merchant, ID: "sec_2", Hash: "h2", CreatedAt: Monday.Add(time.Second)}
	login := store.Login{Merchant: Merchant, Secret: "sec_1", Serial: 7, ExpiresAt: Monday.Add(time.Hour)}
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.InsertSecret(first), tx.InsertSecret(second), tx.PutLogin(login))
	})
	err := s.Write(context.Background(), func(tx *store.Tx) error {
		return tx.InsertSecret(store.APISecret{Merchant: "mrc_2", ID: "sec_3", Hash: "h1", CreatedAt: Monday})
	})
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("one hash for two merchants: %v", err)
	}
	find := func(hash string) (found store.APISecret, err error) {
		err = s.Read(context.Background(), func(r *store.Reader) (err error) {
			found, err = r.SecretByHash(hash)
			return err
		})
		return found, err
	}
	found, err := find("h1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Secret", found, first)
	write(t, s, func(tx *store.Tx) error {
		kept, err := tx.Login(Merchant, "sec_1")
		same(t, "Login", kept, login)
		return errors.Join(err, tx.RevokeSecret(Merchant, "sec_1", Monday))
	})
	if _, err := find("h1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a revoked secret is found: %v", err)
	}
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.Login(Merchant, "sec_1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a revoked secret has a login: %v", err)
		}
		return nil
	})
	first.RevokedAt = Monday
	all := read(t, s, func(r *store.Reader) ([]store.APISecret, error) { return r.Secrets(Merchant) })
	if len(all) != 2 {
		t.Fatalf("%d secrets, want 2", len(all))
	}
	same(t, "Secrets", all, []store.APISecret{first, second})
}

// loginsOneByOne: of those who raise one login at once none reads what another one
// has read.
func loginsOneByOne(t *testing.T, s *store.Store) {
	write(t, s, func(tx *store.Tx) error {
		return tx.PutLogin(store.Login{Merchant: Merchant, Secret: "sec_1", ExpiresAt: Monday})
	})
	const callers = 20
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			err := s.Write(context.Background(), func(tx *store.Tx) error {
				l, err := tx.Login(Merchant, "sec_1")
				l.Serial++
				return errors.Join(err, tx.PutLogin(l))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	write(t, s, func(tx *store.Tx) error {
		if l, err := tx.Login(Merchant, "sec_1"); err != nil || l.Serial != callers {
			t.Errorf("the serial is %d (%v), want %d", l.Serial, err, callers)
		}
		return nil
	})
}
