package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/ratelimit"
)

func TestTheFakeIsALimiter(t *testing.T) {
	claimtest.TestLimiter(t, func(*testing.T) ratelimit.Limiter { return &claimtest.Limiter{} })
}
