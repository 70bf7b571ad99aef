package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

const ownersPath = "/api/identity/user/v1.0/me/"

// fetched does in a page what a site's script would: it calls another origin with the
// person's cookies. It returns the status and body, or that the browser refuses.
func fetched(t *testing.T, tab *harness.Tab, method, url, body string) string {
	t.Helper()
	options := `{method: ` + strconv.Quote(method) + `, credentials: "include"`
	if body != "" {
		options += `, headers: {"Content-Type": "application/json"}, body: ` + strconv.Quote(body)
	}
	return harness.Eval[string](t, tab, `fetch(`+strconv.Quote(url)+`, `+options+`}).then(async a => a.status + " " + await a.text(), () => "refused by the browser")`)
}

// A site of the operator's that is on the list shows the pending number, has the code
// typed and takes the change back, in a real browser. No other site can, and what is no
// part of the user API is for nobody.
func TestAnOperatorsSiteUsesTheUserAPI(t *testing.T) {
	t.Parallel()
	site, evil := harness.NewSite(t), harness.NewSite(t)
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"public": harness.Overlay{"cors": harness.Overlay{"allowed_origins": []string{site.URL}}},
		"limits": harness.Overlay{"resend_cooldown": "0s"},
	}})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	api := s.Holdline.PublicURL + ownersPath
	const resend = `{"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, bob)

	tab.Open(t, evil.URL)
	for _, call := range []struct{ method, path, body string }{
		{http.MethodGet, "mobile-claim", ""},
		{http.MethodDelete, "mobile-claim", ""},
		{http.MethodPost, "resend-code", resend},
		{http.MethodPost, "validate-code", `{"code":"000000"}`},
	} {
		if got := fetched(t, tab, call.method, api+call.path, call.body); got != "refused by the browser" {
			t.Errorf("another site: %s %s: %s", call.method, call.path, got)
		}
	}
	// A form needs no leave to be sent.
	harness.Eval[string](t, tab, `fetch(`+strconv.Quote(api+"validate-code")+`, {method: "POST", mode: "no-cors", credentials: "include", body: "{\"code\":\"000000\"}"}).then(a => a.type)`)
	if c, ok := bob.Claim(t); !ok || c.AttemptsLeft != 5 {
		t.Errorf("another site has done something: %+v", c)
	}
	wantTexts(t, s, m1, 1)

	tab.Open(t, site.URL)
	if got := fetched(t, tab, http.MethodGet, api+"mobile-claim", ""); !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"state":"open"`) {
		t.Errorf("the claim: %s", got)
	}
	if got := fetched(t, tab, http.MethodPost, api+"resend-code", resend); got != "201 " {
		t.Errorf("another text: %s", got)
	}
	code := s.Provider.Nth(t, m1, 2).Code
	if got := fetched(t, tab, http.MethodPost, api+"validate-code", `{"code":"`+harness.WrongCode(code, 0)+`"}`); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, `"18001"`) {
		t.Errorf("a wrong code: %s", got)
	}
	if got := fetched(t, tab, http.MethodPost, api+"validate-code", `{"code":"`+code+`"}`); got != "202 " {
		t.Errorf("the code: %s", got)
	}
	wantMade(t, bob, m1)
	text := bob.Ask(t, m2)
	if got := fetched(t, tab, http.MethodDelete, api+"mobile-claim", ""); got != "204 " {
		t.Errorf("taken back: %s", got)
	}
	wantMade(t, bob, m1)
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")

	for _, address := range []string{
		s.Holdline.PublicURL + pagePath, s.Holdline.PublicURL + "/health/ready", s.Holdline.PublicURL + "/scim2/Me",
		s.Holdline.AdminURL + "/console", s.Holdline.AdminURL + "/admin/claims", s.Holdline.AdminURL + "/health/ready",
	} {
		if got := fetched(t, tab, http.MethodGet, address, ""); got != "refused by the browser" {
			t.Errorf("%s: %s", address, got)
		}
	}
	// The page's own forms are not for the site either.
	form := harness.Send(t, http.MethodPost, s.Holdline.PublicURL+pagePath, "action=cancel",
		harness.Header{"Content-Type", "application/x-www-form-urlencoded", "Origin", site.URL, "Sec-Fetch-Site", "same-site"}, bob.ByCookie(t))
	if form.Status != http.StatusForbidden {
		t.Errorf("a form of the site at the page: got %d", form.Status)
	}
}
