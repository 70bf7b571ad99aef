package scim

// Error is what RFC 7644, section 3.12 answers with. Detail is for people and
// repeats nothing secret.
type Error struct {
	Status   int
	ScimType ScimType // blank where the RFC has none for the status
	Detail   string
}

func (e *Error) Error() string { return "scim: " + e.Detail }

// ScimType is one of RFC 7644's detail error keywords (table 9).
type ScimType string

// The keywords.
const (
	InvalidFilter ScimType = "invalidFilter"
	TooMany       ScimType = "tooMany"
	Uniquity      ScimType = "uniqueness"
	Mutable       ScimType = "mutability"
	InvalidSyntax ScimType = "invalidSyntax"
	InvalidPath   ScimType = "invalidPath"
	NoTarget      ScimType = "noTarget"
	InvalidValue  ScimType = "invalidValue"
	InvalidVers   ScimType = "invalidVers"
	Sensitive     ScimType = "sensitive"
)

// Bad returns a 400 with a keyword.
func Bad(kind ScimType, detail string) *Error {
	return &Error{Status: 400, ScimType: kind, Detail: detail}
}
