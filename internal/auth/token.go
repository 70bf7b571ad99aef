package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
)

// Scope is something that a client's token allows.
type Scope string

// The scopes.
const (
	ScopeSCIMRead     Scope = "scim:read"
	ScopeSCIMWrite    Scope = "scim:write"
	ScopeClaimsManage Scope = "claims:manage"
)

// Scopes lists all scopes.
func Scopes() []Scope { return []Scope{ScopeSCIMRead, ScopeSCIMWrite, ScopeClaimsManage} }

// Token is the right of a client, such as a provisioning service, to call. The
// token itself is kept nowhere.
type Token struct {
	Name   string // of the client
	Digest TokenDigest
	Scopes []Scope
	// Privileged makes the client's changes those of a privileged user.
	Privileged bool
	CreatedAt  time.Time
	LastUsed   time.Time // to about a minute; zero for never
	RevokedAt  time.Time // zero while it is in force
	ExpiresAt  time.Time // from when on it is not in force; zero for never
	// CreatedBy is the administrator who made it, as the audit trail names them; blank for a command.
	CreatedBy string
}

// Expired reports whether the token's time is over.
func (t Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// InForce reports whether the token opens anything.
func (t Token) InForce(now time.Time) bool { return t.RevokedAt.IsZero() && !t.Expired(now) }

var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// NewToken checks what a token is to be made of.
func NewToken(name string, digest TokenDigest, scopes []Scope, privileged bool, now time.Time) (Token, error) {
	var faults []error
	if !tokenName.MatchString(name) {
		faults = append(faults, errors.New("the name must have 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit"))
	}
	var known []Scope
	for _, scope := range Scopes() {
		if slices.Contains(scopes, scope) {
			known = append(known, scope)
		}
	}
	for _, scope := range scopes {
		if !slices.Contains(known, scope) {
			faults = append(faults, fmt.Errorf("there is no scope %q: scopes are %v", scope, Scopes()))
		}
	}
	if len(scopes) == 0 {
		faults = append(faults, fmt.Errorf("a scope is needed: %v", Scopes()))
	}
	if len(faults) > 0 {
		return Token{}, errors.Join(faults...)
	}
	return Token{Name: name, Digest: digest, Scopes: known, Privileged: privileged, CreatedAt: now}, nil
}

// MadeBy returns the tokens in force that a token has made, and those that these have made. A name may
// have been another token's before: that one's are not meant.
func MadeBy(all []Token, maker Token, now time.Time) []Token {
	makers, made, seen := []Token{maker}, []Token(nil), map[string]bool{maker.Name: true}
	for len(makers) > 0 {
		by := makers[0]
		makers = makers[1:]
		for _, t := range all {
			if t.CreatedBy != by.Name || t.CreatedAt.Before(by.CreatedAt) || seen[t.Name] {
				continue
			}
			makers, seen[t.Name] = append(makers, t), true
			if t.InForce(now) {
				made = append(made, t)
			}
		}
	}
	return made
}

// Has reports whether the token has a scope.
func (t Token) Has(scope Scope) bool { return slices.Contains(t.Scopes, scope) }

// Actor is the client as the cause of a transition.
func (t Token) Actor(address string) audit.Actor {
	kind := audit.Client
	if t.Privileged {
		kind = audit.Privileged
	}
	return audit.Actor{Kind: kind, ID: t.Name, ClientIP: address}
}

// What the audit trail says of tokens. The reason names the token.
const (
	TokenCreated = "token_created"
	TokenRevoked = "token_revoked"
)

// Event is the line of the audit trail about what was done with a token.
func (t Token) Event(kind string, who audit.Actor, now time.Time) audit.Event {
	reason := t.Name
	if len(t.Scopes) > 0 {
		reason = fmt.Sprintf("%s %v", t.Name, t.Scopes)
	}
	if t.Privileged {
		reason += " privileged"
	}
	if !t.ExpiresAt.IsZero() {
		reason += " until " + t.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return audit.Event{Kind: kind, Actor: who, Reason: reason, At: now}
}

// TokenDigest is a token's SHA-256. It is looked up as it is, in an index: the
// time that takes may tell something of the digest, but nobody can choose a token
// by its digest, and of 256 random bits a digest gives nothing away. So there is
// nothing to compare in constant time, and no use for a salt or a slow hash.
type TokenDigest [sha256.Size]byte

// DigestToken returns a token's digest.
func DigestToken(token string) TokenDigest { return sha256.Sum256([]byte(token)) }

// ParseTokenDigest reads a digest's 64 hexadecimal digits.
func ParseTokenDigest(text string) (TokenDigest, error) {
	sum, err := hex.DecodeString(text)
	if err != nil || len(sum) != sha256.Size {
		return TokenDigest{}, errors.New("auth: no SHA-256 in hexadecimal digits")
	}
	return TokenDigest(sum), nil
}

func (d TokenDigest) String() string { return hex.EncodeToString(d[:]) }

// TokenSecret is the random part of a token.
type TokenSecret [32]byte

// tokenPrefix lets programs that look for leaked secrets find tokens.
const tokenPrefix = "hlt_"

// Mint makes a token of a secret: the prefix, and then in base64url the secret
// with the CRC-32 (IEEE) of prefix and secret. The checksum tells a slip from a
// token that is not in force, and a token from what only looks like one.
func (s TokenSecret) Mint() string {
	sum := crc32.ChecksumIEEE(append([]byte(tokenPrefix), s[:]...))
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(s[:], sum))
}

// minted reports whether a text has the form of a token that Mint made.
func minted(text string) bool {
	encoded, _ := strings.CutPrefix(text, tokenPrefix)
	data, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	return err == nil && len(data) > len(TokenSecret{}) && TokenSecret(data[:len(TokenSecret{})]).Mint() == text
}

// Tokens keeps clients' tokens. An implementer must hold to this: the event is
// kept with the change or not at all; of several callers who create a name or
// revoke it at once, one does. Errors are those named here, or wrap problem.ErrStoreUnavailable.
type Tokens interface {
	// Create keeps a token. A name that is in force at the event's time is ErrExists,
	// and so is a digest that is known; one that was revoked or has expired is used
	// again. Allow, if it is not nil, decides by all tokens, as List returns them: from
	// then until the token is kept nobody revokes the one that CreatedBy names. An error
	// of it ends the creation and is returned as it is. It may be called again.
	Create(ctx context.Context, t Token, e audit.Event, allow func(kept []Token) error) error
	// Revoke ends a token that was not revoked, if there is none ErrNoToken; and, if that
	// is wanted, those that it made (MadeBy): all of them or none.
	Revoke(ctx context.Context, name string, withMade bool, who audit.Actor, at time.Time) error
	// List returns all tokens by name, those that were revoked or have expired too.
	List(ctx context.Context) ([]Token, error)
	// Find returns the token with this digest, if it was not revoked: else ErrNoToken.
	// It may have expired.
	Find(ctx context.Context, digest TokenDigest) (Token, error)
	// Used notes when a token was used, unless it is revoked or was used later.
	Used(ctx context.Context, digest TokenDigest, at time.Time) error
}
