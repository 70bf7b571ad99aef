package config_test

import (
	"strings"
	"testing"
)

func TestTokensByTheirDigests(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	c, err := load(t, "holdline.yml", good+`
tokens:
  - {name: okta, sha256: `+digest+`, scopes: ["scim:read", "scim:write"], privileged: true}
  - {name: entra, sha256: `+strings.Repeat("CD", 32)+`, scopes: "claims:manage"}
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tokens) != 2 || !c.Tokens[0].Privileged || len(c.Tokens[0].Scopes) != 2 || c.Tokens[1].Privileged || len(c.Tokens[1].Scopes) != 1 {
		t.Errorf("got %+v", c.Tokens)
	}
	_, err = load(t, "holdline.yml", good+`
tokens:
  - {name: okta, sha256: `+digest+`, scopes: ["scim:all"]}
  - {name: okta, sha256: `+strings.ToUpper(digest)+`}
  - {sha256: hlt_theTokenItself}
`, nil, nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"tokens[0].scopes: must be", "tokens[1].name: is used twice", "tokens[1].sha256: is used twice",
		"tokens[2].name: is missing", "tokens[2].sha256: must be the 64",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hlt_") {
		t.Errorf("a token is shown: %v", err)
	}
}
