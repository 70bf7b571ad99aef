package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
)

// Peopled is a store of claims and the index of the people whom they are about.
type Peopled struct {
	Store interface {
		claim.Store
		people.Claims
	}
	Index people.Index
}

// TestPeople holds an index to what the comments of people.Index and people.Claims promise. Each
// call of newIndex returns an empty one.
func TestPeople(t *testing.T, newIndex func(*testing.T) Peopled) {
	t.Helper()
	for name, test := range map[string]func(*peopled){
		"people are found by all conditions":         peopleFound,
		"a condition that most meet narrows nothing": peopleBeyondTheBound,
		"an entry replaces the one before":           peopleReplaced,
		"outdated entries come oldest first":         peopleOutdated,
		"progress is kept":                           peopleProgress,
		"claims come oldest first":                   peoplesClaims,
		"who is erased is not found":                 peopleErased,
		"who has lost a claim is looked at again":    peoplePruned,
	} {
		t.Run(name, func(t *testing.T) {
			p := newIndex(t)
			test(&peopled{fixture{T: t, store: p.Store}, p})
		})
	}
}

type peopled struct {
	fixture
	Peopled
}

func (p *peopled) put(id string, seen time.Time, key string, terms ...string) {
	p.Helper()
	slices.Sort(terms)
	p.want(p.Index.Put(p.Context(), people.Entry{IdentityID: id, Terms: terms, Key: key, SeenAt: seen}), nil)
}

func (p *peopled) finds(want []string, all ...people.Match) {
	p.Helper()
	found, err := p.Index.Search(p.Context(), all, 99)
	p.want(err, nil)
	slices.Sort(found.IdentityIDs)
	if diff := cmp.Diff(want, found.IdentityIDs); diff != "" || found.More {
		p.Errorf("%+v differs (-want +got), more %t:\n%s", all, found.More, diff)
	}
}

func exactly(terms ...string) people.Match { return people.Match{Terms: terms} }

func begins(term string) people.Match { return people.Match{Terms: []string{term}, Prefix: true} }

func peopleFound(p *peopled) {
	p.put(bob, noon, "k", "wbob", "wmeier", "wb@example.com", "dAAAA", "dBBBB", "wübel")
	p.put(alice, noon, "k", "walice", "wmeier", "dAAAA", "w%_'")
	p.put("EU/"+bob, noon, "k", "wBOB", "wmeierling")
	for range 2 {
		p.finds([]string{bob}, exactly("wbob"))
		p.finds([]string{alice, bob}, exactly("wmeier"))
		p.finds([]string{alice, bob, "EU/" + bob}, begins("wmeier"))
		p.finds([]string{bob}, begins("wmei"), begins("wbo"))
		p.finds([]string{alice, bob}, exactly("dAAAA"))
		p.finds([]string{bob}, exactly("dBBBB"), exactly("dAAAA"))
		p.finds([]string{alice, bob}, exactly("walice", "wbob"))
		p.finds([]string{bob}, begins("wü"))
		p.finds([]string{alice}, begins("w%_"))
		p.finds(nil, begins("w_"))
		p.finds(nil, exactly("daaaa"))
		p.finds(nil, exactly("wbob"), exactly("walice"))
		p.finds(nil, exactly("wbob "))
		p.put(bob, noon, "k", "wbob", "wmeier", "wb@example.com", "dAAAA", "dBBBB", "wübel") // the same again
	}
	found, err := p.Index.Search(p.Context(), []people.Match{begins("wmeier")}, 2)
	p.want(err, nil)
	if len(found.IdentityIDs) != 2 || !found.More {
		p.Errorf("got %+v, want two, and more", found)
	}
	p.want(p.Index.Delete(p.Context(), bob), nil)
	p.want(p.Index.Delete(p.Context(), bob), nil)
	p.finds([]string{alice}, exactly("wmeier"))
}

func peopleBeyondTheBound(p *peopled) {
	for i := range 30 {
		p.put(fmt.Sprintf("person-%02d", i), noon, "k", "dALL", fmt.Sprintf("wn%02d", i))
	}
	p.finds([]string{"person-07"}, exactly("dALL"), exactly("wn07"))
	p.finds([]string{"person-07"}, exactly("wn07"), exactly("dALL"))
}

