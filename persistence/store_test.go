package persistence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestStoreKeepsItsPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestStore(t, func(t *testing.T) claim.Store {
				t.Helper()
				return persistence.NewStore(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

func TestSQLiteInMemoryKeepsAClaim(t *testing.T) {
	store := persistence.NewStore(databasetest.Migrated(t, "sqlite://:memory:"))
	c := openClaim("c")
	if err := store.Commit(t.Context(), claim.Change{Create: &c, At: noon}); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Current(t.Context(), c.IdentityID, noon); err != nil || got.Active == nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func openClaim(id string) claim.Claim {
	return claim.Claim{
		ID: id, IdentityID: "identity-" + id, Number: phone.FromStore("+49 171 1111111"), State: claim.Open,
		CodeKey: "n6.key", CodeNumber: 1, CreatedAt: noon,
	}
}

func textOf(c claim.Claim) *message.Text {
	return &message.Text{
		ID: "text-" + c.ID, IdentityID: c.IdentityID, To: c.Number, Code: c.Code(), ClientIP: "192.0.2.1",
		Expires: noon, CreatedAt: noon, LeaseUntil: noon,
	}
}

func TestAuditLinesAreKeptWithTheirChangeAndPrunedWithTheirClaim(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		store, c := persistence.NewStore(db), openClaim("c")
		event := audit.Event{
			ClaimID: "c", IdentityID: c.IdentityID, Kind: "open", Number: c.Number.String(), Reason: "why", At: noon,
			Actor: audit.Actor{Kind: audit.Privileged, ID: "console", ClientIP: "192.0.2.1"},
		}
		change := claim.Change{Create: &c, Events: []audit.Event{event, event}, At: noon}
		wantEvents := func(want int) {
			t.Helper()
			got, err := databasetest.Count(t.Context(), db, `SELECT COUNT(*) FROM audit_events
				WHERE claim_id = 'c' AND identity_id = 'identity-c' AND kind = 'open' AND actor_kind = 'privileged'
				AND actor_id = 'console' AND actor_address = '192.0.2.1' AND number = ? AND reason = 'why'`, c.Number.String())
			if err != nil || got != want {
				t.Errorf("got %d lines, %v, want %d", got, err, want)
			}
		}
		if err := store.Commit(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		wantEvents(2)
		if err := store.Commit(t.Context(), change); !errors.Is(err, claim.ErrExists) {
			t.Errorf("got %v", err)
		}
		wantEvents(2)
		ended := c
		ended.State, ended.EndedAt = claim.Lapsed, noon
		if err := store.Commit(t.Context(), claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: ended}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Prune(t.Context(), noon.Add(time.Second), 10); err != nil {
			t.Fatal(err)
		}
		wantEvents(0)
	})
}

func TestTextFromOutsideFitsItsColumn(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		store, c := persistence.NewStore(db), openClaim("c")
		long := string(make([]rune, 300)) + "\xff😀"
		c.LastAddress, c.Reason = "\xff"+long, long
		text := textOf(c)
		text.Language, text.ClientIP = long, long
		err := store.Commit(t.Context(), claim.Change{
			Create: &c, Text: text, Limits: claim.TextLimits{PerAddressHour: 1}, At: noon,
			Events: []audit.Event{{ClaimID: "c", Reason: long, Actor: audit.Actor{ID: long, ClientIP: long}, At: noon}},
		})
		if err != nil {
			t.Error(err)
		}
		if err := store.PutOff(t.Context(), text.ID, noon, long); err != nil {
			t.Error(err)
		}
		if err := store.Done(t.Context(), message.TextResult{TextID: text.ID, Gateway: long, ProviderID: long, Reason: long}); err != nil {
			t.Error(err)
		}
	})
}

func TestAStoreThatIsAwaySaysSo(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		store, c := persistence.NewStore(db), openClaim("c")
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		check := func(name string, err error) {
			t.Helper()
			if !errors.Is(err, problem.ErrStoreUnavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		_, err := store.Current(cancelled, "i", noon)
		check("current", err)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		_, err = store.Last(cancelled, "i")
		check("last", err)
		_, err = store.TextState(cancelled, "c")
		check("text state", err)
		check("commit one", store.Commit(cancelled, claim.Change{Create: &c, At: noon}))
		check("commit two", store.Commit(cancelled, claim.Change{Create: &c, Text: textOf(c), At: noon}))
		check("try", store.Try(cancelled, c.Code(), 5))
		check("acquire", store.Acquire(cancelled, claim.Lease{IdentityID: "i", Owner: "o", Until: noon}, noon))
		check("release", store.Release(cancelled, claim.Lease{IdentityID: "i", Owner: "o"}))
		_, err = store.Due(cancelled, noon, 1)
		check("due", err)
		_, err = store.Take(cancelled, c, noon)
		check("take", err)
		_, err = store.Prune(cancelled, noon, 1)
		check("prune", err)
		_, err = store.DueTexts(cancelled, noon, 1)
		check("due texts", err)
		_, err = store.TakeText(cancelled, message.QueuedText{}, noon)
		check("take text", err)
		check("done", store.Done(cancelled, message.TextResult{TextID: "t"}))
		check("put off", store.PutOff(cancelled, "t", noon, ""))
		check("drop texts", store.DropTexts(cancelled, []string{"t"}, noon, ""))
		check("postpone texts", store.PostponeTexts(cancelled, []string{"t"}, noon, noon))
		check("ping", db.Ping(cancelled))
		// A text's id that exists is no answer that a caller could expect.
		if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: textOf(c), At: noon}); err != nil {
			t.Fatal(err)
		}
		if err := store.Commit(t.Context(), claim.Change{Text: textOf(c), At: noon}); err == nil || errors.Is(err, problem.ErrStoreUnavailable) {
			t.Errorf("same text: got %v", err)
		}
	})
}
