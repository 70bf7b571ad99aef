package main

import (
	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/wiring"
)

func kratosConfigCommand() *cobra.Command {
	var dir, realm string
	var files []string
	cmd := &cobra.Command{
		Use: "kratos-config", Short: "Print the keys to merge into kratos.yml", Args: cobra.NoArgs,
		Long: "Prints one YAML document with the keys that a Kratos needs beside its own. It holds the hook\n" +
			"key: keep it as a secret. Kratos replaces lists when it merges files, so name the files that it\n" +
			"has: their hooks and return URLs are then in the printed lists too.",
		Example: "  (umask 077; holdline kratos-config --config holdline.yml \\\n" +
			"      --kratos-config kratos.yml > kratos-holdline.yml)\n" +
			"  kratos serve --config kratos.yml --config kratos-holdline.yml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd, "public", "kratos", "realms", "hooks", "admin", "scim")
			if err != nil {
				return err
			}
			document, err := kratosConfig(cfg, realm, dir, files...)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(document)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "jsonnet-dir", "", "write the jsonnet to files in this `folder` instead")
	cmd.Flags().StringArrayVar(&files, "kratos-config", nil, "the kratos.yml that Kratos has, as `file`; once for each that it merges, in its order")
	cmd.Flags().StringVar(&realm, "realm", "", "the `realm` whose Kratos the keys are for; PRIMARY if not given")
	return configurable(cmd)
}

// kratosConfig makes the document, to be merged over the files beside.
func kratosConfig(cfg config.Config, realm, jsonnetDir string, beside ...string) ([]byte, error) {
	setup, err := wiring.HookSetup(cfg, realm)
	if err != nil {
		return nil, err
	}
	setup.JsonnetDir = jsonnetDir
	if len(beside) > 0 {
		file, err := doctor.ReadKratos(beside...)
		if err != nil {
			return nil, err
		}
		setup.Beside = file.Tree()
	}
	return hook.KratosConfig(setup)
}
