package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
)

func TestTheFakeIsALimiter(t *testing.T) {
	claimtest.TestLimiter(t, func(*testing.T) claim.Limiter { return &claimtest.Limiter{} })
}
