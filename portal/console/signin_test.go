package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/portal/console"
)

func TestTheRightTokenOpensTheConsole(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	says(t, b.get("/console/"), http.StatusUnauthorized, "Operator's token", `type="password"`, `autocomplete="current-password"`)
	answer := b.post("/console/sign-in", url.Values{"token": {" " + w.token + "\n"}})
	says(t, b.follow(answer), http.StatusOK, "<h1>Overview</h1>", "Signed in as", "<bdi>ops</bdi>")
	if strings.Contains(w.log.String(), w.token) || strings.Contains(answer.Header().Get("Location"), w.token) {
		t.Error("the token is in the log or an address")
	}
}

func TestWhoIsNotLetInHearsWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		kratos string
		fields url.Values
		before func(*world)
		status int
		words  string
	}{
		"no token":                     {"", url.Values{"token": {" "}}, nil, 400, "Enter a token."},
		"wrong token":                  {"", url.Values{"token": {"hlt_wrong"}}, nil, 401, "This token is invalid or has expired."},
		"token without the scope":      {"", url.Values{"token": {"scim"}}, nil, 403, "lacks the scope claims:manage"},
		"store away":                   {"", url.Values{"token": {"ops"}}, func(w *world) { w.kept.Fail(problem.ErrStoreUnavailable) }, 503, "Try again in a moment."},
		"something nobody planned":     {"", url.Values{"token": {"ops"}}, func(w *world) { w.kept.Fail(errors.New("odd")) }, 500, "Something went wrong."},
		"no Kratos session":            {"", url.Values{"by": {"kratos"}}, nil, 401, "The sign-in of your account has ended."},
		"Kratos session that ended":    {"gone", url.Values{"by": {"kratos"}}, nil, 401, "The sign-in of your account has ended."},
		"old Kratos session":           {"old", url.Values{"by": {"kratos"}}, nil, 403, "too old for the console"},
		"no second factor":             {"one factor", url.Values{"by": {"kratos"}}, nil, 403, "needs the second factor"},
		"person who is not privileged": {"bob", url.Values{"by": {"kratos"}}, nil, 403, "not one of a privileged person"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			scim := w.newToken("scim", auth.ScopeSCIMRead)
			switch tt.fields.Get("token") {
			case "scim":
				tt.fields.Set("token", scim)
			case "ops":
				tt.fields.Set("token", w.token)
			}
			if tt.before != nil {
				tt.before(w)
			}
			b := w.browser()
			if tt.kratos != "" {
				b.cookies[kratos] = tt.kratos
			}
			b.get("/console/sign-in")
			says(t, b.post("/console/sign-in", tt.fields), tt.status, tt.words, "Sign in")
			if b.cookies["holdline_console"] != "" {
				t.Error("there is a session")
			}
			if token := tt.fields.Get("token"); len(token) > 1 && strings.Contains(w.log.String(), token) {
				t.Error("the token is in the log")
			}
		})
	}
}

func TestGuessesAreCounted(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/console/sign-in")
	for range 3 {
		says(t, b.post("/console/sign-in", url.Values{"token": {"hlt_wrong"}}), http.StatusUnauthorized)
	}
	got := b.post("/console/sign-in", url.Values{"token": {"hlt_wrong"}})
	says(t, got, http.StatusTooManyRequests, "Too many wrong tokens came from your address. Try again after 12:05:00 UTC.")
	if after := got.Header().Get("Retry-After"); after != "300" {
		t.Errorf("got Retry-After %q, want 300", after)
	}
}

func TestAPrivilegedPersonGoesOnWithTheirKratosSession(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if got := b.get("/console/sign-in"); strings.Contains(got.Body.String(), "Go on with your account") {
		t.Error("the button is there without a Kratos session")
	}
	b.cookies[kratos] = "privileged"
	says(t, b.get("/console/sign-in"), http.StatusOK, "Go on with your account")
	says(t, b.follow(b.post("/console/sign-in", url.Values{"by": {"kratos"}})), http.StatusOK, "<bdi>privileged</bdi>")
	delete(b.cookies, kratos)
	says(t, b.get("/console/"), http.StatusUnauthorized, "Your sign-in has ended")
}

