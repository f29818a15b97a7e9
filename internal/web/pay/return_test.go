package pay

import (
	"net/url"
	"testing"
)

func TestTheAddressOfTheShopKeepsItsOwnQuery(t *testing.T) {
	told := result{query: url.Values{"paymentId": {"a&b"}}}
	for address, want := range map[string]string{
		"https://shop.example/done":                    "https://shop.example/done?paymentId=a%26b",
		"https://shop.example/done?z=1&a=%20x&z=2#end": "https://shop.example/done?z=1&a=%20x&z=2&paymentId=a%26b#end",
		"myapp://paid": "myapp://paid?paymentId=a%26b",
		"":             "",
		"http://[bad":  "",
	} {
		if got := told.returnTo(address); got != want {
			t.Errorf("%s\n gives %s\n  want %s", address, got, want)
		}
	}
}
