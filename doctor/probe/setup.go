package probe

import (
	"errors"
	"fmt"
	"net"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/wiring"
)

// setupOf puts the configuration into the doctor's terms.
func setupOf(cfg config.Config) doctor.Setup {
	setup := doctor.Setup{
		AdminHost: cfg.Admin.Host, AutoMigrate: cfg.AutoMigrate(),
		SCIM: cfg.SCIM.Enabled, OnRequest: !wiring.Policy(cfg).VerifyAlways,
		OldNumberUntold: !cfg.Notices.OldNumber, Codes: otp.Alphabet(cfg.OTP.Alphabet).Possible(cfg.OTP.Length),
		Passwords:     cfg.Public.HTTPBasic,
		TextsAnywhere: len(cfg.Mobile.AllowedCodes) == 0 && cfg.Traffic.Mode != "enforce",
	}
	secret := func(key string, s config.Secret) {
		if s != "" {
			setup.Secrets = append(setup.Secrets, doctor.Secret{Key: key, Value: s.Reveal()})
		}
	}
	address := func(key, url string) { setup.Addresses = append(setup.Addresses, doctor.Address{Key: key, URL: url}) }
	secret("hooks.api_key", cfg.Hooks.APIKey)
	secret("hooks.previous_api_key", cfg.Hooks.PreviousKey)
	for i, otp := range cfg.Secrets.OTP {
		secret(fmt.Sprintf("secrets.otp[%d]", i), otp)
	}
	address("public.base_url", cfg.Public.BaseURL)
	address("hooks.base_url", cfg.Hooks.BaseURL)
	address("kratos.public_url", cfg.Kratos.PublicURL)
	address("kratos.browser_url", cfg.Kratos.BrowserURL)
	address("kratos.admin_url", cfg.Kratos.AdminURL)
	for i, r := range cfg.Realms {
		at := fmt.Sprintf("realms[%d].", i)
		secret(at+"hook_key", r.HookKey)
		secret(at+"previous_hook_key", r.PreviousKey)
		address(at+"public_url", r.PublicURL)
		address(at+"browser_url", r.BrowserURL)
		address(at+"admin_url", r.AdminURL)
	}
	address("tracing.otlp_endpoint", cfg.Tracing.Endpoint)
	address("notices.webhook.request_config.url", cfg.Notices.Webhook.Request.URL.Reveal())
	for i, g := range cfg.SMS.Gateways {
		address(gatewayKey(i)+".endpoint", g.Endpoint)
		address(gatewayKey(i)+".request_config.url", g.Request.URL.Reveal())
		if g.Type == "simulator" {
			setup.Simulators = append(setup.Simulators, gatewayKey(i))
		}
		if g.Type == "http" && g.Preset == "" && g.Response == "" {
			setup.WithoutRule = append(setup.WithoutRule, gatewayKey(i))
		}
	}
	return setup
}

func gatewayKey(i int) string { return fmt.Sprintf("sms.gateways[%d]", i) }

// realmsOf are the realms in the doctor's terms, the primary one first.
func realmsOf(cfg config.Config) ([]doctor.Realm, error) {
	all := make([]doctor.Realm, 1+len(cfg.Realms))
	var err error
	all[0], err = realmOf(cfg, claim.PrimaryRealm, "kratos", doctor.RealmKeys{
		HookKey: "hooks.api_key", SessionCookie: "kratos.session_cookie", MobileTrait: "kratos.mobile_trait",
	})
	for i, r := range cfg.Realms {
		var fault error
		at := fmt.Sprintf("realms[%d]", i)
		all[1+i], fault = realmOf(cfg, r.Name, at, doctor.RealmKeys{
			HookKey: at + ".hook_key", SessionCookie: at + ".session_cookie", MobileTrait: at + ".mobile_trait",
		})
		err = errors.Join(err, fault)
	}
	return all, err
}

func realmOf(cfg config.Config, name, key string, keys doctor.RealmKeys) (doctor.Realm, error) {
	kratosConfig, hooks, err := cfg.Realm(name)
	if err != nil {
		return doctor.Realm{}, err
	}
	setup, err := wiring.HookSetup(cfg, name)
	if err != nil {
		return doctor.Realm{}, err
	}
	page := cfg
	page.Hooks.ReturnURL = ""
	return doctor.Realm{
		Name: name, Key: key, Keys: keys, Hook: setup, PreviousKey: hooks.PreviousKey.Reveal(),
		PublicURL: kratosConfig.PublicURL, BrowserURL: kratosConfig.Browser(), AdminURL: kratosConfig.AdminURL,
		SessionCookie: kratosConfig.SessionCookie, SessionAge: kratosConfig.SessionAge,
		RemovalDenied: wiring.Policy(cfg).Removal == claim.RemovalDeny, AnyFactor: wiring.Policy(cfg).RequiredAAL == claim.RequireAAL1, Page: page.ReturnURL(), Sites: cfg.Public.CORS.AllowedOrigins,
		PublicListener: net.JoinHostPort(cfg.Public.Host, fmt.Sprint(cfg.Public.Port)),
		Describe: func(schema map[string]any) doctor.Trait {
			return doctor.Trait(kratos.DescribeTrait(schema, kratosConfig.MobileTrait))
		},
	}, nil
}
