package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/settings"
)

// asShown is the form of the settings as it was filled, with changes.
func asShown(changes url.Values) url.Values {
	fields := url.Values{
		"enable_verification": {"true"}, "was.enable_verification": {"true"}, "was.enable_verification_by_privileged_user": {"false"},
		"verification_sms_otp_validity": {"5m"}, "was.verification_sms_otp_validity": {"5m"},
		"use_verify_claim": {"true"}, "was.use_verify_claim": {"true"},
	}
	for name, values := range changes {
		fields[name] = values
	}
	return fields
}

func TestSettingsAreSavedByWhoChangedThem(t *testing.T) {
	for name, tt := range map[string]struct {
		changes url.Values
		want    map[settings.Key]string // what was set
		policy  func(claim.Policy) bool
	}{
		"switched off": {
			url.Values{"enable_verification": nil, "sure": {"yes"}},
			map[settings.Key]string{settings.Verify: "false"},
			func(p claim.Policy) bool { return !p.Enabled },
		},
		"switched on": {
			url.Values{"enable_verification_by_privileged_user": {"true"}},
			map[settings.Key]string{settings.VerifyPrivileged: "true"},
			func(p claim.Policy) bool { return p.VerifyPrivileged },
		},
		"minutes": {
			url.Values{"verification_sms_otp_validity": {"7"}},
			map[settings.Key]string{settings.Validity: "7m0s"},
			func(p claim.Policy) bool { return p.Validity.Minutes() == 7 },
		},
		"two at once": {
			url.Values{"verification_sms_otp_validity": {" 90s "}, "use_verify_claim": nil},
			map[settings.Key]string{settings.Validity: "1m30s", settings.UseVerifyClaim: "false"},
			func(p claim.Policy) bool { return p.Validity.Seconds() == 90 && p.VerifyAlways },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.administrator()
			says(t, b.follow(b.post("/console/settings", asShown(tt.changes))), http.StatusOK, "Saved.", "Set by <bdi>ops</bdi>", "Return to the start value")
			set, _ := w.settings.Settings(t.Context())
			if len(set) != len(tt.want) {
				t.Errorf("got %v set, want %v", set, tt.want)
			}
			for _, s := range set {
				if tt.want[s.Key] != s.Value || s.By != "ops" {
					t.Errorf("got %v, want %v", s, tt.want)
				}
			}
			if !tt.policy(w.board.Policy()) {
				t.Error("it is not in force")
			}
			for _, e := range w.settings.Events() {
				if e.Actor != ops {
					t.Errorf("got the actor %+v", e.Actor)
				}
			}
		})
	}
}

func TestAFormUndoesNothingThatSomebodyElseHasSetMeanwhile(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	off := "false"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.Verify: &off}, audit.Actor{ID: "else"}); err != nil {
		t.Fatal(err)
	}
	b.post("/console/settings", asShown(url.Values{"verification_sms_otp_validity": {"9m"}}))
	if w.board.Policy().Enabled {
		t.Error("the other change was undone")
	}
	says(t, b.follow(b.post("/console/settings", asShown(url.Values{"verification_sms_otp_validity": {"9m"}, "was.verification_sms_otp_validity": {"9m"}}))), http.StatusOK, "Nothing was changed.")
}

func TestFaultsStandAtTheirFieldAndNothingTypedIsLost(t *testing.T) {
	for typed, words := range map[string]string{
		"soon": "It must be a duration, such as 5m, or a number of minutes.",
		"25h":  "It must be from 1s to 24h.",
		"0":    "It must be from 1s to 24h.",
		"":     "It must be a duration, such as 5m, or a number of minutes.",
	} {
		w := newWorld(t)
		b := w.administrator()
		got := b.post("/console/settings", asShown(url.Values{"verification_sms_otp_validity": {typed}, "enable_verification": nil, "sure": {"yes"}}))
		says(t, got, http.StatusBadRequest, "Nothing was saved yet", words, `aria-invalid="true"`, `value="`+typed+`"`,
			`name="was.verification_sms_otp_validity" value="5m"`, `id="verification_sms_otp_validity-fault"`)
		if strings.Contains(got.Body.String(), `name="enable_verification" type="checkbox" value="true" aria-describedby="enable_verification-hint" checked`) {
			t.Error("the other change is lost")
		}
		if !w.board.Policy().Enabled {
			t.Error("half of it was saved")
		}
	}
	w := newWorld(t)
	b := w.administrator()
	w.settings.Fail(problem.ErrStoreUnavailable)
	got := b.post("/console/settings", asShown(url.Values{"verification_sms_otp_validity": {"9m"}}))
	says(t, got, http.StatusServiceUnavailable, `value="9m"`, "Try again in a moment.")
}

func TestSettingsReturnToTheirStartValue(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	b.post("/console/settings", asShown(url.Values{"enable_verification": nil, "sure": {"yes"}}))
	says(t, b.get("/console/"), http.StatusOK, "Saved.", "Verification is switched off")
	says(t, b.follow(b.post("/console/settings/return", url.Values{"switch": {string(settings.Verify)}})), http.StatusOK, "Returned to the start value.", "As the program starts.")
	if !w.board.Policy().Enabled {
		t.Error("it is still off")
	}
	says(t, b.post("/console/settings/return", url.Values{"switch": {"x"}}), http.StatusBadRequest)
	w.settings.Fail(problem.ErrStoreUnavailable)
	says(t, b.post("/console/settings/return", url.Values{"switch": {string(settings.Verify)}}), http.StatusServiceUnavailable)
}

func TestANoticeIsSaidOnceAndInOurWordsOnly(t *testing.T) {
	b := newWorld(t).administrator()
	b.cookies["holdline_console_notice"] = "saved"
	says(t, b.get("/console/limits"), http.StatusOK, "Saved.")
	if got := b.get("/console/limits"); strings.Contains(got.Body.String(), "Saved.") {
		t.Error("it is said twice")
	}
	b.cookies["holdline_console_notice"] = "Send your token to evil.example"
	if got := b.get("/console/limits"); strings.Contains(got.Body.String(), "evil.example") {
		t.Error("somebody else's words are shown")
	}
}

func TestVerificationIsSwitchedOffOnceThatIsConfirmed(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	got := b.post("/console/settings", asShown(url.Values{"enable_verification": nil, "verification_sms_otp_validity": {"9m"}}))
	says(t, got, http.StatusOK, "Switch verification off?", `name="sure" value="yes"`, `name="verification_sms_otp_validity" value="9m"`, `name="enable_verification" value="false"`)
	if !w.board.Policy().Enabled {
		t.Fatal("it was switched off before that was confirmed")
	}
	fields := url.Values{}
	for _, field := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(got.Body.String(), -1) {
		fields.Set(field[1], field[2])
	}
	says(t, b.follow(b.post("/console/settings", fields)), http.StatusOK, "Saved.")
	if p := w.board.Policy(); p.Enabled || p.Validity.Minutes() != 9 {
		t.Errorf("got %+v", p)
	}
}
