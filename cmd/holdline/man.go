package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/holdline/holdline/config"
)

// manCommand is for those who pack releases. The date of the pages is that of
// SOURCE_DATE_EPOCH.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write the manual pages and the shells' completions", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			pages, completions := filepath.Join(args[0], "man"), filepath.Join(args[0], "completions")
			for _, dir := range []string{pages, completions} {
				if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // What is packed is for everybody.
					return err
				}
			}
			if err := writeManual(cmd.Root(), pages); err != nil {
				return err
			}
			return writeCompletions(cmd.Root(), completions)
		},
	}
}

// writeManual writes a page for each command, and one for the configuration, whose flags
// are not repeated in those.
func writeManual(root *cobra.Command, dir string) error {
	settings := pflag.NewFlagSet("", pflag.ContinueOnError)
	hideConfig(root, settings)
	root.DisableAutoGenTag = true
	now := time.Now()
	if epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		now = time.Unix(epoch, 0).UTC()
	}
	header := &doc.GenManHeader{Section: "1", Source: "holdline " + release, Manual: "Holdline", Date: &now}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return err
	}
	var page strings.Builder
	page.WriteString("% \"HOLDLINE.YML\" \"5\" \"" + now.Format("Jan 2006") + "\" \"" + header.Source + "\" \"Holdline\"\n" +
		"# NAME\nholdline.yml - configuration of Holdline\n\n# DESCRIPTION\n" +
		"YAML, JSON or TOML by its name's end, given with **--config** or HOLDLINE_CONFIG. Each key is a flag and a variable too: " +
		"limits.max_attempts is **--limits-max-attempts** and HOLDLINE_LIMITS_MAX_ATTEMPTS. A flag wins over a variable, that over the file. " +
		"A variable with _FILE behind its name names a file that has the value.\n\n# FLAGS\n")
	settings.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(&page, "**--%s**=%s\n:   %s", f.Name, f.DefValue, f.Usage)
		page.WriteString("\n\n")
	})
	page.WriteString("# SEE ALSO\n**holdline(1)**\n")
	return os.WriteFile(filepath.Join(dir, "holdline.yml.5"), md2man.Render([]byte(page.String())), 0o644) //nolint:gosec // As above.
}

// hideConfig takes the configuration's flags out of the pages of commands, and collects
// them.
func hideConfig(cmd *cobra.Command, into *pflag.FlagSet) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if config.Section(f) != "" {
			f.Hidden = true
			if into.Lookup(f.Name) == nil {
				into.AddFlag(f)
			}
		}
	})
	for _, c := range cmd.Commands() {
		hideConfig(c, into)
	}
}

func writeCompletions(root *cobra.Command, dir string) error {
	for name, write := range map[string]func(file string) error{
		"holdline.bash": func(file string) error { return root.GenBashCompletionFileV2(file, true) },
		"_holdline":     root.GenZshCompletionFile,
		"holdline.fish": func(file string) error { return root.GenFishCompletionFile(file, true) },
		"holdline.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
