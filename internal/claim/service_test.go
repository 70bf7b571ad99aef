package claim_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
)

const (
	bob     = "bob"
	m0      = "+491710000000"
	m1      = "+491711111111"
	m2      = "+491722222222"
	cool    = 30 * time.Second
	aMoment = time.Millisecond
)

// world is a service with working fakes around it, and a clock that stands
// still until told to move.
type world struct {
	*claim.Service
	t     *testing.T
	store claim.Store
	dir   *claimtest.Identities
	codes *otp.Codes

	mu     sync.Mutex
	now    time.Time
	sent   []message.Text
	policy claim.Policy
	ids    int
	// sessionsEnded counts the calls that ended sessions, which fail with sessionsFail.
	sessionsEnded int
	sessionsFail  error
}

func newWorld(t *testing.T, identities ...claim.Identity) *world {
	t.Helper()
	if identities == nil {
		identities = []claim.Identity{{ID: bob, Mobile: m0, Verified: true}}
	}
	w := &world{
		t: t, store: storetest.NewStore(), dir: claimtest.NewIdentities(identities...),
		codes: sixDigits(t, codeSecret),
		now:   time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		policy: claim.Policy{
			Enabled: true, Validity: 5 * time.Minute, Removal: claim.RemovalAllow, Resend: claim.ResendNew,
			Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour, SessionAge: 15 * time.Minute,
			MaxAttempts: 5, DayAttempts: 20, Cooldown: cool, MaxTexts: 5,
			Texts: claim.TextLimits{PerIdentityDay: 10, PerNumberDay: 5},
		},
	}
	w.Service = claim.New(claim.Options{
		Store: w.store, Identities: w.dir, Codes: w.codes, Plan: numberPlan,
		Policy: func() claim.Policy { return w.policy },
		Now:    func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		NewID:  func() string { w.mu.Lock(); defer w.mu.Unlock(); w.ids++; return fmt.Sprintf("%032x", w.ids) },
		Jitter: func(d time.Duration) time.Duration { return d },
		Send:   func(text message.Text) { w.mu.Lock(); defer w.mu.Unlock(); w.sent = append(w.sent, text) },
		EndSessions: func(_ context.Context, id string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if id == bob {
				w.sessionsEnded++
			}
			return w.sessionsFail
		},
		Log: slog.New(slog.DiscardHandler),
	})
	return w
}

// numberPlan has no home region.
var numberPlan = phone.Parser{Format: phone.FormatE164}

var codeSecret = strings.Repeat("first-secret-", 4)

