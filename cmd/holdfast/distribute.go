package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// distribute spreads the tables of a migrated database over servers, or says where
// each would lie.
func (cmd *migrateCmd) distribute(ctx context.Context, k *kong.Context, c config.Config, steps []serve.Migration) error {
	d, err := serve.Distribute(ctx, c, serve.DistributeOptions{Plan: cmd.Plan, WithRows: cmd.WithRows})
	if err != nil {
		return coded(err)
	}
	if cmd.JSON {
		err = json.NewEncoder(k.Stdout).Encode(struct {
			Steps        []serve.Migration  `json:"steps"`
			Distribution serve.Distribution `json:"distribution"`
		}{append([]serve.Migration{}, steps...), d})
	} else {
		err = printDistribution(k.Stdout, &d, cmd.Plan)
	}
	if err == nil && len(d.Missing) > 0 && !cmd.Plan {
		err = errNotDistributed
	}
	return err
}

var errNotDistributed = errors.New("nothing was distributed, because something is missing")

func printDistribution(w io.Writer, d *serve.Distribution, plan bool) error {
	verb := map[bool]string{true: "lies there", false: "to do"}
	for _, t := range d.Tables {
		if _, err := fmt.Fprintf(w, "%-10s  %-23s  %-18s %s\n", verb[t.Done], how(t.Placement), t.Table, t.Why); err != nil {
			return err
		}
	}
	for _, m := range d.Missing {
		if _, err := fmt.Fprintln(w, "missing:", m); err != nil {
			return err
		}
	}
	var err error
	if len(d.Missing) == 0 && d.Todo() == 0 && !plan {
		_, err = fmt.Fprintln(w, "Every table lies where it belongs. Start all nodes again.")
	}
	return err
}

func how(p serve.Placement) string {
	if p.Column == "" {
		return string(p.Way)
	}
	return string(p.Way) + " by " + p.Column
}
