// Package order takes those parts of an order out of a request that PortOne V1
// and V2 write alike: addresses that are called, the address that the buyer
// returns to, the time until which an account may be paid into, and the number of
// an account.
//
// It knows no dialect: the caller names the members. A part that is absent is
// the zero value; one that is wrong is noted as a fault of the request, and the
// caller asks Err of the fields before it uses anything.
package order

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Bounds, in characters where they are texts.
const (
	urlMax    = 2000
	urlsMax   = 10 // addresses to be told of one payment
	schemeMax = 200
	numberMax = 24 // of an account, with hyphens
)

// ReasonURL refuses an address that is not called.
var ReasonURL = body.Reason{Code: "url", English: "must be an http or https URL without credentials or fragment; a port is 1 to 65535", Korean: "계정 정보와 프래그먼트가 없는 http 또는 https 주소여야 합니다. 포트는 1부터 65535까지입니다"}

// CallURL takes an address that the server calls.
func CallURL(f *body.Fields, name string) string {
	u := f.Text(name, urlMax)
	if u != "" && merchant.CheckURL(u) != nil {
		f.Refuse(name, ReasonURL)
	}
	return u
}

// CallURLs takes up to ten addresses that the server calls.
func CallURLs(f *body.Fields, name string) []string {
	urls := f.Texts(name, urlsMax, urlMax)
	if slices.ContainsFunc(urls, func(u string) bool { return merchant.CheckURL(u) != nil }) {
		f.Refuse(name, ReasonURL)
	}
	return urls
}

// reasonUserInfo refuses what makes one site look like another.
var reasonUserInfo = body.Reason{Code: "url", English: "must not carry a user name or password", Korean: "주소에 사용자 이름이나 비밀번호를 넣을 수 없습니다"}

func reasonReturn(scheme string) body.Reason {
	return body.Reason{
		Code: "url", English: "must be an absolute http or https URL, or one of " + scheme,
		Korean: "http 또는 https로 시작하거나 " + scheme + "으로 시작하는 전체 주소여야 합니다",
	}
}

// ReturnURL takes the address to which the window leads when it is done. The
// browser follows it, so only web addresses are allowed and those of the shop's
// own app, whose scheme is the member of the other name.
func ReturnURL(f *body.Fields, name, scheme string) string {
	raw, app := f.Text(name, urlMax), f.Text(scheme, schemeMax)
	if raw == "" {
		return ""
	}
	app, _, _ = strings.Cut(strings.ToLower(app), ":")
	u, err := url.Parse(raw)
	switch {
	case err == nil && u.User != nil:
		f.Refuse(name, reasonUserInfo)
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && !strings.ContainsAny(u.Host, policyMarks):
	case err == nil && u.Scheme != "" && u.Scheme == app && !slices.Contains(scriptSchemes, u.Scheme):
	default:
		f.Refuse(name, reasonReturn(scheme))
	}
	return raw
}

// policyMarks part the directives of a content security policy, in which the
// window names where its forms may lead. No host has them.
const policyMarks = ";,'"

// scriptSchemes are schemes that a browser runs or reads in its own name, and those
// of the web, which are no app's.
var scriptSchemes = []string{"javascript", "data", "vbscript", "blob", "file", "filesystem", "about", "http", "https"}

// dueLayouts are the four notations of a due time, all in Korean time.
var dueLayouts = []struct {
	layout  string
	dateful bool // a date alone
}{
	{"2006-01-02", true}, {"20060102", true}, {"2006-01-02 15:04:05", false}, {"20060102150405", false},
}

var reasonDue = body.Reason{
	Code: "due", English: "must be Korean time as YYYY-MM-DD, YYYYMMDD, YYYY-MM-DD HH:mm:ss or YYYYMMDDHHmmss",
	Korean: "한국 시각을 YYYY-MM-DD, YYYYMMDD, YYYY-MM-DD HH:mm:ss, YYYYMMDDHHmmss 중 한 형식으로 입력해야 합니다",
}

// Due takes a due time in one of the four notations of PortOne's browser
// scripts. A date alone means its last second in Korea.
func Due(f *body.Fields, name string) time.Time {
	text := f.Text(name, len("2006-01-02 15:04:05"))
	if text == "" {
		return time.Time{}
	}
	for _, l := range dueLayouts {
		at, err := time.ParseInLocation(l.layout, text, bizday.KST)
		switch {
		case err != nil:
		case l.dateful:
			return at.AddDate(0, 0, 1).Add(-time.Second).UTC()
		default:
			return at.UTC()
		}
	}
	f.Refuse(name, reasonDue)
	return time.Time{}
}

var reasonAccount = body.Reason{Code: "account", English: "must be an account number of 10 to 16 digits", Korean: "계좌번호는 10~16자리 숫자여야 합니다"}

// AccountNumber takes an account number with or without hyphens, and returns its digits.
func AccountNumber(f *body.Fields, name string) string {
	return f.Spelt(name, numberMax, reasonAccount, krbank.Number)
}

// Cut is a text that is only shown, without what is beyond limit characters.
func Cut(s string, limit int) string {
	runes := []rune(s)
	return string(runes[:min(limit, len(runes))])
}
