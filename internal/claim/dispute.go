package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// Denial is what the link of a notice speaks of, and what became of it.
type Denial struct {
	Case DenialCase
	// Number is the number that was, or is, wanted; Previous is the one before it.
	Number, Previous phone.Number
	// At is when it came to that: when the number was asked for, changed or taken back.
	At time.Time
	// Later tells that another number is waiting beside it, and is cancelled with it;
	// Again that the number has been changed once more since.
	Later, Again bool
	// Alarm is what was done when it was denied; nil before that.
	Alarm *Alarm
}

// DenialCase says how far a change has come.
type DenialCase string

// The cases.
const (
	DenialPending   DenialCase = "pending"    // a number waits for its code
	DenialChanged   DenialCase = "changed"    // the number was replaced
	DenialRemoved   DenialCase = "removed"    // the number was removed
	DenialTaken     DenialCase = "taken"      // another account proved the number, and has it now
	DenialTakenBack DenialCase = "taken_back" // it came to nothing: nothing is left to deny
)

// DenialCases lists all cases.
func DenialCases() []DenialCase {
	return []DenialCase{DenialPending, DenialChanged, DenialRemoved, DenialTaken, DenialTakenBack}
}

// disputed is the reason of a claim that somebody has denied, and what the audit trail
// calls that.
const disputed = "disputed"

// ErrLinkLate is an [otp.ErrLinkDead]: the link is a real one, of a change that can no
// longer be denied by it.
var ErrLinkLate = fmt.Errorf("%w: the time for denying the change is over", otp.ErrLinkDead)

// Disputable returns what a link speaks of, and changes nothing. The link of a claim
// that was replaced by another wish speaks of that one. Errors: [otp.ErrLinkDead] for a
// link that is made up or whose claim is forgotten, [ErrLinkLate] for one that is too
// old, and [ErrBeingApplied], which is transient.
func (s *Service) Disputable(ctx context.Context, link string) (Denial, error) {
	c, err := s.disputable(ctx, link)
	if err != nil {
		return Denial{}, err
	}
	return s.denialOf(ctx, *c)
}

// Dispute takes the word of whoever holds the link of a notice that they did not want
// the change. Once for each change it raises an alarm: whatever else is waiting is
// cancelled, all of the identity's sessions end, its number cannot be changed for a
// while ([Notices].Block), and the operator is told. Doing it again, and for what came
// to nothing by itself, changes nothing. Errors are those of [Service.Disputable].
func (s *Service) Dispute(ctx context.Context, link, address string) (Denial, error) {
	var denial Denial
	err := RetryConcurrent(ctx, func() error {
		c, err := s.disputable(ctx, link)
		if err != nil {
			return err
		}
		denial, err = s.denialOf(ctx, *c)
		if err != nil || denial.Alarm != nil || denial.Case == DenialTakenBack {
			return err
		}
		denial.Alarm, err = s.deny(ctx, *c, denial, audit.Actor{Kind: audit.LinkHolder, ClientIP: address})
		return err
	})
	if denial.Alarm != nil && denial.Alarm.SessionsEndedAt.IsZero() && err == nil {
		s.endSessionsNow(ctx, denial.Alarm)
	}
	return denial, err
}

// disputable finds the claim that a link speaks of.
func (s *Service) disputable(ctx context.Context, link string) (*Claim, error) {
	id, err := s.Codes.Linked(link)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Find(ctx, id)
	if err == nil && found != nil && found.State == Superseded {
		if s.Now().After(found.EndedAt.Add(s.Policy().Notices.Window)) {
			return nil, ErrLinkLate // of a wish long gone: what the identity has since is not its matter
		}
		if next, lost := s.successor(ctx, *found); lost != nil || next != nil {
			found, err = next, lost
		}
	}
	switch {
	case err != nil:
		return nil, err
	case found == nil, found.State == Staged, found.State == Discarded, found.State == Orphaned:
		return nil, otp.ErrLinkDead
	case found.State == Verified:
		return nil, ErrBeingApplied
	default:
		return found, nil
	}
}

// successor returns the claim that took a superseded one's place in the end; nil
// for none. Once one has been denied it is that one: a link is good for one alarm,
// whatever its identity wants afterwards.
func (s *Service) successor(ctx context.Context, c Claim) (*Claim, error) {
	alarm, err := s.Store.AlarmSince(ctx, c.IdentityID, c.EndedAt)
	if err != nil {
		return nil, err
	}
	if alarm != nil {
		return s.Store.Find(ctx, alarm.ID)
	}
	snapshot, err := s.Store.Current(ctx, c.IdentityID, s.Now().Add(-day))
	if err != nil || snapshot.Active != nil {
		return snapshot.Active, err
	}
	last, err := s.Store.Last(ctx, c.IdentityID)
	if err != nil || last == nil || last.EndedAt.Before(c.EndedAt) {
		return nil, err
	}
	return last, nil
}

