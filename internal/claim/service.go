package claim

import (
	"context"
	"log/slog"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// Options are what a [Service] is made of.
type Options struct {
	Store      Store
	Identities Identities
	Holders    Holders // nil takes no number from anybody
	Trials     Trials  // nil knows of none
	Codes      *otp.Codes
	Plan       phone.Parser
	// Policy returns the policy in force now.
	Policy func() Policy
	// Now returns the database's time, in UTC.
	Now func() time.Time
	// NewID returns a unique id of at most 36 characters.
	NewID func() string
	// Jitter spreads a wait, so that replicas do not knock together.
	Jitter func(time.Duration) time.Duration
	// Send hands a queued text over to the worker that sends it. It must not wait.
	Send func(message.Text)
	// EndSessions ends all sessions of an identity; nil where nothing does. Errors are
	// those of Identities.
	EndSessions func(ctx context.Context, identityID string) error
	// Stopped tells that the traffic to a calling code is stopped just now; nil
	// stops none.
	Stopped func(callingCode string) bool
	// OnCommit hears of each change that was made, before its texts are handed over,
	// and of the notices among it that were withheld; nil for nobody.
	OnCommit func(ctx context.Context, change Change, withheld []message.Text)
	Log      *slog.Logger
}

// Service takes claims through their lives. Its methods may be called at the
// same time, on several replicas.
type Service struct{ Options }

// New returns a service.
func New(o Options) *Service { return &Service{o} }

const (
	// textLease is how long the process that queued a text has for sending it
	// before another one does.
	textLease = 20 * time.Second
	// writeLease outlasts the slowest write of one identity to the directory,
	// which writeTimeout bounds.
	writeLease   = 20 * time.Second
	writeTimeout = 12 * time.Second
	// raceRetries bounds how often an operation looks again after a lost race.
	raceRetries = 5
)

// stoppedPause is how soon a caller may ask again about a country whose traffic
// is stopped.
const stoppedPause = 10 * time.Minute
