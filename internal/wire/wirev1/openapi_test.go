package wirev1

import (
	"context"
	"encoding/json"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func loadDocument(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIIsValid(t *testing.T) {
	doc := loadDocument(t)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("the document says it is OpenAPI %s", doc.OpenAPI)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Summary == "" || op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s %s needs a summary and an operationId of its own", method, path)
			}
			ids[op.OperationID] = true
			if op.Responses.Value("500") == nil {
				t.Errorf("%s %s does not say what a failure looks like", method, path)
			}
		}
	}
}

// TestOpenAPICoversTheDialect holds the paths and methods against the list of
// calls that V1 clients make.
func TestOpenAPICoversTheDialect(t *testing.T) {
	want := []string{
		"DELETE /receipts/external/{merchant_uid}", "DELETE /receipts/{imp_uid}", "DELETE /vbanks/{imp_uid}",
		"GET /banks", "GET /banks/{bank_standard_code}", "GET /escrows/logis/{imp_uid}", "GET /payments",
		"GET /payments/find/{merchant_uid}", "GET /payments/find/{merchant_uid}/{payment_status}",
		"GET /payments/findAll/{merchant_uid}", "GET /payments/findAll/{merchant_uid}/{payment_status}",
		"GET /payments/prepare/{merchant_uid}", "GET /payments/status/{payment_status}",
		"GET /payments/{imp_uid}", "GET /payments/{imp_uid}/balance",
		"GET /receipts/external/{merchant_uid}", "GET /receipts/{imp_uid}", "GET /users/pg", "GET /vbanks/holder",
		"POST /escrows/logis/{imp_uid}", "POST /payments/cancel", "POST /payments/prepare",
		"POST /payments/{imp_uid}/naver/confirm", "POST /receipts/external/{merchant_uid}", "POST /receipts/{imp_uid}",
		"POST /users/getToken", "POST /vbanks",
		"PUT /escrows/logis/{imp_uid}", "PUT /payments/prepare", "PUT /vbanks", "PUT /vbanks/{imp_uid}",
	}
	var got []string
	for path, item := range loadDocument(t).Paths.Map() {
		for method := range item.Operations() {
			got = append(got, method+" "+path)
		}
	}
	sort.Strings(got)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// validPayment is an unpaid virtual account with nothing filled in that may be
// empty.
const validPayment = `{"amount":1000,"apply_num":null,"bank_code":null,"bank_name":null,"buyer_addr":null,"buyer_email":null,
"buyer_name":null,"buyer_postcode":null,"buyer_tel":null,"cancel_amount":0,"cancel_history":[],"cancel_reason":null,
"cancel_receipt_urls":[],"cancelled_at":0,"card_code":null,"card_issuer_code":null,"card_issuer_name":null,"card_name":null,
"card_number":null,"card_publisher_code":null,"card_publisher_name":null,"card_quota":0,"card_type":null,
"cash_receipt_issued":false,"channel":null,"currency":"KRW","custom_data":null,"customer_uid":null,"customer_uid_usage":null,
"deposit_history":[],"emb_pg_provider":null,"escrow":true,"fail_reason":null,"failed_at":0,"imp_uid":"imp_123456789012",
"merchant_uid":"m","name":null,"paid_at":0,"pay_method":null,"pg_id":null,"pg_provider":null,"pg_tid":null,"promotion":null,
"receipt_url":null,"sandbox":true,"started_at":0,"status":"ready","user_agent":null,"vbank_code":null,"vbank_date":0,
"vbank_holder":null,"vbank_issued_at":0,"vbank_name":null,"vbank_num":null}`

// TestOpenAPICatches makes sure that the document refuses the mistakes that
// break clients, so that answers which pass it are right.
func TestOpenAPICatches(t *testing.T) {
	schemas := loadDocument(t).Components.Schemas
	check := func(schema, text string) error {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return schemas[schema].Value.VisitJSON(v, openapi3.EnableJSONSchema2020())
	}
	answer := func(payment string) string { return `{"code":0,"message":"","response":` + payment + `}` }
	if err := check("PaymentAnswer", answer(validPayment)); err != nil {
		t.Fatalf("a right payment is refused: %v", err)
	}
	var payment map[string]json.RawMessage
	if err := json.Unmarshal([]byte(validPayment), &payment); err != nil {
		t.Fatal(err)
	}
	for key := range payment {
		less := map[string]json.RawMessage{}
		for k, v := range payment {
			if k != key {
				less[k] = v
			}
		}
		text, _ := json.Marshal(less)
		if check("PaymentAnswer", answer(string(text))) == nil {
			t.Errorf("a payment without %s passes", key)
		}
	}
	for _, change := range [][2]string{
		{`"paid_at":0`, `"paid_at":null`},
		{`"paid_at":0`, `"paid_at":1.5`},
		{`"amount":1000`, `"amount":"1000"`},
		{`"amount":1000`, `"amount":null`},
		{`"escrow":true`, `"escrow":null`},
		{`"status":"ready"`, `"status":"partial"`},
		{`"custom_data":null`, `"custom_data":{}`},
		{`"cancel_history":[]`, `"cancel_history":null`},
		{`"cancel_history":[]`, `"cancel_history":[{"pg_tid":null,"amount":1,"cancelled_at":1,"reason":"","cancellation_id":"x","receipt_url":""}]`},
		{`"escrow":true`, `"escrow":true,"other":1`},
		{`"code":0`, `"code":1`},
		{`"message":""`, `"message":null`},
	} {
		text := strings.Replace(answer(validPayment), change[0], change[1], 1)
		if check("PaymentAnswer", text) == nil {
			t.Errorf("%s passes", change[1])
		}
	}
	if check("Refusal", `{"code":0,"message":"x","response":null}`) == nil || check("Refusal", `{"code":1,"message":"","response":null}`) == nil {
		t.Error("a wrong refusal passes")
	}
	if err := check("Refusal", `{"code":-1,"message":"x","response":null}`); err != nil {
		t.Errorf("a right refusal is refused: %v", err)
	}
}
