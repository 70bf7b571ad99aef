package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/probe"
	"github.com/holdline/holdline/internal/claim"
)

func doctorCommand() *cobra.Command {
	var files []string
	var strict, asJSON, offline bool
	var number, gateway string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check the set-up: find what would fail open or not work, and print the line to change",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return exit{2, err}
			}
			return nil
		},
		Long: "Looks at Holdline's configuration, at kratos.yml and at the running servers. Nothing is\n" +
			"changed, and no text is sent but by --send-test, which looks at nothing else unless\n" +
			"--kratos-config is given too. The exit code is 0 if nothing was found that fails, 1 if\n" +
			"something was (with --strict also for warnings), 2 if it could not look.",
		Example: "  holdline doctor --config holdline.yml --kratos-config kratos.yml --kratos-config kratos-holdline.yml\n" +
			"  holdline doctor --config holdline.yml --send-test +447400123456",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if number == "" && gateway != "" {
				return exit{2, errors.New("--gateway goes together with --send-test")}
			}
			var report doctor.Report
			var err error
			if number == "" || len(files) > 0 {
				report, err = examine(cmd, files, offline)
			}
			if err == nil && number != "" {
				report, err = sendTest(cmd, number, gateway, report)
			}
			if err == nil && asJSON {
				err = report.WriteJSON(cmd.OutOrStdout())
			} else if err == nil {
				err = report.WriteText(cmd.OutOrStdout())
			}
			switch {
			case err != nil:
				return exit{2, err}
			case doctor.Failed(report.Findings, strict):
				return exit{1, nil}
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exit{2, flagFault(cmd, err)} })
	cmd.Flags().StringArrayVar(&files, "kratos-config", nil, "a kratos.yml, as `file` (.yml, .yaml or .json); once for each file that Kratos merges, in its order; REALM=FILE for a further realm's")
	cmd.Flags().BoolVar(&offline, "offline", false, "look at the files alone, and ask no server")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 1 for warnings too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON for programs")
	cmd.Flags().StringVar(&number, "send-test", "", "send one text to this `number`, and show what providers were asked and answered, with secrets masked")
	cmd.Flags().StringVar(&gateway, "gateway", "", "`id` of the gateway that --send-test sends by; without it the number's gateways are asked in order")
	return configurable(cmd)
}

// sendTest adds a test text to what was found.
func sendTest(cmd *cobra.Command, number, gateway string, found doctor.Report) (doctor.Report, error) {
	cfg, err := load(cmd)
	if err != nil {
		return doctor.Report{}, err
	}
	report, err := probe.SendTest(cmd.Context(), cfg, number, gateway)
	if err != nil {
		return doctor.Report{}, err
	}
	return report.With(found), nil
}

func examine(cmd *cobra.Command, files []string, offline bool) (doctor.Report, error) {
	cfg, err := load(cmd)
	if err != nil {
		return doctor.Report{}, err
	}
	sorted, err := byRealm(files, cfg)
	if err != nil {
		return doctor.Report{}, err
	}
	return probe.Examine(cmd.Context(), cfg, probe.Options{KratosFiles: sorted, Offline: offline})
}

// byRealm sorts the files of Kratos by the realm that they are for.
func byRealm(files []string, cfg config.Config) (map[string][]string, error) {
	sorted := map[string][]string{}
	for _, file := range files {
		realm := claim.PrimaryRealm
		if name, rest, found := strings.Cut(file, "="); found && !strings.ContainsAny(name, `/\`) {
			if _, _, err := cfg.Realm(name); err != nil {
				return nil, fmt.Errorf("--kratos-config: %w", err)
			}
			realm, file = strings.ToUpper(name), rest
		}
		sorted[realm] = append(sorted[realm], file)
	}
	return sorted, nil
}
