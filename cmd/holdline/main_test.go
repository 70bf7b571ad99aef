package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"holdline": main})
}

func TestProgram(t *testing.T) {
	migrations, err := filepath.Abs("../../persistence/migration")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"sqlite": sqlite},
		Setup: func(env *testscript.Env) error {
			env.Setenv("MIGRATION", migrations)
			// A program with the race detector sleeps a second when it ends, for races that
			// other goroutines may still report; here some seventy programs end.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
	})
}

// What the document says that the program says is what the script wants of it.
func TestMistakesAreAnsweredAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| mistake | what is said |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var wanted []*regexp.Regexp
	for _, found := range regexp.MustCompile(`(?m)^stderr '\^(.+)\$'$`).FindAllStringSubmatch(string(script), -1) {
		wanted = append(wanted, regexp.MustCompile("^"+found[1]+"$"))
	}
	rows, saying := strings.Split(table, "\n"), regexp.MustCompile("`([^`]+: [^`]+|unknown [^`]+)`")
	if len(rows) != 10 {
		t.Errorf("got %d rows, want ten", len(rows))
	}
	for _, row := range rows {
		said := saying.FindAllStringSubmatch(row, -1)
		if len(said) == 0 {
			t.Errorf("nothing is said in %q", row)
		}
		for _, one := range said {
			text := strings.ReplaceAll(one[1], "holdline.yml:", "spelled.yml:")
			if !slices.ContainsFunc(wanted, func(r *regexp.Regexp) bool { return r.MatchString(text) }) {
				t.Errorf("the script wants nothing like %q", text)
			}
		}
	}
}

// sqlite runs statements on a database file, those of a file or a single one:
//
//	sqlite FILE statements.sql|'SELECT …'
//
// What a SELECT finds must not be nothing.
func sqlite(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	if strings.HasPrefix(args[1], "SELECT") {
		var found string
		ts.Check(db.QueryRow(args[1]).Scan(&found))
		return
	}
	statements := args[1]
	if strings.HasSuffix(statements, ".sql") {
		statements = ts.ReadFile(statements)
	}
	_, err = db.Exec(statements)
	ts.Check(err)
}
