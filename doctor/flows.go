package doctor

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	returnNotAllowed = Rule{
		"return-url-not-allowed", Failure, NotWorking,
		"Kratos does not send people back to the page for codes.",
		"Whose sign-in is too old has to sign in again before the code counts. Kratos then refuses the way back, or leads people elsewhere.",
		"Add the page's address to selfservice.allowed_return_urls.",
	}
	returnMissing = Rule{
		"return-url-missing", Warning, Weakens,
		"People are not led to the page for codes after they have saved a number.",
		"Kratos says \"saved\", and nothing asks for the code. Only a user interface that looks for the pending number itself can do without.",
		"Set " + settingsAfter + ".profile.default_browser_return_url as `holdline kratos-config` prints it; or, with such an interface, Holdline's hooks.return_url to none.",
	}
	ageDiffers = Rule{
		"session-age-differs", Warning, Weakens,
		"Kratos and Holdline ask for sign-ins of another age.",
		"Kratos' selfservice.flows.settings.privileged_session_max_age guards the form, kratos.privileged_session_max_age the code. People may be asked to sign in twice, or the laxer of the two counts.",
		"Set both to the same time.",
	}
	weakerFactor = Rule{
		"whoami-without-second-factor", Warning, Weakens,
		"Kratos asks for a second factor at the settings form, and not for a session.",
		"With session.whoami.required_aal aal1 a session passes that has not given the second factor. Holdline asks for it where kratos.required_aal says so; but Kratos v1.3 does not tell with which factors a form was filled in, and its code is taken without the second one.",
		"Set session.whoami.required_aal to highest_available.",
	}
	anyFactor = Rule{
		"second-factor-unasked", Warning, FailsOpen,
		"Kratos asks for a second factor at the settings form, and Holdline does not.",
		"With kratos.required_aal aal1 whoever has a password alone changes over SCIM what the form would refuse, the number included.",
		"Set kratos.required_aal to highest_available.",
	}
	cookieName = Rule{
		"session-cookie-name", Failure, NotWorking,
		"Kratos' session cookie has another name than Holdline looks for.",
		"The page for codes finds nobody signed in.",
		"Set Holdline's session cookie to the name in kratos.yml.",
	}
	cookieDomain = Rule{
		"session-cookie-domain", Failure, NotWorking,
		"Browsers do not show Kratos' session cookie to the page for codes.",
		"The page finds nobody signed in. A cookie without a domain is for Kratos' own host only.",
		"Serve both below one domain, and set session.cookie.domain to it; or serve both at one host.",
	}
	otherSite = Rule{
		"cors-origin-of-another-site", Warning, NotWorking,
		"Browsers do not show Kratos' session cookie for pages of an allowed origin.",
		"Kratos' cookies are for pages of the same site, which is the same domain, such as example.com, and scheme (SameSite). From another one the user API finds nobody signed in, unless the page has a session token.",
		"Serve the page below the domain of public.base_url, or take it out of public.cors.allowed_origins.",
	}
	keyLogged = Rule{
		"hook-key-logged", Warning, Weakens,
		"Kratos writes the hook key to its log.",
		"At level info Kratos v1.3 logs the headers of web hook calls; of v26.2 it was not measured. Who has the log can call the hooks, and mark any number verified.",
		"Set log.level to warning, or treat the log as a secret.",
	}

	loginUpdates = Rule{
		"login-updates-identity", Warning, FailsOpen,
		"Signing in by another provider writes the identity's traits.",
		"With update_identity_on_login Kratos runs the provider's mapper at each sign-in and stores what it returns, without any hook of the settings flow. If that has a mobile number, it counts at once, without a code.",
		"Leave the mobile number out of the provider's mapper, or set update_identity_on_login to never.",
	}

	flowRules = []Rule{anyFactor, loginUpdates, cookieName, cookieDomain, otherSite, returnNotAllowed, returnMissing, ageDiffers, weakerFactor, keyLogged}
)

// checkFlows looks at what surrounds the hooks: sessions, the way back, the log.
func (r Realm) checkFlows() []Finding {
	found := r.checkReturnURL()
	const age = "selfservice.flows.settings.privileged_session_max_age"
	if kratos := r.File.duration(age, time.Hour); kratos != r.SessionAge {
		found = append(found, ageDiffers.at(r.File.place(age),
			fmt.Sprintf("Kratos says %s, Holdline %s.", short(kratos), short(r.SessionAge)), "privileged_session_max_age: "+short(r.SessionAge)))
	}
	const whoami, form = "session.whoami.required_aal", "selfservice.flows.settings.required_aal"
	if r.File.text(whoami, "highest_available") == "aal1" && r.File.text(form, "highest_available") != "aal1" {
		found = append(found, weakerFactor.at(r.File.place(whoami), "", "required_aal: highest_available"))
	}
	if r.AnyFactor && r.File.text(form, "highest_available") != "aal1" {
		found = append(found, anyFactor.at(key("kratos.required_aal"), ""))
	}
	if slices.Contains([]string{"info", "debug", "trace"}, strings.ToLower(r.File.text("log.level", "info"))) {
		found = append(found, keyLogged.at(r.File.place("log.level"), "", "level: warning"))
	}
	for _, header := range r.File.texts("clients.web_hook.header_allowlist") {
		if slices.Contains([]string{"Cookie", "Authorization", "X-Session-Token"}, http.CanonicalHeaderKey(header)) {
			found = append(found, headersAllowed.at(r.File.place("clients.web_hook.header_allowlist"), "The list has "+header+"."))
		}
	}
	found = append(found, r.checkLoginUpdates()...)
	return append(found, r.checkCookie()...)
}

