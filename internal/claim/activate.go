package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// StoredFlow is a settings flow that Kratos has stored.
type StoredFlow struct {
	IdentityID, FlowID string
	FlowIssued         time.Time // zero where the hook does not tell
	Mobile             string    // the trait's text as stored now, blank for none
	ShownPending       string    // the pending number as stored now, blank for none
	ClientIP           string
	Language           string
}

// Activate opens what [Service.Stage] staged and queues its text. A flow that
// stored another number than the open claim expects, with the feature off or by
// a removal, cancels that claim. A repeated call changes nothing.
func (s *Service) Activate(ctx context.Context, f StoredFlow) error {
	who := audit.Actor{Kind: audit.Owner, ID: f.IdentityID, ClientIP: f.ClientIP}
	if f.ShownPending == "" {
		if err := s.settleFlow(ctx, f, who); err != nil {
			return err
		}
		return s.cancelOvertaken(ctx, f, who)
	}
	a := activation{
		identityID: f.IdentityID, flowID: f.FlowID, flowIssued: f.FlowIssued, number: phone.FromStore(f.ShownPending),
		present: replaced{number: phone.ParseStored(s.Plan, f.Mobile)}, who: who, language: f.Language,
	}
	if trial, err := s.onTrial(ctx, f.IdentityID, a.number, s.Now()); err != nil || trial {
		if err == nil {
			err = s.openTrial(ctx, a)
		}
		if err == nil {
			err = s.Trials.NoteActivated(ctx, f.IdentityID)
		}
		return err
	}
	return s.open(ctx, a)
}

// open opens a staged claim. Nearly always it is where its id says, and the only
// one; all else is for activate.
func (s *Service) open(ctx context.Context, a activation) error {
	if a.client && (!a.alone || a.inactive || s.Stopped != nil && s.Stopped(a.number.CallingCode())) {
		return s.activate(ctx, a)
	}
	now, policy := s.Now(), s.Policy()
	claim := opened(Claim{
		ID: stagedID(a.identityID, a.flowID, a.flowIssued, a.number), IdentityID: a.identityID, Number: a.number,
	}, policy, now)
	if a.client {
		claim.ClientText = ClientTexted
	}
	text := s.newCode(&claim, policy, now, a.who.ClientIP, a.language)
	change := Change{
		Transitions: []Transition{{From: Staged, Claim: claim}}, Text: text, Limits: policy.textLimits(claim.Number), NoTextWithin: policy.Lifetime, Answered: a.client,
		Basis: basis(a.present.number, now), RefuseBlocked: true,
		Notices: s.notices(claim, message.TextRequested, a.present, now),
		Events:  []audit.Event{NewEvent(claim, string(Open), a.who, now)}, At: now, Along: a.along,
	}
	held := heldLease(ctx, a.identityID)
	if held != nil && a.along != nil {
		change.Release = &held.Lease
	}
	err := s.commit(ctx, change)
	if a.along != nil && err != nil && !takesSlowPath(err) && problem.KindOf(err) == problem.Internal {
		change.Along = nil // what is kept beside claims must not be in their way
		err = s.commit(ctx, change)
	}
	if takesSlowPath(err) {
		return s.activate(ctx, a)
	}
	if err == nil && change.Release != nil {
		held.released = true
	}
	return err
}

// takesSlowPath reports whether a claim could not be opened for what else there is.
func takesSlowPath(err error) bool {
	limit := (*problem.LimitError)(nil)
	return errors.Is(err, ErrConcurrentUpdate) || errors.Is(err, ErrTextedBefore) || errors.Is(err, ErrStaleForm) || errors.As(err, &limit)
}

// activation asks for a staged claim to be opened.
type activation struct {
	identityID, flowID string
	flowIssued         time.Time
	number             phone.Number
	present            replaced // what the identity has meanwhile
	marker             PendingSync
	who                audit.Actor
	language           string
	// stored tells that the flow is known to be stored, or never will be.
	stored bool
	// client tells that a provisioning client asks, inactive that it does so for
	// somebody who is switched off.
	client, inactive bool
	alone            bool   // as of [Proposal]
	along            *Along // likewise
}

