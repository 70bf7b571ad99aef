package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// verifyAll has everybody's number verified, whoever sends it.
func verifyAll(byPrivileged bool) harness.Overlay {
	return harness.Overlay{"user_claim_update": harness.Overlay{
		"use_verify_claim": false,
		"mobile":           harness.Overlay{"enable_verification_by_privileged_user": byPrivileged},
	}}
}

// provisioner is a client, and what it knows of one person.
type provisioner struct {
	s     *harness.Stack
	token harness.Header
	p     *harness.Person
}

func (c provisioner) send(t *testing.T, method, body string) harness.Answer {
	t.Helper()
	return c.s.SCIM(t, method, "/Users/"+c.p.ID, body, c.token)
}

// okta is a PUT as Okta sends it: the whole record, with what it does not manage.
func (c provisioner) okta(t *testing.T, number string, active bool) harness.Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"schemas": []string{harness.UserSchema}, "id": c.p.ID, "userName": c.p.Email, "active": active,
		"name":         map[string]any{"givenName": "Test", "familyName": "User"},
		"emails":       []any{map[string]any{"primary": true, "value": c.p.Email, "type": "work"}},
		"phoneNumbers": []any{map[string]any{"primary": true, "value": number, "type": "mobile"}},
		"displayName":  "Test User", "locale": "en-US", "externalId": "00u1", "groups": []any{},
		"meta": map[string]any{"resourceType": "User"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.send(t, http.MethodPut, string(body))
}

// entra is a PATCH as Entra ID sends it: capitalised, booleans as text.
func (c provisioner) entra(t *testing.T, number, active string) harness.Answer {
	t.Helper()
	return c.send(t, http.MethodPatch, patchOf(
		`{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"`+number+`"}`,
		`{"op":"Replace","path":"displayName","value":"Test User"}`,
		`{"op":"Replace","path":"active","value":"`+active+`"}`,
	))
}

// What clients repeat costs one text, and always ends with what they say done.
func TestSCIMClientsRepeatThemselves(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0"}, "identity_mgt": verifyAll(true),
	}})
	numbers := uniqueNumbers()
	token := harness.ByClient(s.Token(t))
	cycles := func(t *testing.T, c provisioner, number string, texts int) {
		t.Helper()
		for i := range 8 {
			for name, got := range map[string]harness.Answer{"Okta": c.okta(t, number, true), "Entra": c.entra(t, number, "True")} {
				if got.Status != http.StatusOK {
					t.Fatalf("cycle %d of %s: %d %s", i, name, got.Status, got.Body)
				}
			}
		}
		wantTexts(t, s, number, texts)
	}
	leaves := func(t *testing.T, c provisioner, say func() harness.Answer) {
		t.Helper()
		if got := say(); got.Status != http.StatusOK || got.SCIMUser(t).Active || c.p.Identity(t).State != "inactive" {
			t.Fatalf("a leaver stays active: %d %s", got.Status, got.Body)
		}
	}
	t.Run("a number that is stored and not verified", func(t *testing.T) {
		number := numbers()
		c := provisioner{s, token, s.NewAccount(t, harness.Account{Mobile: number, Unverified: true})}
		cycles(t, c, number, 1)
		leaves(t, c, func() harness.Answer { return c.entra(t, number, "False") })
	})
	t.Run("another number than the stored one", func(t *testing.T) {
		was, now := numbers(), numbers()
		c := provisioner{s, token, s.NewPerson(t, was)}
		cycles(t, c, now, 1)
		wantHeld(t, c.p, was, now)
		wantEmpty(t, c.p.Confirm(t, s.Provider.Nth(t, now, 1).Code), http.StatusAccepted)
		cycles(t, c, now, 1)
		wantMade(t, c.p, now)
		leaves(t, c, func() harness.Answer { return c.okta(t, now, false) })
	})
	t.Run("after the person took it back", func(t *testing.T) {
		was, now := numbers(), numbers()
		c := provisioner{s, token, s.NewPerson(t, was)}
		cycles(t, c, now, 1)
		wantEmpty(t, c.p.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusNoContent)
		cycles(t, c, now, 1)
		found, ok := c.p.Claim(t)
		if !ok || found.Text != "none" || !found.CodeExpiresAt.IsZero() {
			t.Fatalf("got %+v", found)
		}
		wantFault(t, c.p.Confirm(t, "123456"), http.StatusBadRequest, "18002")
		wantEmpty(t, c.p.Resend(t), http.StatusCreated)
		wantEmpty(t, c.p.Confirm(t, s.Provider.Nth(t, now, 2).Code), http.StatusAccepted)
		wantMade(t, c.p, now)
	})
	t.Run("when ten requests of the person's have spent all texts", func(t *testing.T) {
		was, now := numbers(), numbers()
		c := provisioner{s, token, s.NewPerson(t, was)}
		for range 10 {
			c.p.Ask(t, numbers()) // and waits for the text
		}
		cycles(t, c, now, 0)
		wantHeld(t, c.p, was, now)
		leaves(t, c, func() harness.Answer { return c.okta(t, now, false) })
	})
	t.Run("a new user's first number", func(t *testing.T) {
		now := numbers()
		c := provisioner{s, token, s.NewAccount(t, harness.Account{})}
		cycles(t, c, now, 1)
		leaves(t, c, func() harness.Answer { return c.okta(t, now, false) })
	})
}

