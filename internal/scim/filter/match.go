package filter

import (
	"fmt"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/holdline/holdline/internal/scim"
)

// subject is what a filter is held against: a resource's document or an element
// of an attribute.
type subject struct {
	find func(path string) (target, bool)
	in   map[string]any
}

// Matches reports whether a resource matches. Comparisons that [Filter.Check]
// refuses match nothing.
func (f *Filter) Matches(r scim.Resource, document map[string]any) bool {
	find := func(path string) (target, bool) { return resolve(r, path) }
	return subject{find, document}.matches(f.root)
}

// MatchesElement reports whether an element of a complex attribute matches; the
// filter is one from a value path's brackets.
func (f *Filter) MatchesElement(a scim.Attribute, element map[string]any) bool {
	return subject{within(a), element}.matches(f.root)
}

// within finds an attribute's sub-attributes.
func within(a scim.Attribute) func(string) (target, bool) {
	return func(path string) (target, bool) {
		sub, ok := a.Find(path)
		return target{attribute: sub}, ok
	}
}

func (s subject) matches(e expression) bool {
	switch e := e.(type) {
	case logical:
		for _, part := range e.parts {
			if s.matches(part) == e.or {
				return e.or
			}
		}
		return !e.or
	case negation:
		return !s.matches(e.of)
	case selection:
		return s.selects(e)
	case comparison:
		return s.compares(e)
	}
	return false
}

func (s subject) selects(e selection) bool {
	t, ok := s.find(e.path)
	if !ok || t.last().Type != scim.Complex {
		return false
	}
	return anyOf(t.values(s.in), func(element any) bool {
		members, ok := element.(map[string]any)
		if !ok {
			members = map[string]any{"value": element}
		}
		return subject{within(t.last()), members}.matches(e.of)
	})
}

func (s subject) compares(c comparison) bool {
	t, ok := s.find(c.path)
	if !ok {
		return c.match(scim.Attribute{}, nil)
	}
	if c.operator != grammar.PR {
		if t, ok = t.leaf(); !ok {
			return false
		}
	}
	return c.match(t.last(), t.values(s.in))
}

// Check finds comparisons that the resource's schemas do not allow, such as gt
// with a boolean (RFC 7644, table 3). Attributes that are not known are no error.
// The error is a [*scim.Error] with invalidFilter.
func (f *Filter) Check(r scim.Resource) error {
	return check(f.root, func(path string) (target, bool) { return resolve(r, path) })
}

// CheckElement is [Filter.Check] for a filter from a value path's brackets.
func (f *Filter) CheckElement(a scim.Attribute) error { return check(f.root, within(a)) }

func check(e expression, find func(string) (target, bool)) error {
	switch e := e.(type) {
	case logical:
		for _, part := range e.parts {
			if err := check(part, find); err != nil {
				return err
			}
		}
	case negation:
		return check(e.of, find)
	case selection:
		if t, ok := find(e.path); ok {
			if t.last().Type != scim.Complex {
				return refuse(e.at, "only a complex attribute has elements with sub-attributes")
			}
			return check(e.of, within(t.last()))
		}
	case comparison:
		if t, ok := find(e.path); ok {
			return e.check(t)
		}
	}
	return nil
}

func (c comparison) check(t target) error {
	if c.operator == grammar.PR {
		return nil
	}
	t, ok := t.leaf()
	a := t.last()
	equality := c.operator == grammar.EQ || c.operator == grammar.NE
	switch {
	case !ok || a.Type == scim.Complex:
		return refuse(c.at, "a complex attribute is compared by a sub-attribute")
	case equality && c.value == nil:
		return nil
	case c.value == nil:
		return refuse(c.at, fmt.Sprintf("null has no %s", c.operator))
	case c.partial() && !textual(a), !c.partial() && !equality && !ordered(a):
		return refuse(c.at, fmt.Sprintf("%s is not for an attribute of type %s", c.operator, a.Type))
	}
	if _, comparable := compare(a, c.value, c.value); !comparable && !c.partial() {
		return refuse(c.at, fmt.Sprintf("the value is no %s", a.Type))
	}
	return nil
}

func refuse(at int, reason string) error {
	return scim.Bad(scim.InvalidFilter, fmt.Sprintf("the filter, at character %d: %s", at, reason))
}

// Equalities returns the members that an element must have to match the filter,
// named as they are written there: those of a conjunction of eq. It says false
// for any other filter, and for one that contradicts itself.
func (f *Filter) Equalities() (map[string]any, bool) {
	parts := []expression{f.root}
	if l, ok := f.root.(logical); ok && !l.or {
		parts = l.parts
	}
	members := map[string]any{}
	for _, part := range parts {
		c, ok := part.(comparison)
		if !ok || c.operator != grammar.EQ || c.value == nil {
			return nil, false
		}
		for path, value := range members {
			if scim.Fold(path) == scim.Fold(c.path) && value != c.value {
				return nil, false
			}
		}
		members[c.path] = c.value
	}
	return members, true
}
