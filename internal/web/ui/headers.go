package ui

import (
	"net/http"
	"strings"
)

// Policy is what a page allows the browser beyond showing it. The zero Policy
// is that of an ordinary page: no other site may frame it, and its forms go to
// this server alone.
type Policy struct {
	// FrameAncestors are origins that may show the page in a frame; "*" allows all.
	FrameAncestors []string
	// FormActions are origins beside our own that a form may lead to, also by a
	// redirect: browsers hold redirects after a form to the form's policy.
	FormActions []string
	// OwnFrames lets the page show other addresses of this server in a frame.
	OwnFrames bool
}

// Set writes the security headers of a page. Scripts, styles and pictures come
// from this server alone (pictures also from data: addresses, as Pico's icons
// do); nothing is stored on the way; the address, which may carry a token, is
// not told to other sites.
func (p Policy) Set(h http.Header) {
	ancestors := "'none'"
	if len(p.FrameAncestors) > 0 {
		ancestors = strings.Join(p.FrameAncestors, " ")
	} else {
		h.Set("X-Frame-Options", "DENY")
	}
	actions := strings.Join(append([]string{"'self'"}, p.FormActions...), " ")
	frames := ""
	if p.OwnFrames {
		frames = "frame-src 'self'; "
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; "+frames+"base-uri 'none'; form-action "+actions+"; frame-ancestors "+ancestors)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}
