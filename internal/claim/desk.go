package claim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/textclean"
)

// Helped are claims that are helped with as their owners would. [Service] is one.
type Helped interface {
	Resend(context.Context, Caller) error
	Cancel(context.Context, Caller) error
}

// Desk is where administrators look at claims and help with them.
type Desk struct {
	Archive Archive
	Claims  Helped
	Plan    phone.Parser
	Now     func() time.Time
}

// NumberShown is what the audit trail says when somebody looks at a full number.
const NumberShown = "number_shown"

// Search returns claims. A number may be typed in full, as people write it, or
// masked, as it is shown everywhere else. Error: ErrBadNumber.
func (d *Desk) Search(ctx context.Context, q ClaimQuery, number string) ([]Claim, error) {
	number = textclean.Clean(number)
	switch {
	case number == "":
	case strings.Contains(number, "*"):
		q.Masked = number
	default:
		wanted, err := phone.Parse(d.Plan, number)
		if err != nil {
			return nil, err
		}
		q.Number = wanted
	}
	return d.Archive.FindClaims(ctx, q)
}

// ClaimHistory is one claim with all that happened to it, oldest first.
type ClaimHistory struct { //nolint:revive // History is what claims for a number leave behind
	Claim  Claim
	Events []EventRecord
	Texts  []TextRecord
}

// mostOfOne bounds the lines of one claim. Limits keep them far below.
const mostOfOne = 500

// History returns one claim. Error: ErrNoClaim.
func (d *Desk) History(ctx context.Context, claimID string) (ClaimHistory, error) {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return ClaimHistory{}, err
	}
	h := ClaimHistory{Claim: c}
	if h.Events, err = d.Archive.FindEvents(ctx, EventQuery{ClaimID: claimID, Limit: mostOfOne}); err != nil {
		return ClaimHistory{}, err
	}
	if h.Texts, err = d.Archive.FindTexts(ctx, TextQuery{ClaimID: claimID, Limit: mostOfOne}); err != nil {
		return ClaimHistory{}, err
	}
	slices.Reverse(h.Events)
	slices.Reverse(h.Texts)
	return h, nil
}

func (d *Desk) find(ctx context.Context, claimID string) (Claim, error) {
	c, err := d.Archive.Find(ctx, claimID)
	switch {
	case err != nil:
		return Claim{}, err
	case c == nil:
		return Claim{}, ErrNoClaim
	default:
		return *c, nil
	}
}

// Reveal returns a claim whose numbers the caller is about to show in full, and
// writes down who saw them; without that line there is no answer.
func (d *Desk) Reveal(ctx context.Context, claimID string, who audit.Actor) (Claim, error) {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return Claim{}, err
	}
	seen := event(c, NumberShown, who, d.Now())
	seen.Reason = ""
	if err := d.Archive.RecordEvent(ctx, seen); err != nil {
		return Claim{}, err
	}
	return c, nil
}

// Resend sends one open claim another text, as [Service.Resend] does.
func (d *Desk) Resend(ctx context.Context, claimID string, who audit.Actor) error {
	return d.act(ctx, claimID, who, d.Claims.Resend)
}

// Cancel ends one open claim, as [Service.Cancel] does.
func (d *Desk) Cancel(ctx context.Context, claimID string, who audit.Actor) error {
	return d.act(ctx, claimID, who, d.Claims.Cancel)
}

// act does for a claim's owner what an administrator asks for.
func (d *Desk) act(ctx context.Context, claimID string, who audit.Actor, do func(context.Context, Caller) error) error {
	c, err := d.find(ctx, claimID)
	if err != nil {
		return err
	}
	return do(ctx, Caller{IdentityID: c.IdentityID, ClaimID: c.ID, By: who, AuthenticatedAt: d.Now()})
}
