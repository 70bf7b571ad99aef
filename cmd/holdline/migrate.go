package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
)

func migrateCommand() *cobra.Command {
	return group(
		"migrate", "Manage the database schema",
		databaseCommand("up", "Bring the schema up to date", migrateUp),
		databaseCommand("status", "List the migrations", func(cmd *cobra.Command, _ config.Config, db *database.DB) error {
			migrations, err := migration.Status(cmd.Context(), db)
			if err != nil {
				return err
			}
			for _, m := range migrations {
				state := "pending"
				if m.Applied {
					state = "applied"
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", state, m.Name); err != nil {
					return err
				}
			}
			return nil
		}),
		copyCommand(),
	)
}

// migrateUp says what it did: a pipeline's log is where an operator looks it up.
func migrateUp(cmd *cobra.Command, cfg config.Config, db *database.DB) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...) }
	applied := 0
	err := migration.UpTelling(cmd.Context(), db, func(m migration.Migration) {
		applied++
		say("applied\t%s", m.Name)
	})
	if err != nil {
		return err
	}
	say("%s is up to date: %d applied now", database.Name(cfg.Database.DSN.Reveal()), applied)
	return nil
}

// databaseCommand needs the database and, of the rest of the configuration, the
// named sections.
func databaseCommand(
	use, short string, do func(*cobra.Command, config.Config, *database.DB) error, sections ...string,
) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd, append(sections, "database")...)
			if err != nil {
				return err
			}
			db, err := database.Open(cmd.Context(), cfg.Database.DSN.Reveal(), database.Options{})
			if err != nil {
				return err
			}
			defer db.Close()
			return do(cmd, cfg, db)
		},
	}
	return configurable(cmd)
}
