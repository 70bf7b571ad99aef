package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// door is a way in which people change their own record.
type door struct{ method, path string }

// own are all of them: at /Users/{id} as at /Me, in part and as a whole.
var own = map[string]door{
	"PATCH Me":    {http.MethodPatch, "/Me"},
	"PATCH Users": {http.MethodPatch, "/Users/{id}"},
	"PUT Me":      {http.MethodPut, "/Me"},
	"PUT Users":   {http.MethodPut, "/Users/{id}"},
}

// wish is what a request asks for.
type wish struct {
	// mobile is the number; nil leaves the attribute out.
	mobile *string
	// flag is verifyMobile as JSON; blank leaves it out.
	flag string
	// name is displayName. Blank leaves it out of a PATCH, and makes it Before in a
	// PUT.
	name string
}

func to(mobile, flag string) wish { return wish{mobile: &mobile, flag: flag} }

// body writes the request for a method.
func (w wish) body(t *testing.T, p *harness.Person, method string) string {
	t.Helper()
	text, err := w.document(p, method)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// document is body for where a test cannot be ended.
func (w wish) document(p *harness.Person, method string) (string, error) {
	value := map[string]any{}
	if w.mobile != nil {
		value["phoneNumbers"] = []any{map[string]any{"type": "mobile", "value": *w.mobile}}
	}
	if w.flag != "" {
		value[harness.EnterpriseSchema] = map[string]any{"verifyMobile": json.RawMessage(w.flag)}
	}
	if w.name != "" {
		value["displayName"] = w.name
	}
	var whole any = map[string]any{
		"schemas":    []string{harness.PatchOpSchema},
		"Operations": []any{map[string]any{"op": "replace", "value": value}},
	}
	if method == http.MethodPut {
		if w.name == "" {
			value["displayName"] = "Before"
		}
		value["schemas"] = []string{harness.UserSchema, harness.EnterpriseSchema}
		value["userName"] = p.Email
		value["emails"] = []any{map[string]any{"value": p.Email, "type": "work", "primary": true}}
		whole = value
	}
	text, err := json.Marshal(whole)
	return string(text), err
}

// ask sends a wish through a door, as its owner.
func (d door) ask(t *testing.T, p *harness.Person, w wish) harness.Answer {
	t.Helper()
	return p.SCIM(t, d.method, strings.ReplaceAll(d.path, "{id}", p.ID), w.body(t, p, d.method))
}

// wantUser checks a user in an answer: the number and the pending one, each blank
// for none, and that the flag is never shown.
func wantUser(t *testing.T, got harness.Answer, mobile, pending string) harness.SCIMUser {
	t.Helper()
	if got.Status != http.StatusOK {
		t.Fatalf("got %d, want 200 and the user: %s", got.Status, got.Body)
	}
	user := got.SCIMUser(t)
	if user.Mobile() != mobile || user.Pending() != pending {
		t.Fatalf("got mobile %q, pending %q; want %q, %q: %s", user.Mobile(), user.Pending(), mobile, pending, got.Body)
	}
	if strings.Contains(strings.ToLower(got.Body), "verifymobile") {
		t.Errorf("verifyMobile is shown: %s", got.Body)
	}
	if !strings.HasPrefix(got.Header.Get("Content-Type"), "application/scim+json") {
		t.Errorf("content type: got %q", got.Header.Get("Content-Type"))
	}
	return user
}

// wantRefused checks an error in SCIM's form. Blank kinds have no scimType to
// check.
func wantRefused(t *testing.T, got harness.Answer, status int, kind string) {
	t.Helper()
	fault, wrong := got.SCIMFault()
	if got.Status != status || wrong != "" || kind != "" && fault.ScimType != kind {
		t.Fatalf("got %d %s (%s), want %d %s: %s", got.Status, fault.ScimType, wrong, status, kind, got.Body)
	}
}

// wantPlain checks that a number was written and that nothing says that it is
// verified.
func wantPlain(t *testing.T, p *harness.Person, mobile string) {
	t.Helper()
	got := p.Identity(t)
	if got.Traits.Mobile != mobile || got.Pending() != "" || got.MobileVerified() {
		t.Fatalf("got mobile %q (verified %t), pending %q; want %q, not verified, none", got.Traits.Mobile, got.MobileVerified(), got.Pending(), mobile)
	}
	if c, ok := p.Claim(t); ok {
		t.Fatalf("a claim is there: %+v", c)
	}
}

// wantDead checks that a code is no code any more.
func wantDead(t *testing.T, p *harness.Person, code string) {
	t.Helper()
	wantFault(t, p.Confirm(t, code), http.StatusBadRequest, "18001")
}

// pending makes a claim through SCIM and returns its text.
func pending(t *testing.T, s *harness.Stack, p *harness.Person, was, now string) harness.Text {
	t.Helper()
	before := len(s.Provider.Texts(now))
	wantUser(t, own["PATCH Me"].ask(t, p, to(now, `"true"`)), was, now)
	return s.Provider.Nth(t, now, before+1)
}

// What docs/decision-table.md promises, each through every door that
// it is about.
func TestSCIMHoldsMobileNumbersBack(t *testing.T) {
	t.Parallel()
	for name, d := range own {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
			wantHeldBack(t, s, d)
			wantPeopleUnlogged(t, s)
		})
	}
}

