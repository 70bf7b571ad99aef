package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// build says what the program was made from. It holds no time of its making, so
// that the same source makes the same bytes. What the build did not record is
// blank: a build outside a checkout knows no commit.
type build struct {
	Release    string `json:"release"`
	Commit     string `json:"commit,omitempty"`
	CommitTime string `json:"commit_time,omitempty"` // RFC 3339, UTC
	Modified   bool   `json:"modified"`              // files differed from the commit
	Go         string `json:"go"`
	Platform   string `json:"platform"`
}

// thisBuild reads what the Go command wrote into the program (runtime/debug,
// BuildSetting).
func thisBuild(info *debug.BuildInfo) build {
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	return build{
		Release: release, Commit: settings["vcs.revision"], CommitTime: settings["vcs.time"],
		Modified: settings["vcs.modified"] == "true", Go: info.GoVersion,
		Platform: settings["GOOS"] + "/" + settings["GOARCH"],
	}
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the release, its commit and the Go version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			b := thisBuild(info)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(b)
			}
			return b.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// print writes the release on the first line, alone, and below what else is known.
func (b build) print(out io.Writer) error {
	if b.Modified {
		b.Commit += " (modified)"
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, b.Release) // Flush tells
	for _, line := range [][2]string{{"commit", b.Commit}, {"committed", b.CommitTime}, {"go", b.Go}, {"platform", b.Platform}} {
		if line[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
		}
	}
	return table.Flush()
}
