package doctor

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Setup is how Holdline itself is configured.
type Setup struct {
	Secrets []Secret
	// AdminHost is what the admin listener is bound to.
	AdminHost string
	// Addresses are URLs that people, Kratos or Holdline call; blank ones are not used.
	Addresses []Address
	// Simulators are the keys of gateways that send nothing.
	Simulators []string
	// WithoutRule are the keys of gateways that nothing tells a yes from a no that
	// comes with 200.
	WithoutRule []string
	// AutoMigrate tells that `holdline serve` brings the database schema up to date.
	AutoMigrate bool
	// SCIM tells that SCIM is served.
	SCIM bool
	// OnRequest tells that the configuration has numbers from SCIM verified only
	// where a request asks for it.
	OnRequest bool
	// OldNumberUntold: notices to numbers that are replaced or removed are switched off.
	OldNumberUntold bool
	// Codes is how many different codes there can be; 0 if that is not known.
	Codes int64
	// Passwords: HTTP Basic is on.
	Passwords bool
	// TextsAnywhere: numbers of all countries are texted, and nothing stops the
	// traffic to one whose codes do not come back.
	TextsAnywhere bool
}

// Secret is a secret and its key in the configuration.
type Secret struct{ Key, Value string }

// Address is a URL and its key in the configuration.
type Address struct{ Key, URL string }

var (
	weakSecret = Rule{
		"secret-weak", Failure, FailsOpen,
		"A secret is an example, or easy to guess.",
		"Who knows the hook key and reaches the admin listener can mark any number verified. Who knows the secret of codes can compute them.",
		"Make a random one, such as with `openssl rand -base64 32`. An old secrets.otp may stay behind the new one until its claims are over.",
	}
	adminBound = Rule{
		"admin-listener-bound", Warning, Weakens,
		"The admin listener answers at addresses beyond this machine.",
		"It has the hooks, the console and the metrics. The hook key is all that keeps others from marking numbers verified.",
		"Bind admin.host to 127.0.0.1 or to a private address that Kratos reaches; in a container, let nothing else into its network and do not publish the port.",
	}
	plainHTTP = Rule{
		"plain-http", Warning, Weakens,
		"An address beyond this machine is called without TLS.",
		"Who is on the way reads keys, sessions, numbers and codes.",
		"Use an https URL, unless the network between the two is protected by other means.",
	}
	simulated = Rule{
		"gateway-simulator", Warning, NotWorking,
		"A gateway is the simulator, which sends nothing.",
		"Codes are shown at /simulator of the admin listener and reach no phone.",
		"Set up a gateway to an SMS provider (docs/sms.md).",
	}
	withoutRule = Rule{
		"gateway-without-response", Warning, NotWorking,
		"A gateway takes every answer of 200 to 299 for a yes.",
		"Many providers say no with 200: no credit, a number that they cannot text. Such a text counts as sent, no other gateway is asked, and the person waits.",
		"Set the gateway's preset, or a response rule (docs/sms.md). `holdline doctor --send-test NUMBER` shows what your provider answers.",
	}
	notGiven = Rule{
		"kratos-config-not-given", Warning, FailsOpen,
		"A realm's kratos.yml was not given, and not looked at.",
		"Whether its hooks hold numbers back is not known.",
		"Give it with --kratos-config REALM=FILE.",
	}
	scimWithoutCode = Rule{
		"scim-without-code", Warning, FailsOpen,
		"SCIM writes numbers without a code.",
		"With use_verify_claim on, which is WSO2's default, only a request that says verifyMobile is verified. A signed-in person replaces their number at /scim2/Me without a code, and the old number gets no notice.",
		"Set identity_mgt.user_claim_update.use_verify_claim to false, or scim.enabled, unless you need WSO2's behaviour. What was set at the console wins: look there too.",
	}

	oldNumberUntold = Rule{
		"old-number-not-told", Warning, Weakens,
		"Nobody tells a number that it is replaced or removed.",
		"Whoever took over an account replaces or removes its number, and the owner's phone stays silent.",
		"Set notices.old_number to true.",
	}
	weakCodes = Rule{
		"codes-weak", Warning, Weakens,
		"There are fewer than a million different codes.",
		"A guess is right more often than it need be.",
		"Set otp.length to at least 6.",
	}
	textsAnywhere = Rule{
		"texts-to-all-countries", Warning, Weakens,
		"Numbers of all countries are texted, and traffic control is off.",
		"Fraudsters ask for codes to expensive numbers of their own, in any country, and are paid for each text.",
		"List your countries in mobile.allowed_calling_codes, or set traffic.mode to enforce.",
	}
	httpBasic = Rule{
		"http-basic-on", Warning, Weakens,
		"People's passwords are taken by HTTP Basic.",
		"Whoever has a password needs no more to begin and confirm a change, unless the person has a second factor. What guards Kratos' login form, such as a captcha, does not stand before it.",
		"Set public.http_basic to false, unless programs need it that were written for WSO2 Identity Server.",
	}

	ownRules = []Rule{httpBasic, weakSecret, notGiven, scimWithoutCode, simulated, withoutRule, adminBound, plainHTTP, oldNumberUntold, weakCodes, textsAnywhere}
)

