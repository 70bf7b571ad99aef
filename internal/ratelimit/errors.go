package ratelimit

import (
	"github.com/holdline/holdline/internal/problem"
)

// ErrTooManyTries says that a name has taken all that its limit allows for now.
var ErrTooManyTries = problem.New(problem.Limited, "HLD-42903", "Too many tries.", "ratelimit: too many tries")
