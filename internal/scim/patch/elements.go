package patch

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

// element is one of a multi-valued complex attribute.
type element struct {
	before  map[string]any // nil for a new one
	members map[string]any // nil for one that is removed
	named   bool
	subs    []string // the sub-attributes that were named; nil for all
	// blank is what was asked for and is no element, because its value is blank.
	blank map[string]any
}

// elements applies an operation to a multi-valued complex attribute or to some of
// its elements.
func (e *editor) elements(in map[string]any, op Op, p scim.Path, value any) error {
	f, err := e.filter(p)
	if err != nil {
		return err
	}
	list := load(in[p.Attribute.Name])
	if f == nil && p.Sub.Name == "" {
		list, err = e.whole(list, op, p.Attribute, value)
	} else {
		list, err = e.some(list, op, p, f, value)
	}
	if err != nil {
		return err
	}
	unite(list)
	uniteSingle(list, p.Attribute)
	dropBlank(list, p.Attribute)
	onePrimary(list)
	var after []any
	for _, el := range list {
		if len(el.members) > 0 {
			after = append(after, el.members)
		}
	}
	if len(after) > e.limits.Elements {
		return tooMuch(fmt.Sprintf("%s would have more than %d values", p.Top(), e.limits.Elements))
	}
	e.touch(op, p, f, value, list)
	return put(in, p.Attribute, after)
}

// filter reads the filter of a value path; nil if there is none.
func (e *editor) filter(p scim.Path) (*filter.Filter, error) {
	if p.Filter == "" {
		return nil, nil //nolint:nilnil // a path without a filter
	}
	limits := e.limits.Filter
	limits.Mode = e.mode
	f, err := filter.Parse(p.Filter, limits)
	if err != nil {
		return nil, err
	}
	return f, f.CheckElement(p.Attribute)
}

// touch notes what an operation named of an attribute's elements.
func (e *editor) touch(op Op, p scim.Path, f *filter.Filter, value any, list []*element) {
	whole := Touch{Op: op, Path: p.Top(), All: f == nil && (op == Replace || op == Remove && value == nil)}
	if p.Sub.Name != "" {
		whole.Subs = []string{p.Sub.Name}
		whole.All = whole.All && op == Remove // others choose one element
	}
	if f != nil && !slices.ContainsFunc(list, func(el *element) bool { return el.named }) {
		whole.Asked = e.fill(p.Attribute, f)
	}
	e.touched = append(e.touched, whole)
	for _, el := range list {
		if el.blank != nil {
			e.touched = append(e.touched, Touch{Op: op, Path: p.Top(), Asked: el.blank})
		}
		if !el.named || el.before == nil && len(el.members) == 0 {
			continue
		}
		t := Touch{Op: op, Path: p.Top(), Subs: el.subs, Before: el.before}
		if len(el.members) > 0 {
			t.After = scim.CloneObject(el.members)
		}
		e.touched = append(e.touched, t)
	}
}

func load(value any) []*element {
	values, ok := value.([]any)
	if !ok && value != nil {
		values = []any{value}
	}
	var list []*element
	for _, value := range values {
		members, ok := value.(map[string]any)
		if !ok {
			members = map[string]any{"value": value}
		}
		list = append(list, &element{before: members, members: maps.Clone(members)})
	}
	return list
}

func (el *element) remove() { el.members, el.named = nil, true }

// whole applies an operation to the attribute itself.
func (e *editor) whole(list []*element, op Op, a scim.Attribute, value any) ([]*element, error) {
	if _, ok := value.(map[string]any); ok && op == Add { // one value is added, says the RFC
		value = []any{value}
	}
	read, err := a.Read(value, e.mode)
	if err != nil {
		return nil, err
	}
	given, _ := read.([]any)
	for _, el := range list {
		chosen := op == Replace || op == Remove && value == nil ||
			op == Remove && slices.ContainsFunc(given, func(g any) bool { return has(el.members, g) })
		if chosen {
			el.remove()
		}
	}
	if op == Remove {
		return list, nil
	}
	for _, value := range given {
		members, _ := value.(map[string]any)
		list = append(list, &element{members: members, named: true})
	}
	return list, nil
}

