// Package ui is the look and the words that all pages of Holdfast share.
//
// # What a page package does with it
//
//	//go:embed all:pages
//	var files embed.FS
//
//	var site = ui.NewSite(ui.Source{Pages: sub(files, "pages"), Words: words})
//
//	site.Ready() // where its handler is made
//	site.Render(w, r, http.StatusOK, "order", ui.Page{Title: ..., Data: order})
//
// Each file pages/NAME.html is the body of the page NAME; a file whose name
// begins with an underscore holds parts ({{define}}) for the others; only "all:"
// embeds such files. The frame
// around the body (head, header, footer, language switch) is this package's.
// Dot is Page.Data. Templates are html/template, so every value is escaped by
// its place; words are plain text and carry no markup.
//
// # Functions of templates
//
//	{{t "key" args...}}   a text in the page's language, formatted as by fmt
//	{{has "key"}}         whether there is such a text
//	{{lang}}              "ko" or "en"
//	{{won .Amount}}       1,250,000원 or ₩1,250,000
//	{{day .Date}}         2026년 11월 26일(목) or Thu, 26 November 2026
//	{{instant .At}}       the same with the time of day in Korea
//	{{stamp .At}}         2026-11-26 14:05, for tables
//	{{iso .At}}           RFC 3339, for <time datetime>
//	{{asset "ui.css"}}    the address of a file in Assets
//	{{pair a b ...}}      a map for parts that need several values
//
// # What is always true
//
// A key that a template names and the catalogue lacks, a part that is not
// there, a text missing in one language, or two translations with different
// placeholders stop the program when the site is built, and so fail every test of that page package. Pages
// run under a policy without inline scripts and styles; they work without
// scripts, and ui.js only adds comfort. Pages are never cached; files are
// addressed by their content and cached for a year.
package ui
