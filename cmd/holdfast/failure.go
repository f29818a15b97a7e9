package main

import (
	"fmt"
	"net/url"
)

// Exit codes of all commands; 0 is done.
const (
	exitFailed      = 1 // refused, or not as it must be
	exitUsage       = 2 // the command line or a value in it is wrong
	exitUnreachable = 3 // a server cannot be reached or failed: nothing is known of what was asked
)

// clientExitCodes tells them in the help of commands that talk to a server.
const clientExitCodes = "Exit codes: 0 done; 1 the server refused, or something did not go as it should; 2 the command line or a value in it is wrong; 3 the server cannot be reached or failed."

// failure is why a command did not do what was asked, in words for the person who
// asked, with the program's exit code.
type failure struct {
	code int
	text string
}

// Error returns what was wrong.
func (e *failure) Error() string { return e.text }

// ExitCode is the exit code of the program.
func (e *failure) ExitCode() int { return e.code }

func misused(format string, args ...any) error {
	return &failure{exitUsage, fmt.Sprintf(format, args...)}
}

func unreachable(format string, args ...any) error {
	return &failure{exitUnreachable, fmt.Sprintf(format, args...)}
}

// httpURL is the URL of an http or https server that a flag names.
func httpURL(flag, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, misused("%s: %.80q is no http or https URL", flag, raw)
	}
	return u, nil
}
