package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// The benchmark's changes are changes: by forms and by SCIM, with a provider that takes
// its time, with replicas, with many earlier claims, with a real Kratos, each number
// ends written, by one text. How fast is not for a test to say.
func TestTheBenchmarkLosesAndDoublesNothing(t *testing.T) {
	if os.Getenv("HOLDLINE_BENCH") == "" {
		t.Skip("make bench runs it")
	}
	t.Parallel()
	server := harness.OwnMariaDB(t)
	bench := filepath.Join(t.TempDir(), "bench")
	build := exec.Command("go", "build", "-o", bench, "./bench")
	build.Dir = ".."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./bench: %v\n%s", err, said)
	}
	run := exec.CommandContext(t.Context(), bench, "-short", "-holdline", harness.Env.HoldlineBin, "-kratos", harness.Env.KratosBin,
		"-dsn", fmt.Sprintf("mysql://root@tcp(127.0.0.1:%d)/mysql", server.Port))
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) } // it has programs to stop
	said, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("bench: %v\n%s", err, said)
	}
	// What was there before the benchmark counted.
	for name, earlier := range map[string]int{
		"hooks": 0, "slow": 1000, "indexed": 1000, "scim": 1000, "replicas": 1000, "many": 5000, "kratos": 1000,
	} {
		database := "bench_" + name
		var claims, applied, texts, sent int
		err := server.Root.QueryRowContext(t.Context(), "SELECT COUNT(*), SUM(state = 'applied') FROM "+database+".claims").
			Scan(&claims, &applied)
		if err == nil {
			err = server.Root.QueryRowContext(t.Context(), "SELECT COUNT(*), SUM(state = 'sent') FROM "+database+".texts").
				Scan(&texts, &sent)
		}
		if err != nil {
			t.Fatal(err)
		}
		changes := claims - earlier
		if changes <= 0 || applied != claims || texts != 2*claims || sent != texts {
			t.Errorf("%s: of %d claims %d applied, of %d texts %d sent", name, claims, applied, texts, sent)
		}
		if !reports(string(said), name, changes) {
			t.Errorf("%s: %d changes, and the report says otherwise:\n%s", name, changes, said)
		}
	}
}

// reports reports whether a table has a line for a database with that many changes and
// nothing amiss.
func reports(report, name string, changes int) bool {
	want := fmt.Sprintf("| %s | %d | 0 | %d | 0 | 0 | 0 |", name, changes, 2*changes)
	for line := range strings.Lines(report) {
		if strings.ReplaceAll(strings.Join(strings.Fields(line), " "), ",", "") == want {
			return true
		}
	}
	return false
}
