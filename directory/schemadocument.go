package directory

import (
	"net/url"
	"strings"
)

// mostSteps bounds how far a schema is followed, so that one that refers to
// itself ends.
const mostSteps = 2000

// walk goes through a JSON schema (draft-07), following the references that stay
// inside it.
type walk struct {
	root  map[string]any
	steps int
}

// codeIdentifier tells whether a trait is an identifier for sign-in by code
// (https://www.ory.sh/docs/kratos/manage-identities/identity-schema). A part of
// the schema that cannot be read from here might say so: then it does, because
// to miss it would leave an identifier behind that nobody proved.
func codeIdentifier(root map[string]any, trait string) bool {
	w := &walk{root: root}
	parts := []any{root}
	for _, name := range []string{"traits", trait} {
		var next []any
		for _, part := range parts {
			next = append(next, w.property(part, name)...)
		}
		parts = next
	}
	for _, part := range parts {
		if w.saysCode(part) {
			return true
		}
	}
	return false
}

// unreadable stands for a part of the schema that lies elsewhere.
type unreadable struct{}

// property returns every description of a property within a part.
func (w *walk) property(part any, name string) []any {
	object, ok := part.(map[string]any)
	w.steps++
	if _, gone := part.(unreadable); gone || w.steps > mostSteps {
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

// saysCode tells whether Kratos' extension of a part, or of what it is made of,
// sets credentials.code.identifier.
func (w *walk) saysCode(part any) bool {
	object, ok := part.(map[string]any)
	w.steps++
	if _, gone := part.(unreadable); gone || w.steps > mostSteps {
		return true
	}
	if !ok {
		return false
	}
	extension, _ := object["ory.sh/kratos"].(map[string]any)
	credentials, _ := extension["credentials"].(map[string]any)
	code, _ := credentials["code"].(map[string]any)
	if identifier, _ := code["identifier"].(bool); identifier {
		return true
	}
	for _, piece := range w.pieces(object) {
		if w.saysCode(piece) {
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
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	var at any = w.root
	for _, name := range strings.Split(path, "/")[1:] {
		object, ok := at.(map[string]any)
		if !ok || object[unescape.Replace(name)] == nil {
			return unreadable{}
		}
		at = object[unescape.Replace(name)]
	}
	return at
}
