package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/textclean"
)

// Claims does for a claim's owner what an administrator asks for. [claim.Service] is one.
type Claims interface {
	Resend(context.Context, claim.Caller) error
	Cancel(context.Context, claim.Caller) error
	RestoreNumber(ctx context.Context, alarmID string, who audit.Actor) error
	EndAlarmSessions(ctx context.Context, alarmID string, who audit.Actor) error
	CloseAlarm(ctx context.Context, alarmID string, outcome claim.AlarmOutcome, who audit.Actor) error
	LiftBlock(context.Context, claim.Caller) error
}

// Service is what administrators see and do; console and API are two faces of it.
type Service struct {
	Store  Store
	Claims Claims
	People *people.Finder
	// Directory reads people where they are kept.
	Directory people.Directory
	// Privileged reports whether an identity is a privileged person; nil for nobody.
	Privileged func(ctx context.Context, identityID string) (bool, error)
	Tests      TestTexts
	Plan       phone.Parser
	Statistics Statistics
	// Coverage is which numbers are texted now.
	Coverage func() phone.Restrictions
	// Gateways are those of this process, in order of preference.
	Gateways func() []Gateway
	Tokens   Tokens
	// NewToken returns a secret that nobody can guess.
	NewToken func() auth.TokenSecret
	// Configured are the tokens of the configuration, which cannot be revoked here.
	Configured []auth.Token
	Now        func() time.Time
}

// NumberShown is what the audit trail says when somebody looks at a full number.
const NumberShown = "number_shown"

// mostOwners bounds whose claims are shown when a number is asked for. A number has
// few owners; a mask may fit many.
const mostOwners = 2000

// Search returns claims. A number may be typed in full, as people write it, or
// masked, as it is shown everywhere else. Errors: ErrBadNumber; ErrTooMany for a mask
// that fits too many people.
func (d *Service) Search(ctx context.Context, q ClaimQuery, number string) ([]claim.Claim, error) {
	number = textclean.Clean(number)
	if number == "" {
		return d.Store.FindClaims(ctx, q)
	}
	var found people.Result
	var err error
	if strings.Contains(number, "*") {
		q.Masked = number
		found, err = d.People.ByMask(ctx, number, mostOwners)
	} else {
		if q.Number, err = phone.Parse(d.Plan, number); err == nil {
			found, err = d.People.ByNumber(ctx, q.Number, mostOwners)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case found.More:
		return nil, ErrTooMany
	case q.IdentityIDs == nil:
		q.IdentityIDs = found.IdentityIDs
	default:
		q.IdentityIDs = slices.DeleteFunc(slices.Clone(q.IdentityIDs), func(id string) bool { return !slices.Contains(found.IdentityIDs, id) })
	}
	if len(q.IdentityIDs) == 0 {
		return nil, nil
	}
	return d.Store.FindClaims(ctx, q)
}

// ClaimHistory is one claim with all that happened to it, oldest first.
type ClaimHistory struct {
	Claim  claim.Claim
	Events []EventRecord
	Texts  []TextRecord
}

// mostOfOne bounds the lines of one claim. Limits keep them far below.
const mostOfOne = 500

// History returns one claim. Error: ErrNoClaim.
func (d *Service) History(ctx context.Context, claimID string) (ClaimHistory, error) {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return ClaimHistory{}, err
	}
	h := ClaimHistory{Claim: c}
	if h.Events, err = d.Store.FindEvents(ctx, EventQuery{ClaimID: claimID, Limit: mostOfOne}); err != nil {
		return ClaimHistory{}, err
	}
	if h.Texts, err = d.Store.FindTexts(ctx, TextQuery{ClaimID: claimID, Limit: mostOfOne}); err != nil {
		return ClaimHistory{}, err
	}
	slices.Reverse(h.Events)
	slices.Reverse(h.Texts)
	return h, nil
}

func (d *Service) find(ctx context.Context, claimID string) (claim.Claim, error) {
	c, err := d.Store.Find(ctx, claimID)
	switch {
	case err != nil:
		return claim.Claim{}, err
	case c == nil:
		return claim.Claim{}, ErrNoClaim
	default:
		return *c, nil
	}
}

// Reveal returns a claim whose numbers the caller is about to show in full, and
// writes down who saw them; without that line there is no answer.
func (d *Service) Reveal(ctx context.Context, claimID string, who audit.Actor) (claim.Claim, error) {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return claim.Claim{}, err
	}
	seen := claim.NewEvent(c, NumberShown, who, d.Now())
	seen.Reason = ""
	if err := d.Store.RecordEvent(ctx, seen); err != nil {
		return claim.Claim{}, err
	}
	return c, nil
}

// Resend sends one open claim another text, as [Service.Resend] does.
func (d *Service) Resend(ctx context.Context, claimID string, who audit.Actor) error {
	return d.act(ctx, claimID, who, d.Claims.Resend)
}

// Cancel ends one open claim, as [Service.Cancel] does. Error: ErrPrivilegedPerson.
func (d *Service) Cancel(ctx context.Context, claimID string, who auth.Administrator) error {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return err
	}
	if err := d.mayWrite(ctx, c.IdentityID, who); err != nil {
		return err
	}
	return d.act(ctx, claimID, who.Actor, d.Claims.Cancel)
}

// mayWrite refuses an administrator without privilege a privileged person: ErrPrivilegedPerson.
func (d *Service) mayWrite(ctx context.Context, identityID string, who auth.Administrator) error {
	if who.Privileged || d.Privileged == nil {
		return nil
	}
	privileged, err := d.Privileged(ctx, identityID)
	if err == nil && privileged {
		err = ErrPrivilegedPerson
	}
	if errors.Is(err, claim.ErrNoIdentity) {
		return nil
	}
	return err
}

// act does for a claim's owner what an administrator asks for.
func (d *Service) act(ctx context.Context, claimID string, who audit.Actor, do func(context.Context, claim.Caller) error) error {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return err
	}
	return do(ctx, claim.Caller{IdentityID: c.IdentityID, ClaimID: c.ID, By: who, AuthenticatedAt: d.Now()})
}
