package database

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// timeForm is a DATETIME(6) literal. As text, in SQLite, it sorts by time.
const timeForm = "2006-01-02 15:04:05.000000"

// Time is a time in a column: UTC, in microseconds, NULL for never.
type Time time.Time

// Value implements driver.Valuer.
func (m Time) Value() (driver.Value, error) {
	t := time.Time(m)
	if t.IsZero() {
		return nil, nil //nolint:nilnil // NULL
	}
	return t.UTC().Format(timeForm), nil
}

// Scan implements sql.Scanner.
func (m *Time) Scan(column any) error {
	switch column := column.(type) {
	case nil:
		*m = Time{}
		return nil
	case time.Time:
		*m = Time(column.UTC())
		return nil
	case []byte:
		return m.parse(string(column))
	case string:
		return m.parse(column)
	default:
		return fmt.Errorf("a %T is no time", column)
	}
}

func (m *Time) parse(text string) error {
	t, err := time.ParseInLocation(timeForm, text, time.UTC)
	*m = Time(t)
	return err
}
