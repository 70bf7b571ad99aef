package scimstore_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

// TestScimAtScale prints how long an index of HOLDLINE_SCIM_USERS (such as
// "1000 1000000") takes to answer. HOLDLINE_SCIM_DSNS keeps what was loaded: one
// database for each number, made and filled when it is empty.
func TestScimAtScale(t *testing.T) {
	sizes, dsns := os.Getenv("HOLDLINE_SCIM_USERS"), os.Getenv("HOLDLINE_SCIM_DSNS")
	if sizes == "" || dsns == "" {
		t.Skip("HOLDLINE_SCIM_USERS names no numbers of users")
	}
	var small, large int
	var dsn [2]string
	if _, err := fmt.Sscan(sizes, &small, &large); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(dsns, &dsn[0], &dsn[1]); err != nil {
		t.Fatal(err)
	}
	var sites [2]scaleSite
	for i, n := range []int{small, large} {
		db := databasetest.Migrated(t, dsn[i])
		if have, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM scim_users"); err != nil {
			t.Fatal(err)
		} else if have == 0 {
			if err := scimstore.Load(t.Context(), db, n, scaleEntry); err != nil {
				t.Fatal(err)
			}
		}
		sites[i] = scaleSite{index: scimstore.New(db), n: n}
	}
	for _, name := range slices.Sorted(maps.Keys(sites[0].asks(t))) {
		a, b := scaleMedians(t, &sites[0], &sites[1], name)
		t.Logf("%-36s %8v %8v  ratio %.2f", name, a.Round(time.Microsecond), b.Round(time.Microsecond), float64(b)/float64(a))
	}
}

// scaleSite is an index of n users.
type scaleSite struct {
	index   *scimstore.Index
	n, step int
}

// next is some user, far from the one before.
func (s *scaleSite) next() int {
	s.step += 7919
	return s.step % s.n
}

// asks are what is measured, by name.
func (s *scaleSite) asks(t *testing.T) map[string]func() error {
	t.Helper()
	query := func(q scim.Query) error { _, err := s.index.Query(t.Context(), q); return err }
	by := func(form string) func() error {
		return func() error {
			return query(asked(t, scimIndexing, strings.ReplaceAll(form, "#", strconv.Itoa(s.next()))))
		}
	}
	page := func(sortBy string, share func() float64) func() error {
		return func() error {
			q := scimIndexing.Query(nil, sortBy)
			q.Offset, q.Limit = int(share()*float64(s.n-100)), 100
			return query(q)
		}
	}
	at := func(share float64) func() float64 { return func() float64 { return share } }
	late := noon.Add(time.Duration(s.n-50) * time.Second).Format(time.RFC3339)
	return map[string]func() error{
		"userName eq":                         by(`userName eq "USER#@example.com"`),
		"userName eq, nobody":                 by(`userName eq "nobody#@example.com"`),
		"externalId eq":                       by(`externalId eq "ext-#"`),
		"userName eq and externalId eq":       by(`userName eq "user#@example.com" and externalId eq "ext-#"`),
		"userName eq and active eq":           by(`active eq true and userName eq "user#@example.com"`),
		"emails value path":                   by(`emails[type eq "work" and value eq "user#@example.com"]`),
		"userName co":                         by(`userName co "r#@ex"`),
		"active eq false":                     by(`active eq false`),
		"lastModified gt":                     by(`meta.lastModified gt "` + late + `"`),
		"count=0":                             func() error { return query(scim.Query{}) },
		"page 1":                              page("", at(0)),
		"page at 90 % (page 9,000 of 10,000)": page("", at(0.9)),
		"pages anywhere":                      page("", func() float64 { return float64(s.next()) / float64(s.n) }),
		"page 1 by userName":                  page("userName", at(0)),
		"page at 50 % by userName":            page("userName", at(0.5)),
		"page at 90 % by userName":            page("userName", at(0.9)),
		"put, changed": func() error {
			e := scaleEntry(s.next())
			e.Seen = noon.Add(time.Duration(s.step) * time.Second)
			e.Values["displayName"] = []string{"changed " + strconv.Itoa(s.step)}
			return s.index.Put(t.Context(), e)
		},
	}
}

// scaleMedians measures in turns, so that what else the machine does is the same
// for both.
func scaleMedians(t *testing.T, a, b *scaleSite, name string) (small, large time.Duration) {
	t.Helper()
	var took [2][]time.Duration
	start := time.Now()
	for round := 0; round < 301 && time.Since(start) < 10*time.Second; round++ {
		for i, site := range []*scaleSite{a, b} {
			ask := site.asks(t)[name]
			asked := time.Now()
			if err := ask(); err != nil {
				t.Fatal(name, err)
			}
			took[i] = append(took[i], time.Since(asked))
		}
	}
	median := func(all []time.Duration) time.Duration { slices.Sort(all); return all[len(all)/2] }
	return median(took[0]), median(took[1])
}

func scaleEntry(i int) scim.Entry {
	n := strconv.Itoa(i)
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i)*2654435761, i)
	document := map[string]any{
		"schemas": []any{scim.UserSchema, scim.EnterpriseSchema}, "id": id,
		"userName":    "user" + n + "@example.com",
		"displayName": "Given Family " + n, "active": i%10 != 0,
		"name":         map[string]any{"familyName": "Family" + strconv.Itoa(i%5003), "givenName": "Given" + strconv.Itoa(i%211)},
		"emails":       []any{map[string]any{"value": "user" + n + "@example.com", "type": "work", "primary": true}},
		"phoneNumbers": []any{map[string]any{"value": fmt.Sprintf("+4915%09d", i), "type": "mobile"}},
		"title":        "Engineer " + strconv.Itoa(i%17),
		scim.EnterpriseSchema: map[string]any{
			"employeeNumber": n, "department": "Department " + strconv.Itoa(i%50), "manager": map[string]any{"value": id},
		},
		"meta": map[string]any{
			"resourceType": "User", "created": noon.Format(time.RFC3339), "location": "https://example.com/scim2/Users/" + id,
			"lastModified": noon.Add(time.Duration(i) * time.Second).Format(time.RFC3339), "version": `W/"1"`,
		},
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return scim.Entry{
		ID: id, Version: "1", Document: encoded, ExternalIDs: map[string]string{"okta": "ext-" + n},
		Values: scimIndexing.Values(document), Updated: noon, Seen: noon,
	}
}

// asked is a query for the first hundred that match.
func asked(tb testing.TB, indexing filter.Indexing, text string) scim.Query {
	tb.Helper()
	f, err := filter.Parse(text, filter.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	q := indexing.Query(f, "")
	q.Client, q.Limit = "okta", 100
	return q
}
