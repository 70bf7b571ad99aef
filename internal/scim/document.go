package scim

import (
	"maps"
	"slices"
	"strings"
)

// Read brings a client's whole resource, as a POST or PUT has it, into the form
// that documents are kept in: the schemas' spelling, lists where there may be
// several values, and nothing that has no value, be it null, an empty list or an
// object without members. What only the server writes is left out.
//
// A wrong type is invalidValue, as is a required attribute without a value; an
// attribute given twice is invalidSyntax. What no schema has is ignored; in strict
// mode an attribute is invalidValue and a schema invalidSyntax.
func (r Resource) Read(input map[string]any, mode Mode) (map[string]any, error) {
	document := map[string]any{}
	var listed any
	for _, name := range slices.Sorted(maps.Keys(input)) {
		if strings.EqualFold(name, "schemas") {
			listed = input[name]
			continue
		}
		if err := r.readMember(document, name, input[name], mode); err != nil {
			return nil, err
		}
	}
	document["schemas"] = r.Schemas(document)
	if err := r.checkSchemas(listed, document, mode); err != nil {
		return nil, err
	}
	return document, r.Incomplete(document)
}

// readMember reads an attribute, or a schema's attributes under its URN. Those of
// the core may stand there too.
func (r Resource) readMember(document map[string]any, name string, value any, mode Mode) error {
	schema, isSchema := r.Schema(name)
	if !isSchema {
		a, ok := r.Find(name)
		if !ok {
			return mode.unknown(name)
		}
		return mode.readInto(document, a, "", value)
	}
	members, ok := value.(map[string]any)
	if !ok && value != nil {
		return Bad(InvalidValue, schema.ID+" must be an object")
	}
	prefix, target, found := "", document, r.Find
	if schema.ID != r.Core.ID {
		if _, twice := document[schema.ID]; twice {
			return Bad(InvalidSyntax, schema.ID+" is given twice")
		}
		prefix, target, found = schema.ID+":", map[string]any{}, schema.Find
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		a, ok := found(name)
		if !ok {
			if err := mode.unknown(name); err != nil {
				return err
			}
			continue
		}
		if err := mode.readInto(target, a, prefix, members[name]); err != nil {
			return err
		}
	}
	if schema.ID != r.Core.ID && len(target) > 0 {
		document[schema.ID] = target
	}
	return nil
}

func (m Mode) readInto(members map[string]any, a Attribute, prefix string, value any) error {
	if a.Mutability == ReadOnly {
		return nil
	}
	if _, twice := members[a.Name]; twice {
		return Bad(InvalidSyntax, prefix+a.Name+" is given twice")
	}
	value, err := m.read(a, prefix+a.Name, value)
	if value != nil {
		members[a.Name] = value
	}
	return err
}

// Select returns an object's members whose names, or paths, are to be kept. Those of
// the core may stand under its URN.
func (r Resource) Select(members map[string]any, keep func(path string) bool) map[string]any {
	kept := map[string]any{}
	for name, value := range members {
		inner, ok := value.(map[string]any)
		switch {
		case ok && strings.EqualFold(name, r.Core.ID):
			kept[name] = r.Select(inner, keep)
		case keep(name):
			kept[name] = value
		}
	}
	return kept
}

// About reports whether a path leads to an attribute of the core or a part of it,
// also a path that cannot be read any further.
func (r Resource) About(path, attribute string) bool {
	path = Fold(strings.TrimSpace(path))
	if _, rest, ok := strings.Cut(path, Fold(r.Core.ID)); ok && rest != "" {
		path = rest[1:]
	}
	rest, ok := strings.CutPrefix(path, Fold(attribute))
	return ok && (rest == "" || strings.ContainsAny(rest[:1], "[. "))
}

func (m Mode) unknown(name string) error {
	switch {
	case m == Lenient:
		return nil
	case strings.HasPrefix(strings.ToLower(name), "urn:"):
		return Bad(InvalidSyntax, "a schema is not known")
	default:
		return Bad(InvalidValue, "an attribute is not known")
	}
}

// checkSchemas holds what a client listed against what its document has. Lenient
// reading does without the list.
func (r Resource) checkSchemas(listed any, document map[string]any, mode Mode) error {
	if mode == Lenient {
		return nil
	}
	list, ok := listed.([]any)
	if !ok {
		return Bad(InvalidSyntax, "schemas must list the resource's schemas")
	}
	for _, urn := range list {
		text, _ := urn.(string)
		if _, ok := r.Schema(text); !ok {
			return Bad(InvalidSyntax, "schemas lists one that is not known")
		}
	}
	for _, urn := range r.Schemas(document) {
		text, _ := urn.(string)
		if !slices.ContainsFunc(list, func(other any) bool { s, _ := other.(string); return strings.EqualFold(s, text) }) {
			return Bad(InvalidSyntax, "schemas does not list "+text)
		}
	}
	return nil
}
