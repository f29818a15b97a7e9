// Package sdk serves the scripts that shops load into their pages.
//
// They are plain files without dependencies and know the server only by the
// address they were loaded from. The script of PortOne V1 answers under both of
// PortOne's names, /v1/iamport.js and /js/iamport.payment-VERSION.js, and defines
// the same window.IMP under both.
package sdk

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

//go:embed v1/iamport.js
var v1 []byte

// v1Tag names the content for browsers that ask whether it has changed.
var v1Tag = func() string {
	sum := sha256.Sum256(v1)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}()

// versionMax bounds the version in a script's name.
const versionMax = 20

// IsV1 reports whether a path is one of the names of the V1 script.
func IsV1(path string) bool {
	if path == "/v1/iamport.js" {
		return true
	}
	rest, named := strings.CutPrefix(path, "/js/iamport.payment-")
	version, script := strings.CutSuffix(rest, ".js")
	return named && script && version != "" && len(version) <= versionMax && strings.Trim(version, "0123456789abcdefghijklmnopqrstuvwxyz.-") == ""
}

// V1 serves the script; mount it at "/v1/iamport.js" and at "/js/". Pages of any
// origin may load it. It is asked for anew every few minutes, so that a mended
// script reaches shops soon.
func V1() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsV1(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Etag", v1Tag)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Header.Get("If-None-Match") == v1Tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Length", strconv.Itoa(len(v1)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(v1) // the reader has gone; nobody is left to tell
		}
	})
}
