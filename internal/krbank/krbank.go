// Package krbank is the national table of Korean banks: three-digit codes and
// names, and what an account number looks like.
//
// The codes are those of the Korea Financial Telecommunications and Clearings
// Institute, which banks, gateways and shops all use. The table is ground: the
// dialects, the pages and the bank rails read the same one.
package krbank

import "strings"

// Bank is a bank or other institution that has a national code.
type Bank struct {
	// Code is the national three-digit code.
	Code string
	// Korean and English are its names. Codes of merged institutions keep the
	// name under which the code was given out.
	Korean, English string
}

// banks is ordered by code.
var banks = []Bank{
	{"001", "한국은행", "Bank of Korea"},
	{"002", "산업은행", "Korea Development Bank"},
	{"003", "기업은행", "Industrial Bank of Korea"},
	{"004", "KB국민은행", "KB Kookmin Bank"},
	{"005", "외환은행", "Korea Exchange Bank"},
	{"007", "수협은행", "Suhyup Bank"},
	{"008", "수출입은행", "Export-Import Bank of Korea"},
	{"011", "NH농협은행", "NH NongHyup Bank"},
	{"012", "지역농·축협", "Local NongHyup"},
	{"020", "우리은행", "Woori Bank"},
	{"023", "SC제일은행", "SC First Bank Korea"},
	{"027", "한국씨티은행", "Citibank Korea"},
	{"030", "수협중앙회", "National Federation of Fisheries Cooperatives"},
	{"031", "대구은행(iM뱅크)", "Daegu Bank (iM Bank)"},
	{"032", "부산은행", "Busan Bank"},
	{"034", "광주은행", "Kwangju Bank"},
	{"035", "제주은행", "Jeju Bank"},
	{"037", "전북은행", "Jeonbuk Bank"},
	{"039", "경남은행", "Kyongnam Bank"},
	{"045", "새마을금고", "Korean Federation of Community Credit Cooperatives"},
	{"048", "신협", "National Credit Union Federation of Korea"},
	{"050", "저축은행", "Mutual Savings Banks"},
	{"052", "모건스탠리은행", "Morgan Stanley Bank"},
	{"054", "HSBC은행", "HSBC"},
	{"055", "도이치은행", "Deutsche Bank"},
	{"056", "알비에스피엘씨은행", "RBS"},
	{"057", "제이피모간체이스은행", "JPMorgan Chase Bank"},
	{"058", "미즈호은행", "Mizuho Bank"},
	{"059", "엠유에프지은행", "MUFG Bank"},
	{"060", "BOA은행", "Bank of America"},
	{"061", "비엔피파리바은행", "BNP Paribas"},
	{"062", "중국공상은행", "Industrial and Commercial Bank of China"},
	{"063", "중국은행", "Bank of China"},
	{"064", "산림조합중앙회", "National Forestry Cooperative Federation"},
	{"065", "대화은행", "United Overseas Bank"},
	{"066", "교통은행", "Bank of Communications"},
	{"067", "중국건설은행", "China Construction Bank"},
	{"071", "우체국", "Korea Post"},
	{"076", "신용보증기금", "Korea Credit Guarantee Fund"},
	{"077", "기술보증기금", "Korea Technology Finance Corporation"},
	{"081", "하나은행", "Hana Bank"},
	{"088", "신한은행", "Shinhan Bank"},
	{"089", "케이뱅크", "K bank"},
	{"090", "카카오뱅크", "KakaoBank"},
	{"092", "토스뱅크", "Toss Bank"},
	{"093", "한국주택금융공사", "Korea Housing Finance Corporation"},
	{"094", "서울보증보험", "Seoul Guarantee Insurance"},
	{"095", "경찰청", "Korean National Police Agency"},
	{"096", "한국전자금융", "NICE Total Cash Management"},
	{"099", "금융결제원", "Korea Financial Telecommunications and Clearings Institute"},
	{"101", "한국신용정보원", "Korea Credit Information Services"},
	{"209", "유안타증권", "Yuanta Securities"},
	{"218", "KB증권", "KB Securities"},
	{"221", "상상인증권", "Sangsangin Investment & Securities"},
	{"222", "한양증권", "Hanyang Securities"},
	{"223", "리딩투자증권", "Leading Investment & Securities"},
	{"224", "BNK투자증권", "BNK Securities"},
	{"225", "IBK투자증권", "IBK Securities"},
	{"226", "KB투자증권", "KB Investment & Securities"},
	{"227", "다올투자증권", "Daol Investment & Securities"},
	{"230", "미래에셋증권", "Mirae Asset Securities"},
	{"238", "대우증권", "Daewoo Securities"},
	{"240", "삼성증권", "Samsung Securities"},
	{"243", "한국투자증권", "Korea Investment & Securities"},
	{"247", "NH투자증권", "NH Investment & Securities"},
	{"261", "교보증권", "Kyobo Securities"},
	{"262", "하이투자증권", "Hi Investment & Securities"},
	{"263", "현대차증권", "Hyundai Motor Securities"},
	{"264", "키움증권", "Kiwoom Securities"},
	{"265", "LS증권", "LS Securities"},
	{"266", "SK증권", "SK Securities"},
	{"267", "대신증권", "Daishin Securities"},
	{"268", "솔로몬투자증권", "Solomon Investment & Securities"},
	{"269", "한화투자증권", "Hanwha Investment & Securities"},
	{"270", "하나증권", "Hana Securities"},
	{"271", "토스증권", "Toss Securities"},
	{"278", "신한투자증권", "Shinhan Securities"},
	{"279", "DB금융투자", "DB Financial Investment"},
	{"280", "유진투자증권", "Eugene Investment & Securities"},
	{"287", "메리츠증권", "Meritz Securities"},
	{"288", "카카오페이증권", "Kakao Pay Securities"},
	{"289", "엔에이치투자증권", "NH Investment & Securities (former)"},
	{"290", "부국증권", "Bookook Securities"},
	{"291", "신영증권", "Shinyoung Securities"},
	{"292", "케이프투자증권", "Cape Investment & Securities"},
	{"293", "한국증권금융", "Korea Securities Finance Corporation"},
	{"294", "한국포스증권", "Korea Foss Securities"},
	{"295", "우리종합금융", "Woori Investment Bank"},
	{"296", "삼성선물", "Samsung Futures"},
	{"297", "외환선물", "KEB Futures"},
	{"298", "현대선물", "Hyundai Futures"},
}