// wantHeldBack goes through the table by one door.
func wantHeldBack(t *testing.T, s *harness.Stack, d door) {
	t.Helper()
	numbers := uniqueNumbers()
	t.Run("asked for", func(t *testing.T) {
		for _, flag := range []string{`"true"`, `"TRUE"`, `true`} {
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			user := wantUser(t, d.ask(t, bob, wish{mobile: &now, flag: flag, name: "After " + flag}), was, now)
			if user.DisplayName != "After "+flag || user.ID != bob.ID || user.Meta.ResourceType != "User" {
				t.Errorf("user: %+v", user)
			}
			wantHeld(t, bob, was, now)
			text := s.Provider.Nth(t, now, 1)
			wantUser(t, bob.SCIM(t, http.MethodGet, "/Me", ""), was, now)
			wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
			wantMade(t, bob, now)
			wantUser(t, bob.SCIM(t, http.MethodGet, "/Users/"+bob.ID, ""), now, "")
			wantTexts(t, s, now, 1)
			wantTexts(t, s, was, 0)
			if got := bob.Identity(t).Traits.Name; got != "After "+flag {
				t.Errorf("name: got %q", got)
			}
		}
	})
	t.Run("not asked for", func(t *testing.T) {
		for _, flag := range []string{"", `"false"`, `"yes"`, `"1"`, `1`, `false`, `null`} {
			bob, now := s.NewPerson(t, numbers()), numbers()
			wantUser(t, d.ask(t, bob, to(now, flag)), now, "")
			wantPlain(t, bob, now)
			wantTexts(t, s, now, 0)
		}
	})
	t.Run("taken back", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := pending(t, s, bob, was, now)
		wantUser(t, d.ask(t, bob, to(was, `"true"`)), was, "")
		wantMade(t, bob, was)
		wantDead(t, bob, text.Code)
		wantTexts(t, s, was, 0)
		wantTexts(t, s, now, 1)
	})
	t.Run("the stored number is not verified", func(t *testing.T) {
		was := numbers()
		bob := s.NewAccount(t, harness.Account{Mobile: was, Unverified: true})
		wantUser(t, d.ask(t, bob, to(was, `"true"`)), was, was)
		text := s.Provider.Nth(t, was, 1)
		if bob.Identity(t).MobileVerified() {
			t.Fatal("verified before the code was typed")
		}
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, was)
	})
	t.Run("asked for again", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		first := pending(t, s, bob, was, now)
		wantUser(t, d.ask(t, bob, to(now, `"true"`)), was, now)
		second := s.Provider.Nth(t, now, 2)
		wantDead(t, bob, first.Code)
		wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
		wantMade(t, bob, now)
	})
	t.Run("another number", func(t *testing.T) {
		was, now, later := numbers(), numbers(), numbers()
		bob := s.NewPerson(t, was)
		first := pending(t, s, bob, was, now)
		wantUser(t, d.ask(t, bob, to(later, `"true"`)), was, later)
		second := s.Provider.Nth(t, later, 1)
		wantHeld(t, bob, was, later)
		wantDead(t, bob, first.Code)
		wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
		wantMade(t, bob, later)
	})
	t.Run("something else while one is pending", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := pending(t, s, bob, was, now)
		again := wish{name: "Later"}
		if d.method == http.MethodPut {
			again.mobile = &was
		}
		if got := wantUser(t, d.ask(t, bob, again), was, now).DisplayName; got != "Later" {
			t.Errorf("displayName: got %q", got)
		}
		bob.MustSave(t, harness.Profile{Name: "By a form", Mobile: was})
		wantUser(t, bob.SCIM(t, http.MethodGet, "/Me", ""), was, now)
		wantTexts(t, s, now, 1)
		wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
		wantMade(t, bob, now)
	})
	t.Run("the flag alone", func(t *testing.T) {
		was := numbers()
		bob := s.NewPerson(t, was)
		alone := wish{flag: `"true"`}
		if d.method == http.MethodPut {
			alone.mobile = &was
		}
		wantUser(t, d.ask(t, bob, alone), was, "")
		wantMade(t, bob, was)
		wantTexts(t, s, was, 0)
	})
	t.Run("removed", func(t *testing.T) {
		blank := ""
		for how, gone := range map[string]wish{"blank": {mobile: &blank}, "blank, to be verified": {mobile: &blank, flag: `"true"`}, "left out": {}} {
			if how == "left out" && d.method == http.MethodPatch {
				continue // which changes nothing
			}
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			text := pending(t, s, bob, was, now)
			wantUser(t, d.ask(t, bob, gone), "", "")
			wantPlain(t, bob, "")
			wantDead(t, bob, text.Code)
			wantTexts(t, s, now, 1)
		}
	})
	t.Run("a first number", func(t *testing.T) {
		for _, schema := range []string{"verified", "identifier"} {
			now := numbers()
			bob := s.NewAccount(t, harness.Account{Schema: schema})
			wantUser(t, d.ask(t, bob, to(now, `"true"`)), "", now)
			text := s.Provider.Nth(t, now, 1)
			if got := bob.Identity(t); got.Traits.Mobile != "" || len(got.Credentials["code"].Identifiers) != 0 {
				t.Fatalf("written too early: %+v", got)
			}
			wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
			wantMade(t, bob, now)
		}
	})
	t.Run("spelled otherwise", func(t *testing.T) {
		was := numbers()
		bob := s.NewPerson(t, was)
		wantUser(t, d.ask(t, bob, to(was[:3]+" "+was[3:6]+" "+was[6:], `"true"`)), was, "")
		wantMade(t, bob, was)
		wantTexts(t, s, was, 0)
	})
}

