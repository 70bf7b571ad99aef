package portal_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/portal"
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
	wants(t, w.get("/"), http.StatusOK, []string{"&lt;script&gt;", "&lt;b&gt;1", "&lt;i&gt;2"}, "<script>alert", "<b>1", "<i>2")

	w.claim = open(`,"pendingMobileNumber":"<u>3</u>"`)
	w.act["POST validate-code"] = fault(400, "18001", "<s>no</s>")
	wants(t, w.post("confirm", "1"), http.StatusBadRequest, []string{"&lt;u&gt;3", "&lt;s&gt;no"}, "<u>3", "<s>no")
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
			[]string{`id="mobile-number">&#43;447700900123<`, `id="mobile-pending">&#43;447700900456<`, `href="/confirm"`},
			nil,
		},
		"no number": {`{"traits":{"email":"a@example.org"}}`, []string{"none yet"}, []string{"mobile-verified"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.whoami = tt.whoami
			wants(t, w.get("/"), http.StatusOK, tt.has, tt.not...)
		})
	}
}

func TestServersAwayAreToldSo(t *testing.T) {
	w := newWorld(t)
	w.backend.Close()
	wants(t, w.get("/confirm"), http.StatusBadGateway, []string{"Holdline does not answer"})
	wants(t, w.post("confirm", "123456"), http.StatusBadGateway, []string{"Holdline does not answer"})
	w.kratos.Close()
	wants(t, w.get("/"), http.StatusBadGateway, []string{"Kratos does not answer"})
	wants(t, w.get("/login?flow=1"), http.StatusBadGateway, []string{"Kratos does not answer"})
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	w := newWorld(t)
	w.flow, w.whoami, w.claim = settingsFlow(t), verifiedPerson, open("")
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|<script [^>]*>[^<]`)
	for _, path := range []string{"/", "/login", "/settings?flow=f1", "/confirm", "/error", "/missing", "/assets/style.css"} {
		got := w.get(path)
		policy := got.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self' " + w.kratos.URL + ";"} {
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

func TestOtherOriginsCannotSubmit(t *testing.T) {
	w := newWorld(t)
	w.claim = open("")
	for _, from := range []string{"cross-site", "same-site"} {
		for _, action := range []string{"confirm", "resend", "cancel"} {
			if got := w.do(confirmRequest(action, "123456", from)); got.Code != http.StatusForbidden {
				t.Errorf("%s from %s: got status %d, want 403", action, from, got.Code)
			}
		}
	}
	old := confirmRequest("cancel", "", "")
	old.Header.Del("Sec-Fetch-Site")
	old.Header.Set("Origin", "http://127.0.0.1:9999")
	if got := w.do(old); got.Code != http.StatusForbidden {
		t.Errorf("another origin: got status %d, want 403", got.Code)
	}
	if len(w.asked) > 0 {
		t.Errorf("Holdline was asked %v", w.asked)
	}
}

func TestDemoNeedsItsServers(t *testing.T) {
	for _, o := range []portal.DemoOptions{
		{}, {KratosPublicURL: "http://127.0.0.1:4433"}, {KratosPublicURL: "javascript:1", HoldlineURL: "http://127.0.0.1:4477"},
	} {
		if _, err := portal.Demo(o); err == nil {
			t.Errorf("%+v: got no error", o)
		}
	}
}

func TestConfirm(t *testing.T) {
	for name, tt := range map[string]struct {
		action, code string
		answers      map[string]reply
		claim        func(int) reply
		leads        string
		asked        []string
		status       int
		has, not     []string
	}{
		"the right code, typed with a space": {
			action: "confirm", code: " 123 456 ", answers: map[string]reply{"POST validate-code": {status: 202}},
			leads: "/?done=confirmed", asked: []string{`POST validate-code {"code":"123456"}`},
		},
		"a wrong code": {
			action: "confirm", code: "000000", claim: open(""),
			answers: map[string]reply{"POST validate-code": fault(400, "18001", "The code is not valid.")},
			asked:   []string{`POST validate-code {"code":"000000"}`},
			status:  400, has: []string{`id="message" class="notice error" role="alert">The code is not valid.`, "4 tries left"}, not: []string{"000000"},
		},
		"no code": {
			action: "confirm", claim: open(""), status: 400, has: []string{"Type the code"},
		},
		"the last wrong code": {
			action: "confirm", code: "1", answers: map[string]reply{"POST validate-code": fault(400, "18001", "The code is not valid.")},
			asked: []string{`POST validate-code {"code":"1"}`}, status: 400, has: []string{"Nothing is waiting any more"}, not: []string{`id="code"`},
		},
		"a resend": {
			action: "resend", answers: map[string]reply{"POST resend-code": {status: 201}}, leads: "/confirm?done=resent",
			asked: []string{`POST resend-code {"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`},
		},
		"a resend too early": {
			action: "resend", claim: open(""), asked: []string{`POST resend-code {"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`},
			answers: map[string]reply{"POST resend-code": {429, `{"code":"HLD-42901","description":"Too early."}`, "24"}},
			status:  429, has: []string{"Too early. Try again in 24 s."},
		},
		"cancelled": {
			action: "cancel", answers: map[string]reply{"DELETE mobile-claim": {status: 204}},
			leads: "/?done=cancelled", asked: []string{"DELETE mobile-claim"},
		},
		"an old sign-in": {
			action: "confirm", code: "1", claim: open(""), answers: map[string]reply{"POST validate-code": fault(403, "HLD-40301", "Sign in again.")},
			asked: []string{`POST validate-code {"code":"1"}`}, status: 403, has: []string{`id="sign-in"`, "refresh=true", "return_to=http%3A%2F%2F127.0.0.1%3A4455%2Fconfirm"},
		},
		"an answer that makes no sense": {
			action: "cancel", claim: open(""), answers: map[string]reply{"DELETE mobile-claim": {status: 500, body: "<html>"}},
			asked: []string{"DELETE mobile-claim"}, status: 500, has: []string{"This did not work."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.act = tt.answers
			if tt.claim != nil {
				w.claim = tt.claim
			}
			got := w.post(tt.action, tt.code)
			if tt.leads != "" {
				leadsTo(t, got, tt.leads)
			} else {
				wants(t, got, tt.status, tt.has, tt.not...)
			}
			if !slices.Equal(w.asked, tt.asked) {
				t.Errorf("Holdline was asked %q, want %q", w.asked, tt.asked)
			}
			if len(tt.asked) > 0 && w.cookie != session {
				t.Errorf("the cookie %q was handed on, want %q", w.cookie, session)
			}
		})
	}
}