func TestTheSessionCookieIsForThisConsoleOnly(t *testing.T) {
	for _, secure := range []bool{false, true} {
		w := newWorld(t)
		b := w.browser()
		prefix, path := "", "/console"
		if secure {
			prefix, path = "__Host-", "/"
			b.header.Set("X-Forwarded-Proto", "https")
		}
		b.get("/console/sign-in")
		for _, set := range b.post("/console/sign-in", url.Values{"token": {w.token}}).Result().Cookies() {
			if !strings.HasPrefix(set.Name, prefix+"holdline_console") || set.Path != path || set.Domain != "" || !set.HttpOnly || set.SameSite != http.SameSiteStrictMode || set.Secure != secure || set.MaxAge > 0 || !set.Expires.IsZero() {
				t.Errorf("secure %v: got %v", secure, set)
			}
		}
		if len(b.cookies[prefix+"holdline_console"]) < 26 {
			t.Errorf("got the cookies %q", b.cookies)
		}
	}
}

// A cookie without the prefix may have been planted over http, or is one from
// before an upgrade.
func TestOverHTTPSOnlyCookiesOfThisHostCount(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.header.Set("X-Forwarded-Proto", "https")
	b.get("/console/sign-in")
	b.post("/console/sign-in", url.Values{"token": {w.token}})
	says(t, b.get("/console/"), http.StatusOK)
	b.cookies["holdline_console"] = b.cookies["__Host-holdline_console"]
	delete(b.cookies, "__Host-holdline_console")
	says(t, b.get("/console/"), http.StatusUnauthorized)
	says(t, b.get("/console/sign-in"), http.StatusOK)
	says(t, b.follow(b.post("/console/sign-in", url.Values{"token": {w.token}})), http.StatusOK)
}

func TestEverySignInHasASecretOfItsOwn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.cookies["holdline_console"] = "planted"
	b.get("/console/sign-in")
	b.cookies["holdline_console"] = "planted"
	b.post("/console/sign-in", url.Values{"token": {w.token}})
	first := b.cookies["holdline_console"]
	if first == "planted" || first == "" {
		t.Fatalf("got the secret %q", first)
	}
	says(t, b.get("/console/sign-in"), http.StatusFound)
	again := w.browser()
	again.get("/console/sign-in")
	again.cookies["holdline_console"] = first
	again.post("/console/sign-in", url.Values{"token": {w.token}})
	if again.cookies["holdline_console"] == first {
		t.Error("the second sign-in has the first one's secret")
	}
	says(t, b.get("/console/"), http.StatusUnauthorized) // its session ended when the other began in its place
}

func TestASessionEndsWithWhatItStandsOn(t *testing.T) {
	for name, tt := range map[string]struct {
		end    func(*world)
		status int
		words  string
	}{
		"revoked token": {func(w *world) { _ = w.kept.Revoke(t.Context(), "ops", false, audit.Actor{}, w.Now()) }, 401, "Your sign-in has ended"},
		"not used":      {func(w *world) { w.pass(31 * time.Minute) }, 401, "Your sign-in has ended"},
		"store away":    {func(w *world) { w.sessions.Fail(problem.ErrStoreUnavailable) }, 503, "The database does not answer"},
		"Kratos away":   {func(w *world) { w.sessions.Fail(claim.ErrIdentitiesUnavailable) }, 503, "Kratos does not answer"},
		"lost scope":    {func(w *world) { w.sessions.Fail(auth.ErrNoScope) }, 403, "You may not work here any more."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.administrator()
			tt.end(w)
			says(t, b.get("/console/claims"), tt.status, tt.words)
		})
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	secret := b.cookies["holdline_console"]
	answer := b.post("/console/sign-out", nil)
	if b.cookies["holdline_console"] != "" {
		t.Error("the browser still has the cookie")
	}
	says(t, b.follow(answer), http.StatusOK, "Sign in")
	b.cookies["holdline_console"] = secret
	says(t, b.get("/console/"), http.StatusUnauthorized)
	events := w.sessions.Events()
	if last := events[len(events)-1]; last.Kind != auth.AdminSignedOut || last.Actor != ops {
		t.Errorf("got the event %+v", last)
	}
}

