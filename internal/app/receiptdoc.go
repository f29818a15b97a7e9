package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
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
	all, err := a.ReceiptsOf(ctx, merchantID, payments)
	standing := map[string]bool{}
	for id, c := range all {
		standing[id] = c.CancelledAt.IsZero()
	}
	return standing, err
}

// ReceiptsOf returns the cash receipts of a merchant's payments by their ids, in force
// or revoked. Payments that can have none are not looked up.
func (a *App) ReceiptsOf(ctx context.Context, merchantID string, payments []escrow.Payment) (map[string]CashReceipt, error) {
	return read(ctx, a, func(r *store.Reader) (map[string]CashReceipt, error) {
		out := map[string]CashReceipt{}
		for i := range payments {
			p := &payments[i]
			if !p.Method.CashLike() || p.PaidAt.IsZero() {
				continue
			}
			c, err := receiptOf(r, merchantID, ReceiptOfPayment, p.ID)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out[p.ID] = c
		}
		return out, nil
	})
}

// MaskedIdentifier keeps the first three and the last four digits of a number that a
// cash receipt is issued for: enough to recognise one's own number and not enough to
// use it. Of a shorter number than any such has nothing is kept.
func MaskedIdentifier(digits string) string {
	if len(digits) < IdentifierMin {
		return ""
	}
	hidden := len(digits) - 7
	return digits[:3] + strings.Repeat("*", hidden) + digits[3+hidden:]
}

// Digits of the numbers that a cash receipt may be issued for: a phone has 10 or
// 11, a business 10, a person 13, a card of the tax office up to 19.
const (
	IdentifierMin = 10
	IdentifierMax = 19
)

// Identifier reads such a number, with or without hyphens.
func Identifier(sent string) (digits string, ok bool) {
	digits = strings.NewReplacer("-", "", " ", "").Replace(sent)
	wrong := strings.Trim(digits, "0123456789") != "" || len(digits) < IdentifierMin || len(digits) > IdentifierMax
	return digits, !wrong
}

// VATOf is the value-added tax inside a taxed amount: an eleventh, rounded half up. An
// amount below zero has none.
func VATOf(taxed money.Won) money.Won {
	vat, err := money.MulDiv(max(taxed, 0), 1, 11)
	if err != nil { // An eleventh of an amount always fits.
		return 0
	}
	return vat
}
