package persistence

import (
	"cmp"
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/problem"
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

// subject is the identity whose claim or text a change adds.
func subject(change claim.Change) string {
	switch {
	case change.Create != nil:
		return change.Create.IdentityID
	case change.Text != nil:
		return change.Text.IdentityID
	default:
		return ""
	}
}

// guardsOf lists what a change asks for beside limits: that its basis stands, and
// that no alarm blocks it.
func guardsOf(change claim.Change) []guard {
	identity := subject(change)
	var guards []guard
	if change.RefuseBlocked {
		guards = append(guards, unblocked(identity, change.At))
	}
	if change.Answered && change.Text != nil {
		guards = append(guards, answered(*change.Text))
	}
	if change.Basis == nil {
		return guards
	}
	stored := change.Basis.Stored.Dialled()
	guards = append(guards, guard{"NOT EXISTS (" + staleQuery + ")", []any{identity, database.Time(change.Basis.Since), stored, stored}})
	switch {
	case change.Create == nil:
	case change.Basis.Vacant:
		guards = append(guards, guard{"NOT EXISTS (SELECT 1 FROM claims AS v WHERE v.held_identity = ?)", []any{identity}})
	default:
		guards = append(guards, guard{
			"NOT EXISTS (SELECT 1 FROM claims AS v WHERE v.held_identity = ? AND v.state = 'verified')", []any{identity},
		})
	}
	return guards
}

// answered holds unless a client has had an identity texted at a number, for another
// claim, and the identity has not acted on it.
func answered(text message.Text) guard {
	const unanswered = `SELECT 1 FROM claims AS n WHERE n.identity_id = ? AND n.number_key = ? AND n.id <> ?
  AND n.client_text = 'texted' AND n.attempts = 0 AND n.state NOT IN ('staged', 'discarded', 'verified', 'applied', 'conflict')`
	return guard{"NOT EXISTS (" + unanswered + ")", []any{text.IdentityID, text.To.Dialled(), text.Code.ClaimID}}
}

// holds asks whether a guard holds.
func (s *Store) holds(ctx context.Context, g guard) (bool, error) {
	var n int
	err := s.db.Read(ctx, "guard", "claims", func(tx *gorm.DB) error {
		return tx.Raw("SELECT CASE WHEN "+g.where+" THEN 1 ELSE 0 END", g.values...).Scan(&n).Error
	})
	return n == 1, err
}

// and joins the guards' conditions to others.
func and(conditions []string, values []any, guards []guard) (string, []any) {
	for _, g := range guards {
		conditions, values = append(conditions, g.where), append(values, g.values...)
	}
	return strings.Join(conditions, " AND "), values
}

// guarded finds out, off the usual path, which of a change's guards does not hold.
func (s *Store) guarded(ctx context.Context, change claim.Change) error {
	identity := subject(change)
	if change.RefuseBlocked {
		until, err := s.BlockedUntil(ctx, identity, change.At)
		if err == nil && !until.IsZero() {
			err = &problem.LimitError{Reason: claim.ErrChangesBlocked, Until: until, Name: claim.LimitDisputeBlock}
		}
		if err != nil {
			return err
		}
	}
	if change.Answered && change.Text != nil {
		if ok, err := s.holds(ctx, answered(*change.Text)); err != nil || !ok {
			return cmp.Or(err, claim.ErrTextedBefore)
		}
	}
	if change.Basis == nil {
		return nil
	}
	last, err := s.Applied(ctx, identity)
	if err != nil {
		return err
	}
	if last.Overwritten(*change.Basis) {
		return claim.ErrStaleForm
	}
	snapshot, err := s.Current(ctx, identity, time.Time{})
	if err != nil || change.Create == nil || snapshot.Active == nil {
		return err
	}
	switch {
	case snapshot.Active.State == claim.Verified:
		err = claim.ErrBeingApplied
	case change.Basis.Vacant:
		err = claim.ErrConcurrentUpdate
	}
	return err
}