// What is no matter of the door.
func TestSCIMHoldsNumbersBackHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	numbers := uniqueNumbers()
	for name, operations := range map[string][]string{
		"the element":     {`{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"}`},
		"its value":       {`{"op":"remove","path":"phoneNumbers[type eq \"mobile\"].value"}`},
		"all numbers":     {`{"op":"remove","path":"phoneNumbers"}`},
		"an empty list":   {`{"op":"replace","path":"phoneNumbers","value":[]}`},
		"null":            {`{"op":"replace","value":{"phoneNumbers":null}}`},
		"by Entra's form": {`{"op":"Remove","path":"phoneNumbers","value":[{"type":"mobile"}]}`},
	} {
		t.Run("removed: "+name, func(t *testing.T) {
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			text := pending(t, s, bob, was, now)
			wantUser(t, bob.SCIM(t, http.MethodPatch, "/Me", patchOf(operations...)), "", "")
			wantPlain(t, bob, "")
			wantDead(t, bob, text.Code)
		})
	}
	t.Run("another attribute beside the number", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		user := wantUser(t, bob.SCIM(t, http.MethodPatch, "/Me", patchOf(
			`{"op":"replace","path":"name.givenName","value":"Roberta"}`,
			`{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"`+now+`"}`,
			`{"op":"add","path":"`+harness.EnterpriseSchema+`:verifyMobile","value":"true"}`,
		)), was, now)
		if user.Name.GivenName != "Roberta" {
			t.Errorf("givenName: got %q", user.Name.GivenName)
		}
		text := s.Provider.Nth(t, now, 1)
		wantEmpty(t, bob.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusNoContent)
		wantDead(t, bob, text.Code)
		bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
		if got := wantUser(t, bob.SCIM(t, http.MethodGet, "/Me", ""), was, "").Name.GivenName; got != "Roberta" {
			t.Errorf("givenName after the claim was taken back: got %q", got)
		}
		wantMade(t, bob, was)
	})
	t.Run("by a privileged client, switch off", func(t *testing.T) {
		token := harness.ByClient(s.Token(t, "--privileged"))
		for _, method := range []string{http.MethodPatch, http.MethodPut} {
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			text := pending(t, s, bob, was, numbers())
			wantUser(t, s.SCIM(t, method, "/Users/"+bob.ID, to(now, `"true"`).body(t, bob, method), token), now, "")
			wantPlain(t, bob, now)
			wantDead(t, bob, text.Code)
			wantTexts(t, s, now, 0)
		}
	})
	t.Run("nobody else may", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob, alice := s.NewPerson(t, was), s.NewPerson(t, numbers())
		before := bob.Identity(t)
		for method, body := range map[string]string{
			http.MethodGet: "", http.MethodDelete: "",
			http.MethodPatch: to(now, `"true"`).body(t, bob, http.MethodPatch),
			http.MethodPut:   to(now, `"true"`).body(t, bob, http.MethodPut),
		} {
			unknown := alice.SCIM(t, method, "/Users/00000000-0000-4000-8000-000000000000", body)
			wantRefused(t, unknown, http.StatusNotFound, "")
			refused := alice.SCIM(t, method, "/Users/"+bob.ID, body)
			wantRefused(t, refused, http.StatusNotFound, "")
			if refused.Body != unknown.Body {
				t.Errorf("%s: bob can be told apart from nobody: %s, %s", method, refused.Body, unknown.Body)
			}
		}
		wantRefused(t, alice.SCIM(t, http.MethodGet, "/Users", ""), http.StatusForbidden, "")
		wantRefused(t, alice.SCIM(t, http.MethodPost, "/Users", wish{}.body(t, bob, http.MethodPut)), http.StatusForbidden, "")
		wantRefused(t, s.SCIM(t, http.MethodGet, "/Me", ""), http.StatusUnauthorized, "")
		if after := bob.Identity(t); after.Traits != before.Traits || after.Pending() != "" {
			t.Errorf("bob was changed: %+v", after)
		}
		wantTexts(t, s, now, 0)
	})
	t.Run("by password", func(t *testing.T) {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		wantUser(t, bob.SCIMByPassword(t, http.MethodPatch, "/Me", to(now, `"true"`).body(t, bob, http.MethodPatch)), was, now)
		wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, now, 1).Code), http.StatusAccepted)
		wantMade(t, bob, now)
	})
	wantPeopleUnlogged(t, s)
}