func derive(t *testing.T, codes *otp.Codes, ref otp.CodeRef) string {
	t.Helper()
	code, err := codes.Code(ref)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func sixDigits(t *testing.T, secrets ...string) *otp.Codes {
	t.Helper()
	codes, err := otp.New(secrets, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) caller(id string) claim.Caller {
	return claim.Caller{IdentityID: id, AuthenticatedAt: w.Now()}
}

func (w *world) identity(id string) claim.Identity {
	w.t.Helper()
	i, err := w.dir.Identity(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// stage is what Kratos does before it stores a form.
func (w *world) stage(id, flow, wanted string) (claim.Answer, error) {
	i := w.identity(id)
	return w.Stage(w.t.Context(), claim.SettingsChange{
		IdentityID: id, FlowID: flow, Stored: i.Mobile, StoredVerified: i.Verified, Wanted: wanted, ShownPending: i.Pending,
	})
}

// submit is what Kratos does with a form: stage, store, activate.
func (w *world) submit(id, flow, wanted string) claim.Answer {
	w.t.Helper()
	answer, err := w.stage(id, flow, wanted)
	if err != nil {
		w.t.Fatalf("stage: %v", err)
	}
	w.persist(id, wanted, answer)
	w.activate(id, flow)
	w.pass(aMoment)
	return answer
}

// persist stores what a stage answer says.
func (w *world) persist(id, wanted string, answer claim.Answer) {
	i := w.identity(id)
	i.Pending = answer.Pending.Unmasked()
	switch answer.Decision {
	case claim.WriteDirectly, claim.Remove, claim.WriteUnverified:
		i.Mobile, i.Verified = wanted, false
	case claim.NoChange, claim.RejectRemoval, claim.CancelPending, claim.KeepPending, claim.Challenge:
	}
	w.dir.Put(i)
}

func (w *world) activate(id, flow string) {
	w.t.Helper()
	i := w.identity(id)
	err := w.Activate(w.t.Context(), claim.StoredFlow{IdentityID: id, FlowID: flow, Mobile: i.Mobile, ShownPending: i.Pending})
	if err != nil {
		w.t.Fatalf("activate: %v", err)
	}
}

// deliver sends what is due in the outbox, once.
func (w *world) deliver() {
	w.t.Helper()
	due, err := w.store.DueTexts(w.t.Context(), w.Now(), 99)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range slices.Backward(due) {
		known := slices.ContainsFunc(w.sent, func(t message.Text) bool { return t.ID == text.ID })
		if text.Current && !known {
			w.sent = append(w.sent, text.Text)
		}
	}
}

// lastCode is what stands on the phone that was texted last.
func (w *world) lastCode() string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sent) == 0 {
		w.t.Fatal("no text was sent")
	}
	return derive(w.t, w.codes, w.sent[len(w.sent)-1].Code)
}

func (w *world) wrongCode() string {
	right := w.lastCode()
	return right[1:] + string('0'+(right[0]-'0'+1)%10)
}

func (w *world) confirm(id, code string) error {
	return w.Confirm(w.t.Context(), w.caller(id), code)
}

func (w *world) wantIdentity(mobile string, verified bool, pending string) {
	w.t.Helper()
	want := claim.Identity{ID: bob, Mobile: mobile, Verified: verified, Pending: pending}
	if got := w.identity(bob); got != want {
		w.t.Errorf("identity is %+v, want %+v", got, want)
	}
}

func (w *world) wantTexts(numbers ...string) {
	w.t.Helper()
	var got []string
	for _, text := range w.sent {
		got = append(got, text.To.Unmasked())
	}
	if strings.Join(got, " ") != strings.Join(numbers, " ") {
		w.t.Errorf("texts went to %v, want %v", got, numbers)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func (w *world) chores() {
	w.t.Helper()
	if _, err := w.RunDue(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheNumberHoldsUntilItsCodeComesBack(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.wantIdentity(m0, true, m1)
	w.wantTexts(m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode) // used
	if w.dir.Writes != 1 {
		t.Errorf("the directory was written %d times", w.dir.Writes)
	}
}

func TestNothingIsTextedBeforeTheFlowIsStored(t *testing.T) {
	w := newWorld(t)
	if _, err := w.stage(bob, "flow", m1); err != nil {
		t.Fatal(err)
	}
	w.wantTexts()
	w.pass(3 * time.Minute)
	w.chores()
	w.wantTexts()
	w.activate(bob, "flow") // the identity has no marker: not stored
	w.wantTexts()
	wantErr(t, w.confirm(bob, "123456"), claim.ErrWrongCode)
}

func TestARepeatedDeliveryIsAnsweredTheSame(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		answer, err := w.stage(bob, "flow", m1)
		if err != nil || answer.Decision != claim.Challenge || answer.Pending.Unmasked() != m1 {
			t.Fatalf("got %+v, %v", answer, err)
		}
	}
	w.submit(bob, "flow", m1)
	w.activate(bob, "flow")
	w.wantTexts(m1)
}

func TestALostActivationIsFound(t *testing.T) {
	w := newWorld(t)
	answer, err := w.stage(bob, "flow", m1)
	if err != nil {
		t.Fatal(err)
	}
	w.persist(bob, m1, answer)
	w.pass(6 * time.Second)
	w.chores()
	w.wantTexts(m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}

func TestANewerNumberSupersedes(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	first := w.lastCode()
	w.submit(bob, "two", m2)
	w.wantTexts(m1, m2)
	wantErr(t, w.confirm(bob, first), claim.ErrWrongCode)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m2, true, "")
}

func TestABrokenOffFlowCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	if _, err := w.stage(bob, "two", m2); err != nil {
		t.Fatal(err)
	}
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.pass(6 * time.Second) // the form might still have been stored
	w.chores()
	w.wantIdentity(m1, true, "")
}

func TestActivationsThatOvertakeEachOther(t *testing.T) {
	w := newWorld(t)
	one, err := w.stage(bob, "one", m1)
	if err != nil {
		t.Fatal(err)
	}
	w.persist(bob, m1, one)
	before := w.identity(bob)
	w.pass(aMoment)
	w.submit(bob, "two", m2)
	late := claim.StoredFlow{IdentityID: bob, FlowID: "one", Mobile: m0, ShownPending: before.Pending}
	if err := w.Activate(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m2, true, "")
}

func TestTheSameNumberAgain(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	first := w.lastCode()
	if answer := w.submit(bob, "two", m1); answer.Decision != claim.KeepPending {
		t.Errorf("at once: ruling %d", answer.Decision)
	}
	w.wantTexts(m1)
	w.pass(cool)
	w.submit(bob, "three", m1)
	w.wantTexts(m1, m1)
	wantErr(t, w.confirm(bob, first), claim.ErrWrongCode)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
}

func TestTheSameFlowMayBeSubmittedAgain(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.submit(bob, "flow", m2)
	w.submit(bob, "flow", m1)
	w.wantTexts(m1, m2)
	w.pass(cool)
	w.deliver()
	w.wantTexts(m1, m2, m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}

func TestWrongCodesLock(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	for range 4 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	w.wantIdentity(m0, true, m1)
	wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
	w.wantIdentity(m0, true, "")
	_, err := w.Status(t.Context(), w.caller(bob))
	wantErr(t, err, claim.ErrNothingPending)
}

func TestFourWrongCodesDoNotLock(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	for range 4 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
}

func TestTriesAreCountedAcrossClaims(t *testing.T) {
	w := newWorld(t)
	w.policy.DayAttempts = 7
	w.submit(bob, "one", m1)
	for range 5 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	w.submit(bob, "two", m2)
	for range 2 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	w.submit(bob, "three", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), ratelimit.ErrTooManyTries)
	w.pass(23 * time.Hour)
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrCodeExpired)
}

func TestFiftyGuessesAtOnceCountAsFifty(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if err := w.confirm(bob, w.wrongCode()); !errors.Is(err, claim.ErrWrongCode) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
	w.wantIdentity(m0, true, "")
}

func TestTwoRightCodesAtOnceMakeOneChange(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	right := w.lastCode()
	var group sync.WaitGroup
	var mu sync.Mutex
	successes := 0
	for range 8 {
		group.Go(func() {
			err := w.confirm(bob, right)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				successes++
			} else if !errors.Is(err, claim.ErrWrongCode) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if successes == 0 || w.dir.Writes != 1 {
		t.Errorf("%d successes, %d writes", successes, w.dir.Writes)
	}
	w.wantIdentity(m1, true, "")
}

func TestAnExpiredCodeCanBeResent(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.pass(5 * time.Minute)
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrCodeExpired)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
}

func TestResendRestsLongerEachTime(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	for _, rest := range []time.Duration{cool, 2 * cool, 4 * cool, 8 * cool} {
		w.pass(rest - aMoment - time.Second)
		var limit *problem.LimitError
		if err := w.Resend(t.Context(), w.caller(bob)); !errors.As(err, &limit) || !errors.Is(err, claim.ErrTooSoon) {
			t.Fatalf("after a second less than %v: %v", rest, err)
		}
		w.pass(time.Second + aMoment)
		wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
	}
	w.pass(time.Hour)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrTooManyTexts)
	w.wantTexts(m1, m1, m1, m1, m1)
}

func TestResendMayRepeatTheCode(t *testing.T) {
	w := newWorld(t)
	w.policy.Resend = claim.ResendSame
	w.submit(bob, "flow", m1)
	first := w.lastCode()
	w.pass(cool)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
	if w.lastCode() != first {
		t.Error("the code changed while it lived")
	}
	w.pass(5 * time.Minute)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
	if w.lastCode() == first {
		t.Error("the dead code was sent again")
	}
}

func TestCancelTakesThePendingNumberAway(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), nil)
	w.wantIdentity(m0, true, "")
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), claim.ErrNothingPending)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrNothingPending)
}

