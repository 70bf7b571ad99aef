package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/storetest"
)

func TestMachine(t *testing.T) {
	claimtest.TestMachine(t, 0, func(*testing.T) storetest.ArchivedStore { return storetest.NewStore() })
}
