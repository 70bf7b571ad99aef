package config

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Token is a provisioning client's bearer token, by its digest.
type Token struct {
	Name       string   `koanf:"name"`
	SHA256     string   `koanf:"sha256"`
	Scopes     []string `koanf:"scopes"`
	Privileged bool     `koanf:"privileged"`
}

func (c Config) checkTokens(f *faults) {
	names, digests := map[string]bool{}, map[string]bool{}
	for i, t := range c.Tokens {
		at, digest := fmt.Sprintf("tokens[%d].", i), strings.ToLower(t.SHA256)
		sum, err := hex.DecodeString(digest)
		f.unless(t.Name != "", at+"name", "is missing")
		f.unless(!names[t.Name], at+"name", "is used twice")
		f.unless(err == nil && len(sum) == 32, at+"sha256", "must be the 64 hexadecimal digits that `holdline token create` prints")
		f.unless(!digests[digest], at+"sha256", "is used twice")
		for _, scope := range t.Scopes {
			f.oneOf(at+"scopes", scope, "scim:read", "scim:write", "claims:manage")
		}
		names[t.Name], digests[digest] = true, true
	}
}
