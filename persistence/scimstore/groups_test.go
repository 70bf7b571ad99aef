package scimstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

// everybody knows every user whose name is of one letter.
type everybody struct{}

func (everybody) Known(_ context.Context, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = len(id) == 1
	}
	return known, nil
}

var okta = groups.By{Actor: audit.Actor{Kind: audit.Client, ID: "okta"}, Client: "okta"}

// newGroups is a service of groups on a database that has users a to z.
func newGroups(t databasetest.Kind) (*groups.Service, *scimstore.Groups) {
	t.Helper()
	index := scimstore.New(t.DB)
	for letter := 'a'; letter <= 'z'; letter++ {
		put(t, index, named(t, string(letter), string(letter)))
	}
	store := scimstore.NewGroups(t.DB, persistence.Record, true)
	return groups.NewService(groups.Options{
		Store: store, Users: everybody{}, Now: func() time.Time { return noon },
		NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err },
	}), store
}

func body(name string, members ...string) map[string]any {
	list := []any{}
	for _, id := range members {
		list = append(list, map[string]any{"value": id})
	}
	return map[string]any{"displayName": name, "members": list}
}

// members reads all of a group's members, two at a time.
func members(t databasetest.Kind, store *scimstore.Groups, id string) string {
	t.Helper()
	var all []string
	for after := ""; ; {
		page, next, err := store.Members(t.Context(), id, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if after = next; next == "" {
			return strings.Join(all, "")
		}
	}
}

// Whatever happens to a group at the same time, each change is there as a whole, and
// nobody is lost.
func TestConcurrentChangesOfAGroupLoseNobody(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, store := newGroups(t)
		g, err := service.Create(t.Context(), okta, body("Tellers", "z"))
		if err != nil {
			t.Fatal(err)
		}
		var all errgroup.Group
		for letter := 'a'; letter < 'q'; letter++ {
			all.Go(func() error {
				_, err := service.Patch(t.Context(), okta, g.ID, patchOf(t, add(string(letter))), nil)
				if err == nil && letter%4 == 0 {
					_, err = service.Patch(t.Context(), okta, g.ID, patchOf(t, removal(string(letter))), nil)
				}
				return err
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
		want(t, members(t, store, g.ID), "abcefgijkmnoz")
		g, err = service.Find(t.Context(), okta, g.ID)
		if err != nil || g.Version != 1+16+4 {
			t.Errorf("got version %d, %v", g.Version, err)
		}
		if n, err := databasetest.Count(t.Context(), t.DB, "SELECT COUNT(*) FROM audit_events WHERE kind = 'group_joined'"); err != nil || n != 17 {
			t.Errorf("got %d lines about who joined, %v", n, err)
		}
	})
}

// model is what a group should be after a request, in the fewest words.
type model map[string]bool

func (m model) apply(op string, users []string) {
	if op == "replace" || op == "remove" && users == nil {
		clear(m)
	}
	for _, user := range users {
		if op == "remove" {
			delete(m, user)
		} else {
			m[user] = true
		}
	}
}

// Random requests do to a group what they do to the model, and the audit trail tells
// exactly the difference.
func TestGroupsAreAsAModelSays(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, store := newGroups(t)
		rapid.Check(t, func(rt *rapid.T) {
			users := func(label string) []string {
				return rapid.SliceOfN(rapid.SampledFrom(strings.Split("abcdef", "")), 0, 4).Draw(rt, label)
			}
			wanted := model{}
			first := users("at first")
			wanted.apply("add", first)
			g, err := service.Create(t.Context(), okta, body(uuid.NewString(), first...))
			if err != nil {
				rt.Fatal(err)
			}
			for range rapid.IntRange(1, 4).Draw(rt, "requests") {
				before := maps.Clone(wanted)
				var operations []string
				for range rapid.IntRange(1, 3).Draw(rt, "operations") {
					op := rapid.SampledFrom([]string{"add", "remove", "replace"}).Draw(rt, "op")
					who := users("who")
					if op == "remove" && rapid.IntRange(0, 4).Draw(rt, "all") == 0 {
						who = nil
					} else if who == nil {
						who = []string{}
					}
					wanted.apply(op, who)
					operations = append(operations, operationOf(op, who))
				}
				if rapid.IntRange(0, 3).Draw(rt, "put") == 0 {
					who := users("whole")
					wanted.apply("replace", who)
					operations = nil
					_, err = service.Replace(t.Context(), okta, g.ID, body(g.Name, who...), nil)
				} else {
					_, err = service.Patch(t.Context(), okta, g.ID, patchOf(t, operations...), nil)
				}
				if err != nil {
					rt.Fatal(err)
				}
				if got := members(t, store, g.ID); got != lettersIn(wanted) {
					rt.Fatalf("got %q, want %q", got, lettersIn(wanted))
				}
				now, err := store.Find(t.Context(), "okta", g.ID)
				if changed := now.Version != g.Version; err != nil || changed == maps.Equal(before, wanted) {
					rt.Fatalf("from %q to %q: version %d after %d, %v", lettersIn(before), lettersIn(wanted), now.Version, g.Version, err)
				}
				g = now
			}
		})
	})
}

