package main

import (
	"strings"
	"testing"
)

// Whoever reads the table compares along its lines: another server's floor would go
// unnoticed.
func TestEachServerIsComparedWithItsOwnFloor(t *testing.T) {
	r := serversResult{sites: sites{{label: "One"}, {label: "Other", commits: "SELECT 1"}}}
	r.rows = []row{{8, [][]sample{{{rate: 50}}, {{rate: 200}}, {{rate: 30, work: work{commits: 6}}}, {{rate: 300}}}}}
	var out strings.Builder
	r.write(&out)
	for _, want := range []string{"50 (50-50)|0.0||200 (200-200)|0.250 (0.250-0.250)", "30 (30-30)|0.0|6.00|300 (300-300)|0.100 (0.100-0.100)"} {
		if got := strings.ReplaceAll(out.String(), " ", ""); !strings.Contains(got, strings.ReplaceAll(want, " ", "")) {
			t.Errorf("got %s, want a line with %s", out.String(), want)
		}
	}
}

func TestTheFloorInsertsTwoRowsInAFile(t *testing.T) {
	all, err := openSites(t.Context(), settings{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := all.close(); err != nil {
			t.Error(err)
		}
	})
	floor, err := all[0].startFloor(t.Context(), &bench{settings: settings{pace: beside}})
	if err != nil {
		t.Fatal(err)
	}
	if err := insertTwo(t.Context(), floor.pool, floor.site.values); err != nil {
		t.Fatal(err)
	}
	var one, other int
	err = floor.pool.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM one), (SELECT COUNT(*) FROM other)").Scan(&one, &other)
	if got, want := [2]int{one, other}, [2]int{1, 1}; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