// CheckConfig looks at Holdline's own configuration. What package config refuses anyway is
// not looked at again.
func CheckConfig(s Setup) []Finding {
	var found []Finding
	for _, secret := range s.Secrets {
		if complaint := guessable(secret.Value); complaint != "" {
			found = append(found, weakSecret.at(key(secret.Key), complaint))
		}
	}
	if !isLoopback(s.AdminHost) {
		detail := fmt.Sprintf("It is bound to %s.", s.AdminHost)
		if ip, err := netip.ParseAddr(s.AdminHost); s.AdminHost == "" || err == nil && ip.IsUnspecified() {
			detail = "It is bound to all addresses of this machine."
		}
		found = append(found, adminBound.at(key("admin.host"), detail))
	}
	for _, address := range s.Addresses {
		if u, err := url.Parse(address.URL); err == nil && u.Scheme == "http" && !isLoopback(u.Host) {
			found = append(found, plainHTTP.at(key(address.Key), "It is at "+u.Host+".")) // a path may be a secret
		}
	}
	for _, gateway := range s.Simulators {
		found = append(found, simulated.at(key(gateway), ""))
	}
	if s.OldNumberUntold {
		found = append(found, oldNumberUntold.at(key("notices.old_number"), "", "old_number: true"))
	}
	if s.Codes > 0 && s.Codes < leastCodes {
		found = append(found, weakCodes.at(key("otp.length"), fmt.Sprintf("There are %d.", s.Codes)))
	}
	if s.Passwords {
		found = append(found, httpBasic.at(key("public.http_basic"), "", "http_basic: false"))
	}
	if s.TextsAnywhere {
		found = append(found, textsAnywhere.at(key("mobile.allowed_calling_codes"), ""))
	}
	for _, gateway := range s.WithoutRule {
		found = append(found, withoutRule.at(key(gateway), ""))
	}
	return found
}

// leastCodes is how many codes six digits make, as NIST SP 800-63B, section 5.1.3.2,
// asks for.
const leastCodes = 1_000_000

// leastKinds is how many different characters a random secret of the shortest
// length has, nearly always.
const leastKinds = 5

// examples are words of secrets that stand in documents, or are typed at first.
var examples = []string{"…", "...", "changeme", "change-me", "change_me", "change me", "example", "your-", "insert", "replace", "placeholder", "password", "secret-key"}

// guessable says why a secret can be guessed; blank if nothing shows that it can.
func guessable(secret string) string {
	lower := strings.ToLower(secret)
	for _, word := range examples {
		if strings.Contains(lower, word) {
			return "It reads like an example."
		}
	}
	kinds := map[rune]bool{}
	for _, r := range secret {
		kinds[r] = true
	}
	switch {
	case len(kinds) < leastKinds:
		return fmt.Sprintf("It has only %d different characters.", len(kinds))
	case strings.Contains((lower + lower)[1:2*len(lower)-1], lower):
		return "It repeats itself."
	}
	for _, run := range []string{"01234567890123456789", "1234567890123456", "abcdefghijklmnopqrstuvwxyz"} {
		if strings.Contains(run, lower) || strings.Contains(lower, run) {
			return "It goes through the alphabet or the digits."
		}
	}
	return ""
}
