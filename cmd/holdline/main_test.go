package main

import (
	"database/sql"
	"path/filepath"
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
			return nil
		},
	})
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
