package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// receiptReader is what both a reader and a transaction can do.
type receiptReader interface {
	CashReceipt(merchantID, kind, ref string) (string, error)
}

func receiptOf(r receiptReader, merchantID, kind, ref string) (c CashReceipt, err error) {
	doc, err := r.CashReceipt(merchantID, kind, ref)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(doc), &c); err != nil {
		return c, fmt.Errorf("app: cash receipt of %s cannot be read: %w", ref, err)
	}
	return c, nil
}

func putReceipt(tx *store.Tx, merchantID, kind string, c CashReceipt) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return tx.PutCashReceipt(merchantID, kind, c.Ref, string(doc))
}

// ReceiptsInForce says which of a merchant's payments have a cash receipt in
// force. Payments that can have none are not looked up.
func (a *App) ReceiptsInForce(ctx context.Context, merchantID string, payments []escrow.Payment) (map[string]bool, error) {
	return read(ctx, a, func(r *store.Reader) (map[string]bool, error) {
		standing := map[string]bool{}
		for i := range payments {
			p := &payments[i]
			if !p.Method.CashLike() || p.PaidAt.IsZero() {
				continue
			}
			c, err := receiptOf(r, merchantID, ReceiptOfPayment, p.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			standing[p.ID] = err == nil && c.CancelledAt.IsZero()
		}
		return standing, nil
	})
}
