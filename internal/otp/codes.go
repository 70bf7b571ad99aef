package otp

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/textclean"
)

// Alphabet names the characters of a code.
type Alphabet string

// The alphabets. The alphanumeric one leaves out what people confuse.
const (
	Numeric      Alphabet = "numeric"
	Alphanumeric Alphabet = "alphanumeric"
)

const (
	numericChars      = "0123456789"
	alphanumericChars = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	shortestCode      = 4
	longestCode       = 10
	// ShortestSecret is the least length of a key ring secret, in bytes.
	ShortestSecret = 32
)

// Possible returns how many different codes of a length there are.
func (a Alphabet) Possible(length int) int64 {
	chars := len(numericChars)
	if a == Alphanumeric {
		chars = len(alphanumericChars)
	}
	n := int64(1)
	for range length {
		n *= int64(chars)
	}
	return n
}

// EnoughCodes are so many different codes that one may be good for as long as
// a setting allows; where there are fewer, for [FewCodesValidity] at most.
const (
	EnoughCodes      = 1_000_000
	FewCodesValidity = 10 * time.Minute
)

// ValiditySetting is the name of the setting of how long a code is good, which is
// WSO2 Identity Server's.
const ValiditySetting = "identity_mgt.user_claim_update.mobile.verification_sms_otp_validity"

// CheckCodes refuses codes that are few and good for long: both together make them
// worth guessing. The error names both settings.
func CheckCodes(length int, alphabet Alphabet, validity time.Duration) error {
	if alphabet.Possible(length) >= EnoughCodes || validity <= FewCodesValidity {
		return nil
	}
	return fmt.Errorf("otp.length: %d makes fewer than %d codes (%s); with %s above %s raise it",
		length, EnoughCodes, alphabet, ValiditySetting, FewCodesValidity)
}

// CodeRef names a code without being one: with the key ring, and only with it,
// the code can be derived. A claim and its texts keep refs; nothing keeps codes.
type CodeRef struct {
	ClaimID string
	Key     string // of the ring that made it, and the code's form
	Number  int    // 1 for the claim's first code; a resend may raise it
}

// form reads what the key says of the code, and the id of its secret.
func (ref CodeRef) form() (chars string, length int, secret string, ok bool) {
	form, secret, _ := strings.Cut(ref.Key, ".")
	if form == "" {
		return "", 0, "", false
	}
	length, err := strconv.Atoi(form[1:])
	if err != nil || length < shortestCode || length > longestCode {
		return "", 0, "", false
	}
	chars = numericChars
	if form[0] == 'a' {
		chars = alphanumericChars
	}
	return chars, length, secret, true
}

// Codes derives one-time codes: HKDF (RFC 5869) with SHA-256 from a secret of
// the key ring, the claim's id and the code's number, spread over the alphabet
// without bias. The first secret makes new codes, the others still verify.
type Codes struct {
	form string // of new codes: alphabet initial and length, such as n6
	ring []codeKey
}

type codeKey struct {
	id  string
	prk []byte
}

// New checks all its arguments and reports every fault.
func New(secrets []string, length int, alphabet Alphabet) (*Codes, error) {
	var faults []error
	if length < shortestCode || length > longestCode {
		faults = append(faults, fmt.Errorf("otp.length: must be from %d to %d", shortestCode, longestCode))
	}
	if alphabet != Numeric && alphabet != Alphanumeric {
		faults = append(faults, fmt.Errorf("otp.alphabet: must be %s or %s", Numeric, Alphanumeric))
	}
	if len(secrets) == 0 {
		faults = append(faults, errors.New("secrets.otp: at least one secret is needed"))
	}
	codes := &Codes{form: fmt.Sprintf("%.1s%d", alphabet, length)}
	for i, secret := range secrets {
		if len(secret) < ShortestSecret {
			faults = append(faults, fmt.Errorf("secrets.otp[%d]: must have at least %d characters", i, ShortestSecret))
			continue
		}
		prk, err := hkdf.Extract(sha256.New, []byte(secret), []byte("holdline otp v1"))
		if err != nil {
			return nil, fmt.Errorf("extract key: %w", err)
		}
		id, err := hkdf.Expand(sha256.New, prk, "key id", 8)
		if err != nil {
			return nil, fmt.Errorf("expand key id: %w", err)
		}
		codes.ring = append(codes.ring, codeKey{hex.EncodeToString(id), prk})
	}
	return codes, errors.Join(faults...)
}

// Key names the key and form that new codes are made with.
func (c *Codes) Key() string { return c.form + "." + c.ring[0].id }

// Code derives a code. The error is [ErrUnknownKey].
func (c *Codes) Code(ref CodeRef) (string, error) {
	chars, length, id, ok := ref.form()
	if !ok {
		return "", ErrUnknownKey
	}
	for _, key := range c.ring {
		if key.id == id {
			return spread(key.prk, ref, chars, length)
		}
	}
	return "", ErrUnknownKey
}

// spread draws characters from the key's stream, refusing the bytes that would
// favour the front of the alphabet.
func spread(prk []byte, ref CodeRef, chars string, length int) (string, error) {
	fair := 256 - 256%len(chars)
	code := make([]byte, 0, length)
	for block := 0; ; block++ {
		stream, err := hkdf.Expand(sha256.New, prk, fmt.Sprintf("code|%s|%d|%d", ref.ClaimID, ref.Number, block), 64)
		if err != nil {
			return "", fmt.Errorf("expand code: %w", err)
		}
		for _, b := range stream {
			if int(b) >= fair {
				continue
			}
			code = append(code, chars[int(b)%len(chars)])
			if len(code) == length {
				return string(code), nil
			}
		}
	}
}

// Match compares what a person typed with the code, in constant time. What cannot
// be seen, spaces, dashes and the case of letters do not count. The error is
// [ErrUnknownKey].
func (c *Codes) Match(ref CodeRef, typed string) (bool, error) {
	code, err := c.Code(ref)
	if err != nil {
		return false, err
	}
	return hmac.Equal([]byte(code), []byte(plainCode(typed))), nil
}

// MayMatch reports whether what a person typed looks like a code of this form at
// all, so that a slip costs no try; where there is no code yet, like a new one. It
// asks nothing about the code itself.
func (c *Codes) MayMatch(ref CodeRef, typed string) bool {
	chars, length, _, ok := ref.form()
	if !ok {
		chars, length, _, _ = CodeRef{Key: c.Key()}.form()
	}
	code := plainCode(typed)
	return len(code) == length && strings.Trim(code, chars) == ""
}

var betweenGroups = strings.NewReplacer(" ", "", "-", "")

// plainCode returns what was typed as codes are written.
func plainCode(typed string) string {
	if len(typed) > textclean.Longest {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, betweenGroups.Replace(textclean.Clean(typed)))
}
