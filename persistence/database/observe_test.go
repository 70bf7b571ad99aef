package database_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// An operation is one, however often it is repeated; whoever observes it hears what the
// caller of a store does, or how a statement said no.
func TestOperationsAreObservedFromBeginningToEnd(t *testing.T) {
	type key struct{}
	var began, ended []string
	var ends []error
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{
		Observe: func(ctx context.Context, operation, table string) (context.Context, func(error)) {
			began = append(began, operation+" "+table)
			return context.WithValue(ctx, key{}, operation), func(err error) {
				ended, ends = append(ended, operation+" "+table), append(ends, err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	refused, tries := errors.New("refused"), 0
	statement := func(answers ...error) func(*gorm.DB) error {
		tries = 0
		return func(tx *gorm.DB) error {
			if tx.Statement.Context.Value(key{}) == nil {
				t.Error("the statement has another context than the observer gave it")
			}
			tries++
			return answers[min(tries, len(answers))-1]
		}
	}
	for _, tt := range []struct {
		name string
		run  func() error
		want error // what the observer hears
	}{
		{"read users", func() error { return db.Read(t.Context(), "read", "users", statement(busyError{}, nil)) }, nil},
		{"write users", func() error { return db.Write(t.Context(), "write", "users", statement(refused)) }, refused},
		{"change users", func() error { return db.Transaction(t.Context(), "change", "users", statement(busyError{})) }, problem.ErrStoreUnavailable},
	} {
		began, ended, ends = nil, nil, nil
		_ = tt.run()
		if want := []string{tt.name}; !slices.Equal(began, want) || !slices.Equal(ended, want) {
			t.Errorf("%s: began %v, ended %v", tt.name, began, ended)
		}
		if len(ends) != 1 || !errors.Is(ends[0], tt.want) || errors.Is(tt.want, refused) && errors.Is(ends[0], problem.ErrStoreUnavailable) {
			t.Errorf("%s: ended with %v, want %v", tt.name, ends, tt.want)
		}
	}
}