func TestConfirmPageShowsTheClaim(t *testing.T) {
	for name, tt := range map[string]struct {
		more     string
		has, not []string
	}{
		"open": {"", []string{
			"&#43;44*******456", "We texted a code", `inputmode="numeric" autocomplete="one-time-code"`, `<label for="code">`,
			`id="code"`, `id="confirm"`, `id="resend"`, `id="cancel"`, "4 tries left",
		}, []string{"next-resend", "expired"}},
		"resend later":    {`,"nextResendAt":"2100-01-01T00:00:00Z"`, []string{`id="next-resend" data-seconds="`}, nil},
		"no more resends": {`,"nextResendAt":null`, []string{"No more codes"}, nil},
		"expired code":    {`,"codeExpiresAt":"2020-01-01T00:00:00Z"`, []string{"This code has expired"}, nil},
		"text failed":     {`,"text":"failed"`, []string{"could not text"}, nil},
		"being saved":     {`,"state":"verified"`, []string{"being saved", `http-equiv="refresh"`}, []string{`id="code"`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.claim = open(tt.more)
			wants(t, w.get("/confirm"), http.StatusOK, tt.has, tt.not...)
		})
	}
}

func TestConfirmWithoutAClaim(t *testing.T) {
	t.Run("leads home", func(t *testing.T) {
		w := newWorld(t)
		w.whoami = verifiedPerson
		leadsTo(t, w.get("/confirm"), "/")
	})
	t.Run("waits for one that is announced", func(t *testing.T) {
		w := newWorld(t)
		w.whoami = strings.Replace(verifiedPerson, "null", `{"pendingMobileNumber":"+447700900456"}`, 1)
		missing, there := w.claim, open("")
		w.claim = func(n int) reply {
			if n < 3 {
				return missing(n)
			}
			return there(n)
		}
		wants(t, w.get("/confirm"), http.StatusOK, []string{`id="code"`})
	})
	t.Run("and without a session leads to the login", func(t *testing.T) {
		w := newWorld(t)
		w.claim = func(int) reply { return fault(401, "HLD-40101", "A session is needed.") }
		leadsTo(t, w.get("/confirm"), w.kratos.URL+"/self-service/login/browser?return_to=http%3A%2F%2F127.0.0.1%3A4455%2Fconfirm")
	})
}

func TestFormsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.claim = open("")
	got := w.do(confirmRequest("confirm", strings.Repeat("1", 1<<20), "same-origin"))
	if got.Code != http.StatusBadRequest || len(w.asked) > 0 {
		t.Errorf("got status %d and %d requests, want 400 and none", got.Code, len(w.asked))
	}
}
