// Package krcarrier is the table of parcel carriers that Korean shops ship
// with: Holdfast's codes, their names, whether their parcels can be followed,
// and where.
//
// The table is ground: the door, the dialects, the mails and the pages read the
// same one. A code is stored for good and never changes its meaning. The
// dialects translate their own words into these codes.
package krcarrier

import (
	"regexp"
	"strings"
)

// Self is the shop that delivers by itself; there is no tracking number.
// Other stands for every carrier that is not in the table.
const (
	Self  = "SELF"
	Other = "ETC"
)

// Carrier is one row of the table.
type Carrier struct {
	Code            string
	Korean, English string
	// Trackable says that the carrier follows its parcels. It is true for every
	// company at work today, also where Holdfast cannot ask it: a parcel that
	// never shows an event is settled by the rule for silence, while one wrongly
	// called untrackable would be confirmed against the buyer before it arrived.
	Trackable bool
	// page is the address of the carrier's own tracking page up to the number;
	// empty where none is publicly known.
	page string
}

// carriers is in the order of a choice list: the large ones first.
var carriers = []Carrier{
	{"CJ", "CJ대한통운", "CJ Logistics", true, "https://trace.cjlogistics.com/next/tracking.html?wblNo="},
	{"HANJIN", "한진택배", "Hanjin Express", true, "https://www.hanjin.com/kor/CMS/DeliveryMgr/WaybillResult.do?mCode=MN038&schLang=KR&wblnumText2="},
	{"LOTTE", "롯데택배", "Lotte Global Logistics", true, "https://www.lotteglogis.com/home/reservation/tracking/linkView?InvNo="},
	{"LOGEN", "로젠택배", "Logen", true, "https://www.ilogen.com/web/personal/trace/"},
	{"POST", "우체국택배", "Korea Post Parcel", true, epost},
	{"POST_REGISTERED", "등기우편", "Korea Post Registered Mail", true, epost},
	{"KYUNGDONG", "경동택배", "Kyungdong Express", true, ""},
	{"DAESIN", "대신택배", "Daesin Parcel", true, ""},
	{"CHUNIL", "천일택배", "Chunil Parcel", true, ""},
	{"ILYANG", "일양로지스", "Ilyang Logis", true, ""},
	{"HAPDONG", "합동택배", "Hapdong Express", true, ""},
	{"KUNYOUNG", "건영택배", "Kunyoung Express", true, ""},
	{"WOORI", "우리택배", "Woori Parcel", true, ""},
	{"GS", "GS네트웍스(편의점택배)", "GS Networks (convenience store parcel)", true, ""},
	{"DONGWON", "동원로엑스", "Dongwon Loex", true, ""},
	{"SLX", "SLX", "SLX", true, ""},
	{"GOODSTOLUCK", "굿투럭", "Goodstoluck", true, ""},
	{"LX_PANTOS", "LX판토스", "LX Pantos", true, ""},
	{"SUNGWON", "성원글로벌카고", "Sungwon Global Cargo", true, ""},
	{"GSM_NTON", "GSM NtoN", "GSM NtoN", true, ""},
	{"KGL", "KGL네트웍스", "KGL Networks", true, ""},
	{"ACI", "ACI", "ACI Express", true, ""},
	{"CJ_INTL", "CJ대한통운 국제특송", "CJ Logistics International", true, ""},
	{"EMS", "EMS", "EMS", true, ""},
	{"DHL", "DHL", "DHL", true, ""},
	{"FEDEX", "FedEx", "FedEx", true, ""},
	{"UPS", "UPS", "UPS", true, ""},
	{"USPS", "USPS", "USPS", true, ""},
	{"SF", "SF Express", "SF Express", true, ""},
	{"HANARO", "하나로택배", "Hanaro Parcel (closed)", false, ""},
	{"SAGAWA", "SC로지스", "SC Logis (closed)", false, ""},
	{"YELLOWCAP", "옐로우캡", "Yellow Cap (closed)", false, ""},
	{Self, "직접 배송", "Delivered by the shop", false, ""},
	{Other, "기타", "Other", false, ""},
}

// epost serves parcels and registered mail alike.
const epost = "https://service.epost.go.kr/trace.RetrieveDomRigiTraceList.comm?sid1="

var byCode = func() map[string]Carrier {
	m := make(map[string]Carrier, len(carriers))
	for _, c := range carriers {
		m[c.Code] = c
	}
	return m
}()

// All returns the table in the order of a choice list.
func All() []Carrier { return append([]Carrier(nil), carriers...) }

// ByCode returns the carrier of one of Holdfast's codes.
func ByCode(code string) (Carrier, bool) {
	c, ok := byCode[code]
	return c, ok
}

