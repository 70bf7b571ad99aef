package claim

import (
	"time"

	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// Removal says whether people may remove their number without proof.
type Removal string

// The policies for removal.
const (
	RemovalAllow Removal = "allow"
	RemovalDeny  Removal = "deny"
)

// Resend says what a resend sends.
type Resend string

// The policies for resends.
const (
	ResendNew  Resend = "new"  // a new code; the old one is dead
	ResendSame Resend = "same" // the old code while it lives
)

// Policy is how the operator wants claims to be treated. The first four, and the
// calling codes of Coverage, may change while the program runs.
type Policy struct {
	Enabled          bool
	VerifyPrivileged bool
	VerifyAlways     bool
	Validity         time.Duration // of a code

	// Possible is how many different codes there are; 0 if that does not matter.
	Possible    int64
	Removal     Removal
	Taken       Taken // blank: TakenRefuse
	Resend      Resend
	Lifetime    time.Duration // of a claim
	Retention   time.Duration // of an ended claim
	SessionAge  time.Duration // the oldest sign-in that may change a number; 0 for any
	RequiredAAL RequiredAAL
	MaxAttempts int           // per claim; 0 for any number
	DayAttempts int           // per identity in 24 hours; 0 for any number
	Cooldown    time.Duration // after a claim's first text; doubles with each; 0 for none
	MaxTexts    int           // per claim; 0 for any number
	Texts       TextLimits
	Coverage    phone.Restrictions
	Traffic     fraud.Policy
	Notices     Notices
}

// Notices says what is told to whom beside the code, about numbers that replace
// a verified one.
type Notices struct {
	OldNumber bool          // a text to the old number after a change
	Webhook   bool          // the operator's webhook: when a claim opens, after a change, at disputes
	Window    time.Duration // how long after a change "that was not me" is heard
	Block     time.Duration // for how long that blocks further changes; 0 for not
}

const day = 24 * time.Hour

// cooldown returns how long the claim rests after its n-th text.
func (p Policy) cooldown(n int) time.Duration {
	rest := p.Cooldown
	for range n - 1 {
		if rest >= day {
			return day
		}
		rest *= 2
	}
	return rest
}

// tries returns how many tries the held claim may have, after those that the
// identity spent on its other claims within a day.
func (p Policy) tries(s IdentityClaims) int {
	const anyNumber = 1 << 30
	limit := anyNumber
	if p.MaxAttempts > 0 {
		limit = max(0, p.MaxAttempts-s.TriesBefore)
	}
	if p.DayAttempts > 0 {
		limit = min(limit, max(0, p.DayAttempts-s.TriesElsewhere))
	}
	return limit
}

// textLimits returns the limits on a text to a number.
func (p Policy) textLimits(m phone.Number) TextLimits {
	limits := p.Texts
	if p.Traffic.Mode == fraud.Enforce { // spares the usual text the look at its calling code
		limits.PerCodeHour = p.Traffic.Limit(m.CallingCode())
	}
	return limits
}

// textsLeft reports whether a claim with n texts may have another.
func (p Policy) textsLeft(n int) bool { return p.MaxTexts == 0 || n < p.MaxTexts }

// fresh reports whether a sign-in is young enough to change a number.
func (p Policy) recentEnough(signedIn, now time.Time) bool {
	return p.SessionAge == 0 || now.Sub(signedIn) <= p.SessionAge
}

// spent returns the limit that ended claims for a number have reached, as if
// they were one claim still: no text is left, or the next one would come too
// late for a claim that is made now.
func (p Policy) spent(h History, now time.Time) error {
	switch {
	case h.Texts > 0 && !p.textsLeft(h.Texts):
		return &problem.LimitError{Reason: ErrTooManyTexts, Until: h.Since.Add(p.Lifetime), Name: LimitClaimTexts}
	case h.NextText.Add(p.Validity).After(now.Add(p.Lifetime)):
		return &problem.LimitError{Reason: ErrTooSoon, Until: h.NextText, Name: LimitCooldown}
	default:
		return nil
	}
}
