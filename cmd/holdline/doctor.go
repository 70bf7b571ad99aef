package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/probe"
	"github.com/holdline/holdline/internal/claim"
)

// doctorFlags are what the doctor is asked for.
type doctorFlags struct {
	files                   []string
	strict, asJSON, offline bool
	number, gateway         string
	try, yes                bool
	traits                  string
}

func doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check the set-up: find what would fail open or not work, and print the line to change",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return exit{2, err}
			}
			return nil
		},
		Long: "Looks at Holdline's configuration, at kratos.yml and at the running servers. It changes nothing\n" +
			"but by --try, which makes an identity and deletes it, and texts nobody but by --send-test, which\n" +
			"looks at nothing else unless --kratos-config or --try is given too. Exit code: 0, nothing fails;\n" +
			"1, something does (with --strict also for warnings); 2, it could not look or try.",
		Example: "  holdline doctor --config holdline.yml --kratos-config kratos.yml --kratos-config kratos-holdline.yml\n" +
			"  holdline doctor --config holdline.yml --kratos-config kratos.yml --try\n" +
			"  holdline doctor --config holdline.yml --send-test +447400123456",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return exit{2, err}
			}
			report, looked, err := f.run(cmd)
			if looked {
				write := report.WriteText
				if f.asJSON {
					write = report.WriteJSON
				}
				err = errors.Join(err, write(cmd.OutOrStdout()))
			}
			switch {
			case err != nil:
				return exit{2, err}
			case doctor.Failed(report.Findings, f.strict):
				return exit{1, nil}
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exit{2, flagFault(cmd, err)} })
	cmd.Flags().StringArrayVar(&f.files, "kratos-config", nil, "a kratos.yml, as `file` (.yml, .yaml or .json); once for each file that Kratos merges, in its order; REALM=FILE for a further realm's")
	cmd.Flags().BoolVar(&f.offline, "offline", false, "look at the files alone, and ask no server")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit with 1 for warnings too")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "write JSON for programs")
	cmd.Flags().BoolVar(&f.try, "try", false, "try one change of number at the running Kratos, with an identity that is made for it and deleted")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "begin --try without asking, at a terminal too")
	cmd.Flags().StringVar(&f.traits, "try-traits", "", "`file` (YAML or JSON) with traits of that identity, in place of made ones")
	cmd.Flags().StringVar(&f.number, "send-test", "", "send one text to this `number`, and show what providers were asked and answered, with secrets masked")
	cmd.Flags().StringVar(&f.gateway, "gateway", "", "`id` of the gateway that --send-test sends by; without it the number's gateways are asked in order")
	return configurable(cmd)
}

// check refuses flags that do not go together.
func (f doctorFlags) check() error {
	switch {
	case f.number == "" && f.gateway != "":
		return errors.New("--gateway goes together with --send-test")
	case f.try && f.offline:
		return errors.New("--try asks servers, and --offline none")
	case !f.try && (f.yes || f.traits != ""):
		return errors.New("--yes and --try-traits go together with --try")
	}
	return nil
}

// run does what is asked for. It reports whether there is something to print, which may
// be so in spite of an error.
func (f doctorFlags) run(cmd *cobra.Command) (report doctor.Report, looked bool, err error) {
	cfg, err := load(cmd)
	if err != nil {
		return doctor.Report{}, false, err
	}
	files, err := byRealm(f.files, cfg)
	if err != nil {
		return doctor.Report{}, false, err
	}
	options := probe.Options{KratosFiles: files, Offline: f.offline}
	if f.number == "" || len(f.files) > 0 || f.try {
		if report, err = probe.Examine(cmd.Context(), cfg, options); err != nil {
			return doctor.Report{}, false, err
		}
	}
	if f.number != "" {
		sent, err := probe.SendTest(cmd.Context(), cfg, f.number, f.gateway)
		if err != nil {
			return doctor.Report{}, false, err
		}
		report = sent.With(report)
	}
	if f.try {
		tried, err := f.tryChange(cmd, cfg, options)
		return report.With(tried), true, err
	}
	return report, true, nil
}

// tryChange tries a change of number. What it does and will do goes to standard error, so
// that the report stays alone on standard output.
func (f doctorFlags) tryChange(cmd *cobra.Command, cfg config.Config, options probe.Options) (doctor.Report, error) {
	o := probe.TryOptions{Options: options, Say: func(step string) { cmd.PrintErrln("try: " + step) }}
	var err error
	if o.Traits, err = readTraits(f.traits); err != nil {
		return doctor.Report{}, err
	}
	o.Begin = func(plan string) error {
		cmd.PrintErr(plan)
		if in, is := cmd.InOrStdin().(*os.File); f.yes || !is || !isatty.IsTerminal(in.Fd()) {
			return nil
		}
		cmd.PrintErr("Begin? [y/N] ")
		said, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if said = strings.ToLower(strings.TrimSpace(said)); said != "y" && said != "yes" {
			return errors.New("--try: not begun")
		}
		return nil
	}
	return probe.Try(cmd.Context(), cfg, o)
}

// readTraits reads the operator's traits; none if no file is named.
func readTraits(file string) (map[string]any, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // None is no error.
	}
	content, err := os.ReadFile(file) //nolint:gosec // The operator names it.
	if err != nil {
		return nil, fmt.Errorf("--try-traits: %w", err)
	}
	var traits map[string]any
	if yaml.Unmarshal(content, &traits) != nil || traits == nil {
		return nil, fmt.Errorf("--try-traits: %s is not YAML or JSON with an object in it", file)
	}
	return traits, nil
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
