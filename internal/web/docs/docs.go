// Package docs shows the API documents in a browser.
//
// Each document is served as it is at /docs/NAME.json and, by Swagger UI
// (Apache-2.0, embedded and unchanged but for compression), as a page on which
// every operation can be read and tried at /docs/NAME.
package docs

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io"
	"net/http"
	"strings"
)

//go:embed swagger page.html start.js docs.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Document is one API document.
type Document struct {
	Name  string // in addresses
	Short string // in the navigation
	Title string
	About string
	JSON  []byte
}

// New serves the documents; mount it at "/docs/".
func New(documents ...Document) http.Handler {
	d := &shelf{documents: documents}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", d.show)
	mux.HandleFunc("GET /docs/{$}", d.show)
	mux.HandleFunc("GET /docs/{name}", d.file)
	return mux
}

type shelf struct{ documents []Document }

// file answers with a document, its page, or a part of the pages.
func (d *shelf) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	switch name {
	case "swagger-ui-bundle.js", "swagger-ui.css":
		packed(w, r, name)
		return
	case "start.js", "docs.css":
		raw, _ := files.ReadFile(name) // embedded above
		send(w, kind(name), raw)
		return
	}
	for _, doc := range d.documents {
		switch name {
		case doc.Name:
			d.show(w, r)
			return
		case doc.Name + ".json":
			w.Header().Set("Access-Control-Allow-Origin", "*")
			send(w, "application/json; charset=utf-8", doc.JSON)
			return
		}
	}
	http.NotFound(w, r)
}

func kind(name string) string {
	if strings.HasSuffix(name, ".css") {
		return "text/css; charset=utf-8"
	}
	return "text/javascript; charset=utf-8"
}

func send(w http.ResponseWriter, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(body) // the client is gone if this fails
}

// packed sends a file that is kept compressed.
func packed(w http.ResponseWriter, r *http.Request, name string) {
	raw, err := files.ReadFile("swagger/" + name + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Add("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		send(w, kind(name), raw)
		return
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		http.Error(w, "server error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind(name))
	_, _ = io.Copy(w, unpacked)
}

func (d *shelf) show(w http.ResponseWriter, r *http.Request) {
	view := struct {
		Name, Title string
		Documents   []Document
	}{Name: r.PathValue("name"), Title: "API", Documents: d.documents}
	for _, doc := range d.documents {
		if doc.Name == view.Name {
			view.Title = doc.Title
		}
	}
	var out bytes.Buffer
	if err := page.Execute(&out, view); err != nil {
		http.Error(w, "server error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// Swagger UI sets styles on elements; nothing but styles is let in.
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	_, _ = w.Write(out.Bytes()) // the client is gone if this fails
}
