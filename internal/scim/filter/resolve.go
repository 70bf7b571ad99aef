package filter

import (
	"strings"

	"github.com/holdline/holdline/internal/scim"
)

// target is the attribute that a path leads to.
type target struct {
	urn       string // the extension that has it; blank for the core
	attribute scim.Attribute
	sub       *scim.Attribute // nil for the attribute itself
}

// resolve finds the attribute of a path. The URN of an extension alone is the
// extension as a complex attribute.
func resolve(r scim.Resource, path string) (target, bool) {
	p, err := r.ParsePath(path)
	if err != nil {
		return target{}, false
	}
	t := target{attribute: p.Attribute}
	if p.Sub.Name != "" {
		t.sub = &p.Sub
	}
	core := p.Schema == r.Core.ID
	if p.Attribute.Name == "" {
		schema, _ := r.Schema(p.Schema)
		t.attribute = scim.Attribute{Name: schema.ID, Type: scim.Complex, Sub: schema.Attributes}
		return t, !core
	}
	if !core {
		t.urn = p.Schema
	}
	return t, true
}

// leaf returns the target that is compared: of a complex attribute its
// sub-attribute value, if it has one (RFC 7643, section 2.4).
func (t target) leaf() (target, bool) {
	if t.sub != nil || t.attribute.Type != scim.Complex {
		return t, true
	}
	value, ok := t.attribute.Find("value")
	t.sub = &value
	return t, ok
}

// last is the attribute at the end of the path.
func (t target) last() scim.Attribute {
	if t.sub != nil {
		return *t.sub
	}
	return t.attribute
}

// many reports whether the target can have several values.
func (t target) many() bool {
	return t.attribute.MultiValued || t.sub != nil && t.sub.MultiValued
}

// String is the path in the schemas' spelling. Attributes of the core have no URN.
func (t target) String() string {
	path := t.attribute.Name
	if t.urn != "" {
		path = t.urn + ":" + path
	}
	if t.sub != nil {
		path += "." + t.sub.Name
	}
	return path
}

// elements returns the attribute's values. None is what RFC 7643, section 2.5
// calls unassigned.
func (t target) elements(document map[string]any) []any {
	if t.urn != "" {
		document, _ = document[t.urn].(map[string]any)
	}
	return list(document[t.attribute.Name])
}

// values returns what the target has. An element without the sub-attribute has
// nil.
func (t target) values(document map[string]any) []any {
	elements := t.elements(document)
	if t.sub == nil {
		return elements
	}
	var values []any
	for _, element := range elements {
		values = append(values, subValues(element, *t.sub)...)
	}
	return values
}

func subValues(element any, sub scim.Attribute) []any {
	members, ok := element.(map[string]any)
	if !ok && strings.EqualFold(sub.Name, "value") {
		return []any{element} // emails: ["a"] means emails: [{"value": "a"}]
	}
	if values := list(members[sub.Name]); len(values) > 0 {
		return values
	}
	return []any{nil}
}

// list returns a value's elements without the null ones.
func list(value any) []any {
	many, ok := value.([]any)
	if !ok {
		many = []any{value}
	}
	var values []any
	for _, value := range many {
		if value != nil {
			values = append(values, value)
		}
	}
	return values
}
