package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/dialect"
)

func TestMariaDBSessionsAreSetUp(t *testing.T) {
	db := databasetest.Open(t, databasetest.MariaDB(t)+"?interpolateParams=false&loc=Local&parseTime=false&charset=latin1&wait_timeout=77")
	// MariaDB and MySQL keep such values in different tables, and show them alike.
	shown := func(what, name string) string {
		t.Helper()
		var value string
		err := db.Pool().QueryRowContext(t.Context(), "SHOW "+what+" WHERE Variable_name IN ("+name+")").Scan(&name, &value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return value
	}
	for variable, want := range map[string]string{
		"'tx_isolation', 'transaction_isolation'": "READ-COMMITTED", "'innodb_lock_wait_timeout'": "3", "'time_zone'": "+00:00",
		"'character_set_client'": "utf8mb4", "'sql_mode'": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", "'wait_timeout'": "77",
	} {
		if got := shown("VARIABLES", variable); got != want {
			t.Errorf("%s is %s, want %s", variable, got, want)
		}
	}
	prepared := func() int {
		n, err := strconv.Atoi(shown("GLOBAL STATUS", "'Com_stmt_prepare'"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := prepared()
	if n, err := databasetest.Count(t.Context(), db, "SELECT ? + 0", 7); err != nil || n != 7 {
		t.Errorf("got %d, %v", n, err)
	}
	if after := prepared(); after != before {
		t.Errorf("%d statements were prepared", after-before)
	}
}

func TestUnusableDSNsAreRefusedWithoutTheirPassword(t *testing.T) {
	const password = "hunter2%zz"
	for name, tt := range map[string]struct {
		dsn  string
		want error
	}{
		"nothing":            {"", dialect.ErrBadDSN},
		"other scheme":       {"oracle://app:" + password + "@db/app", dialect.ErrBadDSN},
		"bad port":           {"postgres://app:" + password + "@db:none/app", dialect.ErrBadDSN},
		"bad option":         {"postgres://app:" + password + "@db/app?connect_timeout=" + password, dialect.ErrBadDSN},
		"bad TLS":            {"postgres://app:hunter2@db/app?sslmode=" + password, dialect.ErrBadDSN},
		"no such authority":  {"postgres://app:hunter2@127.0.0.1:1/app?sslmode=verify-full&sslrootcert=/missing/ca.pem", dialect.ErrBadDSN},
		"no server":          {"postgresql://app:hunter2@127.0.0.1:1/app", problem.ErrStoreUnavailable},
		"no scheme":          {"app:" + password + "@tcp(127.0.0.1:3306)/app", dialect.ErrBadDSN},
		"address of a URL":   {"mysql://app:" + password + "@127.0.0.1:3306/app", dialect.ErrBadDSN},
		"no database":        {"mysql://app:" + password + "@tcp(127.0.0.1:3306)/", dialect.ErrBadDSN},
		"no slash":           {"mysql://app:" + password + "@tcp(127.0.0.1:3306)", dialect.ErrBadDSN},
		"password misplaced": {"mysql://tcp(127.0.0.1:3306)/app:" + password, dialect.ErrBadDSN},
		"bad parameter":      {"mysql://app:" + password + "@tcp(127.0.0.1:3306)/app?timeout=" + password, dialect.ErrBadDSN},
		"nobody listens":     {"mysql://app:" + password + "@tcp(127.0.0.1:1)/app", problem.ErrStoreUnavailable},
		"no file":            {"sqlite://", dialect.ErrBadDSN},
		"file parameters":    {"sqlite://db.sqlite?_fk=true", dialect.ErrBadDSN},
		"no directory":       {"sqlite:///missing/directory/holdline.db", problem.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := database.Open(t.Context(), tt.dsn, database.Options{})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

func TestAWrongPasswordIsNotRepeated(t *testing.T) {
	dsn := strings.Replace(databasetest.MariaDB(t), "app:app@", "app:hunter2@", 1)
	_, err := database.Open(t.Context(), dsn, database.Options{})
	if !errors.Is(err, problem.ErrMisconfigured) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestOpeningWaitsNoLongerThanItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := database.Open(ctx, "mysql://app:app@tcp(127.0.0.1:1)/app", database.Options{}); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestSQLiteIsSetUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a name with spaces?.db")
	if _, err := database.Open(t.Context(), "sqlite://"+path, database.Options{}); !errors.Is(err, dialect.ErrBadDSN) {
		t.Errorf("got %v", err)
	}
	path = filepath.Join(t.TempDir(), "100% of #1.db")
	db := databasetest.Open(t, "sqlite://"+path)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "1000"} {
		if got, err := databasetest.Text(t.Context(), db, "PRAGMA "+pragma); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", pragma, got, err, want)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v", info.Mode())
	}
}
