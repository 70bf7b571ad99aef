package selfservice_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/holdline/holdline/portal/selfservice"
)

const verifiedPerson = `{"traits":{"email":"dana@example.org","name":"Dana","mobile":"+447700900123"},
	"verifiable_addresses":[{"value":"+447700900123","via":"sms","verified":true}],"metadata_public":null}`

func TestAFlowIsRenderedFromKratosNodes(t *testing.T) {
	w := newWorld(t)
	w.flow = settingsFlow(t)
	got := w.get("/settings?flow=f1")
	wants(t, got, http.StatusOK, []string{
		`action="http://127.0.0.1:4433/self-service/settings?flow=f1" method="POST"`,
		`<input type="hidden" name="csrf_token" value="t0ken==">`,
		`<label for="traits.email">E-mail</label>`,
		`id="traits.mobile" name="traits.mobile" type="tel" value="12" autocomplete="tel" aria-invalid="true" aria-describedby="traits.mobile-message"`,
		`<div id="traits.mobile-message"><p class="hint error">&lt;img src=x&gt; is not valid`,
		`name="method" value="profile"`, `name="method" value="password"`,
		`autocomplete="new-password" required`,
		`&#43;447700900456 is waiting`,
	}, "totp", "webauthn", "never shown")
	if got := strings.Count(got.Body.String(), "<form"); got != 2 {
		t.Errorf("got %d forms, want one for the profile and one for the password", got)
	}
}

func TestMarkupInValuesIsText(t *testing.T) {
	w := newWorld(t)
	w.flow = settingsFlow(t)
	wants(t, w.get("/settings?flow=f1"), http.StatusOK,
		[]string{`value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`, "Saved &lt;b&gt;all&lt;/b&gt;"},
		"<script>alert", "<b>all", "<img src=x>")

	w.whoami = `{"traits":{"name":"<script>alert(1)</script>","mobile":"<b>1</b>"},"metadata_public":{"pendingMobileNumber":"<i>2</i>"}}`
	wants(t, w.get("/account"), http.StatusOK, []string{"&lt;script&gt;", "&lt;b&gt;1", "&lt;i&gt;2"}, "<script>alert", "<b>1", "<i>2")

	wants(t, w.get("/error?id=1"), http.StatusOK, []string{"&lt;i&gt;reason"}, "<i>reason")

	w.flow.body = strings.Replace(w.flow.body, "http://127.0.0.1:4433/self-service/settings?flow=f1", "javascript:alert(1)", 1)
	wants(t, w.get("/settings?flow=f1"), http.StatusOK, nil, "javascript:")
}

func TestFlowsThatCannotBeShown(t *testing.T) {
	for name, tt := range map[string]struct {
		path   string
		status int
		leads  string // below Kratos; blank for a page
		want   int
	}{
		"none yet begins one":                {"/login", 200, "/self-service/login/browser", 0},
		"expired begins another":             {"/registration?flow=f1", 410, "/self-service/registration/browser", 0},
		"unknown begins another":             {"/settings?flow=f1", 404, "/self-service/settings/browser", 0},
		"signed out goes to the login":       {"/settings?flow=f1", 401, "/self-service/login/browser", 0},
		"of another browser does not circle": {"/login?flow=f1", 403, "", 403},
		"Kratos broken":                      {"/login?flow=f1", 500, "", 502},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.flow = reply{status: tt.status, body: "{}"}
			got := w.get(tt.path)
			if tt.leads != "" {
				leadsTo(t, got, w.kratos.URL+tt.leads)
				return
			}
			wants(t, got, tt.want, []string{`id="message"`})
		})
	}
}

func TestHomeSaysWhoOneIs(t *testing.T) {
	for name, tt := range map[string]struct {
		whoami string
		has    []string
		not    []string
	}{
		"nobody": {"", []string{`href="/login"`, `href="/registration"`}, []string{"mobile-number"}},
		"a verified number": {
			verifiedPerson,
			[]string{`id="mobile-number">&#43;447700900123<`, `data-verified="true">verified<`, `id="logout"`},
			[]string{"mobile-pending"},
		},
		"another address verified": {
			strings.Replace(verifiedPerson, `"value":"+447700900123"`, `"value":"+447700900999"`, 1),
			[]string{`data-verified="false">not verified<`},
			nil,
		},
		"a pending number": {
			strings.Replace(verifiedPerson, "null", `{"pendingMobileNumber":"+447700900456"}`, 1),
			[]string{`id="mobile-number">&#43;447700900123<`, `id="mobile-pending">&#43;447700900456<`, `href="http://127.0.0.1:4477/verify"`},
			nil,
		},
		"no number": {`{"traits":{"email":"a@example.org"}}`, []string{"none yet"}, []string{"mobile-verified"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.whoami = tt.whoami
			wants(t, w.get("/account"), http.StatusOK, tt.has, tt.not...)
		})
	}
}

func TestServersAwayAreToldSo(t *testing.T) {
	w := newWorld(t)
	w.kratos.Close()
	wants(t, w.get("/account"), http.StatusBadGateway, []string{"Kratos does not answer"})
	wants(t, w.get("/login?flow=1"), http.StatusBadGateway, []string{"Kratos does not answer"})
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	w := newWorld(t)
	w.flow, w.whoami = settingsFlow(t), verifiedPerson
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|<script [^>]*>[^<]`)
	for _, path := range []string{"/", "/account", "/login", "/settings?flow=f1", "/error", "/missing", "/assets/style.css"} {
		got := w.get(path)
		policy := got.Header().Get("Content-Security-Policy")
		for _, part := range []string{
			"default-src 'none'", "script-src 'self'", "frame-ancestors 'self'",
			"form-action 'self' " + w.kratos.URL + " http://127.0.0.1:4477;",
			"frame-src 'self' " + w.kratos.URL + " http://127.0.0.1:4477 http://127.0.0.1:4478;",
		} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q lacks %q", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: unsafe policy %q", path, policy)
		}
		if got.Header().Get("X-Content-Type-Options") != "nosniff" || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers are missing: %v", path, got.Header())
		}
		if found := inline.FindString(got.Body.String()); found != "" {
			t.Errorf("%s: inline script or style %q", path, found)
		}
	}
}

func TestDemoNeedsItsServers(t *testing.T) {
	const kratos = "http://127.0.0.1:4433"
	for _, o := range []selfservice.DemoOptions{
		{},
		{KratosPublicURL: kratos},
		{KratosPublicURL: kratos, VerifyURL: verifyURL},
		{KratosPublicURL: "javascript:1", VerifyURL: verifyURL, PhoneURL: phoneURL},
	} {
		if _, err := selfservice.Demo(o); err == nil {
			t.Errorf("%+v: got no error", o)
		}
	}
}

func TestTheStageShowsTheAccountBesideThePhone(t *testing.T) {
	wants(t, newWorld(t).get("/"), http.StatusOK, []string{
		`<iframe id="account" src="/account"`, `<iframe id="phone" src="http://127.0.0.1:4478/simulator/"`,
		`id="console" href="http://127.0.0.1:4478/console" target="_blank"`, "demo@example.org", "pass&lt;word", "wrong codes",
	})
}
