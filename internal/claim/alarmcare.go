package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/problem"
)

// What the audit trail says of an alarm's life, beside [disputed].
const (
	SessionsEnded = "sessions_ended"
	BlockLifted   = "block_lifted"
	AlarmSettled  = "alarm_closed"
)

// ErrNoAlarm says that the id names no alarm.
var ErrNoAlarm = problem.New(problem.NotFound, "HLD-40405", "There is no such alarm.", "claim: no such alarm")

const (
	// secondLook is when an alarm is looked after once more: a session may have begun,
	// and a claim been opened, while it was raised.
	secondLook = 5 * time.Second
	alarmBatch = 20
)

// sessionsTime bounds how long a person who denies a change waits for Kratos.
const sessionsTime = 4 * time.Second

// endSessionsNow ends an identity's sessions while somebody waits; what cannot be done
// now, a worker does.
func (s *Service) endSessionsNow(ctx context.Context, alarm *Alarm) {
	ctx, cancel := context.WithTimeout(ctx, sessionsTime)
	defer cancel()
	done, err := s.tend(ctx, *alarm)
	if err != nil {
		s.Log.WarnContext(ctx, "sessions not ended yet", "claim", alarm.ID, "identity", alarm.IdentityID, "error", err)
		return
	}
	*alarm = done
}

// RunAlarms looks after the alarms that are due; several replicas may run it at once.
func (s *Service) RunAlarms(ctx context.Context) error {
	due, err := s.Store.DueAlarms(ctx, s.Now(), alarmBatch)
	if err != nil {
		return fmt.Errorf("find due alarms: %w", err)
	}
	for _, alarm := range due {
		if _, err := s.tend(ctx, alarm); err != nil && !errors.Is(err, ErrConcurrentUpdate) {
			s.Log.WarnContext(ctx, "alarm not looked after yet", "claim", alarm.ID, "identity", alarm.IdentityID,
				"tries", alarm.DueTries, "error", err)
		}
	}
	return ctx.Err()
}

// tend ends the sessions of an alarm's identity, and what was opened while the alarm
// was raised. It takes the alarm first, so that replicas share the work; what fails
// comes up again later.
func (s *Service) tend(ctx context.Context, alarm Alarm) (Alarm, error) {
	now := s.Now()
	taken := alarm
	taken.DueAt, taken.DueTries = now.Add(max(secondLook, s.backoff(alarm.DueTries))), alarm.DueTries+1
	if err := s.commit(ctx, Change{Alarms: []Alarm{taken}, At: now}); err != nil {
		return alarm, err
	}
	taken.Version++
	if s.EndSessions != nil {
		if err := s.EndSessions(ctx, alarm.IdentityID); err != nil && !errors.Is(err, ErrNoIdentity) {
			return alarm, err
		}
	}
	if err := s.withdrawOpened(ctx, alarm); err != nil {
		return alarm, err
	}
	done := taken
	done.DueTries = 0
	change := Change{At: s.Now()}
	if first := done.SessionsEndedAt.IsZero(); first {
		done.SessionsEndedAt, done.DueAt = change.At, change.At.Add(secondLook)
		change.Events = []audit.Event{done.event(SessionsEnded, audit.Actor{Kind: audit.System}, change.At)}
	} else {
		done.DueAt = time.Time{}
	}
	change.Alarms = []Alarm{done}
	if err := s.commit(ctx, change); err != nil {
		return alarm, err
	}
	done.Version++
	return done, nil
}

// withdrawOpened cancels what was opened, with a text, while an alarm was raised.
func (s *Service) withdrawOpened(ctx context.Context, alarm Alarm) error {
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		if !now.Before(alarm.BlockedUntil) {
			return nil // nothing is blocked: what was opened since is as good as any other
		}
		living, err := s.Store.Current(ctx, alarm.IdentityID, now.Add(-day))
		if err != nil || living.Active == nil || living.Active.State != Open || living.Active.Untexted() {
			return err
		}
		change := Change{At: now}
		withdraw(&change, living, disputed, audit.Actor{Kind: audit.System})
		if err := s.commit(ctx, change); err != nil {
			return err
		}
		first := change.Transitions[0].Claim
		first.Version++
		s.clearPendingNow(ctx, first)
		return nil
	})
}

