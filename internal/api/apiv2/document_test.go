package apiv2_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

var document = sync.OnceValues(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromData(wirev2.OpenAPI()) })

var router = sync.OnceValues(func() (routers.Router, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// againstDocument validates an answer. A path or method that the document does not
// have may only be refused with 404 or 405.
func againstDocument(req *http.Request, r reply) error {
	routes, err := router()
	if err != nil {
		return err
	}
	tidy := req.Clone(context.Background())
	tidy.URL = &url.URL{Path: "/" + strings.Trim(req.URL.EscapedPath(), "/")}
	route, params, err := routes.FindRoute(tidy)
	if err != nil {
		if r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed {
			return nil
		}
		return err
	}
	if r.status == http.StatusNotFound && strings.Contains(string(r.raw), `"NOT_FOUND"`) {
		return nil // no path of the dialect has a NUL in it
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: tidy, PathParams: params, Route: route},
		Status:                 r.status, Header: r.header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(r.raw)
	return openapi3filter.ValidateResponse(context.Background(), input)
}

// example is the body that the document shows for an operation.
func example(t *testing.T, id string) object {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID == id {
				body, is := op.RequestBody.Value.Content.Get("application/json").Example.(map[string]any)
				if !is {
					t.Fatalf("%s has no example", id)
				}
				return body
			}
		}
	}
	t.Fatalf("there is no operation %s", id)
	return nil
}

// TestExamples carries the document's examples out, one after the other.
func TestExamples(t *testing.T) {
	w := newWorld(t)
	w.do(request{method: "POST", path: "/login/api-secret", authorization: "-", body: example(t, "loginViaApiSecret")}).good()
	const path = "/payments/order-1"
	w.post(path+"/pre-register", example(t, "preRegisterPayment")).good()
	w.post(path+"/instant", example(t, "payInstantly")).good()
	w.pay("order-1")
	w.post(path+"/escrow/logistics", example(t, "applyEscrowLogistics")).good()
	w.patch(path+"/escrow/logistics", example(t, "modifyEscrowLogistics")).good()
	w.post(path+"/escrow/complete", example(t, "confirmEscrow")).good()
	w.post(path+"/cancel", example(t, "cancelPayment")).good()
	token, _ := w.agreed("order-2", escrow.Card, app.Agreement{Approval: byCard})
	w.post("/payments/order-2/confirm", with(example(t, "confirmPayment"), object{"paymentToken": token})).good()
	w.post("/cash-receipts", with(example(t, "issueCashReceipt"), object{"channelKey": "channel-key-" + w.Merchant})).good()
}

// TestTheDocumentRefuses: what breaks typed clients does not pass.
func TestTheDocumentRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	r := w.get("/payments/" + id).good()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/payments/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := againstDocument(req, r); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"status":"PAID"`, `"status":"PAY"`}, {`"disputes":[]`, `"disputes":[1]`}, {`"customer":{`, `"customer":null,"x":{`}, {`"total":39000`, `"total":39000.5`}, {`"total":39000`, `"total":"39000"`},
		{`"type":"PaymentMethodVirtualAccount"`, `"type":"VIRTUAL_ACCOUNT"`}, {`"status":"BEFORE_REGISTERED"`, `"status":"REGISTERED"`}, {`"ipAddress":""`, `"ipAddress":null`}, {`Z"`, `+00:00"`},
	} {
		text := strings.Replace(string(r.raw), change[0], change[1], 1)
		if text == string(r.raw) {
			t.Fatalf("%s is not in %s", change[0], r.raw)
		}
		wrong := r
		wrong.raw = []byte(text)
		if againstDocument(req, wrong) == nil {
			t.Errorf("%s passes", change[1])
		}
	}
}
