package ratelimit

import (
	"github.com/holdline/holdline/internal/problem"
)

var ErrTooManyTries = problem.New(problem.Limited, "HLD-42903", "Too many tries.", "claim: too many tries")
