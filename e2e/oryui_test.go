package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// oryUI returns Ory's two user interfaces as `make ory-ui` has got them from npm.
func oryUI(t *testing.T, name string) harness.OryUI {
	t.Helper()
	dir := os.Getenv("HOLDLINE_ORY_UI")
	switch {
	case dir == "":
		t.Skip("`make ory-ui` runs this")
		return harness.OryUI{}
	case name == "node":
		return harness.NodeUI(filepath.Join(dir, "node", "node_modules"))
	default:
		return harness.ElementsUI(t, filepath.Join(dir, "react", "dist"))
	}
}

const (
	settingsMobile = `input[name="traits.mobile"]`
	settingsSave   = `button[name="method"][value="profile"]`
)

// click presses a button that may lead to no other page.
func click(t *testing.T, tab *harness.Tab, css string) {
	t.Helper()
	harness.Eval[bool](t, tab, `(document.querySelector(`+strconv.Quote(css)+`).click(), true)`)
}

// In Ory's own user interfaces, where kratos-config printed no way to Holdline's page:
// the pending number is shown, a code typed, another one sent, a change taken back.
func TestOryUIShowsThePendingNumber(t *testing.T) { //nolint:paralleltest // has a make target of its own
	for _, tt := range []struct{ name, pending, field, picture string }{
		{"node", "holdline-pending:not([hidden]) form", "holdline-pending ", "ory-node-ui"},
		{"elements", `form:has([data-said])`, "form:has([data-said]) ", "ory-elements"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ui := oryUI(t, tt.name)
			kratos := ui.Kratos()
			// As a kratos.yml of Ory's has it that says nothing: back to the form.
			kratos["selfservice"].(harness.Overlay)["flows"].(harness.Overlay)["settings"].(harness.Overlay)["after"] = harness.Overlay{
				"profile": harness.Overlay{"default_browser_return_url": ui.URL + "/settings"},
			}
			s := harness.NewStack(t, harness.Options{Kratos: kratos, Holdline: harness.Overlay{
				"hooks":  harness.Overlay{"return_url": "none"},
				"public": harness.Overlay{"cors": harness.Overlay{"allowed_origins": []string{ui.URL}}},
				"limits": harness.Overlay{"resend_cooldown": "0s"},
			}})
			ui.Start(t, s)
			bob := s.NewPerson(t, m0)
			tab := harness.NewBrowser(t)
			tab.SignInAs(t, bob)
			tab.Open(t, ui.URL+"/settings")
			change := func(mobile string) {
				t.Helper()
				tab.Await(t, settingsMobile, "the form shows the number in force", false, func(string) bool { return true })
				tab.Type(t, settingsMobile, mobile)
				click(t, tab, settingsSave)
				tab.Await(t, tt.pending, "the pending number is shown", false, says("Confirm your new mobile number"))
			}
			inForce := func(mobile string) {
				t.Helper()
				tab.Await(t, settingsMobile, "the form shows "+mobile, false, func(shown string) bool { return shown == mobile })
			}

			change(m1)
			inForce(m0)
			wantHeld(t, bob, m0, m1)
			if shown, _ := tab.Read(tt.pending); !strings.Contains(shown, m1[len(m1)-2:]) {
				t.Errorf("the pending number is shown as %q", shown)
			}
			tab.DesktopSize(t)
			tab.ShootTop(t, tt.picture)
			code := s.Provider.Nth(t, m1, 1).Code
			tab.Type(t, tt.field+`input[name="code"]`, harness.WrongCode(code, 0))
			click(t, tab, tt.field+`button[value="confirm"]`)
			tab.Await(t, "[data-said]", "a wrong code is said so", false, says("not valid"))
			click(t, tab, tt.field+`button[value="resend"]`)
			code = s.Provider.Nth(t, m1, 2).Code
			tab.Await(t, "[data-said]", "another code is on its way", false, says("on its way"))
			tab.Type(t, tt.field+`input[name="code"]`, code)
			click(t, tab, tt.field+`button[value="confirm"]`)
			inForce(m1)
			wantMade(t, bob, m1)
			if _, err := tab.Read(tt.pending); err == nil {
				t.Error("what is confirmed is still shown as pending")
			}

			change(m2)
			click(t, tab, tt.field+`button[value="cancel"]`)
			wantMade(t, bob, m1)
			tab.Await(t, "body", "nothing is pending any more", false, func(string) bool {
				_, err := tab.Read(tt.pending)
				return err != nil
			})

			carol := s.NewAccount(t, harness.Account{Schema: "identifier"}) // whose first number Kratos may not store
			tab.SignInAs(t, carol)
			tab.Open(t, ui.URL+"/settings")
			change(m4)
			tab.Type(t, tt.field+`input[name="code"]`, s.Provider.Nth(t, m4, 1).Code)
			click(t, tab, tt.field+`button[value="confirm"]`)
			inForce(m4)
			wantMade(t, carol, m4)
			tab.SignInAs(t, bob)

			// Without Holdline the page is what it was before, for all but the number.
			s.Holdline.Stop(t)
			tab.Open(t, ui.URL+"/settings")
			inForce(m1)
			tab.Type(t, `input[name="traits.name"]`, "Without Holdline")
			click(t, tab, settingsSave)
			bob.Eventually(t, "the name is saved", func(i harness.Identity) bool { return i.Traits.Name == "Without Holdline" })
			inForce(m1)
		})
	}
}