func TestTheMarkerGoesWhenKratosIsBack(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Fail(claim.ErrIdentitiesUnavailable)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), nil)
	w.dir.Fail(nil)
	w.wantIdentity(m0, true, m1)
	w.pass(time.Minute)
	w.chores()
	w.wantIdentity(m0, true, "")
}

func TestAcceptedMeansItWillHappen(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Fail(fmt.Errorf("%w: 503", claim.ErrIdentitiesUnavailable))
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	_, err := w.stage0(bob, "other", m2)
	wantErr(t, err, claim.ErrBeingApplied)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), claim.ErrBeingApplied)
	for range 5 {
		w.pass(2 * time.Minute)
		w.chores()
	}
	w.dir.Fail(nil)
	w.wantIdentity(m0, true, m1)
	w.pass(2 * time.Minute)
	w.chores()
	w.wantIdentity(m1, true, "")
	w.pass(2 * time.Minute)
	w.chores()
	if w.dir.Writes != 1 {
		t.Errorf("written %d times", w.dir.Writes)
	}
}

// Whoever writes an identity just now is done in a moment: an accepted number
// waits for its turn, and comes again soon, not when a lease would be over.
func TestAnAcceptedNumberWaitsNoWholeLeaseForAnother(t *testing.T) {
	for name, busy := range map[string]time.Duration{"a moment": time.Second, "longer than a worker waits": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.submit(bob, "flow", m1)
				w.dir.Fail(claim.ErrIdentitiesUnavailable)
				wantErr(t, w.confirm(bob, w.lastCode()), nil)
				w.dir.Fail(nil)
				other := claim.Lease{IdentityID: bob, Owner: "other", Until: w.Now().Add(time.Hour)}
				wantErr(t, w.store.Acquire(t.Context(), other, w.Now()), nil)
				time.AfterFunc(busy, func() { wantErr(t, w.store.Release(t.Context(), other), nil) })
				for range 4 {
					w.pass(time.Second)
					w.chores()
					time.Sleep(time.Second)
				}
				w.wantIdentity(m1, true, "")
			})
		})
	}
}

