package e2e_test

import (
	"errors"
	"fmt"
)

// errNotYet is what a polled condition returns that may still come true.
var errNotYet = errors.New("not yet")

func errNotYetWith(detail any) error { return fmt.Errorf("%w: %v", errNotYet, detail) }
