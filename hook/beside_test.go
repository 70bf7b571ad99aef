package hook_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/hook"
)

// A kratos.yml with hooks of its own in each list that Holdline prints.
const ownConfiguration = `
selfservice:
  allowed_return_urls: ["https://app.example.com"]
  flows:
    settings:
      after:
        hooks: [{hook: web_hook, config: {url: "https://own.example.com/never-run", response: {parse: true}}}, {hook: web_hook, config: {url: "https://own.example.com/global"}}]
        profile:
          hooks:
            - {hook: web_hook, config: {url: "https://own.example.com/after"}}
            - {hook: web_hook, config: {url: "http://old.example.com:4478/hooks/settings/stage", response: {parse: true}}}
            - {hook: web_hook, config: {url: "https://own.example.com/parse", response: {parse: true}}}
            - {hook: web_hook, config: {url: "https://own.example.com/interrupt", can_interrupt: true}}
    registration:
      after:
        password: {default_browser_return_url: "https://app.example.com/welcome", hooks: [{hook: session}, {hook: show_verification_ui}]}
        oidc: {hooks: []}
    verification: {after: {hooks: [{hook: web_hook, config: {url: "https://own.example.com/verified"}}]}}
`

// beside prints over a configuration. It returns the lists of hooks, each hook by its
// address or its name, and the return URLs.
func beside(t *testing.T, own string) (map[string][]string, []string) {
	t.Helper()
	s := setup
	s.Changed = true
	if err := yaml.Unmarshal([]byte(own), &s.Beside); err != nil {
		t.Fatal(err)
	}
	document, err := hook.KratosConfig(s)
	if err != nil {
		t.Fatal(err)
	}
	var tree struct {
		Selfservice struct {
			ReturnURLs []string `yaml:"allowed_return_urls"`
			Flows      map[string]struct{ After map[string]any }
		}
	}
	if err := yaml.Unmarshal(document, &tree); err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	collect := func(name string, hooks any) {
		all, _ := hooks.([]any)
		for _, entry := range all {
			h := entry.(map[string]any)
			config, _ := h["config"].(map[string]any)
			if address, _ := config["url"].(string); address != "" {
				lists[name] = append(lists[name], strings.TrimPrefix(strings.TrimPrefix(address, "https://own.example.com"), "http://holdline:4478/hooks"))
			} else {
				lists[name] = append(lists[name], h["hook"].(string))
			}
		}
	}
	for flow, f := range tree.Selfservice.Flows {
		for name, value := range f.After {
			if name == "hooks" {
				collect(flow, value)
			} else if inner, ok := value.(map[string]any); ok {
				collect(flow+"."+name, inner["hooks"])
			}
		}
	}
	return lists, tree.Selfservice.ReturnURLs
}

func TestPrintedListsKeepWhatIsThere(t *testing.T) {
	lists, addresses := beside(t, ownConfiguration)
	if diff := cmp.Diff(map[string][]string{
		"settings.profile":      {"/parse", "/interrupt", "/settings/stage", "/settings/activate", "/identity/changed", "/after"},
		"registration":          {"/identity/changed"},
		"registration.password": {"/identity/changed", "session", "show_verification_ui"},
		"verification":          {"/identity/changed", "/verified"},
	}, lists); diff != "" {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
	if want := []string{"https://app.example.com", setup.ReturnURL}; !cmp.Equal(addresses, want) {
		t.Errorf("return URLs: got %q, want %q", addresses, want)
	}
}

// A list of the method's own silences the global one, whose hooks run on in it; those
// that Kratos never ran there stay silent.
func TestGlobalHooksGoOnRunning(t *testing.T) {
	lists, _ := beside(t, strings.Replace(ownConfiguration, "        profile:", "        password:", 1))
	want := []string{"/settings/stage", "/settings/activate", "/identity/changed", "/global"}
	if diff := cmp.Diff(want, lists["settings.profile"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What was printed may be printed over again: nothing comes twice.
func TestPrintingOverThePrintedChangesNothing(t *testing.T) {
	s := setup
	s.Changed = true
	if err := yaml.Unmarshal([]byte(ownConfiguration), &s.Beside); err != nil {
		t.Fatal(err)
	}
	once, err := hook.KratosConfig(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Beside = nil
	if err := yaml.Unmarshal(once, &s.Beside); err != nil {
		t.Fatal(err)
	}
	twice, err := hook.KratosConfig(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(once), string(twice)); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
}
