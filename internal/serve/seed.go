package serve

import (
	"cmp"
	"context"
	"errors"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/password"
)

// The demonstration merchant of a sandbox. Its credentials are public on
// purpose: they are printed at every start and open nothing but play money.
const (
	SeedCode      = "imp00000001"
	SeedKey       = "holdfast_demo_key"
	SeedSecret    = "holdfast_demo_secret"
	SeedAPISecret = "hfv2_holdfast_demo_api_secret"
	SeedEmail     = "shop@holdfast.example"
	SeedPassword  = "holdfast-demo"
	SeedWebhook   = "http://127.0.0.1:3000/webhook"
)

// Seeded is how to reach the demonstration merchant.
type Seeded struct {
	MerchantID, Code, Key, Secret, APISecret, Email, Password string
}

// seed makes the demonstration merchant, or finds the one that was made before.
func (s *Server) seed(ctx context.Context) (*Seeded, error) {
	seeded := &Seeded{Code: SeedCode, Key: SeedKey, Secret: SeedSecret, APISecret: SeedAPISecret, Email: SeedEmail, Password: SeedPassword}
	m, err := s.App.ByCode(ctx, SeedCode)
	if err == nil {
		seeded.MerchantID = m.ID
		return seeded, errors.Join(s.seedSecret(ctx, m.ID), s.seedWebhook(ctx, &m))
	}
	var no *escrow.Refusal
	if !errors.As(err, &no) {
		return nil, err
	}
	m, err = s.App.CreateMerchant(ctx, "seed", SeedCode, "한빛상점", merchant.Sandbox, func(m *merchant.Merchant) {
		m.BusinessNo, m.Phone, m.Email = "123-45-67890", "02-1234-5678", SeedEmail
		m.Account = escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "한빛상점"}
		m.Webhook.URL, m.Webhook.EscrowEvents = cmp.Or(s.config.SeedWebhook, SeedWebhook), true
		m.ReturnTo = escrow.Party{Name: "한빛상점 반품 담당", Phone: "02-1234-5678", Address: "서울특별시 종로구 세종대로 1", Postcode: "03154"}
	})
	if errors.As(err, &no) { // another node was first
		m, err = s.App.ByCode(ctx, SeedCode)
		seeded.MerchantID = m.ID
		return seeded, err
	}
	if err != nil {
		return nil, err
	}
	seeded.MerchantID = m.ID
	if _, err := s.App.CreateKey(ctx, "seed", m.ID, app.KeyPair{Key: SeedKey, Secret: SeedSecret}); err != nil {
		return nil, err
	}
	if err := errors.Join(s.seedSecret(ctx, m.ID), s.rememberWebhook(ctx, &m)); err != nil {
		return nil, err
	}
	hash, err := password.Hash(SeedPassword)
	if err != nil {
		return nil, err
	}
	return seeded, s.App.AddStaff(ctx, "seed", m.ID, SeedEmail, hash)
}

// seedSecret gives the demonstration merchant its API secret, unless it has had one:
// databases of earlier versions have none, and one that was revoked stays revoked.
func (s *Server) seedSecret(ctx context.Context, merchantID string) error {
	had, err := s.App.Secrets(ctx, merchantID)
	if err != nil || len(had) > 0 {
		return err
	}
	_, err = s.App.CreateSecret(ctx, "seed", merchantID, SeedAPISecret)
	var no *escrow.Refusal
	if errors.As(err, &no) { // another node was first
		return nil
	}
	return err
}

// The record under which the demonstration merchant's webhook is kept as the seed has set it.
const (
	seedKind       = "seed"
	seedWebhookKey = "webhook"
)

// seedWebhook moves the demonstration merchant's webhook to where the settings have it now. One
// that is not as the seed has set it is somebody's own and stays.
func (s *Server) seedWebhook(ctx context.Context, m *merchant.Merchant) error {
	wanted := s.config.SeedWebhook
	if wanted == "" || m.Webhook.URL == wanted || m.Mode != merchant.Sandbox {
		return nil
	}
	was, found, err := app.Records{App: s.App}.Get(ctx, m.ID, seedKind, seedWebhookKey)
	if err != nil {
		return err
	}
	if !found { // made by an earlier version, which knew one address only
		was = []byte(SeedWebhook)
	}
	now, err := s.App.UpdateMerchant(ctx, "seed", m.ID, "merchant.update", func(m *merchant.Merchant) error {
		if m.Webhook.URL != string(was) {
			return errOwnWebhook
		}
		m.Webhook.URL = wanted
		return nil
	})
	if errors.Is(err, errOwnWebhook) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.rememberWebhook(ctx, &now)
}

var errOwnWebhook = errors.New("the webhook is not the seed's")

func (s *Server) rememberWebhook(ctx context.Context, m *merchant.Merchant) error {
	return app.Records{App: s.App}.Put(ctx, m.ID, seedKind, seedWebhookKey, []byte(m.Webhook.URL))
}
