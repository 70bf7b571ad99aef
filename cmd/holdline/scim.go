package main

import (
	"github.com/spf13/cobra"

	"github.com/holdline/holdline/app"
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/persistence/database"
)

func scimCommand() *cobra.Command {
	return group("scim", "Manage the SCIM service", databaseCommand("reindex", "Compare the index of users with Kratos now",
		func(cmd *cobra.Command, cfg config.Config, db *database.DB) error {
			return app.Reindex(cmd.Context(), cfg, db, app.Options{
				Release: release, Log: app.Logger(cfg, cmd.ErrOrStderr()), Out: cmd.OutOrStdout(),
			})
		}, "kratos", "mobile", "scim"))
}
