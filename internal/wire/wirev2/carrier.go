package wirev2

import "slices"

// carriers are the companies of this dialect. Its words are Holdfast's own codes (see
// krcarrier), of which it lacks some.
var carriers = []string{
	"LOTTE", "LOGEN", "DONGWON", "POST", "CJ", "HANJIN", "DAESIN", "ILYANG", "KYUNGDONG", "CHUNIL", "POST_REGISTERED", "GS", "WOORI", "HAPDONG", "FEDEX",
	"UPS", "GSM_NTON", "SUNGWON", "LX_PANTOS", "ACI", "CJ_INTL", "USPS", "EMS", "DHL", "KGL", "GOODSTOLUCK", "KUNYOUNG", "SLX", "SF", CarrierETC,
}

// CarrierETC is every company that has no word of its own.
const CarrierETC = "ETC"

// CompanyOf is what this dialect calls one of Holdfast's carriers; [CarrierETC] if it
// has no word for it.
func CompanyOf(carrier string) string {
	if slices.Contains(carriers, carrier) {
		return carrier
	}
	return CarrierETC
}
