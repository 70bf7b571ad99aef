package persistence_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// TestPeopleAtScale prints how long it takes to find one person among HOLDLINE_PEOPLE, each with a
// claim, in each of the ways that administrators have (make people).
func TestPeopleAtScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("HOLDLINE_PEOPLE"))
	small := n == 0
	if small {
		n = 3000
	}
	given := []string{"Anna", "Bob", "Chiara", "Dmitri", "Emeka", "Fatima", "Goran", "Hana", "Ivan", "Jürgen", "Keiko", "Luca"}
	family := []string{"Meier", "Smith", "Nguyen", "García", "Kowalski", "Okafor", "Haddad", "Novak", "Sato", "Silva"}
	person := func(i int) (string, people.Profile, phone.Number) {
		name := fmt.Sprintf("%s %s%d", given[i%len(given)], family[i/7%len(family)], i%997)
		return fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i), people.Profile{
			Names: []string{name}, Emails: []string{fmt.Sprintf("person%d@example.com", i)}, UserNames: []string{fmt.Sprintf("user%d", i)},
		}, phone.FromStore(fmt.Sprintf("+49171%07d", i*7919%10_000_000))
	}
	keys, err := people.NewKeys([]string{"a secret"})
	if err != nil {
		t.Fatal(err)
	}
	databasetest.OnEach(t, func(t databasetest.Kind) {
		if kind := os.Getenv("HOLDLINE_PEOPLE_ON"); !small && kind != "" && !strings.HasSuffix(t.Name(), kind) {
			t.Skip("HOLDLINE_PEOPLE_ON is " + kind)
		}
		began := time.Now()
		index := persistence.NewPeople(t.DB)
		const batch = 500
		for from := 0; from < n; from += batch {
			var rows, terms, claims []string
			for i := from; i < min(n, from+batch); i++ {
				id, profile, number := person(i)
				all := keys.Terms(profile, []phone.Number{number})
				rows = append(rows, fmt.Sprintf("(%d, '%s', '%s', '%s', '2026-11-01 12:00:00.000000')", i, id, strings.Join(all, "\n"), keys.ID()))
				for _, term := range all {
					terms = append(terms, fmt.Sprintf("(%s, %d)", bytesLiteral(t.Name(), term), i))
				}
				claims = append(claims, fmt.Sprintf("('%s', '%s', NULL, '', 'settings', '%s', '', FALSE, '%s', 1, '', '', 1, 1, 1, '', 'en', '', 0, '2026-11-01 12:00:00.000000')",
					fmt.Sprintf("claim-%08x", i), id, number.Unmasked(), claim.Applied))
			}
			for into, values := range map[string][]string{
				"people (place, identity_id, terms, number_key, seen_at)": rows, "people_terms (term, place)": terms,
				`claims (id, identity_id, held_identity, flow_id, origin, number, was, was_verified, state, version, reason, code_key,
				code_number, attempts, texts, last_address, language, marker, due_tries, created_at)`: claims,
			} {
				if err := databasetest.Exec(t.Context(), t.DB, "INSERT INTO "+into+" VALUES "+strings.Join(values, ",")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := index.Reach(t.Context(), people.Place{At: noon.Add(time.Hour), ID: "z"}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d people loaded in %v", n, time.Since(began).Round(time.Second))
		plan := phone.Parser{Format: phone.FormatE164, Region: "DE"}
		for kind, typed := range map[string]func(i int) string{
			"e-mail address":    func(i int) string { _, p, _ := person(i); return p.Emails[0] },
			"user name":         func(i int) string { _, p, _ := person(i); return p.UserNames[0] },
			"name":              func(i int) string { _, p, _ := person(i); return p.Names[0] },
			"piece of a number": func(i int) string { _, _, m := person(i); return m.Unmasked()[6:] },
			"last four digits":  func(i int) string { _, _, m := person(i); return m.Unmasked()[9:] },
			"whole number":      func(i int) string { _, _, m := person(i); return m.Unmasked() },
		} {
			var took []time.Duration
			for step := range 25 {
				i := step * 104729 % n
				id, _, _ := person(i)
				asked := time.Now()
				q, err := keys.Read(plan, typed(i))
				if err != nil {
					t.Fatal(err)
				}
				found, err := index.Search(t.Context(), q.Matches, 20)
				if len(found.IdentityIDs) == 0 && len(q.Otherwise) > 0 && err == nil { // as [people.Finder] does
					found, err = index.Search(t.Context(), q.Otherwise, 20)
				}
				took = append(took, time.Since(asked))
				if err != nil || !found.More && !slices.Contains(found.IdentityIDs, id) || len(found.IdentityIDs) == 0 {
					t.Fatalf("%s: %+v, %v", kind, found, err)
				}
			}
			slices.Sort(took)
			t.Logf("%-18s median %8v, slowest %8v", kind, took[len(took)/2].Round(time.Microsecond), took[len(took)-1].Round(time.Microsecond))
		}
	})
}

// bytesLiteral writes bytes as the database of a test reads them.
func bytesLiteral(test, term string) string {
	switch {
	case strings.HasSuffix(test, "postgres"):
		return fmt.Sprintf(`'\x%x'`, term)
	default:
		return fmt.Sprintf("x'%x'", term)
	}
}