// wantPeopleUnlogged checks that the log has nothing of what people sent.
func wantPeopleUnlogged(t *testing.T, s *harness.Stack) {
	t.Helper()
	for _, line := range strings.Split(s.Holdline.Output.String(), "\n") {
		for what, hidden := range map[string]string{
			"number": uniqueNumbers()()[1:9], "session token": "ory_st_", "e-mail address": "@example.com", "body": "displayName",
		} {
			if strings.Contains(line, hidden) {
				t.Errorf("the log has a %s: %.400s", what, line)
			}
		}
	}
}

// With use_verify_claim off, and with enable_verification_by_privileged_user on.
func TestSCIMHoldsNumbersBackWhoeverAsksWhenToldSo(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": noTextLimits,
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
			"use_verify_claim": false,
			"mobile":           harness.Overlay{"enable_verification_by_privileged_user": true},
		}},
	}})
	numbers := uniqueNumbers()
	for name, d := range own {
		t.Run("without the flag, "+name, func(t *testing.T) {
			for _, flag := range []string{"", `"false"`} {
				was, now := numbers(), numbers()
				bob := s.NewPerson(t, was)
				wantUser(t, d.ask(t, bob, to(now, flag)), was, now)
				wantHeld(t, bob, was, now)
				wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, now, 1).Code), http.StatusAccepted)
				wantMade(t, bob, now)
			}
		})
	}
	token := harness.ByClient(s.Token(t, "--privileged"))
	for _, method := range []string{http.MethodPatch, http.MethodPut} {
		t.Run("by a privileged client, switch on, "+method, func(t *testing.T) {
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			wantUser(t, s.SCIM(t, method, "/Users/"+bob.ID, to(now, `"true"`).body(t, bob, method), token), was, now)
			wantHeld(t, bob, was, now)
			wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, now, 1).Code), http.StatusAccepted)
			wantMade(t, bob, now)
		})
	}
}

