package claim_test

import (
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// An interrupted form is never stored, so nothing takes away the marker of the
// claim that its own supersedes.
func TestAnInterruptedFormLeavesNoMarkerOfTheClaimBefore(t *testing.T) {
	for name, then := range map[string]struct {
		do   func(*world) error
		want string // the number afterwards
	}{
		"cancelled": {func(w *world) error { return w.Cancel(w.t.Context(), w.caller(bob)) }, ""},
		"confirmed": {func(w *world) error { return w.confirm(bob, w.lastCode()) }, m2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, claim.Identity{ID: bob})
			w.dir.Identifier = true
			for _, number := range []string{m1, m2} {
				if answer, err := w.stage(bob, "flow", number); err != nil || !answer.Interrupt {
					t.Fatalf("got %+v, %v", answer, err)
				}
				if number == m1 {
					w.chores()
					w.wantIdentity("", false, m1)
				}
				w.pass(aMoment)
			}
			wantErr(t, then.do(w), nil)
			w.chores()
			w.wantIdentity(then.want, then.want != "", "")
		})
	}
}

// A form that Kratos stored late puts back the marker that it began with, of a
// claim that another one has replaced since.
func TestALateFormsMarkerOfAReplacedClaimGoes(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(*world) error
		want string // the marker afterwards
	}{
		"nothing is open any more": {func(w *world) error { return w.Cancel(w.t.Context(), w.caller(bob)) }, ""},
		"the other claim is open":  {func(*world) error { return nil }, m2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.submit(bob, "one", m1)
			stale := w.identity(bob)
			w.submit(bob, "two", m2)
			wantErr(t, tt.then(w), nil)
			w.dir.Put(stale)
			w.activate(bob, "late")
			w.pass(time.Second)
			w.chores()
			w.wantIdentity(m0, true, tt.want)
		})
	}
}

// What shows while the open claim's own marker is still on its way is removed
// with the write.
func TestAStrayMarkerGoesOnceTheNumberIsWritten(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	i := w.identity(bob)
	i.Pending = m2
	w.dir.Put(i)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}
