package scimstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

// list is what a walk goes through, and can be changed while it does.
type list interface {
	// page reads a page, and returns who is on it and where the next one begins.
	page(rt *rapid.T, after string, n int) (ids []string, next string)
	// set makes somebody with a name, or gives them another one; blank deletes.
	set(rt *rapid.T, id, name string)
	// end deletes all.
	end(rt *rapid.T)
}

// walkPast walks through a list that is changed meanwhile: who is in it from the first
// page to the last is seen exactly once, and nobody is seen twice.
func walkPast(rt *rapid.T, l list, ids []string, matches func(name string) bool) {
	names := rapid.SampledFrom([]string{"", "a", "ab", "b", "bb", "c", "d", "e", "zz"})
	now, always, deleted := map[string]string{}, map[string]bool{}, map[string]bool{}
	defer l.end(rt)
	set := func(id, name string) {
		if name == "" && now[id] == "" {
			return
		}
		l.set(rt, id, name)
		now[id] = name
		deleted[id] = deleted[id] || name == ""
		if !matches(name) {
			delete(always, id)
		}
	}
	for _, id := range ids[:len(ids)-2] { // two come later at the earliest
		name := names.Draw(rt, id)
		set(id, name)
		if matches(name) {
			always[id] = true
		}
	}
	seen := map[string]int{}
	size := rapid.IntRange(1, 4).Draw(rt, "size")
	pages := 0
	for after := ""; ; pages++ {
		if pages > 4*len(ids) {
			rt.Fatal("the walk does not end")
		}
		page, next := l.page(rt, after, size)
		if len(page) > size {
			rt.Fatalf("%d on a page of %d", len(page), size)
		}
		for _, id := range page {
			seen[id]++
			if !matches(now[id]) {
				rt.Fatalf("%s is on a page, and is %q", id, now[id])
			}
		}
		if after = next; next == "" {
			break
		}
		for range rapid.IntRange(0, 3).Draw(rt, "changes") {
			set(rapid.SampledFrom(ids).Draw(rt, "who"), names.Draw(rt, "name"))
		}
	}
	for id := range always {
		if seen[id] != 1 {
			rt.Fatalf("%s was there all the time, and was seen %d times", id, seen[id])
		}
	}
	for id, times := range seen {
		if times > 1 && !deleted[id] { // who comes back is somebody else
			rt.Fatalf("%s was seen %d times", id, times)
		}
	}
}

// walking says how a list is sorted and filtered.
type walking struct{ sortBy, filter string }

var walkings = []walking{
	{},
	{sortBy: "displayName"},
	{sortBy: "nickName"},
	{filter: `displayName sw "b"`},
	{filter: `displayName co "b"`},
	{filter: `not (displayName eq "c")`},
	{"displayName", `displayName gt "a"`},
	{"displayName", `displayName co "b"`},
	{"title", `displayName pr`},
}

func (w walking) parsed(t *testing.T) *filter.Filter {
	t.Helper()
	if w.filter == "" {
		return nil
	}
	f, err := filter.Parse(w.filter, filter.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// matches decides without the store.
func (w walking) matches(name string) bool {
	switch {
	case name == "":
		return false
	case strings.Contains(w.filter, "sw"):
		return strings.HasPrefix(name, "b")
	case strings.Contains(w.filter, "co"):
		return strings.Contains(name, "b")
	case strings.Contains(w.filter, "not"):
		return name != "c"
	case strings.Contains(w.filter, "gt"):
		return name > "a"
	}
	return true
}

// walk is what a page is asked for by.
func walk(after string) *scim.Walk {
	return &scim.Walk{After: after, Reader: "okta", Now: noon, Until: noon.Add(time.Hour)}
}

// people is the index of users as a list.
type people struct {
	databasetest.Kind
	index *scimstore.Index
	query scim.Query
	seen  time.Time
	ids   map[string]bool
}

func (p *people) page(rt *rapid.T, after string, n int) (ids []string, next string) {
	q := p.query
	q.Limit, q.Walk = n, walk(after)
	page, err := p.index.Query(p.Context(), q)
	if err != nil {
		rt.Fatal(err)
	}
	for _, e := range page.Entries {
		ids = append(ids, e.ID)
	}
	return ids, page.Next
}

func (p *people) set(rt *rapid.T, id, name string) {
	p.seen = p.seen.Add(time.Second)
	if name == "" {
		if err := p.index.Delete(p.Context(), id); err != nil {
			rt.Fatal(err)
		}
		return
	}
	p.ids[id] = true
	entry := scimEntry(p.T, id, map[string]any{"id": id, "displayName": name, "nickName": name, "title": name[len(name)-1:]})
	entry.Seen, entry.Version = p.seen, p.seen.String()
	if err := p.index.Put(p.Context(), entry); err != nil {
		rt.Fatal(err)
	}
}

func (p *people) end(rt *rapid.T) {
	for id := range p.ids {
		if err := p.index.Delete(p.Context(), id); err != nil {
			rt.Fatal(err)
		}
	}
	clear(p.ids)
}

func TestWhoIsThereAllTheTimeIsSeenExactlyOnce(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		p := &people{Kind: t, index: scimstore.New(t.DB), seen: noon, ids: map[string]bool{}}
		rapid.Check(t, func(rt *rapid.T) {
			w := rapid.SampledFrom(walkings).Draw(rt, "list")
			p.query = scimIndexing.Query(w.parsed(t.T), w.sortBy)
			p.query.Descending = rapid.Bool().Draw(rt, "descending")
			walkPast(rt, p, strings.Fields("1 2 3 4 5 6 7 8 9 10"), w.matches)
		})
	})
}

