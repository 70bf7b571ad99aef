package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

var traitName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const (
	shortestHookKey = 8
	shortestSecret  = 32
)

// check finds all that is impossible in a configuration that could be read.
func (c Config) check() []error {
	var f faults
	c.checkListeners(&f)
	c.checkKratos(&f)
	c.checkRealms(&f)
	c.checkFeature(&f)
	c.checkGateways(&f)
	c.checkNotices(&f)
	c.checkPages(&f)
	c.checkTraffic(&f)
	c.checkTokens(&f)
	c.checkSCIM(&f)
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "json", "text")
	f.unless(c.Tracing.Endpoint == "" || isURL(c.Tracing.Endpoint), "tracing.otlp_endpoint", "must be an http or https URL")
	f.unless(c.Tracing.Ratio >= 0 && c.Tracing.Ratio <= 1, "tracing.sample_ratio", "must be from 0 to 1")
	return f
}

func (c Config) checkListeners(f *faults) {
	port := func(key string, n int) { f.unless(n >= 0 && n <= 65535, key, "must be a port number") }
	port("public.port", c.Public.Port)
	port("admin.port", c.Admin.Port)
	f.unless(c.Public.Port == 0 || c.Public.Port != c.Admin.Port, "admin.port", "must not be the public listener's")
	f.unless(c.Admin.SessionIdle >= time.Minute && c.Admin.SessionIdle <= 12*time.Hour, "admin.session_idle", "must be from 1m to 12h")
	f.unless(c.Public.BaseURL == "" || isURL(c.Public.BaseURL), "public.base_url", "must be an http or https URL")
	f.unless(c.Public.BaseURL != "" || c.isOwnAddressGood(), "public.base_url", "is needed: texts and notices name it")
	for _, origin := range c.Public.CORS.AllowedOrigins {
		f.unless(!strings.Contains(origin, "*"), "public.cors.allowed_origins", "must name each origin: a wildcard would let every site act for people")
		f.unless(strings.Contains(origin, "*") || isOrigin(origin), "public.cors.allowed_origins", "must be origins: scheme and host, as in https://account.example.com")
		f.unless(!strings.HasPrefix(origin, "http://") || !strings.HasPrefix(c.Public.BaseURL, "https://"), "public.cors.allowed_origins", "must be https, as public.base_url is")
	}
	for key, proxies := range map[string][]string{
		"public.trusted_proxies": c.Public.TrustedProxies, "admin.trusted_proxies": c.Admin.TrustedProxies,
	} {
		for _, proxy := range proxies {
			_, one := netip.ParseAddr(proxy)
			_, many := netip.ParsePrefix(proxy)
			f.unless(one == nil || many == nil, key, "must be addresses or networks")
		}
	}
	dsn := c.Database.DSN.Reveal()
	f.unless(slices.ContainsFunc(dsnSchemes, func(scheme string) bool { return strings.HasPrefix(dsn, scheme) }),
		"database.dsn", "must begin with postgres://, mysql:// or sqlite://")
	f.oneOf("database.auto_migrate", strings.ToLower(c.Database.AutoMigrate), "", "true", "false")
	f.unless(len(c.Secrets.OTP) > 0, "secrets.otp", fmt.Sprintf("is missing: at least one secret of %d characters", shortestSecret))
	for i, secret := range c.Secrets.OTP {
		f.atLeast(fmt.Sprintf("secrets.otp[%d]", i), secret, shortestSecret)
	}
}

// dsnSchemes are how DSNs begin; libpq knows both of PostgreSQL's.
var dsnSchemes = []string{"postgres://", "postgresql://", "mysql://", "sqlite://"}

// isOwnAddressGood reports whether texts may name the public listener's own
// address: on a first look, which nobody else sees.
func (c Config) isOwnAddressGood() bool {
	ip, err := netip.ParseAddr(c.Public.Host)
	switch {
	case c.Public.Host == "" || err == nil && ip.IsUnspecified():
		return false // no address at all
	case c.Public.Host == "localhost" || err == nil && ip.IsLoopback():
		return true
	default:
		return !slices.ContainsFunc(c.SMS.Gateways, func(g Gateway) bool { return g.Type != "simulator" })
	}
}

