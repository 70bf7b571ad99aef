package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
)

func TestTheFakeIsAStore(t *testing.T) {
	claimtest.TestStore(t, func(*testing.T) claim.Store { return claimtest.NewStore() })
}
