package wiring

import (
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/hook"
)

// HookSetup is what the lines for a realm's kratos.yml depend on. A blank realm is
// the primary one.
func HookSetup(cfg config.Config, realm string) (hook.Setup, error) {
	base, err := cfg.HookURL()
	if err != nil {
		return hook.Setup{}, err
	}
	kratos, hooks, err := cfg.Realm(realm)
	if err != nil {
		return hook.Setup{}, err
	}
	return hook.Setup{
		BaseURL: base, Key: hooks.APIKey.Reveal(), MobileTrait: kratos.MobileTrait,
		PendingKey: kratos.PendingKey, LocaleTrait: kratos.LocaleTrait,
		AddressHeader: hooks.AddressHeader, ReturnURL: cfg.ReturnURL(),
		Changed: cfg.SCIM.Enabled && kratos == cfg.Kratos,
	}, nil
}
