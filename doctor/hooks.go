package doctor

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdline/holdline/hook"
)

// The lists of hooks in a kratos.yml.
const (
	settingsAfter     = "selfservice.flows.settings.after"
	profileHooks      = settingsAfter + ".profile.hooks"
	globalHooks       = settingsAfter + ".hooks"
	registrationAfter = "selfservice.flows.registration.after"
	verificationHooks = "selfservice.flows.verification.after.hooks"
)

// webHook is an entry of a list of hooks.
type webHook struct {
	key                         string // where it stands
	kind                        string // web_hook, or one of Kratos' own
	url, method, body           string
	parse, ignore, canInterrupt bool
	sentKey                     string // in hook.KeyHeader
	role                        role
}

// role is which of Holdline's hooks one is.
type role string

const (
	foreign  role = ""
	stage    role = "stage"
	activate role = "activate"
	changed  role = "changed"
)

// roles are Holdline's hooks, in the printed order.
var roles = []role{stage, activate, changed}

var paths = map[role]string{stage: hook.StagePath, activate: hook.ActivatePath, changed: hook.ChangedPath}

// hooks reads a list. A hook is told by its URL's path, or else by its jsonnet.
func (f *File) hooks(list string, wanted map[role]webHook) []webHook {
	entries, _ := f.value(list).([]any)
	found := make([]webHook, len(entries))
	for i := range entries {
		at := fmt.Sprintf("%s[%d]", list, i)
		config := at + ".config."
		h := webHook{
			key: at, kind: f.text(at+".hook", ""), url: f.text(config+"url", ""),
			method: f.text(config+"method", ""), body: f.text(config+"body", ""),
			parse: f.isOn(config+"response.parse", false), ignore: f.isOn(config+"response.ignore", false),
			canInterrupt: f.isOn(config+"can_interrupt", false), sentKey: f.sentKey(config),
		}
		h.role = h.roleAmong(wanted)
		found[i] = h
	}
	return found
}

// HookTarget is what one of Holdline's hooks in a kratos.yml calls.
type HookTarget struct {
	URL, Host string
	Resolve   bool // Kratos keeps off private addresses: what the host resolves to matters
	Elsewhere bool // it is not at the server that kratos-config prints
}

// HookTargets are what the hooks call whose URLs can be read; none if no kratos.yml
// was given.
func (r Realm) HookTargets() []HookTarget {
	wanted, err := r.printedHooks()
	if r.File == nil || err != nil {
		return nil
	}
	var targets []HookTarget
	for _, h := range r.hookEntries(wanted) {
		if u, err := url.Parse(h.url); err == nil && u.Hostname() != "" {
			targets = append(targets, HookTarget{
				URL: h.url, Host: u.Hostname(), Elsewhere: !sameServer(h.url, wanted[h.role].url),
				Resolve: r.File.isOn("clients.http.disallow_private_ip_ranges", false),
			})
		}
	}
	return targets
}

// sentKey returns the key that a hook sends, by its auth or by a plain header.
func (f *File) sentKey(config string) string {
	auth := config + "auth.config."
	if f.text(config+"auth.type", "") == "api_key" && f.text(auth+"in", "header") == "header" &&
		strings.EqualFold(f.text(auth+"name", ""), hook.KeyHeader) {
		return f.text(auth+"value", "")
	}
	headers, _ := f.value(config + "headers").(map[string]any)
	for name, value := range headers {
		if http.CanonicalHeaderKey(name) == hook.KeyHeader {
			return fmt.Sprint(value)
		}
	}
	return ""
}

func (h webHook) roleAmong(wanted map[role]webHook) role {
	if h.kind != "web_hook" {
		return foreign
	}
	u, err := url.Parse(h.url)
	for _, r := range roles {
		if err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), paths[r]) {
			return r
		}
	}
	for _, r := range roles {
		if h.body != "" && h.body == wanted[r].body {
			return r
		}
	}
	return foreign
}

// beforeStore reports whether Kratos runs a hook before it stores the identity.
func (h webHook) beforeStore() bool { return h.kind == "web_hook" && (h.parse || h.canInterrupt) }

// printedHooks are the hooks that kratos-config prints.
func (r Realm) printedHooks() (map[role]webHook, error) {
	document, err := hook.KratosConfig(r.Hook)
	if err != nil {
		return nil, err
	}
	printed := &File{tree: map[string]any{}}
	if err := printed.add("kratos-config", document); err != nil {
		return nil, err
	}
	found := map[role]webHook{}
	for _, h := range printed.hooks(profileHooks, nil) {
		found[h.role] = h
	}
	return found, nil
}

// of returns those hooks that have a role.
func of(r role, hooks []webHook) []webHook {
	var found []webHook
	for _, h := range hooks {
		if h.role == r {
			found = append(found, h)
		}
	}
	return found
}
