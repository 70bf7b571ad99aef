package e2e_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// stateNames reads the states of a page from its source: the keys of the table that
// says their status and heading. Words of redirects are constants.
func stateNames(t *testing.T, file, table string) []string {
	t.Helper()
	source := ""
	for _, name := range []string{"../portal/verify/act.go", file} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(content)
	}
	words := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^\t(said\w+)\s+= ("[\w-]+")`).FindAllStringSubmatch(source, -1) {
		words[found[1]] = found[2]
	}
	_, rows, found := strings.Cut(source, "var "+table+" = map[string]struct {")
	rows, _, whole := strings.Cut(rows, "\n}\n\n")
	if !found || !whole {
		t.Fatalf("%s has no table %s", file, table)
	}
	var names []string
	for _, row := range regexp.MustCompile(`(?m)^\t("[\w-]+"|said\w+):\s+\{`).FindAllStringSubmatch(rows, -1) {
		name := row[1]
		if word, ok := words[name]; ok {
			name = word
		}
		names = append(names, strings.Trim(name, `"`))
	}
	return names
}

// pageWalk walks pages that have their state written at their section.
type pageWalk struct {
	*gallery
	seen map[string]bool
}

// arrived waits until a tab shows a state.
func (w *pageWalk) arrived(tab *harness.Tab, state string) {
	w.t.Helper()
	tab.Await(w.t, `section[data-state="`+state+`"]`, "the page is in the state "+state, false, func(string) bool { return true })
}

// show wants a state, and what its main button is for.
func (w *pageWalk) show(page, state, note string, do func()) {
	w.t.Helper()
	w.arrived(w.tab, state)
	name := page + "-" + state
	w.seen[name] = true
	if note != "" {
		name += " (" + note + ")"
	}
	w.state(name, do)
}

// unscripted wants the same state without scripts, on a phone, from right to left.
func (w *pageWalk) unscripted(state string) {
	w.t.Helper()
	w.plain.Open(w.t, w.tab.Where(w.t))
	w.arrived(w.plain, state)
	if fits := harness.Eval[bool](w.t, w.plain, `(e => e.dir === "rtl" && e.scrollWidth <= e.clientWidth)(document.documentElement)`); !fits {
		w.t.Errorf("%s in Arabic is not from right to left, or wider than a phone", state)
	}
}

// complete wants every state of the code to have been walked through, and no other.
func (w *pageWalk) complete(want []string) {
	w.t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(w.seen)); len(want) < 20 || !slices.Equal(got, want) {
		w.t.Errorf("looked at\n%v\nthe code has\n%v", got, want)
	}
}

