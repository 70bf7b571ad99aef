package demo

import (
	"bytes"
	_ "embed" // for the files
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/knadh/koanf/maps"
	"go.yaml.in/yaml/v3"
)

//go:embed kratos.yml.tmpl
var kratosTemplate string

//go:embed identity.schema.json
var identitySchema []byte

const (
	kratosFile = "kratos.yml"
	schemaFile = "identity.schema.json"
)

// kratosBase is what the template needs.
type kratosBase struct {
	Ports ports
	Settings
	CookieSecret, CipherSecret string
}

// writeKratosFiles puts Kratos' configuration together: the base with the
// fragment merged over it. Maps are merged, everything else is replaced.
func writeKratosFiles(dir string, base kratosBase, fragment []byte) error {
	parsed, err := template.New(kratosFile).Parse(kratosTemplate)
	if err != nil {
		return fmt.Errorf("read the base of kratos.yml: %w", err)
	}
	var filled bytes.Buffer
	if err := parsed.Execute(&filled, base); err != nil {
		return fmt.Errorf("fill the base of kratos.yml: %w", err)
	}
	config, over := map[string]any{}, map[string]any{}
	if err := yaml.Unmarshal(filled.Bytes(), &config); err != nil {
		return fmt.Errorf("read the base of kratos.yml: %w", err)
	}
	if err := yaml.Unmarshal(fragment, &over); err != nil {
		return fmt.Errorf("read what kratos-config printed: %w", err)
	}
	maps.Merge(over, config)
	merged, err := yaml.Marshal(config)
	if err != nil {
		return fmt.Errorf("write kratos.yml: %w", err)
	}
	for name, content := range map[string][]byte{kratosFile: merged, schemaFile: identitySchema} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("write Kratos' files: %w", err)
		}
	}
	return nil
}
