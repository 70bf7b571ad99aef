package migration_test

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// The dialects have the same migrations. PostgreSQL came later, and begins with all that
// there was.
func TestEveryDialectHasEveryMigration(t *testing.T) {
	names := func(dialect string) []string {
		files, err := filepath.Glob(dialect + "/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatal(dialect, files, err)
		}
		for i, file := range files {
			files[i] = filepath.Base(file)
		}
		return files
	}
	all, other, late := names("mysql"), names("sqlite"), names("postgres")
	if diff := gocmp.Diff(all, other); diff != "" {
		t.Errorf("mysql and sqlite differ:\n%s", diff)
	}
	from, found := slices.BinarySearchFunc(all, late[0][:5], func(name, version string) int { return cmp.Compare(name[:5], version) })
	if diff := gocmp.Diff(all[min(from+1, len(all)):], late[1:]); !found || diff != "" {
		t.Errorf("mysql and postgres differ behind %s:\n%s", late[0], diff)
	}
}

// schema is what a database looks like, in words that all of them share: for each column
// its kind and whether it may be NULL, for each index its columns and whether it is unique.
type schema struct{ Columns, Indexes map[string]string }

// schemaQueries ask for columns (table, name, type, whether NULL may be there) and for the
// columns of indexes (table, name, whether unique, column), in the order of the index. The
// table's own key is called PRIMARY.
var schemaQueries = map[string]struct{ columns, indexes string }{
	"sqlite": {
		`SELECT t.name, c.name, c.type, CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN 'NO' ELSE 'YES' END
			FROM sqlite_master AS t JOIN pragma_table_xinfo(t.name) AS c WHERE t.type = 'table'`,
		`SELECT t.name, CASE i.origin WHEN 'pk' THEN 'PRIMARY' ELSE i.name END, i."unique", c.name
			FROM sqlite_master AS t JOIN pragma_index_list(t.name) AS i JOIN pragma_index_info(i.name) AS c
			WHERE t.type = 'table'
		UNION ALL SELECT t.name, 'PRIMARY', 1, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
			WHERE t.type = 'table' AND c.pk = 1 AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) WHERE origin = 'pk')`,
	},
	"mariadb": {
		"SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns WHERE table_schema = DATABASE()",
		`SELECT table_name, index_name, 1 - non_unique, column_name FROM information_schema.statistics
			WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index`,
	},
	"postgres": {
		`SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = CURRENT_SCHEMA`,
		`SELECT t.relname, CASE WHEN i.indisprimary THEN 'PRIMARY' ELSE n.relname END, i.indisunique::INT, a.attname
			FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_class AS n ON n.oid = i.indexrelid
			CROSS JOIN UNNEST(i.indkey) WITH ORDINALITY AS k (attribute, place)
			JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attribute
			WHERE t.relnamespace = CURRENT_SCHEMA::REGNAMESPACE ORDER BY t.relname, n.relname, k.place`,
	},
}

func schemaOf(t *testing.T, db *database.DB, kind string) schema {
	t.Helper()
	s := schema{map[string]string{}, map[string]string{}}
	each := func(query string, row func(table, name, what, more string)) {
		t.Helper()
		rows, err := db.Pool().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var of [4]string
			if err := rows.Scan(&of[0], &of[1], &of[2], &of[3]); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(of[0], "schema_") && !strings.HasPrefix(of[0], "sqlite_") {
				row(of[0], of[1], of[2], of[3])
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	each(schemaQueries[kind].columns, func(table, name, kind, nullable string) {
		s.Columns[table+"."+name] = kindOf(kind) + ", NULL " + nullable
	})
	each(schemaQueries[kind].indexes, func(table, name, unique, column string) {
		if at := table + "." + name; s.Indexes[at] == "" {
			s.Indexes[at] = "unique " + unique + ": " + column
		} else {
			s.Indexes[at] += ", " + column
		}
	})
	// SQLite finds rows of a table by its place without passing over their documents.
	delete(s.Indexes, "scim_users.scim_users_place")
	return s
}

// kindOf is a column's kind as SQLite has it: texts (moments among them), numbers, bytes.
func kindOf(column string) string {
	column = strings.ToLower(column)
	switch {
	case strings.Contains(column, "blob"), strings.Contains(column, "binary"), column == "bytea":
		return "bytes"
	case column == "boolean", column == "tinyint(1)":
		return "boolean"
	case strings.Contains(column, "int"):
		return "number"
	default:
		return "text"
	}
}

func TestTheDialectsHaveOneSchema(t *testing.T) {
	want := schemaOf(t, databasetest.Migrated(t, databasetest.SQLite(t)), "sqlite")
	if len(want.Columns) < 50 || len(want.Indexes) < 20 {
		t.Fatalf("got %d columns and %d indexes", len(want.Columns), len(want.Indexes))
	}
	for kind, newDSN := range databasetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			got := schemaOf(t, databasetest.Migrated(t, newDSN(t)), kind)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("sqlite (-) and %s (+) differ:\n%s", kind, diff)
			}
		})
	}
}

// The console of the release before names these indexes to MySQL, which refuses a query that
// names one that is gone: a migration may give one to other columns, and the list is slow
// until all replicas are of one release.
func TestTheIndexesThatTheReleaseBeforeNamesAreThere(t *testing.T) {
	has := schemaOf(t, databasetest.Migrated(t, databasetest.SQLite(t)), "sqlite").Indexes
	for _, index := range []string{
		"claims.claims_newest", "claims.claims_newest_state", "claims.claims_newest_identity",
		"texts.texts_claim", "texts.texts_identity", "texts.texts_newest", "texts.texts_newest_state", "texts.texts_newest_gateway",
		"audit_events.audit_events_claim", "audit_events.audit_events_newest_identity", "audit_events.audit_events_newest_kind",
		"receipts.receipts_once",
	} {
		if has[index] == "" {
			t.Errorf("there is no %s", index)
		}
	}
}
