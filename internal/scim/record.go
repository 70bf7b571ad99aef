package scim

import (
	"errors"
	"time"
)

// Record is a whole identity, as the directory stores it. Numbers in its objects
// are json.Number, so that none of them loses digits.
type Record struct {
	ID             string
	SchemaID       string
	State          string // active or inactive
	Traits         map[string]any
	MetadataPublic map[string]any // nil for none
	MetadataAdmin  map[string]any // nil for none
	Addresses      []Address
	// HasPassword reports a credential for sign-in by password, be it an empty one. It is
	// false in what was listed.
	HasPassword bool
	CreatedAt   time.Time
	// UpdatedAt is what Kratos says, which v1.3 does not raise with a change: it is
	// no version.
	UpdatedAt time.Time
}

// The states of an identity.
const (
	Active   = "active"
	Inactive = "inactive"
)

// Address is one that the directory can verify.
type Address struct {
	Value    string
	Via      string // email or sms
	Status   string // pending, sent or completed
	Verified bool
}

// Draft is an identity that is to be made. Its addresses come of its traits, and
// are not verified.
type Draft struct {
	SchemaID       string
	State          string // blank for active
	Traits         map[string]any
	MetadataPublic map[string]any
	MetadataAdmin  map[string]any
	Password       string // blank for none
}

// Operation is one of a JSON patch (RFC 6902), of those that Kratos knows. Path
// is a JSON pointer into the identity: /traits, /metadata_public or
// /metadata_admin (which nothing removes as a whole; null empties metadata) and
// what is below, /state, or /verifiable_addresses/- to add an address. The directory
// itself makes the one that sets a password.
type Operation struct {
	Op    Op
	Path  string
	Value any // without meaning for remove
}

// Op is an operation's verb.
type Op string

// The verbs. Add makes the objects that lead to its path, and sets what is there
// already; remove fails where nothing is.
const (
	Add     Op = "add"
	Remove  Op = "remove"
	Replace Op = "replace"
)

// ErrTaken says that another identity has an address or identifier. Kratos does
// not say which.
var ErrTaken = errors.New("scim: another identity has an address or identifier")

// ViolationError says that the identity's schema refuses it.
type ViolationError struct {
	// Pointers are where, as JSON pointers such as #/traits/email; none where
	// Kratos does not say. They name attributes and hold no values.
	Pointers []string
}

func (*ViolationError) Error() string { return "scim: the identity's schema refuses it" }
