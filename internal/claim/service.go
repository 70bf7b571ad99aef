package claim

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Options are what a [Service] is made of.
type Options struct {
	Store      Store
	Identities Identities
	Holders    Holders // nil takes no number from anybody
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

// NewService returns a service.
func NewService(o Options) *Service { return &Service{o} }

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

// again runs an operation until it is not raced.
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

// event is the audit line for a claim that just entered its state.
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

// stoppedPause is how soon a caller may ask again about a country whose traffic
// is stopped.
const stoppedPause = 10 * time.Minute

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
func finish(c Claim, state State, reason string, now time.Time) Claim {
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
func (s *Service) end(ctx context.Context, c Claim, state State, reason string, who audit.Actor) (Claim, error) {
	return s.conclude(ctx, c.State, finish(c, state, reason, s.Now()), who)
}

// conclude commits a claim that has ended.
func (s *Service) conclude(ctx context.Context, from State, done Claim, who audit.Actor, notices ...message.Text) (Claim, error) {
	now := done.EndedAt
	err := s.commit(ctx, Change{
		Transitions: []Transition{{From: from, Claim: done, EraseIdentity: done.State == Orphaned}},
		Notices:     notices, Events: []audit.Event{NewEvent(done, string(done.State), who, now)}, At: now,
	})
	done.Version++
	return done, err
}
