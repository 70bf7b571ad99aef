package main

import (
	"github.com/spf13/cobra"

	"github.com/holdline/holdline/app"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run Holdline", Args: cobra.NoArgs,
		Long: "Serves people and Kratos until it gets SIGTERM. Prints one line when it listens; the log goes\n" +
			"to standard error. Refuses to start with a bad configuration, and says all that is wrong.",
		Example: "  holdline serve --config holdline.yml\n" +
			"  HOLDLINE_DATABASE_DSN_FILE=/run/secrets/dsn holdline serve --config holdline.yml",
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
	return configurable(cmd)
}