// checkLoginUpdates looks at providers whose word at a sign-in changes the identity
// (Kratos since 2026-03).
func (r Realm) checkLoginUpdates() []Finding {
	var found []Finding
	for _, method := range []string{"oidc", "saml"} {
		providers := "selfservice.methods." + method + ".config.providers"
		list, _ := r.File.value(providers).([]any)
		for i := range list {
			key := fmt.Sprintf("%s[%d].update_identity_on_login", providers, i)
			if r.File.text(key, "never") != "never" {
				found = append(found, loginUpdates.at(r.File.place(key), "", "update_identity_on_login: never"))
			}
		}
	}
	return found
}

// checkReturnURL looks at how people come to the page for codes. Who has a page of their
// own needs neither Kratos' way back to Holdline's page, nor its cookie there.
func (r Realm) checkReturnURL() []Finding {
	var found []Finding
	if r.hasPage() && !r.mayReturn(r.Page) {
		const list = "selfservice.allowed_return_urls"
		found = append(found, returnNotAllowed.at(r.File.place(list), "", listed("allowed_return_urls", append(r.File.texts(list), r.Page))))
	}
	const setting = ".default_browser_return_url"
	key := settingsAfter + ".profile" + setting
	given := r.File.text(key, r.File.text(settingsAfter+setting, "")) // as Kratos falls back
	if r.Hook.ReturnURL != "" && strings.TrimSuffix(given, "/") != strings.TrimSuffix(r.Hook.ReturnURL, "/") {
		found = append(found, returnMissing.at(r.File.place(key), "", "default_browser_return_url: "+r.Hook.ReturnURL))
	}
	return found
}

// listed writes a list of texts as in kratos.yml.
func listed(name string, texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return name + ": [" + strings.Join(quoted, ", ") + "]"
}

// hasPage reports whether people are sent to Holdline's page.
func (r Realm) hasPage() bool { return r.Page != "" && r.Page == r.Hook.ReturnURL }

// mayReturn reports whether Kratos sends people to a URL, as it decides it: scheme
// and host of an allowed one, and the beginning of its path as it is written. Its
// own forms are allowed always.
func (r Realm) mayReturn(page string) bool {
	to, err := url.Parse(page)
	if err != nil {
		return false
	}
	forms, _ := url.JoinPath(r.browserURL(), "self-service")
	allowed := append(r.File.texts("selfservice.allowed_return_urls"), forms)
	return slices.ContainsFunc(allowed, func(text string) bool {
		u, err := url.ParseRequestURI(text)
		if err != nil || u.Host == "*" || !strings.EqualFold(u.Scheme, to.Scheme) ||
			!strings.HasPrefix(cmp.Or(to.Path, "/"), cmp.Or(u.Path, "/")) {
			return false
		}
		if suffix, wild := strings.CutPrefix(u.Host, "*"); wild {
			return strings.HasSuffix(strings.ToLower(to.Host), strings.ToLower(suffix))
		}
		return strings.EqualFold(u.Host, to.Host)
	})
}

// browserURL is Kratos' public API as browsers reach it.
func (r Realm) browserURL() string { return r.File.text("serve.public.base_url", r.BrowserURL) }

// checkCookie looks at whether Holdline gets to see the session cookie.
func (r Realm) checkCookie() []Finding {
	var found []Finding
	const name = "session.cookie.name"
	if given := r.File.text(name, "ory_kratos_session"); given != r.SessionCookie {
		found = append(found, cookieName.at(r.File.place(name),
			fmt.Sprintf("It is %s, and %s is %s.", given, r.Keys.SessionCookie, r.SessionCookie), "session_cookie: "+given))
	}
	page, err := url.Parse(r.Page)
	kratos, fault := url.Parse(r.browserURL())
	if err != nil || fault != nil || !r.hasPage() && len(r.Sites) == 0 {
		return found
	}
	if !strings.EqualFold(r.File.text("session.cookie.same_site", r.File.text("cookies.same_site", "Lax")), "None") {
		for i, site := range r.Sites {
			if u, err := url.Parse(site); err == nil && !sameSite(u, page) {
				found = append(found, otherSite.at(key(fmt.Sprintf("public.cors.allowed_origins[%d]", i)),
					fmt.Sprintf("It is %s, and people reach Holdline at %s://%s.", site, page.Scheme, page.Host)))
			}
		}
	}
	key := "session.cookie.domain"
	domain := strings.TrimPrefix(r.File.text(key, r.File.text("cookies.domain", "")), ".")
	shown := page.Hostname() == kratos.Hostname()
	detail := fmt.Sprintf("Kratos is at %s, the page at %s.", kratos.Hostname(), page.Hostname())
	if domain != "" {
		shown = page.Hostname() == domain || strings.HasSuffix(page.Hostname(), "."+domain)
		detail = fmt.Sprintf("The cookie is for %s, the page is at %s.", domain, page.Hostname())
	}
	if !shown {
		found = append(found, cookieDomain.at(r.File.place(key), detail))
	}
	return found
}

// sameSite reports whether two addresses may be of one site. Which domains are of
// different owners below two labels, as under co.uk, is not looked up.
func sameSite(a, b *url.URL) bool {
	domain := func(u *url.URL) string {
		labels := strings.Split(strings.ToLower(u.Hostname()), ".")
		if net.ParseIP(u.Hostname()) != nil {
			return u.Hostname()
		}
		return strings.Join(labels[max(0, len(labels)-2):], ".")
	}
	return a.Scheme == b.Scheme && domain(a) == domain(b)
}

// short writes a duration as operators do: 15m in place of 15m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
