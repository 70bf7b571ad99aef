package persistence

import (
	"context"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence/database"
)

// guard is a condition that an insertion keeps, beside its limits.
type guard struct {
	where  string
	values []any
}

// keyOf is the dialling characters of a column alone, as [phone.Number.Dialled] returns.
func keyOf(column string) string {
	for _, dropped := range []string{" ", "-", ".", "/", "(", ")"} {
		column = "REPLACE(" + column + ", '" + dropped + "', '')"
	}
	return column
}

// staleQuery finds the claim of an identity that was applied last, if it replaced a
// number since a moment.
var staleQuery = `SELECT 1 FROM claims AS w WHERE w.identity_id = ? AND w.state = 'applied' AND w.ended_at > ?
  AND w.reason <> 'disputed' AND ` + keyOf("w.was") + ` = ? AND w.number_key <> ?
  AND NOT EXISTS (SELECT 1 FROM claims AS l WHERE l.identity_id = w.identity_id AND l.state = 'applied' AND l.ended_at > w.ended_at)`

// guardsOf lists what a change's basis asks for.
func guardsOf(change claim.Change) []guard {
	if change.Basis == nil {
		return nil
	}
	var identity string
	switch {
	case change.Create != nil:
		identity = change.Create.IdentityID
	case change.Text != nil:
		identity = change.Text.IdentityID
	}
	stored := change.Basis.Stored.Dialled()
	guards := []guard{{"NOT EXISTS (" + staleQuery + ")", []any{identity, database.Time(change.Basis.Since), stored, stored}}}
	if change.Create != nil {
		guards = append(guards, guard{
			"NOT EXISTS (SELECT 1 FROM claims AS v WHERE v.held_identity = ? AND v.state = 'verified')", []any{identity},
		})
	}
	return guards
}

// and joins the guards' conditions to others.
func and(conditions []string, values []any, guards []guard) (string, []any) {
	for _, g := range guards {
		conditions, values = append(conditions, g.where), append(values, g.values...)
	}
	return strings.Join(conditions, " AND "), values
}

// outdated finds out, off the usual path, whether a change's basis does not hold.
func (s *Store) outdated(ctx context.Context, change claim.Change) error {
	if change.Basis == nil {
		return nil
	}
	identity := ""
	if change.Create != nil {
		identity = change.Create.IdentityID
	} else {
		identity = change.Text.IdentityID
	}
	last, err := s.Applied(ctx, identity)
	if err != nil {
		return err
	}
	if last.Overwritten(*change.Basis) {
		return claim.ErrStaleForm
	}
	snapshot, err := s.Current(ctx, identity, time.Time{})
	if err == nil && change.Create != nil && snapshot.Active != nil && snapshot.Active.State == claim.Verified {
		err = claim.ErrBeingApplied
	}
	return err
}
