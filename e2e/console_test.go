package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

const consolePath = "/console/"

// enter signs in at the console by a token.
func enter(t *testing.T, s *harness.Stack, token string) *harness.Tab {
	t.Helper()
	tab := harness.NewBrowser(t)
	tab.DesktopSize(t)
	tab.Open(t, s.Holdline.AdminURL+consolePath)
	tab.Type(t, "#token", token)
	tab.PressToGo(t, "\r")
	tab.Await(t, "h1", "the console opens", false, says("Overview"))
	return tab
}

// An administrator's day: the switches, a claim with its history, resend, reveal,
// cancel, what was texted, and the audit trail of it all.
func TestConsoleShowsAndSteersEverything(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "0s"}}})
	bob, alice := s.NewPerson(t, m0), s.NewPerson(t, m4)
	wantEmpty(t, alice.Confirm(t, alice.Ask(t, m5).Code), http.StatusAccepted)
	bob.Ask(t, m1)
	token := s.Token(t, "--scope", "claims:manage")

	tab := harness.NewBrowser(t)
	tab.DesktopSize(t)
	tab.Open(t, s.Holdline.AdminURL+consolePath)
	tab.Type(t, "#token", "hlt_made-up")
	tab.PressToGo(t, "\r")
	tab.Await(t, "#token-fault", "a wrong token is refused", false, says("invalid"))
	tab.Type(t, "#token", token)
	tab.PressToGo(t, "\r")
	tab.Await(t, "h1", "the console opens", false, says("Overview"))
	if harness.Eval[string](t, tab, "document.cookie") != "" {
		t.Error("a script can read the session's cookie")
	}

	at := func(path, heading string) {
		t.Helper()
		tab.Open(t, s.Holdline.AdminURL+consolePath+path)
		tab.Await(t, "h1", path, false, says(heading))
	}
	for path, heading := range map[string]string{
		"": "Overview", "settings": "Verification", "people": "People", "alarms": "Alarms", "activity": "Over time", "tokens/new": "New token", "claims": "Claims", "texts": "Texts", "traffic": "Traffic",
		"gateways": "Gateways", "limits": "Limits", "tokens": "Tokens", "audit": "Audit",
	} {
		at(path, heading)
	}

	// A person is found by what they say, and their page tells what happened.
	at("people", "People")
	tab.Type(t, "#who", bob.Email)
	tab.PressToGo(t, "\r")
	tab.Await(t, "table", "bob is found by his e-mail address", false, says(bob.Email))
	at("people", "People")
	tab.Type(t, "#who", m1[len(m1)-6:])
	tab.PressToGo(t, "\r")
	tab.Await(t, "table", "bob is found by a piece of his number", false, says(bob.Email))
	tab.Click(t, "tbody th a")
	tab.Await(t, ".timeline", "what happened to bob", false, says("Claim opened"))

	// A claim is found by its masked number.
	at("claims", "Claims")
	tab.Type(t, "#number", "+49*********71")
	tab.PressToGo(t, "\r")
	tab.Await(t, "table", "bob's claim alone", false, func(text string) bool {
		return strings.Contains(text, "+49*********71") && !strings.Contains(text, "+49*********75")
	})
	// The whole of it: a port can have the number's last digits.
	harness.Eventually(t, "the address has nothing of the number", func() error {
		if got, want := tab.Where(t), s.Holdline.AdminURL+consolePath+"claims"; got != want {
			return errNotYetWith(got)
		}
		return nil
	})
	tab.Click(t, "tbody th a")
	tab.Sound(t, "console-claim")
	tab.Click(t, `form[action$="/resend"] button`)
	tab.Await(t, "#message", "it was sent", false, says("text"))
	second := s.Provider.Nth(t, m1, 2)
	wholePage := func() string { return harness.Eval[string](t, tab, "document.documentElement.outerHTML") }
	if strings.Contains(wholePage(), m1) {
		t.Error("the claim's page has the full number")
	}
	tab.Click(t, `form[action$="/reveal"] button`)
	if !strings.Contains(wholePage(), m1) || !strings.Contains(wholePage(), m0) {
		t.Error("the full numbers are not shown")
	}
	tab.Reload(t)
	tab.Await(t, ".timeline", "the audit trail tells who looked", false, says("e2e-"))

	// A switch, and its effect.
	at("settings", "Verification")
	harness.Eval[bool](t, tab, `(e => { e.click(); return e.checked })(document.querySelector('input[type="checkbox"]'))`)
	tab.Click(t, `form.settings .actions button`)
	tab.Await(t, "h1", "it is asked whether that is meant", false, says("Switch verification off?"))
	tab.Click(t, `button.danger`)
	tab.Await(t, "#message", "it is saved", false, func(text string) bool { return text != "" })
	got := harness.Send(t, http.MethodGet, s.Holdline.AdminURL+settingsPath+"/enable_verification", "", harness.ByClient(token))
	if !strings.Contains(got.Body, `"value":false`) {
		t.Errorf("the switch: %s", got.Body)
	}
	tab.Click(t, `button[form="return"]`)
	got = harness.Send(t, http.MethodGet, s.Holdline.AdminURL+settingsPath+"/enable_verification", "", harness.ByClient(token))
	if !strings.Contains(got.Body, `"value":true`) || strings.Contains(got.Body, "set_by") {
		t.Errorf("the switch after its return: %s", got.Body)
	}
	tab.Type(t, `input[name$="verification_sms_otp_validity"]`, "soon")
	tab.Click(t, `form.settings .actions button`)
	tab.Await(t, `[aria-invalid="true"]`, "what was typed is there still", false, says("soon"))

	// Cancelled for bob: his code is dead.
	at("claims?state=open", "Claims")
	tab.Click(t, "tbody th a")
	tab.Click(t, `a[href$="/cancel"]`)
	tab.Await(t, "h1", "it is asked whether that is meant", false, says("Cancel this claim?"))
	tab.Click(t, `form[action$="/cancel"] button`)
	tab.Await(t, "#message", "it is cancelled", false, says("cancel"))
	wantFault(t, bob.Confirm(t, second.Code), http.StatusBadRequest, "18001")
	bob.Eventually(t, "nothing is pending", func(i harness.Identity) bool { return i.Pending() == "" })
	trail := strings.Join(s.Database.Audit(t, bob.ID), ", ")
	for _, want := range []string{"resent by administrator", "number_shown by administrator", "cancelled by administrator"} {
		if !strings.Contains(trail, want) {
			t.Errorf("the audit trail lacks %q: %s", want, trail)
		}
	}

	at("audit", "Audit")
	tab.Await(t, "table", "the trail has what was done", false, says("Full number"))
	tab.Click(t, `form[action="/console/sign-out"] button`)
	tab.Open(t, s.Holdline.AdminURL+consolePath+"audit")
	tab.Await(t, "h1", "the console is closed", false, says("Sign in"))
	tab.Back(t)
	if got, _ := tab.Read("h1"); !strings.Contains(got, "Sign in") {
		t.Errorf("the back button shows %q", got)
	}
}

