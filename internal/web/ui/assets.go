package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// Assets serves files under addresses that contain their content's hash, so
// that browsers may keep them for a year and never see a stale one.
type Assets struct {
	prefix string
	files  map[string]*asset // by name
	byPath map[string]*asset // by the last part of the address
}

type asset struct {
	hashed, kind string
	body         []byte
	zip          func() []byte
}

const (
	hashDigits   = 12
	compressFrom = 1024 // bytes; below, a header costs more than it saves
)

// shared are the files of the frame.
var shared = NewAssets("/assets/", mustSub(assetFiles, "assets"))

// Static serves the files of the frame; mount it at "/assets/".
func Static() http.Handler { return shared }

// NewAssets serves the files at the top of a folder under a prefix that begins
// and ends with a slash. A folder that cannot be read is a fault of the program
// and panics.
func NewAssets(prefix string, folder fs.FS) *Assets {
	a := &Assets{prefix: prefix, files: map[string]*asset{}, byPath: map[string]*asset{}}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		panic(fmt.Sprintf("ui: files of %s: %v", prefix, err))
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			a.add(folder, entry.Name())
		}
	}
	return a
}

func (a *Assets) add(folder fs.FS, name string) {
	body, err := fs.ReadFile(folder, name)
	if err != nil {
		panic(fmt.Sprintf("ui: file %s: %v", name, err))
	}
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	file := &asset{
		hashed: strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:])[:hashDigits] + ext,
		kind:   kindOf(ext), body: body,
		zip: sync.OnceValue(func() []byte { return zipped(body) }),
	}
	a.files[name], a.byPath[file.hashed] = file, file
}

// kindOf does not ask the machine's tables for the kinds that pages use.
func kindOf(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if kind := mime.TypeByExtension(ext); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func zipped(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic("ui: " + err.Error())
	}
	_, _ = w.Write(body) // a buffer does not fail
	_ = w.Close()
	return out.Bytes()
}

// Path is the address of a file. A name that is not there panics.
func (a *Assets) Path(name string) string {
	file, ok := a.files[name]
	if !ok {
		panic("ui: no file " + name + " under " + a.prefix)
	}
	return a.prefix + file.hashed
}

// ServeHTTP answers GET and HEAD for the addresses that Path gives.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a.byPath[strings.TrimPrefix(r.URL.Path, a.prefix)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body := file.body
	if len(body) >= compressFrom && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = file.zip()
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader has gone; nobody is left to tell
	}
}

// mustSub opens a folder of embedded files.
func mustSub(files fs.FS, folder string) fs.FS {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		panic("ui: " + err.Error())
	}
	return sub
}
