package apiv1_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/api/apiv1"
)

func TestPathsNeverRedirect(t *testing.T) {
	w := newWorld(t)
	id := w.issue(object{"merchant_uid": "주문 1/2"})
	for _, path := range []string{
		"/payments/" + id, "/payments/" + id + "/", "//payments//" + id, "/payments/" + id + "/?include_sandbox=true",
		"/payments/find/%EC%A3%BC%EB%AC%B8%201%2F2", "/payments/find/%EC%A3%BC%EB%AC%B8%201%2F2/", "/payments/find/%EC%A3%BC%EB%AC%B8%201%2F2/undefined",
		"/payments/findAll/%EC%A3%BC%EB%AC%B8%201%2F2/", "/payments/findAll/%EC%A3%BC%EB%AC%B8%201%2F2/all", "/payments/?imp_uid[]=" + id,
		"/banks/", "/users/pg/",
	} {
		t.Run(path, func(t *testing.T) { w.get(path).want(200, 0) })
	}
	w.post("/payments/cancel/", object{"imp_uid": "imp_000000000000"}).want(200, 1)
}

func TestUnknownPathsAndMethods(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/nothing", "/payments/a/b/c/d", "/v2/payments"} {
		w.get(path).want(404, -1)
	}
	for path, allow := range map[string]string{
		"DELETE /payments/cancel":                "GET, POST",
		"PUT /payments/imp_000000000000":         "GET",
		"DELETE /banks":                          "GET",
		"GET /users/getToken":                    "POST",
		"POST /banks/":                           "GET",
		"PATCH /escrows/logis/imp_000000000000":  "GET, POST, PUT",
		"DELETE /escrows/logis/imp_000000000000": "GET, POST, PUT",
		"TRACE /banks":                           "GET",
		"OPTIONS /payments/cancel":               "GET, POST",
		"PURGE /banks":                           "GET",
	} {
		method, path, _ := strings.Cut(path, " ")
		r := w.do(request{method: method, path: path})
		r.want(405, -1)
		if got := r.header.Get("Allow"); got != allow {
			t.Errorf("%s %s: Allow is %q, want %q", method, path, got, allow)
		}
	}
}

func TestHeadIsAnswered(t *testing.T) {
	w := newWorld(t)
	req, _ := http.NewRequest(http.MethodHead, w.url+"/banks", nil)
	req.Header.Set("Authorization", w.shop.token)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("got %d", res.StatusCode)
	}
}

