package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// way is something that an owner can ask for.
type way struct{ method, path, body string }

const patchStart = `{"schemas":["` + harness.PatchOpSchema + `"],"Operations":[`

// replaceOf is the PATCH of one attribute.
func replaceOf(path, value string) string {
	return patchStart + `{"op":"replace","path":"` + path + `","value":"` + value + `"}]}`
}

// changesOf are all ways to change what an account is reached or opened by; one of
// another password repeats the number that there was.
func changesOf(p *harness.Person, was, wanted string) map[string]way {
	ways := map[string]way{}
	for name, path := range map[string]string{"Me": "/Me", "Users": "/Users/" + p.ID} {
		path = harness.SCIM + path
		mobile := `{"schemas":["` + harness.EnterpriseSchema + `"],"Operations":[{"op":"replace","value":{"` + harness.EnterpriseSchema +
			`":{"verifyMobile":"true"},"phoneNumbers":[{"type":"mobile","value":"` + wanted + `"}]}}]}`
		put := `{"schemas":["` + harness.UserSchema + `"],"userName":"` + p.Email + `","emails":[{"value":"` + p.Email + `"}]`
		ways["PATCH "+name+", number"] = way{http.MethodPatch, path, mobile}
		ways["PATCH "+name+", no number"] = way{http.MethodPatch, path, patchStart + `{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"}]}`}
		ways["PATCH "+name+", password"] = way{http.MethodPatch, path, replaceOf("password", "another-long-one-77")}
		ways["PATCH "+name+", name"] = way{http.MethodPatch, path, replaceOf("userName", "new-"+p.Email)}
		ways["PUT "+name+", number"] = way{http.MethodPut, path, put + `,"phoneNumbers":[{"type":"mobile","value":"` + wanted + `"}]}`}
		ways["PUT "+name+", password"] = way{http.MethodPut, path, put + `,"password":"another-long-one-77","phoneNumbers":[{"type":"mobile","value":"` + was + `"}]}`}
		ways["DELETE "+name] = way{http.MethodDelete, path, ""}
	}
	return ways
}

// ask goes one way, as somebody.
func (w way) ask(t *testing.T, s *harness.Stack, as harness.Header) harness.Answer {
	t.Helper()
	kind := harness.JSONBody
	if strings.HasPrefix(w.path, harness.SCIM) {
		kind = harness.SCIMBody
	}
	return harness.Send(t, w.method, s.Holdline.PublicURL+w.path, w.body, kind, as)
}

// A name and password that were right a moment ago are worth nothing once the
// account is switched off, or the password is another.
func TestAPasswordThatIsNoLongerGoodOpensNothing(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": harness.Overlay{"login_failures_per_user": 0, "login_failures_per_address": 0},
	}})
	numbers := uniqueNumbers()
	for name, end := range map[string]func(p *harness.Person) (method, body string){
		"switched off": func(*harness.Person) (string, string) {
			return http.MethodPatch, `[{"op":"replace","path":"/state","value":"inactive"}]`
		},
		"another password": func(p *harness.Person) (string, string) {
			return http.MethodPut, `{"schema_id":"verified","state":"active","traits":{"email":"` + p.Email + `","name":"Before"},
				"credentials":{"password":{"config":{"password":"another-long-one-66"}}}}`
		},
		"deleted": func(*harness.Person) (string, string) { return http.MethodDelete, "" },
	} {
		t.Run(name, func(t *testing.T) {
			bob := s.NewPerson(t, numbers())
			text := bob.Ask(t, numbers())
			if got := bob.SCIMByPassword(t, http.MethodGet, "/Me", ""); got.Status != http.StatusOK {
				t.Fatalf("the password is refused: %d %s", got.Status, got.Body)
			}
			method, body := end(bob)
			ended := harness.Send(t, method, s.Kratos.AdminURL+"/admin/identities/"+bob.ID, body, harness.JSONBody)
			if ended.Status >= 300 {
				t.Fatalf("%s: %d %s", name, ended.Status, ended.Body)
			}
			ways := changesOf(bob, m0, m3)
			ways["GET Me"] = way{http.MethodGet, harness.SCIM + "/Me", ""}
			ways["GET Users"] = way{http.MethodGet, harness.SCIM + "/Users/" + bob.ID, ""}
			ways["validate-code"] = way{http.MethodPost, harness.UserAPI + "/me/validate-code", `{"code":"` + text.Code + `"}`}
			ways["resend-code"] = way{http.MethodPost, harness.UserAPI + "/me/resend-code", harness.Scenario}
			ways["GET mobile-claim"] = way{http.MethodGet, harness.UserAPI + "/me/mobile-claim", ""}
			ways["DELETE mobile-claim"] = way{http.MethodDelete, harness.UserAPI + "/me/mobile-claim", ""}
			for what, w := range ways {
				if got := w.ask(t, s, bob.ByPassword()); got.Status != http.StatusUnauthorized {
					t.Errorf("%s: got %d %s", what, got.Status, got.Body)
				}
			}
		})
	}
}

