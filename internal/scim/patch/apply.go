package patch

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/scim"
)

// editor applies operations to a document of its own.
type editor struct {
	resource scim.Resource
	mode     scim.Mode
	limits   Limits
	document map[string]any
	touched  Touched
}

func (e *editor) apply(o Operation) error {
	if o.Fault != nil {
		if p, err := e.resource.ParsePath(o.Path); err == nil && p.Attribute.Name != "" {
			return about(p, o.Fault)
		}
		return o.Fault
	}
	if err := o.Op.check(); err != nil {
		return err
	}
	if o.Op == Remove && o.Value != nil && e.mode == scim.Strict {
		return scim.Bad(scim.InvalidValue, "remove has no value")
	}
	if o.Path == "" {
		return e.members(o.Op, "", o.Value)
	}
	p, err := e.resource.ParsePath(o.Path)
	switch {
	case err != nil:
		return err
	case p.Attribute.Name == "":
		return e.schema(o.Op, p.Schema, o.Value)
	case p.ReadOnly():
		return scim.Bad(scim.Mutable, p.Top()+" is read only")
	}
	return e.attribute(o.Op, p, o.Value)
}

// members applies an operation to each member of a value, as if its name were the
// operation's path. The names are those of a schema, if any.
func (e *editor) members(op Op, urn string, value any) error {
	if op == Remove {
		return scim.Bad(scim.NoTarget, "remove needs a path")
	}
	if list, ok := value.([]any); ok && len(list) == 1 && e.mode == scim.Lenient {
		value = list[0]
	}
	members, ok := value.(map[string]any)
	if !ok {
		return scim.Bad(scim.InvalidValue, "without a path the value must be an object with attributes")
	}
	paths := map[string]scim.Path{}
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		path := name
		if urn != "" {
			path = urn + ":" + name
		}
		p, err := e.resource.ParsePath(path)
		switch {
		case errors.Is(err, scim.ErrUnknown) && e.mode == scim.Lenient:
			continue
		case errors.Is(err, scim.ErrUnknown), err == nil && e.mode == scim.Strict && (p.Filter != "" || p.Sub.Name != ""):
			return scim.Bad(scim.InvalidValue, "the value has an attribute that is not known")
		case err != nil:
			return err
		}
		key := p.String()
		if _, twice := paths[key]; twice {
			return scim.Bad(scim.InvalidSyntax, p.Top()+" is given twice")
		}
		paths[key], values[key] = p, members[name]
	}
	for _, key := range slices.Sorted(maps.Keys(paths)) { // an attribute before its parts
		if err := e.member(op, paths[key], values[key]); err != nil {
			return err
		}
	}
	return nil
}

func (e *editor) member(op Op, p scim.Path, value any) error {
	switch {
	case p.Attribute.Name == "":
		return e.schema(op, p.Schema, value)
	case p.ReadOnly(), p.Attribute.Name == "schemas":
		return nil
	}
	return e.attribute(op, p, value)
}

// schema applies an operation to all attributes of a schema.
func (e *editor) schema(op Op, urn string, value any) error {
	if value != nil && op != Remove {
		return e.members(op, urn, value)
	}
	if op == Add {
		return nil
	}
	if urn == e.resource.Core.ID {
		return scim.Bad(scim.NoTarget, "a resource without its core is none")
	}
	schema, _ := e.resource.Schema(urn)
	for _, a := range schema.Attributes {
		held, _ := e.document[urn].(map[string]any)
		if a.Mutability == scim.ReadOnly || held[a.Name] == nil {
			continue
		}
		p, err := e.resource.ParsePath(urn + ":" + a.Name)
		if err != nil {
			return err
		}
		if err := e.attribute(Remove, p, nil); err != nil {
			return err
		}
	}
	return nil
}

// attribute applies an operation to an attribute or a part of it.
func (e *editor) attribute(op Op, p scim.Path, value any) error {
	in, extension := e.document, p.Schema != e.resource.Core.ID
	if extension {
		in, _ = e.document[p.Schema].(map[string]any)
		in = scim.CloneObject(in)
	}
	if err := e.change(in, op, p, value); err != nil {
		return about(p, err)
	}
	if extension && len(in) > 0 {
		e.document[p.Schema] = in
	} else if extension {
		delete(e.document, p.Schema)
	}
	return nil
}

