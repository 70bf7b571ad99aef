package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/audit"
)

// AdminSession is a sign-in at the console, by the token of an operator or by
// the Kratos session of a privileged person.
type AdminSession struct {
	Digest SessionDigest
	// Token is the digest of the token that it stands on; zero for a person's.
	Token TokenDigest
	// IdentityID is whose Kratos session it stands on; blank for a token's.
	IdentityID string
	Name       string // of the token, or the identity's id
	CreatedAt  time.Time
	SeenAt     time.Time // to about a minute
}

// SessionDigest is the SHA-256 of a session's secret, which only the browser has.
type SessionDigest [sha256.Size]byte

func (d SessionDigest) String() string { return hex.EncodeToString(d[:]) }

// DigestSession returns a session secret's digest.
func DigestSession(secret string) SessionDigest { return sha256.Sum256([]byte(secret)) }

// AdminSessionStore keeps the console's sessions. An implementer must hold to this:
// beginning and ending are made with their event or not at all. Errors are those
// named here, or wrap problem.ErrStoreUnavailable.
type AdminSessionStore interface {
	BeginSession(ctx context.Context, s AdminSession, e audit.Event) error
	// FindSession returns a session; if there is none, ErrNoSession.
	FindSession(ctx context.Context, d SessionDigest) (AdminSession, error)
	// TouchSession notes when a session was used.
	TouchSession(ctx context.Context, d SessionDigest, at time.Time) error
	// EndSession removes a session, with the event if there was one.
	EndSession(ctx context.Context, d SessionDigest, e audit.Event) error
	// PruneSessions removes sessions that were not used since then.
	PruneSessions(ctx context.Context, before time.Time) error
}

// What the audit trail says of the console's doors.
const (
	AdminSignedIn  = "console_signed_in"
	AdminSignedOut = "console_signed_out"
)

const (
	// seenEvery is how exactly the use of a session is noted.
	seenEvery = time.Minute
	// sessionLongest bounds a session that is used all the time.
	sessionLongest = 12 * time.Hour
)

// Administrator is who works at the console, and how far their right goes.
type Administrator struct {
	audit.Actor
	// Privileged says that they may write to privileged people; and Scopes what tokens of
	// theirs may allow, which end with their own right: zero for never.
	Privileged bool
	Scopes     []Scope
	Until      time.Time
}

// MayGive reports whether a token is no more than its maker's own right: ErrNoScope.
func (a Administrator) MayGive(t Token) error {
	for _, scope := range t.Scopes {
		if !slices.Contains(a.Scopes, scope) {
			return ErrNoScope
		}
	}
	if t.Privileged && !a.Privileged {
		return ErrNoScope
	}
	if !a.Until.IsZero() && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(a.Until)) {
		return ErrNoScope
	}
	return nil
}

// Person is the owner of a Kratos session.
type Person struct {
	IdentityID string
	// Proven reports whether they signed in lately and strongly enough to act for
	// others.
	Proven func(context.Context) error
}

// AdminSessions begins, checks and ends the sessions of administrators.
type AdminSessions struct {
	Sessions AdminSessionStore
	// Clients tells tokens, and counts wrong ones.
	Clients *Authenticator
	// Person returns the owner of a Cookie header's Kratos session, and
	// Privileged whether their record makes them a privileged person.
	Person     func(ctx context.Context, cookie string) (Person, error)
	Privileged func(ctx context.Context, identityID string) (bool, error)
	// Idle is how long a session lives without being used.
	Idle      time.Duration
	NewSecret func() string
	Now       func() time.Time
}

// SignInByToken begins a session for who has a token that may manage claims, and
// returns its secret. Errors: those of [Authenticator.Client], and ErrNoScope.
func (a *AdminSessions) SignInByToken(ctx context.Context, token, address string) (string, error) {
	found, err := a.Clients.Client(ctx, token, address)
	if err != nil {
		return "", err
	}
	if !found.Has(ScopeClaimsManage) {
		return "", ErrNoScope
	}
	return a.begin(ctx, AdminSession{Token: found.Digest, Name: found.Name}, address)
}

