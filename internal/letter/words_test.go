package letter

import (
	"reflect"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// TestCatalogues: every word exists in every language, and every value that a
// text names is known.
func TestCatalogues(t *testing.T) {
	for lang, w := range map[string]*words{"korean": &korean, "english": &english} {
		for _, kind := range escrow.Mails() {
			if w.Subjects[kind] == "" || w.Titles[kind] == "" {
				t.Errorf("%s: no subject or title for %s", lang, kind)
			}
		}
		for _, m := range []escrow.Method{escrow.VirtualAccount, escrow.BankTransfer, escrow.Card} {
			if w.Methods[m] == "" {
				t.Errorf("%s: no word for the method %s", lang, m)
			}
		}
		for _, r := range []escrow.DeadlineRule{escrow.AfterDelivery, escrow.AfterRegistration, escrow.AfterNotice, escrow.AfterRelease} {
			if w.Rules[r] == "" {
				t.Errorf("%s: no words for the rule %s", lang, r)
			}
		}
		for _, missing := range holes(reflect.ValueOf(*w)) {
			t.Errorf("%s: the word %s is missing", lang, missing)
		}
		names(t, lang, reflect.ValueOf(*w))
	}
}

// holes lists the fields of a catalogue that are empty.
func holes(v reflect.Value) []string {
	var missing []string
	for i := range v.NumField() {
		if f := v.Field(i); f.IsZero() || f.Kind() == reflect.Map && f.Len() == 0 {
			missing = append(missing, v.Type().Field(i).Name)
		}
	}
	return missing
}

// names fills every text of a catalogue with values that are all known, so
// that only a name without a value can fail.
func names(t *testing.T, lang string, v reflect.Value) {
	t.Helper()
	c := composer{p: &escrow.Payment{}, w: &words{}}
	c.vals = c.values()
	for name := range c.vals {
		c.vals[name] = "x"
	}
	var texts []string
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			texts = append(texts, f.String())
		} else {
			for _, key := range f.MapKeys() {
				texts = append(texts, f.MapIndex(key).String())
			}
		}
	}
	for _, text := range texts {
		if c.say(text) == "" || c.err != nil {
			t.Errorf("%s: %q cannot be filled: %v", lang, text, c.err)
			c.err = nil
		}
	}
}

// TestMissingWordIsFound: the test above can fail.
func TestMissingWordIsFound(t *testing.T) {
	broken := korean
	broken.NoticeSilence = ""
	if got := holes(reflect.ValueOf(broken)); len(got) != 1 || got[0] != "NoticeSilence" {
		t.Errorf("holes %v, want NoticeSilence", got)
	}
	c := composer{vals: map[string]string{"known": "x"}}
	if c.say("a {unknown} value"); c.err == nil {
		t.Error("a name without a value was not found")
	}
}

func TestPlain(t *testing.T) {
	cases := []struct{ in, want string }{
		{"수국 꽃다발 v1.5 (2.0L)", "수국 꽃다발 v1.5 (2.0L)"},
		{"  두\t줄\r\n이름 ", "두 줄 이름"},
		{"a\u202eb\u0000c\u200bd", "abcd"},
		{"evil.com", "evil.\u200bcom"},
		{"한글.한국 x@evil.co.kr", "한글.\u200b한국 x@evil.\u200bco.\u200bkr"},
		{"https://evil", "https:\u200b/\u200b/evil"},
		{"tel:010-1234", "tel:010-1234"},
		{"\xff\xfe ok", "ok"},
		{"", ""},
	}
	for _, c := range cases {
		if got := plain(c.in, maxLine); got != c.want {
			t.Errorf("plain(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	if got := plain("가나다라마", 4); got != "가나다…" {
		t.Errorf("cut to %q", got)
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{"110-222-333444": "****3444", "1234": "****", "": "****"} {
		if got := masked(in); got != want {
			t.Errorf("masked(%q) = %q, want %q", in, got, want)
		}
	}
}