func lettersIn(m model) string { return strings.Join(slices.Sorted(maps.Keys(m)), "") }

func TestNamesAreUniqueInAnyCase(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, _ := newGroups(t)
		var made, refused int
		results := make([]error, 8)
		var all errgroup.Group
		for i := range results {
			all.Go(func() error {
				_, results[i] = service.Create(t.Context(), okta, body([]string{"Größe", "GRÖSSE", "größe", "grösse"}[i%4]))
				return nil
			})
		}
		_ = all.Wait()
		for _, err := range results {
			switch {
			case err == nil:
				made++
			case errors.Is(err, groups.ErrNameTaken):
				refused++
			default:
				t.Error(err)
			}
		}
		if made != 2 || refused != 6 { // ß is no ss: case is folded, spelling is not
			t.Errorf("%d made, %d refused", made, refused)
		}
	})
}

func TestADeletedGroupIsFollowedToItsEnd(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, store := newGroups(t)
		gone, err := service.Create(t.Context(), okta, body("Gone", "a", "b", "c", "d", "e"))
		if err != nil {
			t.Fatal(err)
		}
		stays, err := service.Create(t.Context(), okta, body("Stays", "a"))
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Delete(t.Context(), okta, gone.ID, nil); err != nil {
			t.Fatal(err)
		}
		of, err := store.Of(t.Context(), []string{"a", "b"})
		if diff := cmp.Diff(map[string][]groups.Membership{"a": {{GroupID: stays.ID, Name: "Stays"}}}, of); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		steps := 0
		for more := true; more; steps++ {
			if more, err = store.Follow(t.Context(), 2, func(user, group string) audit.Event {
				return audit.Event{IdentityID: user, Kind: groups.Left, Reason: group, At: noon}
			}); err != nil || steps > 10 {
				t.Fatal(steps, err)
			}
		}
		for query, want := range map[string]int{
			"SELECT COUNT(*) FROM scim_members":                                               1,
			"SELECT COUNT(*) FROM scim_group_tasks":                                           0,
			"SELECT COUNT(*) FROM audit_events WHERE kind = 'group_left' AND reason = 'Gone'": 5,
			"SELECT COUNT(*) FROM audit_events WHERE kind = 'group_deleted'":                  1,
			"SELECT COUNT(*) FROM scim_identity_tasks":                                        5,
		} {
			if got, err := databasetest.Count(t.Context(), t.DB, query); err != nil || got != want {
				t.Errorf("%s: got %d, %v, want %d", query, got, err, want)
			}
		}
	})
}

func TestWhoIsNoUserIsNoMember(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, store := newGroups(t)
		g, err := service.Create(t.Context(), okta, body("Tellers", "a", "b", "c"))
		if err != nil {
			t.Fatal(err)
		}
		if err := scimstore.New(t.DB).Delete(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		want(t, members(t, store, g.ID), "ac")
		orphans, err := store.Orphans(t.Context(), "", 10)
		if err != nil || fmt.Sprint(orphans) != "[b]" {
			t.Errorf("got %v, %v", orphans, err)
		}
		if err := service.Gone(t.Context(), "b", audit.Actor{Kind: audit.System}); err != nil {
			t.Fatal(err)
		}
		if orphans, err = store.Orphans(t.Context(), "", 10); err != nil || len(orphans) != 0 {
			t.Errorf("got %v, %v", orphans, err)
		}
		if now, err := store.Find(t.Context(), "", g.ID); err != nil || now.Version != 2 {
			t.Errorf("got %+v, %v", now, err)
		}
	})
}

