package dialect_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/dialect"
)

// server asks the server of a DSN.
func server(t *testing.T, dsn string) dialect.Server {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	is, err := db.Dialect().Server(t.Context(), db.Pool())
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// The servers of the tests do not wait for their disks; a server as it comes does.
func TestAServerSaysWhetherItKeepsWhatIsCommitted(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			is := server(t, newDSN(t))
			if name == "sqlite" {
				if is.Product != "" || len(is.Lossy) > 0 {
					t.Errorf("got %+v", is)
				}
				return
			}
			t.Logf("the server is %s %s", is.Product, is.Version)
			if len(is.Lossy) == 0 || is.Least != "" || is.ReadOnly || is.Connections < is.Opened || is.Opened == 0 || is.Idle != 0 {
				t.Errorf("got %+v", is)
			}
			if version := strings.SplitN(is.Version, ".", 2)[0]; !slices.Contains([]string{"8", "9", "10", "11", "12", "14", "15", "16", "17", "18"}, version) {
				t.Errorf("%s %s", is.Product, is.Version)
			}
		})
	}
}

// A durable server of each kind, started as the tests' own are.
func TestADurableServerIsSound(t *testing.T) {
	for name, variable := range map[string]string{"mariadb": "MARIADB_FLUSH", "postgres": "POSTGRES_FLUSH"} {
		if databasetest.Kinds[name] == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			_ = databasetest.Kinds[name](t) // skips where such servers are not to be had
			script, err := filepath.Abs(filepath.Join("..", "..", "e2e", name+".sh"))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			run := func(action string) string {
				cmd := exec.Command(script, action, dir)
				cmd.Env = append(os.Environ(), variable+"=1")
				cmd.Stderr = os.Stderr
				printed, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s %s: %v", script, action, err)
				}
				return strings.TrimSpace(string(printed))
			}
			dsn := run("start")
			defer run("stop")
			if is := server(t, dsn); len(is.Lossy) > 0 || is.Least != "" || is.ReadOnly {
				t.Errorf("got %+v", is)
			}
		})
	}
}

func TestOldServersAreNamed(t *testing.T) {
	for _, tt := range []struct{ version, least, want string }{
		{"5.7.44", "8.0", "8.0"},
		{"8.0.36", "8.0", ""},
		{"9.7.4", "8.0", ""},
		{"10.6.16-MariaDB", "10.11", "10.11"},
		{"10.11.6-MariaDB-0+deb12u1", "10.11", ""},
		{"11.4.2-MariaDB", "10.11", ""},
		{"13.14 (Debian 13.14-0+deb11u1)", "14", "14"},
		{"14.0", "14", ""},
		{"18", "14", ""},
	} {
		if got := dialect.Older(tt.version, tt.least); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.version, got, tt.want)
		}
	}
}
