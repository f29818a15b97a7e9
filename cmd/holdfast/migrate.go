package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// migrateCmd brings the database to the schema of this version.
type migrateCmd struct {
	databaseFlags
	Plan bool `help:"Only say what would be done."`
	JSON bool `name:"json" help:"Answer in JSON."`

	Distribute bool `help:"Then spread the tables over several PostgreSQL servers by merchant, where the database has the extension Citus. With --plan, say where every table would lie and what is missing."`
	WithRows   bool `help:"With --distribute: also when the database has merchants. All nodes must be stopped; the rows are copied."`
}

// Help says when it is needed.
func (migrateCmd) Help() string {
	return "The server does the same when it starts; several nodes that start at once wait for the one that does it. " +
		"Steps only add, so that nodes of the version before go on meanwhile, with one exception: " +
		"before step 4 (books) all nodes must be stopped, because older ones would write rows without hashes.\n\n" +
		"With --distribute the tables are then spread over several servers with the extension Citus (docs/scaling.md). " +
		"It can be run again at any time: tables that lie where they belong are left alone, and tables that a later version made are distributed. " +
		"What is missing for it is said, and is exit code 1 unless it was only asked for with --plan.\n\n" + databaseExitCodes
}

// Run migrates or says what migrating would do.
func (cmd *migrateCmd) Run(k *kong.Context) error {
	if cmd.WithRows && !cmd.Distribute {
		return &failure{exitUsage, "--with-rows goes with --distribute"}
	}
	c, err := cmd.settings()
	if err != nil {
		return &failure{exitUsage, err.Error()}
	}
	ctx := context.Background()
	run, verb := serve.Migrate, "done"
	if cmd.Plan {
		run, verb = pending, "to do"
	}
	steps, err := run(ctx, c)
	if err != nil {
		return coded(err)
	}
	switch {
	case !cmd.JSON:
		err = printSteps(k.Stdout, verb, steps)
	case !cmd.Distribute:
		err = json.NewEncoder(k.Stdout).Encode(map[string][]serve.Migration{"steps": append([]serve.Migration{}, steps...)})
	}
	if err != nil || !cmd.Distribute {
		return err
	}
	return cmd.distribute(ctx, k, c, steps)
}

func printSteps(w io.Writer, verb string, steps []serve.Migration) (err error) {
	for _, m := range steps {
		if _, err := fmt.Fprintf(w, "%s: %05d %s\n", verb, m.Version, m.Name); err != nil {
			return err
		}
	}
	if len(steps) == 0 {
		_, err = fmt.Fprintln(w, "The database has the newest schema.")
	}
	return err
}