// The feature is switched off while a number is pending.
func TestSCIMWritesNumbersAtOnceWithTheFeatureOff(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	numbers := uniqueNumbers()
	type waiting struct {
		door
		bob      *harness.Person
		was, now string
		code     string
	}
	all := map[string]waiting{}
	for name, d := range own {
		w := waiting{door: d, was: numbers(), now: numbers()}
		w.bob = s.NewPerson(t, w.was)
		w.code = pending(t, s, w.bob, w.was, w.now).Code
		all[name] = w
	}
	s.Holdline.Reconfigure(t, harness.Overlay{"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
		"mobile": harness.Overlay{"enable_verification": false},
	}}})
	for name, w := range all {
		t.Run(name, func(t *testing.T) {
			other := wish{name: "Other"}
			if w.method == http.MethodPut {
				other.mobile = &w.was
			}
			if got := wantUser(t, w.ask(t, w.bob, other), w.was, w.now).DisplayName; got != "Other" {
				t.Errorf("displayName: got %q", got)
			}
			wantHeld(t, w.bob, w.was, w.now)
			later := numbers()
			wantUser(t, w.ask(t, w.bob, to(later, `"true"`)), later, "")
			wantPlain(t, w.bob, later)
			wantDead(t, w.bob, w.code)
			wantTexts(t, s, later, 0)
		})
	}
}

// Section 11 of the design: what tokens allow, whose an externalId is, and what
// becomes of somebody who is switched off.
func TestSCIMCallersDoWhatTheyMay(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	token, another := harness.ByClient(s.Token(t, "--privileged")), harness.ByClient(s.Token(t))
	change := patchOf(`{"op":"replace","path":"displayName","value":"Changed"}`)
	t.Run("a token that may only read", func(t *testing.T) {
		bob, reader := s.NewPerson(t, m0), harness.ByClient(s.Token(t, "--scope", "scim:read"))
		wantUser(t, s.SCIM(t, http.MethodGet, "/Users/"+bob.ID, "", reader), m0, "")
		for method, body := range map[string]string{
			http.MethodPatch: change, http.MethodPut: wish{}.body(t, bob, http.MethodPut), http.MethodDelete: "",
		} {
			wantRefused(t, s.SCIM(t, method, "/Users/"+bob.ID, body, reader), http.StatusForbidden, "")
		}
		wantRefused(t, s.SCIM(t, http.MethodPost, "/Users", `{"userName":"new@example.com"}`, reader), http.StatusForbidden, "")
		wantRefused(t, s.SCIM(t, http.MethodPost, "/Bulk", `{"Operations":[{"method":"DELETE","path":"/Users/`+bob.ID+`"}]}`, reader), http.StatusForbidden, "")
		if got := bob.Identity(t).Traits; got.Name != "Before" || got.Mobile != m0 {
			t.Errorf("bob was changed: %+v", got)
		}
	})
	t.Run("a token for other things", func(t *testing.T) {
		other := harness.ByClient(s.Token(t, "--scope", "claims:manage"))
		wantRefused(t, s.SCIM(t, http.MethodGet, "/Users", "", other), http.StatusForbidden, "")
	})
	t.Run("an externalId for each client", func(t *testing.T) {
		bob := s.NewPerson(t, m1)
		for i, client := range []harness.Header{token, another} {
			id := []string{"of the first", "of the second"}[i]
			answer := s.SCIM(t, http.MethodPatch, "/Users/"+bob.ID, patchOf(`{"op":"add","path":"externalId","value":"`+id+`"}`), client)
			if answer.Status != http.StatusOK || !strings.Contains(answer.Body, id) {
				t.Fatalf("externalId: %d %s", answer.Status, answer.Body)
			}
		}
		for i, client := range []harness.Header{token, another} {
			for j, id := range []string{"of%20the%20first", "of%20the%20second"} {
				var list harness.SCIMList
				s.SCIM(t, http.MethodGet, "/Users?filter=externalId%20eq%20%22"+id+"%22", "", client).JSON(t, &list)
				if want := map[bool]int{true: 1}[i == j]; list.TotalResults != want {
					t.Errorf("client %d finds %d users by id %d, want %d", i, list.TotalResults, j, want)
				}
			}
		}
		if got := bob.SCIM(t, http.MethodGet, "/Me", ""); strings.Contains(got.Body, "of the") {
			t.Errorf("the owner sees a client's id: %s", got.Body)
		}
	})
	t.Run("somebody who is switched off", func(t *testing.T) {
		bob := s.NewPerson(t, m2)
		text := pending(t, s, bob, m2, m3)
		wantUser(t, s.SCIM(t, http.MethodPatch, "/Users/"+bob.ID, patchOf(`{"op":"replace","path":"active","value":false}`), token), m2, m3)
		wantRefused(t, bob.SCIM(t, http.MethodGet, "/Me", ""), http.StatusUnauthorized, "")
		if got := bob.Confirm(t, text.Code).Status; got != http.StatusUnauthorized {
			t.Errorf("confirm: got %d, want 401", got)
		}
		wantHeld(t, bob, m2, m3)
	})
	t.Run("somebody who may not", func(t *testing.T) {
		bob := s.NewPerson(t, m4)
		wantRefused(t, bob.SCIM(t, http.MethodPatch, "/Me", patchOf(`{"op":"replace","path":"active","value":false}`)), http.StatusForbidden, "")
		wantUser(t, bob.SCIM(t, http.MethodPatch, "/Me", change), m4, "")
	})
	t.Run("somebody who is deleted with a claim", func(t *testing.T) {
		bob := s.NewPerson(t, m5)
		const now = "+4915112345678"
		pending(t, s, bob, m5, now)
		if got := s.SCIM(t, http.MethodDelete, "/Users/"+bob.ID, "", token); got.Status != http.StatusNoContent || got.Body != "" {
			t.Fatalf("got %d %q, want 204 and no body", got.Status, got.Body)
		}
		harness.Eventually(t, "the database forgets the numbers", func() error {
			if kept := s.Database.Numbers(t, bob.ID); len(kept) > 0 {
				return errNotYetWith(kept)
			}
			return nil
		})
		wantRefused(t, s.SCIM(t, http.MethodGet, "/Users/"+bob.ID, "", token), http.StatusNotFound, "")
	})
}

