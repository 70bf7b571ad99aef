package main

import (
	"errors"
	"fmt"
	"testing"
)

// Only a fault of Kratos' own is reason to ask again; what it refuses, it refuses.
func TestKratosIsAskedAgainWhenItFails(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"deadlock at a form": {statusError{400, []byte(`{"error":{"code":500,"message":"Error 1213 (40001): Deadlock found"}}`)}, true},
		"failed":             {fmt.Errorf("PATCH: %w", statusError{500, []byte(`{"error":{"code":500}}`)}), true},
		"refused":            {statusError{400, []byte(`{"ui":{"messages":[]},"state":"show_form"}`)}, false},
		"taken":              {statusError{409, []byte(`{"error":{"code":409}}`)}, false},
		"no answer":          {errors.New("connection refused"), false},
		"well":               {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kratosFailed(tt.err); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
