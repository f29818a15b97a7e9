package wirev1

import "github.com/holdfast-pay/holdfast/internal/krcarrier"

// CarrierETC is the code of every carrier outside the table.
const CarrierETC = "ETC"

// Carrier is a parcel company as this dialect names it.
type Carrier struct {
	// Code is what a shop sends as company.
	Code string
	// House is Holdfast's own code of the same company, see krcarrier.
	House string
	// Korean is the company's name today.
	Korean string
	// Former says that another code has taken this one's place; it is still
	// understood and never given out.
	Former bool
}

// carriers is the table of codes, the same for every gateway.
var carriers = []Carrier{
	{Code: "CJGLS", House: "CJ", Korean: "CJ대한통운"},
	{Code: "HANJIN", House: "HANJIN", Korean: "한진택배"},
	{Code: "HYUNDAI", House: "LOTTE", Korean: "롯데택배"},
	{Code: "KGB", House: "LOGEN", Korean: "로젠택배"},
	{Code: "EPOST", House: "POST", Korean: "우체국택배"},
	{Code: "HANARO", House: "HANARO", Korean: "하나로택배"},
	{Code: "SAGAWA", House: "SAGAWA", Korean: "SC로지스"},
	{Code: "YELLOWCAP", House: "YELLOWCAP", Korean: "옐로우캡"},
	{Code: "DONGBU", House: "DONGWON", Korean: "동부택배"},
	{Code: "DAESIN", House: "DAESIN", Korean: "대신택배"},
	{Code: "REGISTPOST", House: "POST_REGISTERED", Korean: "우편등기"},
	{Code: "CHUNIL", House: "CHUNIL", Korean: "천일택배"},
	{Code: "ILYANG", House: "ILYANG", Korean: "일양로지스"},
	{Code: "CVSNET", House: "GS", Korean: "편의점택배"},
	{Code: "KDEXP", House: "KYUNGDONG", Korean: "경동택배"},
	{Code: "HONAM", House: "WOORI", Korean: "우리택배"},
	{Code: "HDEXP", House: "HAPDONG", Korean: "합동택배"},
	{Code: "LOGEN", House: "LOGEN", Korean: "로젠택배", Former: true},
	{Code: "KOREX", House: "CJ", Korean: "CJ대한통운", Former: true},
	{Code: CarrierETC, House: krcarrier.Other, Korean: "기타"},
}

var houseByCode, codeByHouse = func() (map[string]string, map[string]string) {
	house, code := map[string]string{}, map[string]string{}
	for _, c := range carriers {
		house[c.Code] = c.House
		if !c.Former {
			code[c.House] = c.Code
		}
	}
	return house, code
}()

// CarrierOf returns Holdfast's code for the company that a shop sent. A company
// that is not in the table becomes [krcarrier.Other]: shops send names of their own,
// and the dialect never refuses one.
func CarrierOf(company string) string {
	if house, ok := houseByCode[company]; ok {
		return house
	}
	return krcarrier.Other
}

// CompanyOf returns what this dialect calls one of Holdfast's carriers;
// [CarrierETC] if it has no word for it.
func CompanyOf(carrier string) string {
	if code, ok := codeByHouse[carrier]; ok {
		return code
	}
	return CarrierETC
}
