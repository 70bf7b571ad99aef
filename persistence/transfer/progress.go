package transfer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// progressTable says in the database that is copied to how far each table is. It is there
// for as long as the copy is unfinished.
const progressTable = "unfinished_copy"

// ErrUnfinished says that a database has a part of what another one has.
var ErrUnfinished = errors.New("the database has an unfinished copy of another one: " +
	"run `holdline migrate copy` again with the same --from and --to, or with --restart to begin anew")

// Unfinished returns [ErrUnfinished] for a database that is being copied to, or was until
// the copy broke off.
func Unfinished(ctx context.Context, db *database.DB) error {
	if isUnfinished(ctx, db) {
		return ErrUnfinished
	}
	return nil
}

func isUnfinished(ctx context.Context, db *database.DB) (there bool) {
	_ = db.Repeat(ctx, func(tx *gorm.DB) error { // a database that is away says so when it is used
		there = tx.Migrator().HasTable(progressTable)
		return nil
	})
	return there
}

// position is how far the copy of a table is.
type position struct {
	rows int64
	last row // the key of the last one; nil at the beginning
}

// progressRow is a line of the table unfinished_copy.
type progressRow struct {
	TableName string
	Source    string // of the database that is copied
	LastKey   string
	RowCount  int64
}

// begin notes that a copy begins, or returns how far it is.
func begin(ctx context.Context, to *database.DB, source string) (map[string]position, error) {
	err := to.Repeat(ctx, func(tx *gorm.DB) error {
		_, err := database.Exec(tx, "CREATE TABLE IF NOT EXISTS "+progressTable+
			" (table_name VARCHAR(64) NOT NULL PRIMARY KEY, source VARCHAR(64) NOT NULL, last_key TEXT NOT NULL, row_count BIGINT NOT NULL)")
		return err
	})
	if err != nil {
		return nil, to.Classify(err)
	}
	var rows []progressRow
	err = to.Repeat(ctx, func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw("SELECT table_name, source, last_key, row_count FROM " + progressTable).Scan(&rows).Error
	})
	if err != nil {
		return nil, to.Classify(err)
	}
	positions := map[string]position{}
	for _, r := range rows {
		if r.Source != source {
			return nil, errors.New("--to has an unfinished copy of another database than --from, or of an earlier schema: --restart begins anew")
		}
		i := slices.IndexFunc(tables, func(t table) bool { return t.name == r.TableName })
		if i < 0 {
			return nil, fmt.Errorf("--to has an unfinished copy by another release, of the table %s: --restart begins anew", r.TableName)
		}
		key, err := tables[i].parseKey(r.LastKey)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", progressTable, err)
		}
		positions[r.TableName] = position{rows: r.RowCount, last: key}
	}
	return positions, nil
}

// advance moves the position of a table within the transaction that adds the rows up to
// there.
func (t table) advance(tx *gorm.DB, source string, from, to position) error {
	key, err := t.printKey(to.last)
	if err != nil {
		return err
	}
	var changed int64
	if from.last == nil {
		changed, err = database.Exec(tx, "INSERT INTO "+progressTable+" (table_name, source, last_key, row_count) VALUES (?, ?, ?, ?)",
			t.name, source, key, to.rows)
	} else {
		changed, err = database.Exec(tx, "UPDATE "+progressTable+" SET last_key = ?, row_count = ? WHERE table_name = ? AND row_count = ?",
			key, to.rows, t.name, from.rows)
	}
	if err == nil && changed != 1 {
		err = errors.New("another process is copying, too")
	}
	return err
}

// printKey writes a key down: numbers in digits, bytes and texts in hexadecimal ones, since
// not every database takes each of them as text.
func (t table) printKey(key row) (string, error) {
	printed := make([]string, len(t.key))
	for i, c := range t.key {
		if c.kind == number {
			printed[i] = fmt.Sprint(key[i])
		} else {
			printed[i] = fmt.Sprintf("%x", key[i])
		}
	}
	line, err := json.Marshal(printed)
	return string(line), err
}

func (t table) parseKey(line string) (row, error) {
	var printed []string
	if err := json.Unmarshal([]byte(line), &printed); err != nil || len(printed) != len(t.key) {
		return nil, errors.New("a key of another kind")
	}
	key := make(row, len(printed))
	for i, c := range t.key {
		var err error
		if c.kind == number {
			key[i], err = strconv.ParseInt(printed[i], 10, 64)
		} else {
			var content []byte
			content, err = hex.DecodeString(printed[i])
			key[i] = content
			if c.kind == text {
				key[i] = string(content)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return key, nil
}

// end forgets how far the copy is.
func end(ctx context.Context, to *database.DB) error {
	return to.Classify(to.Repeat(ctx, func(tx *gorm.DB) error {
		_, err := database.Exec(tx, "DROP TABLE "+progressTable)
		return err
	}))
}
