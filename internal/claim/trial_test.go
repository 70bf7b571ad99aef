package claim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
)

// nobodys is a number that nobody can have.
const nobodys = "+447700900005"

func trialWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.Trials = &storetest.Trials{}
	return w
}

func (w *world) begin(id string) {
	w.t.Helper()
	if _, err := w.BeginTrial(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) wantTrial(staged, activated int, held bool) {
	w.t.Helper()
	got, err := w.Trial(w.t.Context(), bob)
	if err != nil || got.Staged != staged || got.Activated != activated || got.Held != held {
		w.t.Errorf("got %+v, %v, want %d, %d, %t", got, err, staged, activated, held)
	}
}

func TestATrialIsHeldAndTextsNobody(t *testing.T) {
	w := trialWorld(t)
	w.policy.Texts = claim.TextLimits{PerIdentityDay: 1, PerNumberDay: 1}
	w.begin(bob)
	w.submit(bob, "flow", nobodys)
	w.wantIdentity(m0, true, nobodys)
	w.wantTexts()
	w.wantTrial(1, 1, true)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrNothingPending)
	wantErr(t, w.confirm(bob, "123456"), claim.ErrCodeExpired) // as of any claim that has no code
	w.activate(bob, "flow")                                    // again
	w.pass(2 * time.Minute)
	w.chores()
	w.deliver()
	w.wantTexts()
	w.wantIdentity(m0, true, nobodys)

	// No limit was used: the person's own change, which needs one, goes through.
	w.submit(bob, "own", m1)
	w.wantTexts(m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
}

func TestALostActivationOfATrialTextsNobody(t *testing.T) {
	w := trialWorld(t)
	w.begin(bob)
	answer, err := w.stage(bob, "flow", nobodys)
	if err != nil {
		t.Fatal(err)
	}
	w.persist(bob, nobodys, answer)
	w.pass(6 * time.Second)
	w.chores()
	w.deliver()
	w.wantTexts()
	w.wantTrial(1, 0, true) // the hook did not come
}

// Whoever can announce trials can only spare nobody a text: no number that somebody may
// have is ever held without its code, or written without it.
func TestNoOtherChangeIsOnTrial(t *testing.T) {
	for name, tt := range map[string]struct {
		announced, number string
		wait              time.Duration
	}{
		"a number that people have":      {bob, m1, 0},
		"an identity that is not on one": {"alice", nobodys, 0},
		"a trial that is over":           {bob, nobodys, claim.TrialTime},
		"without a trial":                {"", nobodys, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := trialWorld(t)
			if tt.announced != "" {
				w.begin(tt.announced)
			}
			w.pass(tt.wait)
			w.submit(bob, "flow", tt.number)
			w.wantIdentity(m0, true, tt.number)
			w.wantTexts(tt.number)
			wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
			wantErr(t, w.confirm(bob, w.lastCode()), nil)
		})
	}
}

func TestATrialSeesVerificationSwitchedOff(t *testing.T) {
	w := trialWorld(t)
	w.policy.Enabled = false
	w.begin(bob)
	w.submit(bob, "flow", nobodys)
	w.wantIdentity(nobodys, false, "")
	w.wantTrial(1, 0, false)
	w.chores()
	w.wantTexts() // not even the old number, which lost its place
}

func TestATrialsIdentityLeavesNothing(t *testing.T) {
	w := trialWorld(t)
	w.begin(bob)
	w.submit(bob, "flow", nobodys)
	w.dir.Delete(bob)
	wantErr(t, w.EndTrial(t.Context(), bob), nil)
	_, err := w.Trial(t.Context(), bob)
	wantErr(t, err, claim.ErrNoIdentity)
	living, err := w.store.Current(t.Context(), bob, w.Now().Add(-time.Hour))
	if err != nil || living.Active != nil || len(living.Staged) > 0 {
		t.Errorf("claims are left: %+v, %v", living, err)
	}
	wantErr(t, w.EndTrial(t.Context(), bob), nil) // again
}

// Ending a trial of somebody who is there takes nothing of theirs away.
func TestEndingATrialEndsNoClaimOfALivingIdentity(t *testing.T) {
	w := trialWorld(t)
	w.begin(bob)
	w.submit(bob, "own", m1)
	wantErr(t, w.EndTrial(t.Context(), bob), nil)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
}

func TestTrialsAreBounded(t *testing.T) {
	w := trialWorld(t)
	var err error
	for i := range 40 {
		if _, err = w.BeginTrial(t.Context(), string(rune('a'+i))); err != nil {
			break
		}
	}
	limit := (*problem.LimitError)(nil)
	if !errors.As(err, &limit) || !limit.Until.After(w.Now()) {
		t.Errorf("got %v, want a limit with its end", err)
	}
	w.pass(claim.TrialTime)
	w.begin(bob)
}
