package main

import (
	"context"
	"os"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

// databaseFlags say where the database of a server is.
type databaseFlags struct {
	Config   string `help:"YAML file with settings; environment variables HOLDFAST_... come on top." type:"path" env:"HOLDFAST_CONFIG"`
	Data     string `help:"Folder of the database and the server's secret; overrides the settings." type:"path"`
	Database string `help:"PostgreSQL connection string instead of a file in the data folder, such as postgres://user@host1,host2/name; overrides the settings. A password belongs in HOLDFAST_DATABASE, because others can see the command line."`
}

// settings are those of the file and the environment with the flags on top.
func (f *databaseFlags) settings(more ...string) (config.Config, error) {
	env := os.Environ()
	if f.Data != "" {
		env = append(env, "HOLDFAST_DATA="+f.Data)
	}
	if f.Database != "" {
		env = append(env, "HOLDFAST_DATABASE="+f.Database)
	}
	return config.Load(f.Config, append(env, more...))
}

// pending are the steps of the schema that the database has not had.
func pending(ctx context.Context, c config.Config) (steps []serve.Migration, err error) {
	all, err := serve.Plan(ctx, c)
	for _, m := range all {
		if !m.Applied {
			steps = append(steps, m)
		}
	}
	return steps, err
}
