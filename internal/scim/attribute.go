// Package scim is the part of SCIM 2.0 (RFC 7643, RFC 7644) that knows neither
// HTTP nor Kratos nor a database: schemas, resources as JSON documents, paths
// and errors. Its subpackages patch and filter work on these.
package scim

import "strings"

// The schemas that Holdline speaks.
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	// WSO2Schema is what WSO2 Identity Server's clients use for the feature's own
	// attributes; it is accepted and shown when configured.
	WSO2Schema = "urn:scim:wso2:schema"
)

// Type is an attribute's data type (RFC 7643, section 2.3).
type Type string

// The types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// Attribute is one attribute's definition, with the characteristics of RFC 7643,
// section 7. The zero values are the section's defaults where it has any.
type Attribute struct {
	Name            string
	Type            Type
	MultiValued     bool
	Description     string
	Required        bool
	CaseExact       bool
	CanonicalValues []string
	Mutability      Mutability
	Returned        Returned
	Uniqueness      Uniqueness
	ReferenceTypes  []string
	Sub             []Attribute
	// AnyValue is for a boolean that takes, in lenient reading, whatever a client
	// sends: true, and "true" in any case, are true; all else is false.
	AnyValue bool
	// Assigned is for what always has a value: it can be changed and not removed.
	Assigned bool
	// Single is the type that one element at most may have, and only with a value:
	// an element that is added takes the place of the one that is there.
	Single string
}

// Mutability says who may write an attribute.
type Mutability string

// The mutabilities; blank is readWrite.
const (
	ReadWrite Mutability = "readWrite"
	ReadOnly  Mutability = "readOnly"
	Immutable Mutability = "immutable"
	WriteOnly Mutability = "writeOnly"
)

// Returned says when an attribute is in an answer.
type Returned string

// The cases; blank is default.
const (
	ReturnedAlways  Returned = "always"
	ReturnedNever   Returned = "never"
	ReturnedDefault Returned = "default"
	ReturnedRequest Returned = "request"
)

// Uniqueness says among what a value is unique.
type Uniqueness string

// The kinds of uniqueness; blank is none.
const (
	UniqueNone   Uniqueness = "none"
	UniqueServer Uniqueness = "server"
	UniqueGlobal Uniqueness = "global"
)

// Find returns a sub-attribute by its name, in any case.
func (a Attribute) Find(name string) (Attribute, bool) { return find(a.Sub, name) }

func find(attributes []Attribute, name string) (Attribute, bool) {
	for _, a := range attributes {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return Attribute{}, false
}

// Schema is a set of attributes with a name of its own.
type Schema struct {
	ID          string // the URN
	Name        string
	Description string
	Attributes  []Attribute
	// Unlisted schemas are taken from clients, and neither announced nor shown.
	Unlisted bool
}

// Find returns an attribute by its name, in any case.
func (s Schema) Find(name string) (Attribute, bool) { return find(s.Attributes, name) }

// Resource is a resource's type: a core schema and its extensions. Attributes of
// an extension stand in a document under the extension's URN (RFC 7643, section
// 3.3).
type Resource struct {
	Name       string // User
	Endpoint   string // /Users
	Core       Schema
	Extensions []Schema
}