// SignInByCookie begins a session for a privileged person. Errors: ErrNoSession,
// ErrNoScope, those of [Person].Proven, or one that wraps the error of a Kratos that
// does not answer.
func (a *AdminSessions) SignInByCookie(ctx context.Context, cookie, address string) (string, error) {
	person, err := a.person(ctx, cookie)
	if err != nil {
		return "", err
	}
	if err := person.Proven(ctx); err != nil {
		return "", err
	}
	return a.begin(ctx, AdminSession{IdentityID: person.IdentityID, Name: person.IdentityID}, address)
}

// person returns a privileged person.
func (a *AdminSessions) person(ctx context.Context, cookie string) (Person, error) {
	if cookie == "" {
		return Person{}, ErrNoSession
	}
	person, err := a.Person(ctx, cookie)
	if err != nil {
		return Person{}, err
	}
	privileged, err := a.Privileged(ctx, person.IdentityID)
	if err == nil && !privileged {
		err = ErrNoScope
	}
	return person, err
}

func (a *AdminSessions) begin(ctx context.Context, s AdminSession, address string) (string, error) {
	secret, now := a.NewSecret(), a.Now()
	s.Digest, s.CreatedAt, s.SeenAt = DigestSession(secret), now, now
	return secret, a.Sessions.BeginSession(ctx, s, audit.Event{Kind: AdminSignedIn, Actor: s.actor(address), At: now})
}

func (s AdminSession) actor(address string) audit.Actor {
	return audit.Actor{Kind: audit.Administrator, ID: s.Name, ClientIP: address}
}

// Check returns who a session's secret is of. The session lives no longer than
// what it stands on: a token that is revoked or a Kratos session that has ended
// ends it too. Errors: ErrNoSession, ErrNoScope for a person who is no longer
// privileged, or one that wraps the error of a store or a Kratos that does not answer.
func (a *AdminSessions) Check(ctx context.Context, secret, cookie, address string) (Administrator, error) {
	return a.check(ctx, secret, cookie, address, true)
}

// Watch is Check for what nobody asked for, such as a page that looks again by itself: it does not
// keep the session alive.
func (a *AdminSessions) Watch(ctx context.Context, secret, cookie, address string) (Administrator, error) {
	return a.check(ctx, secret, cookie, address, false)
}

func (a *AdminSessions) check(ctx context.Context, secret, cookie, address string, used bool) (Administrator, error) {
	if secret == "" {
		return Administrator{}, ErrNoSession
	}
	now := a.Now()
	s, err := a.Sessions.FindSession(ctx, DigestSession(secret))
	if err != nil {
		return Administrator{}, err
	}
	// A use within the last minute may not be noted.
	if now.Sub(s.SeenAt) >= a.Idle || now.Sub(s.CreatedAt) >= sessionLongest {
		return Administrator{}, ErrNoSession
	}
	who := Administrator{Actor: s.actor(address)}
	if err := a.checkCredential(ctx, s, cookie, &who); err != nil {
		return Administrator{}, err
	}
	if used && now.Sub(s.SeenAt) >= min(seenEvery, a.Idle/2) {
		if err := a.Sessions.TouchSession(ctx, s.Digest, now); err != nil {
			return Administrator{}, err
		}
	}
	return who, nil
}

// checkCredential reports whether what a session stands on is in force, and notes what it allows.
func (a *AdminSessions) checkCredential(ctx context.Context, s AdminSession, cookie string, who *Administrator) error {
	if s.IdentityID != "" {
		person, err := a.person(ctx, cookie)
		if err == nil && person.IdentityID != s.IdentityID {
			err = ErrNoSession
		}
		who.Privileged, who.Scopes = true, Scopes()
		return err
	}
	token, err := a.Clients.Known(ctx, s.Token)
	switch {
	case errors.Is(err, ErrNoToken):
		return ErrNoSession
	case err == nil && !token.Has(ScopeClaimsManage):
		return ErrNoScope
	}
	who.Privileged, who.Scopes, who.Until = token.Privileged, token.Scopes, token.ExpiresAt
	return err
}

// SignOut ends a session.
func (a *AdminSessions) SignOut(ctx context.Context, secret string, who audit.Actor) error {
	return a.Sessions.EndSession(ctx, DigestSession(secret), audit.Event{Kind: AdminSignedOut, Actor: who, At: a.Now()})
}
