package storetest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
)

func TestTheFakeIsALimiter(t *testing.T) {
	storetest.TestLimiter(t, func(*testing.T) ratelimit.Limiter { return &storetest.Limiter{} })
}