// What a person began stays, whatever the directory still says.
func TestSCIMClientsEndNothingThatPeopleBegan(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	numbers := uniqueNumbers()
	for _, privileged := range []bool{false, true} {
		args := []string{}
		if privileged {
			args = append(args, "--privileged")
		}
		token := harness.ByClient(s.Token(t, args...))
		for name, spell := range map[string]func(string) string{
			"as it is stored": func(n string) string { return n },
			"with spaces":     func(n string) string { return n[:3] + " " + n[3:6] + " " + n[6:] },
			"as a tel: URI":   func(n string) string { return "tel:" + n },
		} {
			t.Run(fmt.Sprintf("%s, privileged %t", name, privileged), func(t *testing.T) {
				was, now := numbers(), numbers()
				c := provisioner{s, token, s.NewPerson(t, was)}
				text := pending(t, s, c.p, was, now)
				for _, said := range []string{spell(was), spell(now)} {
					wantUser(t, c.entra(t, said, "True"), was, now)
					wantUser(t, c.okta(t, said, true), was, now)
					wantUser(t, c.send(t, http.MethodPatch, to(said, `true`).body(t, c.p, http.MethodPatch)), was, now)
				}
				wantTexts(t, s, now, 1)
				wantEmpty(t, c.p.Confirm(t, text.Code), http.StatusAccepted)
				wantMade(t, c.p, now)
			})
		}
	}
}

// Requests that came out otherwise than their senders meant.
func TestSCIMPATCHReachesTheMobileNumber(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	numbers := uniqueNumbers()
	token := harness.ByClient(s.Token(t, "--privileged"))
	op := func(text string, number string) string { return patchOf(strings.ReplaceAll(text, "NUMBER", number)) }
	const element = `phoneNumbers[type eq \"mobile\"]`
	for name, operation := range map[string]string{
		"add where one exists":             `{"op":"add","path":"phoneNumbers","value":[{"type":"mobile","value":"NUMBER"}]}`,
		"add without a path":               `{"op":"add","value":{"phoneNumbers":{"type":"mobile","value":"NUMBER"}}}`,
		"replace by a value":               `{"op":"replace","path":"` + element + `","value":{"value":"NUMBER"}}`,
		"replace by a value and a display": `{"op":"replace","path":"` + element + `","value":{"value":"NUMBER","display":"d"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			was, now := numbers(), numbers()
			c := provisioner{s, token, s.NewPerson(t, was)}
			same := op(operation, was[:3]+" "+was[3:])
			before := wantUser(t, c.send(t, http.MethodPatch, same), was, "").Meta.Version
			after := wantUser(t, c.send(t, http.MethodPatch, same), was, "").Meta.Version
			if before != after {
				t.Error("the same again is a change")
			}
			wantMade(t, c.p, was)
			user := wantUser(t, c.send(t, http.MethodPatch, op(operation, now)), now, "")
			if len(user.PhoneNumbers) != 1 {
				t.Errorf("got %+v", user.PhoneNumbers)
			}
			wantPlain(t, c.p, now)
		})
	}
	for name, operation := range map[string]string{
		"remove of its value": `{"op":"remove","path":"` + element + `.value"}`,
		"null":                `{"op":"replace","path":"` + element + `.value","value":null}`,
		"blank":               `{"op":"replace","path":"` + element + `.value","value":""}`,
		"an object's null":    `{"op":"replace","path":"` + element + `","value":{"value":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := provisioner{s, token, s.NewPerson(t, numbers())}
			if got := wantUser(t, c.send(t, http.MethodPatch, patchOf(operation)), "", ""); len(got.PhoneNumbers) != 0 {
				t.Errorf("a shell is left: %+v", got.PhoneNumbers)
			}
			wantPlain(t, c.p, "")
		})
	}
	t.Run("remove of active", func(t *testing.T) {
		c := provisioner{s, token, s.NewPerson(t, numbers())}
		got := c.send(t, http.MethodPatch, patchOf(`{"op":"remove","path":"active"}`))
		wantRefused(t, got, http.StatusBadRequest, "mutability")
		if !strings.Contains(got.Body, "active") {
			t.Errorf("the attribute is not named: %s", got.Body)
		}
	})
	t.Run("the flag under the other schema", func(t *testing.T) {
		was, now := numbers(), numbers()
		c := provisioner{s, harness.ByClient(s.Token(t)), s.NewPerson(t, was)}
		got := c.send(t, http.MethodPatch, patchOf(`{"op":"replace","value":{"phoneNumbers":[{"type":"mobile","value":"`+now+`"}],"urn:scim:wso2:schema":{"verifyMobile":true}}}`))
		wantUser(t, got, was, now)
		wantHeld(t, c.p, was, now)
		if strings.Contains(got.Body, "wso2") {
			t.Errorf("an unlisted schema is shown: %s", got.Body)
		}
	})
}

