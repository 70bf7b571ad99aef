package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Realm is a further Kratos beside the one under kratos, which is the realm
// PRIMARY. What is left out is as there.
type Realm struct {
	Name          string `koanf:"name" usage:"its name, in requests, in the console and before users' names: STAFF/bob"`
	PublicURL     string `koanf:"public_url" usage:"URL of its public API"`
	AdminURL      string `koanf:"admin_url" usage:"URL of its admin API"`
	BrowserURL    string `koanf:"browser_url" usage:"URL of its public API as browsers reach it; blank for public_url"`
	HookKey       Secret `koanf:"hook_key" usage:"key that it sends in X-Hook-Key: its own, which tells it from the others"`
	PreviousKey   Secret `koanf:"previous_hook_key" usage:"as hooks.previous_api_key"`
	MobileTrait   string `koanf:"mobile_trait" usage:"as kratos.mobile_trait"`
	PendingKey    string `koanf:"pending_key" usage:"as kratos.pending_key"`
	EmailTrait    string `koanf:"email_trait" usage:"as kratos.email_trait"`
	LocaleTrait   string `koanf:"locale_trait" usage:"as kratos.locale_trait"`
	PrivilegedKey string `koanf:"privileged_key" usage:"as kratos.privileged_key; these people may act in their own realm only"`
	SessionCookie string `koanf:"session_cookie" usage:"as kratos.session_cookie"`
}

// realmName leaves room for an identity's id within what the database keeps.
var realmName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,26}$`)

// Realm returns a realm's Kratos and its hook's key, with what it shares with the
// primary one; blank and PRIMARY are that one itself.
func (c Config) Realm(name string) (Kratos, Hooks, error) {
	if name == "" || strings.EqualFold(name, primaryRealm) {
		return c.Kratos, c.Hooks, nil
	}
	for _, r := range c.Realms {
		if strings.EqualFold(r.Name, name) {
			kratos, hooks := c.Kratos, c.Hooks
			kratos.PublicURL, kratos.AdminURL, kratos.BrowserURL = r.PublicURL, r.AdminURL, r.BrowserURL
			hooks.APIKey, hooks.PreviousKey = r.HookKey, r.PreviousKey
			for own, shared := range map[*string]*string{
				&r.MobileTrait: &kratos.MobileTrait, &r.PendingKey: &kratos.PendingKey, &r.EmailTrait: &kratos.EmailTrait,
				&r.LocaleTrait: &kratos.LocaleTrait, &r.PrivilegedKey: &kratos.PrivilegedKey, &r.SessionCookie: &kratos.SessionCookie,
			} {
				if *own != "" {
					*shared = *own
				}
			}
			return kratos, hooks, nil
		}
	}
	return Kratos{}, Hooks{}, fmt.Errorf("realm %q is not configured", name)
}

const primaryRealm = "PRIMARY"

func (c Config) checkRealms(f *faults) {
	names, keys := map[string]bool{primaryRealm: true}, map[Secret]bool{c.Hooks.APIKey: true, c.Hooks.PreviousKey: c.Hooks.PreviousKey != ""}
	for i, r := range c.Realms {
		at := fmt.Sprintf("realms[%d].", i)
		name := strings.ToUpper(r.Name)
		f.unless(realmName.MatchString(r.Name), at+"name", "must have 1 to 27 letters, digits, dots, dashes or underscores, and begin with a letter or digit")
		f.unless(!names[name], at+"name", "is used twice, or is that of the realm under kratos")
		f.isURL(at+"public_url", r.PublicURL)
		f.isURL(at+"admin_url", r.AdminURL)
		f.unless(r.BrowserURL == "" || isURL(r.BrowserURL), at+"browser_url", "must be an http or https URL")
		f.atLeast(at+"hook_key", r.HookKey, shortestHookKey)
		if r.PreviousKey != "" {
			f.atLeast(at+"previous_hook_key", r.PreviousKey, shortestHookKey)
		}
		f.unless(!keys[r.HookKey], at+"hook_key", "must not be another realm's: it tells which Kratos calls")
		f.unless(!keys[r.PreviousKey], at+"previous_hook_key", "must not be another realm's: it tells which Kratos calls")
		f.unless(r.MobileTrait == "" || traitName.MatchString(r.MobileTrait), at+"mobile_trait", "must be the name of a top-level trait")
		f.unless(r.PendingKey == "" || traitName.MatchString(r.PendingKey), at+"pending_key", "must be a name of letters, digits and underscores")
		names[name], keys[r.HookKey], keys[r.PreviousKey] = true, true, r.PreviousKey != ""
	}
}
