package migration_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
)

// upgraded is a database that began at the first migration and had data at every
// later one: testdata/upgrade has what came with each. After each migration, all
// that was there is there unchanged.
func upgraded(t *testing.T, dsn string, wholeAtOnce bool) *database.DB {
	t.Helper()
	db := databasetest.Open(t, dsn)
	status, err := migration.Status(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]content{}
	last := int64(0)
	for i, m := range status {
		if wholeAtOnce && i > 0 {
			err = migration.Up(t.Context(), db)
		} else {
			err = migration.UpTo(t.Context(), db, m.Version)
		}
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		for table, before := range kept {
			now, err := read(t.Context(), db, table, before.Columns...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, now); diff != "" {
				t.Fatalf("%s changed data:\n%s", m.Name, diff)
			}
		}
		for ; last < m.Version; last++ { // a database may begin with several at once
			for _, table := range insert(t, db, fmt.Sprintf("%05d", last+1)) {
				kept[table] = content{}
			}
		}
		for table := range kept { // with the columns that they have by now
			if kept[table], err = read(t.Context(), db, table); err != nil {
				t.Fatal(err)
			}
			if len(kept[table].Rows) == 0 {
				t.Fatalf("%s is empty", table)
			}
		}
	}
	wantOutdated(t, db, false)
	return db
}

var statement = regexp.MustCompile(`(?s)INSERT INTO (\w+) .*?;\n`)

// insert puts in what came with a migration, and returns the names of the tables.
func insert(t *testing.T, db *database.DB, version string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "upgrade", version+".sql"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for _, found := range statement.FindAllSubmatch(data, -1) {
		if err := databasetest.Exec(t.Context(), db, string(found[0])); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		tables = append(tables, string(found[1]))
	}
	return tables
}

func TestDataOutlivesEachMigration(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) { wantUsable(t, upgraded(t, newDSN(t), false)) })
	}
}

func TestDataOfTheFirstMigrationOutlivesTheWay(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			db := upgraded(t, newDSN(t), true)
			wantUsable(t, db)
			if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM claims"); err != nil || n != 7 {
				t.Errorf("%d claims, %v", n, err)
			}
		})
	}
}

// Every table that migrations make has data in these tests.
func TestEveryTableIsUpgradedWithData(t *testing.T) {
	created := regexp.MustCompile(`CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	files, err := filepath.Glob("mysql/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		migration, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range created.FindAllSubmatch(migration, -1) {
			name := filepath.Base(file)[:5] + ".sql"
			data, err := os.ReadFile(filepath.Join("testdata", "upgrade", name))
			if err != nil || !slices.ContainsFunc(statement.FindAllSubmatch(data, -1), func(s [][]byte) bool { return string(s[1]) == string(table[1]) }) {
				t.Errorf("testdata/upgrade/%s has nothing for the table %s: %v", name, table[1], err)
			}
		}
	}
}

// wantUsable wants this release to go on with what an earlier one left: the code
// that was texted is still the claim's, an accepted number is still due to be
// written, and what ended stays ended.
func wantUsable(t *testing.T, db *database.DB) {
	t.Helper()
	const texted = "883203"
	store, now := persistence.NewStore(db), time.Date(2026, 3, 1, 10, 3, 0, 0, time.UTC)
	codes, err := otp.New([]string{"a secret that came later, and signs", "the secret of the release before this"}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Current(t.Context(), "a1", now.Add(-24*time.Hour))
	if err != nil || snapshot.Active == nil {
		t.Fatalf("the open claim is gone: %v", err)
	}
	open := *snapshot.Active
	if open.State != claim.Open || open.Number.Unmasked() != "+4915112345671" || open.Attempts != 1 || open.CodeExpires != time.Date(2026, 3, 1, 10, 5, 0, 1000, time.UTC) {
		t.Errorf("the open claim is %+v", open)
	}
	if good, err := codes.Match(open.Code(), texted); err != nil || !good {
		t.Errorf("the code that was texted: %t, %v", good, err)
	}
	if err := store.Try(t.Context(), open.Code(), 5); err != nil {
		t.Errorf("try: %v", err)
	}
	verified := open
	verified.State = claim.Verified
	if err := store.Commit(t.Context(), claim.Change{At: now, Transitions: []claim.Transition{{From: claim.Open, Claim: verified}}}); err != nil {
		t.Errorf("the open claim cannot be confirmed: %v", err)
	}
	for id, state := range map[string]claim.State{"a2": claim.Verified, "a3": claim.Applied} {
		found, err := store.Find(t.Context(), "0b6f3a52-7d0c-4a3e-9d1a-5f1c0e5a9c0"+id[1:])
		if err != nil || found == nil || found.State != state {
			t.Errorf("claim of %s: %+v, %v", id, found, err)
		}
	}
}

// content is what some columns of a table hold.
type content struct {
	Table   string
	Columns []string
	Rows    []string // as text, in order of the first columns
}

// read returns a table's content; without columns, that of all that it has.
func read(ctx context.Context, db *database.DB, table string, columns ...string) (content, error) {
	chosen := "*"
	if len(columns) > 0 {
		chosen = strings.Join(columns, ", ")
	}
	c := content{Table: table}
	// As the program does: a statement that a connection remembers from before a migration
	// fails once.
	err := db.Read(ctx, "read", table, func(tx *gorm.DB) error {
		c = content{Table: table}
		rows, err := tx.Raw("SELECT " + chosen + " FROM " + table + " ORDER BY 1, 2").Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		if c.Columns, err = rows.Columns(); err != nil {
			return err
		}
		for rows.Next() {
			values, at := make([]any, len(c.Columns)), make([]any, len(c.Columns))
			for i := range values {
				at[i] = &values[i]
			}
			if err := rows.Scan(at...); err != nil {
				return err
			}
			c.Rows = append(c.Rows, fmt.Sprintf("%v", values))
		}
		return rows.Err()
	})
	return c, err
}
