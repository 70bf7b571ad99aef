package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// After a long time of changes and faults each replica is as small as it was after
// a short one: goroutines, memory, files and connections do not pile up, nor do
// rows that somebody still has to look after. One replica lives all the time.
func TestASoakLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	lasts, err := time.ParseDuration(os.Getenv("HOLDLINE_SOAK"))
	if err != nil {
		t.Skip("HOLDLINE_SOAK=10m runs this: `make soak`")
	}
	w := newStorm(t, seedFrom(t, "HOLDLINE_STORM_SEED"), stormSize{people: 30, replicas: 3, thorough: true, spared: true})
	began := time.Now()
	warm := w.endure(t, lasts/5)
	var report strings.Builder
	fmt.Fprintf(&report, "soak of %s: the state at rest after a warm-up of %s, and at the end\n", lasts, lasts/5)
	end := w.endure(t, lasts-lasts/5)
	for i, r := range w.replicas {
		end[i] = w.wantFlat(t, r, warm[i], i == 0)
		fmt.Fprintf(&report, "  replica %d: %s -> %s\n", i+1, warm[i], end[i])
	}
	w.wantStorm(t)
	w.wantNothingLeft(t)
	w.prove(t)
	fmt.Fprintf(&report, "  rows for one change: %s -> %s\n", warm[0].history, end[0].history)
	report.WriteString("  " + w.summary(t, time.Since(began)))
	harness.Report(t, "soak", report.String())
}

// footprint is what one replica has, and its database.
type footprint struct {
	goroutines, files int
	megabytes         float64
	connections       int // of all replicas together
	history           history
}

func (s footprint) String() string {
	return fmt.Sprintf("%d goroutines, %.0f MB, %d files; all replicas: %d connections to the database", s.goroutines, s.megabytes, s.files, s.connections)
}

// history is how many rows of each table one change leaves, until they are pruned.
type history struct{ claims, texts, events float64 }

func (h history) String() string {
	return fmt.Sprintf("%.2f claims, %.2f texts, %.2f events", h.claims, h.texts, h.events)
}

// endure lets people change their numbers in a storm for a while, waits until all
// has ended, and takes down what each replica has then.
func (w *storm) endure(t *testing.T, lasts time.Duration) []footprint {
	t.Helper()
	until := time.Now().Add(lasts)
	w.live(t, func(*person) bool { return time.Now().Before(until) })
	w.calmDown(t)
	states := make([]footprint, len(w.replicas))
	for i, r := range w.replicas {
		states[i] = w.footprintOf(t, r)
		t.Logf("after %d changes, replica %d: %s", w.changes.Load(), i+1, states[i])
	}
	return states
}

func (w *storm) footprintOf(t *testing.T, r *replica) footprint {
	t.Helper()
	figures, _ := r.Scrape(t)
	changes := float64(w.changes.Load())
	count := func(table string) float64 { return float64(w.stack.Database.Count(t, table, "1 = 1")) / changes }
	s := footprint{
		goroutines: int(figures.Sum("go_goroutines")), files: int(figures.Sum("process_open_fds")),
		megabytes:   figures.Sum("process_resident_memory_bytes") / 1e6,
		connections: w.stack.Database.Connections(t),
		history:     history{count("claims"), count("texts"), count("audit_events")},
	}
	if changes == 0 {
		t.Fatal("nobody changed a number: no row is of a change")
	}
	if s.goroutines == 0 || s.megabytes == 0 || s.files == 0 {
		t.Fatalf("the metrics lack figures: %+v", s)
	}
	return s
}

// wantFlat waits until a replica is within the bounds: a tenth more than after the
// warm-up, and some; a quarter and 16 MB of memory, which the runtime gives back
// late. A replica that was killed meanwhile is a younger process: only the one
// that was spared proves that nothing piles up.
func (w *storm) wantFlat(t *testing.T, r *replica, warm footprint, spared bool) footprint {
	t.Helper()
	var now footprint
	harness.Within(t, 2*harness.Patience, "the replica is as small as it was", func() error {
		now = w.footprintOf(t, r)
		more := func(was int) int { return was + was/10 + 10 }
		switch {
		case !spared:
			return nil
		case now.goroutines > more(warm.goroutines), now.files > more(warm.files), now.connections > more(warm.connections),
			now.megabytes > 1.25*warm.megabytes+16:
			return fmt.Errorf("%s; after the warm-up %s", now, warm)
		}
		return nil
	})
	bound := func(what string, was, is float64) {
		if is > 1.5*was {
			t.Errorf("%s for one change: %.2f, after the warm-up %.2f", what, is, was)
		}
	}
	bound("claims", warm.history.claims, now.history.claims)
	bound("texts", warm.history.texts, now.history.texts)
	bound("events", warm.history.events, now.history.events)
	return now
}

// wantNothingLeft: no table holds work that nobody will do, or more than a row for
// an account where it should hold that.
func (w *storm) wantNothingLeft(t *testing.T) {
	t.Helper()
	accounts := len(w.everybody())
	for what, n := range map[string]int{
		"claims that a worker must look at": w.stack.Database.Count(t, "claims", "due_at IS NOT NULL AND state <> 'staged'"),
		"queued texts":                      w.stack.Database.Count(t, "texts", "state = 'queued'"),
	} {
		if n > 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	for _, table := range []string{"identity_leases", "scim_users", "limits", "admin_sessions"} {
		if n := w.stack.Database.Count(t, table, "1 = 1"); n > accounts {
			t.Errorf("rows of %s: %d, for %d accounts", table, n, accounts)
		}
	}
}

// killable is a replica that a fault may kill. The spared one never is.
func (w *storm) killable(replica int) *replica {
	if w.size.spared && replica == 0 {
		replica = len(w.replicas) - 1
	}
	return w.replicas[replica]
}