// Where Kratos' form asks people who have a second factor for it, no other way
// around lets a password alone change what the form would.
func TestASecondFactorIsNeededWhereTheFormNeedsIt(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Holdline: harness.Overlay{"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{"use_verify_claim": false}}},
		Kratos: harness.Overlay{
			"session":     harness.Overlay{"whoami": harness.Overlay{"required_aal": "aal1"}},
			"selfservice": harness.Overlay{"methods": harness.Overlay{"totp": harness.Overlay{"enabled": true}, "lookup_secret": harness.Overlay{"enabled": true}}},
		},
	})
	bob := s.NewPerson(t, m0)
	secret := bob.AddTOTP(t)
	both := bob.SignInAgain(t)
	if got, err := bob.TrySave(harness.Profile{Name: "Before", Mobile: m3}); err != nil || got.Status != http.StatusForbidden {
		t.Fatalf("Kratos' own form: got %d %s, %v", got.Status, got.Body, err)
	}
	password := map[string]harness.Header{
		"session token": bob.ByToken(), "bearer": bob.ByBearer(), "cookie": bob.ByCookie(t), "Basic": bob.ByPassword(),
	}
	for what, w := range changesOf(bob, m0, m3) {
		for how, as := range password {
			got := w.ask(t, s, as)
			fault, wrong := got.SCIMFault()
			if got.Status != http.StatusForbidden || wrong != "" || fault.Detail != "A second factor is missing: totp. Sign in with it as well." {
				t.Errorf("%s by %s: got %d %s", what, how, got.Status, got.Body)
			}
		}
	}
	for how, as := range password { // what the form does not guard
		for what, w := range map[string]way{
			"read": {http.MethodGet, harness.SCIM + "/Me", ""},
			"name": {http.MethodPatch, harness.SCIM + "/Me", replaceOf("displayName", "Bob")},
		} {
			if got := w.ask(t, s, as); got.Status != http.StatusOK {
				t.Errorf("%s by %s: got %d %s", what, how, got.Status, got.Body)
			}
		}
	}
	wantMade(t, bob, m0)
	wantTexts(t, s, m3, 0)

	// Both factors are enough, and a claim that they opened is confirmed with no less.
	one := bob.Token
	bob.Token = both
	if got := changesOf(bob, m0, m3)["PATCH Me, number"].ask(t, s, bob.ByToken()); got.Status != http.StatusOK {
		t.Fatalf("with both factors: %d %s", got.Status, got.Body)
	}
	text := s.Provider.Nth(t, m3, 1)
	bob.Token = one
	for how, as := range password {
		got := harness.Send(t, http.MethodPost, s.Holdline.PublicURL+harness.UserAPI+"/me/validate-code", `{"code":"`+text.Code+`"}`, harness.JSONBody, as)
		wantFault(t, got, http.StatusForbidden, "HLD-40304")
		if !strings.Contains(got.Fault().Description, "totp") {
			t.Errorf("by %s: got %s", how, got.Body)
		}
	}
	if c, _ := bob.Claim(t); c.AttemptsLeft != 5 {
		t.Errorf("refusals cost tries: %d are left", c.AttemptsLeft)
	}
	bob.UseTOTP(t, secret)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m3)
}

