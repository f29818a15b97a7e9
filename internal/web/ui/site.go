package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template/parse"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

//go:embed frame
var frameFiles embed.FS

// Source is what a site is built from.
type Source struct {
	// Pages is a folder of NAME.html bodies and _NAME.html parts.
	Pages fs.FS
	// Words are the site's own texts; Shared is added.
	Words Words
	// Assets are the site's own files; nil if it has none.
	Assets *Assets
	// Funcs are further template functions that do not depend on the language.
	Funcs template.FuncMap
}

// Site is a family of pages with one catalogue. It is safe for concurrent use.
type Site struct{ parsed func() *parsed }

// parsed is a site whose pages can be shown.
type parsed struct {
	words Words
	pages map[Lang]map[string]*template.Template
}

// Page is what a handler hands to the frame.
type Page struct {
	// Title stands in the browser's tab; in the reader's language.
	Title string
	// Lang is the language; empty means that of the request.
	Lang Lang
	// Bare leaves header and footer to the body, as the payment window does.
	Bare bool
	// Wide uses the width of a console; otherwise the text keeps to one column.
	Wide bool
	// Test shows that no real money moves here.
	Test bool
	// Nav are the links of the header.
	Nav []Link
	// Owner stands beside the brand: the shop or the person signed in.
	Owner string
	// SignOut is where the form goes that ends the sign-in; empty shows none.
	SignOut string
	// Scripts and Styles are addresses of further files, from Assets.Path.
	Scripts, Styles []string
	// Class is put on the body.
	Class string
	// Policy is what the page allows beyond the ordinary.
	Policy Policy
	// Data is the body's dot.
	Data any
}

// Link is one entry of the header.
type Link struct {
	Text, To string
	Here     bool // the page that is being shown
}

// view is the frame's dot.
type view struct {
	Page
	Switch string // address of the same page in the other language; empty if there is none
}

// NewSite names a site and does nothing more: most commands of the program show no page.
func NewSite(source Source) *Site {
	return &Site{sync.OnceValue(func() *parsed {
		site, problems := build(source)
		if len(problems) > 0 {
			panic("ui: " + strings.Join(problems, "\nui: "))
		}
		return site
	})}
}

// Ready parses every page in every language and checks the catalogue, once. Who
// serves the site calls it when it starts; otherwise the first visitor waits for
// it. What it finds wrong is a fault of the program, so it panics with the whole list.
func (s *Site) Ready() { s.parsed() }

func build(source Source) (*parsed, []string) {
	words, err := Shared.join(source.Words)
	if err != nil {
		return nil, []string{err.Error()}
	}
	problems := words.problems()
	site := &parsed{words: words, pages: map[Lang]map[string]*template.Template{}}
	for _, lang := range Langs() {
		pages, err := parsePages(source, words, lang)
		if err != nil {
			return nil, append(problems, err.Error())
		}
		site.pages[lang] = pages
	}
	return site, append(problems, site.missing()...)
}

func parsePages(source Source, words Words, lang Lang) (map[string]*template.Template, error) {
	frame := template.New("frame").Funcs(functions(words, lang, source.Assets)).Funcs(source.Funcs)
	if _, err := frame.ParseFS(frameFiles, "frame/*.html"); err != nil {
		return nil, err
	}
	names, err := fs.Glob(source.Pages, "*.html")
	if err != nil {
		return nil, err
	}
	if parts := slices.DeleteFunc(slices.Clone(names), isBody); len(parts) > 0 {
		if _, err := frame.ParseFS(source.Pages, parts...); err != nil {
			return nil, err
		}
	}
	pages := map[string]*template.Template{}
	for _, name := range slices.DeleteFunc(names, isPart) {
		page, err := parsePage(frame, source.Pages, name)
		if err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(name, ".html")] = page
	}
	return pages, nil
}

func isPart(name string) bool { return strings.HasPrefix(path.Base(name), "_") }
func isBody(name string) bool { return !isPart(name) }

