package doctor

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/holdline/holdline/hook"
)

var (
	hookURL = Rule{
		"hook-url", Failure, NotWorking,
		"A hook calls an address where Holdline does not take it.",
		"Every change of a number is refused. If something else answers there one day, a yes of its own lets the number through without a code.",
		"Set the URL as `holdline kratos-config` prints it. If Kratos has to use another name for Holdline, set hooks.base_url to it and print the lines again.",
	}
	hookURLOther = Rule{
		"hook-url-other", Warning, NotWorking,
		"A hook calls Holdline by another address than the printed one.",
		"Only Kratos knows whether that leads to this Holdline. If nobody answers there, every change of a number is refused.",
		"Set hooks.base_url to the address by which Kratos reaches Holdline, and print the lines again.",
	}
	hookMethod = Rule{
		"hook-method", Failure, NotWorking,
		"A hook does not POST.",
		"Holdline takes hooks as POST only, and the body goes with it: every change of a number is refused.",
		"Set the method to POST.",
	}
	hookKey = Rule{
		"hook-key-differs", Failure, NotWorking,
		"A hook sends another key than Holdline knows, or none.",
		"Holdline answers 401, and Kratos refuses every change of a number. The key of another realm would speak of that realm's people.",
		"Set the hook's auth as `holdline kratos-config` prints it: the key of Holdline's configuration, in the header " + hook.KeyHeader + ".",
	}
	previousKey = Rule{
		"hook-key-previous", Warning, Weakens,
		"A hook still sends the previous key.",
		"It is taken for as long as hooks.previous_api_key (of a realm: previous_hook_key) is set. Without that setting every change of a number is refused.",
		"Set the hook's auth as `holdline kratos-config` prints it, and take the previous key away then.",
	}
	privateAddress = Rule{
		"hook-private-address", Failure, NotWorking,
		"Kratos may not call private addresses, and a hook has one.",
		"With clients.http.disallow_private_ip_ranges Kratos refuses to call it: every change of a number is refused.",
		"Add the hooks' URLs, each as it stands, to clients.http.private_ip_exception_urls.",
	}

	callRules = []Rule{
		hookURL, hookMethod, hookKey, privateAddress, hookURLOther, previousKey, changedMissing, changedLate,
	}
)

// checkHookCall looks at how a hook calls Holdline.
func (r Realm) checkHookCall(h, wanted webHook, seen *Kratos) []Finding {
	var found []Finding
	if rule, detail := r.wrongURL(h.url, wanted.url, seen); rule.ID != "" {
		found = append(found, rule.at(r.File.place(h.key+".config.url"), detail, fmt.Sprintf("url: %q", wanted.url)))
	}
	if h.method != http.MethodPost {
		found = append(found, hookMethod.at(r.File.place(h.key+".config.method"), "", "method: POST"))
	}
	if rule, detail := r.wrongKey(h.sentKey); rule.ID != "" {
		found = append(found, rule.at(r.File.place(h.key+".config.auth"), detail,
			"auth: {type: api_key, config: {name: "+hook.KeyHeader+", value: …, in: header}}"))
	}
	if r.File.isOn("clients.http.disallow_private_ip_ranges", false) && !r.excepted(h.url) && isPrivate(h.url, seen) {
		const list = "clients.http.private_ip_exception_urls"
		found = append(found, privateAddress.at(r.File.place(list), fmt.Sprintf("The %s hook calls %s.", h.role, Bare(h.url)),
			listed("private_ip_exception_urls", append(r.File.texts(list), Bare(h.url)))))
	}
	return found
}

// wrongKey says what is wrong with the key that a hook sends. A zero rule means
// that nothing is.
func (r Realm) wrongKey(sent string) (Rule, string) {
	is := func(key string) bool { return subtle.ConstantTimeCompare([]byte(sent), []byte(key)) == 1 }
	switch {
	case sent == "":
		return hookKey, "It sends no " + hook.KeyHeader + "."
	case is(r.Hook.Key):
		return Rule{}, ""
	case is(r.PreviousKey):
		return previousKey, ""
	default:
		return hookKey, "Its key is another than " + r.Keys.HookKey + "."
	}
}

// wrongURL says what is wrong with a hook's URL. A zero rule means that nothing
// is. Kratos may know Holdline by a name of its own, so another server is a failure
// only where it was asked and is not Holdline.
func (r Realm) wrongURL(given, wanted string, seen *Kratos) (Rule, string) {
	got, err := url.Parse(given)
	want, fault := url.Parse(wanted)
	switch {
	case err != nil || fault != nil || got.Host == "":
		return hookURL, "It is no URL."
	case strings.TrimSuffix(got.Path, "/") != want.Path:
		return hookURL, "Its path is " + got.Path + " in place of " + want.Path + "."
	case sameServer(given, wanted):
		return Rule{}, ""
	case sameServer(given, "http://"+r.PublicListener):
		return hookURL, "That is Holdline's public listener, which has no hooks and answers 404."
	case strings.EqualFold(got.Host, want.Host):
		return hookURL, "It begins with " + got.Scheme + " in place of " + want.Scheme + "."
	}
	detail := "It calls " + got.Host + " in place of " + want.Host + "."
	var answer HookAnswer
	asked := false
	if seen != nil {
		answer, asked = seen.HookAnswers[given]
	}
	switch {
	case !asked:
		return hookURLOther, detail
	case answer.Keyless():
		return hookURLOther, detail + " A Holdline answers there."
	case answer.Accepts() && strings.HasSuffix(want.Path, hook.StagePath):
		return foreignYes, detail + " " + answer.Sentence()
	default:
		return hookURL, detail + " " + answer.Sentence()
	}
}

// sameServer reports whether two URLs lead to one server by their text: a default
// port may be left out, and all names of this machine are one.
func sameServer(a, b string) bool {
	server := func(text string) string {
		u, err := url.Parse(text)
		if err != nil {
			return text
		}
		scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
		if ip, err := netip.ParseAddr(host); isLoopback(host) || err == nil && ip.IsUnspecified() {
			host = "localhost"
		}
		return scheme + "://" + host + ":" + cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[scheme])
	}
	return server(a) == server(b)
}

// Bare is a URL without credentials and query.
func Bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// excepted reports whether Kratos may call a URL although it is private. Exceptions
// are globs, in which * does not go beyond a dot or a slash.
func (r Realm) excepted(address string) bool {
	return slices.ContainsFunc(r.File.texts("clients.http.private_ip_exception_urls"), func(glob string) bool {
		pattern := regexp.QuoteMeta(glob)
		pattern = strings.ReplaceAll(pattern, `\*\*`, ".*")
		pattern = strings.ReplaceAll(pattern, `\*`, "[^./]*")
		match, err := regexp.MatchString("^"+pattern+"$", Bare(address))
		return err == nil && match
	})
}

// isPrivate reports whether a URL's host is a private address, or is known to lead
// to one.
func isPrivate(text string, seen *Kratos) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	addresses := []string{u.Hostname()}
	if seen != nil {
		addresses = append(addresses, seen.HookAddresses[u.Hostname()]...)
	}
	return slices.ContainsFunc(addresses, func(address string) bool {
		ip, err := netip.ParseAddr(address)
		return err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast())
	})
}

// isLoopback reports whether a host is this machine's own.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}
