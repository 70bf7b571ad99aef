package scimstore_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

var scimIndexing = filter.NewIndexing(scim.User(scim.Enterprise()), filter.FoundBy(), filter.SortedBy())

// scimEntry is an entry that is seen now.
var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func scimEntry(tb testing.TB, id string, document map[string]any) scim.Entry {
	tb.Helper()
	encoded, err := json.Marshal(document)
	if err != nil {
		tb.Fatal(err)
	}
	return scim.Entry{
		ID: id, Version: "v" + id, Document: encoded, Values: scimIndexing.Values(document), Updated: noon, Seen: noon,
	}
}

func named(tb testing.TB, id, userName string) scim.Entry {
	tb.Helper()
	return scimEntry(tb, id, map[string]any{"id": id, "userName": userName})
}

func put(t databasetest.Kind, index scim.Index, entries ...scim.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := index.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// found lists the ids of an answer, and its total.
func found(t databasetest.Kind, index scim.Index, q scim.Query) string {
	t.Helper()
	page, err := index.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, e := range page.Entries {
		ids = append(ids, e.ID)
	}
	return fmt.Sprintf("%s of %d", strings.Join(ids, " "), page.Total)
}

func want(t databasetest.Kind, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnEntryReplacesTheOlderOne(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		first := named(t, "a", "Ann")
		first.ExternalIDs = map[string]string{"okta": "1", "entra": "2"}
		second := named(t, "a", "Anna")
		second.ExternalIDs = map[string]string{"okta": "3"}
		second.Seen = noon.Add(time.Second)
		put(t, index, first, first, second, first) // the last one comes too late
		want(t, found(t, index, asked(t, scimIndexing, `userName eq "ann"`)), " of 0")
		want(t, found(t, index, asked(t, scimIndexing, `userName eq "ANNA"`)), "a of 1")
		want(t, found(t, index, asked(t, scimIndexing, `externalId eq "3"`)), "a of 1")
		got, ok, err := index.Get(t.Context(), "a", "okta")
		if err != nil || !ok || string(got.Document) != `{"id":"a","userName":"Anna"}` || got.Version != "va" ||
			!got.Updated.Equal(noon) || !got.Seen.Equal(second.Seen) || len(got.ExternalIDs) != 1 || got.ExternalIDs["okta"] != "3" {
			t.Errorf("got %+v, %t, %v", got, ok, err)
		}
		wantRows(t, 1, len(second.Values)+1)
		for range 2 { // the second finds nothing to do
			if err := index.Delete(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok, err := index.Get(t.Context(), "a", "okta"); ok || err != nil {
			t.Errorf("got %t, %v", ok, err)
		}
		wantRows(t, 0, 0)
		want(t, found(t, index, scim.Query{Limit: 1}), " of 0")
	})
}

func wantRows(t databasetest.Kind, users, values int) {
	t.Helper()
	for query, want := range map[string]int{
		"SELECT COUNT(*) FROM scim_users":                     users,
		"SELECT COALESCE(SUM(users), 0) FROM scim_counts":     users,
		"SELECT COUNT(*) FROM scim_values":                    values,
		"SELECT COUNT(*) FROM scim_counts WHERE NOT users>=0": 0,
	} {
		if got, err := databasetest.Count(t.Context(), t.DB, query); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", query, got, err, want)
		}
	}
}

func TestAnExternalIDIsItsClients(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		a, b := named(t, "a", "a"), named(t, "b", "b")
		a.ExternalIDs = map[string]string{"okta": "X", "entra": "y"}
		b.ExternalIDs = map[string]string{"okta": "x"}
		put(t, index, a, b)
		for text, wanted := range map[string]string{
			`externalId eq "X"`:                       "a of 1",
			`externalId eq "y"`:                       " of 0",
			`externalId sw "x"`:                       "b of 1",
			`externalId pr and userName eq "b"`:       "b of 1",
			`userName eq "a" and externalId ne "X"`:   " of 0",
			`externalId eq "x" and userName eq "b"`:   "b of 1",
			`externalId eq "x" or externalId eq "no"`: "b of 1",
		} {
			want(t, found(t, index, asked(t, scimIndexing, text)), wanted)
		}
		q := asked(t, scimIndexing, `externalId eq "X"`)
		q.Client = "entra"
		want(t, found(t, index, q), " of 0")
	})
}

