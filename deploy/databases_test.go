package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// databaseServers are what an example may have, each with a server of the project's tests.
var databaseServers = map[string]struct {
	image  string
	files  []string // laid over compose.yml
	script string
	client func(dir, dsn string) *exec.Cmd
	gate   string // where the example's DSNs lead
}{
	"postgres": {"postgres:", nil, "postgres.sh", func(_, dsn string) *exec.Cmd {
		cmd := exec.Command("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", strings.Replace(dsn, "app:app@", "postgres:root@", 1))
		return cmd
	}, "@database:5432/"},
	"mysql": {"mysql:", []string{"mysql.yml"}, "mariadb.sh", func(dir, _ string) *exec.Cmd {
		cmd := exec.Command("mariadb", "--no-defaults", "--user=root", "--socket=./sock")
		cmd.Dir = dir
		return cmd
	}, "@tcp(database:3306)/"},
}

// What init.sh makes for a database's first start makes the databases and accounts that its
// DSNs name; Holdline makes its tables there.
func TestComposedDatabasesAreMade(t *testing.T) {
	for name, kind := range databaseServers {
		t.Run(name, func(t *testing.T) {
			dir := composed(t, "DATABASE="+name)
			service := project(t, dir, kind.files...).Services["database"]
			if !strings.HasPrefix(service.Image, kind.image) || len(service.Volumes) != 2 || len(service.Environment) != 1 {
				t.Errorf("got image %s, %d volumes, environment %v", service.Image, len(service.Volumes), service.Environment)
			}
			data := filepath.Join(t.TempDir(), name)
			script, err := filepath.Abs("../e2e/" + kind.script)
			if err != nil {
				t.Fatal(err)
			}
			dsn, err := exec.Command(script, "start", data).Output()
			if err != nil {
				t.Fatalf("%s: %v", script, err)
			}
			t.Cleanup(func() { _ = exec.Command(script, "stop", data).Run() })
			statements, err := os.Open(filepath.Join(dir, "secrets", "databases.sql"))
			if err != nil {
				t.Fatal(err)
			}
			defer statements.Close()
			at := strings.TrimSpace(string(dsn))
			client := kind.client(data, at)
			client.Stdin = statements
			if printed, err := client.CombinedOutput(); err != nil {
				t.Fatalf("databases.sql: %v: %s", err, printed)
			}
			_, gate, _ := strings.Cut(at, "@")
			gate, _, _ = strings.Cut(gate, "/")
			own := strings.Replace(strings.TrimSpace(read(t, filepath.Join(dir, "secrets", "database-dsn"))), kind.gate, "@"+gate+"/", 1)
			migrate := exec.Command(program(t, "HOLDLINE_BIN"), "migrate", "up", "--database-dsn", own)
			if printed, err := migrate.CombinedOutput(); err != nil || !strings.Contains(string(printed), "is up to date") {
				t.Errorf("migrate up: %v: %s", err, printed)
			}
			if kratos := read(t, filepath.Join(dir, "secrets", "kratos.yml")); !strings.Contains(kratos, kind.gate+"kratos") {
				t.Errorf("Kratos has %s", kratos)
			}
		})
	}
}
