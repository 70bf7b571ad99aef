package hook

import (
	"net/url"
	"slices"
)

// When Kratos merges configuration files it replaces lists, so what is printed to be
// merged over a configuration must repeat what that has in the same lists.

// profileHooks are the hooks that Kratos runs now for a saved profile: those before the
// identity is stored, and those after. A list of the method's own, as Holdline makes one,
// replaces the flow's global one, of which Kratos runs no hook before storing.
func (s Setup) profileHooks() (before, after []any) {
	after = s.hooksAt("settings", "profile")
	if len(after) == 0 {
		return nil, slices.DeleteFunc(s.hooksAt("settings", ""), decides)
	}
	for _, hook := range after {
		if decides(hook) {
			before = append(before, hook)
		}
	}
	return before, slices.DeleteFunc(after, decides)
}

// told returns what follows a flow, with the hook that tells of changed identities at the
// head of each list: behind `session` Kratos may run none.
func (s Setup) told(flow string, changed webHook) tree {
	after := tree{"hooks": append([]any{changed}, s.hooksAt(flow, "")...)}
	methods, _ := at(s.Beside, "selfservice", "flows", flow, "after").(tree)
	for method := range methods {
		if own := s.hooksAt(flow, method); len(own) > 0 {
			after[method] = tree{"hooks": append([]any{changed}, own...)}
		}
	}
	return after
}

// hooksAt is a list of hooks after a flow, a method's or the global one, without
// Holdline's own.
func (s Setup) hooksAt(flow, method string) []any {
	after := at(s.Beside, "selfservice", "flows", flow, "after")
	if method != "" {
		after = at(after, method)
	}
	hooks, _ := at(after, "hooks").([]any)
	return slices.DeleteFunc(slices.Clone(hooks), ours)
}

// returnURLs are those that Kratos allows now, and the page for codes.
func (s Setup) returnURLs() []any {
	all, _ := at(s.Beside, "selfservice", "allowed_return_urls").([]any)
	if slices.Contains(all, any(s.ReturnURL)) {
		return all
	}
	return append(slices.Clone(all), s.ReturnURL)
}

// ours reports whether a hook is one of Holdline's, of whatever age.
func ours(hook any) bool {
	text, _ := at(hook, "config", "url").(string)
	u, err := url.Parse(text)
	return err == nil && slices.Contains([]string{StagePath, ActivatePath, ChangedPath}, u.Path)
}

// decides reports whether Kratos calls a hook before it stores the identity.
func decides(hook any) bool {
	return at(hook, "config", "response", "parse") == true || at(hook, "config", "can_interrupt") == true
}

// at returns what stands in a document below some keys; nil for nothing.
func at(document any, keys ...string) any {
	for _, key := range keys {
		inner, _ := document.(tree)
		document = inner[key]
	}
	return document
}