func parsePage(frame *template.Template, pages fs.FS, name string) (*template.Template, error) {
	text, err := fs.ReadFile(pages, name)
	if err != nil {
		return nil, err
	}
	page, err := frame.Clone()
	if err != nil {
		return nil, err
	}
	if _, err := page.New("body").Parse(string(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return page, nil
}

func functions(words Words, lang Lang, own *Assets) template.FuncMap {
	return template.FuncMap{
		"t":       func(key string, args ...any) string { return words.In(lang, key, args...) },
		"has":     func(key string) bool { _, ok := words[key]; return ok },
		"lang":    func() string { return string(lang) },
		"won":     func(amount money.Won) string { return Won(lang, amount) },
		"day":     func(d bizday.Date) string { return Day(lang, d) },
		"instant": func(t time.Time) string { return Instant(lang, t) },
		"stamp":   Stamp,
		"iso":     ISO,
		"pair":    pair,
		"asset": func(name string) string {
			if own != nil && own.files[name] != nil {
				return own.Path(name)
			}
			return shared.Path(name)
		},
	}
}

func pair(parts ...any) (map[string]any, error) {
	if len(parts)%2 != 0 {
		return nil, errors.New("pair wants names and values")
	}
	pairs := map[string]any{}
	for i := 0; i < len(parts); i += 2 {
		name, ok := parts[i].(string)
		if !ok {
			return nil, fmt.Errorf("pair: %v is not a name", parts[i])
		}
		pairs[name] = parts[i+1]
	}
	return pairs, nil
}

// missing lists the keys that templates name as a constant and the catalogue
// lacks, and the parts that they use and nobody defines.
func (s *parsed) missing() []string {
	lost := map[string]bool{}
	for name, page := range s.pages[Korean] {
		for _, part := range page.Templates() {
			if part.Tree == nil {
				continue
			}
			walk(part.Tree.Root, func(node parse.Node) {
				if key, ok := textKey(node); ok && s.words[key] == (Text{}) {
					lost[fmt.Sprintf("page %s: no text for %q", name, key)] = true
				}
				if use, ok := node.(*parse.TemplateNode); ok && page.Lookup(use.Name) == nil {
					lost[fmt.Sprintf("page %s: no part %q", name, use.Name)] = true
				}
			})
		}
	}
	return slices.Sorted(maps.Keys(lost))
}

// textKey is the constant key of a call of t.
func textKey(node parse.Node) (string, bool) {
	call, ok := node.(*parse.CommandNode)
	if !ok || len(call.Args) < 2 {
		return "", false
	}
	name, named := call.Args[0].(*parse.IdentifierNode)
	key, constant := call.Args[1].(*parse.StringNode)
	if !named || !constant || name.Ident != "t" {
		return "", false
	}
	return key.Text, true
}

// walk tells every node of a template.
func walk(node parse.Node, tell func(parse.Node)) {
	tell(node)
	switch n := node.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			walk(child, tell)
		}
	case *parse.ActionNode:
		walk(n.Pipe, tell)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, tell)
		}
	case *parse.IfNode:
		walkBranch(&n.BranchNode, tell)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, tell)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, tell)
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			walk(command, tell)
		}
	case *parse.CommandNode:
		for _, arg := range n.Args {
			walk(arg, tell)
		}
	}
}

func walkBranch(n *parse.BranchNode, tell func(parse.Node)) {
	walk(n.Pipe, tell)
	walk(n.List, tell)
	if n.ElseList != nil {
		walk(n.ElseList, tell)
	}
}

// Say returns a text of the site.
func (s *Site) Say(l Lang, key string, args ...any) string {
	return s.parsed().words.In(l, key, args...)
}

// Render writes a page with its security headers. The page is complete before
// its first byte leaves, so a fault shows an error page and never half a page.
func (s *Site) Render(w http.ResponseWriter, r *http.Request, status int, name string, page Page) {
	switched := ""
	if page.Lang == "" {
		page.Lang = Language(r)
		switched = switchAddress(r, page.Lang)
	}
	template, ok := s.parsed().pages[page.Lang][name]
	if !ok {
		panic("ui: no page " + name)
	}
	var out bytes.Buffer
	if err := template.ExecuteTemplate(&out, "frame", view{Page: page, Switch: switched}); err != nil {
		slog.ErrorContext(r.Context(), "page not rendered", "page", name, "error", err)
		Policy{}.Set(w.Header())
		http.Error(w, Shared.In(page.Lang, "error.title"), http.StatusInternalServerError)
		return
	}
	page.Policy.Set(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(page.Lang))
	w.Header().Set("Content-Length", fmt.Sprint(out.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.Bytes()) // the reader has gone; nobody is left to tell
	}
}

// switchAddress is the address of a page in the other language. The answer to a
// form has no address of its own.
func switchAddress(r *http.Request, lang Lang) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return ""
	}
	query := r.URL.Query()
	query.Set("lang", string(lang.Other()))
	return (&url.URL{Path: r.URL.Path, RawQuery: query.Encode()}).String()
}
