package claim

import (
	"github.com/holdline/holdline/internal/problem"
)

var ErrNoClaim = problem.New(problem.NotFound, "HLD-40404", "There is no such claim.", "claim: no such claim")
