package claimtest_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/storetest"
)

// TestOrders tries some orders of each pair, and as many random ones as make a usual
// run short. HOLDLINE_ORDERS raises both, HOLDLINE_ORDERS_SEED chooses the first seed.
func TestOrders(t *testing.T) {
	orders, seed := 200, uint64(1)
	if given, err := strconv.Atoi(os.Getenv("HOLDLINE_ORDERS")); err == nil {
		orders = given
	}
	if given, err := strconv.ParseUint(os.Getenv("HOLDLINE_ORDERS_SEED"), 10, 64); err == nil {
		seed = given
	}
	claimtest.TestOrders(t, orders, 5*orders, seed, func(*testing.T) storetest.ArchivedStore { return storetest.NewStore() })
}
