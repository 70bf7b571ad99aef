package kratos

import (
	"errors"
	"fmt"

	kratos "github.com/ory/kratos-client-go"
	"golang.org/x/crypto/bcrypt"

	"github.com/holdline/holdline/internal/scim"
)

func password(text string) *kratos.IdentityWithCredentials {
	config := kratos.IdentityWithCredentialsPasswordConfig{Password: &text}
	return &kratos.IdentityWithCredentials{Password: &kratos.IdentityWithCredentialsPassword{Config: &config}}
}

// Where an identity has its password. Whoever has none has no such credential.
const (
	credentialPath = "/credentials/password"
	hashPath       = credentialPath + "/config/hashed_password"
)

// hashed is a hash of a password. Only [Directory.Password] makes one, because
// Kratos checks nothing of what is written in its place: a plain text there is
// answered 200 and opens nothing.
type hashed string

// newCredential is a password of an identity that has none.
type newCredential struct {
	Type        string   `json:"type"`
	Identifiers []string `json:"identifiers"` // which Kratos makes of the traits
	Config      struct {
		Hash hashed `json:"hashed_password"`
	} `json:"config"`
}

// Password makes the operation that gives an identity a password, whether it has one
// or not, for [Directory.Change]. A PATCH of the hash leaves everything else of the
// identity alone, also what no client library knows; a PUT would not (docs/kratos.md,
// I). Kratos' policy does not apply. A password that bcrypt cannot take, of more than
// 72 bytes or none, is a *scim.ViolationError at #/password.
func (d *Client) Password(of scim.Record, text string) (scim.Operation, error) {
	const operation = "hash password"
	if text == "" {
		return scim.Operation{}, fmt.Errorf("%s: %w", operation, &scim.ViolationError{Pointers: []string{passwordPointer}})
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(text), d.opt.PasswordCost)
	if errors.Is(err, bcrypt.ErrPasswordTooLong) {
		err = &scim.ViolationError{Pointers: []string{passwordPointer}}
	}
	if err != nil {
		return scim.Operation{}, fmt.Errorf("%s: %w", operation, err)
	}
	if of.HasPassword {
		return scim.Operation{Op: scim.Add, Path: hashPath, Value: hashed(hash)}, nil
	}
	made := newCredential{Type: passwordKind, Identifiers: []string{}}
	made.Config.Hash = hashed(hash)
	return scim.Operation{Op: scim.Add, Path: credentialPath, Value: made}, nil
}

// setsPassword reports whether an operation is one that Password made.
func setsPassword(o scim.Operation) bool {
	switch o.Value.(type) {
	case hashed:
		return o.Op == scim.Add && o.Path == hashPath
	case newCredential:
		return o.Op == scim.Add && o.Path == credentialPath
	default:
		return false
	}
}
