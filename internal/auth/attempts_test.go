package auth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
)

func newAttempts(most int) *auth.Attempts {
	return &auth.Attempts{
		Limiter: &storetest.Limiter{}, Failures: ratelimit.Limit{Most: most, Window: time.Hour}, HashKey: []byte("k"),
		Now: func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
	}
}

// Of many tries at once no more are compared than the address has.
func TestTriesAtOnceStopAtTheLimitOfTheirAddress(t *testing.T) {
	attempts := newAttempts(5)
	var compared atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := attempts.Try(t.Context(), "192.0.2.1", func() error { compared.Add(1); return auth.ErrNoSession })
			if !errors.Is(err, auth.ErrNoSession) && !errors.Is(err, ratelimit.ErrTooManyTries) {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if got := compared.Load(); got != 5 {
		t.Errorf("compared: got %d, want 5", got)
	}
}

func TestOnlyWrongPasswordsCountForAnAddress(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		counts bool
	}{
		"right":                {nil, false},
		"wrong":                {auth.ErrNoSession, true},
		"wrapped":              {fmt.Errorf("log in: %w", auth.ErrNoSession), true},
		"a second factor":      {auth.ErrSecondFactor, false},
		"Kratos away":          {claim.ErrIdentitiesUnavailable, false},
		"the user's own limit": {&problem.LimitError{Reason: ratelimit.ErrTooManyTries}, false},
	} {
		t.Run(name, func(t *testing.T) {
			attempts := newAttempts(1)
			try := func() (compared bool) {
				_ = attempts.Try(t.Context(), "192.0.2.1", func() error { compared = true; return tt.err })
				return compared
			}
			if !try() || try() == tt.counts {
				t.Errorf("after one try: counts is %t, want %t", !tt.counts, tt.counts)
			}
		})
	}
	off := newAttempts(0)
	for range 3 {
		wantErr(t, off.Try(t.Context(), "x", func() error { return auth.ErrNoSession }), auth.ErrNoSession)
	}
}
