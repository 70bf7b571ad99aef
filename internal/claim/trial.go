package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Trial is a change of number that `holdline doctor --try` makes with an identity of its
// own, to see what the real Kratos does. Nobody is texted for it and no limit is used.
//
// It cannot be turned into more: only changes to a number that nobody can have
// ([phone.Number.Fictional]) are ever on trial, whatever was announced, and their claims
// open without a code, so that nothing can confirm them.
type Trial struct {
	IdentityID string
	Expires    time.Time
	// Staged and Activated count the calls of the hooks that have come.
	Staged, Activated int
	// Held tells that the number was held back; false where Staged is 0 too.
	Held bool
}

// Trials keeps the trials that were announced, for all replicas.
type Trials interface {
	// BeginTrial keeps a trial, or begins it anew, and forgets those that are over. It
	// reports false if so many others are under way.
	BeginTrial(ctx context.Context, identityID string, now, expires time.Time, most int) (bool, error)
	// Trial returns the trial of an identity; nil if there is none now.
	Trial(ctx context.Context, identityID string, now time.Time) (*Trial, error)
	// NoteStaged and NoteActivated count a hook's call. A trial that is over is no error.
	NoteStaged(ctx context.Context, identityID string, held bool) error
	NoteActivated(ctx context.Context, identityID string) error
	// EndTrial forgets a trial; one that is forgotten already is no error.
	EndTrial(ctx context.Context, identityID string) error
}

const (
	// TrialTime is how long a trial is in force at most.
	TrialTime = 3 * time.Minute
	// mostTrials bounds the trials at once, of all realms.
	mostTrials = 16
	// trialReason is why a trial's claim opens as it does, in log and audit trail.
	trialReason = "trial of holdline doctor"
)

// doctor is who changes a number on trial.
func doctor() audit.Actor { return audit.Actor{Kind: audit.System, ID: "doctor"} }

// BeginTrial announces a trial, and returns when it is over at the latest. Error:
// a limit, if too many are under way.
func (s *Service) BeginTrial(ctx context.Context, identityID string) (Trial, error) {
	now := s.Now()
	t := Trial{IdentityID: identityID, Expires: now.Add(TrialTime)}
	begun, err := s.Trials.BeginTrial(ctx, identityID, now, t.Expires, mostTrials)
	if err == nil && !begun {
		err = &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: t.Expires}
	}
	if err != nil {
		return Trial{}, err
	}
	s.Log.InfoContext(ctx, "trial announced", "identity", identityID, "doctor", true)
	return t, nil
}

// Trial returns a trial. Error: ErrNoIdentity.
func (s *Service) Trial(ctx context.Context, identityID string) (Trial, error) {
	t, err := s.Trials.Trial(ctx, identityID, s.Now())
	if err == nil && t == nil {
		err = ErrNoIdentity
	}
	if err != nil {
		return Trial{}, err
	}
	return *t, nil
}

// EndTrial ends a trial, and what is left of it here if its identity is gone. One that is
// over already is no error.
func (s *Service) EndTrial(ctx context.Context, identityID string) error {
	t, err := s.Trials.Trial(ctx, identityID, s.Now())
	if err != nil || t == nil {
		return err
	}
	if _, err := s.Identities.Identity(ctx, identityID); errors.Is(err, ErrNoIdentity) {
		if err := s.EraseIdentity(ctx, identityID, doctor()); err != nil {
			return err
		}
	}
	return s.Trials.EndTrial(ctx, identityID)
}

// onTrial reports whether a change to a number is a trial. People's numbers cost no
// question.
func (s *Service) onTrial(ctx context.Context, identityID string, number phone.Number, now time.Time) (bool, error) {
	if s.Trials == nil || !number.Fictional() {
		return false, nil
	}
	t, err := s.Trials.Trial(ctx, identityID, now)
	return t != nil, err
}

// stageTrial rules on a flow of a trial as on anybody's, unless there is an error already.
// Of a challenge it stages the claim, and of all else nothing is kept.
func (s *Service) stageTrial(ctx context.Context, c SettingsChange, r Request, err error) (Answer, error) {
	if err != nil {
		return Answer{}, err
	}
	now, answer := s.Now(), Answer{Decision: Decide(r)}
	held := answer.Decision == Challenge
	if held {
		answer.Pending = r.Wanted
		staged := Claim{
			ID: stagedID(c.IdentityID, c.FlowID, c.FlowIssued, r.Wanted), IdentityID: c.IdentityID, FlowID: c.FlowID, Source: SourceSettings,
			Number: r.Wanted, Previous: r.Stored, PreviousVerified: r.StoredVerified, Assurance: c.Assurance, Language: c.Language,
			State: Staged, CreatedAt: now, DueAt: now.Add(reconcileAfter),
		}
		if err := s.Store.Commit(ctx, Change{Create: &staged, At: now}); err != nil && !errors.Is(err, ErrExists) {
			return Answer{}, err
		}
	}
	return answer, s.Trials.NoteStaged(ctx, c.IdentityID, held)
}

// openTrial opens a trial's claim without a code. A repeated call finds it open.
func (s *Service) openTrial(ctx context.Context, a activation) error {
	now := s.Now()
	claim := opened(Claim{ID: stagedID(a.identityID, a.flowID, a.flowIssued, a.number), IdentityID: a.identityID, Number: a.number}, s.Policy(), now)
	line := NewEvent(claim, string(Open), doctor(), now)
	line.Reason = trialReason
	err := s.commit(ctx, Change{
		Transitions: []Transition{{From: Staged, Claim: claim}}, Events: []audit.Event{line}, At: now,
	})
	if errors.Is(err, ErrConcurrentUpdate) {
		return nil
	}
	return err
}