// circles are groups as a list.
type circles struct {
	databasetest.Kind
	service *groups.Service
	search  users.Search
	count   int
	at      map[string]string // ids by the test's names for groups
	of      map[string]string // and the other way round
}

func (c *circles) page(rt *rapid.T, after string, n int) (ids []string, next string) {
	search := c.search
	search.Limit, search.Walk = n, walk(after)
	page, err := c.service.List(c.Context(), okta, search)
	if err != nil {
		rt.Fatal(err)
	}
	for _, g := range page.Groups {
		ids = append(ids, c.of[g.ID])
	}
	return ids, page.Next
}

func (c *circles) set(rt *rapid.T, id, name string) {
	var err error
	c.count++
	group := c.at[id]
	switch {
	case name == "":
		err = c.service.Delete(c.Context(), okta, group, nil)
		delete(c.at, id)
	case group == "":
		var g groups.Group
		g, err = c.service.Create(c.Context(), okta, c.body(name))
		c.at[id], c.of[g.ID] = g.ID, id
	default:
		_, err = c.service.Replace(c.Context(), okta, group, c.body(name), nil)
	}
	if err != nil {
		rt.Fatal(err)
	}
}

// body is a group whose name is unique and begins with a name, and sorts by it.
func (c *circles) body(name string) map[string]any {
	return map[string]any{"displayName": fmt.Sprintf("%s %d", name, c.count), "externalId": name}
}

func (c *circles) end(rt *rapid.T) {
	for id := range c.at {
		c.set(rt, id, "")
	}
}

func TestAGroupThatIsThereAllTheTimeIsSeenExactlyOnce(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		service, _ := newGroups(t)
		c := &circles{Kind: t, service: service, at: map[string]string{}, of: map[string]string{}}
		rapid.Check(t, func(rt *rapid.T) {
			w := rapid.SampledFrom([]walking{
				{},
				{sortBy: "displayName"},
				{sortBy: "externalId"},
				{filter: `displayName sw "b"`},
				{filter: `externalId co "b"`},
				{filter: `not (externalId eq "c")`},
				{"displayName", `externalId gt "a"`},
				{"externalId", `displayName co "b"`},
				{"meta.lastModified", `displayName pr`},
			}).Draw(rt, "list")
			c.search = users.Search{Filter: w.parsed(t.T), SortBy: w.sortBy, Descending: rapid.Bool().Draw(rt, "descending")}
			clear(c.of)
			walkPast(rt, c, strings.Fields("1 2 3 4 5 6 7 8"), w.matches)
		})
	})
}

// A sorted list is kept for as long as its cursors are good, and for one reader not
// without end.
func TestASortedListIsKeptForItsTime(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		for _, id := range []string{"a", "b", "c"} {
			put(t, index, named(t, id, id))
		}
		q := scimIndexing.Query(nil, "userName")
		q.Limit = 1
		begun := 0
		begin := func(reader string) string {
			t.Helper()
			begun++
			at := noon.Add(time.Duration(begun) * time.Second)
			q.Walk = &scim.Walk{Reader: reader, Now: at, Until: at.Add(time.Hour)}
			page, err := index.Query(t.Context(), q)
			if err != nil || page.Total != 3 || page.Next == "" || page.Entries[0].ID != "a" {
				t.Fatalf("got %+v, %v", page, err)
			}
			return page.Next
		}
		at := func(after string, late time.Duration, want string) {
			t.Helper()
			q.Walk = &scim.Walk{After: after, Reader: "x", Now: noon.Add(late), Until: noon.Add(late + time.Hour)}
			page, err := index.Query(t.Context(), q)
			var fault *scim.Error
			switch errors.As(err, &fault); {
			case want == "" && (fault == nil || fault.ScimType != scim.ExpiredCursor):
				t.Errorf("after %v: got %+v, %v", late, page, err)
			case want != "" && (err != nil || len(page.Entries) != 1 || page.Entries[0].ID != want):
				t.Errorf("after %v: got %+v, %v, want %s", late, page, err, want)
			}
		}
		first := begin("one")
		at(first, 50*time.Minute, "b") // which keeps it for longer
		if err := index.PruneWalks(t.Context(), noon.Add(100*time.Minute)); err != nil {
			t.Fatal(err)
		}
		at(first, 100*time.Minute, "b")
		at(first, 300*time.Minute, "")
		second := begin("another")
		var all []string
		for range 20 {
			all = append(all, begin("one"))
		}
		at(first, 100*time.Minute, "b") // it was used later than the others were begun
		at(all[0], 0, "")
		at(all[1], 0, "b")
		at(second, 0, "b")
		if err := index.PruneWalks(t.Context(), noon.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		at(second, 0, "")
		if n, err := databasetest.Count(t.Context(), t.DB, "SELECT COUNT(*) FROM scim_walks"); err != nil || n != 0 {
			t.Errorf("%d rows are left, %v", n, err)
		}
	})
}
