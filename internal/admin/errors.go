package admin

import (
	"github.com/holdline/holdline/internal/problem"
)

// ErrNoClaim says that the id names no claim, or one that is forgotten.
var ErrNoClaim = problem.New(problem.NotFound, "HLD-40404", "There is no such claim.", "admin: no such claim")
