package storetest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/storetest"
)

func TestTheFakeIsAStore(t *testing.T) {
	storetest.TestStore(t, func(*testing.T) claim.Store { return storetest.NewStore() })
}
