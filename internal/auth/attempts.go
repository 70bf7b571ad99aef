package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdline/holdline/internal/ratelimit"
)

// Attempts bound how many passwords a client address may have wrong, whatever
// the user names. nil bounds nothing.
type Attempts struct {
	Limiter  ratelimit.Limiter
	Failures ratelimit.Limit
	// HashKey hashes the addresses that the limiter counts by. Replicas count
	// together if they have the same.
	HashKey []byte
	Now     func() time.Time
	Log     *slog.Logger
}

// Try takes one try of the address before anything is compared, and gives it back
// unless it fails with ErrNoSession: so no guess is free, not beside many others at
// once either. At the limit it makes none, and fails with a *problem.LimitError
// (ErrTooManyTries).
func (a *Attempts) Try(ctx context.Context, address string, try func() error) error {
	if a == nil || !a.Failures.Bounded() {
		return try()
	}
	name := ratelimit.HashedName(a.HashKey, "password", ratelimit.Network(address))
	if err := a.Limiter.Take(ctx, name, a.Failures, a.Now()); err != nil {
		return fmt.Errorf("count a try: %w", err)
	}
	err := try()
	// With a second factor missing the password was right.
	if errors.Is(err, ErrNoSession) && !errors.Is(err, ErrSecondFactor) {
		return err
	}
	if fault := a.Limiter.GiveBack(ctx, name, a.Failures, a.Now()); fault != nil {
		a.Log.WarnContext(ctx, "a login counts as a wrong password of its address", "error", fault)
	}
	return err
}
