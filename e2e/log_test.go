package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// No code, token, key or full number is in any line of the log, at its most
// talkative, and what became of each claim is.
func TestTheLogTellsOutcomesAndNoSecrets(t *testing.T) {
	t.Parallel()
	// Codes of ten letters and digits cannot be met by chance.
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"otp":    harness.Overlay{"length": 10, "alphabet": "alphanumeric"},
		"limits": harness.Overlay{"resend_cooldown": "0"},
		"log":    harness.Overlay{"level": "debug", "access": true},
	}})
	bob, eve := s.NewPerson(t, m0), s.NewPerson(t, m3)
	const wrong, nonsense, cookie = "WRQNGCQDE2", "ory_st_nonsense0123456789", "nonsense-cookie-0123456789"

	first := bob.Ask(t, m1)
	wantFault(t, bob.Confirm(t, wrong), http.StatusBadRequest, "18001")
	wantEmpty(t, bob.Resend(t), http.StatusCreated)
	resent := s.Provider.Nth(t, m1, 2)
	wantEmpty(t, bob.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusNoContent)
	s.Provider.Next(harness.Reaction{Status: http.StatusServiceUnavailable})
	second := bob.Ask(t, m2)
	s.Provider.Nth(t, m2, 2)
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Times: 1, Status: http.StatusServiceUnavailable})
	wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
	bob.Eventually(t, "the number is written", func(i harness.Identity) bool { return i.Traits.Mobile == m2 })

	forEve := eve.Ask(t, m2)
	wantFault(t, eve.Confirm(t, forEve.Code), http.StatusConflict, "HLD-40901")
	api := s.Holdline.PublicURL + harness.UserAPI + "/me/validate-code"
	confirm := `{"code":"` + wrong + `"}`
	for _, auth := range []harness.Header{
		bob.ByToken(), bob.ByBearer(), bob.ByCookie(t), bob.ByPassword(),
		{"X-Session-Token", nonsense},
		{"Cookie", "ory_kratos_session=" + cookie},
	} {
		harness.Send(t, http.MethodPost, api, confirm, harness.JSONBody, auth)
		harness.Send(t, http.MethodPost, api, confirm+"x", harness.JSONBody, auth)
		harness.Send(t, http.MethodGet, s.Holdline.PublicURL+"/"+wrong+"?code="+wrong, "", auth)
	}
	stage := callsTo(s.Hooks, stagePath)[0]
	for _, key := range []string{harness.HookKey, harness.HookKey + "-wrong"} {
		harness.Send(t, http.MethodPost, s.Holdline.AdminURL+stagePath, stage.Body[:len(stage.Body)-2], harness.JSONBody, harness.Header{"X-Hook-Key", key})
		harness.Send(t, http.MethodPost, s.Holdline.AdminURL+stagePath, strings.ReplaceAll(stage.Body, m1, "+4912"), harness.JSONBody, harness.Header{"X-Hook-Key", key})
	}
	s.Holdline.Stop(t)

	log := s.Holdline.Output.String()
	secrets := map[string]string{
		"first code": first.Code, "resent code": resent.Code, "second code": second.Code, "eve's code": forEve.Code,
		"wrong code": wrong, "session token": bob.Token, "eve's session token": eve.Token, "hook key": harness.HookKey,
		"password": bob.Password, "nonsense token": nonsense, "nonsense cookie": cookie,
		"e-mail":     bob.Email,
		"otp secret": "e2e secret of at least", "provider password": "sms-password", "database password": ":app@",
	}
	for _, number := range []string{m0, m1, m2, m3} {
		secrets["number "+number] = number[1:]
		secrets["national number "+number] = number[3:]
	}
	for _, cookie := range strings.Split(bob.Cookies(t), "; ") {
		name, value, _ := strings.Cut(cookie, "=")
		secrets["cookie "+name] = value
	}
	for what, secret := range secrets {
		for _, line := range strings.Split(log, "\n") {
			if secret != "" && strings.Contains(strings.ToUpper(line), strings.ToUpper(secret)) {
				t.Errorf("the log has the %s: %s", what, line)
				break
			}
		}
	}
	for _, outcome := range []string{
		"claim open", "wrong code", "claim resent", "claim cancelled", "claim verified", "number not written yet",
		"claim applied", "claim conflict", bob.ID,
		`"msg":"request","method":"POST","route":"/hooks/settings/stage","status":200,"duration_seconds":`,
		`"actor":"kratos"`, `"actor":"owner","actor_id":"` + bob.ID + `"`,
	} {
		if !strings.Contains(log, outcome) {
			t.Errorf("the log does not tell %q", outcome)
		}
	}
}
