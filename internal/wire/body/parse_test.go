package body

import (
	"errors"
	"strings"
	"testing"
)

// show writes a tree so that kinds can be told apart: texts in quotes, numbers
// and switches bare.
func show(v Value) string {
	if v.kind == Absent {
		return "absent"
	}
	v.raw = ""
	return string(v.bare().appendJSON(nil))
}

// bare drops the source text of every node, so that appendJSON must rebuild it.
func (v Value) bare() Value {
	out := Value{kind: v.kind, text: v.text}
	for _, item := range v.items {
		out.items = append(out.items, item.bare())
	}
	if v.fields != nil {
		out.fields = map[string]Value{}
		for name, field := range v.fields {
			out.fields[name] = field.bare()
		}
	}
	return out
}

func TestParseReads(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"empty object":               {`{}`, `{}`},
		"every kind":                 {` {"a":null,"b":true,"c":false,"d":-1.50E+3,"e":"x","f":[1,"2",[]],"g":{"h":{}}} `, `{"a":null,"b":true,"c":false,"d":-1.50E+3,"e":"x","f":[1,"2",[]],"g":{"h":{}}}`},
		"escapes":                    {`{"a":"\"\\\/\b\f\n\r\t\uac00\ud83d\ude00"}`, `{"a":"\"\\/\b\f\n\r\t가😀"}`},
		"keys that differ in case":   {`{"a":1,"A":2}`, `{"A":2,"a":1}`},
		"replacement character":      {"{\"a\":\"\uFFFD\"}", "{\"a\":\"\uFFFD\"}"},
		"inert prototype key":        {`{"__proto__":{"isAdmin":true}}`, `{"__proto__":{"isAdmin":true}}`},
		"form":                       {`a=1&b=%EA%B0%80+x%2By`, `{"a":"1","b":"가 x+y"}`},
		"form with blank before key": {`imp_key=K& imp_secret=S&+c=1`, `{"c":"1","imp_key":"K","imp_secret":"S"}`},
		"form with line end":         {"a=1\r\n", `{"a":"1"}`},
		"form empty value":           {`a=&b=1`, `{"a":"","b":"1"}`},
		"form nested":                {`logis[company]=CJGLS&logis[sent_at]=1&extra%5Brequester%5D=customer`, `{"extra":{"requester":"customer"},"logis":{"company":"CJGLS","sent_at":"1"}}`},
		"form list":                  {`u[]=a&u[]=b`, `{"u":["a","b"]}`},
		"form encoded list":          {`u%5B%5D=a&u%5B%5D=b`, `{"u":["a","b"]}`},
		"form indexed list":          {`u[1]=b&u[0]=a&u[10]=c`, `{"u":["a","b","c"]}`},
		"form repeated":              {`u=a&u=b`, `{"u":["a","b"]}`},
		"form objects in a list":     {`p[0][id]=x&p[0][name]=y&p[1][id]=z`, `{"p":[{"id":"x","name":"y"},{"id":"z"}]}`},
		"form value with equals":     {`a=b=c`, `{"a":"b=c"}`},
		"form empty pairs":           {`&&a=1&`, `{"a":"1"}`},
		"form JSON value":            {`custom_data={"a":1}`, `{"custom_data":"{\"a\":1}"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := Parse([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := show(v); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	var wide strings.Builder
	for i := range FieldsMax + 1 {
		wide.WriteString("&k" + strings.Repeat("x", i) + "=1")
	}
	tests := map[string]struct{ in, code string }{
		"byte order mark":        {"\xEF\xBB\xBF{}", "byte_order_mark"},
		"raw NUL":                {"{\"a\":\"\x00\"}", "nul"},
		"escaped NUL":            {`{"a":"x\u0000y"}`, "nul"},
		"escaped NUL in a key":   {`{"\u0000":1}`, "nul"},
		"form NUL":               {`a=%00`, "nul"},
		"invalid UTF-8":          {"{\"a\":\"a\xffb\"}", "not_utf8"},
		"overlong UTF-8":         {"a=\xc0\x80", "not_utf8"},
		"form invalid UTF-8":     {`a=%FF`, "not_utf8"},
		"lone high surrogate":    {`{"a":"\ud83d"}`, "not_utf8"},
		"lone low surrogate":     {`{"a":"\ude00"}`, "not_utf8"},
		"broken pair":            {`{"a":"\ud83d\u0041"}`, "not_utf8"},
		"duplicate key":          {`{"a":1,"a":2}`, "duplicate"},
		"duplicate escaped key":  {`{"a":1,"\u0061":2}`, "duplicate"},
		"duplicate nested key":   {`{"a":{"b":1,"b":1}}`, "duplicate"},
		"trailing garbage":       {`{"amount":1} x`, "trailing"},
		"two documents":          {`{}{}`, "trailing"},
		"too deep":               {deep(DepthMax), "too_deep"},
		"absurdly deep":          {strings.Repeat("[", 100_000), "too_deep"},
		"absurdly deep objects":  {strings.Repeat(`{"a":`, 10_001), "too_deep"},
		"form too deep":          {"a" + strings.Repeat("[b]", DepthMax) + "=1", "too_deep"},
		"too large":              {`{"a":"` + strings.Repeat("x", BytesMax) + `"}`, "too_large"},
		"too many items":         {`{"a":[` + strings.Repeat("1,", ItemsMax) + `1]}`, "too_many_items"},
		"form too many items":    {strings.Repeat("a[]=1&", ItemsMax+1), "too_many_items"},
		"form too many repeated": {strings.Repeat("a=1&", ItemsMax+1), "too_many_items"},
		"form too many fields":   {wide.String(), "too_many_fields"},
		"list document":          {`[{}]`, "not_object"},
		"null document":          {`null`, "neither"},
		"text document":          {`"a"`, "neither"},
		"xml document":           {`<a/>`, "neither"},
		"form bare name":         {`a=1&b`, "neither"},
		"form semicolon":         {`amount=1000;status=paid`, "semicolon"},
		"form bad escape":        {`a=%zz`, "escape"},
		"form cut escape":        {`a=%4`, "escape"},
		"form mixed lists":       {`u[]=a&u[5]=b&u[x]=c`, "mixed"},
		"form value and list":    {`u=a&u[]=b`, "mixed"},
		"form value and object":  {`u[a]=1&u=b`, "mixed"},
		"form open bracket":      {`a[b=1`, "name"},
		"form stray bracket":     {`a]=1`, "name"},
		"form text after ]":      {`a[b]c=1`, "name"},
		"form nameless":          {`=1`, "name"},
		"form bracket only":      {`[a]=1`, "malformed"},
		"form blank index":       {`a[][b]=1`, "name"},
		"form padded index":      {`a[01]=1`, "name"},
		"form huge index":        {`a[99999999999999999999]=1`, "name"},
		"cut object":             {`{"a":1`, "malformed"},
		"cut string":             {`{"a":"`, "malformed"},
		"cut escape":             {`{"a":"\`, "malformed"},
		"cut unicode escape":     {`{"a":"\u12`, "malformed"},
		"comma at the end":       {`{"a":1,}`, "malformed"},
		"comma in a list":        {`{"a":[1,]}`, "malformed"},
		"single quotes":          {`{'a':1}`, "malformed"},
		"bare key":               {`{a:1}`, "malformed"},
		"comment":                {`{"a":1/**/}`, "malformed"},
		"leading zero":           {`{"a":01}`, "malformed"},
		"leading plus":           {`{"a":+1}`, "malformed"},
		"no digits":              {`{"a":-}`, "malformed"},
		"point at the end":       {`{"a":1.}`, "malformed"},
		"empty exponent":         {`{"a":1e}`, "malformed"},
		"NaN":                    {`{"a":NaN}`, "malformed"},
		"Infinity":               {`{"a":Infinity}`, "malformed"},
		"line break in a string": {"{\"a\":\"\n\"}", "malformed"},
		"unknown escape":         {`{"a":"\x41"}`, "malformed"},
		"upper-case literal":     {`{"a":True}`, "malformed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := Parse([]byte(test.in))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %v and %v, want a syntax error", show(v), err)
			}
			if syntax.Reason.Code != test.code {
				t.Errorf("got %q (%v), want %q", syntax.Reason.Code, err, test.code)
			}
			if syntax.Reason.English == "" || syntax.Reason.Korean == "" {
				t.Errorf("%q lacks a text", syntax.Reason.Code)
			}
		})
	}
}

func TestParseEmpty(t *testing.T) {
	for _, in := range []string{"", " ", "\r\n\t "} {
		if _, err := Parse([]byte(in)); !errors.Is(err, ErrEmpty) {
			t.Errorf("%q: got %v, want ErrEmpty", in, err)
		}
	}
}

func TestParseTakesTheDepthBound(t *testing.T) {
	in := `{"a":` + strings.Repeat("[", DepthMax-1) + strings.Repeat("]", DepthMax-1) + `}`
	if _, err := Parse([]byte(in)); err != nil {
		t.Errorf("%d levels: %v", DepthMax, err)
	}
}

func TestParseQuery(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"nothing":    {"", `{}`},
		"brackets":   {"imp_uid[]=a&imp_uid[]=b", `{"imp_uid":["a","b"]}`},
		"encoded":    {"imp_uid%5B%5D=a&imp_uid%5B%5D=b", `{"imp_uid":["a","b"]}`},
		"indexed":    {"imp_uid%5B0%5D=a&imp_uid%5B1%5D=b", `{"imp_uid":["a","b"]}`},
		"repeated":   {"imp_uid=a&imp_uid=b", `{"imp_uid":["a","b"]}`},
		"one":        {"imp_uid=a", `{"imp_uid":"a"}`},
		"bare names": {"a&b=1&", `{"a":"","b":"1"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := ParseQuery(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(v); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	for in, code := range map[string]string{"a=%00": "nul", "a=1;b=2": "semicolon", "a[=1": "name"} {
		_, err := ParseQuery(in)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Reason.Code != code {
			t.Errorf("%q: got %v, want %s", in, err, code)
		}
	}
}

// TestMultipartIsNamed, whatever its parts carry; a form that merely begins with
// two dashes is a form.
func TestMultipartIsNamed(t *testing.T) {
	for _, raw := range []string{
		"--x\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n1000\r\n--x--\r\n",
		"------WebKitFormBoundary7MA4YWxkTrZu0gW\ncontent-type: image/png\n\n\x00\xff\n",
	} {
		_, err := Parse([]byte(raw))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Reason != ReasonMultipart {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if v, err := Parse([]byte("--x=1&b=2")); err != nil || v.Fields().Text("b", 9) != "2" {
		t.Errorf("a form with dashes: %v", err)
	}
}
