package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/config"
)

func TestPages(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	svg, png := file("a.svg", `<?xml version="1.0"?><svg xmlns="x"/>`), file("a.PNG", "\x89PNG\r\n\x1a\n…")
	for name, tt := range map[string]struct{ yaml, complaint string }{
		"nothing":              {`{}`, ""},
		"all":                  {`{name: Acme, logo: "` + svg + `", accent: "#1f4e8c", accent_dark: "#9cc2f5", return_url: "https://a.example/x?y=1", allowed_return_urls: ["https://a.example", "http://b.example:8080/app"], support_url: "mailto:help@example.com"}`, ""},
		"PNG":                  {`{logo: "` + png + `"}`, ""},
		"no file":              {`{logo: /missing.svg}`, "pages.logo: must be"},
		"not what it says":     {`{logo: "` + file("b.png", "<svg/>") + `"}`, "pages.logo: must be"},
		"another kind":         {`{logo: "` + file("b.gif", "GIF89a") + `"}`, "pages.logo: must be"},
		"large":                {`{logo: "` + file("c.svg", "<svg>"+strings.Repeat("x", 257<<10)) + `"}`, "pages.logo: must be"},
		"a name for a colour":  {`{accent: red}`, "pages.accent: must be a colour as #rrggbb"},
		"a short colour":       {`{accent: "#f00"}`, "pages.accent: must be a colour as #rrggbb"},
		"too light":            {`{accent: "#ff8800"}`, "pages.accent: cannot be read on the light ground: its contrast is 2."},
		"barely light enough":  {`{accent: "#737373"}`, "pages.accent: cannot be read on the light ground: its contrast is 4.37:1"},
		"too dark":             {`{accent_dark: "#1f4e8c"}`, "pages.accent_dark: cannot be read on the dark ground"},
		"a script to go on to": {`{return_url: "javascript:alert(1)"}`, "pages.return_url: must be"},
		"credentials":          {`{allowed_return_urls: ["https://a:b@c.example"]}`, "pages.allowed_return_urls: must be"},
		"no origin":            {`{allowed_return_urls: ["/x"]}`, "pages.allowed_return_urls: must be"},
		"no help":              {`{support_url: "tel:1"}`, "pages.support_url: must be"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, "holdline.yml", good+"\npages: "+tt.yaml+"\n", nil, nil)
			switch {
			case tt.complaint == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.complaint != "" && (err == nil || !strings.Contains(err.Error(), tt.complaint)):
				t.Errorf("got %v, want %q", err, tt.complaint)
			}
		})
	}
}

func TestWhereBrowsersGo(t *testing.T) {
	var cfg config.Config
	if got := cfg.ReturnURL(); got != "" {
		t.Errorf("of nothing: got %q", got)
	}
	cfg.Public.Host, cfg.Public.Port = "127.0.0.1", 4477
	if got := cfg.ReturnURL(); got != "http://127.0.0.1:4477/verify" {
		t.Errorf("on a first look: got %q", got)
	}
	cfg.Public.BaseURL = "https://id.example.com/mobile/"
	if got := cfg.ReturnURL(); got != "https://id.example.com/mobile/verify" {
		t.Errorf("got %q", got)
	}
	cfg.Hooks.ReturnURL = "https://example.com/own"
	if got := cfg.ReturnURL(); got != "https://example.com/own" {
		t.Errorf("got %q", got)
	}
	cfg.Hooks.ReturnURL = "none"
	if got := cfg.ReturnURL(); got != "" {
		t.Errorf("where Kratos' setting is left alone: got %q", got)
	}
	cfg.Kratos.PublicURL = "http://kratos:4433/"
	if got := cfg.Kratos.Browser(); got != "http://kratos:4433" {
		t.Errorf("got %q", got)
	}
	cfg.Kratos.BrowserURL = "https://auth.example.com/"
	if got := cfg.Kratos.Browser(); got != "https://auth.example.com" {
		t.Errorf("got %q", got)
	}
}