// Whose sign-in is too old is led through Ory's login and back, and the code counts then.
func TestOryUISignsInAgain(t *testing.T) { //nolint:paralleltest // has a make target of its own
	for _, name := range []string{"node", "elements"} {
		t.Run(name, func(t *testing.T) {
			ui := oryUI(t, name)
			kratos := ui.Kratos()
			kratos["selfservice"].(harness.Overlay)["allowed_return_urls"] = []string{ui.URL}
			s := harness.NewStack(t, harness.Options{Kratos: kratos, Holdline: harness.Overlay{
				"public": harness.Overlay{"cors": harness.Overlay{"allowed_origins": []string{ui.URL}}},
			}})
			ui.Start(t, s)
			bob := s.NewPerson(t, m0)
			code := bob.Ask(t, m1).Code
			tab := harness.NewBrowser(t)
			tab.SignInAs(t, bob)
			s.Holdline.Reconfigure(t, harness.Overlay{"kratos": harness.Overlay{"privileged_session_max_age": "1ms"}})
			tab.Open(t, ui.URL+"/settings")
			const form = `form:has([data-said]) `
			tab.Type(t, form+`input[name="code"]`, code)
			click(t, tab, form+`button[value="confirm"]`)
			tab.Await(t, "body", "the browser is at the login", false, func(string) bool {
				return strings.HasPrefix(tab.Where(t), ui.URL+"/login?")
			})
			s.Holdline.Reconfigure(t, harness.Overlay{"kratos": harness.Overlay{"privileged_session_max_age": "15m"}})
			tab.Type(t, `input[name="identifier"]`, bob.Email)
			tab.Type(t, `input[name="password"]`, bob.Password)
			click(t, tab, `button[name="method"][value="password"]`)
			tab.Type(t, form+`input[name="code"]`, code)
			click(t, tab, form+`button[value="confirm"]`)
			wantMade(t, bob, m1)
		})
	}
}

// With Holdline's page: a save that leaves the number alone ends at Ory's settings page;
// a first number that signs in is told the page's address, and the page takes the code; a
// further one leads to the page.
func TestOryUIWithThePageForCodes(t *testing.T) { //nolint:paralleltest // has a make target of its own
	for name, message := range map[string]string{
		"node": `[data-testid="node/input/traits.mobile"]`, "elements": `form:has(` + settingsMobile + `)`,
	} {
		t.Run(name, func(t *testing.T) {
			ui := oryUI(t, name)
			s := harness.NewStack(t, harness.Options{Kratos: ui.Kratos()})
			ui.Start(t, s)
			bob := s.NewAccount(t, harness.Account{Schema: "identifier"})
			tab := harness.NewBrowser(t)
			tab.SignInAs(t, bob)
			tab.Open(t, ui.URL+"/settings")
			tab.Type(t, `input[name="traits.name"]`, "Robert")
			click(t, tab, settingsSave)
			bob.Eventually(t, "the name is saved", func(i harness.Identity) bool { return i.Traits.Name == "Robert" })
			tab.Await(t, `input[name="traits.name"]`, "Ory's settings page shows the name", false, func(name string) bool {
				return name == "Robert" && strings.HasPrefix(tab.Where(t), ui.URL+"/settings?flow=")
			})
			tab.Open(t, ui.URL+"/settings")
			tab.Type(t, settingsMobile, m1)
			click(t, tab, settingsSave)
			page := s.Holdline.PublicURL + pagePath
			tab.Await(t, message, "the message leads to the page", false, says("code here: "+page))
			tab.Open(t, page)
			state(t, tab, "waiting")
			tab.Type(t, "#code", s.Provider.Nth(t, m1, 1).Code) // which the page sends by itself
			state(t, tab, "done")
			wantMade(t, bob, m1)
			tab.Click(t, "#continue")
			tab.Await(t, settingsMobile, "Ory's settings page shows the number", false, func(shown string) bool { return shown == m1 })
			tab.Type(t, settingsMobile, m2)
			click(t, tab, settingsSave)
			state(t, tab, "waiting")
			wantHeld(t, bob, m1, m2)
		})
	}
}
