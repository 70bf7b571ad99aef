package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdline/holdline/config"
)

const (
	helpWidth  = 100
	helpConfig = "help-config"
)

// configurable gives a command the flags of the configuration, and --help-config,
// which lists them: --help has the command's own alone.
func configurable(cmd *cobra.Command) *cobra.Command {
	config.Flags(cmd.Flags())
	cmd.Flags().Bool(helpConfig, false, "list the configuration's flags, one for each key of the file")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if listed, err := cmd.Flags().GetBool(helpConfig); err == nil && listed {
			return writeConfigHelp(cmd)
		}
		return run(cmd, args)
	}
	return cmd
}

// group is a command that does nothing itself.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true}, // first of all the command is missing
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s: a command is missing: %s", cmd.CommandPath(), strings.Join(commandNames(cmd), ", "))
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

func unknownCommand(cmd *cobra.Command, name string) error {
	if near := config.Nearest(name, commandNames(cmd)); near != "" {
		return fmt.Errorf("unknown command %q for %q; did you mean %s?", name, cmd.CommandPath(), near)
	}
	return fmt.Errorf("unknown command %q for %q, which has %s", name, cmd.CommandPath(), strings.Join(commandNames(cmd), ", "))
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// flagFault says which flag was meant, as far as that can be told.
func flagFault(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := config.Nearest(unknown.GetSpecifiedName(), names); near != "" {
		return fmt.Errorf("%w; did you mean --%s?", err, near)
	}
	return fmt.Errorf("%w; `%s --help` lists the flags", err, cmd.CommandPath())
}

// writeHelp is what --help prints: what a command does, how it is called, its own
// flags.
func writeHelp(cmd *cobra.Command, out io.Writer) error {
	var text strings.Builder
	text.WriteString(strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short+".")) + "\n\nUsage:\n")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&text, "  %s COMMAND\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(&text, "  %s\n", cmd.UseLine())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&text, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if cmd.HasAvailableSubCommands() {
		text.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&text, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	}
	own, sections := flagsOf(cmd)
	if own.HasAvailableFlags() {
		text.WriteString("\nFlags:\n" + usages(own))
	}
	if len(sections) > 0 {
		fmt.Fprintf(&text, "\nEach key of the configuration is a flag and a HOLDLINE_ variable too:\n  %s --%s\n", cmd.CommandPath(), helpConfig)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// usages lists flags. That a switch may be followed by a value goes without saying.
func usages(flags *pflag.FlagSet) string {
	const noise = "[=true|false]"
	return strings.ReplaceAll(flags.FlagUsagesWrapped(helpWidth), noise, strings.Repeat(" ", len(noise)))
}

// writeConfigHelp lists the configuration's flags by section.
func writeConfigHelp(cmd *cobra.Command) error {
	var text strings.Builder
	text.WriteString("A flag wins over its variable (--otp-length, HOLDLINE_OTP_LENGTH), that over the file given with\n" +
		"--config, the file over the default. A variable with _FILE behind its name names a file.\n")
	_, sections := flagsOf(cmd)
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		fmt.Fprintf(&text, "\n%s:\n%s", section, usages(sections[section]))
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text.String())
	return err
}

// flagsOf tells a command's own flags from those of the configuration, which come by
// section.
func flagsOf(cmd *cobra.Command) (own *pflag.FlagSet, sections map[string]*pflag.FlagSet) {
	own, sections = pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError), map[string]*pflag.FlagSet{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		section := config.Section(f)
		if section == "" {
			own.AddFlag(f)
			return
		}
		if sections[section] == nil {
			sections[section] = pflag.NewFlagSet(section, pflag.ContinueOnError)
		}
		sections[section].AddFlag(f)
	})
	return own, sections
}
