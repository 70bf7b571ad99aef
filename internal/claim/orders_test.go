package claim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
)

// confirmed is a world in which bob has just confirmed m1 in the place of m0.
func confirmed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.submit(bob, "first", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
	return w
}

// rest lets the workers do what is due in the next ten minutes.
func (w *world) rest() {
	for range 60 {
		w.chores()
		w.pass(10 * time.Second)
	}
}

// Only the number that was replaced is taken for a stale form's, and only soon after.
// Whatever else somebody wrote stands.
func TestOnlyAStaleFormsNumberIsOverwritten(t *testing.T) {
	now := claim.Identity{ID: bob, Mobile: m1, Verified: true}
	for name, tt := range map[string]struct {
		after  time.Duration
		stored claim.Identity
		want   claim.Identity
	}{
		"a form's, at once":                         {time.Second, claim.Identity{ID: bob, Mobile: m0, Verified: true}, now},
		"a form's, in other words":                  {time.Second, claim.Identity{ID: bob, Mobile: "+49 171 0000000", Verified: true}, now},
		"a form's that took as long as Kratos lets": {93 * time.Second, claim.Identity{ID: bob, Mobile: m0, Verified: true}, now},
		"a form's that shows the claim":             {time.Second, claim.Identity{ID: bob, Mobile: m0, Verified: true, Pending: m1}, now},
		"a form's, not verified any more":           {time.Second, claim.Identity{ID: bob, Mobile: m0}, now},
		"an administrator's":                        {time.Second, claim.Identity{ID: bob, Mobile: m2}, claim.Identity{ID: bob, Mobile: m2}},
		"an administrator's removal":                {time.Second, claim.Identity{ID: bob}, claim.Identity{ID: bob}},
		"a login mapper's, verified":                {time.Second, claim.Identity{ID: bob, Mobile: m2, Verified: true}, claim.Identity{ID: bob, Mobile: m2, Verified: true}},
		"a backup's, restored later":                {6 * time.Minute, claim.Identity{ID: bob, Mobile: m0, Verified: true}, claim.Identity{ID: bob, Mobile: m0, Verified: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := confirmed(t)
			for range int(tt.after / time.Second) {
				w.pass(time.Second)
				w.chores()
			}
			w.dir.Put(tt.stored)
			w.rest()
			if got := w.identity(bob); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			restored := slices.ContainsFunc(w.store.(*storetest.Store).Events(), func(e audit.Event) bool { return e.Kind == claim.NumberRestored })
			if restored != (tt.want == now) {
				t.Errorf("the audit trail says that the number was restored: %t", restored)
			}
		})
	}
}

// Forms may put the old number back again and again: a form that read the old number
// while it was back may be stored 93 seconds later.
func TestANumberIsRestoredAsOftenAsAFormOverwritesIt(t *testing.T) {
	w := confirmed(t)
	for second := range 300 {
		switch second {
		case 4, 60, 195:
			w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true, Pending: m1})
		case 59, 194:
			w.wantIdentity(m1, true, "")
		}
		w.pass(time.Second)
		w.chores()
	}
	w.wantIdentity(m1, true, "")
}

// What the person has denied may be put back by whoever helps them.
func TestADisputedNumberIsNotRestored(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour}
	w.submit(bob, "first", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	last, err := w.store.Last(t.Context(), bob)
	wantErr(t, err, nil)
	link, err := w.codes.Link(last.ID)
	wantErr(t, err, nil)
	_, err = w.Dispute(t.Context(), link, "")
	wantErr(t, err, nil)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true})
	w.rest()
	w.wantIdentity(m0, true, "")
}

// A number that somebody else has got meanwhile cannot be restored, and that is said.
func TestANumberThatIsTakenMeanwhileIsNotRestored(t *testing.T) {
	w := confirmed(t)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true})
	w.dir.Put(claim.Identity{ID: "eve", Mobile: m1, Verified: true})
	w.rest()
	w.wantIdentity(m0, true, "")
	last, err := w.store.Last(t.Context(), bob)
	wantErr(t, err, nil)
	if last.State != claim.Conflict {
		t.Errorf("the claim is %s, want %s", last.State, claim.Conflict)
	}
}

// While Kratos or the store is away, the look is done later.
func TestALookOutlivesOutages(t *testing.T) {
	for name, fail := range map[string]func(*world, error){
		"Kratos": func(w *world, err error) { w.dir.Fail(err) },
		"store":  func(w *world, err error) { w.store.(*storetest.Store).Fail(err) },
	} {
		t.Run(name, func(t *testing.T) {
			w := confirmed(t)
			w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true})
			fail(w, errors.Join(claim.ErrIdentitiesUnavailable, problem.ErrStoreUnavailable))
			for range 9 {
				w.pass(10 * time.Second)
				_, _ = w.RunDue(t.Context())
			}
			fail(w, nil)
			w.rest()
			w.wantIdentity(m1, true, "")
		})
	}
}

