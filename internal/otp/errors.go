package otp

import (
	"errors"

	"github.com/holdline/holdline/internal/problem"
)

// What codes and links can be.
var (
	ErrUnknownKey = errors.New("otp: the code's key is not in the key ring")
	ErrLinkDead   = problem.New(problem.NotFound, "HLD-40403", "This link is invalid or has expired.", "otp: the link is invalid or has expired")
)
