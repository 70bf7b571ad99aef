package database_test

import (
	"testing"

	"github.com/holdline/holdline/persistence/database"
)

func TestADatabaseIsNamedWithoutItsPassword(t *testing.T) {
	for dsn, want := range map[string]string{
		"sqlite://holdline.db":                                                           "sqlite://holdline.db",
		"sqlite:///var/lib/holdline/holdline.db?_pragma=x":                               "sqlite:///var/lib/holdline/holdline.db",
		"mysql://me:hunter2@tcp(db:3306)/holdline?tls=true":                              "mysql://me@tcp(db:3306)/holdline",
		"mysql://me:hunt@er/2?@tcp(db:3306)/holdline":                                    "mysql://me@tcp(db:3306)/holdline",
		"mysql://tcp(db)/holdline":                                                       "mysql://tcp(db)/holdline",
		"postgres://me:hunter2@db:5432/holdline?sslmode=verify-full&sslpassword=hunter2": "postgres://me@db:5432/holdline",
		"postgres://me@db/holdline?options=a@hunter2":                                    "postgres://me@db/holdline",
	} {
		if got := database.Name(dsn); got != want {
			t.Errorf("%s: got %s, want %s", dsn, got, want)
		}
	}
}
