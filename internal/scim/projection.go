package scim

import (
	"maps"
	"strings"
)

// Projection says which attributes of a document a client gets to see (RFC 7644,
// section 3.9; RFC 7643, section 7, "returned"). The zero value is that of users
// for a client that named none.
type Projection struct {
	core string
	rule rule // for the document itself
}

// Projection reads what a client asks for by attributes and excludedAttributes,
// which exclude each other: both are invalidValue. Names may be in any case, have
// a schema's URN before them or be one alone, and may lead to sub-attributes.
// Those that no schema has are ignored, as are blank ones; a list of unknown
// names alone still asks for no more than what is always returned.
//
// What an extension's URN stands for is the extension; what the core's stands for
// includes the common attributes (RFC 7643, section 3.1).
func (r Resource) Projection(attributes, excluded []string) (Projection, error) {
	named, without := r.named(attributes), r.named(excluded)
	if named != nil && without != nil {
		return Projection{}, Bad(InvalidValue, "attributes and excludedAttributes exclude each other")
	}
	return Projection{r.Core.ID, choice{named, without}.document(r)}, nil
}

// Apply returns a new document with what the projection shows of one; what is left
// without a member or an element is gone. Attributes that no schema has are shown
// to whom named none.
func (p Projection) Apply(document map[string]any) map[string]any {
	if p.core == "" {
		p, _ = User(Enterprise(), WSO2()).Projection(nil, nil)
	}
	shown := p.rule.object(document)
	if listed, ok := shown["schemas"].([]any); ok {
		shown["schemas"] = p.schemas(listed, shown)
	}
	return shown
}

// Shows reports whether anything is shown of an attribute of the core.
func (p Projection) Shows(name string) bool {
	if p.core == "" {
		return true
	}
	return !p.rule.of(name).hidden
}

// schemas keeps of a list the core, and what a document still has something of.
func (p Projection) schemas(listed []any, shown map[string]any) []any {
	kept := []any{}
	for _, urn := range listed {
		text, _ := urn.(string)
		if _, ok := shown[text]; ok || strings.EqualFold(text, p.core) {
			kept = append(kept, urn)
		}
	}
	return kept
}

// names are paths in the schemas' spelling; nil means that a client named none.
type names map[string]bool

func (r Resource) named(given []string) names {
	var named names // a path with a filter is nobody's
	for _, name := range given {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if named == nil {
			named = names{}
		}
		if p, err := r.ParsePath(name); err == nil {
			named[p.String()] = true
		}
	}
	return named
}

// choice is what a client asks for. One of the two is nil.
type choice struct{ only, without names }

// rule says what is shown of a value.
type rule struct {
	hidden  bool
	members map[string]rule // by name in the schema's spelling, and folded; nil for a value of one piece
	others  bool            // whether members that have no rule are shown
}

func (c choice) document(r Resource) rule {
	core := c.schema(append(Common(), r.Core.Attributes...), "", r.Core.ID)
	all := rule{members: maps.Clone(core.members), others: c.only == nil}
	all.put(r.Core.ID, core)
	for _, s := range r.Extensions {
		all.put(s.ID, c.schema(s.Attributes, s.ID+":", s.ID))
	}
	return all
}

// schema is the rule for attributes that follow a prefix in paths.
func (c choice) schema(attributes []Attribute, prefix, urn string) rule {
	whole := c.shows(Attribute{}, urn, c.only == nil)
	members := rule{members: map[string]rule{}, others: whole}
	for _, a := range attributes {
		members.put(a.Name, c.attribute(a, prefix+a.Name, whole))
	}
	return members
}

// attribute is the rule for an attribute of what is shown as a whole, or not.
func (c choice) attribute(a Attribute, path string, parent bool) rule {
	whole := c.shows(a, path, parent)
	value := rule{hidden: !whole, others: whole}
	if len(a.Sub) == 0 || a.Returned == ReturnedNever {
		return value
	}
	value.members = map[string]rule{}
	for _, sub := range a.Sub {
		part := path + "." + sub.Name
		value.put(sub.Name, c.attribute(sub, part, whole))
		if c.only[part] {
			value.hidden = false
		}
	}
	return value
}

// shows reports whether all of an attribute is shown that is shown by default.
func (c choice) shows(a Attribute, path string, parent bool) bool {
	switch a.Returned {
	case ReturnedAlways:
		return true
	case ReturnedNever:
		return false
	case ReturnedRequest:
		return c.only[path]
	case ReturnedDefault:
	}
	if c.only != nil {
		return parent || c.only[path]
	}
	return parent && !c.without[path]
}

func (r rule) put(name string, member rule) {
	r.members[name], r.members[Fold(name)] = member, member
}

// of returns the rule for a member. What no schema has is shown in one piece.
func (r rule) of(name string) rule {
	member, ok := r.members[name]
	if !ok {
		member, ok = r.members[Fold(name)]
	}
	if !ok {
		return rule{hidden: !r.others}
	}
	return member
}

func (r rule) object(members map[string]any) map[string]any {
	shown := map[string]any{}
	for name, value := range members {
		if member := r.of(name); !member.hidden {
			if value, ok := member.value(value); ok {
				shown[name] = value
			}
		}
	}
	return shown
}

// value returns what is shown of a value, or false if that is nothing.
func (r rule) value(value any) (any, bool) {
	if r.members == nil {
		return Clone(value), true
	}
	switch value := value.(type) {
	case map[string]any:
		shown := r.object(value)
		return shown, len(shown) > 0
	case []any:
		shown := []any{}
		for _, element := range value {
			if element, ok := r.value(element); ok {
				shown = append(shown, element)
			}
		}
		return shown, len(shown) > 0
	default:
		return value, r.others
	}
}
