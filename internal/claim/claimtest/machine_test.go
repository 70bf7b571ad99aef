package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
)

func TestMachine(t *testing.T) {
	claimtest.TestMachine(t, 0, func(*testing.T) claimtest.ArchivedStore { return claimtest.NewStore() })
}
