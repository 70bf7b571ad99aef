package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Credential is what somebody authenticates with.
type Credential string

// The credentials.
const (
	Password Credential = "password" // HTTP Basic
	Session  Credential = "session"  // Kratos'
	Token    Credential = "token"    // a client's or an operator's
	HookKey  Credential = "hook_key"
	Console  Credential = "console" // a sign-in at the console, or its session
	Receipt  Credential = "receipt" // a provider's signature or secret
)

// Refusal is why an authentication failed.
type Refusal string

// The refusals.
const (
	Wrong        Refusal = "wrong"         // or expired, revoked, missing where there must be one
	Limited      Refusal = "limit"         // too many wrong ones: it was not compared
	SecondFactor Refusal = "second_factor" // right, and not enough
)

// refusalOf reports whether an error is a failed authentication; blank for none.
func refusalOf(err error) Refusal {
	switch {
	case errors.Is(err, ratelimit.ErrTooManyTries):
		return Limited
	case errors.Is(err, auth.ErrSecondFactor):
		return SecondFactor
	case errors.Is(err, auth.ErrNoSession), errors.Is(err, auth.ErrNoToken), errors.Is(err, ErrNoHookKey),
		errors.Is(err, message.ErrReceiptUnproven):
		return Wrong
	default:
		return ""
	}
}

const (
	// failureWindow is how long the failures of one address are one line.
	failureWindow = time.Minute
	// failureLines bounds the lines in that time, however many addresses there are.
	failureLines = 60
)

// Failures is the one place that hears of failed authentications. Each is
// counted. In the log the first of a credential and an address within a minute is
// a line of its own, of at most 60 in all, so that a flood of them does not flood
// the log; how many had none is one line when the minute is over. nil hears
// nothing.
type Failures struct {
	Log *slog.Logger
	Now func() time.Time
	// Count hears of each failure; nil for nobody.
	Count func(Credential, Refusal)

	mu     sync.Mutex
	began  time.Time // the minute
	told   map[failure]bool
	untold int
}

type failure struct {
	credential Credential
	address    string
}

// Note hears of an authentication's error, and returns it. Errors that are no
// failed authentication are none of its business. The secret is not given to it.
func (f *Failures) Note(ctx context.Context, credential Credential, address string, err error) error {
	refusal := refusalOf(err)
	if f == nil || refusal == "" {
		return err
	}
	if f.Count != nil {
		f.Count(credential, refusal)
	}
	f.Flush(ctx)
	if f.tell(failure{credential, address}) {
		level := slog.LevelWarn
		if credential == Session {
			level = slog.LevelInfo // sessions end, and browsers do not know
		}
		f.Log.Log(ctx, level, "authentication failed", "credential", credential, "reason", refusal, "address", address)
	}
	return err
}

// tell reports whether a failure gets a line.
func (f *Failures) tell(of failure) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.told[of] || len(f.told) >= failureLines {
		f.untold++
		return false
	}
	f.told[of] = true
	return true
}

// Flush ends the minute when it is over. Call it every now and then, for a flood
// that has ended.
func (f *Failures) Flush(ctx context.Context) {
	f.mu.Lock()
	now := f.Now()
	if f.told != nil && now.Sub(f.began) < failureWindow {
		f.mu.Unlock()
		return
	}
	untold := f.untold
	f.began, f.told, f.untold = now, map[failure]bool{}, 0
	f.mu.Unlock()
	if untold > 0 {
		f.Log.WarnContext(ctx, "authentications failed that have no line of their own", "count", untold)
	}
}

// Failed notes the error of a request's authentication, and returns it.
func (s *Server) Failed(c *gin.Context, credential Credential, err error) error {
	return s.Failures.Note(c.Request.Context(), credential, ClientAddress(c), err)
}

// networkCookie begins the names of Ory Network's session cookies.
const networkCookie = "ory_session_"

// hasSession reports whether a browser sends a cookie that is meant to be a session.
func (s *Server) hasSession(c *gin.Context) bool {
	return slices.ContainsFunc(c.Request.Cookies(), func(cookie *http.Cookie) bool {
		return slices.Contains(s.SessionCookies, cookie.Name) || strings.HasPrefix(cookie.Name, networkCookie)
	})
}
