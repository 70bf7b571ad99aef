package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

func TestOwnersConfirmTheirOwnClaims(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "30s", "texts_per_number_per_hour": 0, "texts_per_number_per_day": 0, "texts_per_address_per_hour": 0},
	}})
	numbers := uniqueNumbers()
	t.Run("a used code is no code", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, now)
		wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
		wantMade(t, bob, now)
	})
	t.Run("four wrong codes are forgiven", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		for i := range 4 {
			wantFault(t, bob.Confirm(t, harness.WrongCode(text.Code, i)), http.StatusBadRequest, "18001")
			if c, _ := bob.Claim(t); c.AttemptsLeft != 4-i {
				t.Errorf("attempts left: got %d, want %d", c.AttemptsLeft, 4-i)
			}
		}
		wantHeld(t, bob, was, now)
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, now)
	})
	t.Run("five wrong codes lock the claim", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		for i := range 5 {
			wantFault(t, bob.Confirm(t, harness.WrongCode(text.Code, i)), http.StatusBadRequest, "18001")
		}
		wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
		bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
		wantMade(t, bob, was)
		wantFault(t, bob.Resend(t), http.StatusBadRequest, "UAR-10011")
	})
	t.Run("somebody else's code is no code", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob, alice, eve := s.NewPerson(t, was), s.NewPerson(t, numbers()), s.NewPerson(t, numbers())
		text := bob.Ask(t, now)
		eve.Ask(t, numbers())
		wantFault(t, alice.Confirm(t, text.Code), http.StatusBadRequest, "18001")
		wantFault(t, eve.Confirm(t, text.Code), http.StatusBadRequest, "18001")
		wantHeld(t, bob, was, now)
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, now)
	})
	t.Run("one number, two claims: the first to confirm has it", func(t *testing.T) {
		wasBob, wasEve, now := numbers(), numbers(), numbers()
		bob, eve := s.NewPerson(t, wasBob), s.NewPerson(t, wasEve)
		forBob, forEve := bob.Ask(t, now), eve.Ask(t, now)
		wantEmpty(t, bob.Confirm(t, forBob.Code), http.StatusAccepted)
		wantFault(t, eve.Confirm(t, forEve.Code), http.StatusConflict, "HLD-40901")
		wantMade(t, bob, now)
		eve.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
		wantMade(t, eve, wasEve)
		wantFault(t, eve.Confirm(t, forEve.Code), http.StatusBadRequest, "18001")
	})
	t.Run("a form that repeats the stored number keeps what is pending", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		bob.MustSave(t, harness.Profile{Name: "Later", Mobile: was})
		wantHeld(t, bob, was, now)
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, now)
		wantTexts(t, s, now, 1)
		wantTexts(t, s, was, 0)
	})
	t.Run("the same number again inside the cool-down is quiet", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		bob.MustSave(t, harness.Profile{Name: "Before", Mobile: now})
		wantHeld(t, bob, was, now)
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, now)
		wantTexts(t, s, now, 1)
	})
	t.Run("another number takes the place of the first", func(t *testing.T) {
		was, first, second := numbers(), numbers(), numbers()
		bob := s.NewPerson(t, was)
		forFirst, forSecond := bob.Ask(t, first), bob.Ask(t, second)
		wantHeld(t, bob, was, second)
		wantFault(t, bob.Confirm(t, forFirst.Code), http.StatusBadRequest, "18001")
		wantEmpty(t, bob.Confirm(t, forSecond.Code), http.StatusAccepted)
		wantMade(t, bob, second)
	})
	t.Run("a number that is removed takes the claim with it", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		bob.MustSave(t, harness.Profile{Name: "Before"})
		harness.Eventually(t, "the claim is cancelled", func() error {
			if _, pending := bob.Claim(t); pending {
				return errNotYet
			}
			return nil
		})
		wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
		wantHeld(t, bob, "", "")
	})
	t.Run("an owner takes a claim back", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		wantEmpty(t, bob.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusNoContent)
		bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
		wantMade(t, bob, was)
		wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
		wantFault(t, bob.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusNotFound, "HLD-40401")
	})
	t.Run("a code may be typed with spaces", func(t *testing.T) {
		bob := s.NewPerson(t, numbers())
		now := numbers()
		code := bob.Ask(t, now).Code
		wantEmpty(t, bob.Confirm(t, " "+code[:3]+" "+code[3:]+" "), http.StatusAccepted)
		wantMade(t, bob, now)
	})
}

