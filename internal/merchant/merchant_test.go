package merchant

import (
	"strings"
	"testing"
)

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		url     string
		sandbox string // part of the refusal; empty if it is accepted
		live    string
	}{
		{"https://shop.example/hook?a=1", "", ""},
		{"http://shop.example:1/", "", ""}, {"http://shop.example:65535/", "", ""}, {"http://203.0.113.7:8080/", "", ""}, {"http://[2001:db8::1]/", "", ""},
		{"http://shop.example:0/", "port 0", "port 0"}, {"http://shop.example:65536/", "port 65536", "port 65536"},
		{"http://shop.example:99999999999999999999/", "port", "port"},
		{"ftp://shop.example/", "http", "http"}, {"http://a:b@shop.example/", "credentials", "credentials"}, {"http://shop.example/#x", "fragment", "fragment"},
		{"http://127.0.0.1:3000/", "", "127.0.0.1 is a private"}, {"http://10.1.2.3/", "", "private"}, {"http://192.168.0.1/", "", "private"},
		{"http://172.16.0.1/", "", "private"}, {"http://169.254.169.254/", "", "private or special"}, {"http://0.0.0.0/", "", "special"},
		{"http://[::1]:80/", "", "::1 is"}, {"http://[fd00::1]/", "", "private"}, {"http://[::ffff:127.0.0.1]/", "", "127.0.0.1"},
	} {
		for mode, want := range map[Mode]string{Sandbox: c.sandbox, Live: c.live} {
			m := Merchant{Mode: mode}
			err := m.CheckURL(c.url)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s of a %s shop: %v, want %q", c.url, mode, err, want)
			}
		}
	}
}
