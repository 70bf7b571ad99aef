package admin

import (
	"errors"

	"github.com/holdline/holdline/internal/problem"
)

// ErrTooMany says that what was asked for fits too many people to be of use.
var ErrTooMany = problem.New(problem.Invalid, "HLD-40042", "Too many people have a number that is shown so. Search for a piece of it with more digits.", "admin: a mask fits too many people")

// ErrNoClaim says that the id names no claim, or one that is forgotten.
var ErrNoClaim = problem.New(problem.NotFound, "HLD-40404", "There is no such claim.", "admin: no such claim")

// ErrPrivilegedPerson says that only who has privilege may do this to a privileged person.
var ErrPrivilegedPerson = problem.New(problem.Forbidden, "HLD-40307", "This is a privileged person: only privileged administrators may do this.", "admin: a privileged person is out of reach")

// ErrNoPerson says that the id names nobody, and that nothing is known of somebody who had it.
var ErrNoPerson = errors.New("admin: no such person")
