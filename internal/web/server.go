package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/ratelimit"
)

// MaxBody bounds request bodies, in bytes.
const MaxBody = 64 << 10

// Server is what the routes of a listener share.
type Server struct {
	Log *slog.Logger
	// Now returns the database's time, in UTC.
	Now func() time.Time
	// NewID returns a new request id.
	NewID func() string
	// Sessions authenticate owners; nil where a listener has no owners' routes.
	Sessions Sessions
	// Clients authenticate clients; nil where a listener has no clients' routes.
	Clients Clients
	// Privileged reports whether an identity's own record makes it a privileged
	// person; nil for nobody.
	Privileged func(ctx context.Context, identityID string) (bool, error)
	// Assured reports whether a person's sign-in is strong enough to change something
	// for others; nil where nobody may.
	Assured func(ctx context.Context, in claim.SignIn) error
	// NoPasswords refuses HTTP Basic.
	NoPasswords bool
	// Failures hear of failed authentications; nil for nobody.
	Failures *Failures
	// Passwords bound the wrong passwords of an address (HTTP Basic), and HookKeys
	// its wrong hook keys.
	Passwords *auth.Attempts
	HookKeys  ratelimit.Limit
	// Origins are those whose pages may use what browsers send by themselves: cookies
	// and passwords.
	Origins *Origins
	// SessionCookies are the names of Kratos' session cookies.
	SessionCookies []string
	// TrustedProxies are the addresses and networks whose X-Forwarded-For is
	// believed on this listener. None by default.
	TrustedProxies []string
	// Unbounded are the full paths of routes that bound their own time.
	Unbounded []string
	// Middleware goes around every request of the listener, before its access log.
	Middleware []gin.HandlerFunc
	// AccessLog writes a line of the log for each request.
	AccessLog bool
	// MonotonicNow measures how long requests take, for AccessLog alone. Unlike Now it must never
	// be set: time.Now is right, which has a monotonic reading.
	MonotonicNow func() time.Time
	// RenderError answers with an error in another form than the user API's; nil for that.
	RenderError func(*gin.Context, error)
	// ProblemPage shows browsers what went wrong; nil answers them as programs.
	ProblemPage func(*gin.Context, Problem)
}

// Engine returns an empty gin engine for one listener. It panics at nothing that
// a client sends; the error is about TrustedProxies.
func (s *Server) Engine() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	trusted, err := parseProxies(s.TrustedProxies)
	if err != nil {
		return nil, err
	}
	engine.Use(func(c *gin.Context) {
		c.Set(clientAddressKey{}, trusted.client(c.Request))
		// What is no page shows nothing, loads nothing and stands in no frame.
		c.Header("X-Content-Type-Options", "nosniff")
		c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		c.Header("Referrer-Policy", "no-referrer")
	})
	engine.Use(s.requestID)
	engine.Use(s.Middleware...)
	if s.AccessLog {
		engine.Use(s.access)
	}
	engine.Use(s.withDeadline, s.recoverPanic)
	engine.NoRoute(func(c *gin.Context) { s.Fail(c, ErrNoRoute) })
	engine.NoMethod(func(c *gin.Context) { s.Fail(c, ErrMethod) })
	return engine, nil
}

// AnswerTime is how long a request may work: whatever it waits for, a store or
// Kratos, is given up then, so that its caller gets an answer and not a closed
// connection. Past it goes only what must not be left undone, in seconds; a listener
// must wait for longer than both.
const AnswerTime = 10 * time.Second

// withDeadline ends a request's context when the time for its answer is over.
func (s *Server) withDeadline(c *gin.Context) {
	if slices.Contains(s.Unbounded, c.FullPath()) {
		c.Next()
		return
	}
	caller := c.Request.Context()
	ctx, cancel := context.WithTimeout(caller, AnswerTime)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
	c.Request = c.Request.WithContext(caller)
}

// recoverPanic turns a panic into an answer. What it was about stays in the log, and
// only its type, because a panic's value may hold what a client sent.
func (s *Server) recoverPanic(c *gin.Context) {
	defer func() {
		if r := recover(); r != nil {
			if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(r)
			}
			s.Log.ErrorContext(c.Request.Context(), "handler panicked", "route", c.FullPath(), "type", typeName(r))
			s.Fail(c, errPanic)
		}
	}()
	c.Next()
}
