package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/reconcile"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

var (
	noon    = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	errAway = errors.New("away")
)

// world is a directory, an index on SQLite and what keeps one like the other. Its
// pages have two identities.
type world struct {
	*reconcile.Reconciler
	*testing.T
	kratos  *kratos
	index   scim.Index
	log     bytes.Buffer
	reports []reconcile.Progress
	step    time.Duration // of the clock, whenever it is read
	now     time.Time
}

func newWorld(t *testing.T, users ...string) *world {
	t.Helper()
	w, _ := newWorldOn(t, users...)
	return w
}

func newWorldOn(t *testing.T, users ...string) (*world, *database.DB) {
	t.Helper()
	db := databasetest.Migrated(t, databasetest.SQLite(t))
	w := &world{
		T: t, kratos: &kratos{identities: map[string]scim.Record{}}, index: scimstore.New(db),
		step: time.Millisecond, now: noon,
	}
	w.Reconciler = reconcile.New(reconcile.Options{
		Source: w.kratos, Index: w.index, Entries: entries, PageSize: 2,
		Now:    func() time.Time { w.now = w.now.Add(w.step); return w.now },
		Log:    slog.New(slog.NewTextHandler(&w.log, nil)),
		Report: func(p reconcile.Progress) { w.reports = append(w.reports, p) },
	})
	for _, id := range users {
		w.kratos.save(id, "user "+id)
	}
	return w, db
}

// entries describes everybody but robots.
func entries(_ context.Context, records []scim.Record, seen time.Time) ([]scim.Entry, error) {
	var list []scim.Entry
	for _, r := range records {
		if r.SchemaID == "robot" {
			continue
		}
		document, err := json.Marshal(r.Traits)
		if err != nil {
			return nil, err
		}
		list = append(list, scim.Entry{ID: r.ID, Document: document, Updated: noon, Seen: seen})
	}
	return list, nil
}

// pass expects what a pass finds.
func (w *world) pass(identities, changed, deleted int) {
	w.Helper()
	p, err := w.Pass(w.Context())
	if err != nil || p.Identities != identities || p.Changed != changed || p.Deleted != deleted {
		w.Errorf("got %+v, %v", p, err)
	}
}

// converged expects the index to have what Kratos has.
func (w *world) converged() {
	w.Helper()
	users := map[string]string{}
	for id, r := range w.kratos.identities {
		if r.SchemaID != "robot" {
			users[id] = fmt.Sprint(r.Traits["userName"])
		}
	}
	w.has(users)
}

