package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// migrateCmd brings the database to the schema of this version.
type migrateCmd struct {
	databaseFlags
	Plan bool `help:"Only say what would be done."`
	JSON bool `name:"json" help:"Answer in JSON."`
}

// Help says when it is needed.
func (migrateCmd) Help() string {
	return "The server does the same when it starts; several nodes that start at once wait for the one that does it. " +
		"Steps only add, so that nodes of the version before go on meanwhile."
}

// Run migrates or says what migrating would do.
func (cmd *migrateCmd) Run(k *kong.Context) error {
	c, err := cmd.settings()
	if err != nil {
		return err
	}
	ctx := context.Background()
	run, verb := serve.Migrate, "done"
	if cmd.Plan {
		run, verb = pending, "to do"
	}
	steps, err := run(ctx, c)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return json.NewEncoder(k.Stdout).Encode(map[string][]serve.Migration{"steps": append([]serve.Migration{}, steps...)})
	}
	for _, m := range steps {
		if _, err := fmt.Fprintf(k.Stdout, "%s: %05d %s\n", verb, m.Version, m.Name); err != nil {
			return err
		}
	}
	if len(steps) == 0 {
		_, err = fmt.Fprintln(k.Stdout, "The database has the newest schema.")
	}
	return err
}
