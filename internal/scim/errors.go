package scim

// Error is what RFC 7644, section 3.12 answers with. Detail is for people and
// repeats nothing secret.
type Error struct {
	Status   int
	ScimType Keyword // blank where the RFC has none for the status
	Detail   string
}

func (e *Error) Error() string { return "scim: " + e.Detail }

// Keyword is one of the detail error keywords of RFC 7644 (table 9) and RFC 9865.
type Keyword string

// The keywords.
const (
	InvalidFilter Keyword = "invalidFilter"
	TooMany       Keyword = "tooMany"
	Uniquity      Keyword = "uniqueness"
	Mutable       Keyword = "mutability"
	InvalidSyntax Keyword = "invalidSyntax"
	InvalidPath   Keyword = "invalidPath"
	NoTarget      Keyword = "noTarget"
	InvalidValue  Keyword = "invalidValue"
	InvalidVers   Keyword = "invalidVers"
	Sensitive     Keyword = "sensitive"

	// Of RFC 9865, section 2.1.
	InvalidCursor Keyword = "invalidCursor"
	ExpiredCursor Keyword = "expiredCursor"
	InvalidCount  Keyword = "invalidCount"
)

// Bad returns a 400 with a keyword.
func Bad(kind Keyword, detail string) *Error {
	return &Error{Status: 400, ScimType: kind, Detail: detail}
}
