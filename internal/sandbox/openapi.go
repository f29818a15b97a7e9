package sandbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

//go:embed openapi.json
var ownDocument []byte

// borrowed are the shapes of the V1 dialect that the sandbox answers with.
var borrowed = []string{"Payment", "Cancellation", "Deposit"}

// OpenAPI returns the OpenAPI 3.1 document of the sandbox as JSON. The caller
// must not change it.
var OpenAPI = sync.OnceValue(func() []byte {
	doc, err := withBorrowed(ownDocument, wirev1.OpenAPI())
	if err != nil {
		panic("sandbox: " + err.Error()) // both documents are part of the program
	}
	return doc
})

// withBorrowed completes the sandbox's document with shapes of another one, and
// with the names of the scenarios.
func withBorrowed(own, other []byte) ([]byte, error) {
	var doc, lender map[string]any
	if err := json.Unmarshal(own, &doc); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(other, &lender); err != nil {
		return nil, err
	}
	schemas, theirs := schemasOf(doc), schemasOf(lender)
	for _, name := range borrowed {
		if theirs[name] == nil {
			return nil, fmt.Errorf("the V1 document has no shape %s", name)
		}
		schemas[name] = theirs[name]
	}
	name, ok := schemas["ScenarioName"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document has no shape ScenarioName")
	}
	name["enum"] = scenarioNames()
	return json.MarshalIndent(doc, "", "  ")
}

func schemasOf(doc map[string]any) map[string]any {
	components, _ := doc["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	return schemas
}

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	doc := OpenAPI()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
	_, _ = w.Write(doc) // a client that is gone cannot be told
}