func TestSCIMPrivilegedClientsRepeatUnverifiedNumbers(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0"}, "identity_mgt": verifyAll(false),
	}})
	number := uniqueNumbers()()
	c := provisioner{s, harness.ByClient(s.Token(t, "--privileged")), s.NewAccount(t, harness.Account{Mobile: number, Unverified: true})}
	for range 3 {
		wantUser(t, c.entra(t, number, "True"), number, "")
		wantUser(t, c.okta(t, number, true), number, "")
	}
	wantPlain(t, c.p, number)
	wantTexts(t, s, number, 0)
}

// A number that cannot be taken: who sends it is told which attribute it is, and
// it keeps nobody active.
func TestSCIMNumbersThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": noTextLimits}})
	numbers := uniqueNumbers()
	token := harness.ByClient(s.Token(t, "--privileged"))
	taken, name := numbers(), s.NewPerson(t, numbers())
	s.NewPerson(t, taken)
	for what, c := range map[string]struct {
		number, kind string
		status       int
	}{
		"national": {"0151 22210000", "invalidValue", 400},
		"taken":    {taken, "uniqueness", 409},
	} {
		t.Run(what, func(t *testing.T) {
			was := numbers()
			p := provisioner{s, token, s.NewPerson(t, was)}
			for _, send := range []func(active bool) harness.Answer{
				func(active bool) harness.Answer { return p.okta(t, c.number, active) },
				func(active bool) harness.Answer {
					return p.entra(t, c.number, map[bool]string{true: "True", false: "False"}[active])
				},
			} {
				refused := send(true)
				wantRefused(t, refused, c.status, c.kind)
				if fault, _ := refused.SCIMFault(); !strings.HasPrefix(fault.Detail, `phoneNumbers[type eq "mobile"].value: `) {
					t.Errorf("got %q", fault.Detail)
				}
				if got := send(false); got.Status != http.StatusOK || got.SCIMUser(t).Active || got.SCIMUser(t).Mobile() != was {
					t.Fatalf("a leaver stays active: %d %s", got.Status, got.Body)
				}
				if got := p.p.Identity(t); got.State != "inactive" || got.Traits.Mobile != was {
					t.Errorf("got %+v", got)
				}
				wantUser(t, p.send(t, http.MethodPatch, patchOf(`{"op":"replace","path":"active","value":true}`)), was, "")
			}
		})
	}
	t.Run("a taken name", func(t *testing.T) {
		p := provisioner{s, token, s.NewPerson(t, numbers())}
		got := p.send(t, http.MethodPatch, patchOf(`{"op":"replace","path":"userName","value":"`+name.Email+`"}`))
		wantRefused(t, got, http.StatusConflict, "uniqueness")
		if fault, _ := got.SCIMFault(); !strings.HasPrefix(fault.Detail, "userName: ") {
			t.Errorf("got %q", fault.Detail)
		}
	})
	t.Run("skipped", func(t *testing.T) {
		s.Holdline.Reconfigure(t, harness.Overlay{"scim": harness.Overlay{"invalid_mobile": "skip"}})
		was := numbers()
		p := provisioner{s, token, s.NewPerson(t, was)}
		wantUser(t, p.entra(t, "0151 22210000", "True"), was, "")
		wantUser(t, p.okta(t, "0151 22210000", true), was, "")
		wantMade(t, p.p, was)
		wantRefused(t, p.okta(t, taken, true), http.StatusConflict, "uniqueness")
	})
}
