package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// printed is what benchmarks print: two rounds, in which the machine slows down.
const printed = `holdline: v2
before: v1
mariadb: 10.11.19
rounds: 2
block: 2s
goos: linux
cpu: Some
BenchmarkChange/case=floor/release=none/on=mariadb/users=8/round=1-2 1 4000 ops/s 3 others-%
BenchmarkChange/case=form/release=before/on=mariadb/users=8/round=1-2 1 200 ops/s 3 others-%
BenchmarkChange/case=form/release=here/on=mariadb/users=8/round=1-2 1 320 ops/s 1.5 cpu-ms/op 60 MiB 3 others-%
BenchmarkChange/case=earlier-1000/release=here/on=mariadb/users=8/round=1-2 1 288 ops/s 1.5 cpu-ms/op 10 history-MiB 3 others-%
BenchmarkChange/case=form/release=here/on=mariadb/users=8/round=2-2 1 180 ops/s 1.7 cpu-ms/op 62 MiB 3 others-%
BenchmarkChange/case=form/release=before/on=mariadb/users=8/round=2-2 1 100 ops/s 3 others-%
BenchmarkChange/case=floor/release=none/on=mariadb/users=8/round=2-2 1 2000 ops/s 3 others-%
BenchmarkChange/checked-2 1 1234 changes
BenchmarkKratos/step=submit/round=1-2 1 20 ms/op 10 kratos-cpu-ms/op 2 holdline-cpu-ms/op 4 database-cpu-ms/op
BenchmarkKratos/step=submit-without-hooks/round=1-2 1 15 ms/op 9 kratos-cpu-ms/op 0 holdline-cpu-ms/op 3 database-cpu-ms/op
BenchmarkKratos/step=validate-code/round=1-2 1 30 ms/op 5 kratos-cpu-ms/op 1 holdline-cpu-ms/op 1 database-cpu-ms/op
PASS
`

func reading(t *testing.T) measurements {
	t.Helper()
	m, err := read(strings.NewReader(printed), "printed")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Blocks are compared with those of the same round: a machine that slows down half-way
// slows both, and the ratios of rounds say so where those of medians do not.
func TestTheReportComparesWithinRounds(t *testing.T) {
	t.Parallel()
	got := strings.Join(strings.Fields(reading(t).report()), " ")
	for _, want := range []string{
		"| MariaDB | 8 | 250 (180–320) | 0.085 (0.080–0.090) | 1.70 (1.60–1.80) |",
		"| changes for each transaction of two inserts | 8 | ≥ 0.075 | 0.085 (0.080–0.090) | met |",
		"| CPU ms a change | 8 | ≤ 1.6 | 1.60 (1.50–1.70) | met |",
		"| with 1,000 earlier claims, to none | 8 | ≥ 0.95 | 0.90 | missed |",
		"| **a change** | 50.0 | 15.0 | 3.0 | 5.0 |",
		"| what the hooks add, with the text and its records | 5.0 | 1.0 | 2.0 | 1.0 |",
		"Holdline v2, beside v1; MariaDB 10.11.19;", "1,234 changes, none lost",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "PostgreSQL") {
		t.Errorf("PostgreSQL was not measured:\n%s", got)
	}
}

// A run of some cases only has checked its changes, too.
func TestARunWithoutStepsSaysHowManyChangesItMade(t *testing.T) {
	t.Parallel()
	changes, _, _ := strings.Cut(printed, "BenchmarkKratos")
	m, err := read(strings.NewReader(changes), "printed")
	if err != nil {
		t.Fatal(err)
	}
	if got := m.report(); !strings.Contains(got, "1,234 changes, none lost") {
		t.Error(got)
	}
}

func TestTheReportStandsBetweenItsLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	results, document := filepath.Join(dir, "results.txt"), filepath.Join(dir, "document.md")
	for name, content := range map[string]string{results: printed, document: "# Above\n\n" + begin + "old\n" + end + "\nBelow.\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(results, document, filepath.Join(dir, "pictures")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# Above\n\n" + begin + "\n" + reading(t).report() + "\n" + end + "\nBelow.\n"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, name := range []string{"throughput.svg", "history.svg"} {
		if drawn, err := os.ReadFile(filepath.Join(dir, "pictures", name)); err != nil || !strings.Contains(string(drawn), "<svg") {
			t.Errorf("%s: %.100s, %v", name, drawn, err)
		}
	}
	if err := run(results, results, ""); err == nil {
		t.Error("a document without lines for the report is no error")
	}
}

// Whoever adds a benchmark whose lines have no place learns of it.
func TestALineWithoutAPlaceIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"case=form/round=1", "case=form/users=8", "case=form/users=many/round=1"} {
		if _, err := read(strings.NewReader("BenchmarkChange/"+name+"-2 1 5 ops/s\n"), "printed"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
