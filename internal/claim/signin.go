package claim

import (
	"context"
	"strings"
	"time"
)

// Assurance is how well somebody proved who they are, in Kratos' words: its
// authenticator assurance level (https://www.ory.sh/docs/kratos/mfa/overview).
type Assurance string

// The levels. Blank is unknown, and counts as one factor.
const (
	AAL1 Assurance = "aal1" // one factor, such as a password
	AAL2 Assurance = "aal2" // a second one as well
)

// RequiredAAL says what assurance a change needs that does not come through
// Kratos' own form, which has a setting of the same name.
type RequiredAAL string

// The values of kratos.required_aal.
const (
	RequireAAL1             RequiredAAL = "aal1"
	RequireHighestAvailable RequiredAAL = "highest_available" // AAL2 of people who have a second factor
)

// SignIn is when and how a person signed in.
type SignIn struct {
	At        time.Time
	Assurance Assurance
	// Factors lists the second factors that the person has and did not use, by
	// Kratos' names of methods; nil where there are none to ask for. It may ask
	// Kratos. The error wraps ErrIdentitiesUnavailable, or is ErrNoSession.
	Factors func(context.Context) ([]string, error)
}

// SecondFactorError is an [ErrNeedsSecondFactor]: it says that a change needs one of the factors that a person has
// beside the one that they signed in with.
type SecondFactorError struct{ Missing []string }

func (e *SecondFactorError) Error() string {
	return "a second factor is missing: " + strings.Join(e.Missing, " or ")
}

func (e *SecondFactorError) Unwrap() error { return ErrNeedsSecondFactor }

// Proven reports whether a sign-in is good enough to change what an account is
// reached or opened by: as young and as strong as Kratos' own form asks for. Nil is
// somebody who does not sign in, such as a client. Errors: ErrSessionTooOld, a
// *SecondFactorError, or those of [SignIn].Factors.
func (s *Service) Proven(ctx context.Context, in *SignIn) error {
	if in == nil {
		return nil
	}
	if err := s.RequireRecentSignIn(in.At); err != nil {
		return err
	}
	return s.Assured(ctx, *in)
}

// Assured reports whether a sign-in is as strong as the policy asks for; errors are
// those of [Service.Proven].
func (s *Service) Assured(ctx context.Context, in SignIn) error { return s.Policy().assured(ctx, in) }

// assured reports whether a sign-in is as strong as the policy asks for.
func (p Policy) assured(ctx context.Context, in SignIn) error {
	if p.RequiredAAL != RequireHighestAvailable || in.Assurance == AAL2 || in.Factors == nil {
		return nil
	}
	missing, err := in.Factors(ctx)
	if err == nil && len(missing) > 0 {
		err = &SecondFactorError{missing}
	}
	return err
}

// RequireRecentSignIn reports whether a sign-in is young enough to change what an account is
// reached by; otherwise the error is ErrSessionTooOld.
func (s *Service) RequireRecentSignIn(signedIn time.Time) error {
	if !s.Policy().recentEnough(signedIn, s.Now()) {
		return ErrSessionTooOld
	}
	return nil
}