func TestTwoUsersMayHashToOnePlace(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		if err := scimstore.TakePlace(t.Context(), t.DB, "a"); err != nil {
			t.Fatal(err)
		}
		put(t, index, named(t, "a", "Ann"), named(t, "a", "Anna"))
		want(t, found(t, index, asked(t, scimIndexing, `userName eq "anna"`)), "a of 1")
		if err := index.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := index.Get(t.Context(), "before a", ""); !ok || err != nil {
			t.Errorf("the other one is gone: %v", err)
		}
	})
}

func TestWritersTogetherCountRight(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		var g errgroup.Group
		for w := range 8 {
			g.Go(func() error {
				for i := range 24 {
					id := fmt.Sprint((i + w) % 12)
					e := named(t, id, fmt.Sprintf("user%d-%d", w, i))
					e.Seen = noon.Add(time.Duration(i) * time.Second)
					if err := index.Put(t.Context(), e); err != nil {
						return err
					}
					if i%5 == w%5 {
						if err := index.Delete(t.Context(), id); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		page, err := index.Query(t.Context(), scim.Query{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		values := 0
		for _, e := range page.Entries {
			var document map[string]any
			if err := json.Unmarshal(e.Document, &document); err != nil {
				t.Fatal(err)
			}
			values += len(scimIndexing.Values(document))
		}
		wantRows(t, len(page.Entries), values)
	})
}

func TestAReconcilerFindsWhatChangedAndWhatIsGone(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		var entries []scim.Entry
		for i := range 300 {
			entries = append(entries, named(t, fmt.Sprintf("%03d", i), fmt.Sprint("user", i)))
		}
		reconcile := func(wanted int) {
			t.Helper()
			if changed, err := index.Reconcile(t.Context(), entries); err != nil || changed != wanted {
				t.Errorf("got %d, %v, want %d", changed, err, wanted)
			}
		}
		reconcile(300)
		reconcile(0)
		later := noon.Add(time.Hour)
		for i := range entries {
			entries[i].Seen = later
		}
		entries[7] = named(t, "007", "bond")
		entries[7].Seen = later
		entries = entries[:299]
		reconcile(1)
		want(t, found(t, index, asked(t, scimIndexing, `userName eq "Bond"`)), "007 of 1")
		if ids, err := index.Unseen(t.Context(), later, 10); err != nil || !slices.Equal(ids, []string{"299"}) {
			t.Errorf("got %v, %v", ids, err)
		}
	})
}

func TestStampsSayWhenIdentitiesChanged(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		var ids []string
		for i := range 300 {
			e := named(t, fmt.Sprintf("%03d", i), fmt.Sprint("user", i))
			e.Updated = noon.Add(time.Duration(i) * time.Microsecond)
			ids = append(ids, e.ID, "no "+e.ID)
			put(t, index, e)
		}
		statements := databasetest.Record(t.DB)
		stamps, err := index.Stamps(t.Context(), ids)
		if err != nil || len(stamps) != 300 {
			t.Fatalf("got %d, %v", len(stamps), err)
		}
		for _, statement := range statements.Take() {
			if strings.Contains(statement, "document") {
				t.Errorf("reads whole documents: %s", statement)
			}
		}
		for i := range 300 {
			id := fmt.Sprintf("%03d", i)
			got := stamps[id]
			if got.Version != "v"+id || !got.Updated.Equal(noon.Add(time.Duration(i)*time.Microsecond)) {
				t.Errorf("%s: got %+v", id, got)
			}
		}
		if stamps, err := index.Stamps(t.Context(), nil); err != nil || len(stamps) != 0 {
			t.Errorf("of nobody: got %v, %v", stamps, err)
		}
	})
}

func TestALongValueIsFoundByItsEnd(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		long := strings.Repeat("ä", 200)
		put(t, index, named(t, "a", long+"y"), named(t, "b", long+"z"))
		for _, form := range []string{`userName eq "%s"`, `userName ew "%s"`, `userName co "%s"`, `userName ge "%s"`} {
			want(t, found(t, index, asked(t, scimIndexing, fmt.Sprintf(form, long+"Z"))), "b of 1")
		}
		want(t, found(t, index, asked(t, scimIndexing, `userName co "äz"`)), "b of 1")
	})
}

func TestAQueryThatCostsTooMuchIsRefused(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		put(t, index, named(t, "a", "ann"), named(t, "b", "bob"), named(t, "c", "ben"), named(t, "d", "dan"))
		for text, refused := range map[string]bool{
			`userName co "n"`:                        true,
			`userName co "bo"`:                       false,
			`userName ew "N" and userName sw "b"`:    false,
			`userName eq "ann" or userName eq "bob"`: false,
			`title pr`:                               true,
		} {
			q := asked(t, scimIndexing, text)
			q.Bound = 2
			_, err := index.Query(t.Context(), q)
			refusal := (*scim.Error)(nil)
			if errors.As(err, &refusal) != refused || refused && refusal.ScimType != scim.TooMany {
				t.Errorf("%s: got %v", text, err)
			}
		}
		q := scimIndexing.Query(nil, "title")
		q.Bound = 2
		if _, err := index.Query(t.Context(), q); err == nil {
			t.Error("sorting by what is not indexed has no bound")
		}
	})
}