// event is a line of the audit trail about the alarm.
func (a Alarm) event(kind string, who audit.Actor, at time.Time) audit.Event {
	return audit.Event{ClaimID: a.ID, IdentityID: a.IdentityID, Kind: kind, Actor: who, Number: a.Number.String(), At: at}
}

// changeAlarm changes an alarm, and writes it down. Error: ErrNoAlarm.
func (s *Service) changeAlarm(ctx context.Context, id, kind string, who audit.Actor, do func(*Alarm, time.Time) bool) error {
	return RetryConcurrent(ctx, func() error {
		alarm, err := s.Store.Alarm(ctx, id)
		if err != nil {
			return err
		}
		if alarm == nil {
			return ErrNoAlarm
		}
		now := s.Now()
		if !do(alarm, now) {
			return nil
		}
		line := alarm.event(kind, who, now)
		line.Reason = string(alarm.Outcome)
		return s.commit(ctx, Change{Alarms: []Alarm{*alarm}, Events: []audit.Event{line}, At: now})
	})
}

// EndAlarmSessions ends all sessions of an alarm's identity once more. Errors:
// ErrNoAlarm, and those of Kratos.
func (s *Service) EndAlarmSessions(ctx context.Context, id string, who audit.Actor) error {
	alarm, err := s.Store.Alarm(ctx, id)
	switch {
	case err != nil:
		return err
	case alarm == nil:
		return ErrNoAlarm
	case s.EndSessions == nil:
		return errNoSessions
	}
	if err := s.EndSessions(ctx, alarm.IdentityID); err != nil && !errors.Is(err, ErrNoIdentity) {
		return err
	}
	return s.changeAlarm(ctx, id, SessionsEnded, who, func(a *Alarm, now time.Time) bool {
		a.SessionsEndedAt = now
		return true
	})
}

// CloseAlarm writes down what came of a case; one that is closed stays as it is. What
// blocks the identity's changes goes on: see [Service.LiftBlock]. Error: ErrNoAlarm.
func (s *Service) CloseAlarm(ctx context.Context, id string, outcome AlarmOutcome, who audit.Actor) error {
	return s.changeAlarm(ctx, id, AlarmSettled, who, func(a *Alarm, now time.Time) bool {
		if a.Closed() {
			return false
		}
		a.Outcome, a.ClosedAt, a.ClosedBy = outcome, now, who.ID
		return true
	})
}

// Blocked returns until when changes of the caller's number are blocked; zero for not.
func (s *Service) Blocked(ctx context.Context, who Caller) (time.Time, error) {
	return s.Store.BlockedUntil(ctx, who.IdentityID, s.Now())
}

// LiftBlock lets an identity's number be changed again before its time. Administrators
// may do that, and the owner, who must have signed in with a second factor: otherwise
// the error is ErrNeedsSecondFactor, or ErrSessionTooOld. Where nothing is blocked
// nothing happens.
func (s *Service) LiftBlock(ctx context.Context, who Caller) error {
	if who.By.Kind == "" {
		if err := s.RequireRecentSignIn(who.AuthenticatedAt); err != nil {
			return err
		}
		if who.Assurance != AAL2 {
			return ErrNeedsSecondFactor
		}
	}
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		blocking, err := s.Store.BlockingAlarms(ctx, who.IdentityID, now)
		if err != nil || len(blocking) == 0 {
			return err
		}
		change := Change{At: now}
		for _, alarm := range blocking {
			alarm.BlockedUntil, alarm.LiftedAt, alarm.LiftedBy = time.Time{}, now, who.Actor().ID
			change.Alarms = append(change.Alarms, alarm)
			change.Events = append(change.Events, alarm.event(BlockLifted, who.Actor(), now))
		}
		return s.commit(ctx, change)
	})
}

// blocked returns the error of a change that is blocked now; nil if none is.
func (s *Service) blocked(ctx context.Context, identityID string, now time.Time) error {
	until, err := s.Store.BlockedUntil(ctx, identityID, now)
	if err == nil && !until.IsZero() {
		err = &problem.LimitError{Reason: ErrChangesBlocked, Until: until, Name: LimitDisputeBlock}
	}
	return err
}
