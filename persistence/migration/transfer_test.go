package migration_test

import (
	"maps"
	"slices"
	"testing"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/transfer"
)

// What is not for `holdline migrate copy`: tables of the migrations themselves, lists that
// clients are reading and begin again with, and columns that the database computes.
var (
	notCopied = []string{"schema_migrations", "schema_lock", "goose_db_version", "sqlite_sequence", "scim_walks"}
	computed  = map[string][]string{"claims": {"number_key", "mask"}}
)

// Whoever makes a table or a column adds it to the list in persistence/transfer/tables.go.
func TestEveryTableAndColumnIsCopiedToOtherDatabases(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		copied := transfer.Columns()
		err := databasetest.Transaction(t.Context(), t.DB, func(tx *gorm.DB) error {
			there, err := tx.Migrator().GetTables()
			if err != nil {
				return err
			}
			for _, table := range there {
				if slices.Contains(notCopied, table) {
					continue
				}
				columns, err := tx.Migrator().ColumnTypes(table)
				if err != nil {
					return err
				}
				left := maps.Clone(copied[table])
				for _, column := range columns {
					kind, ok := left[column.Name()]
					delete(left, column.Name())
					switch {
					case slices.Contains(computed[table], column.Name()):
					case !ok:
						t.Errorf("%s.%s is not copied", table, column.Name())
					case !slices.Contains(kindsOf[column.DatabaseTypeName()], kind):
						t.Errorf("%s.%s is a %s, and is copied as a %s", table, column.Name(), column.DatabaseTypeName(), kind)
					}
				}
				if len(left) > 0 {
					t.Errorf("%s has no %v", table, slices.Sorted(maps.Keys(left)))
				}
				delete(copied, table)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(copied) > 0 {
			t.Errorf("there are no tables %v", slices.Sorted(maps.Keys(copied)))
		}
	})
}

// kindsOf are what columns of the databases' types may hold.
var kindsOf = map[string][]string{
	"TEXT": {"text", "moment"}, "text": {"text"}, "varchar": {"text"}, "char": {"text"}, "bpchar": {"text"}, "mediumtext": {"text"},
	"INTEGER": {"number"}, "int": {"number"}, "bigint": {"number"}, "int4": {"number"}, "int8": {"number"},
	"BOOLEAN": {"boolean"}, "tinyint": {"boolean"}, "bool": {"boolean"}, "boolean": {"boolean"},
	"datetime": {"moment"}, "timestamptz": {"moment"},
	"BLOB": {"blob"}, "varbinary": {"blob"}, "bytea": {"blob"},
}