// Each try in vain doubles the wait for the next one, to a minute at most.
func TestTriesComeLessOftenTheLongerKratosIsAway(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Fail(claim.ErrIdentitiesUnavailable)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	var waits []time.Duration
	last := w.Now()
	for len(waits) < 9 {
		w.pass(time.Second)
		due, err := w.RunDue(t.Context())
		wantErr(t, err, nil)
		if due > 0 {
			waits = append(waits, w.Now().Sub(last))
			last = w.Now()
		}
	}
	s := time.Second
	if want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, time.Minute, time.Minute, time.Minute}; !slices.Equal(waits, want) {
		t.Errorf("waits are %v, want %v", waits, want)
	}
}

// Having waited for others does not make the next back-off longer.
func TestWaitingForAnotherIsNoTryInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(bob, "flow", m1)
		w.dir.Fail(claim.ErrIdentitiesUnavailable)
		wantErr(t, w.confirm(bob, w.lastCode()), nil)
		other := claim.Lease{IdentityID: bob, Owner: "other", Until: w.Now().Add(time.Hour)}
		wantErr(t, w.store.Acquire(t.Context(), other, w.Now()), nil)
		for range 20 {
			w.pass(time.Second)
			w.chores()
		}
		wantErr(t, w.store.Release(t.Context(), other), nil)
		w.pass(time.Second)
		w.chores() // in vain: Kratos is still away
		w.dir.Fail(nil)
		w.pass(5 * time.Second)
		w.chores()
		w.wantIdentity(m1, true, "")
	})
}

// stage0 stages although the directory does not answer.
func (w *world) stage0(id, flow, wanted string) (claim.Answer, error) {
	return w.Stage(w.t.Context(), claim.SettingsChange{
		IdentityID: id, FlowID: flow, Stored: m0, StoredVerified: true, Wanted: wanted, ShownPending: m1,
	})
}

