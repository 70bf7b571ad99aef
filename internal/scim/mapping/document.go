package mapping

import (
	"maps"
	"slices"

	"github.com/holdline/holdline/internal/scim"
)

// Document is an identity as a resource, in canonical form and sharing nothing with
// the identity. It has no id, meta, externalId and groups: those are the caller's.
func (m *Mapping) Document(record scim.Record) map[string]any {
	document := m.compose(record.Traits, restOf(record.MetadataAdmin))
	document["active"] = record.State != scim.Inactive
	if number, _ := record.MetadataPublic[m.opt.PendingKey].(string); number != "" {
		for _, s := range m.opt.Resource.Listed()[1:] {
			if a, ok := s.Find("pendingMobileNumber"); ok {
				set(document, []string{s.ID, a.Name}, number)
			}
		}
	}
	document["schemas"] = m.opt.Resource.Schemas(document)
	return document
}

// Mobile returns the mobile number that a document has; blank for none. It leaves
// the document one element of the type mobile at most: those without a number go,
// and those that repeat it in any spelling. It is invalidValue for a document to
// have two numbers, since one of them would be proven by nobody.
func (m *Mapping) Mobile(document map[string]any) (string, error) {
	r := m.rules[0] // the mobile number's, see New
	list, _ := lookup(document, r.home)
	elements, _ := list.([]any)
	chosen := r.choose(withNumber(elements, r))
	number, _ := chosen[r.sub].(string)
	var kept []any
	found := false
	for _, e := range elements {
		element, _ := e.(map[string]any)
		if !hasType(element, r.kind) {
			kept = append(kept, e)
			continue
		}
		other, _ := element[r.sub].(string)
		switch {
		case !found && equal(element, chosen):
			kept, found = append(kept, e), true
		case !scim.Blank(other) && !m.opt.Same(other, number):
			return "", scim.Bad(scim.InvalidValue, scim.MobilePath+": a user has one mobile number, and two are given")
		}
	}
	switch {
	case len(kept) == len(elements):
	case len(kept) == 0:
		drop(document, r.home)
	default:
		set(document, r.home, kept)
	}
	return number, nil
}

// withNumber returns the mobile number's elements that have one.
func withNumber(elements []any, r rule) []any {
	return slices.DeleteFunc(slices.Clone(elements), func(e any) bool {
		element, _ := e.(map[string]any)
		number, _ := element[r.sub].(string)
		return !hasType(element, r.kind) || scim.Blank(number)
	})
}

// restOf returns the rest of a document; nil for none.
func restOf(metadata map[string]any) map[string]any {
	rest, _ := metadata[restKey].(map[string]any)
	return rest
}

// compose puts the traits' values into the rest.
func (m *Mapping) compose(traits, rest map[string]any) map[string]any {
	document := scim.CloneObject(rest)
	hidden, _ := document[hiddenKey].([]any)
	delete(document, hiddenKey)
	for _, r := range m.rules {
		value := r.inTraits(traits)
		switch own := r.in(document); {
		case r.mobile && own != nil:
			r.setIn(document, nil) // the rest has no say
		case own != nil, slices.Contains(hidden, any(r.path)):
			continue
		}
		if value != nil {
			r.setIn(document, value)
		}
	}
	clearPlaces(document)
	return document
}

func (r rule) setIn(document map[string]any, value any) {
	if r.list {
		list, _ := lookup(document, r.home)
		elements, _ := list.([]any)
		value = r.put(elements, value)
	}
	set(document, r.home, value)
}

// clearPlaces takes out the places that no value came to, with the elements that
// are of no use without.
func clearPlaces(object map[string]any) {
	for name, value := range object {
		switch value := value.(type) {
		case map[string]any:
			clearPlaces(value)
		case []any:
			if kept := slices.DeleteFunc(value, useless); len(kept) > 0 {
				object[name] = kept
			} else {
				delete(object, name)
			}
		}
	}
}

// useless takes the places out of an element, and reports whether there were some and
// what is left only describes a value.
func useless(e any) bool {
	element, _ := e.(map[string]any)
	all := len(element)
	maps.DeleteFunc(element, func(_ string, value any) bool { return value == nil })
	if len(element) == all {
		return false
	}
	for name := range element {
		if name != "type" && name != "primary" && name != "display" {
			return false
		}
	}
	return true
}

// rest takes the traits' values out of a document; nil if nothing is left.
func (m *Mapping) rest(document, traits map[string]any) map[string]any {
	rest := m.kept(document)
	var hidden []any
	for _, r := range m.rules {
		value, own := r.inTraits(traits), r.in(rest)
		switch {
		case own != nil && (r.mobile || own == value) && r.list:
			r.setIn(rest, nil)
		case own != nil && own == value:
			drop(rest, r.home)
		case own == nil && value != nil && !r.mobile:
			hidden = append(hidden, r.path)
		}
	}
	m.dropPlain(rest)
	if hidden != nil {
		rest[hiddenKey] = hidden
	}
	if len(rest) == 0 {
		return nil
	}
	return rest
}

// kept copies what traits and the rest keep of a document.
func (m *Mapping) kept(document map[string]any) map[string]any {
	resource, rest := m.opt.Resource, map[string]any{}
	for _, a := range resource.Core.Attributes {
		if value, ok := document[a.Name]; ok && ours(resource, resource.Core.ID, a) {
			rest[a.Name] = scim.Clone(value)
		}
	}
	for _, s := range resource.Extensions {
		members, _ := document[s.ID].(map[string]any)
		for _, a := range s.Attributes {
			if value, ok := members[a.Name]; ok && ours(resource, s.ID, a) {
				set(rest, []string{s.ID, a.Name}, scim.Clone(value))
			}
		}
	}
	return rest
}

// dropPlain removes the lists that would come of the traits alone.
func (m *Mapping) dropPlain(rest map[string]any) {
	plain := map[string]any{}
	for _, r := range m.rules {
		list, _ := lookup(rest, r.home)
		if value, place := r.choose(list)[r.sub]; r.list && place && value == nil {
			r.setIn(plain, nil)
		}
	}
	for _, r := range m.rules {
		list, ok := lookup(rest, r.home)
		if made, _ := lookup(plain, r.home); r.list && ok && equal(list, made) {
			drop(rest, r.home)
		}
	}
}
