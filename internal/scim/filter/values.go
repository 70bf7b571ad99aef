package filter

import (
	"slices"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/holdline/holdline/internal/scim"
)

// Values returns the texts of which an attribute must have one wherever the filter
// matches, or false where the filter lets it have others: of value eq "a" or value eq
// "b" those are a and b. It is for filters from a value path's brackets.
func (f *Filter) Values(name string) ([]string, bool) { return values(f.root, name) }

func values(e expression, name string) ([]string, bool) {
	switch e := e.(type) {
	case comparison:
		text, isText := e.value.(string)
		if scim.Fold(e.path) != scim.Fold(name) || e.operator != grammar.EQ || !isText {
			return nil, false
		}
		return []string{text}, true
	case logical:
		var found []string
		decided := false
		for _, part := range e.parts {
			these, ok := values(part, name)
			switch {
			case !ok && e.or:
				return nil, false
			case !ok:
			case e.or || !decided:
				found, decided = append(found, these...), true
			default:
				found = slices.DeleteFunc(found, func(v string) bool { return !slices.Contains(these, v) })
			}
		}
		return found, decided
	default:
		return nil, false
	}
}

// Mentions returns the texts with which a filter compares the values of an attribute's
// elements: members.value eq "a", members eq "a", members[value eq "a"]. It is false
// where the filter asks anything else of the attribute, for which its elements would be
// needed that have other values.
func (f *Filter) Mentions(r scim.Resource, attribute string) ([]string, bool) {
	return mentions(f.root, r, attribute)
}

func mentions(e expression, r scim.Resource, attribute string) (found []string, ok bool) {
	switch e := e.(type) {
	case negation:
		return mentions(e.of, r, attribute)
	case logical:
		for _, part := range e.parts {
			these, ok := mentions(part, r, attribute)
			if !ok {
				return nil, false
			}
			found = append(found, these...)
		}
	case selection:
		if r.About(e.path, attribute) {
			return values(e.of, "value")
		}
	case comparison:
		if r.About(e.path, attribute) {
			p, err := r.ParsePath(e.path)
			text, isText := e.value.(string)
			if err != nil || p.Sub.Name != "" && p.Sub.Name != "value" || e.operator != grammar.EQ || !isText {
				return nil, false
			}
			return []string{text}, true
		}
	}
	return found, true
}
