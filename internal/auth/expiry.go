package auth

import (
	"context"
	"log/slog"
	"time"
)

// expirySoon is how long before a token expires the log begins to warn of it, and
// warnEvery how often it does.
const (
	expirySoon = 30 * 24 * time.Hour
	warnEvery  = 24 * time.Hour
)

// Expiries warn of tokens whose time is nearly over. [Expiries.Once] is for one
// goroutine.
type Expiries struct {
	Tokens Tokens
	// Configured tokens are in force without being kept.
	Configured []Token
	// Report hears of all tokens that expire or have expired, and were not revoked.
	Report func([]Token)
	Now    func() time.Time
	Log    *slog.Logger

	warned map[string]time.Time
}

// Once looks at all tokens. The error wraps problem.ErrStoreUnavailable.
func (e *Expiries) Once(ctx context.Context) error {
	kept, err := e.Tokens.List(ctx)
	if err != nil {
		return err
	}
	if e.warned == nil {
		e.warned = map[string]time.Time{}
	}
	now, expiring := e.Now(), []Token(nil)
	for _, t := range append(e.Configured[:len(e.Configured):len(e.Configured)], kept...) {
		if t.ExpiresAt.IsZero() || !t.RevokedAt.IsZero() {
			continue
		}
		expiring = append(expiring, t)
		if last, ok := e.warned[t.Name]; now.Add(expirySoon).Before(t.ExpiresAt) || ok && now.Sub(last) < warnEvery {
			continue
		}
		e.warned[t.Name] = now
		msg := "token expires soon"
		if t.Expired(now) {
			msg = "token has expired"
		}
		e.Log.WarnContext(ctx, msg, "token", t.Name, "expires", t.ExpiresAt)
	}
	e.Report(expiring)
	return nil
}
