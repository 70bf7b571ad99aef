package persistence_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestStoreTellsItsTraffic(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestTraffic(t, func(t *testing.T) storetest.MeteredStore {
				t.Helper()
				return persistence.NewStore(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

func TestTrafficIsOneStatement(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		statements := databasetest.Record(t.DB)
		if _, err := persistence.NewStore(t.DB).Traffic(t.Context(), noon.Add(-time.Hour), noon); err != nil {
			t.Fatal(err)
		}
		if got := statements.Take(); len(got) != 1 {
			t.Errorf("asked %q", got)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := persistence.NewStore(t.DB).Traffic(cancelled, noon, noon); !errors.Is(err, problem.ErrStoreUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

// A code that has come back is a sign of a person, also while Kratos does not take the number:
// texts to a country are stopped for what is read here, over a day at most.
func TestTrafficOfADayCountsNumbersThatKratosHasNotGot(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store, now := persistence.NewStore(t.DB), noon.Add(10*time.Minute)
		for i := range 6 {
			c := openClaim(fmt.Sprint("claim-", i))
			c.IdentityID, c.CreatedAt = c.ID, now.Add(-time.Duration(i+4)*time.Hour)
			text := *textOf(c)
			text.CreatedAt = c.CreatedAt
			if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: &text, At: c.CreatedAt}); err != nil {
				t.Fatal(err)
			}
			c.State = claim.Verified
			if err := store.Commit(t.Context(), claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c}}, At: now}); err != nil {
				t.Fatal(err)
			}
		}
		counter := statistics.Counter{
			Store: persistence.NewStatistics(t.DB), Leases: store, Owner: "here", Now: func() time.Time { return now },
			Retention: func() time.Duration { return 40 * 24 * time.Hour },
		}
		for range 20 {
			if err := counter.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := store.Traffic(t.Context(), now.Add(-24*time.Hour), now.Add(-10*time.Minute))
		if err != nil || len(got) != 1 || got[0].Texts != 6 || got[0].Confirmed != 6 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// A long span is added up from what was counted by the hour, which outlives the texts, and
// comes to the same.
func TestTrafficOfALongTimeIsWhatWasCounted(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store, now := persistence.NewStore(t.DB), noon.Add(10*time.Minute)
		for i := range 40 {
			c := openClaim(fmt.Sprint("claim-", i))
			c.IdentityID, c.CreatedAt = c.ID, now.Add(-time.Duration(i)*3*time.Hour)
			if i%4 == 0 {
				c.Number = phone.FromStore("+358 12345678")
			}
			text := *textOf(c)
			text.CreatedAt = c.CreatedAt
			if i == 20 {
				text.CreatedAt = c.CreatedAt.Truncate(time.Hour) // belongs to one hour only
			}
			if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: &text, At: c.CreatedAt}); err != nil {
				t.Fatal(err)
			}
			result := message.TextResult{TextID: text.ID, State: message.TextSent, Gateway: "main", At: c.CreatedAt}
			if i%5 == 0 {
				result.State = message.TextFailed
			}
			if err := store.Done(t.Context(), result); err != nil {
				t.Fatal(err)
			}
			if c.State, c.EndedAt = claim.Applied, c.CreatedAt; i%3 == 0 {
				c.State = claim.Lapsed
			}
			if err := store.Commit(t.Context(), claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c}}, At: now}); err != nil {
				t.Fatal(err)
			}
		}
		traffic := func() []fraud.Traffic {
			t.Helper()
			got, err := store.Traffic(t.Context(), now.Add(-30*24*time.Hour), now)
			if err != nil {
				t.Fatal(err)
			}
			return slices.SortedFunc(slices.Values(got), func(a, b fraud.Traffic) int { return cmp.Compare(a.CallingCode, b.CallingCode) })
		}
		want := traffic() // nothing is counted yet
		counter := statistics.Counter{
			Store: persistence.NewStatistics(t.DB), Leases: store, Owner: "here", Now: func() time.Time { return now },
			Retention: func() time.Duration { return 40 * 24 * time.Hour },
		}
		for range 20 {
			if err := counter.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(want) != 2 || want[0].Texts+want[1].Texts != 40 {
			t.Fatalf("got %+v", want)
		}
		if diff := gocmp.Diff(want, traffic()); diff != "" {
			t.Errorf("differs once it is counted (-want +got):\n%s", diff)
		}
		if n, err := store.Prune(t.Context(), now.Add(-48*time.Hour), 99); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if diff := gocmp.Diff(want, traffic()); diff != "" {
			t.Errorf("differs once the texts are forgotten (-want +got):\n%s", diff)
		}
	})
}

// The release before counted claims by calling code, and no texts: its hours are not taken for
// hours without texts. A code that came back in an hour without texts counts too.
func TestTrafficIsNotLostWithHoursThatTheReleaseBeforeCounted(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store, now := persistence.NewStore(t.DB), noon
		c := openClaim("claim-1")
		c.CreatedAt = now.Add(-10*time.Hour - time.Minute)
		text := *textOf(c)
		text.CreatedAt = c.CreatedAt
		if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: &text, At: c.CreatedAt}); err != nil {
			t.Fatal(err)
		}
		if err := store.Done(t.Context(), message.TextResult{TextID: text.ID, State: message.TextSent, Gateway: "main", At: c.CreatedAt}); err != nil {
			t.Fatal(err)
		}
		c.State, c.EndedAt = claim.Applied, now.Add(-10*time.Hour+time.Minute) // in the next hour
		if err := store.Commit(t.Context(), claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c}}, At: now}); err != nil {
			t.Fatal(err)
		}
		traffic := func() []fraud.Traffic {
			t.Helper()
			got, err := store.Traffic(t.Context(), now.Add(-24*time.Hour), now)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		want := traffic() // of the texts themselves
		if len(want) != 1 || want[0].Texts != 1 || want[0].Confirmed != 1 {
			t.Fatalf("got %+v", want)
		}
		counts := persistence.NewStatistics(t.DB)
		hour := c.CreatedAt.Truncate(time.Hour)
		before := map[statistics.Subject]statistics.Counts{statistics.CallingCode(want[0].CallingCode): {Requested: 1}}
		if err := counts.Replace(t.Context(), hour, before); err != nil {
			t.Fatal(err)
		}
		progress := "INSERT INTO progress (name, moment, row_id) VALUES ('statistics', ?, '')"
		if err := t.DB.Write(t.Context(), "test", "progress", func(tx *gorm.DB) error {
			return tx.Exec(progress, database.Time(now.Add(-2*time.Hour))).Error
		}); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, traffic()); diff != "" {
			t.Errorf("right after the upgrade (-want +got):\n%s", diff)
		}
		counter := statistics.Counter{
			Store: counts, Leases: store, Owner: "here", Now: func() time.Time { return now },
			Retention: func() time.Duration { return 40 * time.Hour },
		}
		if err := counter.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, traffic()); diff != "" {
			t.Errorf("once it is counted (-want +got):\n%s", diff)
		}
	})
}
