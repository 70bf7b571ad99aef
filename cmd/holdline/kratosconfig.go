package main

import (
	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/wiring"
)

func kratosConfigCommand() *cobra.Command {
	var dir, realm string
	cmd := &cobra.Command{
		Use: "kratos-config", Short: "Print the keys to merge into kratos.yml", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd, "public", "kratos", "realms", "hooks", "admin", "scim")
			if err != nil {
				return err
			}
			document, err := kratosConfig(cfg, realm, dir)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(document)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "jsonnet-dir", "", "write the jsonnet to files in this folder instead")
	cmd.Flags().StringVar(&realm, "realm", "", "the realm whose Kratos the keys are for; PRIMARY if not given")
	config.Flags(cmd.Flags())
	return cmd
}

func kratosConfig(cfg config.Config, realm, jsonnetDir string) ([]byte, error) {
	setup, err := wiring.HookSetup(cfg, realm)
	if err != nil {
		return nil, err
	}
	setup.JsonnetDir = jsonnetDir
	return hook.KratosConfig(setup)
}
