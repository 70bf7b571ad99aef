package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdline/holdline/config"
)

// longestHelp is what a terminal shows at once.
const longestHelp = 40

// commands are all that there are, the shells' completions included.
func commands(t *testing.T) []*cobra.Command {
	t.Helper()
	top := root()
	top.InitDefaultCompletionCmd()
	var all []*cobra.Command
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		all = append(all, c)
		for _, inner := range c.Commands() {
			collect(inner)
		}
	}
	collect(top)
	if len(all) < 15 {
		t.Fatalf("only %d commands", len(all))
	}
	return all
}

func TestEveryHelpFitsAScreen(t *testing.T) {
	for _, c := range commands(t) {
		var out strings.Builder
		if err := writeHelp(c, &out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
		t.Logf("%2d lines  %s --help", len(lines), c.CommandPath())
		if len(lines) > longestHelp {
			t.Errorf("%s --help has %d lines, more than %d", c.CommandPath(), len(lines), longestHelp)
		}
		for _, line := range lines {
			if len(line) > helpWidth+4 {
				t.Errorf("%s --help: %d characters in %q", c.CommandPath(), len(line), line)
			}
		}
		for _, f := range ownFlags(c) {
			if !strings.Contains(out.String(), "--"+f) {
				t.Errorf("%s --help does not name --%s", c.CommandPath(), f)
			}
		}
		if c.Flags().Lookup(helpConfig) != nil && !strings.Contains(out.String(), c.CommandPath()+" --"+helpConfig) {
			t.Errorf("%s --help does not say where the configuration's flags are", c.CommandPath())
		}
	}
}

func ownFlags(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if config.Section(f) == "" {
			names = append(names, f.Name)
		}
	})
	return names
}

func TestHelpConfigListsEveryKey(t *testing.T) {
	for _, c := range commands(t) {
		if c.Flags().Lookup(helpConfig) == nil {
			continue
		}
		var out strings.Builder
		c.SetOut(&out)
		if err := writeConfigHelp(c); err != nil {
			t.Fatal(err)
		}
		listed := 0
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if config.Section(f) != "" {
				listed++
				if !strings.Contains(out.String(), "--"+f.Name+" ") {
					t.Errorf("%s --%s does not name --%s", c.CommandPath(), helpConfig, f.Name)
				}
			}
		})
		if listed < 90 || !strings.Contains(out.String(), "\nlimits:\n      --limits-") {
			t.Errorf("%s --%s: %d flags", c.CommandPath(), helpConfig, listed)
		}
	}
}

func TestManualAndCompletionsAreWritten(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1767225600")
	dir := t.TempDir()
	cmd := root()
	cmd.SetArgs([]string{"man", dir})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"man/holdline.1":            {".TH", "Jan 2026", "holdline-serve(1)"},
		"man/holdline-doctor.1":     {"--kratos-config", "--help-config"},
		"man/holdline-migrate-up.1": {"Bring the schema up to date"},
		"man/holdline.yml.5":        {`"HOLDLINE.YML" "5" "Jan 2026"`, "--otp-length", "characters of a code, 4 to 10"},
		"completions/holdline.bash": {"__start_holdline"}, "completions/_holdline": {"#compdef holdline"},
		"completions/holdline.fish": {"complete -c holdline"}, "completions/holdline.ps1": {"Register-ArgumentCompleter"},
	} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(string(content), want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
	}
	if page, err := os.ReadFile(filepath.Join(dir, "man/holdline-serve.1")); err != nil || strings.Contains(string(page), "otp-length") {
		t.Errorf("the page of serve repeats the configuration's flags: %v", err)
	}
}
