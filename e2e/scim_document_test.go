package e2e_test

import (
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// The exchange of WSO2 Identity Server's own document, letter by letter, by curl.
func TestTheOriginalDocumentsExchangeWorks(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Kratos: onlySchema("raw"),
		Holdline: harness.Overlay{
			"mobile": harness.Overlay{"format": "raw"},
			"limits": harness.Overlay{"resend_cooldown": "0"},
		},
	})
	const password, was, now = "a long pass phrase: of bob's", "0112345678", "0123456789"
	made := harness.Send(t, http.MethodPost, s.Kratos.AdminURL+"/admin/identities", `{"schema_id":"raw",
		"traits":{"username":"bob","mobile":"`+was+`"},"credentials":{"password":{"config":{"password":"`+password+`"}}}}`, harness.JSONBody)
	if made.Status != http.StatusCreated {
		t.Fatalf("make identity: %d %s", made.Status, made.Body)
	}
	var bob harness.Identity
	made.JSON(t, &bob)
	curl := func(t *testing.T, arguments ...string) harness.Answer {
		t.Helper()
		all := append([]string{"-sS", "--max-time", "20", "-w", "\n%{http_code}", "--user", "bob:" + password}, arguments...)
		printed, err := exec.Command("curl", all...).Output()
		if err != nil {
			t.Fatalf("curl: %v %s", err, printed)
		}
		lines := strings.Split(string(printed), "\n")
		status, err := strconv.Atoi(lines[len(lines)-1])
		if err != nil {
			t.Fatalf("curl printed %s", printed)
		}
		return harness.Answer{Status: status, Body: strings.Join(lines[:len(lines)-1], "\n")}
	}
	mobile := func(t *testing.T) string {
		t.Helper()
		answer := harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities/"+bob.ID, "")
		var now harness.Identity
		answer.JSON(t, &now)
		return now.Traits.Mobile
	}
	wantShown := func(t *testing.T, got harness.Answer, mobile, pending string) {
		t.Helper()
		user := got.SCIMUser(t)
		if got.Status != http.StatusOK || user.UserName != "bob" || user.Mobile() != mobile || user.Pending() != pending {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
		if strings.Contains(got.Body, "verifyMobile") {
			t.Errorf("verifyMobile is shown: %s", got.Body)
		}
	}

	wantShown(t, curl(t, "-X", "PATCH", "-H", "Content-Type: application/json",
		"-d", `{"schemas":[],"Operations":[{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"verifyMobile":"true"},"phoneNumbers":[{"type":"mobile","value":"0123456789"}]}}]}`,
		s.Holdline.PublicURL+"/scim2/Me"), was, now)
	first := s.Provider.Nth(t, now, 1)
	if got := mobile(t); got != was {
		t.Fatalf("Kratos has %q before the code was typed", got)
	}
	wantShown(t, curl(t, s.Holdline.PublicURL+"/scim2/Me"), was, now)

	api := s.Holdline.PublicURL + harness.UserAPI + "/me/"
	post := []string{"-X", "POST", "-H", "Content-Type: application/json", "-d"}
	wantEmpty(t, curl(t, append(post, harness.Scenario, api+"resend-code")...), http.StatusCreated)
	second := s.Provider.Nth(t, now, 2)
	wantFault(t, curl(t, append(post, `{"code":"`+first.Code+`","properties":[]}`, api+"validate-code")...), http.StatusBadRequest, "18001")
	wantEmpty(t, curl(t, append(post, `{"code":"`+second.Code+`","properties":[{"key":"k","value":"v"}]}`, api+"validate-code")...), http.StatusAccepted)
	if got := mobile(t); got != now {
		t.Fatalf("Kratos has %q, want the new number", got)
	}
	wantShown(t, curl(t, s.Holdline.PublicURL+"/scim2/Me"), now, "")
	wantTexts(t, s, was, 0)
}
