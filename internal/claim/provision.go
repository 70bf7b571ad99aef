package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/textclean"
)

// DirectChange is a change of an identity that Holdline itself writes, such as a
// SCIM client's. The caller holds the identity, see [Service.WithLease], or says by
// Hold that it does not.
type DirectChange struct {
	Source Source
	Who    audit.Actor
	// Client tells that a provisioning client makes the change, see [Request].
	Client bool
	// Inactive tells that the person cannot sign in once the change is made: a client
	// causes no text then.
	Inactive bool
	// Whole tells that the change is a whole record, also where Touch is TouchExplicit.
	Whole bool
	// SignedIn is how a person signed in; nil for a client.
	SignedIn *SignIn
	Asked    bool // verifyMobile is true
	Update   UpdateKind
	Wanted   string // the number as it was sent, blank for none
	Language string
	LeaveOut LeaveOut
	// Hold is called before anything is written for the change; its error ends it. It may
	// be nil.
	Hold func() error
}

func (c DirectChange) hold() error {
	if c.Hold == nil {
		return nil
	}
	return c.Hold()
}

// LeaveOut says which numbers are left out of a change, whose rest is written,
// instead of refusing it. What is left out is audited.
type LeaveOut int

// What is left out.
const (
	LeaveOutNone     LeaveOut = iota
	LeaveOutUnusable          // numbers that cannot be read or are not served
	LeaveOutAny               // any number in the way: the change switches a person off
)

// leavesOut reports whether a change that fails for a reason is made without its
// number. What a client repeats does not fail while another number is written, nor
// because its directory has none.
func (c DirectChange) leavesOut(err error) bool {
	unusable := errors.Is(err, phone.ErrBadNumber) || errors.Is(err, phone.ErrNumberNotServed)
	if err == nil {
		return false
	}
	switch kind := problem.KindOf(err); {
	case kind == problem.Internal, kind == problem.Unavailable: // nothing is wrong with the number
		return false
	case c.LeaveOut == LeaveOutAny || c.Client && (errors.Is(err, ErrBeingApplied) || errors.Is(err, ErrChangesBlocked)):
		return true
	case c.Client && (c.Whole || c.Update == UpdateFull) && errors.Is(err, ErrRemovalDenied):
		return true // what a PUT does not name may stay: RFC 7644, section 3.5.1
	default:
		return c.LeaveOut == LeaveOutUnusable && unusable
	}
}

// Proposal says what a change is to write about the number. What it holds back is
// staged already. Once the identity is written, or is not, it goes to
// [Service.Settle].
type Proposal struct {
	Decision Decision
	// Number is what to write, for Write and WriteUnverified.
	Number phone.Number
	// Pending is what to show as pending afterwards; zero for nothing.
	Pending phone.Number
	// Along is written with what opens a claim, if it can be.
	Along *Along

	change  DirectChange
	request Request
	seen    Identity
	held    *Claim
	flowID  string
	alone   bool  // no other claim of the identity was there when this was staged
	leftOut error // why the number is not written; nil if it is
}

// Without is the proposal for the same change without its number, which cannot be
// taken for the given reason.
func (p Proposal) Without(reason error) Proposal {
	return Proposal{
		Decision: NoChange, Pending: phone.FromStore(p.seen.Pending),
		change: p.change, request: p.request, seen: p.seen, leftOut: reason,
	}
}

// HoldsBack reports whether the number stays as it is stored.
func (p Proposal) HoldsBack() bool {
	switch p.Decision {
	case WriteDirectly, Remove, WriteUnverified:
		return false
	case NoChange, RejectRemoval, CancelPending, KeepPending, Challenge:
	}
	return true
}