func (c Config) checkKratos(f *faults) {
	f.isURL("kratos.public_url", c.Kratos.PublicURL)
	f.unless(c.Kratos.BrowserURL == "" || isURL(c.Kratos.BrowserURL), "kratos.browser_url", "must be an http or https URL")
	f.isURL("kratos.admin_url", c.Kratos.AdminURL)
	f.unless(traitName.MatchString(c.Kratos.MobileTrait), "kratos.mobile_trait", "must be the name of a top-level trait")
	f.unless(traitName.MatchString(c.Kratos.PendingKey), "kratos.pending_key", "must be a name of letters, digits and underscores")
	f.unless(!slices.Contains([]string{"scim", "scim_external_ids"}, c.Kratos.PrivilegedKey), "kratos.privileged_key", "must not be one that Holdline writes")
	f.unless(c.Kratos.PrivilegedKey == "" || traitName.MatchString(c.Kratos.PrivilegedKey),
		"kratos.privileged_key", "must be a name of letters, digits and underscores")
	f.unless(c.Kratos.SessionCookie != "", "kratos.session_cookie", "is missing")
	f.oneOf("kratos.required_aal", c.Kratos.RequiredAAL, "aal1", "highest_available")
	f.unless(c.Kratos.SessionAge >= 0, "kratos.privileged_session_max_age", "must not be negative")
	f.unless(c.Kratos.Timeout > 0 && c.Kratos.Timeout <= 5*time.Second, "kratos.timeout", "must be above 0 and at most 5s")
	f.atLeast("hooks.api_key", c.Hooks.APIKey, shortestHookKey)
	if c.Hooks.PreviousKey != "" {
		f.atLeast("hooks.previous_api_key", c.Hooks.PreviousKey, shortestHookKey)
	}
	f.unless(c.Hooks.BaseURL == "" || isURL(c.Hooks.BaseURL), "hooks.base_url", "must be an http or https URL")
	f.unless(c.Hooks.ReturnURL == "" || c.Hooks.ReturnURL == NoReturnURL || isURL(c.Hooks.ReturnURL), "hooks.return_url", "must be an http or https URL, or none")
}

func (c Config) checkFeature(f *faults) {
	validity := c.Feature.Update.Mobile.Validity
	f.unless(validity > 0 && validity <= 24*time.Hour, validityKey, "must be above 0 and at most 24h")
	f.oneOf("identity_mgt.user_claim_update.mobile.removal", c.Feature.Update.Mobile.Removal, "allow", "deny")
	f.oneOf("mobile.taken", c.Mobile.Taken, "take_unverified", "refuse")
	f.oneOf("mobile.format", c.Mobile.Format, "e164", "raw")
	f.unless(len(c.Mobile.DefaultRegion) == 0 || len(c.Mobile.DefaultRegion) == 2, "mobile.default_region", "must be a country code of two letters")
	f.unless(c.OTP.Length >= 4 && c.OTP.Length <= 10, "otp.length", "must be from 4 to 10")
	f.unless(c.Mobile.Format != "raw" || len(c.Mobile.AllowedCodes)+len(c.Mobile.DeniedCodes) == 0,
		"mobile.allowed_calling_codes", "and mobile.denied_calling_codes need mobile.format e164: raw numbers have no calling code")
	f.oneOf("otp.alphabet", c.OTP.Alphabet, "numeric", "alphanumeric")
	f.oneOf("otp.resend", c.OTP.Resend, "new", "same")
	f.unless(c.Claims.Lifetime >= validity, "claims.lifetime", "must not be shorter than a code is good")
	f.unless(c.Claims.Retention >= 24*time.Hour, "claims.retention", "must be at least 24h: the daily limits count what is kept")
	limit := func(key string, n int) { f.unless(n >= 0, "limits."+key, "must not be negative") }
	limit("max_attempts", c.Limits.MaxAttempts)
	limit("attempts_per_identity_per_day", c.Limits.AttemptsPerIdentityDay)
	limit("texts_per_claim", c.Limits.TextsPerClaim)
	limit("texts_per_identity_per_day", c.Limits.TextsPerIdentityDay)
	limit("texts_per_number_per_hour", c.Limits.TextsPerNumberHour)
	limit("texts_per_number_per_day", c.Limits.TextsPerNumberDay)
	limit("notices_per_number_per_day", c.Limits.NoticesPerNumberDay)
	limit("texts_per_address_per_hour", c.Limits.TextsPerAddressHour)
	limit("login_failures_per_user", c.Limits.LoginFailures)
	limit("login_failures_per_address", c.Limits.AddressFailures)
	limit("token_failures_per_address", c.Limits.TokenFailures)
	f.unless(c.Limits.LoginWindow > 0, "limits.login_window", "must be above 0")
	f.unless(c.Limits.ResendCooldown >= 0, "limits.resend_cooldown", "must not be negative")
}

// isURL reports whether text is an absolute http or https URL with a host.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
}

// AutoMigrate reports whether the schema is brought up to date on start.
func (c Config) AutoMigrate() bool {
	if c.Database.AutoMigrate == "" {
		return strings.HasPrefix(c.Database.DSN.Reveal(), "sqlite://")
	}
	return strings.EqualFold(c.Database.AutoMigrate, "true")
}

// HookURL is the admin listener as Kratos reaches it.
func (c Config) HookURL() (string, error) {
	if c.Hooks.BaseURL != "" {
		return c.Hooks.BaseURL, nil
	}
	if c.Admin.Port == 0 {
		return "", errors.New("hooks.base_url: is needed when admin.port is 0")
	}
	return "http://" + net.JoinHostPort(c.Admin.Host, fmt.Sprint(c.Admin.Port)), nil
}
