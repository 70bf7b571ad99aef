package metrics

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// claims count what becomes of claims and of what is asked of them.
type claims struct {
	decisions [claim.Challenge + 1]prometheus.Counter
	refusals  outcomes
	activated outcomes
	happened  outcomes
	tries     outcomes
}

// The outcomes of a hook beside the rulings, and of a code.
const (
	outcomeDone  = "done"
	outcomeError = "error"
	// claimDisputed is what the audit trail calls the answer to a notice that the
	// person denies.
	claimDisputed = "disputed"
	codeRight     = "right"
	codeWrong     = "wrong"
	codeExpired   = "expired"
	codeLocked    = "locked"
	codeRefused   = "refused"
)

// rulings are the decisions of docs/decision-table.md as labels.
var rulings = [...]string{
	claim.NoChange: "leave", claim.WriteDirectly: "write", claim.Remove: "remove", claim.RejectRemoval: "refuse_removal",
	claim.CancelPending: "take_back", claim.WriteUnverified: "write_unverified", claim.KeepPending: "keep_pending",
	claim.Challenge: "challenge",
}

// refusals are what the domain refuses for, as labels.
var refusals = []struct {
	err   error
	label string
}{
	{phone.ErrBadNumber, "bad_number"},
	{phone.ErrNumberNotServed, "number_not_served"},
	{claim.ErrRemovalDenied, "removal_denied"},
	{claim.ErrSessionTooOld, "session_too_old"},
	{claim.ErrNeedsSecondFactor, "second_factor"},
	{claim.ErrBeingApplied, "being_applied"},
	{claim.ErrStaleForm, "stale_form"},
	{claim.ErrTooSoon, "limit"},
	{claim.ErrTooManyTexts, "limit"},
	{ratelimit.ErrTooManyTries, "limit"},
	{claim.ErrCallingCodeFull, "limit"},
	{problem.ErrStoreUnavailable, "store_away"},
	{claim.ErrIdentitiesUnavailable, "kratos_away"},
}

func refusalOf(err error) string {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.label
		}
	}
	return outcomeError
}

func newClaims(with promauto.Factory) claims {
	hooks := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: "hook", Name: "decisions_total",
		Help: "What was decided on Kratos' settings hooks.",
	}, []string{"hook", "outcome"})
	total := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "claims_total", Help: "Claims that entered a state, and resent texts.",
	}, []string{"outcome"})
	tries := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "code_tries_total", Help: "Codes that were typed, by what came of it.",
	}, []string{"outcome"})
	var labels []string
	for _, r := range refusals {
		labels = append(labels, r.label)
	}
	labels = append(labels, outcomeError)
	c := claims{
		refusals:  newOutcomes(hooks.MustCurryWith(prometheus.Labels{"hook": "stage"}), labels...),
		activated: newOutcomes(hooks.MustCurryWith(prometheus.Labels{"hook": "activate"}), append([]string{outcomeDone}, labels...)...),
		happened: newOutcomes(total,
			string(claim.Open), "resent", string(claim.Verified), string(claim.Applied), string(claim.Discarded),
			string(claim.Superseded), string(claim.Cancelled), string(claim.Locked), string(claim.Lapsed),
			string(claim.Conflict), string(claim.Orphaned), claimDisputed, claim.NumberWritten, claim.NumberRemoved, claim.NumberLeftOut, claim.NumberRestored,
			claim.NumberTaken, claim.NoticeWithheld, claim.UserDeleted, "other"),
		tries: newOutcomes(tries, codeRight, codeWrong, codeExpired, codeLocked, codeRefused, outcomeError),
	}
	for ruling, label := range rulings {
		c.decisions[ruling] = hooks.WithLabelValues("stage", label)
	}
	return c
}

// OnCommit counts what happened to claims, as the audit trail names it.
func (m *Metrics) OnCommit(_ context.Context, change claim.Change, withheld []message.Text) {
	for _, e := range change.Events {
		m.claims.happened.count(e.Kind)
	}
	for range withheld {
		m.limits.count(claim.LimitNumberNotices)
		m.claims.happened.count(claim.NoticeWithheld)
	}
}

// Claims counts what people and Kratos ask of the claims.
type Claims struct {
	*claim.Service
	metrics *Metrics
}

// Claims returns the claims with a count of what is asked of them.
func (m *Metrics) Claims(service *claim.Service) Claims { return Claims{service, m} }

// Stage counts the ruling, or why there is none.
func (c Claims) Stage(ctx context.Context, change claim.SettingsChange) (claim.Answer, error) {
	answer, err := c.Service.Stage(ctx, change)
	if err == nil {
		c.metrics.claims.decisions[answer.Decision].Inc()
		return answer, nil
	}
	c.metrics.claims.refusals.count(refusalOf(err))
	return answer, c.metrics.limited(err)
}

// Activate counts whether a stored flow was dealt with.
func (c Claims) Activate(ctx context.Context, flow claim.StoredFlow) error {
	err := c.Service.Activate(ctx, flow)
	if err == nil {
		c.metrics.claims.activated.count(outcomeDone)
		return nil
	}
	c.metrics.claims.activated.count(refusalOf(err))
	return c.metrics.limited(err)
}

// Confirm counts the code.
func (c Claims) Confirm(ctx context.Context, who claim.Caller, code string) error {
	err := c.Service.Confirm(ctx, who, code)
	c.metrics.claims.tries.count(codeOutcome(err))
	return c.metrics.limited(err)
}

// codeOutcome tells what a code was. It was right if the number is refused only
// when it is written.
func codeOutcome(err error) string {
	switch {
	case err == nil, errors.Is(err, claim.ErrNumberTaken), errors.Is(err, claim.ErrChangedElsewhere),
		errors.Is(err, claim.ErrNumberRefused), errors.Is(err, claim.ErrNoIdentity):
		return codeRight
	case errors.Is(err, claim.ErrWrongCode):
		return codeWrong
	case errors.Is(err, claim.ErrCodeExpired):
		return codeExpired
	case errors.Is(err, ratelimit.ErrTooManyTries):
		return codeLocked
	case errors.Is(err, claim.ErrSessionTooOld), errors.Is(err, claim.ErrNeedsSecondFactor), errors.Is(err, claim.ErrPrivilegedOff):
		return codeRefused
	default:
		return outcomeError
	}
}

// Resend counts limits.
func (c Claims) Resend(ctx context.Context, who claim.Caller) error {
	return c.metrics.limited(c.Service.Resend(ctx, who))
}

// Propose counts limits.
func (c Claims) Propose(ctx context.Context, seen claim.Identity, change claim.DirectChange) (claim.Proposal, error) {
	proposal, err := c.Service.Propose(ctx, seen, change)
	return proposal, c.metrics.limited(err)
}

// ProposeNew counts limits.
func (c Claims) ProposeNew(ctx context.Context, change claim.DirectChange) (claim.Proposal, error) {
	proposal, err := c.Service.ProposeNew(ctx, change)
	return proposal, c.metrics.limited(err)
}
