package letter

import (
	"html"
	"strings"
)

// EndpointOff is the letter to the owner of a shop whose endpoint was switched
// off, in Korean and English. Gone says that the endpoint asked for it. Console is
// where it can be switched on again.
func EndpointOff(shop, url string, gone bool, console string) Letter {
	why, reason := "여러 날 동안 한 번도 응답하지 않아", "it has taken nothing for days"
	if gone {
		why, reason = "더 이상 받지 않겠다는 응답(410)을 보내", "it answered that it wants no more (410)"
	}
	lines := []string{
		shop + " 담당자님께",
		"",
		"웹훅을 받는 주소 " + url + " 이(가) " + why + " 전송을 중지했습니다.",
		"전달되지 않은 웹훅은 보관되어 있습니다. 주소를 점검하신 뒤 아래 화면에서 다시 사용하도록 설정하고, 실패한 웹훅을 다시 보내 주십시오.",
		console,
		"",
		"The webhook endpoint " + url + " was switched off because " + reason + ".",
		"What it missed is kept. Mend it, switch it on again and have what failed sent again at the page above.",
	}
	text := strings.Join(lines, "\n")
	return Letter{
		Subject: "[" + shop + "] 웹훅 전송이 중지되었습니다 / A webhook endpoint was switched off",
		Text:    text, HTML: "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n") + "</p>",
	}
}
