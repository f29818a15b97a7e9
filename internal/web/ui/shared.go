package ui

// Shared are the words of the frame and of things that every page names alike.
var Shared = Words{
	"brand":              {Ko: "홀드패스트", En: "Holdfast"},
	"brand.tagline":      {Ko: "결제대금예치(에스크로) 서비스", En: "Escrow payments"},
	"frame.skip":         {Ko: "본문으로 건너뛰기", En: "Skip to content"},
	"frame.other":        {Ko: "English", En: "한국어"},
	"frame.signout":      {Ko: "로그아웃", En: "Sign out"},
	"frame.test":         {Ko: "테스트 모드입니다. 실제 금액은 결제되지 않습니다.", En: "Test mode. No real money moves."},
	"copy":               {Ko: "복사", En: "Copy"},
	"copied":             {Ko: "복사되었습니다", En: "Copied"},
	"close":              {Ko: "닫기", En: "Close"},
	"back":               {Ko: "뒤로", En: "Back"},
	"working":            {Ko: "처리 중입니다…", En: "Working…"},
	"amount":             {Ko: "결제금액", En: "Amount"},
	"method.vbank":       {Ko: "가상계좌", En: "Virtual account"},
	"method.trans":       {Ko: "실시간 계좌이체", En: "Bank transfer"},
	"method.card":        {Ko: "신용·체크카드", En: "Card"},
	"error.title":        {Ko: "요청을 처리할 수 없습니다", En: "Something went wrong"},
	"error.again":        {Ko: "잠시 후 다시 시도해 주십시오. 문제가 계속되면 상점에 문의해 주십시오.", En: "Please try again in a moment. If it keeps happening, contact the shop."},
	"error.notfound":     {Ko: "페이지를 찾을 수 없습니다", En: "Page not found"},
	"error.notfound.say": {Ko: "주소가 올바른지 확인해 주십시오.", En: "Please check the address."},
}