// denialOf says how far a claim has come.
func (s *Service) denialOf(ctx context.Context, c Claim) (Denial, error) {
	denial := Denial{Case: caseOf(c), Number: c.Number, Previous: c.Previous, At: c.EndedAt}
	if denial.Case == DenialPending {
		denial.At = c.CreatedAt
	}
	alarm, err := s.Store.Alarm(ctx, c.ID)
	if err != nil {
		return Denial{}, err
	}
	if alarm != nil {
		denial.Alarm, denial.Case, denial.Later = alarm, deniedCase(alarm.Denied), alarm.CancelledID != ""
		return denial, nil
	}
	if c.State != Applied {
		return denial, nil
	}
	now := s.Now()
	if now.After(c.EndedAt.Add(s.Policy().Notices.Window)) {
		return Denial{}, ErrLinkLate
	}
	snapshot, err := s.Store.Current(ctx, c.IdentityID, now.Add(-day))
	if err != nil {
		return Denial{}, err
	}
	denial.Later = snapshot.Active != nil && snapshot.Active.State == Open
	last, err := s.Store.Applied(ctx, c.IdentityID)
	denial.Again = last != nil && last.ID != c.ID
	return denial, err
}

// caseOf says how far a claim has come by itself.
func caseOf(c Claim) DenialCase {
	switch {
	case c.State == Open:
		return DenialPending
	case c.State != Applied:
		return DenialTakenBack
	case c.Source == SourceTakeover:
		return DenialTaken
	case c.Direct && c.Number.IsZero():
		return DenialRemoved
	default:
		return DenialChanged
	}
}

// deniedCase is the case that an alarm was raised about, and deniedKind the other way.
func deniedCase(kind message.TextKind) DenialCase {
	for _, c := range DenialCases() {
		if deniedKind(c) == kind {
			return c
		}
	}
	return DenialChanged
}

func deniedKind(c DenialCase) message.TextKind {
	switch c {
	case DenialPending:
		return message.TextRequested
	case DenialRemoved:
		return message.TextRemoved
	case DenialTaken:
		return message.TextTaken
	case DenialChanged, DenialTakenBack:
	}
	return message.TextChanged
}

// deny does all that a dispute does at once, in one change.
func (s *Service) deny(ctx context.Context, c Claim, denial Denial, who audit.Actor) (*Alarm, error) {
	now, policy := s.Now(), s.Policy()
	snapshot, err := s.Store.Current(ctx, c.IdentityID, now.Add(-day))
	if err != nil {
		return nil, err
	}
	if c.State == Open && (snapshot.Active == nil || snapshot.Active.ID != c.ID) {
		return nil, ErrConcurrentUpdate // it has ended since it was found
	}
	alarm := Alarm{
		ID: c.ID, IdentityID: c.IdentityID, Denied: deniedKind(denial.Case), Number: c.Number, Previous: c.Previous,
		PreviousVerified: c.PreviousVerified, ClientIP: who.ClientIP, RaisedAt: now, DueAt: now, Version: 1,
	}
	if policy.Notices.Block > 0 {
		alarm.BlockedUntil = now.Add(policy.Notices.Block)
	}
	change := Change{At: now, Raise: &alarm}
	withdraw(&change, snapshot, disputed, who)
	if c.State == Applied {
		if held := snapshot.Active; held != nil && held.State == Open {
			alarm.CancelledID = held.ID
		}
		c.Reason = disputed
		change.Transitions = append(change.Transitions, Transition{From: Applied, Claim: c})
	}
	change.Events = append(change.Events, NewEvent(c, disputed, who, now))
	change.Notices = s.notices(c, message.TextDisputed, replaced{}, now)
	if err := s.commit(ctx, change); err != nil {
		return nil, err
	}
	s.Log.WarnContext(ctx, "change disputed", "claim", c.ID, "identity", c.IdentityID, "case", denial.Case)
	if first := change.Transitions[0].Claim; first.PendingSync == SyncClear {
		first.Version++
		s.clearPendingNow(ctx, first)
	}
	return &alarm, nil
}

// errNoSessions says that nothing ends sessions here.
var errNoSessions = errors.New("claim: sessions cannot be ended here")
