package wirev2

import _ "embed"

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 document of this dialect as JSON. The caller must
// not change it.
func OpenAPI() []byte { return openAPI }
