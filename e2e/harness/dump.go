package harness

import (
	"bytes"
	"os/exec"
	"strconv"
	"testing"
)

// Dump returns what mariadb-dump writes of a database that is in use, with the
// options of docs/operate.md.
func (d Database) Dump(t testing.TB) []byte {
	t.Helper()
	cmd := exec.Command("mariadb-dump", append(d.connection(), "--single-transaction", "--quick", d.Name)...)
	dump, err := cmd.Output()
	if err != nil {
		t.Fatalf("mariadb-dump: %v: %s", err, stderr(err))
	}
	return dump
}

// Restore reads a dump into an empty database.
func (d Database) Restore(t testing.TB, dump []byte) {
	t.Helper()
	cmd := exec.Command("mariadb", append(d.connection(), d.Name)...)
	cmd.Stdin = bytes.NewReader(dump)
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mariadb: %v: %s", err, printed)
	}
}

func (d Database) connection() []string {
	return []string{"--no-defaults", "--host=127.0.0.1", "--port=" + strconv.Itoa(d.Server.Port), "--user=root"}
}
