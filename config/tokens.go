package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Token is a provisioning client's bearer token, by its digest.
type Token struct {
	Name       string   `koanf:"name"`
	SHA256     string   `koanf:"sha256"`
	Scopes     []string `koanf:"scopes"`
	Privileged bool     `koanf:"privileged"`
	Expires    string   `koanf:"expires"`
}

// errExpires says how an expiry is written.
var errExpires = errors.New("must be a day such as 2027-06-30, whose end in UTC is meant, or a time such as 2027-06-30T18:00:00Z (RFC 3339)")

// ParseExpires reads from when on a token is not in force: after a day, which is over
// at midnight in UTC, or at a time (RFC 3339). Blank is never, and zero.
func ParseExpires(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.IsZero() {
		return time.Time{}, errExpires
	}
	return at.UTC(), nil
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
		if _, err := ParseExpires(t.Expires); err != nil {
			f.unless(false, at+"expires", err.Error())
		}
		for _, scope := range t.Scopes {
			f.oneOf(at+"scopes", scope, "scim:read", "scim:write", "claims:manage")
		}
		names[t.Name], digests[digest] = true, true
	}
}