// A stale form is refused whatever it wants, and a form that was filled in since is not.
func TestAFormOlderThanTheNumberIsRefused(t *testing.T) {
	for name, wanted := range map[string]string{"another number": m2, "no number": "", "the number itself": m1} {
		t.Run(name, func(t *testing.T) {
			w := confirmed(t)
			stage := func(stored, marker string) error {
				_, err := w.Stage(t.Context(), claim.SettingsChange{
					IdentityID: bob, FlowID: "flow of " + stored + marker, Stored: stored, StoredVerified: true, ShownPending: marker, Wanted: wanted,
				})
				return err
			}
			wantErr(t, stage(m0, ""), claim.ErrStaleForm)
			wantErr(t, stage(m0, m1), claim.ErrStaleForm)
			wantErr(t, stage(m1, ""), nil)
			w.pass(5 * time.Minute)
			wantErr(t, stage(m0, ""), nil)
		})
	}
}

// writing is a store that stages beside a claim which is verified just before.
type writing struct {
	claim.Store
	first func()
}

func (s *writing) Commit(ctx context.Context, c claim.Change) error {
	if first := s.first; first != nil && c.Create != nil {
		s.first = nil
		first()
	}
	return s.Store.Commit(ctx, c)
}

// No form is taken while an accepted number is being written, also if the form does
// not know of a claim.
func TestNoFormIsTakenWhileANumberIsBeingWritten(t *testing.T) {
	for name, marker := range map[string]string{"knows the claim": m1, "knows of none": ""} {
		for _, wanted := range []string{m2, ""} {
			t.Run(fmt.Sprintf("%s, wants %q", name, wanted), func(t *testing.T) {
				w := newWorld(t)
				w.submit(bob, "first", m1)
				code := w.lastCode()
				accept := func() {
					w.dir.Fail(claim.ErrIdentitiesUnavailable)
					wantErr(t, w.confirm(bob, code), nil)
					w.dir.Fail(nil)
				}
				w.Store = &writing{w.store, accept}
				_, err := w.Stage(t.Context(), claim.SettingsChange{
					IdentityID: bob, FlowID: "second", Stored: m0, StoredVerified: true, ShownPending: marker, Wanted: wanted,
				})
				wantErr(t, err, claim.ErrBeingApplied)
				w.Store = w.store
				w.rest()
				w.wantIdentity(m1, true, "")
			})
		}
	}
}

// A marker that a form put back, or took away, is mended without anybody's call.
func TestMarkersAreMendedInTheBackground(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(*world)
		want string
	}{
		"of a claim that is open": {func(*world) {}, m1},
		"of a claim that is cancelled": {func(w *world) {
			wantErr(w.t, w.Cancel(w.t.Context(), w.caller(bob)), nil)
		}, ""},
		"of a claim that is locked": {func(w *world) {
			for range 5 {
				wantErr(w.t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
			}
		}, ""},
	} {
		for _, shown := range []string{"", m1, m2} {
			t.Run(fmt.Sprintf("%s, %q is shown", name, shown), func(t *testing.T) {
				w := newWorld(t)
				w.submit(bob, "first", m1)
				tt.end(w)
				w.pass(93 * time.Second)
				i := w.identity(bob)
				i.Pending = shown
				w.dir.Put(i)
				w.rest()
				w.wantIdentity(m0, true, tt.want)
			})
		}
	}
}

// Who takes back a change whose form is stored and whose activation is on its way has
// taken it back.
func TestATakeBackDiscardsWhatIsStaged(t *testing.T) {
	administrator := audit.Actor{Kind: audit.Administrator, ID: "admin"}
	for name, take := range map[string]func(*world) error{
		"DELETE": func(w *world) error { return w.Cancel(w.t.Context(), w.caller(bob)) },
		"an administrator": func(w *world) error {
			snapshot, err := w.store.Current(w.t.Context(), bob, w.Now())
			wantErr(w.t, err, nil)
			who := w.caller(bob)
			who.By, who.ClaimID = administrator, snapshot.Staged[0].ID
			return w.Cancel(w.t.Context(), who)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			answer, err := w.stage(bob, "flow", m1)
			wantErr(t, err, nil)
			w.persist(bob, m1, answer)
			wantErr(t, take(w), nil)
			w.wantIdentity(m0, true, "")
			w.persist(bob, m1, answer) // Kratos may be slower
			_, err = w.stage(bob, "flow", m1)
			wantErr(t, err, claim.ErrStaleForm) // and ask once more
			w.activate(bob, "flow")
			w.wantIdentity(m0, true, "")
			w.rest()
			w.wantTexts()
			w.pass(2 * time.Minute)
			w.submit(bob, "another day", m1)
			wantErr(t, w.confirm(bob, w.lastCode()), nil)
		})
	}
}
