package persistence_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

// What is counted is what was done again: neither the first attempt, nor one that there
// was no time for.
func TestRepeatsAreCountedWhenTheyBegin(t *testing.T) {
	deadlock := &mysql.MySQLError{Number: 1213, Message: "Deadlock found"}
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		ends     int // the attempt that the context ends in
		answers  []error
		attempts int
		want     error
	}{
		"at once":             {0, []error{nil}, 1, nil},
		"no second time":      {0, []error{refused}, 1, refused},
		"the third time":      {0, []error{deadlock, deadlock, nil}, 3, nil},
		"refused the second":  {0, []error{deadlock, refused}, 2, refused},
		"never":               {0, []error{deadlock}, 8, deadlock},
		"ended in the first":  {1, []error{deadlock}, 1, context.Canceled},
		"ended in the second": {2, []error{deadlock}, 2, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := opened(t, databases["sqlite"](t))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			attempts := 0
			err := db.Transaction(ctx, func(*gorm.DB) error {
				attempts++
				if attempts == tt.ends {
					cancel()
				}
				return tt.answers[min(attempts, len(tt.answers))-1]
			})
			if attempts != tt.attempts || !errors.Is(err, tt.want) {
				t.Errorf("%d attempts, and %v, want %d and %v", attempts, err, tt.attempts, tt.want)
			}
			if conflicts, connections := db.Repeats(); conflicts != uint64(attempts-1) || connections != 0 {
				t.Errorf("%d conflicts and %d connections of %d attempts", conflicts, connections, attempts)
			}
		})
	}
}
