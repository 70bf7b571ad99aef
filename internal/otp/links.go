package otp

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// LinkLength is how many characters a link has.
const LinkLength = 35

// linkProof is the length of a link's proof, in bytes: 80 bits cannot be guessed
// over a network.
const linkProof = 10

// Link names a claim for the person who may deny it: characters that only the
// key ring can make, fit for a URL and a text. A claim's id has 16 bytes in
// hexadecimal digits, with or without hyphens.
func (c *Codes) Link(claimID string) (string, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(claimID, "-", ""))
	if err != nil || len(id) != 16 {
		return "", fmt.Errorf("%w: not made from such an id", ErrLinkDead)
	}
	proof, err := c.ring[0].prove(claimID)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(id, proof...)), nil
}

// Linked returns the id of the claim that a link names. The error is
// [ErrLinkDead].
func (c *Codes) Linked(link string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(link)
	if err != nil || len(raw) != 16+linkProof {
		return "", ErrLinkDead
	}
	plain := hex.EncodeToString(raw[:16])
	hyphened := strings.Join([]string{plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]}, "-")
	for _, key := range c.ring {
		for _, id := range []string{plain, hyphened} {
			proof, err := key.prove(id)
			if err != nil {
				return "", err
			}
			if hmac.Equal(proof, raw[16:]) {
				return id, nil
			}
		}
	}
	return "", ErrLinkDead
}

func (k codeKey) prove(claimID string) ([]byte, error) {
	proof, err := hkdf.Expand(sha256.New, k.prk, "link|"+claimID, linkProof)
	if err != nil {
		return nil, fmt.Errorf("expand proof: %w", err)
	}
	return proof, nil
}