func TestAnExpiredCodeLeavesTheClaimOpen(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	first := bob.Ask(t, m1)
	bob.ExpireCode(t)
	wantFault(t, bob.Confirm(t, first.Code), http.StatusBadRequest, "18002")
	wantHeld(t, bob, m0, m1)
	bob.EndCoolDown(t)
	wantEmpty(t, bob.Resend(t), http.StatusCreated)
	second := s.Provider.Nth(t, m1, 2)
	wantFault(t, bob.Confirm(t, first.Code), http.StatusBadRequest, "18001")
	wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

func TestAResendMakesANewCodeForTheNewNumber(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	first := bob.Ask(t, m1)
	bob.EndCoolDown(t)
	wantEmpty(t, bob.Resend(t), http.StatusCreated)
	second := s.Provider.Nth(t, m1, 2)
	if second.Code == first.Code {
		t.Fatal("a resend sent the old code")
	}
	wantFault(t, bob.Confirm(t, first.Code), http.StatusBadRequest, "18001")
	bob.EndCoolDown(t)
	bob.MustSave(t, harness.Profile{Name: "Before", Mobile: m1}) // asked for again, through the form
	third := s.Provider.Nth(t, m1, 3)
	wantFault(t, bob.Confirm(t, second.Code), http.StatusBadRequest, "18001")
	wantEmpty(t, bob.Confirm(t, third.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	wantTexts(t, s, m0, 0)
	wantTexts(t, s, "", 3)
}

func TestAResendIsRefusedTooSoonOrWithoutReason(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "1h"}}})
	bob := s.NewPerson(t, m0)
	wantFault(t, bob.Resend(t), http.StatusBadRequest, "UAR-10011") // nothing pending
	text := bob.Ask(t, m1)
	scenario := `{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}`
	for name, body := range map[string]string{
		"no scenario":       `{"properties":[]}`,
		"no properties":     `{}`,
		"scenario twice":    `{"properties":[` + scenario + `,` + scenario + `]}`,
		"unknown scenario":  `{"properties":[{"key":"RecoveryScenario","value":"NOTIFICATION_BASED_PW_RECOVERY"}]}`,
		"one of them wrong": `{"properties":[` + scenario + `,{"key":"RecoveryScenario","value":"ASK_PASSWORD"}]}`,
		"only other things": `{"properties":[{"key":"send-to","value":"` + m2 + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantFault(t, bob.Me(t, http.MethodPost, "resend-code", body), http.StatusBadRequest, "UAR-10011")
		})
	}
	tooSoon := bob.Resend(t)
	wantFault(t, tooSoon, http.StatusTooManyRequests, "HLD-42901")
	if after, err := strconv.Atoi(tooSoon.Header.Get("Retry-After")); err != nil || after < 1 || after > 3600 {
		t.Errorf("Retry-After: got %q", tooSoon.Header.Get("Retry-After"))
	}
	wantTexts(t, s, "", 1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// What a client says about whom to text has no weight.
func TestAResendGoesToTheClaimsNumberWhateverTheRequestSays(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "0"}}})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	body := strings.Replace(harness.Scenario, "]}", `,{"key":"send-to","value":"`+m2+`"},{"key":"confirmation-code","value":"111111"}]}`, 1)
	wantEmpty(t, bob.Me(t, http.MethodPost, "resend-code", body), http.StatusCreated)
	second := s.Provider.Nth(t, m1, 2)
	wantTexts(t, s, m2, 0)
	wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// uniqueNumbers returns a source of numbers for tests that share a database.
func uniqueNumbers() func() string {
	n := 0
	return func() string {
		n++
		return "+49151222" + strconv.Itoa(10000+n)
	}
}

func TestPasswordsCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"public": harness.Overlay{"http_basic": false}}})
	p := s.NewPerson(t, "+4915112300001")
	if got := p.SCIMByPassword(t, http.MethodGet, "/Me", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("by password: %d %s", got.Status, got.Body)
	}
	if got := p.SCIM(t, http.MethodGet, "/Me", ""); got.Status != http.StatusOK {
		t.Errorf("by session: %d %s", got.Status, got.Body)
	}
}