// activate opens a staged claim whatever else the identity has.
func (s *Service) activate(ctx context.Context, a activation) error {
	if trial, err := s.onTrial(ctx, a.identityID, a.number, s.Now()); err != nil || trial {
		if err == nil {
			err = s.openTrial(ctx, a)
		}
		return err
	}
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		snapshot, err := s.Store.Current(ctx, a.identityID, now.Add(-day))
		if err != nil {
			return err
		}
		staged := snapshot.findStaged(a.flowID, a.number)
		switch {
		case staged == nil && !snapshot.wants(a.number):
			return s.repairPending(ctx, a)
		case staged == nil:
			return nil // done already
		case snapshot.Active != nil && snapshot.Active.State == Verified && a.marker == SyncShow:
			return ErrBeingApplied
		case snapshot.Active != nil && snapshot.Active.State == Verified:
			return s.openLater(ctx, *staged, now)
		}
		if shown, err := s.shown(ctx, a, *staged); err != nil || !shown {
			return err
		}
		applied, err := s.Store.Applied(ctx, a.identityID)
		if err != nil {
			return err
		}
		if applied.Overwritten(*basis(a.present.number, now)) {
			s.lookNow(ctx, *applied)
			staged.Previous, staged.PreviousVerified = applied.Number, true
			if applied.CreatedAt.After(staged.CreatedAt) {
				return s.tooLate(ctx, a, *staged)
			}
		}
		policy := s.Policy()
		history, err := s.Store.History(ctx, a.identityID, a.number, now.Add(-policy.Lifetime))
		if err != nil {
			return err
		}
		staged.Texts, staged.NextText = history.Texts, history.NextText
		mute, err := s.withoutTextReason(ctx, a, staged, now)
		if err != nil {
			return err
		}
		change, silent := s.opening(a, snapshot, *staged, now)
		switch {
		case change.Text != nil && mute != nil:
			err = mute
		case change.Text != nil:
			err = policy.spent(history, now)
		}
		if err == nil {
			err = s.commit(ctx, change)
		}
		if limit := (*problem.LimitError)(nil); errors.As(err, &limit) && a.marker != SyncShow {
			return s.commit(ctx, silent(limit))
		}
		return err
	})
}

// shown reports whether the flow of a claim is stored. Of a number that was wanted in
// its flow before, the call may be a replay: what Kratos shows now decides, here and
// in reconcile.
func (s *Service) shown(ctx context.Context, a activation, staged Claim) (bool, error) {
	if a.stored || staged.PendingSync == SyncShow || isStagedID(staged.ID, a.identityID, a.flowID, a.number) {
		return true, nil
	}
	seen, err := s.Identities.Identity(ctx, a.identityID)
	if errors.Is(err, ErrNoIdentity) {
		return false, nil
	}
	return err == nil && a.number.IsStored(s.Plan, seen.Pending), err
}

// openLater leaves a claim whose flow is stored to a worker, until the accepted number
// that is in its way is written. That write may take the claim's marker with it.
func (s *Service) openLater(ctx context.Context, staged Claim, now time.Time) error {
	later := staged
	later.PendingSync, later.DueAt = SyncShow, now.Add(s.Jitter(backoffFirst))
	return s.Store.Commit(ctx, Change{Transitions: []Transition{{From: Staged, Claim: later}}, At: now})
}

// errInactive is why nobody could answer a text.
var errInactive = errors.New("claim: the identity is inactive")

// mute returns why a claim that a client asked for opens without a text, besides
// the limits that the store keeps; nil if it need not.
func (s *Service) withoutTextReason(ctx context.Context, a activation, staged *Claim, now time.Time) (*problem.LimitError, error) {
	if staged.ClientText == ClientNone {
		return nil, nil //nolint:nilnil // nothing is in the way
	}
	last, err := s.Store.Newest(ctx, staged.IdentityID, staged.Number)
	switch {
	case err != nil:
		return nil, err
	case last != nil && last.unanswered():
		staged.ClientText = ClientTexted
		return &problem.LimitError{Reason: ErrTextedBefore, Until: time.Time{}, Name: LimitClientText}, nil
	case a.inactive:
		return &problem.LimitError{Reason: errInactive, Until: time.Time{}, Name: LimitInactive}, nil
	}
	err = s.checkDestination(ctx, staged.Number, now)
	if limit := (*problem.LimitError)(nil); errors.As(err, &limit) {
		return limit, nil
	}
	if errors.Is(err, phone.ErrNumberNotServed) { // it was when the claim was staged
		err = nil
	}
	return nil, err
}

