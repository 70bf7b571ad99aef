package phone

import (
	"github.com/holdline/holdline/internal/problem"
)

// What can be wrong with a number.
// The texts begin with "claim" because the audit trail keeps them.
var (
	ErrBadNumber       = problem.New(problem.Invalid, "HLD-40002", "This is not a number that can receive texts.", "claim: not a usable telephone number")
	ErrNumberNotServed = problem.New(problem.Invalid, "HLD-40004", "Numbers of this kind or country are not accepted.", "claim: numbers of this kind or country are not texted")
)
