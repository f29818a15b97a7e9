package wirev2

import (
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// bankByCode is what this dialect calls a bank of the national table. Merged
// institutions whose code lives on have no word of their own here.
var bankByCode = map[string]string{
	"001": "BANK_OF_KOREA",
	"002": "KDB",
	"003": "IBK",
	"004": "KOOKMIN",
	"007": "SUHYUP",
	"008": "KEXIM",
	"011": "NONGHYUP",
	"012": "LOCAL_NONGHYUP",
	"020": "WOORI",
	"023": "STANDARD_CHARTERED",
	"027": "CITI",
	"030": "SUHYUP_FEDERATION",
	"031": "DAEGU",
	"032": "BUSAN",
	"034": "KWANGJU",
	"035": "JEJU",
	"037": "JEONBUK",
	"039": "KYONGNAM",
	"045": "KFCC",
	"048": "SHINHYUP",
	"050": "SAVINGS_BANK",
	"052": "MORGAN_STANLEY",
	"054": "HSBC",
	"055": "DEUTSCHE",
	"057": "JPMC",
	"058": "MIZUHO",
	"059": "MUFG",
	"060": "BANK_OF_AMERICA",
	"061": "BNP_PARIBAS",
	"062": "ICBC",
	"063": "BANK_OF_CHINA",
	"064": "NFCF",
	"065": "UOB",
	"066": "BOCOM",
	"067": "CCB",
	"071": "POST",
	"076": "KODIT",
	"077": "KIBO",
	"081": "HANA",
	"088": "SHINHAN",
	"089": "K_BANK",
	"090": "KAKAO",
	"092": "TOSS",
	"094": "SGI",
	"101": "KCIS",
	"209": "YUANTA_SECURITIES",
	"218": "KB_SECURITIES",
	"221": "SANGSANGIN_SECURITIES",
	"222": "HANYANG_SECURITIES",
	"223": "LEADING_SECURITIES",
	"224": "BNK_SECURITIES",
	"225": "IBK_SECURITIES",
	"227": "DAOL_SECURITIES",
	"230": "MIRAE_ASSET_SECURITIES",
	"240": "SAMSUNG_SECURITIES",
	"243": "KOREA_SECURITIES",
	"247": "NH_SECURITIES",
	"261": "KYOBO_SECURITIES",
	"262": "HI_SECURITIES",
	"263": "HYUNDAI_MOTOR_SECURITIES",
	"264": "KIWOOM_SECURITIES",
	"265": "EBEST_SECURITIES",
	"266": "SK_SECURITIES",
	"267": "DAISHIN_SECURITIES",
	"269": "HANHWA_SECURITIES",
	"270": "HANA_SECURITIES",
	"271": "TOSS_SECURITIES",
	"278": "SHINHAN_SECURITIES",
	"279": "DB_SECURITIES",
	"280": "EUGENE_SECURITIES",
	"287": "MERITZ_SECURITIES",
	"288": "KAKAO_PAY_SECURITIES",
	"290": "BOOKOOK_SECURITIES",
	"291": "SHINYOUNG_SECURITIES",
	"292": "CAPE_SECURITIES",
	"293": "KOREA_SECURITIES_FINANCE",
	"294": "KOREA_FOSS_SECURITIES",
	"295": "WOORI_INVESTMENT_BANK",
}

var codeByBank = func() map[string]string {
	m := make(map[string]string, len(bankByCode))
	for code, bank := range bankByCode {
		m[bank] = code
	}
	return m
}()

// Bank is what this dialect calls the bank of a national code; empty if it has no
// word for it.
func Bank(code string) string { return bankByCode[code] }

// BankCode is the national code of one of this dialect's banks.
func BankCode(bank string) (string, bool) {
	code, known := codeByBank[bank]
	return code, known
}

// BankInfo is a bank with its name.
type BankInfo struct {
	Bank string   `json:"bank"`
	Name BankName `json:"name"`
}

// BankName is a name in the languages that are known.
type BankName struct {
	Ko string `json:"ko"`
}

// Banks are the banks of this dialect in the order of their national codes.
func Banks() Items[BankInfo] {
	var out []BankInfo
	for _, b := range krbank.All() {
		if word := Bank(b.Code); word != "" {
			out = append(out, BankInfo{Bank: word, Name: BankName{Ko: b.Korean}})
		}
	}
	return Items[BankInfo]{Items: out}
}

// bankMax bounds a bank's word, in characters.
const bankMax = 40

var reasonBank = body.Reason{Code: "bank", English: "is no bank of the table at GET /banks", Korean: "존재하지 않는 은행입니다. GET /banks의 값을 사용해 주세요"}

// TakeBank takes a bank and returns its national code.
func TakeBank(f *body.Fields, name string) string {
	return f.Spelt(name, bankMax, reasonBank, BankCode)
}
