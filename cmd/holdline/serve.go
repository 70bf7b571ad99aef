package main

import (
	"github.com/spf13/cobra"

	"github.com/holdline/holdline/app"
	"github.com/holdline/holdline/config"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run Holdline", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd)
			if err != nil {
				return err
			}
			return app.Run(cmd.Context(), cfg, app.Options{
				Release: release, Log: app.Logger(cfg, cmd.ErrOrStderr()), Out: cmd.OutOrStdout(),
			})
		},
	}
	config.Flags(cmd.Flags())
	return cmd
}
