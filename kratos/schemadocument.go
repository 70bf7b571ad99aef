package kratos

import (
	"net/url"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"
)

// mostSteps bounds how far a schema is followed, so that one that refers to
// itself ends.
const mostSteps = 2000

// walk goes through a JSON schema (draft-07) for one question, following the
// references that stay inside it.
type walk struct {
	root   map[string]any
	steps  int
	unread bool // it came to a part that cannot be read from here
}

// Trait is what an identity schema says of a trait
// (https://www.ory.sh/docs/kratos/manage-identities/identity-schema).
type Trait struct {
	Known      bool // the schema describes it
	Code       bool // it is an identifier for sign-in by code
	Identifier bool // it is an identifier for sign-in, by code or otherwise
	Verifiable bool // it is a verifiable address for texts
	Tel        bool // it has the format tel, which Kratos checks before any hook runs
	// Unread tells that a part of the schema cannot be read from here, so that the
	// rest may be a guess.
	Unread bool
}

// DescribeTrait reads what a schema says of a top-level trait. A part of the
// schema that cannot be read from here might say anything: then it does, because
// to miss a code identifier would leave one behind that nobody proved.
func DescribeTrait(schema map[string]any, trait string) Trait {
	w := &walk{root: schema}
	parts := []any{schema}
	for _, name := range []string{"traits", trait} {
		var next []any
		for _, part := range parts {
			next = append(next, w.property(part, name)...)
		}
		parts = next
	}
	found := Trait{Known: len(parts) > 0, Unread: w.unread}
	for _, part := range parts {
		found.Tel = found.Tel || (&walk{root: schema}).hasFormat(part, "tel")
	}
	for _, question := range []struct {
		something func(extension map[string]any) bool
		answer    *bool
	}{{isCode, &found.Code}, {isIdentifier, &found.Identifier}, {isVerifiable, &found.Verifiable}} {
		w := &walk{root: schema}
		for _, part := range parts {
			*question.answer = *question.answer || w.says(part, question.something)
		}
		found.Unread = found.Unread || w.unread
	}
	return found
}

// isCode reports whether Kratos' extension sets credentials.code.identifier.
func isCode(extension map[string]any) bool {
	credentials, _ := extension["credentials"].(map[string]any)
	code, _ := credentials["code"].(map[string]any)
	identifier, _ := code["identifier"].(bool)
	return identifier
}

// isIdentifier reports whether Kratos' extension sets an identifier of credentials of
// any kind.
func isIdentifier(extension map[string]any) bool {
	credentials, _ := extension["credentials"].(map[string]any)
	for _, kind := range credentials {
		settings, _ := kind.(map[string]any)
		if identifier, _ := settings["identifier"].(bool); identifier {
			return true
		}
	}
	return false
}

// isVerifiable reports whether Kratos' extension sets verification.via to sms.
func isVerifiable(extension map[string]any) bool {
	verification, _ := extension["verification"].(map[string]any)
	return verification["via"] == "sms"
}

// unreadable stands for a part of the schema that lies elsewhere.
type unreadable struct{}

// hasFormat reports whether a readable part asks for a format.
func (w *walk) hasFormat(part any, format string) bool {
	object, ok := part.(map[string]any)
	w.steps++
	if !ok || w.steps > mostSteps {
		return false
	}
	return object["format"] == format ||
		slices.ContainsFunc(w.pieces(object), func(piece any) bool { return w.hasFormat(piece, format) })
}

// property returns every description of a property within a part.
func (w *walk) property(part any, name string) []any {
	object, ok := part.(map[string]any)
	w.steps++
	if _, gone := part.(unreadable); gone || w.steps > mostSteps {
		w.unread = true
		return []any{unreadable{}}
	}
	if !ok {
		return nil
	}
	var found []any
	if properties, ok := object["properties"].(map[string]any); ok && properties[name] != nil {
		found = append(found, properties[name])
	}
	for _, piece := range w.pieces(object) {
		found = append(found, w.property(piece, name)...)
	}
	return found
}

// says reports whether Kratos' extension of a part, or of what it is made of, says
// something.
func (w *walk) says(part any, something func(extension map[string]any) bool) bool {
	object, ok := part.(map[string]any)
	w.steps++
	if _, gone := part.(unreadable); gone || w.steps > mostSteps {
		w.unread = true
		return true
	}
	if !ok {
		return false
	}
	extension, _ := object["ory.sh/kratos"].(map[string]any)
	if something(extension) {
		return true
	}
	for _, piece := range w.pieces(object) {
		if w.says(piece, something) {
			return true
		}
	}
	return false
}

// pieces returns the schemas that apply to the same value as this one.
func (w *walk) pieces(object map[string]any) []any {
	var pieces []any
	if ref, ok := object["$ref"].(string); ok {
		pieces = append(pieces, w.resolve(ref))
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := object[keyword].([]any)
		pieces = append(pieces, list...)
	}
	for _, keyword := range []string{"if", "then", "else"} {
		if piece, ok := object[keyword]; ok {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// resolve follows a reference: a JSON pointer in a URI fragment (RFC 6901,
// section 6).
func (w *walk) resolve(ref string) any {
	base, _ := w.root["$id"].(string)
	fragment, local := strings.CutPrefix(strings.TrimPrefix(ref, strings.TrimSuffix(base, "#")), "#")
	path, err := url.PathUnescape(fragment)
	if !local || err != nil || (path != "" && !strings.HasPrefix(path, "/")) {
		return unreadable{}
	}
	var at any = w.root
	for _, name := range strings.Split(path, "/")[1:] {
		object, ok := at.(map[string]any)
		if !ok || object[jsonpointer.Unescape(name)] == nil {
			return unreadable{}
		}
		at = object[jsonpointer.Unescape(name)]
	}
	return at
}
