package storetest_test

import (
	"testing"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/storetest"
)

func TestTheFakeKeepsTokens(t *testing.T) {
	storetest.TestTokens(t, func(*testing.T) auth.Tokens { return &storetest.Tokens{} })
}
