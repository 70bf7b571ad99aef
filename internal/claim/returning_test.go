package claim_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
)

// What an identity used up for a number stays used up when it takes the number
// back, or wants another one meanwhile.
func TestChangingBackAndForthBuysNoTexts(t *testing.T) {
	for name, leave := range map[string]func(*world){
		"by another number": func(w *world) { w.submit(bob, "elsewhere", m2) },
		"by cancelling":     func(w *world) { wantErr(w.t, w.Cancel(w.t.Context(), w.caller(bob)), nil) },
		"by locking": func(w *world) {
			for range 5 {
				wantErr(w.t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Texts, w.policy.MaxTexts = claim.TextLimits{}, 3
			w.submit(bob, "first", m1)
			toM1 := func() (n int) {
				w.deliver()
				for _, text := range w.sent {
					if text.To.Unmasked() == m1 {
						n++
					}
				}
				return n
			}
			for i, rest := range []time.Duration{cool, 2 * cool} {
				leave(w)
				w.submit(bob, name+string(rune('a'+i)), m1)
				if got := toM1(); got != i+1 {
					t.Fatalf("%d texts at once, want %d", got, i+1)
				}
				status, err := w.Status(t.Context(), w.caller(bob))
				wantErr(t, err, nil)
				if i == 0 && !status.NextText.After(w.Now().Add(cool)) {
					t.Errorf("the next text is at %v, %v from now", status.NextText, status.NextText.Sub(w.Now()))
				}
				w.pass(rest)
				if got := toM1(); got != i+2 {
					t.Fatalf("%d texts after the rest, want %d", got, i+2)
				}
			}
			leave(w)
			_, err := w.stage(bob, "once too often", m1)
			wantErr(t, err, claim.ErrTooManyTexts)
			w.pass(24 * time.Hour)
			w.submit(bob, "another day", m1)
			if got := toM1(); got != 4 {
				t.Errorf("%d texts after a day, want 4", got)
			}
		})
	}
}

// A number that was confirmed starts afresh.
func TestAConfirmedNumberLeavesNoHistory(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "in vain", m1)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), nil)
	w.pass(cool)
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.submit(bob, "two", m0)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.submit(bob, "three", m1)
	w.wantTexts(m1, m1, m0, m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}

// A claim that would lapse before its text may go out is not made.
func TestATextThatWouldComeTooLateIsRefused(t *testing.T) {
	w := newWorld(t)
	w.policy.Lifetime, w.policy.Validity, w.policy.Cooldown = 10*time.Minute, 5*time.Minute, 6*time.Minute
	w.submit(bob, "one", m1)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), nil)
	_, err := w.stage(bob, "two", m1)
	wantErr(t, err, claim.ErrTooSoon)
	w.pass(2 * time.Minute)
	_, err = w.stage(bob, "three", m1)
	wantErr(t, err, nil)
}

// A limit that ends sooner does not cut the rest short that earlier texts left.
func TestASilentOpeningKeepsTheRest(t *testing.T) {
	w := newWorld(t)
	w.policy.Cooldown = 10 * time.Hour
	w.submit(bob, "one", m1)
	wantErr(t, w.Cancel(t.Context(), w.caller(bob)), nil)
	w.policy.Texts = claim.TextLimits{PerIdentityDay: 2}
	answer, err := w.stage(bob, "two", m1)
	wantErr(t, err, nil)
	w.policy.Texts = claim.TextLimits{PerAddressHour: 1, PerIdentityDay: 1} // met only now
	w.persist(bob, m1, answer)
	w.activate(bob, "two")
	w.policy.Texts = claim.TextLimits{}
	w.pass(5 * time.Hour)
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrTooSoon)
}

// A worker that finds a lost activation knows the person's address and language.
func TestALostActivationKeepsAddressAndLanguage(t *testing.T) {
	w := newWorld(t)
	answer, err := w.Stage(t.Context(), claim.SettingsChange{
		IdentityID: bob, FlowID: "lost", Stored: m0, StoredVerified: true, Wanted: m1,
		ClientIP: "192.0.2.1", Language: "pt-BR,en",
	})
	wantErr(t, err, nil)
	w.persist(bob, m1, answer)
	w.pass(time.Minute)
	w.chores()
	w.wantTexts(m1)
	if text := w.sent[0]; text.ClientIP != "192.0.2.1" || text.Language != "pt-BR,en" {
		t.Errorf("address %q, language %q", text.ClientIP, text.Language)
	}
}

// A budget that is spent is said at the form, before a number is shown as pending.
func TestASpentBudgetIsRefusedAtTheForm(t *testing.T) {
	w := newWorld(t)
	w.policy.Traffic = fraud.Policy{Mode: fraud.Enforce, Budget: 1}
	w.submit(bob, "one", m1)
	_, err := w.stage(bob, "two", m2)
	wantErr(t, err, claim.ErrCallingCodeFull)
	status, err := w.Status(t.Context(), w.caller(bob))
	wantErr(t, err, nil)
	if want := w.Now().Add(time.Hour - aMoment); !status.NextText.Equal(want) {
		t.Errorf("the next text is at %v, want %v", status.NextText, want)
	}
}

