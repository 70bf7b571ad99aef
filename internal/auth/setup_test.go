package auth_test

import (
	"errors"
	"testing"
)

const bob = "bob"

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}
