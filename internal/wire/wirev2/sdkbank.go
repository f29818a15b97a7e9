package wirev2

import "strings"

// sdkBanks are the names of banks in the browser SDK, which spells them unlike
// the REST API, with their national codes.
var sdkBanks = map[string]string{
	"BANK_OF_KOREA":               "001",
	"KOREA_DEVELOPMENT_BANK":      "002",
	"INDUSTRIAL_BANK_OF_KOREA":    "003",
	"KOOKMIN_BANK":                "004",
	"SUHYUP_BANK":                 "007",
	"EXPORT_IMPORT_BANK_OF_KOREA": "008",
	"NH_NONGHYUP_BANK":            "011",
	"LOCAL_NONGHYUP":              "012",
	"WOORI_BANK":                  "020",
	"SC_BANK_KOREA":               "023",
	"CITI_BANK_KOREA":             "027",
	"DAEGU_BANK":                  "031",
	"BUSAN_BANK":                  "032",
	"GWANGJU_BANK":                "034",
	"JEJU_BANK":                   "035",
	"JEONBUK_BANK":                "037",
	"KYONGNAM_BANK":               "039",
	"KFCC":                        "045",
	"SHINHYUP":                    "048",
	"SAVINGS_BANK_KOREA":          "050",
	"MORGAN_STANLEY_BANK":         "052",
	"HSBC_BANK":                   "054",
	"DEUTSCHE_BANK":               "055",
	"JP_MORGAN_CHASE_BANK":        "057",
	"MIZUHO_BANK":                 "058",
	"MUFG_BANK":                   "059",
	"BANK_OF_AMERICA_BANK":        "060",
	"BNP_PARIBAS_BANK":            "061",
	"ICBC":                        "062",
	"BANK_OF_CHINA":               "063",
	"NATIONAL_FORESTRY_COOPERATIVE_FEDERATION": "064",
	"UNITED_OVERSEAS_BANK":                     "065",
	"BANK_OF_COMMUNICATIONS":                   "066",
	"CHINA_CONSTRUCTION_BANK":                  "067",
	"EPOST":                                    "071",
	"KODIT":                                    "076",
	"KIBO":                                     "077",
	"HANA_BANK":                                "081",
	"SHINHAN_BANK":                             "088",
	"K_BANK":                                   "089",
	"KAKAO_BANK":                               "090",
	"TOSS_BANK":                                "092",
	"SCI":                                      "094",
	"KCIS":                                     "101",
	"YUANTA_SECURITIES":                        "209",
	"KB_SECURITIES":                            "218",
	"KTB_INVESTMENT_SECURITIES":                "227",
	"MIRAE_ASSET_SECURITIES":                   "230",
	"SAMSUNG_SECURITIES":                       "240",
	"KOREA_INVESTMENT_SECURITIES":              "243",
	"NH_INVESTMENT_SECURITIES":                 "247",
	"KYOBO_SECURITIES":                         "261",
	"HI_INVESTMENT_SECURITIES":                 "262",
	"HYUNDAI_MOTOR_SECURITIES":                 "263",
	"KIWOOM_SECURITIES":                        "264",
	"EBEST_INVESTMENT_SECURITIES":              "265",
	"SK_SECURITIES":                            "266",
	"DAISHIN_SECURITIES":                       "267",
	"HANWHA_INVESTMENT_SECURITIES":             "269",
	"HANA_FINANCIAL_INVESTMENT":                "270",
	"TOSS_SECURITIES":                          "271",
	"SHINHAN_FINANCIAL_INVESTMENT":             "278",
	"DB_FINANCIAL_INVESTMENT":                  "279",
	"EUGENE_INVESTMENT_SECURITIES":             "280",
	"MERITZ_SECURITIES":                        "287",
	"KAKAO_PAY_SECURITIES":                     "288",
	"BOOKOOK_SECURITIES":                       "290",
	"SHINYOUNG_SECURITIES":                     "291",
	"CAPE_INVESTMENT_CERTIFICATE":              "292",
	"KOREA_FOSS_SECURITIES":                    "294",
	// Single savings banks have no code of their own beside that of their federation.
	"DAISHIN_SAVINGS_BANK": "050",
	"SBI_SAVINGS_BANK":     "050",
	"HK_SAVINGS_BANK":      "050",
	"WELCOME_SAVINGS_BANK": "050",
	"SHINHAN_SAVINGS_BANK": "050",
}

// SDKBank is the national code of a bank as the browser SDK names it, with or
// without the old prefix BANK_. Names that begin with it by themselves, such as
// BANK_OF_KOREA, are looked up first. It reports false for a name that the SDK
// does not have.
func SDKBank(word string) (string, bool) {
	if code, known := sdkBanks[word]; known {
		return code, true
	}
	plain, prefixed := strings.CutPrefix(word, "BANK_")
	code, known := sdkBanks[plain]
	return code, prefixed && known
}
