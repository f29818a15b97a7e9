package body

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse checks that whatever is accepted is sound: text is UTF-8 without
// NUL, JSON that we take is JSON to the standard library too, raw text is its
// compact form, and no getter panics on any tree.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,{"b":"\ud83d\ude00"}],"amount":1E+3}`, `a[b][0]=1&c[]=%EA%B0%80`, ` {"a":null} `,
		`u=1&u=2`, `{"a":"\u0000"}`, `[[[[`, `null`, "\ufeff{}", `a=%4`, `amount=1;b=2`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if v, err := ParseQuery(string(in)); err == nil {
			checkTree(t, v, 0)
		}
		v, err := Parse(in)
		if err != nil {
			return
		}
		checkTree(t, v, 0)
		if strings.HasPrefix(strings.TrimLeft(string(in), " \t\r\n"), "{") {
			checkJSON(t, in, v)
		}
		takeEverything(v)
	})
}

func checkTree(t *testing.T, v Value, depth int) {
	if depth > DepthMax {
		t.Fatal("deeper than the bound")
	}
	if !utf8.ValidString(v.text) || strings.Contains(v.text, "\x00") {
		t.Fatalf("unsound text %q", v.text)
	}
	for _, item := range v.items {
		checkTree(t, item, depth+1)
	}
	for name, field := range v.fields {
		if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
			t.Fatalf("unsound name %q", name)
		}
		checkTree(t, field, depth+1)
	}
}

func checkJSON(t *testing.T, in []byte, v Value) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, in); err != nil {
		t.Fatalf("taken, but not JSON: %v", err)
	}
	if got := v.compactJSON(); got != compact.String() {
		t.Fatalf("compact text %q, want %q", got, compact.String())
	}
}

func takeEverything(v Value) {
	f := v.Fields()
	for name := range v.fields {
		f.Text(name, 10)
		f.Ident(name, 10)
		f.Won(name)
		f.UnixSeconds(name)
		f.Bool(name)
		f.Object(name)
		f.Objects(name, 3)
		f.Texts(name, 3, 10)
		f.JSONText(name, 1000)
	}
	if err := f.Err(); err != nil && err.Error() == "" {
		panic("a problem without a text")
	}
}

const sample = `{"merchant_uid":"order_2026_000123","amount":35900,"vbank_code":"088","vbank_due":1790000000,` +
	`"vbank_holder":"홀드패스트","name":"겨울 외투 외 1건","buyer_name":"김하늘","buyer_email":"buyer@example.com",` +
	`"buyer_tel":"010-0000-0000","buyer_addr":"서울특별시 중구 세종대로 110","buyer_postcode":"04524",` +
	`"notice_url":["https://shop.example.com/hook"],"custom_data":{"cart":[1,2,3],"memo":"문 앞"},"pg":null}`

func BenchmarkParseJSON(b *testing.B) {
	in := []byte(sample)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandardJSON is the yardstick: the same text into a map.
func BenchmarkStandardJSON(b *testing.B) {
	in := []byte(sample)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		var v map[string]any
		if err := json.Unmarshal(in, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseForm(b *testing.B) {
	in := []byte(`imp_uid=imp_123456789012&reason=%EB%8B%A8%EC%88%9C+%EB%B3%80%EC%8B%AC&amount=35900&extra[requester]=customer&refund_bank=088`)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(in); err != nil {
			b.Fatal(err)
		}
	}
}
