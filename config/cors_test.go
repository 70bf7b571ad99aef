package config_test

import (
	"strings"
	"testing"
)

func TestSitesThatMayCallTheUserAPI(t *testing.T) {
	const key = "public.cors.allowed_origins"
	for name, tt := range map[string]struct{ base, origins, complaint string }{
		"one":                  {"https://id.example.com", `["https://account.example.com"]`, ""},
		"several":              {"https://id.example.com", `["https://account.example.com", "https://bank.example:8443"]`, ""},
		"at home":              {"http://127.0.0.1:4477", `["http://127.0.0.1:4455", "http://localhost:3000"]`, ""},
		"everybody":            {"https://id.example.com", `["*"]`, key + ": must name each origin"},
		"a wildcard":           {"https://id.example.com", `["https://*.example.com"]`, key + ": must name each origin"},
		"a path":               {"https://id.example.com", `["https://account.example.com/"]`, key + ": must be origins"},
		"a query":              {"https://id.example.com", `["https://account.example.com?"]`, key + ": must be origins"},
		"a password":           {"https://id.example.com", `["https://a:b@account.example.com"]`, key + ": must be origins"},
		"a host":               {"https://id.example.com", `["account.example.com"]`, key + ": must be origins"},
		"nobody":               {"https://id.example.com", `["null"]`, key + ": must be origins"},
		"an app":               {"https://id.example.com", `["capacitor://localhost"]`, key + ": must be origins"},
		"one that can be read": {"https://id.example.com", `["http://account.example.com"]`, key + ": must be https"},
	} {
		_, err := load(t, "holdline.yml", good+"\npublic: {base_url: \""+tt.base+"\", cors: {allowed_origins: "+tt.origins+"}}\n", nil, nil)
		if (err == nil) != (tt.complaint == "") || err != nil && !strings.Contains(err.Error(), tt.complaint) {
			t.Errorf("%s: got %v, want %q", name, err, tt.complaint)
		}
	}
}
