package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
)

func TestTheFakeTellsItsTraffic(t *testing.T) {
	claimtest.TestTraffic(t, func(*testing.T) claimtest.MeteredStore { return claimtest.NewStore() })
}