// has reports whether an element has all that another has.
func has(members map[string]any, part any) bool {
	wanted, _ := part.(map[string]any)
	for name, value := range wanted {
		if !reflect.DeepEqual(members[name], value) {
			return false
		}
	}
	return true
}

// some applies an operation to the elements that the path's filter chooses, or to
// a sub-attribute of all.
func (e *editor) some(list []*element, op Op, p scim.Path, f *filter.Filter, value any) ([]*element, error) {
	chosen, created, err := e.choose(list, op, p, f, value)
	if err != nil {
		return nil, err
	}
	for _, el := range chosen {
		el.named = true
		switch {
		case p.Sub.Name != "":
			el.subs = []string{p.Sub.Name}
			err = e.assign(el.members, p.Sub, op, value)
		case op == Remove, op == Replace && value == nil:
			el.remove()
		case op == Replace && created == nil:
			err = e.replace(el, p.Attribute, f, value)
		case value != nil:
			el.subs, err = e.merge(el.members, p.Attribute, op, value)
		}
		if err != nil {
			return nil, err
		}
	}
	if created != nil {
		list = append(list, created)
	}
	return list, nil
}

// replace gives an element other members. It stays the element that the path means:
// its type and what the filter asks for are kept where the value does not say.
func (e *editor) replace(el *element, a scim.Attribute, f *filter.Filter, value any) error {
	if _, ok := value.([]any); !ok || e.mode == scim.Strict {
		value = []any{value}
	}
	read, err := a.Read(value, e.mode)
	if err != nil {
		return err
	}
	list, _ := read.([]any)
	kept := map[string]any{}
	if f != nil {
		kept = e.fill(a, f)
	}
	if kind, ok := el.members["type"]; ok && kept["type"] == nil {
		kept = maps.Clone(kept)
		if kept == nil {
			kept = map[string]any{}
		}
		kept["type"] = kind
	}
	el.remove()
	switch len(list) {
	case 0:
	case 1:
		el.members, _ = list[0].(map[string]any)
		given := maps.Clone(el.members)
		maps.Copy(el.members, kept)
		maps.Copy(el.members, given)
	default:
		return scim.Bad(scim.InvalidValue, "one value of "+a.Name+" cannot be replaced by several")
	}
	return nil
}

// choose finds the elements that the path means. Where there is none, it makes one
// for what is to be added, if the filter says how.
func (e *editor) choose(
	list []*element, op Op, p scim.Path, f *filter.Filter, value any,
) (chosen []*element, created *element, err error) {
	for _, el := range list {
		if f == nil || f.MatchesElement(p.Attribute, el.members) {
			chosen = append(chosen, el)
		}
	}
	if f == nil && op != Remove && len(chosen) > 1 {
		chosen = slices.DeleteFunc(chosen, func(el *element) bool { return el.members["primary"] != true })
		if len(chosen) != 1 {
			return nil, nil, scim.Bad(scim.NoTarget, "the path does not say which of "+p.Top()+" it means")
		}
	}
	none := scim.Bad(scim.NoTarget, "the filter of "+p.Top()+" chooses nothing")
	switch {
	case len(chosen) > 0:
		return chosen, nil, nil
	case f != nil && e.mode == scim.Strict:
		return nil, nil, none
	case op == Remove || value == nil:
		return nil, nil, nil
	}
	created = &element{members: map[string]any{}}
	if f != nil {
		if created.members = e.fill(p.Attribute, f); created.members == nil {
			return nil, nil, none
		}
	}
	return []*element{created}, created, nil
}

// fill returns the members that an element needs to match a filter, nil if the
// filter does not say.
func (e *editor) fill(a scim.Attribute, f *filter.Filter) map[string]any {
	equalities, ok := f.Equalities()
	if !ok {
		return nil
	}
	members := map[string]any{}
	if _, err := e.merge(members, a, Add, equalities); err != nil || !f.MatchesElement(a, members) {
		return nil
	}
	return members
}
