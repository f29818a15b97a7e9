package wirev1

import (
	"encoding/json"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

var (
	opened = time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	paid   = opened.Add(time.Hour)
	later  = paid.Add(24 * time.Hour)
)

// vbankPayment is an escrow payment by virtual account with everything filled in.
func vbankPayment(state escrow.State) *escrow.Payment {
	p := &escrow.Payment{
		ID: "imp_000012345678", OrderID: "주문-1", State: state, Escrow: true, Method: escrow.VirtualAccount,
		Amount: 35_900, Name: "겨울 외투", CustomData: `{"cart":1}`, Device: "pc", UserAgent: "test", OpenedAt: opened,
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@example.com", Phone: "010-0000-0000", Address: "서울", Postcode: "04524"},
		Account: &escrow.Account{
			BankAccount: escrow.BankAccount{Bank: "088", Number: "56200000000001", Holder: "홀드패스트"}, IssuedAt: opened, Due: later,
		},
	}
	if state != escrow.AwaitingDeposit && state != escrow.Failed {
		p.PaidAt = paid
		p.Deposits = []escrow.Deposit{
			{BankTx: "b0", Amount: 1, At: paid, Outcome: escrow.DepositRefused},
			{BankTx: "b1", Amount: 35_900, At: paid, Outcome: escrow.DepositHeld, Payer: escrow.BankAccount{Holder: "김하늘"}},
		}
	}
	return p
}

func cancelled(p *escrow.Payment, amounts ...int64) *escrow.Payment {
	for i, amount := range amounts {
		p.Refunds = append(p.Refunds, escrow.Refund{
			ID: p.ID + "-r" + string(rune('1'+i)), Amount: amountOf(amount), Reason: "단순 변심", At: later.Add(time.Duration(i) * time.Hour),
		})
		p.Refunded += amountOf(amount)
	}
	if p.Refunded == p.Amount {
		p.CancelledAt, p.CancelReason = later, "단순 변심"
	}
	return p
}

func TestNewPaymentKeepsTheShape(t *testing.T) {
	schema := loadDocument(t).Components.Schemas["Payment"].Value
	expired := vbankPayment(escrow.AwaitingDeposit)
	expired.State, expired.CancelledAt, expired.CancelReason = escrow.Cancelled, later, "기한 경과"
	reversed := vbankPayment(escrow.Cancelled)
	reversed.CancelledAt, reversed.CancelReason = later, "은행이 입금을 취소하였습니다."
	returned := cancelled(vbankPayment(escrow.RejectionAccepted), 35_900)
	returned.CancelReason = ""
	suspense := vbankPayment(escrow.AwaitingDeposit)
	suspense.Refunds = []escrow.Refund{{ID: "imp_000012345678-r1", Amount: 10, At: later, Suspense: true}}
	tests := []struct {
		name   string
		p      *escrow.Payment
		status escrow.Status
		part   string
	}{
		{"opened", &escrow.Payment{ID: "imp_000000000001", OrderID: "m", State: escrow.Opened, Amount: 100}, escrow.StatusReady, `"pay_method":null,"pg_id":null,"pg_provider":null,"pg_tid":null`},
		{"waiting", vbankPayment(escrow.AwaitingDeposit), escrow.StatusReady, `"vbank_code":"088","vbank_date":1795744800,"vbank_holder":"홀드패스트","vbank_issued_at":1795654800,"vbank_name":"신한은행","vbank_num":"56200000000001"`},
		{"held", vbankPayment(escrow.Held), escrow.StatusPaid, `"paid_at":1795658400`},
		{"shipped", vbankPayment(escrow.Shipped), escrow.StatusPaid, `"custom_data":"{\"cart\":1}"`},
		{"confirmed", vbankPayment(escrow.Confirmed), escrow.StatusPaid, `"deposit_history":[{"pg_tid":"b1","amount":35900,"depositor_name":"김하늘","deposited_at":1795658400}]`},
		{"partly cancelled", cancelled(vbankPayment(escrow.Confirmed), 900), escrow.StatusPaid, `"cancel_amount":900,"cancel_history":[{"pg_tid":"imp_000012345678-r1","amount":900,"cancelled_at":1795744800,"reason":"단순 변심","cancellation_id":"imp_000012345678-r1","receipt_url":""}],"cancel_reason":"단순 변심"`},
		{"cancelled in two parts", cancelled(vbankPayment(escrow.Confirmed), 900, 35_000), escrow.StatusCancelled, `"cancelled_at":1795748400`},
		{"cancelled", cancelled(vbankPayment(escrow.Cancelled), 35_900), escrow.StatusCancelled, `"paid_at":1795658400`},
		{"rejection accepted", vbankPayment(escrow.RejectionAccepted), escrow.StatusPaid, `"cancel_amount":0`},
		{"goods returned", returned, escrow.StatusCancelled, `"cancel_amount":35900`},
		{"expired", expired, escrow.StatusCancelled, `"cancel_amount":0,"cancel_history":[]`},
		{"reversed", reversed, escrow.StatusCancelled, `"cancel_amount":35900,"cancel_history":[{"pg_tid":"imp_000012345678","amount":35900`},
		{"suspense returned", suspense, escrow.StatusReady, `"cancel_history":[],"cancel_reason":null`},
		{"failed", vbankPayment(escrow.Failed), escrow.StatusFailed, `"started_at":1795654800,"status":"failed"`},
		{"transfer", &escrow.Payment{ID: "imp_000000000001", OrderID: "m", State: escrow.Held, Method: escrow.BankTransfer, Amount: 100, PaidAt: paid, Payer: escrow.BankAccount{Bank: "004"}}, escrow.StatusPaid, `"bank_code":"004","bank_name":"KB국민은행"`},
		{"unknown bank", &escrow.Payment{ID: "imp_000000000001", OrderID: "m", State: escrow.Held, Method: escrow.BankTransfer, Amount: 100, PaidAt: paid, Payer: escrow.BankAccount{Bank: "999"}}, escrow.StatusPaid, `"bank_code":"999","bank_name":null`},
		{"card", &escrow.Payment{ID: "imp_000000000001", OrderID: "m", State: escrow.Paid, Method: escrow.Card, Amount: 100, PaidAt: paid, CardName: "신한카드", ApprovalNo: "30000000"}, escrow.StatusPaid, `"apply_num":"30000000"`},
		{"odd device", &escrow.Payment{ID: "imp_000000000001", OrderID: "m", State: escrow.Opened, Amount: 100, Device: "tv"}, escrow.StatusReady, `"channel":null`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := json.Marshal(NewPayment(test.p, Circumstances{Sandbox: true}))
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(out, &v); err != nil {
				t.Fatal(err)
			}
			if err := schema.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if got := test.p.Status(); got != test.status {
				t.Errorf("status %s, want %s", got, test.status)
			}
			if !strings.Contains(string(out), test.part) {
				t.Errorf("%s\nlacks %s", out, test.part)
			}
		})
	}
}

// TestPaymentKeys holds that the struct has exactly the keys of the document.
func TestPaymentKeys(t *testing.T) {
	out, err := json.Marshal(NewPayment(vbankPayment(escrow.Held), Circumstances{}))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(out, &object); err != nil {
		t.Fatal(err)
	}
	var got []string
	for key := range object {
		got = append(got, key)
	}
	sort.Strings(got)
	want := append([]string(nil), loadDocument(t).Components.Schemas["Payment"].Value.Required...)
	sort.Strings(want)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNewDelivery(t *testing.T) {
	d := &escrow.Delivery{
		Parcels: []escrow.Parcel{{Carrier: "LOTTE", Number: "123"}}, SentAt: opened, RegisteredAt: paid, ChangedAt: later,
	}
	if got, want := NewDelivery(d), (Delivery{"HYUNDAI", "123", opened.Unix(), later.Unix()}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	d.ChangedAt = time.Time{}
	if got := NewDelivery(d).AppliedAt; got != paid.Unix() {
		t.Errorf("got %d, want the registration", got)
	}
}
