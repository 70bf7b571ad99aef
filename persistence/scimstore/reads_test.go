package scimstore_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
)

// Lists that docs/scim.md calls quick read what is on their page, and some more that does
// not depend on how many users there are: counted by MariaDB, for HOLDLINE_SCIM_READS
// users (1,000,000 for instance) or a few thousand.
func TestListsReadNoMoreThanTheirPage(t *testing.T) {
	n := 4000
	if text := os.Getenv("HOLDLINE_SCIM_READS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	db := databasetest.Migrated(t, databasetest.MariaDB(t))
	if err := scimstore.Load(t.Context(), db, n, scaleEntry); err != nil {
		t.Fatal(err)
	}
	if err := databasetest.Exec(t.Context(), db, "ANALYZE TABLE scim_users, scim_values"); err != nil {
		t.Fatal(err)
	}
	db.Pool().SetMaxOpenConns(1) // whose session counts
	reads := func() int {
		rows, err := db.Pool().QueryContext(t.Context(), "SHOW SESSION STATUS LIKE 'Handler_read%'")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		sum := 0
		for rows.Next() {
			var name string
			var n int
			if err := rows.Scan(&name, &n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	index := scimstore.New(db)
	const page = 50
	// Beside its page's lines: those of the counts, of which there are no more than there
	// are buckets, the lines skipped in one bucket, and what reading the counter itself reads.
	const beside = 1024 + 1200
	measure := func(name string, most int, q scim.Query) scim.Page {
		t.Helper()
		q.Client, q.Limit = "okta", page
		before := reads()
		found, err := index.Query(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := reads() - before
		t.Logf("%-50s %8d reads, %d of %d", name, got, len(found.Entries), found.Total)
		if got > most {
			t.Errorf("%s: %d reads, may be %d", name, got, most)
		}
		return found
	}
	by := func(text string) scim.Query { return asked(t, scimIndexing, text) }
	late := noon.Add(time.Duration(n-20) * time.Second).Format(time.RFC3339)
	for _, text := range []string{
		`userName eq "user77@example.com"`, `externalId eq "ext-77"`, `emails.value eq "user77@example.com"`,
		`phoneNumbers.value eq "+4915000000077"`, `userName eq "user77@example.com" and active eq true`,
		`userName sw "user77@"`, `meta.lastModified gt "` + late + `"`, `name.familyName eq "family77" and active eq true`,
	} {
		measure(text, beside, by(text))
	}
	everybody := scim.Query{}
	measure("page 1", beside, everybody)
	everybody.Offset = n / 10 * 9
	measure("page at 90 %", beside, everybody)
	measure("page 1 by userName", beside, scimIndexing.Query(nil, "userName"))
	for name, text := range map[string]string{
		"page 2 by cursor of a filter that nine tenths match": `active eq true`,
		"page 2 by cursor of a range that has everybody":      `meta.lastModified ge "` + noon.Format(time.RFC3339) + `"`,
	} {
		q := by(text)
		walk := scim.Walk{Reader: "okta", Now: noon, Until: noon.Add(time.Hour)}
		q.Walk = &walk
		first := measure("first page of the next", n*8, q)
		if walk.After = first.Next; first.Next == "" || first.Total < n*8/10 {
			t.Fatalf("%s: got %d, next %q", name, first.Total, first.Next)
		}
		q.Walk = &walk
		second := measure(name, beside, q)
		if len(second.Entries) != page || second.Total != first.Total || second.Entries[0].ID == first.Entries[0].ID {
			t.Errorf("%s: got %d of %d", name, len(second.Entries), second.Total)
		}
	}
}
