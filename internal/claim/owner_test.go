package claim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
)

func TestHowTheLastClaimEnded(t *testing.T) {
	for name, tt := range map[string]struct {
		end      func(w *world)
		state    claim.State
		conflict error
	}{
		"confirmed": {func(w *world) { _ = w.confirm(bob, w.lastCode()) }, claim.Applied, nil},
		"cancelled": {func(w *world) { _ = w.Cancel(w.t.Context(), w.caller(bob)) }, claim.Cancelled, nil},
		"locked": {func(w *world) {
			for range 5 {
				_ = w.confirm(bob, w.wrongCode())
			}
		}, claim.Locked, nil},
		"changed elsewhere": {func(w *world) {
			w.dir.Put(claim.Identity{ID: bob, Mobile: m2, Verified: true, Pending: m1})
			_ = w.confirm(bob, w.lastCode())
		}, claim.Conflict, claim.ErrChangedElsewhere},
		"taken": {func(w *world) {
			w.dir.Put(claim.Identity{ID: "alice", Mobile: m1, Verified: true})
			_ = w.confirm(bob, w.lastCode())
		}, claim.Conflict, claim.ErrNumberTaken},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.LastOutcome(t.Context(), w.caller(bob)); !errors.Is(err, claim.ErrNothingPending) {
				t.Errorf("before any claim: got %v", err)
			}
			w.submit(bob, "f1", m1)
			tt.end(w)
			got, err := w.LastOutcome(t.Context(), w.caller(bob))
			if err != nil || got.State != tt.state || !errors.Is(got.Conflict, tt.conflict) || got.At.IsZero() {
				t.Errorf("got %+v, %v, want %s, %v", got, err, tt.state, tt.conflict)
			}
		})
	}
}

func TestStatusTellsWhenThereAreTriesAgain(t *testing.T) {
	w := newWorld(t)
	w.policy.DayAttempts = 5
	w.submit(bob, "f1", m1)
	begun := w.Now()
	for range 5 {
		_ = w.confirm(bob, w.wrongCode())
	}
	w.submit(bob, "f2", m2)
	got, err := w.Status(t.Context(), w.caller(bob))
	if err != nil || got.AttemptsLeft != 0 || got.TriesAgain.Before(begun) || got.TriesAgain.After(begun.Add(24*time.Hour)) {
		t.Errorf("got %+v, %v, want no tries before a day is over", got, err)
	}
}

func TestACodeThatAnotherTypesNeedsTheSwitch(t *testing.T) {
	for name, tt := range map[string]struct {
		by   audit.Actor
		on   bool
		want error
	}{
		"the owner":                 {audit.Actor{}, false, nil},
		"a privileged user, off":    {audit.Actor{Kind: audit.Privileged, ID: "carol"}, false, claim.ErrPrivilegedOff},
		"a privileged user, on":     {audit.Actor{Kind: audit.Privileged, ID: "carol"}, true, nil},
		"an administrator, off":     {audit.Actor{Kind: audit.Administrator, ID: "keeper"}, false, claim.ErrPrivilegedOff},
		"an administrator, when on": {audit.Actor{Kind: audit.Administrator, ID: "keeper"}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.submit(bob, "flow", m1)
			w.policy.VerifyPrivileged = tt.on
			who := w.caller(bob)
			who.By = tt.by
			wantErr(t, w.Confirm(t.Context(), who, w.lastCode()), tt.want)
			want := claim.Applied
			if tt.want != nil {
				want = claim.Open
			}
			last, err := w.store.Last(t.Context(), bob)
			if open, _ := w.store.Current(t.Context(), bob, time.Time{}); open.Active != nil {
				last = open.Active
			}
			if err != nil || last == nil || last.State != want || tt.want != nil && last.Attempts != 0 {
				t.Errorf("got %+v, %v", last, err)
			}
		})
	}
}
