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
		Long: "Prints one YAML document with the keys that a Kratos needs beside its own. It holds the hook\n" +
			"key: keep it as a secret.",
		Example: "  (umask 077; holdline kratos-config --config holdline.yml > kratos-holdline.yml)\n" +
			"  kratos serve --config kratos.yml --config kratos-holdline.yml",
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
	cmd.Flags().StringVar(&dir, "jsonnet-dir", "", "write the jsonnet to files in this `folder` instead")
	cmd.Flags().StringVar(&realm, "realm", "", "the `realm` whose Kratos the keys are for; PRIMARY if not given")
	return configurable(cmd)
}

func kratosConfig(cfg config.Config, realm, jsonnetDir string) ([]byte, error) {
	setup, err := wiring.HookSetup(cfg, realm)
	if err != nil {
		return nil, err
	}
	setup.JsonnetDir = jsonnetDir
	return hook.KratosConfig(setup)
}
