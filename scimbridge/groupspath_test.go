package scimbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/scimstore"
)

// fragile is a Kratos that may be away.
type fragile struct {
	*identities
	away func() bool
}

func (f fragile) Change(ctx context.Context, id string, operations []scim.Operation) (scim.Record, error) {
	if f.away() {
		return scim.Record{}, errors.New("away")
	}
	return f.identities.Change(ctx, id, operations)
}

// showing has the identities of a world show their groups in metadata_public.groups.
func (w *world) showing(away func() bool) *groups.Shower {
	return groups.NewShower(groups.ShowerOptions{
		Tasks: scimstore.NewGroups(w.db, persistence.Record, true), Groups: w.groups, Directory: fragile{w.kratos, away},
		WithLease: w.claims.WithLease, Path: "metadata_public.groups", Now: w.Now,
		Jitter: func(d time.Duration) time.Duration { return d }, Log: slog.New(slog.DiscardHandler),
	})
}

// shown is what an identity shows of its groups.
func (w *world) shown(id string) string {
	w.Helper()
	record, err := w.kratos.Record(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	list, there := record.MetadataPublic["groups"].([]any)
	if there && len(list) == 0 {
		w.Errorf("%s shows an empty list", id)
	}
	return strings.Trim(fmt.Sprint(list), "[]")
}

func (w *world) settle(s *groups.Shower) {
	w.Helper()
	if _, err := s.Once(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func TestIdentitiesShowTheNamesOfTheirGroups(t *testing.T) {
	w := newWorld(t)
	s := w.showing(func() bool { return false })
	a, b := w.user("a", mobile(m0)), w.user("b")
	tellers, staff := w.group("Tellers", a, b), w.group("Staff", a)
	w.settle(s)
	w.wants("a", w.shown(a), "Staff Tellers")
	w.wants("b", w.shown(b), "Tellers")
	w.as(okta, http.MethodPatch, "/Groups/"+tellers, ops(set("displayName", "Cashiers"))).want(http.StatusNoContent)
	w.settle(s)
	w.wants("a", w.shown(a), "Cashiers Staff")
	w.as(okta, http.MethodPatch, "/Groups/"+staff, ops(`{"op": "remove", "path": "members"}`)).want(http.StatusNoContent)
	w.settle(s)
	w.wants("a", w.shown(a), "Cashiers")
	w.as(okta, http.MethodDelete, "/Groups/"+tellers, "").want(http.StatusNoContent)
	w.settle(s)
	w.wants("a", w.shown(a), "")
	w.wants("b", w.shown(b), "")
	before := w.kratos.changes
	w.as(okta, http.MethodPatch, "/Groups/"+staff, ops(set("displayName", "Everybody"))).want(http.StatusNoContent) // of nobody
	w.settle(s)
	if w.kratos.changes != before {
		t.Errorf("%d writes for nothing", w.kratos.changes-before)
	}
	w.as(okta, http.MethodDelete, "/Users/"+b, "").want(http.StatusNoContent)
	w.settle(s)
}

// What is not as it should be is found when the identity is looked at, and written again.
func TestWhatOthersWriteOverTheNamesIsWrittenAgain(t *testing.T) {
	w := newWorld(t)
	s := w.showing(func() bool { return false })
	a, b := w.user("a"), w.user("b")
	w.group("Tellers", a)
	w.settle(s)
	write := func(id string, value any) {
		t.Helper()
		_, err := w.kratos.Change(t.Context(), id, []scim.Operation{{Op: scim.Add, Path: "/metadata_public/groups", Value: value}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, value := range []any{[]any{"Directors"}, "Tellers", nil, []any{}, []any{"Tellers", 7}} {
		write(a, value)
		write(b, value)
		for _, id := range []string{a, b} {
			record, err := w.kratos.Record(t.Context(), id)
			if err == nil {
				err = s.Compare(t.Context(), []scim.Record{record})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w.settle(s)
		w.wants(fmt.Sprint(value), w.shown(a), "Tellers")
		if record, _ := w.kratos.Record(t.Context(), b); record.MetadataPublic["groups"] != nil {
			t.Errorf("%v: b shows %v", value, record.MetadataPublic["groups"])
		}
	}
}

// Kratos may be away, and several replicas at work: in the end all identities show the
// groups that their users are in, whatever came when.
func TestTheNamesAreRightInTheEnd(t *testing.T) {
	w := newWorld(t)
	users := []string{w.user("a"), w.user("b"), w.user("c")}
	at := []string{w.group("g0"), w.group("g1"), w.group("g2")}
	count := 0
	rapid.Check(t, func(rt *rapid.T) {
		failing := rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(rt, "away")
		var mu sync.Mutex
		asked := 0
		away := func() bool {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return asked <= len(failing) && failing[asked-1]
		}
		one, other := w.showing(away), w.showing(away)
		for range rapid.IntRange(1, 5).Draw(rt, "steps") {
			group := rapid.SampledFrom(at).Draw(rt, "group")
			count++
			operation := set("displayName", fmt.Sprintf("n%d", count))
			if who := rapid.SampledFrom(append(users, "")).Draw(rt, "who"); who != "" {
				operation = fmt.Sprintf(`{"op": %q, "path": "members", "value": [{"value": %q}]}`, rapid.SampledFrom([]string{"add", "remove", "replace"}).Draw(rt, "op"), who)
			}
			var working sync.WaitGroup
			if rapid.Bool().Draw(rt, "at the same time") {
				working.Go(func() { _, _ = one.Once(t.Context()) })
				working.Go(func() { _, _ = other.Once(t.Context()) })
			}
			w.as(okta, http.MethodPatch, "/Groups/"+group, ops(operation)).want(http.StatusNoContent)
			working.Wait()
		}
		for range len(failing) + 2 { // every task has its turn again
			w.pass(10 * time.Minute)
			w.settle(one)
		}
		for _, id := range users {
			if got, want := w.shown(id), w.groupsOf(id); got != want {
				rt.Fatalf("shows %q, is in %q", got, want)
			}
		}
	})
}

func TestMembershipsOfWhoIsGoneFromKratosEnd(t *testing.T) {
	w := newWorld(t)
	s := w.showing(func() bool { return false })
	a, b, c := w.user("a"), w.user("b"), w.user("c")
	id := w.group("Tellers", a, b, c)
	members := func() int {
		t.Helper()
		of, err := scimstore.NewGroups(w.db, persistence.Record, true).Of(t.Context(), []string{a, b, c})
		if err != nil {
			t.Fatal(err)
		}
		return len(of)
	}
	forget := func(id string) {
		t.Helper()
		if err := w.index.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	forget(c) // from the index alone, as where the mapping does not fit any more
	if err := w.kratos.Delete(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	forget(a)
	w.wants("members", w.lettersOf(w.as(okta, http.MethodGet, "/Groups/"+id, "").want(http.StatusOK)), "b")
	if err := s.Sweep(t.Context(), 0); err != nil { // an empty Kratos: nothing is ended
		t.Fatal(err)
	}
	if got := members(); got != 3 {
		t.Errorf("got %d members, want 3", got)
	}
	if err := s.Sweep(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got := members(); got != 2 { // a is gone, c is not
		t.Errorf("got %d members, want 2", got)
	}
}

// stubborn are tasks of a database that is read only.
type stubborn struct {
	groups.Tasks
	asked int
}

func (s *stubborn) Due(ctx context.Context, now time.Time, n int) ([]groups.Task, error) {
	if s.asked++; s.asked > 10 {
		return nil, errors.New("asked again and again")
	}
	return s.Tasks.Due(ctx, now, n)
}

func (s *stubborn) Take(context.Context, groups.Task, time.Time, time.Time) (bool, error) {
	return false, errReadOnly
}

var errReadOnly = errors.New("read only")

func TestTasksThatCannotBeTakenAreLeftForLater(t *testing.T) {
	w := newWorld(t)
	s := w.showing(func() bool { return false })
	a := w.user("a")
	w.group("Tellers", a)
	w.settle(s)
	if err := s.Tasks.Stale(t.Context(), []string{a}); err != nil {
		t.Fatal(err)
	}
	tasks := &stubborn{Tasks: s.Tasks}
	s.Tasks = tasks
	if _, err := s.Once(t.Context()); !errors.Is(err, errReadOnly) || tasks.asked != 1 {
		t.Errorf("asked %d times, then: %v", tasks.asked, err)
	}
}

// Whoever blanks scim.groups_path leaves tasks behind, which nobody does any more.
func TestWithoutAPathDeletedGroupsAreEndedAllTheSame(t *testing.T) {
	w := newWorld(t)
	s := w.showing(func() bool { return false })
	id := w.group("Tellers", w.user("a"))
	var left []string
	for n := range 2001 {
		left = append(left, fmt.Sprintf("left-%04d", n))
	}
	if err := s.Tasks.Stale(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	w.as(okta, http.MethodDelete, "/Groups/"+id, "").want(http.StatusNoContent)
	s.Path = ""
	s.Report = func(identities, _ int) { w.wants("waiting", fmt.Sprint(identities), "0") }
	w.settle(s)
	_, more, err := s.Tasks.Waiting(t.Context())
	if err != nil || more != 0 {
		t.Errorf("%d groups are left: %v", more, err)
	}
}
