package settings_test

import (
	"errors"
	"testing"
)

const home = "192.0.2.1"

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}