// Trackable reports whether parcels of the carrier can be followed. A code
// outside the table cannot be.
func Trackable(code string) bool { return byCode[code].Trackable }

// Name returns the carrier's name in Korean, or in English if asked; the code
// itself if no carrier has it.
func Name(code string, english bool) string {
	c, ok := byCode[code]
	switch {
	case !ok:
		return code
	case english:
		return c.English
	default:
		return c.Korean
	}
}

// Page returns the address of the carrier's own page for a parcel. It is empty
// where no page is known and where the number has anything but letters, digits
// and hyphens in it, so that a number can never write an address of its own.
func Page(code, number string) string {
	page := byCode[code].page
	compact := Compact(number)
	if page == "" || compact == "" || strings.Trim(compact, alphanumeric) != "" {
		return ""
	}
	return page + compact
}

const (
	digits       = "0123456789"
	alphanumeric = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Number reports whether a text may be the number of a delivery by a carrier. It is
// what carriers print: letters, digits and hyphens. A delivery without a carrier of the
// table may have words instead, but nothing that belongs to a program.
func Number(code, text string) bool {
	if code == Other {
		return deliveryWords.MatchString(text)
	}
	return trackingNumber.MatchString(text)
}

var (
	trackingNumber = regexp.MustCompile(`^[0-9A-Za-z-]+$`)
	deliveryWords  = regexp.MustCompile(`^[\p{L}\p{N} ./()-]+$`)
)

// separators stand between the digits of a tracking number for the eye.
var separators = strings.NewReplacer("-", "", " ", "")

// Compact returns a tracking number without spaces and hyphens and in capitals,
// which is how carriers compare them.
func Compact(number string) string {
	return strings.ToUpper(separators.Replace(number))
}

// Doubt says why a tracking number may be mistyped. Carriers publish no binding
// rule and no gateway refuses by shape, so a doubt is shown and never refuses.
type Doubt struct{ Korean, English string }

// Doubts returns what looks wrong about a tracking number; nil if nothing does
// or if no shape is known for the carrier.
func Doubts(code, number string) *Doubt {
	n := Compact(number)
	switch code {
	case "CJ":
		return unless(isDigits(n, 10, 11, 12), "CJ대한통운 운송장번호는 숫자 10~12자리입니다.", "CJ Logistics numbers have 10 to 12 digits.")
	case "HANJIN":
		return unless(isDigits(n, 12, 14), "한진택배 운송장번호는 숫자 12자리 또는 14자리입니다.", "Hanjin numbers have 12 or 14 digits.")
	case "LOTTE":
		return doubtLotte(n)
	case "POST":
		return unless(isDigits(n, 13) && (n[0] == '6' || n[0] == '7'), "우체국택배 등기번호는 6 또는 7로 시작하는 숫자 13자리입니다.", "Korea Post parcel numbers have 13 digits and begin with 6 or 7.")
	case "POST_REGISTERED":
		return unless(isDigits(n, 13) && n[0] == '1', "등기우편 번호는 1로 시작하는 숫자 13자리입니다.", "Registered mail numbers have 13 digits and begin with 1.")
	case "EMS":
		return unless(isPostal(n), "EMS 번호는 영문 2자, 숫자 9자, 영문 2자입니다.", "EMS numbers are two letters, nine digits and two letters.")
	default:
		return nil
	}
}

// doubtLotte checks the last digit too, which is the remainder of the eleven
// before it by seven.
func doubtLotte(n string) *Doubt {
	if !isDigits(n, 12) {
		return &Doubt{"롯데택배 운송장번호는 숫자 12자리입니다.", "Lotte numbers have 12 digits."}
	}
	rest := 0
	for _, c := range n[:11] {
		rest = (rest*10 + int(c-'0')) % 7
	}
	return unless(rest == int(n[11]-'0'), "롯데택배 운송장번호의 마지막 숫자가 맞지 않습니다. 번호를 다시 확인해 주십시오.", "The last digit of this Lotte number does not fit the others. Please check it.")
}

func unless(ok bool, korean, english string) *Doubt {
	if ok {
		return nil
	}
	return &Doubt{korean, english}
}

func isDigits(n string, lengths ...int) bool {
	if strings.Trim(n, digits) != "" {
		return false
	}
	for _, l := range lengths {
		if len(n) == l {
			return true
		}
	}
	return false
}

// isPostal reports the shape of an international postal item (UPU S10).
func isPostal(n string) bool {
	return len(n) == 13 && isDigits(n[2:11], 9) && strings.Trim(n[:2]+n[11:], alphanumeric[len(digits):]) == ""
}
