package claim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/textclean"
)

// SettingsChange is a settings flow that Kratos has not stored yet.
type SettingsChange struct {
	IdentityID, FlowID, SchemaID string
	FlowIssued                   time.Time // zero where the hook does not tell

	// Stored and Wanted are the trait's text. One of which nothing can be seen is
	// no number.
	Stored, Wanted string
	StoredVerified bool
	ShownPending   string // the identity's pending number, blank for none

	// SignedIn is when the session was authenticated; zero where the Kratos
	// version does not tell.
	SignedIn time.Time
	// Assurance is the session's, blank where the Kratos version does not tell.
	Assurance Assurance
	ClientIP  string
	Language  string
}

// Answer is what Kratos is to store for a settings flow.
type Answer struct {
	Decision Decision
	// Pending is the number to show as pending; zero for none.
	Pending phone.Number
	// Interrupt tells that the flow has to be refused although the claim is open:
	// this identity cannot go without the number and keep it back at once.
	Interrupt bool
}

// Stage rules on a settings flow before Kratos stores it. A challenge is staged:
// nothing is texted before [Service.Activate]. Kratos delivers a call up to
// three times, and the same one is answered the same.
func (s *Service) Stage(ctx context.Context, c SettingsChange) (Answer, error) {
	now, policy := s.Now(), s.Policy()
	if textclean.Blank(c.Wanted) {
		c.Wanted = ""
	}
	request := Request{
		Enabled: policy.Enabled, RemovalAllowed: policy.Removal != RemovalDeny,
		Source: SourceSettings, Update: UpdateFull,
		Stored: phone.ParseStored(s.Plan, c.Stored), StoredVerified: c.StoredVerified,
	}
	if request.Enabled && c.Wanted != "" && c.Wanted != c.Stored {
		wanted, err := phone.Parse(s.Plan, c.Wanted)
		if err != nil {
			return Answer{}, err
		}
		request.Wanted = wanted
	} else {
		request.Wanted = phone.ParseStored(s.Plan, c.Wanted)
	}
	held, err := s.markedClaim(ctx, c.IdentityID, c.ShownPending, now)
	if err != nil {
		return Answer{}, err
	}
	if held != nil && held.State == Open {
		request.Pending, request.CoolingDown = held.Number, now.Before(held.NextText)
	}
	answer := Answer{Decision: Decide(request)}
	if answer.Decision != NoChange && !c.SignedIn.IsZero() && !policy.recentEnough(c.SignedIn, now) {
		return Answer{}, ErrSessionTooOld
	}
	if trial, err := s.onTrial(ctx, c.IdentityID, request.Wanted, now); err != nil || trial {
		return s.stageTrial(ctx, c, request, err)
	}
	switch answer.Decision {
	case RejectRemoval:
		return Answer{}, ErrRemovalDenied
	case NoChange:
		answer.Pending = phone.FromStore(c.ShownPending)
	case KeepPending:
		answer.Pending = held.Number
		answer.Interrupt, err = s.mustInterrupt(ctx, c.SchemaID, request.Stored)
	case Challenge:
		if held != nil && held.State == Verified {
			return Answer{}, ErrBeingApplied
		}
		answer.Pending = request.Wanted
		if answer.Interrupt, err = s.mustInterrupt(ctx, c.SchemaID, request.Stored); err == nil {
			err = s.challenge(ctx, c, request, held, answer.Interrupt)
		}
	case WriteDirectly, Remove, CancelPending, WriteUnverified:
		err = s.stageDirect(ctx, Claim{
			IdentityID: c.IdentityID, FlowID: c.FlowID, Source: SourceSettings, Number: request.Wanted,
			Previous: request.Stored, PreviousVerified: request.StoredVerified, LastAddress: ratelimit.Network(c.ClientIP), Language: c.Language,
		})
	}
	return answer, err
}

// markedClaim reads the identity's held claim. An identity without a marker has
// none, but for a crash that Activate and the workers mend; the usual change is
// spared the read.
func (s *Service) markedClaim(ctx context.Context, identityID, marker string, now time.Time) (*Claim, error) {
	if marker == "" {
		return nil, nil //nolint:nilnil // no claim is no error
	}
	snapshot, err := s.Store.Current(ctx, identityID, now.Add(-day))
	return snapshot.Active, err
}

// mustInterrupt reports whether a number cannot be taken out of the flow again:
// in an identity that had none, a number that the schema makes a means to sign
// in by code would stay behind in Kratos as just that.
func (s *Service) mustInterrupt(ctx context.Context, schemaID string, stored phone.Number) (bool, error) {
	if !stored.IsZero() {
		return false, nil
	}
	identifier, err := s.Identities.CodeIdentifier(ctx, schemaID)
	if err != nil {
		return false, fmt.Errorf("read schema: %w", err)
	}
	return identifier, nil
}

// challenge stages the claim; where the flow is to be interrupted, and so never
// stored, it opens the claim as well.
func (s *Service) challenge(ctx context.Context, c SettingsChange, r Request, held *Claim, interrupt bool) error {
	staged := Claim{
		IdentityID: c.IdentityID, FlowID: c.FlowID, Source: SourceSettings,
		LastAddress: ratelimit.Network(c.ClientIP), Language: c.Language, Assurance: c.Assurance,
	}
	err := s.stage(ctx, staged, c.FlowIssued, r, held, c.ShownPending, false)
	if err != nil || !interrupt {
		return err
	}
	return s.activate(ctx, activation{
		identityID: c.IdentityID, flowID: c.FlowID, flowIssued: c.FlowIssued, number: r.Wanted, marker: SyncShow, stored: true,
		who: audit.Actor{Kind: audit.Owner, ID: c.IdentityID, ClientIP: c.ClientIP}, language: c.Language,
	})
}

