package admin

import (
	"bytes"
	"encoding/csv"
	"mime"
	"net/http"
	"strings"
)

// table is rows of text, the first of which are titles. What is typed by people
// must not stand in it: a spreadsheet would take some texts for formulas.
type table [][]string

// Encode writes the table as CSV.
func (t table) Encode() (kind string, out []byte) {
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(t) // a buffer takes everything
	return "text/csv; charset=utf-8; header=present", b.Bytes()
}

// wantsCSV reports whether the caller's Accept header names CSV before JSON.
func wantsCSV(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "text/csv":
			return true
		case "application/json":
			return false
		}
	}
	return false
}
