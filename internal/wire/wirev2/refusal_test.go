package wirev2

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/korean"
)

// codes reads the refusal codes out of the source that declares them, so that a new
// one cannot be forgotten here.
func codes(t *testing.T, files ...string) (out []escrow.Code) {
	t.Helper()
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			name := ""
			switch typ := spec.Type.(type) {
			case *ast.Ident:
				name = typ.Name
			case *ast.SelectorExpr:
				name = typ.Sel.Name
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && name == "Code" {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, escrow.Code(text))
			}
			return true
		})
	}
	return out
}

func TestEveryRefusalHasAKind(t *testing.T) {
	known := codes(t, "../../escrow/refusal.go", "../../app/door.go", "../../app/acts.go")
	if len(known) < 23 {
		t.Fatalf("only %d codes were read", len(known))
	}
	for _, code := range known {
		if len(refusals[code]) == 0 {
			t.Errorf("%s has no kind", code)
		}
		if !korean.Knows(code) {
			t.Errorf("%s has no words", code)
		}
		for op := range kinds {
			got := Refused(op, &escrow.Refusal{Code: code, Field: "amount"})
			common := []ErrorType{InvalidRequest, Unauthorized, Forbidden}
			if !slices.Contains(append(common, kinds[op]...), got.Type) {
				t.Errorf("%s says %s to %s, which it may not", op, got.Type, code)
			}
			if got.Message == "" || (got.Type == PGProvider) != (got.PgCode != "" && got.PgMessage != "") {
				t.Errorf("%s says %+v to %s", op, got, code)
			}
		}
	}
	for code := range refusals {
		if !slices.Contains(known, code) {
			t.Errorf("no rule says %s", code)
		}
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	for op, own := range kinds {
		for _, kind := range own {
			if kind.Status() < 400 {
				t.Errorf("%s of %s has the status %d", kind, op, kind.Status())
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		op   Operation
		code escrow.Code
		want ErrorType
	}{
		{CancelPayment, escrow.BalanceDiffers, CancellableDiffers},
		{CancelPayment, escrow.ExceedsBalance, CancelExceeds},
		{CancelPayment, escrow.AlreadyCancelled, PaymentAlreadyCancelled},
		{CancelPayment, escrow.NotPaid, PaymentNotPaid},
		{CancelPayment, escrow.PartialBeforeConfirm, PGProvider},
		{CancelPayment, escrow.NotFound, PaymentNotFound},
		{CancelPayment, escrow.TooMany, MaxCancelCountReached},
		{CloseAccount, escrow.WrongState, PaymentNotWaiting},
		{CloseAccount, escrow.AlreadyPaid, PaymentNotWaiting},
		{RegisterDelivery, escrow.WrongState, PGProvider},
		{RegisterDelivery, escrow.AlreadyRegistered, PGProvider},
		{RegisterDelivery, escrow.NotEscrow, PGProvider},
		{IssueReceipt, escrow.AlreadyRegistered, ReceiptIssued},
		{IssueReceipt, escrow.BalanceDiffers, InvalidRequest},
		{IssueReceipt, escrow.NotPaid, PGProvider},
		{IssueReceipt, escrow.WrongState, PGProvider},
		{GetReceipt, escrow.NotFound, ReceiptNotFound},
		{ResendWebhook, escrow.NotFound, WebhookNotFound},
		{ResendWebhook, escrow.WrongState, InvalidRequest},
		{PreRegister, escrow.AlreadyPaid, AlreadyPaid},
		{PayInstantly, escrow.EscrowUnavailable, PGProvider},
		{PayInstantly, escrow.Invalid, InvalidRequest},
	} {
		if got := Refused(c.op, &escrow.Refusal{Code: c.code}); got.Type != c.want {
			t.Errorf("%s says %s to %s, want %s", c.op, got.Type, c.code, c.want)
		}
	}
}

// TestPartsBeyondTheAmount have kinds of their own.
func TestPartsBeyondTheAmount(t *testing.T) {
	for op, want := range map[Operation]ErrorType{CancelPayment: CancelPartsExceed, PayInstantly: PartsExceed, IssueReceipt: InvalidRequest} {
		if got := Refused(op, &escrow.Refusal{Code: escrow.Invalid, Field: "tax_free"}); got.Type != want {
			t.Errorf("%s says %s, want %s", op, got.Type, want)
		}
	}
}