// Propose rules on a change before it is written. Errors: ErrBadNumber,
// ErrRemovalDenied, ErrSessionTooOld, ErrBeingApplied, ErrNumberNotServed and
// limits, as far as the change is not made without its number. After an error
// nothing is to be written.
func (s *Service) Propose(ctx context.Context, seen Identity, c DirectChange) (Proposal, error) {
	p, err := s.propose(ctx, seen, c)
	if c.leavesOut(err) {
		return p.Without(err), nil
	}
	return p, err
}

func (s *Service) propose(ctx context.Context, seen Identity, c DirectChange) (Proposal, error) {
	p := Proposal{change: c, seen: seen, Pending: phone.FromStore(seen.Pending)}
	if c.Update == UpdateNone {
		return p, nil
	}
	now, policy := s.Now(), s.Policy()
	r, err := s.requestOf(seen, c, policy)
	p.request = r
	if err != nil {
		return p, err
	}
	p.Decision = Decide(r)
	if p.Decision == NoChange { // whatever is pending
		return p, nil
	}
	if c.Client && p.Decision == Challenge && seen.Pending == "" {
		if alone, err := s.proposeAlone(ctx, p); !needsLook(err) {
			return alone, err
		}
	}
	snapshot, err := s.Store.Current(ctx, seen.ID, now.Add(-day))
	if err != nil {
		return p, err
	}
	p.held = snapshot.Active
	if p.held != nil && (p.held.State == Open || c.Client) {
		r.Pending, r.CoolingDown = p.held.Number, now.Before(p.held.NextText)
	}
	p.request, p.Decision = r, Decide(r)
	if p.Decision != NoChange {
		last, err := s.Store.Applied(ctx, seen.ID)
		if err != nil {
			return p, err
		}
		// By a form: what it put there is on its way out again, and has been told if need be.
		if last.Overwritten(*basis(r.Stored, now)) && (last.PreviousVerified || !r.StoredVerified) {
			r.Stored, r.StoredVerified = last.Number, !last.Direct
			p.request, p.Decision = r, Decide(r)
		}
	}
	if p.Decision == NoChange {
		return p, nil
	}
	if p.Decision == RejectRemoval {
		return p, ErrRemovalDenied
	}
	if err := s.proven(ctx, c); err != nil {
		return p, err
	}
	if p.Decision == KeepPending {
		p.Pending = p.held.Number
		return p, nil
	}
	if err := c.hold(); err != nil {
		return p, err
	}
	switch {
	case p.held != nil && p.held.State == Verified:
		return p, ErrBeingApplied
	case p.Decision == Challenge:
		p.Pending, p.flowID = r.Wanted, s.NewID()
		return p, s.stage(ctx, p.staged(), time.Time{}, r, p.held, seen.Pending, false)
	}
	if p.Decision != CancelPending {
		if err := s.blocked(ctx, seen.ID, now); err != nil {
			return s.heldWhileBlocked(ctx, p, c, policy, err)
		}
	}
	p.Number, p.Pending = r.Wanted, phone.Number{}
	if r.ends(p.Number) {
		p.flowID = s.NewID()
		direct := p.staged()
		direct.Number, direct.Previous, direct.PreviousVerified, direct.ClientText = p.Number, r.Stored, true, ClientNone
		return p, s.stageDirect(ctx, direct)
	}
	return p, nil
}

// proposeAlone stages a challenge of an identity that shows nothing as pending, and so
// has no claim, nearly always. The store finds out if it has.
func (s *Service) proposeAlone(ctx context.Context, p Proposal) (Proposal, error) {
	if err := s.proven(ctx, p.change); err != nil {
		return p, err
	}
	if err := p.change.hold(); err != nil {
		return p, err
	}
	p.Pending, p.flowID, p.alone = p.request.Wanted, s.NewID(), true
	return p, s.stage(ctx, p.staged(), time.Time{}, p.request, nil, "", true)
}

// needsLook reports whether what was done without looking at an identity's claims was
// refused for what is there.
func needsLook(err error) bool {
	return errors.Is(err, ErrConcurrentUpdate) || errors.Is(err, ErrStaleForm) || errors.Is(err, ErrBeingApplied)
}

