package body

import (
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func fieldsOf(t *testing.T, in string) *Fields {
	t.Helper()
	v, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	return v.Fields()
}

// faults lists the problems as "field=code".
func faults(err error) []string {
	var problems Problems
	if !errors.As(err, &problems) {
		return nil
	}
	var out []string
	for _, p := range problems {
		out = append(out, p.Field+"="+p.Reason.Code)
	}
	return out
}

func TestWon(t *testing.T) {
	tests := []struct {
		in   string // JSON value
		want int64
		code string
	}{
		{`0`, 0, ""},
		{`1000`, 1000, ""},
		{`"1000"`, 1000, ""},
		{`1000.0`, 1000, ""},
		{`"1000.00"`, 1000, ""},
		{`1E+3`, 1000, ""},
		{`1e3`, 1000, ""},
		{`0.1e1`, 1, ""},
		{`12.50e2`, 1250, ""},
		{`10000e-1`, 1000, ""},
		{`0e999`, 0, ""},
		{`0.000`, 0, ""},
		{`-0`, 0, ""},
		{`10000000000`, WonMax, ""},
		{`1e10`, WonMax, ""},
		{`10000000001`, 0, "too_big"},
		{`9223372036854775808`, 0, "too_big"},
		{`1e400`, 0, "too_big"},
		{`1e99999999999999999999`, 0, "too_big"},
		{`-1`, 0, "negative"},
		{`-1e400`, 0, "negative"},
		{`1000.5`, 0, "fraction"},
		{`1e-1`, 0, "fraction"},
		{`1e-99999999999999999999`, 0, "fraction"},
		{`"1,000"`, 0, "not_number"},
		{`"₩1000"`, 0, "not_number"},
		{`"１０"`, 0, "not_number"},
		{`"+1000"`, 0, "not_number"},
		{`"0100"`, 0, "not_number"},
		{`" 1000"`, 0, "not_number"},
		{`"1000 "`, 0, "not_number"},
		{`"0x10"`, 0, "not_number"},
		{`"1_000"`, 0, "not_number"},
		{`"NaN"`, 0, "not_number"},
		{`"Infinity"`, 0, "not_number"},
		{`""`, 0, "not_number"},
		{`true`, 0, "not_number"},
		{`[1000]`, 0, "not_number"},
		{`{}`, 0, "not_number"},
		{`"` + strings.Repeat("1", numberTextMax+1) + `"`, 0, "not_number"},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			f := fieldsOf(t, `{"amount":`+test.in+`}`)
			got, ok := f.Won("amount")
			if got != test.want || ok != (test.code == "") {
				t.Errorf("got %d, %t", got, ok)
			}
			var want []string
			if test.code != "" {
				want = []string{"amount=" + test.code}
			}
			if got := faults(f.Err()); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestWholeAgreesWithExactArithmetic compares the reader with rational numbers.
func TestWholeAgreesWithExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "text")
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Skip()
		}
		got, reason := parseWhole(text, WonMax)
		inRange := exact.Sign() >= 0 && exact.Cmp(new(big.Rat).SetInt64(WonMax)) <= 0
		if (reason.Code == "") != (exact.IsInt() && inRange) {
			t.Fatalf("%s: refused with %q", text, reason.Code)
		}
		if reason.Code == "" && exact.Cmp(new(big.Rat).SetInt64(got)) != 0 {
			t.Fatalf("%s: got %d", text, got)
		}
	})
}

func TestUnixSeconds(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		code string
	}{
		{`1700000000`, 1_700_000_000, ""},
		{`"1700000000"`, 1_700_000_000, ""},
		{`1.7e9`, 1_700_000_000, ""},
		{`0`, 0, "too_small"},
		{`-5`, 0, "negative"},
		{`1700000000000`, 0, "milliseconds"},
		{`9223372036854775808`, 0, "milliseconds"},
		{`1700000000.5`, 0, "fraction"},
		{`"2024-01-01"`, 0, "not_number"},
	}
	for _, test := range tests {
		f := fieldsOf(t, `{"at":`+test.in+`}`)
		got, ok := f.UnixSeconds("at")
		if got != test.want || ok != (test.code == "") {
			t.Errorf("%s: got %d, %t", test.in, got, ok)
		}
		if got := faults(f.Err()); test.code != "" && !reflect.DeepEqual(got, []string{"at=" + test.code}) {
			t.Errorf("%s: got %v, want %s", test.in, got, test.code)
		}
	}
}