func TestTheUsualQuestionsAreOneOrTwoStatements(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		put(t, index, named(t, "a", "ann"), named(t, "b", "bob"))
		statements := databasetest.Record(t.DB)
		for text, wanted := range map[string]int{
			`userName eq "ann"`:                          1,
			`userName eq "nobody"`:                       1,
			`externalId eq "1" and userName eq "ann"`:    1,
			`emails[type eq "work" and value eq "a@b"]`:  1,
			`userName eq "ann" and displayName co "ann"`: 1, // nobody is looked at
			`userName eq "ann" and not (title pr)`:       2,
		} {
			found(t, index, asked(t, scimIndexing, text))
			if got := statements.Take(); len(got) != wanted {
				t.Errorf("%s: %d statements: %q", text, len(got), got)
			}
		}
		found(t, index, scim.Query{Offset: 1, Limit: 1})
		if got := statements.Take(); len(got) != 2 {
			t.Errorf("a page: %q", got)
		}
	})
}

func TestTheStoreMayBeAway(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		if err := t.DB.Close(); err != nil {
			t.Fatal(err)
		}
		_, _, get := index.Get(t.Context(), "a", "")
		_, all := index.Query(t.Context(), scim.Query{Limit: 1})
		_, some := index.Query(t.Context(), asked(t, scimIndexing, `title co "a"`))
		_, one := index.Query(t.Context(), asked(t, scimIndexing, `userName eq "a"`))
		_, unseen := index.Unseen(t.Context(), noon, 1)
		_, reconcile := index.Reconcile(t.Context(), []scim.Entry{named(t, "a", "ann")})
		_, stamps := index.Stamps(t.Context(), []string{"a"})
		for i, err := range []error{
			index.Put(t.Context(), named(t, "a", "ann")), index.Delete(t.Context(), "a"), get, all, some, one, unseen, reconcile, stamps,
		} {
			if !errors.Is(err, problem.ErrStoreUnavailable) {
				t.Errorf("%d: got %v", i, err)
			}
		}
	})
}

// The database answers as somebody would who looks at every document.
func TestTheIndexAnswersAsTheEvaluator(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		index := scimstore.New(t.DB)
		model := map[string]scim.Entry{}
		seen := noon
		rapid.Check(t, func(r *rapid.T) {
			for range 3 {
				seen = seen.Add(time.Second)
				id := fmt.Sprint("id", rapid.IntRange(0, 40).Draw(r, "id"))
				if rapid.IntRange(0, 7).Draw(r, "delete") == 0 {
					delete(model, id)
					if err := index.Delete(t.Context(), id); err != nil {
						r.Fatal(err)
					}
					continue
				}
				e := scimEntry(t, id, someUser(r, id))
				e.Seen = seen
				if rapid.Bool().Draw(r, "external") {
					e.ExternalIDs = map[string]string{"okta": rapid.SampledFrom(scimTexts).Draw(r, "externalId"), "entra": "a"}
				}
				model[id] = e
				if err := index.Put(t.Context(), e); err != nil {
					r.Fatal(err)
				}
			}
			for range 4 {
				answersAsTheEvaluator(t, r, index, model)
			}
		})
	})
}

