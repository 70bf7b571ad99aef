package main

import (
	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/hook"
)

func kratosConfigCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "kratos-config", Short: "Print the keys to merge into kratos.yml", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd, "kratos", "hooks", "admin", "scim")
			if err != nil {
				return err
			}
			document, err := kratosConfig(cfg, dir)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(document)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "jsonnet-dir", "", "write the jsonnet to files in this folder instead")
	config.Flags(cmd.Flags())
	return cmd
}

func kratosConfig(cfg config.Config, jsonnetDir string) ([]byte, error) {
	base, err := cfg.HookURL()
	if err != nil {
		return nil, err
	}
	return hook.KratosConfig(hook.Setup{
		BaseURL: base, Key: cfg.Hooks.APIKey.Reveal(), MobileTrait: cfg.Kratos.MobileTrait,
		PendingKey: cfg.Kratos.PendingKey, LocaleTrait: cfg.Kratos.LocaleTrait,
		AddressHeader: cfg.Hooks.AddressHeader, ReturnURL: cfg.Hooks.ReturnURL, JsonnetDir: jsonnetDir,
		Changed: cfg.SCIM.Enabled,
	})
}
