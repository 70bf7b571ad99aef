package hook

import (
	_ "embed" // for the jsonnet
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed stage.jsonnet
var stageTemplate string

//go:embed activate.jsonnet
var activateTemplate string

//go:embed changed.jsonnet
var changedTemplate string

// Setup is what the configuration of Kratos depends on.
type Setup struct {
	// BaseURL is Holdline's admin listener as Kratos reaches it.
	BaseURL     string
	Key         string
	MobileTrait string
	PendingKey  string
	LocaleTrait string
	// AddressHeader is the request header that a trusted proxy before Kratos puts
	// the client's address in; blank for none.
	AddressHeader string
	// ReturnURL is where browsers land after a profile was saved; blank leaves
	// Kratos' setting alone.
	ReturnURL string
	// JsonnetDir is where the jsonnet is written to; blank puts it into the
	// configuration itself.
	JsonnetDir string
	// Changed asks for calls after every flow that makes or changes an identity.
	Changed bool
	// Beside is the configuration that Kratos merges the keys over, as YAML is decoded;
	// what it has in the same lists is printed too. Nil if that is not known: then only
	// Holdline's own is.
	Beside map[string]any
}

type webHook struct {
	Hook   string        `yaml:"hook"`
	Config webHookConfig `yaml:"config"`
}

type webHookConfig struct {
	URL      string          `yaml:"url"`
	Method   string          `yaml:"method"`
	Body     string          `yaml:"body"`
	Response map[string]bool `yaml:"response"`
	Auth     webHookAuth     `yaml:"auth"`
}

type webHookAuth struct {
	Type   string            `yaml:"type"`
	Config map[string]string `yaml:"config"`
}

type profile struct {
	ReturnURL string `yaml:"default_browser_return_url,omitempty"`
	Hooks     []any  `yaml:"hooks"`
}

// tree is a mapping of a document. Its keys are written in alphabetical order.
type tree = map[string]any

// KratosConfig writes the YAML document with the keys to merge into kratos.yml.
// The order of the hooks matters, and so does that those of settings stand under
// the profile method: Kratos never runs a parse hook of the flow's global list.
func KratosConfig(s Setup) ([]byte, error) {
	stage, err := s.hook(StagePath, "stage.jsonnet", stageTemplate, "parse")
	if err != nil {
		return nil, err
	}
	activate, err := s.hook(ActivatePath, "activate.jsonnet", activateTemplate, "ignore")
	if err != nil {
		return nil, err
	}
	before, after := s.profileHooks()
	settings, flows := profile{s.ReturnURL, append(before, stage, activate)}, tree{}
	if s.Changed {
		changed, err := s.hook(ChangedPath, "changed.jsonnet", changedTemplate, "ignore")
		if err != nil {
			return nil, err
		}
		settings.Hooks = append(settings.Hooks, changed)
		for _, flow := range []string{"registration", "verification"} {
			flows[flow] = tree{"after": s.told(flow, changed)}
		}
	}
	settings.Hooks = append(settings.Hooks, after...)
	flows["settings"] = tree{"after": tree{"profile": settings}}
	selfservice := tree{"flows": flows}
	var out strings.Builder
	switch {
	case s.ReturnURL == "":
	case s.Beside != nil:
		selfservice["allowed_return_urls"] = s.returnURLs()
	default:
		fmt.Fprintf(&out, "# Kratos sends people back there after a new sign-in only if its address is\n"+
			"# in selfservice.allowed_return_urls too: %s\n", s.ReturnURL)
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(tree{"selfservice": selfservice}); err != nil {
		return nil, fmt.Errorf("write yaml: %w", err)
	}
	return []byte(out.String()), nil
}

// hook describes one call. The response mode decides when Kratos makes it:
// "parse" before the flow is stored, "ignore" after it and in the background.
func (s Setup) hook(path, file, template, response string) (webHook, error) {
	body, err := s.body(file, template)
	return webHook{"web_hook", webHookConfig{
		URL: strings.TrimSuffix(s.BaseURL, "/") + path, Method: "POST", Body: body,
		Response: map[string]bool{response: true},
		Auth: webHookAuth{"api_key", map[string]string{
			"name": KeyHeader, "value": s.Key, "in": "header",
		}},
	}}, err
}

// body fills the jsonnet in and returns the reference to it.
func (s Setup) body(file, template string) (string, error) {
	source := strings.NewReplacer(
		"@TRAIT@", string(quote(s.MobileTrait)), "@KEY@", string(quote(s.PendingKey)),
		"@LOCALE@", string(quote(s.LocaleTrait)),
		"@ADDRESS@", string(quote(http.CanonicalHeaderKey(s.AddressHeader))),
	).Replace(template)
	if s.JsonnetDir == "" {
		return "base64://" + base64.StdEncoding.EncodeToString([]byte(source)), nil
	}
	dir, err := filepath.Abs(s.JsonnetDir)
	if err != nil {
		return "", fmt.Errorf("find jsonnet folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Kratos, another user, reads it
		return "", fmt.Errorf("make jsonnet folder: %w", err)
	}
	name := filepath.Join(dir, file)
	if err := os.WriteFile(name, []byte(source), 0o644); err != nil { //nolint:gosec // as above; it holds no secret
		return "", fmt.Errorf("write jsonnet: %w", err)
	}
	return "file://" + name, nil
}
