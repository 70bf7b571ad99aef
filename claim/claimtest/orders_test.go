package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/claim/claimtest"
)

func TestOrders(t *testing.T) {
	claimtest.TestOrders(t, 1000, 3000, 1, func(*testing.T) claimtest.ArchivedStore { return claimtest.NewStore() })
}
