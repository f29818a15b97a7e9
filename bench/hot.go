package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// hotShops is among how many merchants lives are spread, to be compared with one.
const hotShops = 64

// hot compares lives that are all of one merchant, and on one bank account, with
// lives that are spread over many merchants, on the same server.
func hot(ctx context.Context, b *bench) error {
	return b.onEngines(ctx, func(ctx context.Context, f *field) (err error) {
		defer func() { err = errors.Join(err, f.close()) }()
		dir, err := f.shops(ctx, hotShops)
		if err != nil {
			return err
		}
		srv, err := b.start(ctx, dir)
		if err != nil {
			return err
		}
		f.closers = append(f.closers, srv.complaints, srv.stop)
		f.add("one merchant", srv.enter, owedIn(dir), srv)
		var next atomic.Int64
		f.add(fmt.Sprintf("%d merchants", hotShops), func() (world, error) {
			key := shopKey(int(next.Add(1) % hotShops))
			return dial(srv.host, key, key)
		}, owedIn(dir), srv)
		b.say("%s", f.engine)
		return b.inTurns(ctx, f)
	})
}

func shopKey(n int) string { return fmt.Sprintf("bench_shop_%03d", n) }

// shops makes a data folder with the demonstration shop and others like it.
func (f *field) shops(ctx context.Context, n int) (string, error) {
	dir, err := f.folder("hot")
	if err != nil {
		return "", err
	}
	h, err := openHouse(ctx, dir, clock.Real{})
	if err != nil {
		return "", err
	}
	for i := range n {
		m, err := h.App.CreateMerchant(ctx, "bench", "", fmt.Sprintf("가게 %d", i), merchant.Sandbox, func(m *merchant.Merchant) {
			m.Account = escrow.BankAccount{Bank: orderBank, Number: fmt.Sprintf("123456789%05d", i), Holder: "가게"}
		})
		if err != nil {
			return "", err
		}
		if _, err := h.App.CreateKey(ctx, "bench", m.ID, app.KeyPair{Key: shopKey(i), Secret: shopKey(i)}); err != nil {
			return "", err
		}
	}
	return dir, h.Close()
}

// inTurns measures the worlds of a field and reports them.
func (b *bench) inTurns(ctx context.Context, f *field) error {
	for range b.rounds {
		for _, clients := range b.clients {
			for _, c := range f.all {
				if err := b.measure(ctx, c, clients); err != nil {
					return fmt.Errorf("%s, %d clients: %w", c.name, clients, err)
				}
			}
		}
	}
	b.report(f)
	return nil
}
