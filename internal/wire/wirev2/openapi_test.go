package wirev2

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestOpenAPI: the document is valid, and its refusals are those of the tables.
func TestOpenAPI(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	seen := map[Operation]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Summary == "" || op.Responses.Value("500") == nil {
				t.Errorf("%s %s needs a summary and what a failure looks like", method, path)
			}
			id := Operation(op.OperationID)
			seen[id] = true
			for _, kind := range kinds[id] {
				answer := op.Responses.Value(strconv.Itoa(kind.Status()))
				if answer == nil || !slices.Contains(answer.Value.Content.Get("application/json").Schema.Value.Properties["type"].Value.Enum, any(string(kind))) {
					t.Errorf("%s does not say %s", id, kind)
				}
			}
		}
	}
	for id := range kinds {
		if !seen[id] {
			t.Errorf("%s is not in the document", id)
		}
	}
	if strings.Contains(string(OpenAPI()), `"null"`) {
		t.Error("something may be null")
	}
}
