package doctor

import (
	"maps"
	"slices"
)

var changedMissing = Rule{
	"changed-hook-missing", Warning, Weakens,
	"A list of hooks that Kratos runs does not tell Holdline of changed identities.",
	"A list under a method replaces the global one. SCIM clients see these changes only after the next pass over all identities.",
	"Put the hook that `holdline kratos-config` prints for " + verificationHooks + " into this list too; in one of registration before `session`.",
}

// tells looks for lists that replace those with the changed hook.
func (r Realm) tells(wanted map[role]webHook) []Finding {
	if !r.Hook.Changed {
		return nil
	}
	var lists []string
	if len(of(stage, r.File.hooks(profileHooks, wanted))) > 0 { // else more is missing there
		lists = append(lists, profileHooks)
	}
	if r.File.isOn("selfservice.flows.verification.enabled", false) {
		lists = append(lists, verificationHooks)
	}
	if r.File.isOn("selfservice.flows.registration.enabled", true) {
		lists = append(lists, registrationAfter+".hooks")
		after, _ := r.File.value(registrationAfter).(map[string]any)
		for _, method := range sorted(after) {
			if own := registrationAfter + "." + method + ".hooks"; len(r.File.hooks(own, nil)) > 0 {
				lists = append(lists, own)
			}
		}
	}
	var found []Finding
	for _, list := range lists {
		if len(of(changed, r.File.hooks(list, wanted))) == 0 {
			found = append(found, changedMissing.at(r.File.place(list), "", wanted[changed].lines()...))
		}
	}
	return found
}

// sorted returns a mapping's keys in order.
func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
