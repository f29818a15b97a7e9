package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestDemo plays the whole demonstration in both languages.
func TestDemo(t *testing.T) {
	for lang, want := range map[string]string{"ko": "시산표", "en": "Trial balance"} {
		t.Run(lang, func(t *testing.T) {
			var out bytes.Buffer
			var c commands
			parser, err := kong.New(&c, kong.Writers(&out, &out))
			if err != nil {
				t.Fatal(err)
			}
			k, err := parser.Parse([]string{"demo", "--lang", lang})
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Run(); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), want) {
				t.Errorf("the story in %q lacks %q:\n%s", lang, want, out.String())
			}
		})
	}
}
