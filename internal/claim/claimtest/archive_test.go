package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
)

func TestTheFakeHasAnArchive(t *testing.T) {
	claimtest.TestArchive(t, func(*testing.T) claimtest.ArchivedStore { return claimtest.NewStore() })
}

func TestTheFakeKeepsSettings(t *testing.T) {
	claimtest.TestSettings(t, func(*testing.T) claimtest.TrailedSettings {
		fake := &claimtest.Settings{}
		return claimtest.TrailedSettings{Settings: fake, Trail: fake.Events}
	})
}

func TestTheFakeKeepsAdminSessions(t *testing.T) {
	claimtest.TestAdminSessions(t, func(*testing.T) claimtest.TrailedSessions {
		fake := &claimtest.AdminSessions{}
		return claimtest.TrailedSessions{AdminSessions: fake, Trail: fake.Events}
	})
}
