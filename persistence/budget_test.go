package persistence_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// TestStatementBudget holds every call to its number of statements, of which
// BEGIN is the first of a transaction.
func TestStatementBudget(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		store, statements := persistence.NewStore(db), databasetest.Record(db)
		check := func(call string, err error, want ...string) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", call, err)
			}
			var got []string
			for _, statement := range statements.Take() {
				got = append(got, strings.Fields(statement)[0])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: asked %v, want %v", call, got, want)
			}
		}
		ctx := t.Context()
		limits := claim.TextLimits{PerIdentityDay: 5, PerNumberDay: 5, PerAddressHour: 5}
		c := openClaim("c")
		c.State, c.LastAddress = claim.Staged, "192.0.2.1"
		check("stage", store.Commit(ctx, claim.Change{Create: &c, Limits: limits, At: noon}), "INSERT")
		opened := openClaim("c")
		check("activate", store.Commit(ctx, claim.Change{
			Transitions: []claim.Transition{{From: claim.Staged, Claim: opened}}, Text: textOf(opened), Limits: limits,
			Events: []audit.Event{{ClaimID: "c", At: noon}, {ClaimID: "c", At: noon}}, At: noon,
		}), "BEGIN", "UPDATE", "INSERT", "INSERT")
		check("sent", store.Done(ctx, message.TextResult{TextID: textOf(opened).ID, State: message.TextSent, At: noon}), "UPDATE")
		snapshot, err := store.Current(ctx, c.IdentityID, noon)
		check("current", err, "SELECT")
		check("wrong code", store.Try(ctx, opened.Code(), 5), "UPDATE")
		if snapshot.Active == nil {
			t.Fatal("nothing is held")
		}
		verified := *snapshot.Active
		verified.State = claim.Verified
		lease := claim.Lease{IdentityID: c.IdentityID, Owner: "o", ClaimID: "c", Until: noon.Add(time.Minute)}
		check("right code", store.Commit(ctx, claim.Change{
			Transitions: []claim.Transition{{From: claim.Open, Claim: verified, Try: 5}}, Lease: &lease, Leased: func() {},
			Events: []audit.Event{{ClaimID: "c", At: noon}}, At: noon,
		}), "BEGIN", "UPDATE", "INSERT", "INSERT")
		applied := verified
		applied.Version++
		applied.State, applied.EndedAt = claim.Applied, noon
		check("apply", store.Commit(ctx, claim.Change{
			Transitions: []claim.Transition{{From: claim.Verified, Claim: applied}}, At: noon,
		}), "UPDATE")
		lease.Owner = "p"
		check("acquire what ended with its claim", store.Acquire(ctx, lease, noon), "UPDATE")
		check("release", store.Release(ctx, lease), "DELETE")
		_, err = store.Last(ctx, c.IdentityID)
		check("last", err, "SELECT")
		_, err = store.TextState(ctx, c.ID)
		check("text state", err, "SELECT")
		_, err = store.Due(ctx, noon, 9)
		check("due", err, "SELECT")
		_, err = store.Take(ctx, applied, noon)
		check("take", err, "UPDATE")
		_, err = store.DueTexts(ctx, noon, 9)
		check("due texts", err, "SELECT")
		check("put off", store.PutOff(ctx, "t", noon, ""), "UPDATE")
		check("drop texts", store.DropTexts(ctx, []string{"t", "u"}, noon, ""), "UPDATE")
		check("postpone texts", store.PostponeTexts(ctx, []string{"t", "u"}, noon, noon), "UPDATE")
	})
}
