package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestEndpointPages: an endpoint is made with a secret that is shown once, tested,
// rotated, switched off and deleted; one that is refused says why.
func TestEndpointPages(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer shop.Close()
	b.send("/console/endpoints", url.Values{"url": {"ftp://x"}, "format": {"2024-04-25"}}).is(http.StatusUnprocessableEntity, "받는 주소를 추가하지 못했습니다.", "ftp://x")
	b.send("/console/endpoints", url.Values{"url": {shop.URL + "/hook"}, "format": {"2024-04-25"}, "escrow": {"1"}}).is(http.StatusOK, "whsec_", "한 번만 표시됩니다")
	list := b.get("/console/webhooks").is(http.StatusOK, shop.URL+"/hook", "Escrow.*", "사용 중").lacks("whsec_", "웹훅 주소가 설정되어 있지 않습니다")
	id := regexp.MustCompile(`whe_[a-z0-9]+`).FindString(list.text)
	to := "/console/endpoints/" + id + "/"
	b.send(to+"test", nil).is(http.StatusOK, "시험 웹훅을 보냅니다.", "Holdfast.Test")
	s.Drain()
	b.get("/console/webhooks?endpoint="+id).is(http.StatusOK, "Holdfast.Test", "전달됨")
	b.send(to+"rotate", nil).is(http.StatusOK, "whsec_", "이전 비밀키 폐기")
	b.send(to+"rotate", nil).is(http.StatusUnprocessableEntity, "먼저 이전 비밀키를 폐기해 주십시오.").lacks("whsec_")
	b.send(to+"drop-old-secret", nil).is(http.StatusOK, "이전 비밀키를 폐기했습니다.").lacks("whsec_")
	b.send(to+"off", nil).is(http.StatusOK, "중지됨", "다시 사용")
	b.send(to+"test", nil).is(http.StatusUnprocessableEntity, "사용이 중지된 받는 주소입니다.")
	s.held()
	s.Drain()
	missed := b.get("/console/webhooks?state=failed").is(http.StatusOK, "Transaction.Paid", "Escrow.HoldStarted")
	if n := strings.Count(missed.text, shop.URL+"/hook"); n < 3 {
		t.Errorf("%d calls are shown that never arrived", n)
	}
	resend := "/console/webhooks/" + regexp.MustCompile(`/console/webhooks/([^"?]+)"`).FindStringSubmatch(missed.text)[1] + "/resend"
	b.send(resend, nil).is(http.StatusUnprocessableEntity, "사용이 중지된 받는 주소입니다.", "다시 보내기")
	b.send(to+"on", nil).is(http.StatusOK, "사용 중")
	b.send(to+"replay", nil).is(http.StatusOK, "실패한 웹훅을 다시 보냅니다.")
	s.Drain()
	b.get("/console/webhooks?state=failed").is(http.StatusOK, "아직 보낸 웹훅이 없습니다.")
	b.send(to+"delete", nil).is(http.StatusOK, "삭제했습니다").lacks(id + "/")
	b.send(resend, nil).is(http.StatusUnprocessableEntity, "이미 삭제되었을 수 있습니다.")
	b.send(to+"on", nil).is(http.StatusNotFound)
	b.send(to+"dance", nil).is(http.StatusNotFound)
}
