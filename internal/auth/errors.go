package auth

import (
	"github.com/holdline/holdline/internal/problem"
)

// What proves too little.
var (
	ErrNoSession = problem.New(problem.Unauthenticated, "HLD-40101", "A valid session or valid credentials are needed.", "auth: no valid session or credentials")
	// ErrSecondFactor is an ErrNoSession that could become a session.
	ErrSecondFactor = problem.Within(ErrNoSession, problem.Unauthenticated, "HLD-40104", "A second factor is missing. Sign in with it as well.", ": a second factor is missing")
	ErrNoToken      = problem.New(problem.Unauthenticated, "HLD-40103", "This token is invalid or has expired.", "auth: no token in force")
	ErrNoScope      = problem.New(problem.Forbidden, "HLD-40302", "The token does not allow this.", "auth: the token lacks a scope")
)