func TestTheFirstToConfirmHasTheNumber(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob, Mobile: m0, Verified: true}, claim.Identity{ID: "eve", Mobile: m2, Verified: true})
	w.submit("eve", "a", m1)
	evil := w.lastCode()
	w.submit(bob, "b", m1)
	wantErr(t, w.confirm("eve", w.lastCode()), claim.ErrWrongCode)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	wantErr(t, w.confirm("eve", evil), claim.ErrNumberTaken)
	w.wantIdentity(m1, true, "")
	if got, want := w.identity("eve"), (claim.Identity{ID: "eve", Mobile: m2, Verified: true}); got != want {
		t.Errorf("eve is %+v, want %+v", got, want)
	}
}

func TestANumberChangedElsewhereIsNotOverwritten(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m2, Verified: true, Pending: m1})
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrChangedElsewhere)
	w.wantIdentity(m2, true, "")
}

func TestADeletedIdentityIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Delete(bob)
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrNoIdentity)
	last, err := w.store.Last(t.Context(), bob)
	if err != nil || last.State != claim.Orphaned || !last.Number.IsZero() || !last.Previous.IsZero() {
		t.Errorf("got %+v, %v", last, err)
	}
}

// Whichever claim meets the deletion, none is left alive without a number.
func TestADeletedIdentityLeavesNoOtherClaimAlive(t *testing.T) {
	for name, accepted := range map[string]bool{"open": false, "verified": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.submit(bob, "one", m1)
			if _, err := w.stage(bob, "two", m2); err != nil {
				t.Fatal(err)
			}
			if accepted {
				wantErr(t, w.confirm(bob, w.lastCode()), nil) // written when the other form's end is known
			}
			w.dir.Delete(bob)
			w.pass(10 * time.Minute)
			w.chores()
			left, err := w.store.Current(t.Context(), bob, w.Now().Add(-time.Hour))
			if err != nil || left.Active != nil || len(left.Staged) > 0 {
				t.Errorf("got %+v, %v", left, err)
			}
		})
	}
}

func TestClaimsLapse(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.pass(25 * time.Hour)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrNothingPending)
	w.chores()
	w.wantIdentity(m0, true, "")
	last, err := w.store.Last(t.Context(), bob)
	if err != nil || last.State != claim.Lapsed {
		t.Errorf("got %+v, %v", last, err)
	}
}

func TestWithTheFeatureOffNumbersGoThrough(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	pending := w.lastCode()
	w.policy.Enabled = false
	if answer := w.submit(bob, "two", m2); answer.Decision != claim.WriteDirectly {
		t.Errorf("ruling %d", answer.Decision)
	}
	w.wantIdentity(m2, false, "")
	wantErr(t, w.confirm(bob, pending), claim.ErrWrongCode)
	w.wantTexts(m1)
}

func TestRemoval(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	w.policy.Removal = claim.RemovalDeny
	_, err := w.stage(bob, "two", "")
	wantErr(t, err, claim.ErrRemovalDenied)
	w.policy.Removal = claim.RemovalAllow
	w.submit(bob, "three", "")
	w.wantIdentity("", false, "")
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
}

func TestAFirstNumberThatIsAnIdentifierInterrupts(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob})
	w.dir.Identifier = true
	for range 3 { // also when Kratos or the user repeats it
		answer, err := w.stage(bob, "flow", m1)
		if err != nil || !answer.Interrupt {
			t.Fatalf("got %+v, %v", answer, err)
		}
	}
	w.wantTexts(m1)
	w.chores()
	w.wantIdentity("", false, m1)
	if answer, err := w.stage(bob, "flow", m1); err != nil || !answer.Interrupt || answer.Decision != claim.KeepPending {
		t.Errorf("got %+v, %v", answer, err)
	}
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}

