package verify

import "github.com/holdfast-pay/holdfast/internal/web/ui"

// words are the texts of the page.
var words = ui.Words{
	"title":                  {Ko: "구매안전서비스 가입 사실 확인", En: "Membership of the escrow service"},
	"joined":                 {Ko: "가입 중", En: "Member"},
	"notjoined":              {Ko: "가입하지 않음", En: "Not a member"},
	"joined.say":             {Ko: "이 상점은 결제대금예치(에스크로) 서비스에 가입했습니다. 아래 결제수단으로 결제하실 때 에스크로를 선택하시면 구매를 확정하실 때까지 결제대금을 안전하게 보관합니다.", En: "This shop has joined the escrow service. When you pay by one of the methods below and choose escrow, your money is held until you confirm the purchase."},
	"notjoined.say":          {Ko: "이 상점은 지금 결제대금예치(에스크로) 서비스에 가입되어 있지 않습니다.", En: "This shop is not a member of the escrow service at present."},
	"shop":                   {Ko: "상점", En: "Shop"},
	"business":               {Ko: "사업자등록번호", En: "Business number"},
	"covers.virtual_account": {Ko: "가상계좌", En: "Virtual account"},
	"covers.bank_transfer":   {Ko: "실시간 계좌이체", En: "Bank transfer"},
	"covers.card":            {Ko: "신용·체크카드", En: "Card"},
	"since":                  {Ko: "%s부터", En: "since %s"},
	"asked":                  {Ko: "확인한 때", En: "Checked at"},
	"agent.title":            {Ko: "서비스 제공자", En: "Service provider"},
	"agent.name":             {Ko: "상호", En: "Name"},
	"agent.registration":     {Ko: "등록번호", En: "Registration"},
	"agent.contact":          {Ko: "문의", En: "Contact"},
	"unknown.title":          {Ko: "가입 정보를 찾을 수 없습니다", En: "No such member"},
	"unknown.say":            {Ko: "이 주소로 확인할 수 있는 상점이 없습니다. 구매하시기 전에 상점에 확인해 주십시오.", En: "No shop can be verified at this address. Please check with the shop before you buy."},
}
