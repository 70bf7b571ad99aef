package e2e_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// The benchmark's changes are changes: with a provider that answers at once as
// with one that takes a second, each number ends written, by one text. How fast
// is not for a test to say.
func TestTheBenchmarkLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	server := harness.OwnMariaDB(t)
	bench := filepath.Join(t.TempDir(), "bench")
	build := exec.Command("go", "build", "-o", bench, "./bench")
	build.Dir = ".."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./bench: %v\n%s", err, said)
	}
	run := exec.CommandContext(t.Context(), bench, "-holdline", harness.Env.HoldlineBin,
		"-dsn", fmt.Sprintf("mysql://root@tcp(127.0.0.1:%d)/mysql", server.Port),
		"-users", "1,4", "-pairs", "1", "-ramp", "1s", "-block", "1s", "-scim-users", "2000", "-scim-rounds", "11")
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) } // it has Holdlines to stop
	said, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("bench: %v\n%s", err, said)
	}
	for database, label := range map[string]string{"bench_instant": "at once", "bench_slow": "after 1s"} {
		var changes, texts int
		err := server.Root.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM "+database+".claims), "+
			"(SELECT COUNT(*) FROM "+database+".texts)").Scan(&changes, &texts)
		if err != nil {
			t.Fatal(err)
		}
		var applied, sent int
		err = server.Root.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM "+database+".claims WHERE state = 'applied'), "+
			"(SELECT COUNT(*) FROM "+database+".texts WHERE state = 'sent')").Scan(&applied, &sent)
		if err != nil {
			t.Fatal(err)
		}
		if changes == 0 || applied != changes || texts != 2*changes || sent != texts {
			t.Errorf("%s: of %d claims %d applied, of %d texts %d sent", label, changes, applied, texts, sent)
		}
		if !reports(string(said), label, changes) {
			t.Errorf("%s: %d changes, and the report says otherwise:\n%s", label, changes, said)
		}
	}
}

// reports tells whether the last table has a line for a provider with that many
// changes and nothing amiss.
func reports(report, label string, changes int) bool {
	want := fmt.Sprintf("| %s | %d | 0 | %d | 0 | 0 | 0 |", label, changes, 2*changes)
	for line := range strings.Lines(report) {
		if strings.Join(strings.Fields(line), " ") == want {
			return true
		}
	}
	return false
}
