// Command holdline keeps a changed mobile number back until a code that was
// texted to it has come back. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/wiring"
)

// release is set when the program is built.
var release = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		code := 1
		if own, ok := errors.AsType[exit](err); ok {
			code = own.code
		}
		if text := err.Error(); text != "" {
			fmt.Fprintln(os.Stderr, text)
		}
		os.Exit(code) //nolint:gocritic // nothing is left to stop
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "holdline",
		Short: "Holds a changed mobile number back until its owner has confirmed it, for Ory Kratos",
		Example: "  holdline demo                                        # a first look, with a Kratos of its own\n" +
			"  holdline kratos-config --config holdline.yml         # the lines for kratos.yml\n" +
			"  holdline doctor --config holdline.yml --kratos-config kratos.yml\n" +
			"  holdline serve --config holdline.yml",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(serveCommand(), migrateCommand(), tokenCommand(), scimCommand(), kratosConfigCommand(), doctorCommand(), demoCommand(), versionCommand(), manCommand())
	cmd.SetFlagErrorFunc(flagFault)
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = writeHelp(cmd, cmd.OutOrStdout()) })
	return cmd
}

// load reads the configuration for a command that needs these sections, or all;
// each fault is a line.
func load(cmd *cobra.Command, sections ...string) (config.Config, error) {
	cfg, err := config.Load(cmd.Flags(), os.Environ(), sections...)
	if len(sections) == 0 {
		err = config.Join(err, wiring.Check(cfg))
	}
	if err != nil {
		err = config.Explain(err, cmd.Flags(), os.Environ())
		return cfg, fmt.Errorf("bad configuration:\n%w", err)
	}
	return cfg, nil
}
