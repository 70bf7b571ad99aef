package demo_test

import (
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// browser follows redirects and keeps cookies, whatever the port, as browsers do.
type browser struct {
	client *http.Client
	url    *url.URL // where it is
	page   string
	status int
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{client: &http.Client{Jar: jar}}
}

func (b *browser) open(t *testing.T, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.load(t, request)
}

func (b *browser) load(t *testing.T, request *http.Request) {
	t.Helper()
	answer, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var page strings.Builder
	if err := answer.Write(&page); err != nil {
		t.Fatal(err)
	}
	b.page, b.status, b.url = page.String(), answer.StatusCode, answer.Request.URL
}

var (
	forms  = regexp.MustCompile(`(?s)<form [^>]*action="([^"]*)".*?</form>`)
	inputs = regexp.MustCompile(`<input [^>]*>`)
	names  = regexp.MustCompile(` name="([^"]*)"`)
	values = regexp.MustCompile(` value="([^"]*)"`)
)

// submit fills in the form that has this button and presses it.
func (b *browser) submit(t *testing.T, button, value string, fill map[string]string) {
	t.Helper()
	for _, found := range forms.FindAllStringSubmatch(b.page, -1) {
		if !strings.Contains(found[0], `name="`+button+`" value="`+value+`"`) {
			continue
		}
		form := url.Values{button: {value}}
		for _, input := range inputs.FindAllString(found[0], -1) {
			name := names.FindStringSubmatch(input)[1]
			if v := values.FindStringSubmatch(input); v != nil {
				form.Set(name, html.UnescapeString(v[1]))
			}
			if v, ok := fill[name]; ok {
				form.Set(name, v)
			}
		}
		action, err := b.url.Parse(html.UnescapeString(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, action.String(), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", b.url.Scheme+"://"+b.url.Host)
		b.load(t, request)
		return
	}
	t.Fatalf("no form with the button %s=%s on %s:\n%s", button, value, b.url, b.page)
}

// isAt checks where the browser is and what it shows.
func (b *browser) isAt(t *testing.T, path string, shows ...string) {
	t.Helper()
	if b.url.Path != path {
		t.Fatalf("at %s (%d), want %s\n%s", b.url, b.status, path, b.page)
	}
	for _, part := range shows {
		if !strings.Contains(html.UnescapeString(b.page), part) {
			t.Errorf("%s does not show %q:\n%s", path, part, b.page)
		}
	}
}

func (d *running) signIn(t *testing.T) *browser {
	t.Helper()
	b := newBrowser(t)
	b.open(t, d.link(t, "demo")+"login")
	b.isAt(t, "/login", "Sign in")
	b.submit(t, "method", "password", map[string]string{"identifier": "demo@example.org", "password": d.password(t)})
	b.isAt(t, "/account", `id="mobile-verified"`)
	return b
}

func (d *running) password(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`with the password (\S+),`).FindStringSubmatch(d.out.String())
	if found == nil {
		t.Fatalf("no password in\n%s", d.out)
	}
	return found[1]
}

func (d *running) personEdits(t *testing.T) {
	demo := d.link(t, "demo")
	b := newBrowser(t)
	b.open(t, demo+"settings")
	b.isAt(t, "/login")
	b.submit(t, "method", "password", map[string]string{"identifier": "demo@example.org", "password": "wrong"})
	b.isAt(t, "/login", "invalid", `role="alert"`)

	b = d.signIn(t)
	b.isAt(t, "/account", "+61491570156", ">verified<")
	b.open(t, demo+"settings")
	b.isAt(t, "/settings", `name="traits.email"`, `name="traits.mobile"`, `name="password"`)
	b.submit(t, "method", "profile", map[string]string{"traits.name": strings.Repeat("x", 101)})
	b.isAt(t, "/settings", `id="traits.name-message"`, `type="tel"`)
	b.submit(t, "method", "profile", map[string]string{"traits.mobile": "+61491570156", "traits.name": `Dana <b> & "Co"`})
	b.isAt(t, "/account", `Dana <b> & "Co"`, ">verified<") // by way of /verify, where nothing waits
	if strings.Contains(b.page, "<b>") {
		t.Error("the name is markup")
	}
	b.open(t, demo+"settings")
	b.submit(t, "method", "password", map[string]string{"password": d.password(t) + "x"})
	b.isAt(t, "/settings", "Your changes have been saved")
	b.open(t, demo+"settings")
	b.submit(t, "method", "password", map[string]string{"password": d.password(t)})
	b.isAt(t, "/settings", "Your changes have been saved")

	b.open(t, demo+"account")
	logout := regexp.MustCompile(`id="logout" href="([^"]*)"`).FindStringSubmatch(b.page)
	if logout == nil {
		t.Fatalf("no way to sign out:\n%s", b.page)
	}
	b.open(t, html.UnescapeString(logout[1]))
	b.isAt(t, "/account", "Create an account")
}

func (d *running) personRegisters(t *testing.T) {
	b := newBrowser(t)
	b.open(t, d.link(t, "demo")+"registration")
	person := map[string]string{"traits.email": "new@example.org", "password": "1234"}
	b.submit(t, "method", "password", person)
	b.isAt(t, "/registration", `id="password-message"`)
	person["password"] = "a long enough passphrase"
	b.submit(t, "method", "password", person)
	b.isAt(t, "/account", "new@example.org", "none yet")
	b.open(t, d.link(t, "demo")+"settings")
	b.submit(t, "method", "profile", map[string]string{"traits.mobile": "+61491570110"})
	b.isAt(t, "/account", "+61491570110", "not verified")
	b.open(t, d.link(t, "demo")+"settings?flow=00000000-0000-0000-0000-000000000000")
	b.isAt(t, "/settings", "new@example.org") // in a flow that is there
	b.open(t, d.link(t, "demo")+"error?id=stub:500")
	b.isAt(t, "/error", "This is a stub error.")
}

func (d *running) curlWorks(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed", tool)
		}
	}
	var lines []string
	for line := range strings.Lines(d.out.String()) {
		if strings.HasPrefix(line, "TOKEN=") || strings.HasPrefix(line, "CODE=") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 2 {
		t.Fatalf("got %d lines for curl, want 2:\n%s", len(lines), d.out)
	}
	got, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Join(lines, "")).CombinedOutput()
	if err != nil || !strings.Contains(string(got), "202 Accepted") {
		t.Errorf("got %v: %s", err, got)
	}
}
