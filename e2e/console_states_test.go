package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// Every state of the console, come to as administrators come to it, with what its main
// button leads to: in all widths, light and dark, axe finds nothing, and lists read on a
// phone. All that templates and handlers can say must have been said on the way, so that
// a new state needs its entry here.
func TestConsoleStates(t *testing.T) {
	t.Parallel()
	mails := newMailbox(t)
	broken := harness.NewProvider(t)
	broken.Always(harness.Reaction{Status: http.StatusServiceUnavailable})
	configured := "a token of the configuration, of at least 32 bytes"
	digest := sha256.Sum256([]byte(configured))
	soon := time.Now().UTC().AddDate(0, 0, 3).Format(time.DateOnly)
	s := harness.NewStack(t, harness.Options{
		Gateways: []harness.Overlay{broken.Gateway("broken")},
		Holdline: harness.Overlay{
			"kratos": harness.Overlay{"privileged_key": "holdline_privileged"},
			"limits": harness.Overlay{"resend_cooldown": "10m"},
			"tokens": []harness.Overlay{{"name": "okta", "sha256": hex.EncodeToString(digest[:]), "scopes": []string{"scim:read"}}},
			"notices": harness.Overlay{"webhook": harness.Overlay{"request_config": harness.Overlay{
				"url": mails.url, "body": "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
			}}},
		},
	})
	site := harness.NewSite(t)
	g := newGallery(t, "console", 380)
	tab, root := g.tab, s.Holdline.AdminURL+consolePath
	open := func(path string) { t.Helper(); tab.Open(t, root+path) }
	click := func(css string) func() { return func() { t.Helper(); tab.Click(t, css) } }
	enters := func(css, text string) func() {
		return func() { t.Helper(); tab.Type(t, css, text); tab.PressToGo(t, "\r") }
	}
	show := func(name, says string, do func()) {
		t.Helper()
		if !g.says(says) {
			return
		}
		g.state(name, do)
	}
	// unscripted wants the same heading without scripts.
	unscripted := func() {
		t.Helper()
		heading, _ := tab.Read("h1")
		g.plain.Open(t, tab.Where(t))
		if got, _ := g.plain.Read("h1"); got != heading {
			t.Errorf("without scripts %s has the heading %q, want %q", tab.Where(t), got, heading)
		}
	}
	// meanwhile sends a form as another tab of the same administrator would.
	meanwhile := func(path string) {
		t.Helper()
		if got := harness.Eval[int](t, tab, `fetch("`+root+path+`", {method: "POST", body: new URLSearchParams()}).then(r => r.status)`); got != http.StatusOK {
			t.Fatalf("%s: %d", path, got)
		}
	}

	// The way in, to an installation that nothing has happened at.
	token := s.Token(t, "--scope", "claims:manage", "--scope", "scim:read", "--privileged")
	open("")
	show("sign-in", "Operator's token", enters("#token", "hlt_made-up"))
	show("sign-in refused", "invalid or has expired", enters("#token", configured))
	show("sign-in without the scope", "lacks the scope", enters("#token", token))
	show("overview, empty", "All is well", nil)
	unscripted()
	for _, page := range []struct{ name, path, says string }{
		{"alarms, none", "alarms", "Nothing is to be decided."},
		{"alarms, none ever", "alarms?show=all", "Nobody has denied a change."},
		{"claims, none", "claims?state=open", "No claim fits."},
		{"texts, none", "texts", "No text fits."},
		{"audit, none", "audit?claim=none", "Nothing is noted here."},
		{"over time, empty", "activity", "None in this time."},
		{"traffic, empty", "traffic", "No text with a code was queued"},
		{"limits", "limits", "Key in the configuration"},
	} {
		open(page.path)
		unscripted()
		show(page.name, page.says, nil)
	}
	open("people")
	unscripted()
	show("people", "An e-mail address", enters("#who", "12"))
	show("people, too little typed", "at least four digits", enters("#who", "nobody@example.com"))
	show("people, nobody", "Nobody fits.", nil)

	// A change with a wrong code, and one that waits.
	bob, eve := s.NewPerson(t, m0), s.NewPerson(t, m4)
	text := bob.Ask(t, m1)
	wantFault(t, bob.Confirm(t, harness.WrongCode(text.Code, 0)), http.StatusBadRequest, "18001")
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	eve.Ask(t, m5)
	open("people")
	enters("#who", bob.Email)()
	show("people, one", bob.Email, click("tbody th a"))
	unscripted()
	show("person", "Wrong code", nil)
	s.KratosAdmin.On(harness.Rule{Drop: true})
	open("people")
	enters("#who", "before")()
	show("people, Kratos is away", "names are missing", nil)
	open("person?id=" + bob.ID)
	show("person, Kratos is away", "what it knows of this person is missing", nil)
	s.KratosAdmin.Heal()
	s.NewPerson(t, m3).Ask(t, m2)

	// "That was not me".
	for _, p := range []*harness.Person{bob, eve} {
		if got := harness.Send(t, http.MethodPost, mails.last(t, p).TemplateData.Link, ""); got.Status != http.StatusSeeOther {
			t.Fatalf("deny: %d", got.Status)
		}
	}
	open("person?id=" + bob.ID)
	show("person with an alarm", "that was not me", click(".notice a"))
	alarm := tab.Where(t)
	open("")
	show("overview with an alarm", "2 people say", click(".headline a"))
	unscripted()
	show("alarms", "to be decided", nil)
	waiting := harness.Eval[string](t, tab, `Array.from(document.querySelectorAll("tbody th a"), a => a.href).find(a => a !== "`+alarm+`")`)
	tab.Open(t, alarm)
	unscripted()
	show("alarm", "Find out who is right", click(`form[action$="/end-sessions"] button`))
	show("alarm, sessions ended", "All sessions of the account are ended.", click(`form[action$="/lift"] button`))
	show("alarm, block lifted", "can be changed again", click(`a[href$="/restore"]`))
	unscripted()
	show("put the number back?", "again, marked verified", click("button.danger"))
	show("alarm, number put back", "in force again", nil)
	s.KratosAdmin.On(harness.Rule{Drop: true})
	tab.Open(t, alarm)
	show("alarm, Kratos is away", "Kratos does not answer", nil)
	tab.Open(t, waiting+"/restore")
	show("put the number back? Kratos is away", "Kratos does not say which number it has now", nil)
	s.KratosAdmin.Heal()
	open("alarms")
	tab.Click(t, "tbody th a")
	tab.Click(t, `a[href$="/restore"]`)
	other := strings.TrimSuffix(strings.TrimPrefix(tab.Where(t), root), "/restore")
	meanwhile(other + "/close")
	show("put the number back? Of what another administrator decides on meanwhile", "Put the number from before back?", click("button.danger"))
	show("alarm, decided on meanwhile", "Somebody has decided on it already", nil)
	open("alarms?show=all")
	show("alarms, all", "restored", nil)
	ann := s.NewPerson(t, "+4915112345676")
	ann.Ask(t, "+4915112345677")
	harness.Send(t, http.MethodPost, mails.last(t, ann).TemplateData.Link, "")
	open("alarms")
	tab.Click(t, "tbody th a")
	tab.Click(t, `form[action$="/close"] button`)
	show("alarm, closed", "The case is closed.", nil)

	// Claims: another text, full numbers, cancelled for somebody.
	finn := s.NewPerson(t, "+4915112345678")
	finn.Ask(t, "+4915112345679")
	open("claims")
	unscripted()
	show("claims", "open", enters("#number", "+49*********79"))
	show("claims, by a masked number", "+49*********79", click("tbody th a"))
	claim := tab.Where(t)
	unscripted()
	show("claim", "waits for its code", click(`form[action$="/resend"] button`))
	show("claim, too soon for another text", "may be sent after", nil)
	finn.EndCoolDown(t)
	tab.Click(t, `form[action$="/resend"] button`)
	show("claim, texted again", "Another text is on its way.", click(`form[action$="/reveal"] button`))
	show("claim, full numbers", "The audit trail has noted that you looked at them.", nil)
	tab.Open(t, claim+"/cancel")
	unscripted()
	show("cancel the claim?", "stays in force", click("button.danger"))
	show("claim, cancelled", "its code is dead", nil)
	open("claims?state=lapsed")
	tab.Type(t, "#number", "nonsense")
	tab.PressToGo(t, "\r")
	show("claims, by what is no number", "Enter a whole number", nil)
	harness.Eventually(t, "changes are counted for the charts", func() error {
		if s.Database.Count(t, "statistics", "requested > 0") == 0 {
			return errNotYet
		}
		return nil
	})
	for _, page := range []struct{ name, path, says string }{
		{"texts", "texts", "No text fits."}, {"audit", "audit", "Full number shown"}, {"over time", "activity?span=7d", "By country"}, {"traffic", "traffic", "Germany"},
	} {
		open(page.path)
		unscripted()
		if page.name == "texts" {
			page.says = "Queued"
		}
		show(page.name, page.says, nil)
	}

	// Verification: what is wrong, nothing new, switched off after asking, returned.
	open("settings")
	unscripted()
	if pressed := harness.Eval[string](t, tab, `new Promise(done => {
		const save = document.querySelector(".settings > .actions button");
		save.innerHTML = "Save<i> all</i>";
		let sent = 0;
		window.addEventListener("submit", e => { if (!e.defaultPrevented) { sent++; e.preventDefault() } });
		save.click(); save.click();
		setTimeout(() => {
			const pressed = [sent, save.getAttribute("aria-busy"), save.textContent];
			window.dispatchEvent(new Event("pageshow")); // back again
			done([...pressed, save.innerHTML].join(" "));
		}, 50);
	})`); pressed != "1 true One moment … Save<i> all</i>" {
		t.Errorf("pressed twice on a slow network: %q", pressed)
	}
	tab.Reload(t)
	show("verification", "User Claim Update", click(".settings > .actions button"))
	show("verification, nothing changed", "Nothing was changed.", nil)
	tab.Type(t, `input[name$="otp_validity"]`, "soon")
	tab.Type(t, "#allowed_calling_codes", "49, 4x")
	tab.Click(t, ".settings > .actions button")
	show("verification, refused", "must be a duration", nil)

	// Countries: suggested by what was seen, restricted, and undone by the audit trail.
	sawChanges(t, s, map[string]int{"49": 950, "44": 300, "43": 10, "992": 0})
	open("")
	show("overview, a country where nobody confirms", "nearly nothing confirmed", click(`a[href$="/traffic#suggestion"]`))
	unscripted()
	tab.Click(t, "#suggestion button.plain")
	show("text a country no more?", "+992 Tajikistan", click("main .actions a"))
	open("traffic")
	show("traffic, with a suggestion", "Text these only?", click("#suggestion button"))
	show("text fewer countries?", "No pending change", click("button.danger"))
	open("traffic")
	show("traffic, restricted already", "Texts go to no more countries", nil)
	open("audit?kind=setting_changed")
	unscripted() // as another administrator's page
	show("audit, with what can be undone", "Undo", click(`button[name="event"]`))
	show("verification, undone", "Taken back.", nil)
	g.plain.Click(t, `button[name="event"]`)
	if said, _ := g.plain.Read("main"); !strings.Contains(said, "has changed again since") {
		t.Errorf("undone by another administrator already: %q", said)
	}
	open("settings")
	tab.Type(t, "#denied_calling_codes", "49")
	uncheck := `(e => { e.click(); return e.checked })(document.querySelector('input[type="checkbox"]'))`
	harness.Eval[bool](t, tab, uncheck)
	tab.Click(t, ".settings > .actions button")
	show("switch verification off, and text fewer countries?", "these people keep their number", click(`main .actions a`))
	harness.Eval[bool](t, tab, uncheck)
	tab.Click(t, ".settings > .actions button")
	show("switch verification off?", "Whoever gets into an account", click("button.danger"))
	show("verification, off", "Saved.", nil)
	open("")
	show("overview, verification is off", "Verification is switched off", click(`.notice a, .troubles a[href$="/settings"]`))
	open("settings")
	tab.Click(t, `button[form="return"]`)
	show("verification, returned", "Returned to the start value.", nil)

	// Gateways, one of which fails.
	open("gateways")
	tab.Type(t, "#number", "12")
	show("gateways", "Send a test text", click("form.card button"))
	show("gateways, no number to test with", "Enter a whole number", nil)
	test := func(gateway, number string) {
		t.Helper()
		open("gateways")
		harness.Eval[bool](t, tab, `(e => { e.value = "`+gateway+`"; return true })(document.getElementById("gateway"))`)
		enters("#number", number)()
	}
	test("provider", m3)
	show("gateways, test text taken", "has taken the text", nil)
	test("broken", m3)
	show("gateways, test text refused", "did not take the text", nil)
	open("")
	show("overview, a gateway fails", "broken", nil)

	// Tokens: made, shown once, refused twice, revoked.
	s.Token(t, "--scope", "scim:read", "--expires", soon)
	open("")
	show("overview, a token ends soon", "ends on", nil)
	open("tokens")
	unscripted()
	show("tokens", "in the configuration", click(`a[href$="/tokens/new"]`))
	unscripted()
	fill := func() {
		t.Helper()
		tab.Type(t, "#name", "anna")
		harness.Eval[bool](t, tab, `(e => { e.checked || e.click(); return true })(document.querySelector('input[name="scope"]'))`)
		tab.Click(t, "form.card button")
	}
	show("new token", "What it allows", fill)
	show("token, shown once", "It is shown this once", click("main .actions a"))
	open("tokens/new")
	fill()
	show("new token, the name is taken", "A token of this name is in force.", nil)
	name, _ := tab.Read(".me bdi")
	open("tokens/revoke?name=" + name)
	show("revoke the administrator's own token?", "may have been stolen", click("main .actions a"))
	show("tokens, with who made them", "by "+name, nil)
	open("tokens/revoke?name=anna")
	unscripted()
	show("revoke the token?", "is refused within a few seconds", click("button.danger"))
	show("token revoked", "The token is revoked.", nil)
	open("tokens/revoke?name=anna")
	show("token revoked already", "There is no such token", click("main .button"))

	harness.Eventually(t, "both are found by their name, once the index has them", func() error {
		open("people")
		enters("#who", "before")()
		if found, _ := tab.Read("main"); !strings.Contains(found, bob.Email) || !strings.Contains(found, eve.Email) {
			return errNotYet
		}
		return nil
	})
	show("people, several", eve.Email, nil)

	// What is not there, away, or not for everybody.
	for _, page := range []struct{ name, path, says string }{
		{"no such page", "nothing", "There is nothing here"},
		{"no such claim", "claims/none", "There is no such claim"},
		{"no such alarm", "alarms/none", "There is no such alarm"},
		{"no such person", "person?id=none", "There is no such person"},
		{"what cannot be read", "traffic?span=1y", "The request cannot be read"},
	} {
		open(page.path)
		show(page.name, page.says, click("main .button"))
	}
	s.Database.Rename(t, "claims", "claims_gone")
	open("claims")
	s.Database.Rename(t, "claims_gone", "claims")
	show("a table is missing", "not set up completely", click("main .button"))
	site.Pages["/attack"] = `<form method="post" action="` + root + `settings"><button id="go">Win</button></form>`
	tab.Open(t, site.URL+"/attack")
	tab.Click(t, "#go")
	show("a form from elsewhere", "This form was not from the console", nil)
	open("")
	tab.Click(t, `form[action="/console/sign-out"] button`)
	show("signed out", "Operator's token", nil)
	privileged := s.NewPerson(t, "+4915112345680")
	privileged.Ask(t, "+4915112345681")
	elevate(t, s, privileged)
	plain := s.Token(t, "--scope", "claims:manage")
	enters("#token", plain)()
	open("claims?identity=" + url.QueryEscape(privileged.ID))
	tab.Click(t, "tbody th a")
	tab.Click(t, `a[href$="/cancel"]`)
	tab.Click(t, "button.danger")
	show("claim of a privileged person", "Only administrators who are privileged themselves", nil)
	open("tokens")
	name, _ = tab.Read(".me bdi")
	s.Command(t, "token", "revoke", "--name", name)
	harness.Eventually(t, "the sign-in has ended", func() error {
		open("")
		if got, _ := tab.Read("h1"); got != "Sign in" {
			return errNotYetWith(got)
		}
		return nil
	})
	show("sign-in ended", "Your sign-in has ended", nil)
	tab.SignInAt(t, finn, s.Holdline.AdminURL)
	open("")
	show("sign-in with an account", "Go on with your account", click(`button[value="kratos"]`))
	show("sign-in of who is no administrator", "not one of a privileged person", nil)

	open("") // as somebody who is not signed in; then once more as who is
	enters("#token", token)()
	for _, state := range []string{"staged", "open", "verified", "applied", "superseded", "cancelled", "locked", "lapsed", "conflict", "orphaned", "discarded"} {
		open("claims?state=" + state)
		g.listen()
	}
	g.saidAll("../portal/console")
	g.hang(site, "console-states", 3)
}