// heldWhileBlocked rules on a number that would be written directly while the
// identity's changes are blocked: a client's is held back, without a text, as one that
// has to be confirmed is. Other callers are refused.
func (s *Service) heldWhileBlocked(ctx context.Context, p Proposal, c DirectChange, policy Policy, err error) (Proposal, error) {
	if !errors.Is(err, ErrChangesBlocked) || !c.Client || !policy.Enabled || p.request.Wanted.IsZero() {
		return p, err
	}
	p.Decision, p.Pending, p.flowID = Challenge, p.request.Wanted, s.NewID()
	return p, s.stage(ctx, p.staged(), time.Time{}, p.request, p.held, p.seen.Pending, false)
}

// requestOf puts a change into the terms of the decision. With verification off
// any text stands for itself, and it is the directory that accepts it or not.
func (s *Service) requestOf(seen Identity, c DirectChange, policy Policy) (Request, error) {
	r := Request{
		Enabled: policy.Enabled, VerifyPrivileged: policy.VerifyPrivileged, VerifyAlways: policy.VerifyAlways,
		RemovalAllowed: policy.Removal != RemovalDeny,
		Source:         c.Source, Privileged: c.Who.Kind == audit.Privileged, Client: c.Client, Asked: c.Asked, Update: c.Update,
		Stored: phone.ParseStored(s.Plan, seen.Mobile), StoredVerified: seen.Verified,
	}
	if !policy.Enabled || textclean.Blank(c.Wanted) || c.Wanted == seen.Mobile {
		r.Wanted = phone.ParseStored(s.Plan, c.Wanted)
		return r, nil
	}
	wanted, err := phone.Parse(s.Plan, c.Wanted)
	if kept := phone.ParseStored(s.Plan, c.Wanted); err != nil && kept.Same(r.Stored) {
		wanted, err = kept, nil // it was accepted once, by another plan
	}
	r.Wanted = wanted
	return r, err
}

// proven reports whether who makes a change may make it with their sign-in.
func (s *Service) proven(ctx context.Context, c DirectChange) error {
	if c.Who.Kind == audit.Owner && c.SignedIn == nil {
		return ErrSessionTooOld
	}
	return s.Proven(ctx, c.SignedIn)
}

func (p Proposal) staged() Claim {
	c := Claim{
		IdentityID: p.seen.ID, FlowID: p.flowID, Source: p.change.Source,
		LastAddress: ratelimit.Network(p.change.Who.ClientIP), Language: p.change.Language,
	}
	if p.change.Client {
		c.ClientText = ClientAsked
	}
	if in := p.change.SignedIn; in != nil && p.change.Who.Kind == audit.Owner {
		c.Assurance = in.Assurance
	}
	return c
}

// ProposeNew rules on the number of an identity that is to be made. It is written
// as given, unless changes are always verified: whether it is asked for does not
// matter, because nobody could confirm it yet. Errors are those of
// [Service.Propose].
func (s *Service) ProposeNew(ctx context.Context, c DirectChange) (Proposal, error) {
	p, err := s.proposeNew(ctx, c)
	if c.leavesOut(err) {
		return p.Without(err), nil
	}
	return p, err
}

func (s *Service) proposeNew(ctx context.Context, c DirectChange) (Proposal, error) {
	p := Proposal{change: c}
	policy := s.Policy()
	c.Update, c.Asked = UpdateExplicit, false
	r, err := s.requestOf(Identity{}, c, policy)
	p.request = r
	if err != nil || r.Wanted.IsZero() {
		return p, err
	}
	p.Decision = Decide(r)
	if p.Decision != Challenge {
		p.Number = r.Wanted
		return p, nil
	}
	p.Pending, p.flowID = r.Wanted, s.NewID()
	err = s.checkDestination(ctx, r.Wanted, s.Now())
	if c.Client && limited(err) {
		err = nil
	}
	return p, err
}
