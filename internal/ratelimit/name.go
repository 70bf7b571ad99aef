package ratelimit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// HashedName names what a limiter counts, such as the "password" tries of an address,
// without telling who it is: the subject is hashed with a key. Replicas that have
// the same key count together.
func HashedName(key []byte, kind, subject string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind + " " + subject))
	return kind + ":" + hex.EncodeToString(mac.Sum(nil))
}