// issuers are the banks that virtual accounts are usually issued at, in the
// order of a choice list.
var issuers = []string{"004", "088", "020", "081", "011", "003", "071", "089", "023", "031", "032", "034", "039", "007"}

var byCode = func() map[string]Bank {
	m := make(map[string]Bank, len(banks))
	for _, b := range banks {
		m[b.Code] = b
	}
	return m
}()

// All returns the table, ordered by code.
func All() []Bank { return append([]Bank(nil), banks...) }

// ByCode returns the institution of a national three-digit code.
func ByCode(code string) (Bank, bool) {
	b, ok := byCode[code]
	return b, ok
}

// Issuers returns the banks to offer where a virtual account is issued, the
// most usual first.
func Issuers() []Bank {
	out := make([]Bank, len(issuers))
	for i, code := range issuers {
		out[i] = byCode[code]
	}
	return out
}

// Name returns the name of the bank in Korean, or in English if asked; the code
// itself if no bank has it.
func Name(code string, english bool) string {
	b, ok := byCode[code]
	switch {
	case !ok:
		return code
	case english:
		return b.English
	default:
		return b.Korean
	}
}

// An account number of a Korean bank has at least minDigits and at most
// maxDigits digits.
const (
	minDigits = 10
	maxDigits = 16
)

// Number returns an account number as digits alone, without the hyphens and
// spaces that people write into it. It reports false if anything else is in it
// or if no Korean bank has accounts of that length.
func Number(text string) (digits string, ok bool) {
	out := make([]byte, 0, maxDigits)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '-' || c == ' ':
		case c >= '0' && c <= '9' && len(out) < maxDigits:
			out = append(out, c)
		default:
			return "", false
		}
	}
	return string(out), len(out) >= minDigits
}

// shownDigits is how much of an account number is shown where it need only be recognised.
const shownDigits = 4

// Masked is an account number of which the last four digits alone can be read.
func Masked(account string) string {
	hidden := max(0, len(account)-shownDigits)
	return strings.Repeat("*", hidden) + account[hidden:]
}
