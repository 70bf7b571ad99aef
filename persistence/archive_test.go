package persistence_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestArchiveKeepsItsPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestArchive(t, func(t *testing.T) storetest.ArchivedStore {
				t.Helper()
				return persistence.NewStore(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

// trail returns the whole audit trail of a database, oldest first.
func trail(t *testing.T, db *database.DB) func() []audit.Event {
	t.Helper()
	return func() []audit.Event {
		lines, err := persistence.NewStore(db).FindEvents(t.Context(), admin.EventQuery{Limit: 999})
		if err != nil {
			t.Error(err)
		}
		var events []audit.Event
		for _, line := range slices.Backward(lines) {
			events = append(events, line.Event)
		}
		return events
	}
}

func TestSettingsKeepTheirPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestSettings(t, func(t *testing.T) storetest.TrailedSettings {
				t.Helper()
				db := databasetest.Migrated(t, newDSN(t))
				return storetest.TrailedSettings{Store: persistence.NewSettings(db), Trail: trail(t, db)}
			})
		})
	}
}

func TestAdminSessionsKeepTheirPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestAdminSessions(t, func(t *testing.T) storetest.TrailedSessions {
				t.Helper()
				db := databasetest.Migrated(t, newDSN(t))
				return storetest.TrailedSessions{AdminSessionStore: persistence.NewAdminSessions(db), Trail: trail(t, db)}
			})
		})
	}
}

func TestTrialsKeepTheirPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestTrials(t, func(t *testing.T) claim.Trials {
				t.Helper()
				return persistence.NewTrials(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

func TestWhatTheConsoleReadsSaysWhenItIsAway(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		store, all := persistence.NewStore(t.DB), persistence.NewSettings(t.DB)
		sessions, digest := persistence.NewAdminSessions(t.DB), auth.DigestSession("s")
		_, claimsErr := store.FindClaims(cancelled, admin.ClaimQuery{Limit: 1})
		_, textsErr := store.FindTexts(cancelled, admin.TextQuery{Limit: 1})
		_, eventsErr := store.FindEvents(cancelled, admin.EventQuery{Limit: 1})
		_, waitingErr := store.Waiting(cancelled)
		_, settingsErr := all.Settings(cancelled)
		_, sessionErr := sessions.FindSession(cancelled, digest)
		change := []settings.Change{{Key: settings.Verify, To: "true", Event: audit.Event{At: noon}}}
		for name, err := range map[string]error{
			"claims":   claimsErr,
			"texts":    textsErr,
			"events":   eventsErr,
			"waiting":  waitingErr,
			"record":   store.RecordEvent(cancelled, audit.Event{At: noon}),
			"settings": settingsErr,
			"change":   all.ChangeSettings(cancelled, change, audit.Actor{}, noon),
			"begin":    sessions.BeginSession(cancelled, auth.AdminSession{Digest: digest, CreatedAt: noon, SeenAt: noon}, audit.Event{At: noon}),
			"find":     sessionErr,
			"touch":    sessions.TouchSession(cancelled, digest, noon),
			"end":      sessions.EndSession(cancelled, digest, audit.Event{At: noon}),
			"prune":    sessions.PruneSessions(cancelled, noon),
		} {
			if !errors.Is(err, problem.ErrStoreUnavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestPeopleKeepTheirPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestPeople(t, func(t *testing.T) storetest.Peopled {
				t.Helper()
				db := databasetest.Migrated(t, newDSN(t))
				return storetest.Peopled{Store: persistence.NewStore(db), Index: persistence.NewPeople(db)}
			})
		})
	}
}
