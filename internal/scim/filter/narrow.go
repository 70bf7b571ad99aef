package filter

import (
	"slices"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/holdline/holdline/internal/scim"
)

// widest is how many conditions are looked up for one entry. Databases join a
// limited number of tables, and more than a few narrow no further.
const widest = 8

// Narrow returns a condition that keeps every resource that the filter matches,
// and reports whether it keeps no other. It asks which paths, in the schemas'
// spelling, are indexed; what they have as keys is for [Indexing] to say.
//
// Looked up are eq, sw, gt, ge, lt and le; for co and ew the index reads the keys
// of one path, which are fewer bytes than the documents. What a value is not, and
// whether there is one, no index tells.
func (f *Filter) Narrow(r scim.Resource, indexed func(path string) bool) (condition scim.Condition, exact bool) {
	n := narrower{indexed: indexed, find: func(path string) (target, bool) { return resolve(r, path) }}
	return n.narrow(f.root, true)
}

type narrower struct {
	indexed func(path string) bool
	find    func(path string) (target, bool)
	of      *target // the attribute of the value path that this is in
}

// narrow narrows an expression that must turn out as wanted.
func (n narrower) narrow(e expression, wanted bool) (scim.Condition, bool) {
	switch e := e.(type) {
	case negation:
		return n.narrow(e.of, !wanted)
	case logical:
		if e.or == wanted {
			return n.either(e.parts, wanted)
		}
		return n.both(e.parts, wanted)
	case selection:
		return n.selected(e, wanted)
	case comparison:
		return n.compared(e, wanted)
	}
	return scim.All{}, false
}

func (n narrower) either(parts []expression, wanted bool) (scim.Condition, bool) {
	var or scim.Or
	exact := true
	for _, part := range parts {
		condition, same := n.narrow(part, wanted)
		if condition == (scim.All{}) {
			return condition, same
		}
		or = append(or, condition)
		exact = exact && same
	}
	return or, exact
}

func (n narrower) both(parts []expression, wanted bool) (scim.Condition, bool) {
	var and scim.And
	exact := true
	for _, part := range parts {
		condition, same := n.narrow(part, wanted)
		exact = exact && same
		switch condition := condition.(type) {
		case scim.All:
		case scim.And:
			and = append(and, condition...)
		default:
			and = append(and, condition)
		}
	}
	if len(and) > widest {
		and, exact = narrowest(and), false
	}
	switch len(and) {
	case 0:
		return scim.All{}, exact
	case 1:
		return and[0], exact
	}
	return and, exact
}

// narrowest keeps conditions on a single key before others.
func narrowest(and scim.And) scim.And {
	single := func(c scim.Condition) int {
		if w, ok := c.(scim.Within); ok && w.Single() {
			return 0
		}
		return 1 // a range or a choice
	}
	slices.SortStableFunc(and, func(a, b scim.Condition) int { return single(a) - single(b) })
	return and[:widest]
}

// selected narrows to what some element has. That all of it is the same element's
// is not looked up.
func (n narrower) selected(e selection, wanted bool) (scim.Condition, bool) {
	t, ok := n.find(e.path)
	switch {
	case !ok || t.last().Type != scim.Complex:
		return constant(false, wanted)
	case !wanted || t.sub != nil:
		return scim.All{}, false
	}
	inner := narrower{n.indexed, within(t.last()), &t}
	condition, exact := inner.narrow(e.of, true)
	_, alone := e.of.(comparison)
	return condition, exact && alone && condition != (scim.All{})
}

// constant is the condition for what is the same for every resource.
func constant(is, wanted bool) (scim.Condition, bool) {
	if is == wanted {
		return scim.All{}, true
	}
	return scim.Or{}, true
}

func (n narrower) compared(c comparison, wanted bool) (scim.Condition, bool) {
	t, ok := n.find(c.path)
	if !ok {
		return constant(c.match(scim.Attribute{}, nil), wanted)
	}
	if n.of != nil {
		sub := t.attribute
		t = target{n.of.urn, n.of.attribute, &sub}
	}
	if t, ok = t.leaf(); !ok || c.value == nil || c.operator == grammar.PR || !n.indexed(t.String()) {
		return scim.All{}, false
	}
	if !wanted {
		if c.operator != grammar.NE { // what is not ne anything else is eq
			return scim.All{}, false
		}
		c.operator = grammar.EQ
		w, exact := c.within(t)
		return w, exact && !t.many()
	}
	return c.within(t)
}

// within returns the range of keys that the comparison asks for.
func (c comparison) within(t target) (scim.Condition, bool) {
	a := t.last()
	key, ok := keyOf(a, c.value)
	if !ok || c.operator == grammar.NE || !textual(a) && c.operator != grammar.EQ {
		return scim.All{}, false
	}
	w := scim.Within{Path: t.String(), High: scim.Missing}
	text := textOf(a, c.value)
	if a.Type == scim.DateTime {
		if c.partial() { // its text is not its key
			return scim.All{}, false
		}
		text = key
	}
	exact := len(text) <= scim.KeyLength
	text = text[:min(len(text), scim.KeyLength)]
	switch c.operator {
	case grammar.EQ:
		return scim.Equal(w.Path, key), true
	case grammar.SW:
		w.Low, w.High = text, text+"\xff"
	case grammar.GT, grammar.GE:
		w.Low = text
		if c.operator == grammar.GT {
			w.Low += "\x00"
		}
	case grammar.LT, grammar.LE:
		w.High = text
		if !exact {
			w.High += "\xff"
		} else if c.operator == grammar.LE {
			w.High += "\x00"
		}
	default:
		return scim.Contains{Path: w.Path, Part: text}, false
	}
	return w, exact && (c.operator == grammar.SW || ordered(a))
}
