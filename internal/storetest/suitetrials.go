package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
)

// TestTrials holds a store to what the comments of claim.Trials promise.
func TestTrials(t *testing.T, newTrials func(*testing.T) claim.Trials) {
	t.Helper()
	trials := newTrials(t)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	begin := func(id string, now, expires time.Time, most int, wanted bool) {
		t.Helper()
		begun, err := trials.BeginTrial(t.Context(), id, now, expires, most)
		check(err)
		if begun != wanted {
			t.Errorf("%s began %t, want %t", id, begun, wanted)
		}
	}
	want := func(id string, now time.Time, want *claim.Trial) {
		t.Helper()
		got, err := trials.Trial(t.Context(), id, now)
		check(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	expires := noon.Add(time.Minute)
	want(bob, noon, nil)
	check(trials.NoteStaged(t.Context(), bob, true))
	check(trials.EndTrial(t.Context(), bob))
	begin(bob, noon, expires, 2, true)
	want(bob, noon, &claim.Trial{IdentityID: bob, Expires: expires})
	want(alice, noon, nil)
	check(trials.NoteStaged(t.Context(), bob, true))
	check(trials.NoteStaged(t.Context(), bob, true))
	check(trials.NoteActivated(t.Context(), bob))
	want(bob, noon, &claim.Trial{IdentityID: bob, Expires: expires, Staged: 2, Activated: 1, Held: true})
	want(bob, expires, nil)

	begin(alice, noon, expires, 2, true)
	begin("carol", noon, expires, 2, false)
	begin(bob, noon, expires.Add(time.Second), 2, true) // anew
	want(bob, expires, &claim.Trial{IdentityID: bob, Expires: expires.Add(time.Second)})
	check(trials.EndTrial(t.Context(), bob))
	want(bob, noon, nil)
	begin("carol", expires, expires.Add(time.Minute), 1, true) // alice's is over
}
