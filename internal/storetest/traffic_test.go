package storetest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/storetest"
)

func TestTheFakeTellsItsTraffic(t *testing.T) {
	storetest.TestTraffic(t, func(*testing.T) storetest.MeteredStore { return storetest.NewStore() })
}
