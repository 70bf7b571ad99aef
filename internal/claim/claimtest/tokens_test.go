package claimtest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
)

func TestTheFakeKeepsTokens(t *testing.T) {
	claimtest.TestTokens(t, func(*testing.T) claim.Tokens { return &claimtest.Tokens{} })
}
