package mapping

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// maxParts bounds how much of a schema is looked at for one trait, so that one that
// refers to itself ends.
const maxParts = 200

// shape is what an identity schema (JSON schema, draft-07) says of one value: every
// part that applies to it.
type shape struct {
	root  map[string]any
	parts []part
	// elsewhere says that a part could not be read, because it is in another file.
	elsewhere bool
}

type part struct {
	members map[string]any
	always  bool // it applies whatever the value is
}

// traitsOf returns what a schema says of the traits.
func traitsOf(root map[string]any) shape {
	whole := shape{root: root}
	whole.add(root, true)
	return whole.property("traits")
}

// add adds a part, and those that it is made of.
func (s *shape) add(schema any, always bool) {
	object, ok := schema.(map[string]any)
	if !ok || len(s.parts) > maxParts {
		s.elsewhere = s.elsewhere || ok
		return
	}
	s.parts = append(s.parts, part{object, always})
	if ref, ok := object["$ref"].(string); ok {
		referred, found := s.resolve(ref)
		s.elsewhere = s.elsewhere || !found
		s.add(referred, always)
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := object[keyword].([]any)
		for _, piece := range list {
			s.add(piece, always && keyword == "allOf")
		}
	}
	for _, keyword := range []string{"then", "else"} {
		s.add(object[keyword], false)
	}
}

// resolve follows a reference within the schema: a JSON pointer in a URI fragment
// (RFC 6901, section 6).
func (s *shape) resolve(ref string) (any, bool) {
	id, _ := s.root["$id"].(string)
	fragment, local := strings.CutPrefix(strings.TrimPrefix(ref, strings.TrimSuffix(id, "#")), "#")
	path, err := url.PathUnescape(fragment)
	switch {
	case !local || err != nil:
		return nil, false
	case path == "":
		return s.root, true
	}
	names, err := readTrait(path)
	if err != nil {
		return nil, false
	}
	return lookup(s.root, names)
}

// property returns what the schema says of a member; nothing if it has none.
func (s shape) property(name string) shape {
	inner := shape{root: s.root, elsewhere: s.elsewhere}
	for _, p := range s.parts {
		properties, _ := p.members["properties"].(map[string]any)
		inner.add(properties[name], p.always)
	}
	return inner
}

func (s shape) at(path []string) shape {
	for _, name := range path {
		s = s.property(name)
	}
	return s
}

func (s shape) exists() bool { return len(s.parts) > 0 }

// allows reports whether a value of one of the types may stand here.
func (s shape) allows(types ...string) bool {
	said := false
	for _, p := range s.parts {
		listed, _ := p.members["type"].([]any)
		if one, ok := p.members["type"].(string); ok {
			listed = []any{one}
		}
		said = said || listed != nil || p.members["properties"] != nil
		if slices.ContainsFunc(types, func(t string) bool { return slices.Contains(listed, any(t)) }) {
			return true
		}
	}
	return s.exists() && !said
}

// names returns the members that the schema knows or requires, sorted.
func (s shape) names() []string {
	found := s.required()
	for _, p := range s.parts {
		properties, _ := p.members["properties"].(map[string]any)
		found = slices.AppendSeq(found, maps.Keys(properties))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// required returns the members that must be there.
func (s shape) required() []string {
	var found []string
	for _, p := range s.parts {
		list, _ := p.members["required"].([]any)
		for _, element := range list {
			if name, ok := element.(string); ok && p.always {
				found = append(found, name)
			}
		}
	}
	return found
}
