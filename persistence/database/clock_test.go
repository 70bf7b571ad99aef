package database_test

import (
	"testing"
	"time"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestTheClockIsTheDatabases(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		local := time.Now
		clock, err := database.NewClock(t.Context(), db, func() time.Time { return local() })
		if err != nil {
			t.Fatal(err)
		}
		wantNow := func() {
			t.Helper()
			now := clock.Now()
			if off := time.Since(now).Abs(); off > time.Second {
				t.Errorf("the clock is off by %v", off)
			}
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
	db := databasetest.Open(t, databasetest.MariaDB(t))
	wrong := func() time.Time { return time.Now().Add(-time.Hour) }
	clock, err := database.NewClock(t.Context(), db, wrong)
	if err != nil {
		t.Fatal(err)
	}
	if off := time.Since(clock.Now()).Abs(); off > time.Second {
		t.Errorf("the clock is off by %v", off)
	}
}
