package database_test

import (
	"testing"
	"time"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestTheClockIsTheDatabases(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db, began := t.DB, time.Now()
		local := time.Now
		clock, err := database.NewClock(t.Context(), db, func() time.Time { return local() })
		if err != nil {
			t.Fatal(err)
		}
		wantNow := func() {
			t.Helper()
			now := clock.Now()
			wantCloser(t, time.Since(now), time.Since(began))
			if now.Location() != time.UTC || now != now.Truncate(time.Microsecond) {
				t.Errorf("got %v", now)
			}
		}
		wantNow()
		before := clock.Now()
		for range 3 {
			if err := clock.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if clock.Now().Before(before) {
			t.Error("the clock went backwards")
		}
		wantNow()
	})
}

func TestTheClockDoesNotHeedTheMachines(t *testing.T) {
	db, began := databasetest.Open(t, databasetest.MariaDB(t)), time.Now()
	wrong := func() time.Time { return time.Now().Add(-time.Hour) }
	clock, err := database.NewClock(t.Context(), db, wrong)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.Now()
	wantCloser(t, time.Since(now), time.Since(began))
}

// wantCloser checks that a clock is off by no more than it took to ask the database and to
// look: however busy the machine is, it cannot know the time better, nor less well.
func wantCloser(tb testing.TB, off, took time.Duration) {
	tb.Helper()
	if off.Abs() > took+time.Millisecond {
		tb.Errorf("the clock is off by %v, and was read within %v", off, took)
	}
}
