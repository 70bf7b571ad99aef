package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/holdline/holdline/internal/scim"
)

// rule is a [Rule] that was read.
type rule struct {
	key     string   // what faults call it
	path    string   // in the schemas' spelling
	home    []string // leads from the document to the value, or to the list
	list    bool
	kind    string // the type of the list's element; blank for any
	first   string // the attribute's first type
	sub     string // of the list's element
	leaf    scim.Attribute
	trait   []string
	spelled string // the trait as the rule has it
	mobile  bool
}

var typeFilter = regexp.MustCompile(`^(?i:type\s+eq)\s+"([^"\\]+)"$`)

func readRule(resource scim.Resource, given Rule) (rule, error) {
	r := rule{spelled: given.Trait}
	var err error
	if r.trait, err = readTrait(given.Trait); err != nil {
		return rule{}, err
	}
	p, err := resource.ParsePath(given.Path)
	if err != nil {
		return rule{}, fmt.Errorf("%q is no attribute of the schemas: correct its path", given.Path)
	}
	r.leaf = p.Attribute
	if p.Sub.Name != "" {
		r.leaf = p.Sub
	}
	switch {
	case !ours(resource, p.Schema, p.Attribute) || !writable(r.leaf):
		return rule{}, fmt.Errorf("%s has a place of its own: remove the rule", p)
	case r.leaf.Type == scim.Complex || r.leaf.MultiValued:
		return rule{}, fmt.Errorf("%s has more than one value: name a sub-attribute", p)
	}
	if p.Schema != resource.Core.ID {
		r.home = append(r.home, p.Schema)
	}
	r.home = append(r.home, p.Attribute.Name)
	r.path = p.String()
	if p.Attribute.MultiValued {
		return r, r.readElement(p)
	}
	if p.Sub.Name != "" {
		r.home = append(r.home, p.Sub.Name)
	}
	return r, nil
}

// readElement reads which element of a list is meant.
func (r *rule) readElement(p scim.Path) error {
	r.list, r.sub = true, p.Sub.Name
	if r.sub == "type" || r.sub == "primary" {
		return fmt.Errorf("%s decides which element is meant: remove the rule", p)
	}
	kind, typed := p.Attribute.Find("type")
	if typed && len(kind.CanonicalValues) > 0 {
		r.first = kind.CanonicalValues[0]
	}
	if p.Filter != "" {
		match := typeFilter.FindStringSubmatch(p.Filter)
		if match == nil || !typed {
			return errors.New(`the filter must be like [type eq "work"]`)
		}
		r.kind = strings.ToLower(match[1])
		r.path = fmt.Sprintf("%s[type eq %q].%s", p.Top(), r.kind, r.sub)
	}
	r.mobile = r.path == scim.MobilePath
	return nil
}

// ours reports whether an attribute is kept in traits or in the rest: externalId and
// other common ones have places of their own, as does active.
func ours(resource scim.Resource, schema string, a scim.Attribute) bool {
	if schema != resource.Core.ID {
		return writable(a)
	}
	_, ok := resource.Core.Find(a.Name)
	return ok && a.Name != "active" && writable(a)
}

func writable(a scim.Attribute) bool {
	return a.Mutability != scim.ReadOnly && a.Mutability != scim.WriteOnly && a.Returned != scim.ReturnedNever
}

func readTrait(text string) ([]string, error) {
	names := strings.Split(text, ".")
	if pointer, ok := strings.CutPrefix(text, "/"); ok {
		names = strings.Split(pointer, "/")
		for i, name := range names {
			names[i] = jsonpointer.Unescape(name)
		}
	}
	if slices.Contains(names, "") {
		return nil, errors.New("the trait must be like name.first or /name/first")
	}
	return names, nil
}

// pointer is a JSON pointer, escaped as RFC 6901, section 3, asks for.
func pointer(names ...string) string {
	var path strings.Builder
	for _, name := range names {
		path.WriteString("/" + jsonpointer.Escape(name))
	}
	return path.String()
}

// takes reports whether a value is of the attribute's type.
func (r rule) takes(value any) bool {
	switch r.leaf.Type {
	case scim.Boolean:
		_, ok := value.(bool)
		return ok
	case scim.Integer, scim.Decimal:
		_, ok := value.(json.Number)
		return ok
	case scim.String, scim.DateTime, scim.Binary, scim.Reference, scim.Complex:
	}
	_, ok := value.(string)
	return ok
}

// inTraits returns the trait's value; nil for none, and for one of another type.
func (r rule) inTraits(traits map[string]any) any {
	value, _ := lookup(traits, r.trait)
	if !r.takes(value) {
		return nil
	}
	return value
}

// in returns the attribute's value in a document; nil for none.
func (r rule) in(document map[string]any) any {
	value, _ := lookup(document, r.home)
	if r.list {
		element := r.choose(value)
		return element[r.sub]
	}
	return value
}

// choose returns the element that is meant; nil for none. What it goes by is in the
// rest too, so that the same element is meant there.
func (r rule) choose(list any) map[string]any {
	elements, _ := list.([]any)
	var found map[string]any
	best := 0
	for _, e := range elements {
		element, _ := e.(map[string]any)
		if element == nil || r.kind != "" && !hasType(element, r.kind) {
			continue
		}
		rank := 1
		switch {
		case element["primary"] == true:
			rank = 3
		case hasType(element, r.first):
			rank = 2
		}
		if rank > best {
			found, best = element, rank
		}
	}
	return found
}

func hasType(element map[string]any, kind string) bool {
	text, _ := element["type"].(string)
	return strings.EqualFold(text, kind)
}

// put sets the value in the element that is meant, or appends one; nil marks its
// place.
func (r rule) put(list []any, value any) []any {
	if element := r.choose(list); element != nil {
		element[r.sub] = value
		return list
	}
	element := map[string]any{r.sub: value}
	switch {
	case r.kind != "":
		element["type"] = r.kind
	case r.first != "":
		element["type"], element["primary"] = r.first, true
	}
	return append(list, element)
}

// Attribute returns the path of the attribute that a trait keeps, by a JSON pointer
// to the trait in an identity such as #/traits/email; a pointer to what no rule has
// as it is.
func (m *Mapping) Attribute(where string) string {
	path := strings.TrimPrefix(where, "#")
	if path == "/password" {
		return "password"
	}
	for _, r := range m.rules {
		if trait := pointer(append([]string{"traits"}, r.trait...)...); path == trait || strings.HasPrefix(path, trait+"/") {
			return r.path
		}
	}
	return where
}
