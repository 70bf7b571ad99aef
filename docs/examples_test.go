package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/config"
)

type tree = map[string]any

// whole is a configuration without a fault, for examples to be laid over.
func whole() tree {
	return tree{
		"public":  tree{"base_url": "https://id.example.com"},
		"kratos":  tree{"public_url": "http://127.0.0.1:4433", "admin_url": "http://127.0.0.1:4434"},
		"secrets": tree{"otp": []any{"an example of at least 32 characters"}},
		"hooks":   tree{"api_key": "an example key of some length"},
		"sms":     tree{"gateways": []any{gateway("main"), gateway("spare"), gateway("phone")}},
	}
}

func gateway(id string) tree { return tree{"id": id, "type": "simulator"} }

// placeholder is what examples have in place of a secret, an id or a URL.
var placeholder = regexp.MustCompile(`^(…|https?://…|[A-Z]{2}…|…[^…]+…|base64://…)$`)

// filled replaces placeholders by what the key takes, and files by ones that exist.
func filled(t *testing.T, key string, value any) any {
	t.Helper()
	switch value := value.(type) {
	case tree:
		out := tree{}
		for k, v := range value {
			out[k] = filled(t, k, v)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = filled(t, key, v)
		}
		return out
	case string:
		switch {
		case strings.HasSuffix(key, "_file") || key == "logo":
			name := filepath.Join(t.TempDir(), "secret.svg")
			content := "an-example-of-a-secret-long-enough-0123456789"
			if key == "logo" {
				content = `<svg xmlns="http://www.w3.org/2000/svg"/>`
			}
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		case key == "dsn":
			return strings.ReplaceAll(value, "…", "secret")
		case key == "sha256" && !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(value):
			return strings.Repeat("0123456789abcdef", 4)
		case key == "body" && strings.Contains(value, "…"):
			return "base64://ZnVuY3Rpb24oY3R4KSB7fQ=="
		case strings.HasPrefix(value, "http") && placeholder.MatchString(value):
			return "https://sms.example.com/send"
		case placeholder.MatchString(value):
			prefix := strings.TrimSuffix(value, "…")
			if strings.Contains(prefix, "…") {
				prefix = ""
			}
			return prefix + "0123456789abcdef0123456789abcdef"
		}
	}
	return value
}

// over lays one document over another: objects are merged, all else replaced.
func over(under, above tree) tree {
	out := maps.Clone(under)
	for key, value := range above {
		below, isTree := out[key].(tree)
		if more, ok := value.(tree); ok && isTree {
			value = over(below, more)
		}
		out[key] = value
	}
	return out
}

// parsed reads a block of YAML or TOML.
func parsed(b block) (content any, err error) {
	if b.language == "toml" {
		return toml.Parser().Unmarshal([]byte(b.text))
	}
	err = yaml.Unmarshal([]byte(b.text), &content)
	return content, err
}

// YAML or TOML without an attribute of="…" is Holdline's configuration, a part of it, or a
// list of gateways.
func TestEveryConfigurationInTheDocumentsLoads(t *testing.T) {
	seen := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.language != "yaml" && b.language != "toml" {
				continue
			}
			where := fmt.Sprintf("%s:%d", d.name, b.line)
			content, err := parsed(b)
			if err != nil {
				t.Errorf("%s: %v", where, err)
			}
			if err != nil || b.attributes["of"] != "" {
				continue
			}
			seen++
			t.Run(where, func(t *testing.T) {
				part, ok := content.(tree)
				if list, isList := content.([]any); isList {
					part, ok = tree{"sms": tree{"gateways": list}}, true
				}
				if !ok {
					t.Fatalf("it is %T", content)
				}
				loads(t, over(whole(), filled(t, "", part).(tree)))
			})
		}
	}
	if seen < 15 {
		t.Errorf("only %d configurations were seen", seen)
	}
}

func loads(t *testing.T, document tree) {
	t.Helper()
	text, err := yaml.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "holdline.yml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse([]string{"--config", name}); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(flags, nil); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestEveryJSONInTheDocumentsIsJSON(t *testing.T) {
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.language == "json" && !json.Valid([]byte(b.text)) {
				t.Errorf("%s:%d: this is no JSON", d.name, b.line)
			}
		}
	}
}