func answersAsTheEvaluator(t databasetest.Kind, r *rapid.T, index scim.Index, model map[string]scim.Entry) {
	t.Helper()
	text := rapid.SampledFrom([]string{"", "some", "some"}).Draw(r, "filter")
	sortBy := rapid.SampledFrom([]string{"", "", "userName", "emails", "title", "meta.created", "none"}).Draw(r, "sortBy")
	q := scimIndexing.Query(nil, sortBy)
	if text != "" {
		text = someFilter(r, 2)
		f, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			r.Fatal(err)
		}
		q = scimIndexing.Query(f, sortBy)
	}
	q.Client, q.Descending = "okta", rapid.Bool().Draw(r, "descending")
	q.Offset, q.Limit = rapid.IntRange(0, 20).Draw(r, "offset"), rapid.IntRange(0, 12).Draw(r, "limit")
	page, err := index.Query(t.Context(), q)
	if err != nil {
		r.Fatal(err)
	}
	keys := map[string]string{} // of everyone who matches
	for id, e := range model {
		var document map[string]any
		if err := json.Unmarshal(e.Document, &document); err != nil {
			r.Fatal(err)
		}
		if external, ok := e.ExternalIDs["okta"]; ok {
			document["externalId"] = external
		}
		if q.Matches == nil || q.Matches(document) {
			keys[id] = ""
			if q.SortKey != nil {
				keys[id] = q.SortKey(document)
			}
		}
	}
	if page.Total != len(keys) || len(page.Entries) != min(q.Limit, max(0, len(keys)-q.Offset)) {
		r.Fatalf("%s, %d+%d: got %d of %d, want of %d", text, q.Offset, q.Limit, len(page.Entries), page.Total, len(keys))
	}
	order := []string{}
	for _, key := range keys {
		order = append(order, key)
	}
	slices.SortFunc(order, func(a, b string) int {
		if q.Descending {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(a, b)
	})
	seen := map[string]bool{}
	for i, e := range page.Entries {
		key, ok := keys[e.ID]
		if !ok || seen[e.ID] || key != order[q.Offset+i] {
			r.Fatalf("%s by %q: %s is wrong at %d, or there twice", text, sortBy, e.ID, q.Offset+i)
		}
		seen[e.ID] = true
	}
}

var scimTexts = []string{"", "a", "A", "b ", "b", "ab", `"é'\`, "ſ", strings.Repeat("a", 128), strings.Repeat("A", 200)}

func someUser(r *rapid.T, id string) map[string]any {
	text := func(of string) string { return rapid.SampledFrom(scimTexts).Draw(r, of) }
	user := map[string]any{
		"id": id, "userName": text("userName"), "active": rapid.Bool().Draw(r, "active"),
		"meta": map[string]any{"created": noon.AddDate(0, 0, rapid.IntRange(0, 3).Draw(r, "day")).Format(time.RFC3339)},
	}
	if rapid.Bool().Draw(r, "title") {
		user["title"] = text("title")
	}
	var emails []any
	for i := range rapid.IntRange(0, 3).Draw(r, "emails") {
		emails = append(emails, map[string]any{"value": text("email"), "type": text("type"), "primary": i == 1})
	}
	if emails != nil {
		user["emails"] = emails
	}
	return user
}

func someFilter(r *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 4).Draw(r, "logic") {
		case 0:
			return someFilter(r, depth-1) + " and " + someFilter(r, depth-1)
		case 1:
			return someFilter(r, depth-1) + " or " + someFilter(r, depth-1)
		case 2:
			return "not (" + someFilter(r, depth-1) + ")"
		}
	}
	text, err := json.Marshal(rapid.SampledFrom(scimTexts).Draw(r, "text"))
	if err != nil {
		r.Fatal(err)
	}
	operator := rapid.SampledFrom([]string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}).Draw(r, "operator")
	form := rapid.SampledFrom([]string{
		"userName %s %s", "title %s %s", "emails %s %s", "externalId %s %s", "emails[value %s %s]",
		`emails[value %s %s and type eq "a"]`, `active eq true and userName %s %s`, "none %s %s",
		`meta.created gt "2026-11-02T12:00:00Z" and emails %s %s`,
	}).Draw(r, "form")
	return fmt.Sprintf(form, operator, text)
}

// Any pass that has come to its end makes the index complete, for all replicas, and the
// one that began last is remembered.
func TestAPassMakesTheIndexComplete(t *testing.T) {
	databasetest.OnEach(t, func(k databasetest.Kind) {
		one, other := scimstore.New(k.DB), scimstore.New(k.DB)
		wants := func(complete bool, last time.Time) {
			k.Helper()
			for _, index := range []*scimstore.Index{one, other} {
				got, err := index.Complete(k.Context())
				if err != nil || got != complete {
					k.Errorf("complete: got %t, %v, want %t", got, err, complete)
				}
				if got, err := index.LastPass(k.Context()); err != nil || !got.Equal(last) {
					k.Errorf("last pass: got %v, %v, want %v", got, err, last)
				}
			}
		}
		wants(false, time.Time{})
		for _, step := range []struct{ began, last time.Time }{
			{noon, noon}, {noon.Add(time.Minute), noon.Add(time.Minute)}, {noon, noon.Add(time.Minute)},
		} {
			if err := one.Passed(k.Context(), step.began); err != nil {
				k.Fatal(err)
			}
			wants(true, step.last)
		}
	})
}