// Every state of the pages for people, come to as people come to it, with what its main
// button leads to: on phones, tablets and desktops, light and dark, axe finds nothing and
// nothing is wider than the screen; without scripts and from right to left it is the
// same state. The list is that of the code, so that a new state needs its entry here.
func TestPageStates(t *testing.T) {
	t.Parallel()
	mails := newMailbox(t)
	s, site := pagesWith(t, harness.Overlay{
		"limits":  harness.Overlay{"resend_cooldown": "10m"},
		"mobile":  harness.Overlay{"taken": "refuse"},
		"traffic": harness.Overlay{"mode": "enforce", "budgets": []harness.Overlay{{"calling_code": "44", "texts_per_hour": 1}}},
		"notices": harness.Overlay{"webhook": harness.Overlay{"request_config": harness.Overlay{
			"url": mails.url, "body": "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
		}}},
	}, harness.Overlay{"totp": harness.Overlay{"enabled": true}})
	g := &pageWalk{newGallery(t, "page", 200), map[string]bool{}}
	g.phone = true
	g.plain.Speaks(t, "ar")
	g.plain.Phone(t)
	tab, address := g.tab, s.Holdline.PublicURL+pagePath
	as := func(p *harness.Person) *harness.Person {
		t.Helper()
		tab.SignOut(t)
		tab.SignInAs(t, p)
		return p
	}
	asking := func(mobile, wanted string) (*harness.Person, harness.Text) {
		t.Helper()
		p := as(s.NewPerson(t, mobile))
		text := p.Ask(t, wanted)
		tab.Open(t, address)
		return p, text
	}
	click := func(css string) func() { return func() { t.Helper(); tab.Click(t, css) } }
	types := func(code string) func() { return func() { t.Helper(); tab.Code(t, code) } }
	arrives := func(name string) { t.Helper(); g.arrived(tab, name) }
	show := func(name, note string, do func()) { t.Helper(); g.show("verify", name, note, do) }

	// The whole way, with mistakes.
	bob, text := asking(m0, m1)
	g.unscripted("waiting")
	show("waiting", "", types(harness.WrongCode(text.Code, 0)))
	g.unscripted("wrong")
	show("wrong", "", func() { tab.Type(t, "#code", "123"); tab.Click(t, "#confirm") })
	bob.EndCoolDown(t)
	tab.Reload(t)
	show("no-code", "", click("#resend"))
	g.unscripted("resent")
	show("resent", "", types(s.Provider.Nth(t, m1, 2).Code))
	g.unscripted("done")
	show("done", "", click("#continue"))
	s.KratosPublic.On(harness.Rule{Method: http.MethodDelete, Path: "/sessions", Status: http.StatusInternalServerError})
	tab.Open(t, address+"?said=done")
	tab.Click(t, "#sign-out-others")
	s.KratosPublic.Heal()
	show("others-signed-in", "", click("#sign-out-others"))
	show("signed-out-others", "", click("#continue"))
	tab.Open(t, address)
	g.unscripted("nothing")
	show("nothing", "", click("#continue"))

	// Texts that wait, fail and run out; what is taken back.
	bob.SignIn(t)
	as(bob)
	sent := make(chan struct{})
	s.Provider.Next(harness.Reaction{Before: func() { <-sent }})
	bob.MustSave(t, harness.Profile{Name: "Before", Mobile: m2})
	tab.Open(t, address)
	show("waiting", "queued", func() {
		close(sent)
		tab.Await(t, `#text-state[data-text="sent"]`, "the page says that the text was sent", true, says("We sent"))
	})
	bob.EndCoolDown(t)
	bob.ExpireCode(t)
	tab.Reload(t)
	g.unscripted("expired")
	show("expired", "", click("#resend"))
	// without presses "send a new code" without a script, which would have it rest.
	without := func() {
		t.Helper()
		g.plain.Open(t, address)
		g.plain.Click(t, "#resend")
		tab.Open(t, g.plain.Where(t))
	}
	without()
	show("too-soon", "", click("#cancel"))
	g.unscripted("cancelled")
	show("cancelled", "", click("#anew"))
	tab.Await(t, "#site", "the settings of Kratos' own user interface", false, says("/settings"))
	s.Provider.Next(harness.Reaction{Status: http.StatusBadRequest})
	bob.MustSave(t, harness.Profile{Name: "Before", Mobile: m3})
	tab.Open(t, address)
	tab.Await(t, `#text-state[data-text="failed"]`, "the page says that no text was sent", false, says("could not send"))
	bob.EndCoolDown(t)
	tab.Reload(t)
	show("waiting", "failed", click("#resend"))
	g.plain.Open(t, address) // a page from before the last one
	for c, _ := bob.Claim(t); !c.NextResendAt.IsZero(); c, _ = bob.Claim(t) {
		bob.EndCoolDown(t)
		wantEmpty(t, bob.Resend(t), http.StatusCreated)
	}
	bob.EndCoolDown(t)
	g.plain.Click(t, "#resend")
	tab.Open(t, g.plain.Where(t))
	show("too-many-texts", "", click("#cancel"))

	// What ends otherwise.
	dan, text := asking(m4, "+447400123456")
	dan.EndCoolDown(t)
	without()
	show("country-full", "", types(text.Code))
	eve, text := asking(m4, m5)
	s.KratosAdmin.On(harness.Rule{Drop: true})
	tab.Code(t, text.Code)
	show("saving", "", func() { s.KratosAdmin.Heal(); arrives("done") })
	wantMade(t, eve, m5)
	finn, _ := asking(m3, m4)
	finn.Rewrite(t, "lapses_at = UTC_TIMESTAMP(6), due_at = UTC_TIMESTAMP(6)")
	tab.Reload(t)
	g.unscripted("lapsed")
	show("lapsed", "", click("#anew"))
	_, text = asking("+4915112345676", "+4915112345677")
	for i := range 5 {
		tab.Code(t, harness.WrongCode(text.Code, i))
	}
	g.unscripted("locked")
	show("locked", "", click("#anew"))
	hal, text := asking("+4915112345681", "+4915112345682")
	hal.Overwrite(t, "+4915112345683")
	tab.Code(t, text.Code)
	show("changed", "", click("#anew"))
	for want, reason := range map[string]string{
		"taken": "number taken", "taken-proved": "number taken, and proved by its holder", "taken-bound": "number taken, and its holder signs in by it", "refused": "number refused by the schema", // some need other policies and schemas
	} {
		hal.Rewrite(t, "reason = '"+reason+"'")
		tab.Open(t, address+"?said=over")
		show(want, "", click("#anew"))
	}

	// What is away, and who may not.
	asking("+4915112345684", "+4915112345685")
	s.KratosPublic.On(harness.Rule{Drop: true})
	tab.Open(t, address)
	show("away", "", func() { s.KratosPublic.Heal(); tab.Click(t, "#again"); arrives("waiting") })
	tab.Open(t, address+"?said=away") // of an error of ours
	show("failed-now", "", click("#cancel"))
	tab.Open(t, site.URL+"/elsewhere")
	harness.Eval[bool](t, tab, `(form => { form.method = "post"; form.action = `+fmt.Sprintf("%q", address)+`; document.body.append(form); setTimeout(() => form.submit()); return true })(document.createElement("form"))`)
	arrives("forbidden")
	show("forbidden", "", click("#again"))
	tab.SignOut(t)
	tab.Open(t, address+"?said=back")
	g.unscripted("signed-out")
	show("signed-out", "", click("#sign-in"))

	// "That was not me", of what waits, has changed, has changed again.
	denied := func(p *harness.Person) string { t.Helper(); return mails.last(t, p).TemplateData.Link }
	dispute := func(name, note string, do func()) { t.Helper(); g.show("dispute", name, note, do) }
	ida, _ := asking("+4915112345698", "+4915112345700")
	tab.Open(t, denied(ida))
	g.unscripted("ask")
	dispute("ask", "pending", click("#deny"))
	g.unscripted("done")
	dispute("done", "", click("#sign-in"))
	kim, text := asking("+4915112345686", "+4915112345687")
	link := denied(kim)
	s.KratosAdmin.On(harness.Rule{Drop: true})
	tab.Code(t, text.Code)
	tab.Open(t, link)
	dispute("busy", "", func() {
		s.KratosAdmin.Heal()
		wantMade(t, kim, "+4915112345687")
		tab.Click(t, "#again")
	})
	s.Database.Rename(t, "alarms", "alarms_gone")
	tab.Open(t, link)
	dispute("away", "", func() { s.Database.Rename(t, "alarms_gone", "alarms"); tab.Click(t, "#again") })
	kim.MustSave(t, harness.Profile{Name: "Before"})
	harness.Eventually(t, "the operator hears of the removal", func() error {
		if mails.last(t, kim).TemplateType != "mobile_number_removed" {
			return errNotYet
		}
		return nil
	})
	tab.Open(t, denied(kim))
	dispute("ask", "removed", nil)
	tab.Open(t, link)
	tab.Await(t, "#again", "it says that the number was changed again", false, says("once more"))
	dispute("ask", "changed, and again", click("#deny"))
	tab.Await(t, "#stays", "the page says what stays", false, says("stays until"))
	lea, _ := asking("+4915112345688", "+4915112345689")
	link = denied(lea)
	tab.Click(t, "#cancel")
	tab.Open(t, link)
	g.unscripted("taken_back")
	dispute("taken_back", "", nil)
	mia, text := asking("+4915112345690", "+4915112345691")
	tab.Code(t, text.Code)
	wantMade(t, mia, "+4915112345691")
	link = denied(mia)
	mia.Rewrite(t, "ended_at = UTC_TIMESTAMP(6) - INTERVAL 73 HOUR")
	tab.Open(t, link)
	dispute("late", "", click("#ask-support"))
	tab.Open(t, s.Holdline.PublicURL+"/not-me/made-up")
	dispute("dead", "", click("#ask-support"))

	// Blocked: a client's number is held meanwhile, and with a second factor the owner lifts it.
	harness.Eventually(t, "sessions that began meanwhile have ended too", func() error {
		if s.Database.Count(t, "alarms", "due_at IS NOT NULL") > 0 {
			return errNotYet
		}
		return nil
	})
	ida.SignIn(t)
	ida.ForgetBrowser()
	as(ida)
	client := s.Token(t, "--scope", "scim:write", "--scope", "scim:read")
	s.SCIM(t, http.MethodPatch, "/Users/"+ida.ID, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"+4915112345699"}]}`,
		harness.ByClient(client))
	tab.Open(t, address)
	g.unscripted("blocked")
	show("blocked", "", click("#continue"))
	ida.UseTOTPInBrowser(t, ida.AddTOTP(t))
	as(ida)
	tab.Open(t, address)
	show("blocked", "a number is held, with a second factor", click("#lift"))
	g.unscripted("untexted")
	show("untexted", "", click("#resend"))
	kim.SignIn(t)
	kim.ForgetBrowser()
	as(kim)
	kim.UseTOTPInBrowser(t, kim.AddTOTP(t))
	as(kim)
	tab.Open(t, address)
	show("blocked", "with a second factor", click("#lift"))
	show("lifted", "", click("#anew"))

	// What an operator has changed since.
	ned, _ := asking("+4915112345692", "+4915112345693")
	ned.EndCoolDown(t)
	uma, _ := asking("+4915112345694", "+4915112345695")
	s.Holdline.Reconfigure(t, harness.Overlay{"mobile": harness.Overlay{"denied_calling_codes": []string{"49"}}})
	as(ned)
	without()
	show("not-served", "", click("#cancel"))
	as(uma)
	s.Holdline.Reconfigure(t, harness.Overlay{"kratos": harness.Overlay{"privileged_session_max_age": "1s"}})
	harness.Eventually(t, "the session is too old", func() error {
		if got := harness.Send(t, http.MethodGet, address, "", uma.ByCookie(t)); got.Status != http.StatusForbidden {
			return errNotYet
		}
		return nil
	})
	tab.Open(t, address)
	show("sign-in", "", click("#sign-in"))

	var all []string
	for page, names := range map[string][]string{
		"verify": stateNames(t, "../portal/verify/states.go", "faces"), "dispute": stateNames(t, "../portal/verify/dispute.go", "disputeStates"),
	} {
		for _, name := range names {
			all = append(all, page+"-"+name)
		}
	}
	g.complete(all)
	g.hang(site, "states", 4)
}