// ops is who the token ops makes act.
var ops = audit.Actor{Kind: audit.Administrator, ID: "ops", ClientIP: address}

func TestSigningInLeadsBackToPagesOfTheConsoleOnly(t *testing.T) {
	for asked, want := range map[string]string{
		"/console/audit?kind=open":              "/console/audit?kind=open",
		"/console/claims/c1":                    "/console/claims/c1",
		"":                                      "/console/",
		"/":                                     "/console/",
		"/console":                              "/console/",
		"/consoles/":                            "/console/",
		"//evil.example/console/":               "/console/",
		"https://evil.example/console/":         "/console/",
		"https:/console/claims":                 "/console/",
		"javascript:alert(1)":                   "/console/",
		"/console/../hooks":                     "/console/",
		"/console/..%2f..%2f/evil":              "/console/",
		`/console/\evil.example`:                "/console/",
		`\\evil.example/console/`:               "/console/",
		"/console//evil.example":                "/console/",
		"/console/claims\r\nSet-Cookie: a=b":    "/console/",
		"/console/sign-out":                     "/console/",
		"/console/sign-in?return=/console/x":    "/console/",
		"/console/assets/console.css":           "/console/",
		"/console/claims#//evil.example":        "/console/",
		"//user@evil.example/console/claims":    "/console/",
		" /console/claims":                      "/console/",
		"/console/texts?gateway=//evil.example": "/console/texts?gateway=//evil.example",
	} {
		w := newWorld(t)
		b := w.browser()
		b.get("/console/sign-in")
		got := b.post("/console/sign-in", url.Values{"token": {w.token}, "return": {asked}})
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
			t.Errorf("%q: got %d to %q, want %q", asked, got.Code, got.Header().Get("Location"), want)
		}
	}
}

func TestWhoHasToSignInReturnsToWhatTheyAskedFor(t *testing.T) {
	for request, want := range map[string]string{
		"GET /console/audit?kind=open":    "/console/audit?kind=open",
		"GET /console/claims/c1":          "/console/claims/c1",
		"POST /console/settings":          "/console/settings",
		"POST /console/claims/c1/cancel":  "/console/claims/c1/cancel",
		"POST /console/claims/c1/resend":  "/console/claims/c1",
		"POST /console/settings/return":   "/console/settings",
		"POST /console/tokens/revoke":     "/console/tokens/revoke",
		"GET /console/no/such/page":       "/console/no/such/page",
		"GET /console/%2f%2fevil.example": "/console/",
		"POST /console/sign-out":          "/console/",
	} {
		b := newWorld(t).browser()
		method, path, _ := strings.Cut(request, " ")
		got := b.get(path)
		if method == http.MethodPost {
			got = b.post(path, nil)
		}
		says(t, got, http.StatusUnauthorized, fmt.Sprintf(`name="return" value="%s"`, strings.ReplaceAll(want, "&", "&amp;")))
	}
}

func TestALinkFromAnotherSiteOffersToGoOn(t *testing.T) {
	b := newWorld(t).browser()
	b.header.Set("Sec-Fetch-Site", "cross-site")
	says(t, b.get("/console/audit"), http.StatusUnauthorized, "A link on another site led here. If you are signed in already,", `<a href="/console/audit">go on</a>`)
}

// The link that the demo prints lets one browser in, once.
func TestAnInvitationIsGoodForOneSignIn(t *testing.T) {
	w := newWorld(t)
	w.opt.Invitation = console.Invitation{Key: "guess", Token: w.token}
	w.rebuild()
	first, second := w.browser(), w.browser()
	says(t, second.get("/console/enter/wrong"), http.StatusForbidden, "This link was good for one sign-in.")
	says(t, first.follow(first.get("/console/enter/guess")), http.StatusOK, "Overview")
	says(t, second.get("/console/enter/guess"), http.StatusForbidden, "This link was good for one sign-in.")
}