func TestBool(t *testing.T) {
	for in, want := range map[string]string{
		`true`: "true", `"true"`: "true", `"True"`: "true", `1`: "true", `"1"`: "true",
		`false`: "false", `"false"`: "false", `0`: "false", `"0"`: "false", `null`: "absent",
		`"yes"`: "fault", `2`: "fault", `""`: "fault", `[]`: "fault", `{}`: "fault",
	} {
		f := fieldsOf(t, `{"on":`+in+`}`)
		value, ok := f.Bool("on")
		got := "absent"
		switch {
		case f.Err() != nil:
			got = "fault"
		case ok && value:
			got = "true"
		case ok:
			got = "false"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	long := strings.Repeat("가", 40)
	tests := map[string]struct {
		take func(f *Fields) any
		in   string
		want any
		code string
	}{
		"text":                {func(f *Fields) any { return f.Text("a", 40) }, `"` + long + `"`, long, ""},
		"text too long":       {func(f *Fields) any { return f.Text("a", 40) }, `"` + long + `x"`, "", "too_long"},
		"text from a number":  {func(f *Fields) any { return f.Text("a", 40) }, `1012345678`, "1012345678", ""},
		"text in form D":      {func(f *Fields) any { return f.Text("a", 1) }, `"\u1100\u1161"`, "가", ""},
		"text null":           {func(f *Fields) any { return f.Text("a", 40) }, `null`, "", ""},
		"text with line end":  {func(f *Fields) any { return f.Text("a", 40) }, `"a\r\nBcc: x@y"`, "", "control_character"},
		"text with separator": {func(f *Fields) any { return f.Text("a", 40) }, `"a\u2028b"`, "", "control_character"},
		"text with override":  {func(f *Fields) any { return f.Text("a", 40) }, `"a\u202eb"`, "", "invisible_character"},
		"text with joined":    {func(f *Fields) any { return f.Text("a", 40) }, `"👩\u200d🚀"`, "👩\u200d🚀", ""},
		"text from a switch":  {func(f *Fields) any { return f.Text("a", 40) }, `true`, "", "not_text"},
		"text from a list":    {func(f *Fields) any { return f.Text("a", 40) }, `["x"]`, "", "not_text"},
		"lines":               {func(f *Fields) any { return f.Lines("a", 40) }, `"a\r\n\tb\nc"`, "a\r\n\tb\nc", ""},
		"lines with bell":     {func(f *Fields) any { return f.Lines("a", 40) }, `"a\u0007"`, "", "control_character"},
		"ident":               {func(f *Fields) any { return f.Ident("a", 40) }, `"주문 1/2"`, "주문 1/2", ""},
		"ident zero width":    {func(f *Fields) any { return f.Ident("a", 40) }, `"a\u200bb"`, "", "invisible_character"},
		"ident joiner":        {func(f *Fields) any { return f.Ident("a", 40) }, `"a\u200db"`, "", "invisible_character"},
		"ident filler":        {func(f *Fields) any { return f.Ident("a", 40) }, `"a\u3164"`, "", "invisible_character"},
		"ident wide blank":    {func(f *Fields) any { return f.Ident("a", 40) }, `"a\u3000b"`, "", "invisible_character"},
		"ident outer blank":   {func(f *Fields) any { return f.Ident("a", 40) }, `" a"`, "", "outer_blank"},
		"one of":              {func(f *Fields) any { return f.OneOf("a", "x", "y") }, `"y"`, "y", ""},
		"one of, empty":       {func(f *Fields) any { return f.OneOf("a", "x", "y") }, `""`, "", ""},
		"one of, other":       {func(f *Fields) any { return f.OneOf("a", "x", "y") }, `"Y"`, "", "not_one_of"},
		"list of texts":       {func(f *Fields) any { return f.Texts("a", 2, 5) }, `["x","y"]`, []string{"x", "y"}, ""},
		"list from text":      {func(f *Fields) any { return f.Texts("a", 2, 5) }, `"x"`, []string{"x"}, ""},
		"list without empty":  {func(f *Fields) any { return f.Texts("a", 2, 5) }, `["",""]`, []string{}, ""},
		"list absent":         {func(f *Fields) any { return f.Texts("a", 2, 5) }, `null`, []string(nil), ""},
		"list too many":       {func(f *Fields) any { return f.Texts("a", 2, 5) }, `["x","y","z"]`, []string(nil), "too_many"},
		"list of numbers":     {func(f *Fields) any { return f.Texts("a", 2, 5) }, `[true]`, []string{}, "[0]"},
		"list from object":    {func(f *Fields) any { return f.Texts("a", 2, 5) }, `{}`, []string(nil), "not_list"},
		"idents":              {func(f *Fields) any { return f.Idents("a", 2, 5) }, `["x","\u200b"]`, []string{"x"}, "[1]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := fieldsOf(t, `{"a":`+test.in+`}`)
			if got := test.take(f); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
			got := strings.Join(faults(f.Err()), " ")
			if (got == "") != (test.code == "") || !strings.Contains(got, test.code) {
				t.Errorf("got fault %q, want %q", got, test.code)
			}
		})
	}
}

func TestJSONText(t *testing.T) {
	for in, want := range map[string]string{
		`{ "b" : 1.0, "a" : [ 1E+2 , "x \" y", {} ] }`: `{"b":1.0,"a":[1E+2,"x \" y",{}]}`,
		`{"n":"\uac00 \\"}`:                            `{"n":"\uac00 \\"}`,
		`"as it \"is\""`:                               `as it "is"`,
		`12.50`:                                        `12.50`,
		`true`:                                         `true`,
		`[ ]`:                                          `[]`,
		`{"__proto__": {} }`:                           `{"__proto__":{}}`,
	} {
		f := fieldsOf(t, `{"custom_data":`+in+`}`)
		got, ok := f.JSONText("custom_data", 100)
		if !ok || got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f := fieldsOf(t, `custom_data[b]=1&custom_data[a][]=x`)
	if got, _ := f.JSONText("custom_data", 100); got != `{"a":["x"],"b":"1"}` {
		t.Errorf("form: got %s", got)
	}
	f = fieldsOf(t, `{"custom_data":null}`)
	if got, ok := f.JSONText("custom_data", 100); ok || got != "" {
		t.Errorf("null: got %q", got)
	}
	f = fieldsOf(t, `{"custom_data":[1,2]}`)
	if _, ok := f.JSONText("custom_data", 4); ok || f.Err() == nil {
		t.Error("too long was taken")
	}
}

func TestNested(t *testing.T) {
	for _, in := range []string{
		`{"logis":{"company":"CJGLS","sent_at":"x"},"products":[{"name":""},3],"sender":null}`,
		`logis[company]=CJGLS&logis[sent_at]=x&products[0][name]=&products[1]=3&sender=`,
	} {
		f := fieldsOf(t, in)
		logis := f.Object("logis")
		if got := logis.Text("company", 10); got != "CJGLS" {
			t.Errorf("got %q", got)
		}
		logis.UnixSeconds("sent_at")
		for _, product := range f.Objects("products", 5) {
			product.Require("name")
		}
		if f.Object("sender").Given() || !logis.Given() {
			t.Error("Given is wrong")
		}
		want := []string{"logis.sent_at=not_number", "products[1]=not_object", "products[0].name=missing"}
		if got := faults(f.Err()); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	f := fieldsOf(t, `{"logis":[],"products":{}}`)
	f.Object("logis")
	f.Objects("products", 5)
	if got := faults(f.Err()); !reflect.DeepEqual(got, []string{"logis=not_object", "products=not_list"}) {
		t.Errorf("got %v", got)
	}
}

func TestNullAndAbsent(t *testing.T) {
	f := fieldsOf(t, `{"a":null,"b":""}`)
	if !f.IsNull("a") || f.IsNull("b") || f.IsNull("c") {
		t.Error("IsNull is wrong")
	}
	if f.Has("a") || !f.Has("b") || f.Has("c") {
		t.Error("Has is wrong")
	}
	f.Require("a", "b", "c")
	if got := faults(f.Err()); !reflect.DeepEqual(got, []string{"a=missing", "b=missing", "c=missing"}) {
		t.Errorf("got %v", got)
	}
}

func TestKeysAreNeverFolded(t *testing.T) {
	f := fieldsOf(t, `{"AMOUNT":1,"\u017ftatus":"paid","unknown":1,"amount_":2,"sender":{"NAME":"x"}}`)
	if _, ok := f.Won("amount"); ok {
		t.Error("AMOUNT was taken as amount")
	}
	f.Text("status", 10)
	f.Object("sender").Text("name", 10)
	want := []string{"AMOUNT=misspelt", "ſtatus=misspelt", "sender.NAME=misspelt"}
	if got := faults(f.Err()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	f = fieldsOf(t, `{"amount":1,"Amount":2}`)
	f.Won("amount")
	if got := faults(f.Err()); !reflect.DeepEqual(got, []string{"Amount=misspelt"}) {
		t.Errorf("got %v", got)
	}
}

func TestProblemsNameFields(t *testing.T) {
	f := Named("merchant_uid", strings.Repeat("x", 41)).Fields()
	f.Ident("merchant_uid", 40)
	f.Require("amount")
	err := f.Err()
	if got, want := err.Error(), "merchant_uid: must have at most 40 characters, amount: is required"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	if got, want := problems.Korean(), "merchant_uid: 40자 이하여야 합니다, amount: 필수 항목입니다"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	f = Named().Fields()
	f.Require("a", "b", "c", "d", "e", "f", "g")
	if got := f.Err().Error(); !strings.HasSuffix(got, ", and 2 more") {
		t.Errorf("got %q", got)
	}
}

func TestErrStrictRefusesWhatNobodyAskedFor(t *testing.T) {
	read := func(text string) *Fields {
		v, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		f := v.Fields()
		f.Text("name", 10)
		f.Object("webhook").Text("url", 10)
		return f
	}
	if err := read(`{"name":"a","webhook":{"url":"b"}}`).ErrStrict(); err != nil {
		t.Errorf("a right request is refused: %v", err)
	}
	if err := read(`{"name":"a","other":1}`).Err(); err != nil {
		t.Errorf("Err refuses an unknown member: %v", err)
	}
	for text, want := range map[string]string{
		`{"other":1}`:                  "other: is not a field of this request",
		`{"other":null}`:               "other: is not a field of this request",
		`{"webhook":{"uri":"b"}}`:      "webhook.uri: is not a field of this request",
		`{"NAME":"a"}`:                 "NAME: " + misspelt("name").English,
		`{"name":"12345678901","x":1}`: "name: must have at most 10 characters, x: is not a field of this request",
	} {
		if err := read(text).ErrStrict(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestWithoutBlanksLeavesOutWhatWasNotFilledIn(t *testing.T) {
	v, err := Parse([]byte("name=&reason=broken&refund_bank=&zero=0"))
	if err != nil {
		t.Fatal(err)
	}
	f := v.WithoutBlanks().Fields()
	if f.Has("name") || f.Has("refund_bank") || f.Text("reason", 10) != "broken" || f.Text("zero", 10) != "0" {
		t.Errorf("got %+v", v.WithoutBlanks())
	}
	if !v.Fields().Has("name") {
		t.Error("the value itself was changed")
	}
}