// TestBodiesThatCannotBeRead holds that such a body is refused on every writing
// call and changes nothing.
func TestBodiesThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	before := w.version(id)
	bodies := map[string]struct {
		body   string
		status int
	}{
		"nothing":            {"", 400},
		"null":               {"null", 400},
		"list":               {`[{"imp_uid":"` + id + `"}]`, 400},
		"trailing garbage":   {`{"imp_uid":"` + id + `"} x`, 400},
		"duplicate key":      {`{"imp_uid":"` + id + `","imp_uid":"` + id + `"}`, 400},
		"byte order mark":    {"\xEF\xBB\xBF" + `{"imp_uid":"` + id + `"}`, 400},
		"NUL":                {`{"imp_uid":"` + id + `","reason":"a\u0000b"}`, 400},
		"invalid UTF-8":      {`{"imp_uid":"` + id + `","reason":"` + "a\xffb" + `"}`, 400},
		"lone surrogate":     {`{"imp_uid":"` + id + `","reason":"\ud800"}`, 400},
		"deep":               {`{"imp_uid":"` + id + `","x":` + strings.Repeat("[", 10_001), 400},
		"cut":                {`{"imp_uid":"` + id, 400},
		"form, semicolon":    {"imp_uid=" + id + ";reason=x", 400},
		"form, mixed names":  {"imp_uid=" + id + "&a[]=1&a[5]=2&a[x]=3", 400},
		"form, NUL":          {"imp_uid=" + id + "&reason=%00", 400},
		"over 1 MiB":         {`{"imp_uid":"` + id + `","reason":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		"form over 1 MiB":    {"imp_uid=" + id + "&reason=" + strings.Repeat("x", 1<<20), 413},
		"multipart":          {"--x\r\nContent-Disposition: form-data; name=\"imp_uid\"\r\n\r\n" + id + "\r\n--x--\r\n", 400},
		"form without value": {"imp_uid", 400},
	}
	calls := []string{
		"POST /payments/cancel", "POST /payments/prepare", "PUT /payments/prepare", "POST /vbanks", "PUT /vbanks/" + id,
		"POST /escrows/logis/" + id, "PUT /escrows/logis/" + id, "POST /receipts/" + id, "POST /receipts/external/m",
	}
	for name, b := range bodies {
		t.Run(name, func(t *testing.T) {
			for _, call := range calls {
				method, path, _ := strings.Cut(call, " ")
				r := w.do(request{method: method, path: path, body: b.body})
				if r.status != b.status || r.Code != -1 {
					t.Errorf("%s: got %d %s, want %d", call, r.status, r.raw, b.status)
				}
			}
		})
	}
	for _, call := range []string{"DELETE /vbanks/" + id, "DELETE /receipts/" + id, "POST /payments/" + id + "/naver/confirm"} {
		method, path, _ := strings.Cut(call, " ")
		w.do(request{method: method, path: path, body: `{"a":1,"a":2}`}).want(400, -1)
	}
	if after := w.version(id); after != before {
		t.Errorf("the payment changed from version %d to %d", before, after)
	}
}

func TestCompressedBodies(t *testing.T) {
	w := newWorld(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(`{"imp_uid":"imp_000000000000"}`))
	_ = z.Close()
	h := http.Header{"Content-Encoding": {"gzip"}}
	w.do(request{method: http.MethodPost, path: "/payments/cancel", body: packed.String(), header: h}).want(415, -1)
	h = http.Header{"Content-Encoding": {"identity"}}
	w.do(request{method: http.MethodPost, path: "/payments/cancel", body: object{"imp_uid": "imp_000000000000"}, header: h}).want(200, 1)
}

func TestQueriesThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{"imp_uid[]=%00", "imp_uid[=a", "imp_uid[]=a;b", "imp_uid=%FF", "imp_uid[]=a&imp_uid[x]=b", "imp_uid=%4"} {
		w.get("/payments?"+query).want(400, -1)
	}
}

// TestOneWrite reads the raw bytes of an answer: head and body come without
// chunks, so that a client which parses each piece sees a whole document.
func TestOneWrite(t *testing.T) {
	w := newWorld(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET /banks HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nConnection: close\r\n\r\n", w.shop.token)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.ContentLength <= 0 || len(res.TransferEncoding) > 0 {
		t.Errorf("length %d, coding %v", res.ContentLength, res.TransferEncoding)
	}
}

// TestFailuresTellNothing breaks the server behind the dialect. People are told
// that something failed; what failed is in the log alone.
func TestFailuresTellNothing(t *testing.T) {
	w := newWorld(t)
	id := w.issue(nil)
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	w.get("/payments/"+id).want(500, -1).says("일시적인 오류가 발생하였습니다. 잠시 후 다시 시도해 주세요.")
	w.delete("/vbanks/"+id).want(500, -1)
	w.post("/payments/cancel", object{"imp_uid": id}).want(500, -1)
	w.do(request{method: http.MethodGet, path: "/banks"}).want(200, 0) // The token is remembered, the table needs no database.
	if !strings.Contains(w.log.String(), "v1: request failed") {
		t.Errorf("the log has %q", w.log)
	}
	w.log.Reset()
}

func TestPanicsAreAnswered(t *testing.T) {
	var log bytes.Buffer
	broken := apiv1.New(nil, slog.New(slog.NewTextHandler(&log, nil)))
	req := httptest.NewRequest(http.MethodGet, "/banks", nil)
	req.Header.Set("Authorization", "hfv1~a~b")
	res := httptest.NewRecorder()
	broken.ServeHTTP(res, req)
	const want = `{"code":-1,"message":"일시적인 오류가 발생하였습니다. 잠시 후 다시 시도해 주세요.","response":null}`
	if res.Code != 500 || res.Body.String() != want {
		t.Errorf("got %d %s", res.Code, res.Body)
	}
	if !strings.Contains(log.String(), "v1: panic") {
		t.Errorf("the log has %q", &log)
	}
}