func TestAFormThatOverwritesTheNumberIsRepaired(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	stale := w.identity(bob)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.dir.Put(stale) // Kratos stored a form that it had begun before
	w.activate(bob, "name-only")
	w.pass(time.Minute) // the lease of the first write has ended
	w.chores()
	w.wantIdentity(m1, true, "")
	if err := w.Activate(t.Context(), claim.StoredFlow{IdentityID: bob, FlowID: "one", Mobile: m0, ShownPending: m1}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.chores()
	if w.dir.Writes != 2 {
		t.Errorf("written %d times", w.dir.Writes)
	}
}

func TestOldSessionsChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	old := claim.Caller{IdentityID: bob, AuthenticatedAt: w.Now().Add(-16 * time.Minute)}
	wantErr(t, w.Confirm(t.Context(), old, w.lastCode()), claim.ErrSessionTooOld)
	_, err := w.Stage(t.Context(), claim.SettingsChange{
		IdentityID: bob, FlowID: "f", Stored: m0, Wanted: m2, SignedIn: old.AuthenticatedAt,
	})
	wantErr(t, err, claim.ErrSessionTooOld)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
}

func TestTextsPerNumberAreLimitedAcrossIdentities(t *testing.T) {
	w := newWorld(t)
	w.policy.Texts.PerNumberDay = 3
	for i := range 4 {
		w.dir.Put(claim.Identity{ID: fmt.Sprintf("user-%d", i)})
	}
	for i := range 3 {
		w.submit(fmt.Sprintf("user-%d", i), "flow", m1)
	}
	_, err := w.stage("user-3", "flow", m1)
	var limit *problem.LimitError
	if !errors.As(err, &limit) || !errors.Is(err, claim.ErrTooManyTexts) || !limit.Until.After(w.Now().Add(23*time.Hour)) {
		t.Errorf("got %v", err)
	}
	w.pass(24 * time.Hour)
	w.submit("user-3", "later", m1)
	w.wantTexts(m1, m1, m1, m1)
}

// However many accounts ask for texts to a number, who has a verified one gets a
// code for it, once a day: by a form, and by whoever writes for them.
func TestThrowAwayAccountsLockNobodyOut(t *testing.T) {
	for name, ask := range map[string]func(*world, string) error{
		"by form": func(w *world, id string) error {
			answer, err := w.stage(id, "flow", m1)
			if err == nil {
				w.persist(id, m1, answer)
				w.activate(id, "flow")
			}
			return err
		},
		"over SCIM": func(w *world, id string) error {
			change := claim.DirectChange{
				Source: claim.SourceSCIM, Who: audit.Actor{Kind: audit.Owner, ID: id}, SignedIn: &claim.SignIn{At: w.Now()},
				Asked: true, Update: claim.UpdateExplicit, Wanted: m1,
			}
			proposal, err := w.Propose(t.Context(), w.identity(id), change)
			if err == nil {
				err = w.Settle(t.Context(), proposal, nil)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Texts = claim.TextLimits{PerNumberHour: 5, PerNumberDay: 10}
			for i := range 5 {
				id := fmt.Sprintf("user-%d", i)
				w.dir.Put(claim.Identity{ID: id, Mobile: m2})
				wantErr(t, ask(w, id), nil)
			}
			w.dir.Put(claim.Identity{ID: "user-5", Mobile: m2})
			wantErr(t, ask(w, "user-5"), claim.ErrTooManyTexts)
			w.pass(aMoment)
			wantErr(t, ask(w, bob), nil)
			status, err := w.Status(t.Context(), w.caller(bob))
			wantErr(t, err, nil)
			if want := w.Now().Add(time.Hour - aMoment); !status.NextText.Equal(want) {
				t.Errorf("the next text is promised for %v, want %v, when the first of the others' is an hour old", status.NextText, want)
			}
			w.pass(time.Hour / 2)
			wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrTooManyTexts)
			w.pass(time.Hour / 2)
			wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
			w.wantTexts(m1, m1, m1, m1, m1, m1, m1)
		})
	}
}

func TestEndedClaimsArePruned(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.pass(91 * 24 * time.Hour)
	wantErr(t, w.Prune(t.Context()), nil)
	if last, err := w.store.Last(t.Context(), bob); err != nil || last != nil {
		t.Errorf("got %+v, %v", last, err)
	}
}

func TestAReplayedHookOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	staged := claim.SettingsChange{IdentityID: bob, FlowID: "flow", Stored: m0, StoredVerified: true, Wanted: m1}
	stored := claim.StoredFlow{IdentityID: bob, FlowID: "flow", Mobile: m0, ShownPending: m1}
	for _, want := range []error{claim.ErrStaleForm, nil} { // after five minutes nobody can tell
		_, err := w.Stage(t.Context(), staged)
		wantErr(t, err, want)
		wantErr(t, w.Activate(t.Context(), stored), nil)
		w.wantTexts(m1)
		w.wantIdentity(m1, true, "")
		w.pass(5 * time.Minute)
	}
}

func TestAConfirmedNumberOutlivesAFormThatIsBeingStored(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	first := w.lastCode()
	answer, err := w.stage(bob, "two", m2)
	if err != nil {
		t.Fatal(err)
	}
	stale := w.identity(bob)
	wantErr(t, w.confirm(bob, first), nil)
	w.dir.Put(stale)
	w.persist(bob, m2, answer)
	w.activate(bob, "two")
	for range 3 {
		w.pass(30 * time.Second)
		w.chores()
	}
	w.wantIdentity(m1, true, m2)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m2, true, "")
}

func TestAStoredFormsNumberComesAfterTheOldCodeWhileItsActivationIsLost(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	first := w.lastCode()
	answer, err := w.stage(bob, "two", m2)
	if err != nil {
		t.Fatal(err)
	}
	w.persist(bob, m2, answer)
	wantErr(t, w.confirm(bob, first), nil)
	for range 2 { // the first code's number is written, then the claim is opened
		w.pass(10 * time.Second)
		w.chores()
	}
	w.wantIdentity(m1, true, m2)
	w.wantTexts(m1, m2)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m2, true, "")
}

func TestARefusedFormThatRepeatsThePendingNumberTextsNobody(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	w.pass(cool)
	if _, err := w.stage(bob, "two", m1); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		w.pass(time.Minute)
		w.chores()
	}
	w.wantTexts(m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}

func TestACancelledClaimStaysCancelled(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	w.pass(cool)
	if _, err := w.stage(bob, "two", m1); err != nil {
		t.Fatal(err)
	}
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), nil)
	w.wantIdentity(m0, true, "")
	for range 4 {
		w.pass(time.Minute)
		w.chores()
	}
	w.wantTexts(m1)
	w.wantIdentity(m0, true, "")
}

func TestTheMarkerFollowsTheClaimWhenFormsAreStoredInTheOtherOrder(t *testing.T) {
	w := newWorld(t)
	one, err := w.stage(bob, "one", m1)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(aMoment)
	w.submit(bob, "two", m2)
	w.persist(bob, m1, one)
	w.activate(bob, "one")
	w.chores()
	w.wantTexts(m2)
	w.wantIdentity(m0, true, m2)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m2, true, "")
}

func TestAMarkerThatIsSetMeanwhileGoes(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob})
	w.dir.Identifier = true
	if _, err := w.stage(bob, "flow", m1); err != nil {
		t.Fatal(err)
	}
	caller := w.caller(bob)
	seen := w.identity(bob)
	caller.Seen = &seen // as whoami showed it, before the marker was set
	w.chores()
	w.wantIdentity("", false, m1)
	wantErr(t, w.Confirm(t.Context(), caller, w.lastCode()), nil)
	w.pass(time.Minute)
	w.chores()
	w.wantIdentity(m1, true, "")
}

func TestADeletedIdentitysOpenClaimIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Delete(bob)
	w.pass(25 * time.Hour)
	w.chores()
	last, err := w.store.Last(t.Context(), bob)
	if err != nil || last.State != claim.Lapsed || !last.Number.IsZero() {
		t.Errorf("got %+v, %v", last, err)
	}
}

func TestADeletedIdentitysEarlierClaimsAreForgottenToo(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "earlier", m1)
	earlier := w.sent[0].Code.ClaimID
	w.submit(bob, "later", m2)
	w.dir.Delete(bob)
	w.pass(25 * time.Hour)
	w.chores()
	found, err := w.store.Find(t.Context(), earlier)
	if err != nil || found.State != claim.Superseded || !found.Number.IsZero() || !found.Previous.IsZero() {
		t.Errorf("got %+v, %v", found, err)
	}
}
