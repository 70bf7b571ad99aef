package claim

import (
	"context"
	"errors"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// NumberPutBack is what the audit trail says of a number that an administrator wrote again after a
// change was denied.
const NumberPutBack = "number_put_back"

// ErrAlarmClosed says that somebody has decided on the case.
var ErrAlarmClosed = problem.New(problem.Conflict, "HLD-40909", "The case is closed: somebody has decided on it.", "claim: the alarm is closed")

// RestoreNumber writes the number that an identity had before a change that was denied, marked
// verified if it was so then, whatever it has by now; cancels what is waiting; and closes the case.
// The number that this ends is told as any other, with a link to deny it: it may be the owner's, and
// who complained somebody with their old phone. After a crash the same again finds what was done.
// Errors: ErrNoAlarm, ErrAlarmClosed, ErrBeingApplied, and those of [Identities].
func (s *Service) RestoreNumber(ctx context.Context, alarmID string, who audit.Actor) error {
	a, err := s.openAlarm(ctx, alarmID)
	if err != nil {
		return err
	}
	return s.WithLease(ctx, a.IdentityID, func(ctx context.Context) error {
		if _, err := s.openAlarm(ctx, alarmID); err != nil { // decided on while others had the lease
			return err
		}
		living, err := s.Store.Current(ctx, a.IdentityID, s.Now().Add(-day))
		if err != nil {
			return err
		}
		if living.beingWritten() {
			return ErrBeingApplied
		}
		seen, err := s.Identities.Identity(ctx, a.IdentityID)
		if err != nil {
			return err
		}
		inForce := replaced{phone.ParseStored(s.Plan, seen.Mobile), seen.Verified}
		had := inForce
		if inForce.number.Same(a.Previous) { // written before a crash, or by somebody else
			if had, err = s.endedBefore(ctx, a, inForce); err != nil {
				return err
			}
		}
		switch {
		case inForce.is(a.Previous, a.PreviousVerified):
		case a.PreviousVerified && !a.Previous.IsZero():
			err = s.Identities.ApplyNumber(ctx, a.IdentityID, a.Previous, seen.Pending != "")
		default:
			err = s.Identities.Write(ctx, a.IdentityID, a.Previous)
		}
		if err != nil {
			return err
		}
		return RetryConcurrent(ctx, func() error { return s.restored(ctx, alarmID, had, who) })
	})
}

// endedBefore returns the number that an alarm's identity had by what Holdline wrote
// last, if that has gone without a word since the change that was denied: what is in
// force then took its place.
func (s *Service) endedBefore(ctx context.Context, a Alarm, inForce replaced) (replaced, error) {
	last, err := s.Store.Applied(ctx, a.IdentityID)
	if err != nil || last == nil || last.Number.Same(inForce.number) {
		return inForce, err
	}
	if a.Denied == message.TextRequested && last.EndedAt.Before(a.RaisedAt) { // it had gone before, and nothing was written of what was denied
		return inForce, nil
	}
	return replaced{last.Number, !last.Direct}, nil
}

// is reports whether a number is the same, and as verified.
func (r replaced) is(number phone.Number, verified bool) bool {
	return r.number.Same(number) && r.verified == verified
}

// openAlarm returns an alarm that nobody has decided on; one that somebody has, with
// ErrAlarmClosed.
func (s *Service) openAlarm(ctx context.Context, id string) (Alarm, error) {
	a, err := s.Store.Alarm(ctx, id)
	switch {
	case err != nil:
		return Alarm{}, err
	case a == nil:
		return Alarm{}, ErrNoAlarm
	case a.Closed():
		return *a, ErrAlarmClosed
	default:
		return *a, nil
	}
}

// restored writes down that a number was put back. If somebody has decided on the case
// meanwhile that stands, but what was written is told all the same.
func (s *Service) restored(ctx context.Context, alarmID string, had replaced, who audit.Actor) error {
	a, err := s.openAlarm(ctx, alarmID)
	decided := errors.Is(err, ErrAlarmClosed)
	if err != nil && (!decided || had.is(a.Previous, a.PreviousVerified)) {
		return err
	}
	now := s.Now()
	living, err := s.Store.Current(ctx, a.IdentityID, now.Add(-day))
	if err != nil {
		return err
	}
	change := Change{At: now}
	if !decided {
		a.Outcome, a.ClosedAt, a.ClosedBy = AlarmRestored, now, who.ID
		change.Alarms = []Alarm{a}
	}
	withdraw(&change, living, "number put back", who)
	line := a.event(NumberPutBack, who, now)
	line.Number = a.Previous.String()
	if !had.number.Same(a.Previous) {
		line.Reason = "in place of " + had.number.String()
		// As a claim it is guarded against forms that began with the other number: see look.
		c := asEnded(Claim{
			ID: s.NewID(), IdentityID: a.IdentityID, Source: SourceConsole, Number: a.Previous, Previous: had.number,
			PreviousVerified: had.verified, Direct: !a.PreviousVerified, CreatedAt: now,
		}, Applied, "", now)
		change.Create = &c
		line.ClaimID = c.ID
		if had.verified {
			kind := message.TextChanged
			if c.Number.IsZero() {
				kind = message.TextRemoved
			}
			change.Notices = s.notices(c, kind, had, now)
		}
	}
	change.Events = append(change.Events, line)
	return s.commit(ctx, change)
}
