package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/app"
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/demo"
	"github.com/holdline/holdline/internal/auth"
)

func demoCommand() *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use: "demo", Short: "Run the whole product: a real Kratos, Holdline, a phone simulator", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			o.Serve = serveDemo
			o.KratosConfig = func(s demo.Settings) ([]byte, error) { return kratosConfig(demoConfig(s), "", "") }
			return demo.Run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.KratosBin, "kratos-bin", "", "the Kratos `program`; 'make demo' builds one")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "empty `folder` to keep files and logs in (default: a temporary one)")
	cmd.Flags().IntVar(&o.PortBase, "port-base", demo.DefaultPortBase, "first of the ports; 0 takes free ones")
	return cmd
}

// demoConfig is a first look's configuration with the simulator as its gateway.
func demoConfig(s demo.Settings) config.Config {
	cfg := config.Default()
	cfg.Public.Port, cfg.Admin.Port = s.PublicPort, s.AdminPort
	cfg.Database.DSN = config.Secret("sqlite://" + filepath.Join(s.Dir, "holdline.db"))
	cfg.Secrets.OTP = []config.Secret{config.Secret(s.OTPSecret)}
	cfg.Kratos.PublicURL, cfg.Kratos.AdminURL = s.KratosPublicURL, s.KratosAdminURL
	cfg.Kratos.MobileTrait, cfg.Kratos.PendingKey = s.MobileTrait, s.PendingKey
	cfg.Hooks.APIKey = config.Secret(s.HookKey)
	cfg.Pages.ReturnURL, cfg.Pages.AllowedReturnURLs = s.AccountURL(), []string{s.DemoURL}
	cfg.Tokens = []config.Token{{
		Name: "demo", SHA256: auth.DigestToken(s.ConsoleToken).String(), Scopes: []string{string(auth.ScopeClaimsManage)},
	}}
	cfg.SMS.Gateways = []config.Gateway{{ID: "phone", Type: "simulator"}}
	return cfg
}

// serveDemo runs Holdline with its log in the demo's folder.
func serveDemo(ctx context.Context, s demo.Settings) error {
	log, err := os.OpenFile(filepath.Join(s.Dir, "holdline.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	cfg := demoConfig(s)
	return app.Run(ctx, cfg, app.Options{Release: release, Log: app.Logger(cfg, log), Out: io.Discard, FramedBy: s.DemoURL, Invitation: s.ConsoleKey, InvitationToken: s.ConsoleToken})
}