// about has an error begin with the attribute that a path leads to. What the path's
// filter asks for is the client's, and is not repeated.
func about(p scim.Path, err error) error {
	var fault *scim.Error
	if !errors.As(err, &fault) || strings.HasPrefix(fault.Detail, p.Top()) {
		return err
	}
	name, last := p.Top(), p.Attribute.Name
	if p.Sub.Name != "" {
		name, last = name+"."+p.Sub.Name, p.Sub.Name
	}
	said := *fault
	if rest, ok := strings.CutPrefix(fault.Detail, last+" "); ok {
		said.Detail = name + " " + rest
	} else {
		said.Detail = name + ": " + fault.Detail
	}
	return &said
}

func (e *editor) change(in map[string]any, op Op, p scim.Path, value any) error {
	if p.Attribute.MultiValued && p.Attribute.Type == scim.Complex {
		return e.elements(in, op, p, value)
	}
	touch := Touch{Op: op, Path: p.Top()}
	defer func() { e.touched = append(e.touched, touch) }()
	if p.Sub.Name == "" {
		return e.assign(in, p.Attribute, op, value)
	}
	touch.Subs = []string{p.Sub.Name}
	held, _ := in[p.Attribute.Name].(map[string]any)
	held = scim.CloneObject(held)
	if err := e.assign(held, p.Sub, op, value); err != nil {
		return err
	}
	return put(in, p.Attribute, held)
}

// assign applies an operation to an attribute or sub-attribute, within what holds
// it. It is not for multi-valued complex ones.
func (e *editor) assign(in map[string]any, a scim.Attribute, op Op, value any) error {
	if list, ok := value.([]any); ok && len(list) == 0 || a.Unassigns(value, e.mode) {
		value = nil
	}
	switch {
	case op == Remove && (value == nil || !a.MultiValued), op == Replace && value == nil:
		return put(in, a, nil)
	case value == nil:
		return nil
	case a.Type == scim.Complex && !a.MultiValued:
		held, _ := in[a.Name].(map[string]any)
		held = scim.CloneObject(held)
		if _, err := e.merge(held, a, op, value); err != nil {
			return err
		}
		return put(in, a, held)
	}
	read, err := a.Read(value, e.mode)
	if list, ok := read.([]any); ok && op != Replace {
		held, _ := in[a.Name].([]any)
		read = combine(held, list, op)
	}
	if err != nil || read == nil && op == Add {
		return err
	}
	return put(in, a, read)
}

// combine adds values to others, or removes them.
func combine(held, list []any, op Op) any {
	combined := slices.Clone(held)
	for _, value := range list {
		same := func(other any) bool { return reflect.DeepEqual(other, value) }
		if op == Remove {
			combined = slices.DeleteFunc(combined, same)
		} else if !slices.ContainsFunc(combined, same) {
			combined = append(combined, value)
		}
	}
	return combined
}

// merge applies an operation to the members of a complex value, and leaves others
// as they are. It returns the names of what was given.
func (e *editor) merge(in map[string]any, a scim.Attribute, op Op, value any) ([]string, error) {
	members, err := a.Members(value, e.mode)
	if err != nil {
		return nil, err
	}
	names := slices.AppendSeq([]string{}, maps.Keys(members))
	slices.Sort(names)
	for _, name := range names {
		sub, _ := a.Find(name)
		if err := e.assign(in, sub, op, members[name]); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// put gives an attribute a value, or none if it is nil or empty, as far as the
// attribute may be changed.
func put(in map[string]any, a scim.Attribute, value any) error {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			value = nil
		}
	case []any:
		if len(v) == 0 {
			value = nil
		}
	}
	held := in[a.Name]
	switch {
	case reflect.DeepEqual(held, value):
	case held != nil && a.Mutability == scim.Immutable:
		return scim.Bad(scim.Mutable, a.Name+" cannot be changed once it is set")
	case value == nil && a.Assigned:
		return scim.Bad(scim.Mutable, a.Name+" cannot be removed")
	case value == nil && a.Required:
		return scim.Bad(scim.Mutable, a.Name+" is required")
	case value == "" && a.Required:
		return scim.Bad(scim.InvalidValue, a.Name+" is required")
	case value == nil:
		delete(in, a.Name)
	default:
		in[a.Name] = value
	}
	return nil
}
