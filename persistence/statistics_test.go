package persistence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestHoursAreCountedUntilNothingMoreIsExpected(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store, kept := persistence.NewStore(t.DB), persistence.NewStatistics(t.DB)
		now, made := noon.Truncate(time.Hour).Add(10*time.Minute), 0
		first := now.Truncate(time.Hour)
		counter := statistics.Counter{
			Store: kept, Leases: store, Owner: "here", Now: func() time.Time { return now },
			Retention: func() time.Duration { return 3 * 24 * time.Hour },
		}
		open := func(number string) claim.Claim {
			made++
			c := openClaim(fmt.Sprintf("claim-%d", made))
			c.IdentityID, c.Number, c.CreatedAt = c.ID, phone.FromStore(number), now
			text := *textOf(c)
			text.ID, text.CreatedAt = "text-"+c.ID, now
			if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: &text, At: now}); err != nil {
				t.Fatal(err)
			}
			return c
		}
		end := func(c claim.Claim, state claim.State, tries int) {
			for range tries {
				if err := store.Try(t.Context(), c.Code(), 99); err != nil {
					t.Fatal(err)
				}
			}
			c.State, c.EndedAt = state, now
			if err := store.Commit(t.Context(), claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c}}, At: now}); err != nil {
				t.Fatal(err)
			}
		}
		done := func(c claim.Claim, state message.TextState, after time.Duration) {
			result := message.TextResult{TextID: "text-" + c.ID, State: state, Gateway: "main", ProviderID: c.ID, At: c.CreatedAt.Add(after)}
			if err := store.Done(t.Context(), result); err != nil {
				t.Fatal(err)
			}
		}
		count := func() {
			if err := counter.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		has := func(want ...statistics.Hour) {
			t.Helper()
			got, err := kept.Hours(t.Context(), first.Add(-100*time.Hour), now.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		}
		count()
		has([]statistics.Hour{}...)

		a, b, c := open("+49 171 1111111"), open("+491722222222"), open("+35812345678")
		staged := openClaim("staged")
		staged.State, staged.CreatedAt = claim.Staged, now
		if err := store.Commit(t.Context(), claim.Change{Create: &staged, At: now}); err != nil {
			t.Fatal(err)
		}
		done(a, message.TextSent, 2*time.Second)
		done(b, message.TextSent, 4*time.Second)
		done(c, message.TextFailed, time.Second)
		end(a, claim.Applied, 3)
		count()
		german, finnish, main := statistics.CallingCode("49"), statistics.CallingCode("358"), statistics.Gateway("main")
		hour := func(start time.Time, subject statistics.Subject, c statistics.Counts) statistics.Hour {
			return statistics.Hour{Start: start, Subject: subject, Counts: c}
		}
		texts := hour(first, main, statistics.Counts{Sent: 2, Unsent: 1, Delay: 6 * time.Second})
		has(hour(first, finnish, statistics.Counts{Requested: 1, Unsent: 1}),
			hour(first, german, statistics.Counts{Requested: 2, Confirmed: 1, Wrong: 2, Sent: 2}), texts)

		now = now.Add(time.Hour) // what ends later counts then
		second := first.Add(time.Hour)
		end(b, claim.Locked, 5)
		end(c, claim.Cancelled, 0)
		count()
		count() // and again
		had := []statistics.Hour{
			hour(first, finnish, statistics.Counts{Requested: 1, Unsent: 1}),
			hour(first, german, statistics.Counts{Requested: 2, Confirmed: 1, Wrong: 2, Sent: 2}), texts,
			hour(second, finnish, statistics.Counts{Withdrawn: 1}),
			hour(second, german, statistics.Counts{Failed: 1, Wrong: 5}),
		}
		has(had...)
		totals, err := kept.CallingCodes(t.Context(), first, second.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]statistics.CodeTotal{
			{CallingCode: "358", Requested: 1, Busiest: 1, First: first}, {CallingCode: "49", Requested: 2, Confirmed: 1, Busiest: 2, First: first},
		}, totals); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
		if totals, err = kept.CallingCodes(t.Context(), first.Add(time.Second), second); err != nil || len(totals) > 0 {
			t.Errorf("got %v, %v", totals, err)
		}

		// Counts outlive what they were counted from, for as long as claims would have been kept.
		now = now.Add(3 * time.Hour)
		count()
		if _, err := store.Prune(t.Context(), now, 99); err != nil {
			t.Fatal(err)
		}
		count()
		has(had...)
		now = now.Add(4 * 24 * time.Hour)
		count()
		has([]statistics.Hour{}...)
	})
}

func TestAnUpgradedDatabaseIsCountedFromItsBeginning(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.SQLite(t))
	store, kept := persistence.NewStore(db), persistence.NewStatistics(db)
	now := noon.Add(90 * 24 * time.Hour)
	for i := range 5 {
		c := openClaim(fmt.Sprint("claim-", i))
		c.State, c.IdentityID, c.CreatedAt = claim.Lapsed, c.ID, noon.Add(time.Duration(i)*20*24*time.Hour)
		c.EndedAt = c.CreatedAt.Add(24 * time.Hour)
		if err := store.Commit(t.Context(), claim.Change{Create: &c, At: now}); err != nil {
			t.Fatal(err)
		}
	}
	counter := statistics.Counter{Store: kept, Leases: store, Now: func() time.Time { return now }, Retention: func() time.Duration { return 91 * 24 * time.Hour }}
	for range 40 {
		if err := counter.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hours, err := kept.Hours(t.Context(), noon.Add(-time.Hour), now.Add(time.Hour))
	var sum statistics.Counts
	for _, h := range hours {
		sum.Add(h.Counts)
	}
	if err != nil || sum.Requested != 5 || sum.Failed != 5 {
		t.Errorf("got %+v, %v", sum, err)
	}
}
