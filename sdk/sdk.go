// Package sdk serves the scripts that shops load into their pages.
//
// They have no dependencies and know the server only by the address they were
// loaded from. Each is served under PortOne's own names:
//
//	/v1/iamport.js, /js/iamport.payment-VERSION.js   window.IMP of PortOne V1
//	/v2/browser-sdk.js                               window.PortOne of PortOne V2
//	/v2/browser-sdk.esm.js                           the same as a module
//
// A script is window.js, which opens the payment window, and what one generation
// of PortOne puts before it, joined into one function, so that a page gets no
// other global name.
package sdk

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

var (
	//go:embed window.js
	windowJS string
	//go:embed v1/iamport.js
	v1JS string
	//go:embed v2/browser-sdk.js
	v2JS string
)

// script is a file as it is served.
type script struct {
	text []byte
	tag  string // names the content for browsers that ask whether it has changed
}

var (
	scriptV1     = newScript(classic(v1JS))
	scriptV2     = newScript(classic(v2JS))
	scriptModule = newScript(module(v2JS))
)

func newScript(text string) script {
	sum := sha256.Sum256([]byte(text))
	return script{text: []byte(text), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// classic joins a script for a script tag.
func classic(door string) string {
	return "(() => {\n'use strict';\nconst source = document.currentScript?.src ?? '';\n" + windowJS + door + "})();\n"
}

// exported are the names of a module, beside its default.
const exported = "requestIdentityVerification, requestIssueBillingKeyAndPay, requestIssueBillingKey, " +
	"loadPaymentUI, loadIssueBillingKeyUI, updateLoadPaymentUIRequest, updateLoadIssueBillingKeyUIRequest"

// module joins a script that is imported.
func module(door string) string {
	return "const source = import.meta.url;\n" + windowJS + door +
		"export { requestPayment };\nexport const { " + exported + " } = window.PortOne;\nexport default window.PortOne;\n"
}

// versionMax bounds the version in a script's name.
const versionMax = 20

// find is the script of a path.
func find(path string) (script, bool) {
	switch path {
	case "/v1/iamport.js":
		return scriptV1, true
	case "/v2/browser-sdk.js":
		return scriptV2, true
	case "/v2/browser-sdk.esm.js":
		return scriptModule, true
	}
	rest, named := strings.CutPrefix(path, "/js/iamport.payment-")
	version, isScript := strings.CutSuffix(rest, ".js")
	known := named && isScript && version != "" && len(version) <= versionMax && strings.Trim(version, "0123456789abcdefghijklmnopqrstuvwxyz.-") == ""
	return scriptV1, known
}

// New serves the scripts; mount it at their names and at "/js/". Pages of any
// origin may load them. They are asked for anew every few minutes, so that a
// mended script reaches shops soon.
func New() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, known := find(r.URL.Path)
		if !known {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		s.serve(w, r)
	})
}

func (s script) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Etag", s.tag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Header.Get("If-None-Match") == s.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(s.text)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(s.text) // the reader has gone; nobody is left to tell
	}
}