// stage keeps a challenge as a staged claim; the caller says where it came from, and
// whether it takes it to be the identity's only one without having looked.
func (s *Service) stage(ctx context.Context, staged Claim, issued time.Time, r Request, held *Claim, marker string, alone bool) error {
	now, policy := s.Now(), s.Policy()
	bound := staged.ClientText == ClientNone // a client's claim opens without a text instead
	if bound && held != nil && held.Number.Same(r.Wanted) && !policy.textsLeft(held.Texts) {
		return &problem.LimitError{Reason: ErrTooManyTexts, Until: held.LapsesAt, Name: LimitClaimTexts}
	}
	if err := s.checkDestination(ctx, r.Wanted, now); err != nil && (bound || !limited(err)) {
		return err
	}
	staged.ID = stagedID(staged.IdentityID, staged.FlowID, issued, r.Wanted)
	staged.Number, staged.Previous, staged.PreviousVerified = r.Wanted, r.Stored, r.StoredVerified
	staged.State, staged.CreatedAt, staged.DueAt = Staged, now, now.Add(reconcileAfter)
	if r.Wanted.IsStored(s.Plan, marker) {
		staged.PendingSync = SyncShownBefore
	}
	change := Change{Create: &staged, At: now}
	if staged.Source == SourceSettings || alone { // others have looked at the claims just now
		change.Basis = basis(r.Stored, now)
		change.Basis.Vacant = alone
	}
	if bound {
		change.Limits, change.NoTextWithin, change.RefuseBlocked = policy.Texts, policy.Lifetime, true
	}
	err := s.stageFresh(ctx, change, held)
	if errors.Is(err, ErrExists) {
		err = s.stageAgain(ctx, change, held)
	}
	return err
}

// limited reports whether an error is a limit.
func limited(err error) bool {
	limit := (*problem.LimitError)(nil)
	return errors.As(err, &limit)
}

// stageFresh stages a claim. To a number that the identity had a text to before
// it applies what earlier claims have used up, so that nobody gets more texts by
// changing a number back and forth.
func (s *Service) stageFresh(ctx context.Context, change Change, held *Claim) error {
	err := s.Store.Commit(ctx, change)
	if !errors.Is(err, ErrTextedBefore) {
		return err
	}
	change.NoTextWithin = 0
	staged, policy := change.Create, s.Policy()
	if held == nil || !held.Number.Same(staged.Number) {
		history, err := s.Store.History(ctx, staged.IdentityID, staged.Number, change.At.Add(-policy.Lifetime))
		if err == nil {
			err = policy.spent(history, change.At)
		}
		if err != nil {
			return err
		}
	}
	return s.Store.Commit(ctx, change)
}

// stageAgain meets a repeated delivery, or the same number once more in a flow
// in which it has been wanted before. What was taken back just now is refused: it
// may be a delivery that was on its way.
func (s *Service) stageAgain(ctx context.Context, change Change, held *Claim) error {
	staged := change.Create
	snapshot, err := s.Store.Current(ctx, staged.IdentityID, change.At.Add(-day))
	if err != nil || snapshot.findStaged(staged.FlowID, staged.Number) != nil {
		return err
	}
	known, err := s.Store.Find(ctx, staged.ID)
	if err != nil {
		return err
	}
	if known != nil && known.Reason == takenBack && change.At.Sub(known.EndedAt) < lastLook {
		return ErrStaleForm
	}
	staged.ID = s.NewID()
	return s.stageFresh(ctx, change, held)
}

// stagedID computes the id of a flow's claim for a number, so that a repeated
// delivery meets its own row and an activation needs no look-up. It begins with the
// second in which the flow was issued, if that is known: claims of one time then lie
// together in every index that ends with their ids.
func stagedID(identityID, flowID string, issued time.Time, number phone.Number) string {
	sum := flowSum(identityID, flowID, number)
	if second := secondOf(flowID, issued); second > 0 {
		binary.BigEndian.PutUint32(sum[:], second)
	}
	return hex.EncodeToString(sum[:])
}

// isStagedID reports whether an id was computed for a flow and number, also where somebody
// did not know when the flow was issued.
func isStagedID(id, identityID, flowID string, number phone.Number) bool {
	sum := flowSum(identityID, flowID, number)
	return len(id) == hex.EncodedLen(len(sum)) && strings.HasSuffix(id, hex.EncodeToString(sum[4:]))
}

func flowSum(identityID, flowID string, number phone.Number) (first [16]byte) {
	sum := sha256.Sum256([]byte(identityID + "\x00" + flowID + "\x00" + number.Key()))
	return [16]byte(sum[:])
}

// secondOf is the Unix time of a flow; zero if it is not known. Flows that are not of
// Kratos are named by [Options.NewID], which begins with the time (RFC 9562, version 7).
func secondOf(flowID string, issued time.Time) uint32 {
	const version7 = 14 // the place of the version
	if issued.IsZero() && len(flowID) == 36 && flowID[version7] == '7' {
		if millis, err := strconv.ParseInt(flowID[:8]+flowID[9:13], 16, 64); err == nil {
			issued = time.UnixMilli(millis)
		}
	}
	if issued.IsZero() {
		return 0
	}
	return uint32(max(0, min(issued.Unix(), math.MaxUint32)))
}
