package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Every page keeps other pages from framing it, loads nothing from elsewhere, runs
// no script that stands in it, and is not kept.
func TestPageHeaders(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	for _, address := range []string{
		s.Holdline.PublicURL + pagePath, s.Holdline.PublicURL + pagePath + "?lang=ar&return_to=x", s.Holdline.PublicURL + "/not-me/made-up",
		s.Holdline.AdminURL + consolePath, s.Holdline.AdminURL + consolePath + "sign-in", s.Holdline.AdminURL + consolePath + "no-such-page",
	} {
		got := harness.Send(t, http.MethodGet, address, "", bob.ByCookie(t))
		policy := got.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", address, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", address, policy)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
			if got := got.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", address, name, got)
			}
		}
		for _, inline := range []string{"<script>", " style=", " onclick=", " onload=", "javascript:"} {
			if strings.Contains(got.Body, inline) {
				t.Errorf("%s has %q in it", address, inline)
			}
		}
	}
	for _, path := range []string{consolePath, "/console", "/console/settings", "/admin/settings", "/hooks/settings/stage", "/metrics", "/simulator/"} {
		if got := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+path, ""); got.Status != http.StatusNotFound {
			t.Errorf("%s on the public listener: %d", path, got.Status)
		}
	}
}

// The way on is one of the operator's own pages, or none.
func TestPageLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s, site := pages(t, nil)
	bob := s.NewPerson(t, m0)
	host := strings.TrimPrefix(site.URL, "http://")
	follow := func(target string) string {
		got := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+pagePath+"?return_to="+url.QueryEscape(target), "", bob.ByCookie(t))
		return got.Header.Get("Location")
	}
	if got := follow(site.URL + "/profile?tab=2"); got != site.URL+"/profile?tab=2" {
		t.Errorf("a page on the list is not led to, but %q", got)
	}
	for _, target := range []string{
		"https://evil.example/", "//evil.example/", `\\evil.example`, `/\evil.example`, "http:evil.example", "javascript:alert(1)",
		"data:text/html,x", "http://" + host + "@evil.example/", "http://" + host + ".evil.example/", "http://evil.example#" + host,
		"http://evil.example/?" + site.URL + "/", "HTTP://evil.example/", "\thttp://evil.example", "http://" + host + "\\@evil.example/",
		"https://" + host + "/", "http://" + host + "%2f@evil.example/", "ftp://" + host + "/", "http://127.0.0.1:1/", "",
	} {
		if got := follow(target); got != site.URL+"/account" {
			t.Errorf("%q leads to %q", target, got)
		}
	}
}

// Another site cannot press the buttons for somebody, though this one counts as the
// same site to the browser, which sends the session's cookie along.
func TestPageButtonsCannotBePressedFromElsewhere(t *testing.T) {
	t.Parallel()
	s, site := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	site.Pages["/attack"] = fmt.Sprintf(`<form method="post" action="%s%s"><input name="action" value="cancel"><input name="code" value="%s"><button id="go">Win</button></form>`,
		s.Holdline.PublicURL, pagePath, text.Code)
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, bob)
	tab.Open(t, site.URL+"/attack")
	tab.Click(t, "#go")
	state(t, tab, "forbidden")
	tab.Sound(t, "verify-forbidden")
	wantHeld(t, bob, m0, m1)

	// Older browsers say less of where a form comes from; one that says nothing is refused.
	form := harness.Header{"Content-Type", "application/x-www-form-urlencoded"}
	for _, from := range elsewhere(site) {
		for _, body := range []string{"action=cancel", "action=resend", "code=" + text.Code} {
			got := harness.Send(t, http.MethodPost, s.Holdline.PublicURL+pagePath, body, form, bob.ByCookie(t), from)
			if got.Status != http.StatusForbidden {
				t.Errorf("%s from %s: %d", body, from, got.Status)
			}
		}
	}
	if got := harness.Send(t, http.MethodPost, s.Holdline.PublicURL+pagePath, "action=cancel", form, bob.ByCookie(t)); got.Status != http.StatusForbidden {
		t.Errorf("from nowhere: %d", got.Status)
	}
	// Neither bearer nor password opens the page: a page is for browsers.
	for _, as := range []harness.Header{bob.ByToken(), bob.ByBearer(), bob.ByPassword()} {
		if got := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+pagePath, "", as); got.Status == http.StatusOK {
			t.Errorf("%s opens the page", as[0])
		}
	}
	wantHeld(t, bob, m0, m1)
}

// elsewhere is what browsers, old and new, say of another site's page, and of one that
// tells nobody where it is.
func elsewhere(site *harness.Site) []harness.Header {
	return []harness.Header{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", site.URL}, {"Origin", "null"}, {"Origin", "https://evil.example"},
	}
}

