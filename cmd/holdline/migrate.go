package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
)

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Manage the database schema"}
	cmd.AddCommand(
		databaseCommand("up", "Bring the schema up to date", func(cmd *cobra.Command, _ config.Config, db *database.DB) error {
			return migration.Up(cmd.Context(), db)
		}),
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
	)
	return cmd
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
	config.Flags(cmd.Flags())
	return cmd
}
