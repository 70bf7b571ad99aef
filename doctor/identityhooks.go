package doctor

import (
	"maps"
	"slices"
)

var (
	changedMissing = Rule{
		"changed-hook-missing", Warning, Weakens,
		"A list of hooks that Kratos runs does not tell Holdline of changed identities.",
		"A list under a method replaces the global one. SCIM clients see these changes only after the next pass over all identities.",
		"Put the hook that `holdline kratos-config` prints for " + verificationHooks + " into this list too; in one of registration before `session`.",
	}
	changedLate = Rule{
		"changed-hook-late", Warning, Weakens,
		"The hook that tells Holdline of new identities stands behind `session`.",
		"With `session` Kratos answers apps and scripts, and runs no hook behind it. SCIM clients see these identities only after the next pass over all of them.",
		"Put it before `session`.",
	}
)

// lists are the lists of hooks that Kratos runs where an identity is made or
// changed.
func (f *File) lists() []string {
	var lists []string
	if f.isOn("selfservice.methods.profile.enabled", true) {
		lists = append(lists, profileHooks)
	}
	if f.isOn("selfservice.flows.verification.enabled", false) {
		lists = append(lists, verificationHooks)
	}
	if f.isOn("selfservice.flows.registration.enabled", true) {
		lists = append(lists, registrationAfter+".hooks")
		after, _ := f.value(registrationAfter).(map[string]any)
		for _, method := range sorted(after) {
			if own := registrationAfter + "." + method + ".hooks"; len(f.hooks(own, nil)) > 0 {
				lists = append(lists, own)
			}
		}
	}
	return lists
}

// hookEntries are Holdline's hooks, each where it belongs.
func (r Realm) hookEntries(wanted map[role]webHook) []webHook {
	var found []webHook
	for _, list := range r.File.lists() {
		for _, h := range r.File.hooks(list, wanted) {
			if _, known := wanted[h.role]; known && (h.role == changed || list == profileHooks) {
				found = append(found, h)
			}
		}
	}
	return found
}

// checkIdentityHooks looks for lists without the changed hook, and where it comes too late.
func (r Realm) checkIdentityHooks(wanted map[role]webHook) []Finding {
	if !r.Hook.Changed {
		return nil
	}
	var found []Finding
	for _, list := range r.File.lists() {
		hooks := r.File.hooks(list, wanted)
		tells := of(changed, hooks)
		session := slices.IndexFunc(hooks, func(h webHook) bool { return h.kind == "session" })
		switch {
		case list == profileHooks && len(of(stage, hooks)) == 0: // more is missing there
		case len(tells) == 0:
			found = append(found, changedMissing.at(r.File.place(list), "", wanted[changed].lines()...))
		case session >= 0 && !slices.Contains(hooks[:session], tells[0]):
			found = append(found, changedLate.at(r.File.place(tells[0].key), ""))
		}
	}
	return found
}

// sorted returns a mapping's keys in order.
func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
