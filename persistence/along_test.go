package persistence_test

import (
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// What another store has written along with a change is there with it, or neither is.
func TestAChangeAndWhatIsWrittenAlongAreOne(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store, ctx := persistence.NewStore(t.DB), t.Context()
		c := openClaim("c")
		c.State = claim.Staged
		if err := store.Commit(ctx, claim.Change{Create: &c, At: noon}); err != nil {
			t.Fatal(err)
		}
		open := func(write func(tx *gorm.DB) error) (*claim.Along, error) {
			along := &claim.Along{Write: write}
			return along, store.Commit(ctx, claim.Change{
				Transitions: []claim.Transition{{From: claim.Staged, Claim: openClaim("c")}}, Text: textOf(openClaim("c")), Along: along, At: noon,
			})
		}
		errBeside := errors.New("not to be written")
		fails := func(tx *gorm.DB) error {
			if _, err := database.Exec(tx, "UPDATE claims SET reason = ? WHERE id = ?", "along", "c"); err != nil {
				return err
			}
			return errBeside
		}
		along, err := open(fails)
		if !errors.Is(err, errBeside) || along.Done {
			t.Errorf("got %v, done %v", err, along.Done)
		}
		kept, err := store.Find(ctx, "c")
		if err != nil || kept.State != claim.Staged || kept.Reason != "" {
			t.Errorf("got %+v, %v", kept, err)
		}
		along, err = open(func(tx *gorm.DB) error {
			_, err := database.Exec(tx, "UPDATE claims SET reason = ? WHERE id = ?", "along", "c")
			return err
		})
		if err != nil || !along.Done {
			t.Errorf("got %v, done %v", err, along.Done)
		}
		kept, err = store.Find(ctx, "c")
		if err != nil || kept.State != claim.Open || kept.Reason != "along" {
			t.Errorf("got %+v, %v", kept, err)
		}
	})
}
