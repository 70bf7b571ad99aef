package claim

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// RetryConcurrent runs an operation until it meets no concurrent update.
func RetryConcurrent(ctx context.Context, once func() error) error {
	for range raceRetries {
		if err := once(); !errors.Is(err, ErrConcurrentUpdate) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return ErrConcurrentUpdate
}

// NewEvent is the audit line for a claim that just entered its state.
func NewEvent(c Claim, kind string, who audit.Actor, at time.Time) audit.Event {
	return audit.Event{
		ClaimID: c.ID, IdentityID: c.IdentityID, Kind: kind, Actor: who,
		Number: c.Number.String(), Reason: c.Reason, At: at,
	}
}

// commit makes a change and says so in the log. A text that was queued with it
// is handed to its worker at once, unless it is for later.
func (s *Service) commit(ctx context.Context, change Change) error {
	var withheld []message.Text
	change.Withhold = func(notice message.Text) { withheld = append(withheld, notice) }
	if len(change.Notices) > 0 {
		change.Limits.NoticesPerNumberDay = s.Policy().Texts.NoticesPerNumberDay
	}
	if err := s.Store.Commit(ctx, change); err != nil {
		return err
	}
	if s.OnCommit != nil {
		s.OnCommit(ctx, change, withheld)
	}
	if change.Text != nil && !change.Text.CreatedAt.After(change.At) {
		s.Send(*change.Text)
	}
	for _, notice := range change.Notices {
		if !slices.ContainsFunc(withheld, func(t message.Text) bool { return t.ID == notice.ID }) {
			s.Send(notice)
			continue
		}
		s.Log.WarnContext(ctx, "notice withheld", "claim", notice.Code.ClaimID, "identity", notice.IdentityID,
			"number", notice.To, "limit", LimitNumberNotices)
	}
	for _, e := range change.Events {
		msg := "claim " + e.Kind
		if e.ClaimID == "" {
			msg = e.Kind
		}
		s.Log.InfoContext(ctx, msg, "claim", e.ClaimID, "identity", e.IdentityID,
			"number", e.Number, "actor", e.Actor.Kind, "reason", e.Reason)
	}
	return nil
}

// newCode gives a claim its next code and returns the text that carries it. A
// claim that still has to rest, because one before it had a text to the same
// number, is texted when it may be.
func (s *Service) newCode(c *Claim, p Policy, now time.Time, address, language string) *message.Text {
	lease := now.Add(textLease)
	if now.Before(c.NextText) {
		now, lease = c.NextText, c.NextText
	}
	same := p.Resend == ResendSame && c.CodeNumber > 0 && now.Before(c.CodeExpires)
	if !same {
		c.CodeNumber++
		c.CodeKey = s.Codes.Key()
		c.CodeExpires = now.Add(p.Validity)
	}
	c.Texts++
	c.NextText = now.Add(p.cooldown(c.Texts))
	// Workers act for people whose address and language the claim knows.
	c.LastAddress, c.Language = cmp.Or(ratelimit.Network(address), c.LastAddress), cmp.Or(language, c.Language)
	return &message.Text{
		ID: s.NewID(), Kind: message.TextCode, Channel: message.ChannelSMS, IdentityID: c.IdentityID, To: c.Number, Code: c.Code(),
		Expires: c.CodeExpires, Validity: c.CodeExpires.Sub(now), Language: c.Language, ClientIP: c.LastAddress,
		CreatedAt: now, LeaseUntil: lease,
	}
}

// served reports whether a number may be texted now. Errors: ErrNumberNotServed,
// and ErrCallingCodeFull with its end.
func (s *Service) checkDestination(ctx context.Context, m phone.Number, now time.Time) error {
	policy := s.Policy()
	if err := policy.Coverage.Check(m); err != nil {
		return err
	}
	if s.Stopped != nil && s.Stopped(m.CallingCode()) {
		return &problem.LimitError{Reason: ErrCallingCodeFull, Until: now.Add(stoppedPause), Name: LimitCodeShare}
	}
	budget := TextLimits{PerCodeHour: policy.textLimits(m).PerCodeHour}
	if budget.PerCodeHour == 0 {
		return nil
	}
	room, err := s.Store.NextAllowed(ctx, message.Text{To: m}, budget, now)
	if err == nil && room.After(now) {
		err = &problem.LimitError{Reason: ErrCallingCodeFull, Until: room, Name: LimitCodeTexts}
	}
	return err
}

// opened makes a claim open, from staged or from nothing.
func opened(c Claim, p Policy, now time.Time) Claim {
	c.State = Open
	c.LapsesAt = now.Add(p.Lifetime)
	c.PendingSync, c.DueAt = SyncLastLook, now.Add(min(lastLook, p.Lifetime))
	c.DueTries = 0
	return c
}

// ended makes a claim end. Its marker is to be removed from the identity unless
// the state says that another claim or nobody owns it.
func asEnded(c Claim, state State, reason string, now time.Time) Claim {
	c.State = state
	c.Reason = reason
	c.EndedAt = now
	c.DueTries = 0
	c.PendingSync, c.DueAt = SyncDone, time.Time{}
	switch state {
	case Cancelled, Locked, Lapsed, Conflict:
		c.PendingSync, c.DueAt = SyncClear, now
	case Applied:
		c.PendingSync, c.DueAt = SyncLook, now.Add(firstLook)
	case Staged, Open, Verified, Discarded, Superseded, Orphaned:
	}
	return c
}

// end commits the end of a claim.
func (s *Service) endNow(ctx context.Context, c Claim, state State, reason string, who audit.Actor) (Claim, error) {
	return s.commitEnd(ctx, c.State, asEnded(c, state, reason, s.Now()), who)
}

// conclude commits a claim that has ended.
func (s *Service) commitEnd(ctx context.Context, from State, done Claim, who audit.Actor, notices ...message.Text) (Claim, error) {
	now := done.EndedAt
	err := s.commit(ctx, Change{
		Transitions: []Transition{{From: from, Claim: done, EraseIdentity: done.State == Orphaned}},
		Notices:     notices, Events: []audit.Event{NewEvent(done, string(done.State), who, now)}, At: now,
	})
	done.Version++
	return done, err
}
