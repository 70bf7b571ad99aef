package scimstore_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

// allKnown takes everybody for a user.
type allKnown struct{}

func (allKnown) Known(_ context.Context, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = true
	}
	return known, nil
}

// TestGroupsAtScale prints what a group of 10 members and one of 100,000 cost, among
// 1,000 groups and as many users as HOLDLINE_SCIM_GROUP_USERS says (such as 1000000).
func TestGroupsAtScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("HOLDLINE_SCIM_GROUP_USERS"))
	if n == 0 {
		t.Skip("HOLDLINE_SCIM_GROUP_USERS names no number of users")
	}
	databasetest.OnEach(t, func(t databasetest.Kind) { groupsAtScale(t, n) })
}

func groupsAtScale(t databasetest.Kind, n int) {
	entry := func(i int) scim.Entry { // found by the names alone, which are loaded soon
		e := scaleEntry(i)
		e.Values = scim.Values{"userName": e.Values["userName"], "displayName": e.Values["displayName"]}
		return e
	}
	if err := scimstore.Load(t.Context(), t.DB, n, entry); err != nil {
		t.Fatal(err)
	}
	store := scimstore.NewGroups(t.DB, persistence.Record, true)
	service := groups.NewService(groups.Options{
		Store: store, Users: allKnown{}, Now: func() time.Time { return noon },
		NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err },
	})
	ids := make([]string, n)
	for i := range ids {
		ids[i] = scaleEntry(i).ID
	}
	slices.Sort(ids)
	at := func(from, members int) []string {
		list := make([]string, members)
		for i := range list {
			list[i] = ids[(from+i*(n/members))%n]
		}
		return list
	}
	make := func(name string, members []string) groups.Group {
		g, err := service.Create(t.Context(), okta, body(name))
		for batch := range slices.Chunk(members, 5000) {
			if err == nil {
				_, err = service.Patch(t.Context(), okta, g.ID, patchOf(t, operationOf("add", batch)), nil)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for i := range 998 {
		make(fmt.Sprintf("Group %d", i), at(i*131, min(100, n)))
	}
	most := min(100_000, n/2)
	small, large := make("Small", at(1, 10)), make("Large", at(0, most))
	log := databasetest.Record(t.DB)
	step := 0
	stranger := func() string { step++; return fmt.Sprintf("ffffffff-0000-4000-8000-%012d", step) }
	patch := func(g groups.Group, operation string) func() error {
		return func() error {
			_, err := service.Patch(t.Context(), okta, g.ID, patchOf(t, operation), nil)
			return err
		}
	}
	compare := func(name string, a, b func() error) {
		var took [2][]time.Duration
		var statements [2]int
		start := time.Now()
		for round := 0; round < 101 && time.Since(start) < 20*time.Second; round++ {
			for i, do := range []func() error{a, b} {
				log.Take()
				asked := time.Now()
				if err := do(); err != nil {
					t.Fatal(name, err)
				}
				took[i], statements[i] = append(took[i], time.Since(asked)), len(log.Take())
			}
		}
		median := func(all []time.Duration) time.Duration { slices.Sort(all); return all[len(all)/2] }
		s, l := median(took[0]), median(took[1])
		t.Logf("%-34s 10 members: %8v, %2d statements; %d: %8v, %2d statements; ratio %.2f", name,
			s.Round(time.Microsecond), statements[0], most, l.Round(time.Microsecond), statements[1], float64(l)/float64(s))
		if statements[0] != statements[1] {
			t.Errorf("%s: the large group costs other statements", name)
		}
	}
	each := func(do func(g groups.Group) error) (a, b func() error) {
		return func() error { return do(small) }, func() error { return do(large) }
	}
	joined := map[string][]string{}
	a, b := each(func(g groups.Group) error {
		user := stranger()
		joined[g.ID] = append(joined[g.ID], user)
		return patch(g, add(user))()
	})
	compare("add one member", a, b)
	a, b = each(func(g groups.Group) error {
		user := joined[g.ID][0]
		joined[g.ID] = append(joined[g.ID][1:], user)
		return patch(g, removal(user))()
	})
	compare("remove one member", a, b)
	a, b = each(func(g groups.Group) error { _, err := service.Find(t.Context(), okta, g.ID); return err })
	compare("read without members", a, b)
	a, b = each(func(g groups.Group) error {
		_, err := service.List(t.Context(), okta, users.Search{Filter: walking{filter: `displayName eq "` + g.Name + `"`}.parsed(t.T), Limit: 10})
		return err
	})
	compare("find by displayName", a, b)
	a, b = each(func(g groups.Group) error {
		step++
		return patch(g, fmt.Sprintf(`{"op": "replace", "path": "displayName", "value": "New %d"}`, step))()
	})
	compare("rename", a, b)
	a, b = func() error { _, err := store.Of(t.Context(), ids[7:8]); return err }, func() error { _, err := store.Of(t.Context(), ids[7:8]); return err }
	compare("groups of a user", a, b)

	timed := func(name string, do func() int) {
		asked := time.Now()
		count := do()
		t.Logf("%-34s %d in %v", name, count, time.Since(asked).Round(time.Millisecond))
	}
	timed("read all members", func() int {
		count := 0
		for after := ""; ; {
			page, next, err := store.Members(t.Context(), large.ID, after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			count += len(page)
			if after = next; next == "" {
				return count
			}
		}
	})
	timed("list 1,000 groups", func() int {
		page, err := service.List(t.Context(), okta, users.Search{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Groups)
	})
	follow := func() int {
		steps := 0
		for more := true; more; steps++ {
			var err error
			if more, err = store.Follow(t.Context(), 500, func(user, group string) audit.Event {
				return audit.Event{IdentityID: user, Kind: groups.Left, Reason: group, At: noon}
			}); err != nil {
				t.Fatal(err)
			}
		}
		return steps
	}
	timed("steps of a renamed group", follow)
	timed("remove all members", func() int {
		if err := patch(large, `{"op": "remove", "path": "members"}`)(); err != nil {
			t.Log(err)
		}
		return most
	})
	if err := patch(large, operationOf("add", at(0, min(20_000, most))))(); err != nil {
		t.Fatal(err)
	}
	timed("delete a group of 20,000", func() int {
		if err := service.Delete(t.Context(), okta, large.ID, nil); err != nil {
			t.Fatal(err)
		}
		return 1
	})
	timed("steps of a deleted group", follow)
	timed("walk by cursor, pages", func() int {
		index := scimstore.New(t.DB)
		q := scimIndexing.Query(nil, "userName")
		q.Limit = 200
		pages := 0
		for after := ""; pages < 500; pages++ {
			q.Walk = walk(after)
			page, err := index.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		return pages
	})
}
