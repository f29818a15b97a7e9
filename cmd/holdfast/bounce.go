package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// bounceCmd hands a mail server's report of non-delivery to a running server. A
// buyer who was not told cannot be confirmed by silence (policy strictNotice).
type bounceCmd struct {
	adminFlags
	File string `arg:"" optional:"" type:"existingfile" help:"The report as it came (message/rfc822); standard input when left out."`
}

// maxReport bounds a report, in bytes.
const maxReport = 2 << 20

// Help says how to use it from a mail server.
func (*bounceCmd) Help() string {
	return "Let the mail server pipe what arrives at the return address into it. A report of a delay, and mail that is no report, change nothing.\n\n" + clientExitCodes
}

// Run reads the report and records what it says.
func (cmd *bounceCmd) Run(k *kong.Context) error {
	raw, err := cmd.read()
	if err != nil {
		return err
	}
	mailID, reason, err := serve.ReadBounce(raw)
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	if mailID == "" {
		_, err := fmt.Fprintln(k.Stdout, "The report speaks of a delay; nothing was recorded.")
		return err
	}
	client, err := cmd.client(k.Stdout)
	if err != nil {
		return err
	}
	if err := client.call(http.MethodPost, []string{"mails", mailID, "bounce"}, "", map[string]string{"reason": reason}, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(k.Stdout, "Mail %s came back: %s\n", mailID, reason)
	return err
}

func (cmd *bounceCmd) read() ([]byte, error) {
	in := io.Reader(os.Stdin)
	if cmd.File != "" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxReport+1))
}
