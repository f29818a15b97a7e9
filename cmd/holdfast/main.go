// Command holdfast is an escrow payment server: one binary that holds buyers'
// money until the goods are accepted.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "dev"

// commands is the whole command line. Every command has --help.
type commands struct {
	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Demo     demoCmd     `cmd:"" help:"Play whole escrow lives against a server of its own and check every step."`
	Migrate  migrateCmd  `cmd:"" help:"Bring a database to the schema of this version, or say what that would do."`
	Move     moveCmd     `cmd:"" help:"Take a whole database to another place: from a file to PostgreSQL, or back."`
	Backup   backupCmd   `cmd:"" help:"Write a verified backup of the database of a running server to a file."`
	Restore  restoreCmd  `cmd:"" help:"Put a backup into an empty place and verify it."`
	Merchant merchantCmd `cmd:"" help:"Make and change the shops of a running server."`
	Sandbox  sandboxCmd  `cmd:"" help:"Play the buyer, the bank, the carrier and the mail server for a test shop."`
	Listen   listenCmd   `cmd:"" help:"Bring a shop's events to a program on this machine, without a tunnel."`
	Clock    clockCmd    `cmd:"" help:"Show or move the test clock of a test shop."`
	Calendar calendarCmd `cmd:"" help:"Ask the calendar of Korean business days, or change it."`
	Books    booksCmd    `cmd:"" help:"Verify the books, show what an audit has found, report the held money."`
	Bounce   bounceCmd   `cmd:"" help:"Hand a mail server's report of non-delivery to a running server."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
	// ShowVersion is the flag that people try first.
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(k *kong.Context) error {
	_, err := fmt.Fprintln(k.Stdout, "holdfast", version)
	return err
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func newParser(more ...kong.Option) (*kong.Kong, error) {
	return kong.New(&commands{}, append([]kong.Option{
		kong.Name("holdfast"), kong.Description("An escrow payment server. Money is held until the goods are accepted."),
		kong.Vars{"version": "holdfast " + version}, kong.UsageOnError(),
	}, more...)...)
}

// helped understands "holdfast help" and "holdfast help serve" as --help does, and
// "holdfast" alone as well.
func helped(args []string) []string {
	if len(args) == 0 {
		return []string{"--help"}
	}
	if args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

func run(args []string) int {
	parser, err := newParser()
	if err != nil {
		fmt.Fprintln(os.Stderr, "holdfast:", err)
		return exitFailed
	}
	k, err := parser.Parse(helped(args))
	if err != nil {
		fmt.Fprintln(os.Stderr, "holdfast:", err)
		return exitUsage
	}
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "holdfast:", err)
		var coded interface{ ExitCode() int }
		if errors.As(err, &coded) {
			return coded.ExitCode()
		}
		return exitFailed
	}
	return 0
}