// opening builds the change that opens a staged claim, renews the open claim of
// the same number, or discards what came too late. The second result builds it
// without a text, for when a limit forbids one.
func (s *Service) opening(a activation, snapshot IdentityClaims, staged Claim, now time.Time) (Change, func(*problem.LimitError) Change) {
	policy, held := s.Policy(), snapshot.Active
	var moves []Transition
	var events []audit.Event
	add := func(from, to Claim, kind string) {
		moves = append(moves, Transition{From: from.State, Claim: to})
		events = append(events, NewEvent(to, kind, a.who, now))
	}
	replace := func(other Claim, state State, reason string) {
		done := asEnded(other, state, reason, now)
		if a.marker == SyncShow { // no stored form took the place of its marker
			done.PendingSync, done.DueAt = SyncClear, now
		}
		add(other, done, string(state))
	}
	for _, other := range snapshot.Staged {
		if other.ID != staged.ID && !other.CreatedAt.After(staged.CreatedAt) {
			replace(other, Discarded, "overtaken")
		}
	}
	subject, next, kind := staged, opened(staged, policy, now), string(Open)
	if a.marker == SyncShow || staged.PendingSync == SyncShow {
		next.PendingSync, next.DueAt = SyncShow, now
	}
	if held != nil {
		same := held.Number.Same(staged.Number)
		late := held.CreatedAt.After(staged.CreatedAt)
		rests := same && (now.Before(held.NextText) || !policy.textsLeft(held.Texts) || staged.ClientText != ClientNone)
		switch {
		case late, rests:
			add(staged, asEnded(staged, Discarded, "overtaken", now), string(Discarded))
			if late && !same { // what Kratos stored last shows the wrong number as pending
				shown := *held
				shown.PendingSync, shown.DueAt = SyncShow, now
				moves = append(moves, Transition{From: held.State, Claim: shown})
			}
			change := Change{Transitions: moves, Events: events, At: now}
			return change, func(*problem.LimitError) Change { return change }
		case same:
			add(staged, asEnded(staged, Discarded, "renews", now), string(Discarded))
			subject, next, kind = *held, *held, "resent"
		default:
			replace(*held, Superseded, "")
		}
	}
	var notices []message.Text
	if kind == string(Open) {
		notices = s.notices(next, message.TextRequested, a.present, now)
	}
	silent := func(limit *problem.LimitError) Change {
		// The limit is not the claim's: whoever asks for its text from elsewhere, or later,
		// meets the limits anew.
		said := NewEvent(next, kind, a.who, now)
		said.Reason = "without a text: " + limit.Name
		return Change{
			Transitions: append(moves[:len(moves):len(moves)], Transition{From: subject.State, Claim: next}),
			Events:      append(events[:len(events):len(events)], said),
			Notices:     notices, At: now,
		}
	}
	loud := next
	if loud.ClientText == ClientAsked {
		loud.ClientText = ClientTexted
	}
	text := s.newCode(&loud, policy, now, a.who.ClientIP, a.language)
	return Change{
		Transitions: append(moves[:len(moves):len(moves)], Transition{From: subject.State, Claim: loud}),
		Events:      append(events[:len(events):len(events)], NewEvent(loud, kind, a.who, now)),
		Text:        text, Limits: policy.textLimits(loud.Number), RefuseBlocked: true, Notices: notices, At: now,
	}, silent
}

// tooLate discards the claim of a form that a later wish has overtaken, whose number
// is applied already.
func (s *Service) tooLate(ctx context.Context, a activation, staged Claim) error {
	done := asEnded(staged, Discarded, "overtaken", s.Now())
	done.PendingSync, done.DueAt = SyncClear, done.EndedAt
	done, err := s.commitEnd(ctx, Staged, done, a.who)
	if err == nil {
		s.clearPendingNow(ctx, done)
	}
	return err
}

// cancelOvertaken ends an open claim whose identity got another number.
func (s *Service) cancelOvertaken(ctx context.Context, f StoredFlow, who audit.Actor) error {
	return RetryConcurrent(ctx, func() error {
		snapshot, err := s.Store.Current(ctx, f.IdentityID, s.Now().Add(-day))
		if err != nil || snapshot.Active == nil || snapshot.Active.State != Open {
			return err
		}
		if snapshot.Active.Previous.IsStored(s.Plan, f.Mobile) {
			return nil
		}
		_, err = s.endNow(ctx, *snapshot.Active, Cancelled, "number written directly", who)
		return err
	})
}
