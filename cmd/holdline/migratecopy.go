package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/transfer"
)

// saidEvery is after how many rows of a table a line is printed.
const saidEvery = 50_000

func copyCommand() *cobra.Command {
	var from, to, fromFile, toFile string
	var restart bool
	cmd := &cobra.Command{
		Use: "copy", Args: cobra.NoArgs,
		Short: "Copy all that Holdline keeps to another database, and compare both",
		Long: `Copies claims, texts, the audit trail, tokens, settings, limits, receipts and SCIM's index
from one database to another, of the same kind or not. Stop every ` + "`holdline serve`" + ` first.
--from is only read; --to is migrated, and must be empty. In the end both are read again,
and must have the same rows. Run a copy that broke off again: it goes on where it was.`,
		Example: `  holdline migrate copy --from sqlite://holdline.db --to-file /run/secrets/database-dsn`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, err := dsn("from", from, fromFile)
			if err != nil {
				return err
			}
			target, err := dsn("to", to, toFile)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "copying %s to %s\n", database.Name(source), database.Name(target))
			done, err := transfer.Copy(cmd.Context(), source, target, transfer.Options{Restart: restart, Report: saySome(cmd)})
			if err != nil {
				return err
			}
			return sayCopied(cmd, done)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "DSN of the database to read")
	cmd.Flags().StringVar(&fromFile, "from-file", "", "file that has it, so that its password is in no list of processes")
	cmd.Flags().StringVar(&to, "to", "", "DSN of the database to write")
	cmd.Flags().StringVar(&toFile, "to-file", "", "file that has it")
	cmd.Flags().BoolVar(&restart, "restart", false, "forget what an unfinished copy has written, and begin anew")
	return cmd
}

// dsn reads a DSN from a flag, or from the file that another one names.
func dsn(flag, given, file string) (string, error) {
	if (given == "") == (file == "") {
		return "", fmt.Errorf("give one of --%s and --%s-file", flag, flag)
	}
	if file == "" {
		return given, nil
	}
	content, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("--%s-file: %w", flag, err)
	}
	return strings.TrimSpace(string(content)), nil
}

// saySome prints how far a large table is.
func saySome(cmd *cobra.Command) func(transfer.Table) {
	said := map[string]int64{}
	return func(t transfer.Table) {
		if t.Rows-said[t.Name] >= saidEvery {
			said[t.Name] = t.Rows
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "copying %s: %d rows\n", t.Name, t.Rows)
		}
	}
}

func sayCopied(cmd *cobra.Command, done transfer.Result) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	var rows, mended int64
	for _, t := range done.Tables {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", t.Name, t.Rows) // Flush tells
		rows, mended = rows+t.Rows, mended+t.Mended
	}
	err := table.Flush()
	say := func(format string, values ...any) {
		_, failed := fmt.Fprintf(cmd.OutOrStdout(), format+"\n", values...)
		err = cmp.Or(err, failed)
	}
	if mended > 0 {
		say("%d rows had texts with NUL or invalid UTF-8, which stands as U+FFFD in --to", mended)
	}
	switch {
	case done.Already:
		say("nothing to do: both databases have the same %d rows", rows)
	case done.Resumed > 0:
		say("copied: both databases have the same %d rows, %d of them from an earlier run", rows, done.Resumed)
	default:
		say("copied: both databases have the same %d rows", rows)
	}
	return err
}
