package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// The order that is bought over and over.
const (
	orderBank    = "004"
	orderAmount  = 30_000
	orderName    = "도자기 컵"
	orderBuyer   = "김하늘"
	orderEmail   = "buyer@holdfast.example"
	orderPhone   = "010-1234-5678"
	orderCarrier = "CJ"
)

func orderID(n int64) string        { return fmt.Sprintf("order-%010d", n) }
func trackingNumber(n int64) string { return fmt.Sprintf("6%011d", n) }

// house is the whole server inside this process: the real store, the door and
// the loops, without HTTP.
type house struct {
	*serve.Server
	merchant string
}

// openHouse opens or makes a sandbox in a folder, with the demonstration shop and
// without webhooks, because nobody would answer them.
func openHouse(ctx context.Context, dir string, c clock.Clock) (*house, error) {
	settings := config.Default()
	settings.Data, settings.Database, settings.Seed, settings.BaseURL = dir, databaseOf(dir), true, "http://127.0.0.1:8080"
	srv, err := serve.New(ctx, settings, serve.Options{Clock: c, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, err
	}
	h := &house{Server: srv, merchant: srv.Seeded.MerchantID}
	_, err = h.App.UpdateMerchant(ctx, "bench", h.merchant, "merchant.update", func(m *merchant.Merchant) error {
		m.Webhook.URL = ""
		return nil
	})
	return h, err
}

func (h *house) enter() (world, error) { return h, nil }

func (h *house) account(ctx context.Context, p *purchase) error {
	made, err := h.App.OpenWithAccount(ctx, h.merchant, escrow.Open{
		OrderID: orderID(p.n), Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: orderAmount, Name: orderName,
		Buyer: escrow.Party{Name: orderBuyer, Email: orderEmail, Phone: orderPhone}, Device: "api",
	}, app.AccountOrder{Bank: orderBank})
	if err != nil {
		return err
	}
	p.id, p.bank, p.number = made.ID, made.Account.Bank, made.Account.Number
	return nil
}

func (h *house) deposit(ctx context.Context, p *purchase) error {
	now, err := h.App.NowOf(ctx, h.merchant)
	if err != nil {
		return err
	}
	reported, err := h.Bank.Deposits(ctx, bank.DepositPlan{
		Merchant: h.merchant, Bank: p.bank, Number: p.number, Amount: orderAmount, Now: now, Due: now.Add(app.DefaultDue), Story: bank.Exact,
	})
	if err != nil {
		return err
	}
	for _, d := range reported {
		if _, err := h.App.Deposit(ctx, escrow.BankAccount{Bank: d.Bank, Number: d.Number}, notice(d)); err != nil {
			return err
		}
	}
	return nil
}

func notice(d bank.Deposit) escrow.NotifyDeposit {
	return escrow.NotifyDeposit{
		BankTx: d.BankTx, Amount: d.Amount, At: d.At,
		Payer: escrow.BankAccount{Bank: d.Payer.Bank, Number: d.Payer.Number, Holder: d.Payer.Holder},
	}
}

func (h *house) deliver(ctx context.Context, p *purchase) error {
	now, err := h.App.NowOf(ctx, h.merchant)
	if err != nil {
		return err
	}
	_, err = h.App.Do(ctx, escrow.Shop, h.merchant, p.id, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: orderCarrier, Number: trackingNumber(p.n)}}, Trackable: true, SentAt: now.Truncate(time.Second), SendEmail: true,
	})
	return err
}

func (h *house) confirm(ctx context.Context, p *purchase) error {
	_, err := h.App.Do(ctx, escrow.Buyer, h.merchant, p.id, escrow.Confirm{Kind: escrow.ByBuyer})
	return err
}
