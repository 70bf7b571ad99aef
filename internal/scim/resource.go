package scim

import (
	"slices"
	"strings"
)

// Common are the attributes that every resource has without a schema that lists
// them (RFC 7643, section 3.1), and schemas (section 3).
func Common() []Attribute {
	return []Attribute{
		{
			Name: "schemas", Type: Reference, MultiValued: true, Required: true, CaseExact: true,
			Returned: ReturnedAlways, ReferenceTypes: []string{"uri"},
		},
		{
			Name: "id", Type: String, CaseExact: true,
			Mutability: ReadOnly, Returned: ReturnedAlways, Uniqueness: UniqueServer,
		},
		{Name: "externalId", Type: String, CaseExact: true},
		{Name: "meta", Type: Complex, Mutability: ReadOnly, Sub: []Attribute{
			{Name: "resourceType", Type: String, CaseExact: true, Mutability: ReadOnly},
			{Name: "created", Type: DateTime, Mutability: ReadOnly},
			{Name: "lastModified", Type: DateTime, Mutability: ReadOnly},
			{Name: "location", Type: Reference, CaseExact: true, Mutability: ReadOnly, ReferenceTypes: []string{"uri"}},
			{Name: "version", Type: String, CaseExact: true, Mutability: ReadOnly},
		}},
	}
}

// Find returns an attribute of the core schema or a common one, by its name in any
// case.
func (r Resource) Find(name string) (Attribute, bool) {
	if a, ok := r.Core.Find(name); ok {
		return a, true
	}
	return find(Common(), name)
}

// Schema returns the core schema or an extension, by its URN in any case.
func (r Resource) Schema(urn string) (Schema, bool) {
	for _, s := range r.all() {
		if strings.EqualFold(s.ID, urn) {
			return s, true
		}
	}
	return Schema{}, false
}

// Listed returns the schemas that clients are told of, the core first.
func (r Resource) Listed() []Schema {
	return slices.DeleteFunc(r.all(), func(s Schema) bool { return s.Unlisted })
}

func (r Resource) all() []Schema { return append([]Schema{r.Core}, r.Extensions...) }

// Schemas returns what a document's attribute schemas must hold: the core, and
// each extension of which the document has something.
func (r Resource) Schemas(document map[string]any) []any {
	urns := []any{r.Core.ID}
	for _, s := range r.Extensions {
		if members, ok := document[s.ID].(map[string]any); ok && len(members) > 0 {
			urns = append(urns, s.ID)
		}
	}
	return urns
}

// Incomplete says which required attribute a document lacks; nil if none. The
// error is invalidValue. What only the server writes is not looked at.
func (r Resource) Incomplete(document map[string]any) error {
	if err := incomplete(r.Core.Attributes, "", document); err != nil {
		return err
	}
	for _, s := range r.Extensions {
		members, ok := document[s.ID].(map[string]any)
		if !ok {
			continue
		}
		if err := incomplete(s.Attributes, s.ID+":", members); err != nil {
			return err
		}
	}
	return nil
}

func incomplete(attributes []Attribute, prefix string, members map[string]any) error {
	for _, a := range attributes {
		value := members[a.Name]
		if a.Required && a.Mutability != ReadOnly && (value == nil || value == "") {
			return Bad(InvalidValue, prefix+a.Name+" is required")
		}
		elements, ok := value.([]any)
		if !ok {
			elements = []any{value}
		}
		for _, element := range elements {
			if members, ok := element.(map[string]any); ok {
				if err := incomplete(a.Sub, prefix+a.Name+".", members); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
