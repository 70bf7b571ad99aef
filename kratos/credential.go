package kratos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// credential is one kind of an identity's credentials.
type credential struct {
	Identifiers []string        `json:"identifiers"`
	Version     int             `json:"version"`
	Config      json.RawMessage `json:"config"`
}

// The kinds of credentials whose content matters.
const (
	passwordKind = "password"
	webAuthnKind = "webauthn"
)

// hash is the hash of a password, blank if there is none or Kratos does not show
// it.
func (c credential) hash() string { return textIn(members(c.Config), "hashed_password") }

// standing is what a sign-in by name and password stands on: everybody whom Kratos
// knows by the name, whether they are active, and what they can sign in with.
type standing struct {
	people []identity
	digest digest
}

// standing asks Kratos for it.
func (d *Client) standing(ctx context.Context, name string) (standing, error) {
	if strings.TrimSpace(name) == "" {
		return standing{}, nil // Kratos would list everybody
	}
	people, err := d.list(ctx, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.ListIdentities(ctx).CredentialsIdentifier(name).
			IncludeCredential([]string{passwordKind, webAuthnKind}).Execute()
		return resp, err
	})
	texts := []string{"standing"}
	for _, p := range people {
		texts = append(texts, p.ID, p.State)
		for _, kind := range slices.Sorted(maps.Keys(p.Credentials)) {
			c := p.Credentials[kind]
			texts = append(texts, kind, strconv.Itoa(c.Version), c.hash(), strconv.Itoa(len(c.Identifiers)))
			texts = append(texts, c.Identifiers...)
		}
	}
	return standing{people, d.digest(texts...)}, err
}

// of returns somebody of these people, if what Kratos shows of them proves that
// their password is still the same.
func (s standing) of(identityID string) (identity, bool) {
	for _, p := range s.people {
		if p.ID == identityID {
			return p, p.State != inactive && p.Credentials[passwordKind].hash() != ""
		}
	}
	return identity{}, false
}

// named adds to Kratos' refusal of a session without a second factor which ones
// there are.
func (s standing) named(err error) error {
	if !errors.Is(err, auth.ErrSecondFactor) {
		return err
	}
	for _, p := range s.people {
		if shown := p.factors(); len(shown) > 0 {
			return fmt.Errorf("%w: %w", err, &claim.SecondFactorError{Missing: shown})
		}
	}
	return err
}