func peopleReplaced(p *peopled) {
	p.put(bob, noon, "k", "wbob", "wold")
	p.put(alice, noon, "k", "wold")
	p.put(bob, noon.Add(time.Second), "k2", "wbob", "wnew")
	p.finds([]string{alice}, exactly("wold"))
	p.finds([]string{bob}, exactly("wnew"))
	p.finds([]string{bob}, exactly("wbob"))
	got, err := p.Index.Entries(p.Context(), []string{bob, "nobody"})
	p.want(err, nil)
	want := map[string]people.Entry{bob: {IdentityID: bob, Terms: []string{"wbob", "wnew"}, Key: "k2", SeenAt: noon.Add(time.Second)}}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("differs (-want +got):\n%s", diff)
	}
	p.put(bob, time.Time{}, "k")
	got, err = p.Index.Entries(p.Context(), []string{bob})
	p.want(err, nil)
	if e := got[bob]; len(e.Terms) > 0 || !e.SeenAt.IsZero() {
		p.Errorf("got %+v, want nothing", e)
	}
	p.finds(nil, exactly("wbob"))
}

func (p *peopled) outdated(want []string, before time.Time, n int) {
	p.Helper()
	got, err := p.Index.Outdated(p.Context(), before, "k", n)
	p.want(err, nil)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		p.Errorf("outdated differs (-want +got):\n%s", diff)
	}
}

func peopleOutdated(p *peopled) {
	p.outdated(nil, noon, 9)
	p.put("a", noon, "k")
	p.put("b", noon.Add(-time.Second), "k")
	p.put("c", time.Time{}, "k")
	p.put("d", noon.Add(time.Hour), "k")
	p.outdated([]string{"c", "b"}, noon, 9)
	p.outdated([]string{"c"}, noon, 1)
	p.put("c", noon, "k")
	p.put("b", noon, "k")
	p.outdated(nil, noon, 9)
	p.put("d", noon.Add(time.Hour), "before")
	p.outdated([]string{"d"}, noon, 9)
}

func peopleProgress(p *peopled) {
	for _, place := range []people.Place{{}, {At: noon, ID: "a"}, {At: noon, ID: "b"}, {At: noon.Add(time.Second), ID: "a"}} {
		if place != (people.Place{}) {
			p.want(p.Index.Reach(p.Context(), place), nil)
			p.want(p.Index.Reach(p.Context(), place), nil)
		}
		got, err := p.Index.Reached(p.Context())
		p.want(err, nil)
		if !got.At.Equal(place.At) || got.ID != place.ID {
			p.Errorf("got %+v, want %+v", got, place)
		}
	}
}

func peoplesClaims(p *peopled) {
	for i, id := range []string{"b", "a", "c"} {
		c := ended(id, name("person", i), noon)
		c.CreatedAt = noon.Add(time.Duration(i/2) * time.Second)
		p.create(c)
	}
	from := func(behind people.Place, before time.Time, n int, want ...string) {
		p.Helper()
		claims, err := p.Store.ClaimsFrom(p.Context(), behind, before, n)
		p.want(err, nil)
		var got []string
		for _, c := range claims {
			got = append(got, c.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			p.Errorf("behind %+v differs (-want +got):\n%s", behind, diff)
		}
	}
	from(people.Place{}, noon.Add(day), 9, "a", "b", "c")
	from(people.Place{}, noon.Add(day), 2, "a", "b")
	from(people.Place{}, noon.Add(time.Second), 9, "a", "b")
	from(people.Place{At: noon, ID: "a"}, noon.Add(day), 9, "b", "c")
	from(people.Place{At: noon, ID: "b"}, noon.Add(day), 9, "c")
	from(people.Place{At: noon.Add(time.Second), ID: "c"}, noon.Add(day), 9)
	numbers, err := p.Store.NumbersOf(p.Context(), name("person", 0))
	p.want(err, nil)
	if len(numbers) != 2 {
		p.Errorf("got %d numbers, want the one that is wanted and the one before", len(numbers))
	}
	if numbers, err = p.Store.NumbersOf(p.Context(), "nobody"); err != nil || len(numbers) > 0 {
		p.Errorf("got %d numbers of nobody, %v", len(numbers), err)
	}
}

func peopleErased(p *peopled) {
	c := p.create(open("c", bob))
	p.put(bob, noon, "k", "wbob")
	p.put(alice, noon, "k", "wbob")
	c.State, c.EndedAt = claim.Orphaned, noon
	p.commit(claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c, EraseIdentity: true}}, At: noon})
	if p.together() {
		p.finds([]string{alice}, exactly("wbob"))
	}
}

func peoplePruned(p *peopled) {
	p.create(ended("c", bob, noon))
	p.put(bob, noon.Add(day), "k", "wbob")
	p.put(alice, noon.Add(day), "k", "walice")
	n, err := p.Store.Prune(p.Context(), noon.Add(time.Hour), 9)
	p.want(err, nil)
	if n != 1 {
		p.Fatalf("%d were pruned", n)
	}
	if p.together() {
		p.outdated([]string{bob}, noon, 9)
	}
}

// together reports whether claims and people are in one database: in memory they are not.
func (p *peopled) together() bool {
	_, apart := p.Index.(*People)
	return !apart
}
