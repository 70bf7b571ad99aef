package admin

import (
	"github.com/holdline/holdline/internal/problem"
)

// What administrators are told.
var (
	// ErrTooMany says that what was asked for fits too many people to be of use.
	ErrTooMany = problem.New(problem.Invalid, "HLD-40042", "Too many people have a number that is shown so. Search for a piece of it with more digits.", "admin: a mask fits too many people")
	// ErrBadToken says that a token cannot be made so.
	ErrBadToken = problem.New(problem.Invalid, "HLD-40043", "", "admin: no token can be made of this")
	// ErrPrivilegedPerson says that only who has privilege may do this to a privileged person.
	ErrPrivilegedPerson = problem.New(problem.Forbidden, "HLD-40307", "This is a privileged person: only privileged administrators may do this.", "admin: a privileged person is out of reach")
	// ErrMoreThanOwn says that a token would allow more than its maker may do, or longer.
	ErrMoreThanOwn = problem.New(problem.Forbidden, "HLD-40308", "A token can allow no more, and no longer, than you may do yourself.", "admin: a token would allow more than its maker")
	// ErrNoClaim says that the id names no claim, or one that is forgotten.
	ErrNoClaim = problem.New(problem.NotFound, "HLD-40404", "There is no such claim.", "admin: no such claim")
	// ErrNoPerson says that the id names nobody, and that nothing is known of somebody who had it.
	ErrNoPerson = problem.New(problem.NotFound, "HLD-40406", "There is no such person.", "admin: no such person")
	// ErrNoGateway says that no gateway has this name.
	ErrNoGateway = problem.New(problem.NotFound, "HLD-40407", "There is no such gateway.", "admin: no such gateway")
	// ErrNoToken says that no token of this name is in force.
	ErrNoToken = problem.New(problem.NotFound, "HLD-40408", "No token of this name is in force.", "admin: no such token")
	// ErrTokenTaken says that a token of this name is in force.
	ErrTokenTaken = problem.New(problem.Conflict, "HLD-40910", "A token of this name is in force. Revoke it first, or take another name.", "admin: the name of a token is taken")
)
