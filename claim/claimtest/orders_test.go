package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/claim/claimtest"
)

func TestOrders(t *testing.T) {
	claimtest.TestOrders(t, 200, 1000, 1, func(*testing.T) claimtest.ArchivedStore { return claimtest.NewStore() })
}