// Wrong codes count against the number while it is changed back and forth.
func TestChangingBackAndForthBuysNoTries(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "one", m1)
	for range 3 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	w.submit(bob, "two", m2)
	w.submit(bob, "three", m1)
	w.pass(cool)
	w.deliver()
	status, err := w.Status(t.Context(), w.caller(bob))
	wantErr(t, err, nil)
	if status.AttemptsLeft != 2 {
		t.Errorf("%d tries left, want 2", status.AttemptsLeft)
	}
	for range 2 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
	w.wantIdentity(m0, true, "")
}

// The owner is told when the limits allow another text, not only the claim's rest.
func TestStatusTellsWhenTheLimitsAllowAText(t *testing.T) {
	w := newWorld(t)
	w.policy.Texts = claim.TextLimits{PerIdentityDay: 1}
	w.submit(bob, "one", m1)
	status, err := w.Status(t.Context(), w.caller(bob))
	wantErr(t, err, nil)
	if want := w.Now().Add(24*time.Hour - aMoment); !status.NextText.Equal(want) {
		t.Errorf("got %v, want %v", status.NextText, want)
	}
}

func TestNumbersThatAreNotServedAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	w := newWorld(t)
	w.policy.Coverage = phone.Restrictions{Denied: []string{"44"}}
	_, err := w.stage(bob, "flow", "+447911123456")
	wantErr(t, err, phone.ErrNumberNotServed)
	w.wantTexts()

	w.submit(bob, "flow", m1)
	w.pass(cool)
	w.policy.Coverage = phone.Restrictions{Denied: []string{"49"}}
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), phone.ErrNumberNotServed)
	wantErr(t, w.confirm(bob, w.lastCode()), nil) // what was texted still counts
}

// One customer has a whole /64 of IPv6 to himself.
func TestAddressesOfOneNetworkCountTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second string
		want          error
	}{
		"the same address":       {"192.0.2.1", "192.0.2.1", claim.ErrTooManyTexts},
		"written as IPv6":        {"192.0.2.1", "::ffff:192.0.2.1", claim.ErrTooManyTexts},
		"another IPv4 address":   {"192.0.2.1", "192.0.2.2", nil},
		"the same /64":           {"2001:db8:0:1::1", "2001:db8:0:1:ffff::9", claim.ErrTooManyTexts},
		"another /64":            {"2001:db8:0:1::1", "2001:db8:0:2::1", nil},
		"an address that is not": {"here", "there", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Texts, w.policy.Cooldown = claim.TextLimits{PerAddressHour: 1}, 0
			w.submit(bob, "flow", m1)
			who := w.caller(bob)
			who.ClientIP = tt.first
			wantErr(t, w.Resend(t.Context(), who), nil)
			who.ClientIP = tt.second
			wantErr(t, w.Resend(t.Context(), who), tt.want)
		})
	}
}

func TestTrafficToAStoppedCallingCodeIsRefusedForAWhile(t *testing.T) {
	w := newWorld(t)
	w.Stopped = func(code string) bool { return code == "49" }
	_, err := w.stage(bob, "flow", m1)
	wantErr(t, err, claim.ErrCallingCodeFull)
	w.wantTexts()
}

// lockedFirst is a store in which wrong codes lock a claim just before its right
// code is accepted.
type lockedFirst struct {
	claim.Store
	lock func()
}

func (l *lockedFirst) Commit(ctx context.Context, change claim.Change) error {
	if lock := l.lock; lock != nil && len(change.Transitions) > 0 && change.Transitions[0].Claim.State == claim.Verified {
		l.lock = nil
		lock()
	}
	return l.Store.Commit(ctx, change)
}

// A right code is taken as long as it is counted in time, whatever is tried beside it.
func TestARightCodeAmongTheLastTriesCounts(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	for range 3 {
		wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
	}
	w.Store = &lockedFirst{w.store, func() { wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode) }}
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.pass(time.Minute)
	w.chores()
	w.wantIdentity(m1, true, "")
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
}

// A right code that wrong ones beside it have locked out undoes nothing of what the
// person has done since.
func TestALateRightCodeOfALockedClaimUndoesNothing(t *testing.T) {
	for name, since := range map[string]struct {
		numbers []string
		want    string
	}{
		"the same number, confirmed":          {[]string{m1}, m1},
		"the same number, then another":       {[]string{m1, m2}, m2},
		"another number, confirmed meanwhile": {[]string{m2}, m2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Cooldown = 0
			w.submit(bob, "flow", m1)
			right := w.lastCode()
			for range 4 {
				wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
			}
			store := w.store
			w.Store = &lockedFirst{store, func() {
				wantErr(t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
				for i, number := range since.numbers {
					w.submit(bob, fmt.Sprint("anew ", i), number)
					wantErr(t, w.confirm(bob, w.lastCode()), nil)
				}
			}}
			wantErr(t, w.confirm(bob, right), claim.ErrWrongCode)
			w.pass(time.Minute)
			w.chores()
			w.wantIdentity(since.want, true, "")
			if want := len(since.numbers) + 1; w.dir.Writes != want { // the locked claim's marker goes, too
				t.Errorf("written %d times, want %d", w.dir.Writes, want)
			}
		})
	}
}
