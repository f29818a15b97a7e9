package app

import (
	"encoding/json"
	"fmt"

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
