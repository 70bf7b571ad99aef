// Package cursor seals where a list goes on (RFC 9865), so that clients can neither read
// nor change it, nor use it for another list.
package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdline/holdline/internal/scim"
)

// Ring has the keys: the first seals, all open.
type Ring struct{ keys []cipher.AEAD }

// New derives keys from the secrets of a key ring.
func New(secrets []string) (*Ring, error) {
	r := &Ring{}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "scim cursors v1", 32)
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("make cipher: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("make cipher: %w", err)
		}
		r.keys = append(r.keys, aead)
	}
	if len(r.keys) == 0 {
		return nil, errors.New("cursor: no secrets")
	}
	return r, nil
}

// sealed is what a cursor holds.
type sealed struct {
	Position string `json:"p"`
	Made     int64  `json:"t"` // Unix time
}

// Seal returns a cursor for a position in a list. What the list is, and who reads it,
// must be the same when the cursor is opened.
func (r *Ring) Seal(position string, now time.Time, list ...string) (string, error) {
	text, err := json.Marshal(sealed{position, now.Unix()})
	if err != nil {
		return "", fmt.Errorf("write cursor: %w", err)
	}
	bound, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("write cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(r.keys[0].Seal(nil, nil, text, bound)), nil //nolint:gosec // it adds a nonce by itself
}

// longest is how long a cursor may be, in characters. Those of [Ring.Seal] are shorter.
const longest = 1024

// Open returns the position that a cursor stands for. Errors are [*scim.Error]:
// invalidCursor, also for a cursor of another list or reader, and expiredCursor.
func (r *Ring) Open(text string, now time.Time, timeout time.Duration, list ...string) (string, error) {
	invalid := scim.Bad(scim.InvalidCursor, "the cursor is none of this list, or was changed: ask without a cursor's value for the first page")
	if len(text) > longest {
		return "", invalid
	}
	ciphertext, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", invalid
	}
	bound, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("read cursor: %w", err)
	}
	for _, key := range r.keys {
		plain, err := key.Open(nil, nil, ciphertext, bound)
		if err != nil {
			continue
		}
		var s sealed
		if err := json.Unmarshal(plain, &s); err != nil {
			return "", invalid
		}
		if now.Unix()-s.Made > int64(timeout/time.Second) {
			return "", Expired()
		}
		return s.Position, nil
	}
	return "", invalid
}

// Expired is the error for a cursor that was good once.
func Expired() error {
	return scim.Bad(scim.ExpiredCursor, "the cursor has expired: begin with the first page again")
}