// Nor can another site use what a browser sends by itself to the APIs: a cookie or a
// password. A token is no such thing, and neither is the link of a notice.
func TestAPIsCannotBeUsedFromElsewhere(t *testing.T) {
	t.Parallel()
	s, site := pages(t, harness.Overlay{"scim": harness.Overlay{"enabled": true}})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	me := s.Holdline.PublicURL + "/api/identity/user/v1.0/me"
	json := harness.Header{"Content-Type", "application/json"}
	requests := []struct{ method, address, body string }{
		{http.MethodPost, me + "/validate-code", `{"code":"` + text.Code + `"}`},
		{http.MethodPost, me + "/resend-code", `{"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`},
		{http.MethodDelete, me + "/mobile-claim", ""},
		{http.MethodPatch, s.Holdline.PublicURL + "/scim2/Me", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`},
		{http.MethodDelete, s.Holdline.PublicURL + "/scim2/Me", ""},
	}
	for _, from := range elsewhere(site) {
		for _, as := range []harness.Header{bob.ByCookie(t), bob.ByPassword()} {
			for _, r := range requests {
				if got := harness.Send(t, r.method, r.address, r.body, json, as, from); got.Status != http.StatusForbidden {
					t.Errorf("%s %s by %s from %s: %d %s", r.method, r.address, as[0], from, got.Status, got.Body)
				}
			}
		}
	}
	wantHeld(t, bob, m0, m1)
	for _, from := range elsewhere(site) {
		if got := harness.Send(t, http.MethodPost, s.Holdline.PublicURL+"/not-me/made-up", "", bob.ByCookie(t), from); got.Status != http.StatusSeeOther {
			t.Errorf("a made-up link from %s: %d", from, got.Status)
		}
	}
	wantHeld(t, bob, m0, m1)
	if got := harness.Send(t, http.MethodDelete, me+"/mobile-claim", "", bob.ByToken(), elsewhere(site)[0]); got.Status != http.StatusNoContent {
		t.Errorf("a token from elsewhere: %d %s", got.Status, got.Body)
	}
}

// Markup stays text: in addresses, in what was typed, in names.
func TestPageMarkupStaysText(t *testing.T) {
	t.Parallel()
	const markup = `"><script>window.hacked=1</script><img src=x onerror="window.hacked=1">'`
	s, site := pages(t, harness.Overlay{"pages": harness.Overlay{"name": `Bank <b id="bold">& Sons</b> "Ltd"`}})
	bob := s.NewPerson(t, m0)
	bob.MustSave(t, harness.Profile{Name: `<b id="bold">Bob</b>`, Mobile: m0})
	bob.Ask(t, m1)
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, bob)
	clean := func(where string) {
		t.Helper()
		if harness.Eval[bool](t, tab, `window.hacked === 1 || !!document.getElementById("bold") || !!document.querySelector("script:not([src]), img[src='x']")`) {
			t.Errorf("%s: markup is taken for markup", where)
		}
	}
	encoded := url.QueryEscape(markup)
	for _, query := range []string{"?said=" + encoded, "?lang=" + encoded, "?return_to=" + encoded, "?" + encoded, "?said=wrong&lang=" + encoded, "?return_to=" + url.QueryEscape(site.URL+"/"+markup)} {
		tab.Open(t, s.Holdline.PublicURL+pagePath+query)
		clean(query)
	}
	tab.Code(t, "123456")
	clean("after a code")

	admin := enter(t, s, s.Token(t, "--scope", "claims:manage"))
	tab = admin
	for _, path := range []string{"claims?identity=", "claims?state=", "audit?kind=", "audit?claim=", "audit?identity=", "texts?gateway=", "texts?state=", "claims/", "sign-in?return=", ""} {
		tab.Open(t, s.Holdline.AdminURL+consolePath+path+encoded)
		clean("console " + path)
	}
	tab.Open(t, s.Holdline.AdminURL+consolePath+"claims")
	tab.Type(t, "#number", markup)
	tab.PressToGo(t, "\r")
	clean("console search")
}

// An operator's token is not found at the console's door: after as many wrong ones
// as an address may have nothing is compared any more, and who is in stays in.
func TestConsoleTokensAreNotFoundByTrying(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"token_failures_per_address": 3}}})
	inside := enter(t, s, s.Token(t, "--scope", "claims:manage"))
	tab := harness.NewBrowser(t)
	tab.Open(t, s.Holdline.AdminURL+consolePath)
	for range 3 {
		tab.Type(t, "#token", "hlt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
		tab.PressToGo(t, "\r")
		tab.Await(t, "#token-fault", "the token is refused", false, says("invalid"))
	}
	tab.Type(t, "#token", s.Token(t, "--scope", "claims:manage"))
	tab.PressToGo(t, "\r")
	tab.Await(t, "#message", "no token is compared any more", false, says("Too many"))
	tab.Sound(t, "console-sign-in-too-many")
	inside.Open(t, s.Holdline.AdminURL+consolePath+"audit")
	inside.Await(t, "h1", "who is in stays in", false, says("Audit"))

	// What another origin's page sends is refused, with the session's cookie or without.
	site := harness.NewSite(t)
	site.Pages["/attack"] = `<form method="post" action="` + s.Holdline.AdminURL + consolePath + `settings"><input name="mobile.enable_verification" value="false"><button id="go">Win</button></form>`
	inside.Open(t, site.URL+"/attack")
	inside.Click(t, "#go")
	if got, _ := inside.Read("h1"); strings.Contains(got, "User claim update") {
		t.Errorf("the form was taken: %q", got)
	}
	if n := s.Database.Count(t, "settings", "1 = 1"); n != 0 {
		t.Errorf("settings that were made: %d", n)
	}
}