// What a change costs does not depend on how many members there are.
func TestAChangeCostsWhatItChanges(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, _ := newGroups(t)
		small, err := service.Create(t.Context(), okta, body("Small", "a"))
		if err != nil {
			t.Fatal(err)
		}
		large, err := service.Create(t.Context(), okta, body("Large", strings.Split("abcdefghijklmnopqrstuvwx", "")...))
		if err != nil {
			t.Fatal(err)
		}
		log := databasetest.Record(t.DB)
		cost := func(id, operation string) int {
			log.Take()
			if _, err := service.Patch(t.Context(), okta, id, patchOf(t, operation), nil); err != nil {
				t.Fatal(err)
			}
			return len(log.Take())
		}
		for _, operation := range []string{add("y"), removal("y")} {
			if s, l := cost(small.ID, operation), cost(large.ID, operation); s != l {
				t.Errorf("%s: %d statements for a small group, %d for a large one", operation, s, l)
			}
		}
	})
}

func add(user string) string { return operationOf("add", []string{user}) }
func removal(user string) string {
	return fmt.Sprintf(`{"op": "remove", "path": "members[value eq \"%s\"]"}`, user)
}

func operationOf(op string, users []string) string {
	if users == nil {
		return fmt.Sprintf(`{"op": %q, "path": "members"}`, op)
	}
	var list []string
	for _, user := range users {
		list = append(list, fmt.Sprintf(`{"value": %q}`, user))
	}
	return fmt.Sprintf(`{"op": %q, "path": "members", "value": [%s]}`, op, strings.Join(list, ", "))
}

func patchOf(tb testing.TB, operations ...string) patch.Request {
	tb.Helper()
	body, err := scim.ReadJSON([]byte(`{"Operations": [`+strings.Join(operations, ", ")+`]}`), 1<<20)
	if err != nil {
		tb.Fatal(err)
	}
	request, err := patch.Read(body, patch.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return request
}

func TestNoRequestEndsMoreMembershipsThanItCan(t *testing.T) {
	t.Parallel()
	db := databasetest.Migrated(t, databasetest.SQLite(t))
	service := groups.NewService(groups.Options{
		Store: scimstore.NewGroups(db, persistence.Record, false), Users: allKnown{}, Now: func() time.Time { return noon },
		NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err },
	})
	all := make([]string, groups.MostMembers)
	for i := range all {
		all[i] = fmt.Sprintf("user %d", i)
	}
	g, err := service.Create(t.Context(), okta, body("Large", all...))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(operation string) error {
		_, err := service.Patch(t.Context(), okta, g.ID, patchOf(t, operation), nil)
		return err
	}
	if err := ask(add("one more")); err != nil {
		t.Fatal(err)
	}
	if err := ask(`{"op": "remove", "path": "members"}`); !errors.Is(err, groups.ErrManyLeave) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(ask(removal("one more")), ask(`{"op": "remove", "path": "members"}`)); err != nil {
		t.Error(err)
	}
}

// A change that chooses nobody is none at all, whoever the filter names: no database takes every
// text for an id.
func TestAFilterThatChoosesNoMemberChangesNothing(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		lenient, store := newGroups(t)
		o := lenient.Options
		o.Mode = scim.Strict
		strict := groups.NewService(o)
		g, err := lenient.Create(t.Context(), okta, body("Tellers", "a", "c"))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"b", "nobody", `a\\u0000`, strings.Repeat("a", 1000)} {
			for _, operations := range [][]string{{removal(id)}, {add("b"), removal("a"), removal(id), removal(id)}} {
				request := patchOf(t, append(operations, `{"op": "replace", "path": "externalId", "value": "x"}`)...)
				_, err := strict.Patch(t.Context(), okta, g.ID, request, nil)
				if id == "b" && len(operations) > 1 { // the second time
					want(t, fmt.Sprint(err), "scim: operation 4: the filter of members chooses nothing")
				} else if fault := (*scim.Error)(nil); !errors.As(err, &fault) || fault.Status != 400 {
					t.Errorf("%q: got %v", id, err)
				}
			}
			if _, err := lenient.Patch(t.Context(), okta, g.ID, patchOf(t, removal(id)), nil); err != nil {
				t.Errorf("%q, lenient: got %v", id, err)
			}
		}
		want(t, members(t, store, g.ID), "ac")
		if after, err := lenient.Find(t.Context(), okta, g.ID); err != nil || after != g {
			t.Errorf("got %+v, %v", after, err)
		}
	})
}