// Who has no second factor changes everything with a password, as in the form.
func TestAPasswordIsEnoughForWhoHasNothingElse(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Kratos: harness.Overlay{"session": harness.Overlay{"whoami": harness.Overlay{"required_aal": "aal1"}}},
	})
	numbers := uniqueNumbers()
	for what := range changesOf(&harness.Person{}, "", "") {
		was := numbers()
		bob := s.NewPerson(t, was)
		change := changesOf(bob, was, numbers())[what]
		if got := change.ask(t, s, bob.ByPassword()); got.Status >= 300 {
			t.Errorf("%s: got %d %s", what, got.Status, got.Body)
		}
	}
}

// A privileged person is out of reach of tokens without privilege, whatever they try;
// only switching off is open to all.
func TestPrivilegedPeopleAreOutOfReachOfOthersTokens(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"kratos": harness.Overlay{"privileged_key": "holdline_privileged"},
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
			"mobile": harness.Overlay{"enable_verification_by_privileged_user": true},
		}},
		"tokens": []harness.Overlay{{ // of "an expired token"
			"name": "expired", "sha256": "d011083a11f1e35d09fe1ae15ddf90c9cf8a143946b779206efd669e52ce71da",
			"scopes": []string{"scim:read", "scim:write"}, "privileged": true, "expires": "2026-01-01",
		}},
	}})
	root := s.NewPerson(t, m0)
	elevate(t, s, root)
	tokens := map[string]string{
		"a reader and writer": s.Token(t), "a writer": s.Token(t, "--scope", "scim:write"),
		"all scopes": s.Token(t, "--scope", "scim:read", "--scope", "scim:write", "--scope", "claims:manage"),
	}
	text := root.Ask(t, m3)
	expired := s.SCIM(t, http.MethodGet, "/Users", "", harness.ByClient("an expired token"))
	if expired.Status != http.StatusUnauthorized || !strings.Contains(expired.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("an expired token: got %d %s", expired.Status, expired.Body)
	}
	if printed := s.Holdline.Output.String(); !strings.Contains(printed, `"expired token refused","token":"expired"`) || !strings.Contains(printed, `"token has expired"`) {
		t.Error("nothing in the log says that a token has expired")
	}
	for what, w := range changesOf(root, m0, m4) {
		if strings.HasSuffix(w.path, "/Me") {
			continue
		}
		for who, token := range tokens {
			got := w.ask(t, s, harness.ByClient(token))
			if fault, wrong := got.SCIMFault(); got.Status != http.StatusForbidden || wrong != "" || !strings.Contains(fault.Detail, "privileged") {
				t.Errorf("%s by %s: got %d %s", what, who, got.Status, got.Body)
			}
			data := ""
			if w.body != "" {
				data = `,"data":` + w.body
			}
			bulk := s.SCIM(t, http.MethodPost, "/Bulk", `{"Operations":[{"method":"`+w.method+`","path":"`+strings.TrimPrefix(w.path, harness.SCIM)+`"`+data+`}]}`, harness.ByClient(token))
			if !strings.Contains(bulk.Body, `"status":"403"`) {
				t.Errorf("%s in bulk by %s: got %d %s", what, who, bulk.Status, bulk.Body)
			}
		}
	}
	wantFault(t, asPrivileged(t, s, "validate-code", named(root.Email), code(text.Code), harness.ByClient(tokens["all scopes"])), http.StatusForbidden, "HLD-40303")
	wantHeld(t, root, m0, m3)
	if got := root.SCIMByPassword(t, http.MethodGet, "/Me", ""); got.Status != http.StatusOK {
		t.Errorf("the password is another: %d %s", got.Status, got.Body)
	}
	off := s.SCIM(t, http.MethodPatch, "/Users/"+root.ID, patchStart+`{"op":"replace","value":{"active":false,"displayName":"Eve"}}]}`, harness.ByClient(tokens["a writer"]))
	if off.Status != http.StatusNoContent || off.Body != "" {
		t.Errorf("switching off: got %d %s", off.Status, off.Body)
	}
	if got := root.SCIM(t, http.MethodGet, "/Me", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("switched off, and still signed in: %d %s", got.Status, got.Body)
	}
	if got := s.SCIM(t, http.MethodGet, "/Users/"+root.ID, "", harness.ByClient(tokens["a reader and writer"])).SCIMUser(t); got.Active || got.DisplayName == "Eve" {
		t.Errorf("got %+v", got)
	}
}