func (w *world) has(users map[string]string) {
	w.Helper()
	page, err := w.index.Query(w.Context(), scim.Query{Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range page.Entries {
		var document struct{ UserName string }
		if err := json.Unmarshal(e.Document, &document); err != nil {
			w.Fatal(err)
		}
		got[e.ID] = document.UserName
	}
	if diff := cmp.Diff(users, got); diff != "" {
		w.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPassFindsWhatWasMadeChangedAndDeleted(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e")
	w.pass(5, 5, 0)
	w.converged()
	w.pass(5, 0, 0)
	w.kratos.save("b", "bob")
	w.kratos.save("f", "fred")
	delete(w.kratos.identities, "a")
	delete(w.kratos.identities, "c")
	delete(w.kratos.identities, "d")
	w.pass(3, 2, 3)
	w.converged()
}

func TestWhoIsNoUserIsNotInTheIndex(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.kratos.identities["robot"] = scim.Record{ID: "robot", SchemaID: "robot"}
	w.pass(4, 3, 0)
	w.converged()
	w.kratos.identities["b"] = scim.Record{ID: "b", SchemaID: "robot"}
	w.pass(4, 0, 1)
	w.converged()
}

func TestWhoIsMadeMeanwhileStays(t *testing.T) {
	w := newWorld(t, "b", "c", "d")
	w.kratos.listing = func(n int) error {
		if n == 2 { // its page was read already
			w.kratos.save("a", "ann")
			return w.Refresh(t.Context(), "a")
		}
		return nil
	}
	w.pass(3, 3, 0)
	w.converged()
	if w.kratos.reads != 1 {
		t.Errorf("Kratos was asked again for what was just written: %d reads", w.kratos.reads)
	}
}

func TestWhoIsWrittenMeanwhileIsNotSetBack(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.pass(3, 3, 0)
	inner := w.Entries
	w.Entries = func(ctx context.Context, records []scim.Record, seen time.Time) ([]scim.Entry, error) {
		if list, err := inner(ctx, records, seen); len(records) == 1 || err != nil || records[0].ID != "a" {
			return list, err
		}
		w.kratos.save("a", "anna") // after the page was read, before it is compared
		if err := w.Refresh(ctx, "a"); err != nil {
			return nil, err
		}
		return inner(ctx, records, seen)
	}
	if _, err := w.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.converged()
}

func TestWhoIsDeletedMeanwhileDoesNotComeBack(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	w.PageSize = 10
	w.pass(10, 10, 0)
	if w.kratos.reads != 0 {
		t.Errorf("a first pass asked for each: %d reads", w.kratos.reads)
	}
	inner := w.Entries
	w.Entries = func(ctx context.Context, records []scim.Record, seen time.Time) ([]scim.Entry, error) {
		if len(records) > 1 { // the page was read
			delete(w.kratos.identities, "c")
			if err := w.index.Delete(ctx, "c"); err != nil {
				return nil, err
			}
		}
		return inner(ctx, records, seen)
	}
	w.pass(10, 1, 1)
	w.converged()
}

func TestWhoWasOnNoPageIsAskedFor(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e")
	w.pass(5, 5, 0)
	w.kratos.hidden = map[string]bool{"b": true, "c": true, "d": true}
	w.kratos.save("c", "carl")
	delete(w.kratos.identities, "d")
	w.pass(2, 1, 1)
	w.converged()
	if w.kratos.reads != 3 {
		t.Errorf("%d reads", w.kratos.reads)
	}
}

// An answer that lists nobody must not empty the index.
func TestAnEmptyListDeletesNobody(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.pass(3, 3, 0)
	w.kratos.hidden = map[string]bool{"a": true, "b": true, "c": true}
	w.pass(0, 0, 0)
	w.converged()
}

func TestAnErrorEndsThePassAndTheNextBeginsAnew(t *testing.T) {
	for name, fail := range map[string]func(w *world){
		"in the middle of the pages": func(w *world) {
			w.kratos.listing = func(n int) error {
				if n == 5 { // the second page of the second pass
					return errAway
				}
				return nil
			}
		},
		"when an unseen one is read": func(w *world) {
			w.kratos.reading = func(n int) error {
				if n == 2 {
					return errAway
				}
				return nil
			}
		},
		"when they are described": func(w *world) {
			again := w.Entries
			w.Entries = func(context.Context, []scim.Record, time.Time) ([]scim.Entry, error) {
				w.Entries = again
				return nil, errAway
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a", "b", "c", "d", "e")
			w.pass(5, 5, 0)
			w.kratos.save("a", "ann")
			w.kratos.save("e", "eve")
			delete(w.kratos.identities, "c")
			delete(w.kratos.identities, "d")
			w.kratos.save("f", "fred")
			fail(w)
			if p, err := w.Pass(t.Context()); !errors.Is(err, errAway) {
				t.Fatalf("got %+v, %v", p, err)
			}
			if p, err := w.Pass(t.Context()); err != nil || p.Identities != 4 {
				t.Errorf("got %+v, %v", p, err)
			}
			w.converged()
		})
	}
}

func TestAFailedListDeletesNobody(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.pass(3, 3, 0)
	delete(w.kratos.identities, "a")
	w.kratos.listing = func(int) error { return errAway }
	if _, err := w.Pass(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	w.has(map[string]string{"a": "user a", "b": "user b", "c": "user c"})
}

func TestAListThatGoesInACircleEndsThePass(t *testing.T) {
	w := newWorld(t)
	w.kratos.stuck = true
	if _, err := w.Pass(t.Context()); err == nil || w.kratos.lists != 2 {
		t.Errorf("got %v after %d pages", err, w.kratos.lists)
	}
}

func TestAClockThatIsSetBackKeepsNobodyUnseen(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.pass(3, 3, 0)
	w.kratos.hidden = map[string]bool{"a": true}
	w.now = noon.Add(time.Hour)
	w.step = -time.Second
	w.pass(2, 0, 0)
	if w.kratos.reads != 1 {
		t.Errorf("%d reads", w.kratos.reads)
	}
	w.converged()
}

// deaf is an index that keeps neither that an entry was seen nor a deletion.
type deaf struct{ scim.Index }

func (deaf) Reconcile(context.Context, []scim.Entry) (int, error) { return 0, nil }
func (deaf) Delete(context.Context, string) error                 { return nil }

func TestNobodyIsAskedForTwiceInAPass(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.pass(3, 3, 0)
	w.Index = deaf{w.index}
	delete(w.kratos.identities, "b")
	if _, err := w.Pass(t.Context()); err != nil || w.kratos.reads != 2 { // a batch of two
		t.Errorf("got %v after %d reads", err, w.kratos.reads)
	}
}

func TestAPassTellsHowFarItIs(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.pass(3, 3, 0)
	delete(w.kratos.identities, "a")
	w.reports = nil
	w.now = noon.Add(time.Hour)
	w.pass(2, 0, 1)
	began := noon.Add(time.Hour + time.Millisecond)
	want := []reconcile.Progress{
		{Identities: 2, Pages: 1, Began: began},
		{Identities: 2, Pages: 1, Deleted: 1, Began: began},
	}
	if diff := cmp.Diff(want, w.reports); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := w.log.String(); strings.Count(got, "index reconciled") != 2 || !strings.Contains(got, "identities=2 changed=0 deleted=1 pages=1") ||
		strings.Contains(got, "user") {
		t.Errorf("logged %s", got)
	}
}

func TestALongPassIsInTheLog(t *testing.T) {
	w := newWorld(t)
	w.PageSize = 1500
	for i := range 21_000 {
		id := fmt.Sprintf("%06d", i)
		w.kratos.identities[id] = scim.Record{ID: id, SchemaID: "robot"}
	}
	w.pass(21_000, 0, 0)
	if got := w.log.String(); strings.Count(got, "reconciling the index") != 2 || strings.Count(got, "index reconciled") != 1 {
		t.Errorf("logged %s", got)
	}
}

func TestOneIdentityIsRefreshed(t *testing.T) {
	w := newWorld(t, "a", "b")
	refresh := func(id string) {
		t.Helper()
		if err := w.Refresh(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.kratos.identities)) {
		refresh(id)
	}
	w.converged()
	w.kratos.save("a", "ann")
	refresh("a")
	w.converged()
	w.kratos.identities["a"] = scim.Record{ID: "a", SchemaID: "robot"}
	refresh("a")
	delete(w.kratos.identities, "b")
	refresh("b")
	refresh("nobody")
	w.converged()
}

func TestARefreshThatFailsLeavesTheEntry(t *testing.T) {
	w := newWorld(t, "a")
	w.pass(1, 1, 0)
	delete(w.kratos.identities, "a")
	w.kratos.reading = func(int) error { return errAway }
	if err := w.Refresh(t.Context(), "a"); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	w.has(map[string]string{"a": "user a"})
}
