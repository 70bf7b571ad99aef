package persistence_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// What is forgotten is found along indexes, few rows at a time: a statement that reads a
// whole table to forget a little of it locks what changes of number need.
func TestForgettingReadsNoWholeTable(t *testing.T) {
	const claims, step = 2000, 5
	whole := regexp.MustCompile(`Seq Scan on|SCAN (claims|texts|audit_events|people|identity_leases|receipts)( *\||$)|` +
		`\| (claims|texts|audit_events|people|identity_leases|receipts) \| (ALL|index) \|`)
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		if strings.HasSuffix(t.Name(), "postgres") { // as on disks that are none
			db = databasetest.Migrated(t.T, databasetest.With(databasetest.Postgres(t.T), "random_page_cost", "1.1"))
		}
		site := archiveSite{db: db, n: claims}
		site.load(t.T)
		site.fill(t.T, "people (place, identity_id, terms, number_key, seen_at)", claims/3, func(i int) string {
			return fmt.Sprintf("(%d, '%s', '', '', '2026-11-01 12:00:00.000000')", i, loadedPerson(i*3))
		})
		site.fill(t.T, "identity_leases (identity_id, owner, claim_id, ends_at)", claims/3, func(i int) string {
			return fmt.Sprintf("('%s', 'o', '', '%s')", loadedPerson(i*3), loadedMoment(i).Format("2006-01-02 15:04:05.000000"))
		})
		for _, statement := range []string{"UPDATE claims SET ended_at = created_at WHERE held_identity IS NULL", "DELETE FROM receipts WHERE id > 100"} {
			if err := databasetest.Exec(t.Context(), db, statement); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range []string{"claims", "texts", "audit_events", "people", "identity_leases"} {
			analyze := "ANALYZE " + table
			if strings.HasSuffix(t.Name(), "mariadb") {
				analyze = "ANALYZE TABLE " + table
			}
			if err := databasetest.Exec(t.Context(), db, analyze); err != nil {
				t.Fatal(err)
			}
		}
		store, plans := persistence.NewStore(db), databasetest.Explain(db)
		prune := func(before time.Time) int {
			t.Helper()
			n, err := store.Prune(t.Context(), before, step)
			if err != nil || n > step {
				t.Fatalf("forgot %d: %v", n, err)
			}
			plan := strings.Join(plans.Take(), "\n")
			for _, line := range strings.Split(plan, "\n") {
				if plan == "" || whole.MatchString(line) {
					t.Errorf("%s\n%s", line, plan)
				}
			}
			return n
		}
		steps := 0
		for prune(loadedMoment(2*step)) > 0 {
			steps++
		}
		const want = 2 * 3 // of claims, leases and receipts
		for table, all := range map[string]int{"claims": claims, "identity_leases": claims / 3, "receipts": 100} {
			left, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM "+table)
			if err != nil || left != all-2*step || steps != want {
				t.Errorf("%s: %d left of %d, after %d steps, want %d; %v", table, left, all, steps, want, err)
			}
		}
	})
}
