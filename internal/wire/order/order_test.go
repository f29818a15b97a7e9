package order_test

import (
	"testing"

	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
)

// TestReturnURL: the browser is led to web addresses and into the shop's app alone.
func TestReturnURL(t *testing.T) {
	for _, c := range []struct {
		address, app string
		taken        bool
	}{
		{"https://shop.example/done?a=1#b", "", true},
		{"http://[::1]:8080/", "", true},
		{"shopapp://done", "shopapp://", true},
		{"shopapp://done", "", false},
		{"javascript:alert(1)", "javascript", false},
		{"filesystem:https://shop.example/temporary/x", "filesystem", false},
		{"http:shop.example", "http", false},
		{"https:", "https", false},
		{"//shop.example/", "", false},
		{"https://buyer@shop.example/", "", false},
		{"https://shop.example;sandbox/", "", false},
		{"https://shop.example,default-src/", "", false},
		{"https://'self'/", "", false},
	} {
		f := body.Named("to", c.address, "app", c.app).Fields()
		order.ReturnURL(f, "to", "app")
		if err := f.Err(); (err == nil) != c.taken {
			t.Errorf("%q with the app %q: %v", c.address, c.app, err)
		}
	}
}