// A revoked token closes the console for who is inside.
func TestConsoleClosesWithItsToken(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	token := s.Token(t, "--scope", "claims:manage")
	tab := enter(t, s, token)
	tab.Open(t, s.Holdline.AdminURL+consolePath+"tokens")
	name, err := tab.Read("tbody th, tbody td")
	if err != nil {
		t.Fatal(err)
	}
	s.Command(t, "token", "revoke", "--name", name)
	tab.Open(t, s.Holdline.AdminURL+consolePath)
	tab.Await(t, "h1", "the console is closed", false, says("Sign in"))
}

// Privileged people come in with their Kratos session, and stay as long as that
// lives; others do not.
func TestConsoleForPrivilegedPeople(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"kratos": harness.Overlay{"privileged_key": "holdline_privileged"}}})
	root, bob := s.NewPerson(t, m0), s.NewPerson(t, m1)
	elevate(t, s, root)
	plain := harness.NewBrowser(t)
	plain.SignInAs(t, bob)
	plain.Open(t, s.Holdline.AdminURL+consolePath)
	plain.Click(t, `button[value="kratos"]`)
	plain.Await(t, "#message", "bob is no administrator", false, says("not one of a privileged person"))

	tab := harness.NewBrowser(t)
	tab.SignInAs(t, root)
	tab.Open(t, s.Holdline.AdminURL+consolePath)
	tab.Sound(t, "console-sign-in-kratos")
	tab.Click(t, `button[value="kratos"]`)
	tab.Await(t, "h1", "the console opens", false, says("Overview"))
	if ended := harness.Send(t, http.MethodDelete, s.Kratos.AdminURL+"/admin/identities/"+root.ID+"/sessions", ""); ended.Status != http.StatusNoContent {
		t.Fatalf("end the sessions: %d %s", ended.Status, ended.Body)
	}
	tab.Reload(t)
	tab.Await(t, "h1", "the console is closed", false, says("Sign in"))
}
