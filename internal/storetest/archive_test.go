package storetest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/storetest"
)

func TestTheFakeHasAnArchive(t *testing.T) {
	storetest.TestArchive(t, func(*testing.T) storetest.ArchivedStore { return storetest.NewStore() })
}

func TestTheFakeKeepsSettings(t *testing.T) {
	storetest.TestSettings(t, func(*testing.T) storetest.TrailedSettings {
		fake := &storetest.Settings{}
		return storetest.TrailedSettings{Store: fake, Trail: fake.Events}
	})
}

func TestTheFakeKeepsAdminSessions(t *testing.T) {
	storetest.TestAdminSessions(t, func(*testing.T) storetest.TrailedSessions {
		fake := &storetest.AdminSessions{}
		return storetest.TrailedSessions{AdminSessionStore: fake, Trail: fake.Events}
	})
}

func TestPeopleInMemory(t *testing.T) {
	storetest.TestPeople(t, func(*testing.T) storetest.Peopled {
		return storetest.Peopled{Store: storetest.NewStore(), Index: &storetest.People{}}
	})
}

func TestTheFakeKeepsTrials(t *testing.T) {
	storetest.TestTrials(t, func(*testing.T) claim.Trials { return &storetest.Trials{} })
}