// An id is exact (RFC 7643, section 3.1), though Kratos reads it in capitals too.
func TestAnIDInOtherLettersIsNobodys(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	bob, token := s.NewPerson(t, m0), harness.ByClient(s.Token(t, "--privileged"))
	pending(t, s, bob, m0, m1)
	for _, id := range []string{strings.ToUpper(bob.ID), "urn:uuid:" + bob.ID, strings.ReplaceAll(bob.ID, "-", ""), bob.ID[:35] + strings.ToUpper(bob.ID[35:]) + "%20"} {
		for method, body := range map[string]string{
			http.MethodGet: "", http.MethodPatch: to(m3, "").body(t, bob, http.MethodPatch), http.MethodPut: wish{}.body(t, bob, http.MethodPut), http.MethodDelete: "",
		} {
			wantRefused(t, s.SCIM(t, method, "/Users/"+id, body, token), http.StatusNotFound, "")
		}
		bulk := s.SCIM(t, http.MethodPost, "/Bulk", `{"Operations":[{"method":"DELETE","path":"/Users/`+id+`"}]}`, token)
		if !strings.Contains(bulk.Body, `"status":"404"`) {
			t.Errorf("in bulk: %d %s", bulk.Status, bulk.Body)
		}
	}
	wantHeld(t, bob, m0, m1)
}

// A plain trait is not protected by Kratos: the number changes only soon after a
// sign-in.
func TestSCIMChangesNumbersSoonAfterASignIn(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"kratos": harness.Overlay{"privileged_session_max_age": "1s"}}})
	bob := s.NewPerson(t, m0)
	harness.Eventually(t, "the sign-in is too old", func() error {
		if own["PATCH Me"].ask(t, bob, to(m0, `"true"`)).Status == http.StatusOK {
			return errNotYet
		}
		return nil
	})
	for name, d := range own {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, d.ask(t, bob, wish{mobile: ptr(m1), flag: `"true"`, name: "Late"}), http.StatusForbidden, "")
			wantRefused(t, d.ask(t, bob, wish{mobile: ptr(m1), name: "Late"}), http.StatusForbidden, "")
			wantRefused(t, d.ask(t, bob, to("", "")), http.StatusForbidden, "")
			wantMade(t, bob, m0)
			if got := bob.Identity(t).Traits.Name; got == "Late" {
				t.Error("the rest of a refused request was written")
			}
			other := wish{name: "Unprotected"}
			if d.method == http.MethodPut {
				other.mobile = ptr(m0)
			}
			if got := wantUser(t, d.ask(t, bob, other), m0, "").DisplayName; got != "Unprotected" {
				t.Errorf("displayName: got %q", got)
			}
		})
	}
	wantTexts(t, s, "", 0)
}

func ptr(text string) *string { return &text }
