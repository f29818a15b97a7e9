package shopapi

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
)

// TestOpenAPI holds that the document is sound, has every route and no other one,
// and says of each call that changes something that it may carry an Idempotency-Key.
func TestOpenAPI(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	var routes, documented []string
	err = chi.Walk((&api{}).router(), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			documented = append(documented, method+" "+Root[:len(Root)-1]+path)
			if op.Summary == "" {
				t.Errorf("%s %s needs a summary", method, path)
			}
			if keyed := op.Parameters.GetByInAndName("header", "Idempotency-Key") != nil; keyed != (method != http.MethodGet) {
				t.Errorf("%s %s has an Idempotency-Key: %v", method, path, keyed)
			}
		}
	}
	slices.Sort(routes)
	slices.Sort(documented)
	if !slices.Equal(routes, documented) {
		t.Errorf("routes %v\ndocumented %v", routes, documented)
	}
}
