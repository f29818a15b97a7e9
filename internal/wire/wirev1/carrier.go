package wirev1

// CarrierETC is the code that every carrier outside the table is stored under.
const CarrierETC = "ETC"

// Carrier is a parcel company as this dialect names it.
type Carrier struct {
	// Code is what a shop sends as company.
	Code string
	// Korean is the company's name today.
	Korean string
	// Successor is the code that took this one's place, or empty.
	Successor string
}

// carriers is the table of codes, the same for every gateway.
var carriers = []Carrier{
	{Code: "CJGLS", Korean: "CJ대한통운"},
	{Code: "HANJIN", Korean: "한진택배"},
	{Code: "HYUNDAI", Korean: "롯데택배"},
	{Code: "KGB", Korean: "로젠택배"},
	{Code: "EPOST", Korean: "우체국택배"},
	{Code: "HANARO", Korean: "하나로택배"},
	{Code: "SAGAWA", Korean: "SC로지스"},
	{Code: "YELLOWCAP", Korean: "옐로우캡"},
	{Code: "DONGBU", Korean: "동부택배"},
	{Code: "DAESIN", Korean: "대신택배"},
	{Code: "REGISTPOST", Korean: "우편등기"},
	{Code: "CHUNIL", Korean: "천일택배"},
	{Code: "ILYANG", Korean: "일양로지스"},
	{Code: "CVSNET", Korean: "편의점택배"},
	{Code: "KDEXP", Korean: "경동택배"},
	{Code: "HONAM", Korean: "우리택배"},
	{Code: "HDEXP", Korean: "합동택배"},
	{Code: "LOGEN", Korean: "로젠택배", Successor: "KGB"},
	{Code: "KOREX", Korean: "CJ대한통운", Successor: "CJGLS"},
	{Code: CarrierETC, Korean: "기타"},
}

var carrierByCode = func() map[string]Carrier {
	byCode := make(map[string]Carrier, len(carriers))
	for _, c := range carriers {
		byCode[c.Code] = c
	}
	return byCode
}()

// Carriers returns the table in the order of a choice list.
func Carriers() []Carrier { return append([]Carrier(nil), carriers...) }

// CarrierCode returns the code under which a delivery of company is stored: the
// company itself if the table has it, else [CarrierETC]. Shops send names of
// their own; the dialect never refuses one.
func CarrierCode(company string) string {
	if _, ok := carrierByCode[company]; ok {
		return company
	}
	return CarrierETC
}
