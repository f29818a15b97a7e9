package app_test

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestAReceiptIsForWhatWasPaid: not for another amount, also where money went back
// after the caller had looked.
func TestAReceiptIsForWhatWasPaid(t *testing.T) {
	ctx, s := t.Context(), servetest.Run(t)
	p := issued(t, s, "order-1")
	receipt := app.CashReceipt{Ref: p.ID, Amount: amount, Identifier: "010****5678"}
	_, err := s.App.PutReceipt(ctx, s.Merchant, app.ReceiptOfPayment, receipt)
	refused(t, err, escrow.NotPaid)
	pay(t, s, p, "tx-1")
	for _, other := range []app.CashReceipt{{Ref: p.ID, Amount: amount - 1}, {Ref: p.ID, Amount: amount + 1}} {
		_, err := s.App.PutReceipt(ctx, s.Merchant, app.ReceiptOfPayment, other)
		refused(t, err, escrow.BalanceDiffers)
	}
	if _, err := s.App.Receipt(ctx, s.Merchant, app.ReceiptOfPayment, p.ID); err == nil {
		t.Error("a refused receipt was issued")
	}
	for _, given := range []app.CashReceipt{receipt, {Ref: p.ID}} {
		got, err := s.App.PutReceipt(ctx, s.Merchant, app.ReceiptOfPayment, given)
		if err != nil || got.Amount != amount {
			t.Fatalf("issued for %d, %v", got.Amount, err)
		}
		if _, err := s.App.CancelReceipt(ctx, s.Merchant, app.ReceiptOfPayment, p.ID); err != nil {
			t.Fatal(err)
		}
	}
}
