package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestWhatPeopleTryFirst: help and the version, however they are asked for.
func TestWhatPeopleTryFirst(t *testing.T) {
	for asked, want := range map[string]string{
		"--version": "holdfast " + version, "help": "Run the server.", "": "Run the server.", "--help": "Run the server.", "help serve": "--listen", "serve --help": "--listen",
	} {
		var out bytes.Buffer
		code := -1
		parser, err := newParser(kong.Writers(&out, &out), kong.Exit(func(c int) { code = c }))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = parser.Parse(helped(strings.Fields(asked))) // the test's exit returns, and what follows it is nothing
		if code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("holdfast %s: exit %d, %s", asked, code, out.String())
		}
	}
}
