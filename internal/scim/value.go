package scim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Mode says how a client's input is read.
type Mode bool

// The modes. Lenient takes what the large identity providers send: booleans as
// strings, as Entra ID does; the value of a complex attribute instead of the object
// around it, and a simple one in such an object; one value instead of a list of one, and the other way round; unknown
// attributes, which it ignores. Strict keeps to RFC 7643.
const (
	Lenient Mode = false
	Strict  Mode = true
)

// Read brings a client's value into the form that documents are kept in. It is nil
// for what means no value: null, an empty list, an object without members. The
// result shares nothing with the input. Errors are [*Error] and name the attribute.
func (a Attribute) Read(value any, mode Mode) (any, error) { return mode.read(a, a.Name, value) }

// Members returns the sub-attributes that a client's value of a complex attribute
// has, in the schema's spelling and otherwise as they came. Those that only the
// server writes are left out.
func (a Attribute) Members(value any, mode Mode) (map[string]any, error) {
	return mode.members(a, a.Name, value)
}

// Unassigns reports whether a client's value means none: null, or in lenient mode
// a blank text in place of an object, by which Entra ID removes a manager.
func (a Attribute) Unassigns(value any, mode Mode) bool {
	text, isText := value.(string)
	return value == nil || isText && a.Type == Complex && mode == Lenient && strings.TrimSpace(text) == ""
}

func (m Mode) read(a Attribute, path string, value any) (any, error) {
	if a.Unassigns(value, m) {
		return unassigned()
	}
	if a.AnyValue && m == Lenient {
		text, _ := value.(string)
		return value == true || strings.EqualFold(text, "true"), nil
	}
	list, isList := value.([]any)
	switch {
	case a.MultiValued && isList:
		return m.many(a, path, list)
	case a.MultiValued && m == Lenient:
		return m.many(a, path, []any{value})
	case a.MultiValued:
		return nil, wrong(path, "a list")
	case isList && m == Lenient && len(list) == 0:
		return unassigned()
	case isList && m == Lenient && len(list) == 1 && list[0] != nil:
		value = list[0]
	}
	return m.one(a, path, value)
}

func (m Mode) many(a Attribute, path string, list []any) (any, error) {
	var elements []any
	for _, value := range list {
		if a.Unassigns(value, m) {
			continue
		}
		element, err := m.one(a, path, value)
		if err != nil {
			return nil, err
		}
		if element != nil {
			elements = append(elements, element)
		}
	}
	if elements == nil {
		return unassigned()
	}
	return elements, m.onePrimary(path, elements)
}

// onePrimary sees to it that one element at most is the primary one (RFC 7643,
// section 2.4). Where several claim to be, the first is.
func (m Mode) onePrimary(path string, elements []any) error {
	found := false
	for _, element := range elements {
		members, ok := element.(map[string]any)
		if !ok || members["primary"] != true {
			continue
		}
		if found && m == Strict {
			return Bad(InvalidValue, path+" has two primary values")
		}
		members["primary"] = !found
		found = true
	}
	return nil
}

// one reads a single value, be it an element or all that there is.
func (m Mode) one(a Attribute, path string, value any) (any, error) {
	if a.Type != Complex && m == Lenient {
		value = unwrapped(value)
	}
	switch a.Type {
	case Complex:
		return m.complex(a, path, value)
	case Boolean:
		return m.boolean(path, value)
	case Integer, Decimal:
		return number(a, path, value)
	case String, DateTime, Binary, Reference:
	}
	text, ok := value.(string)
	switch {
	case !ok:
		return nil, wrong(path, "a string")
	case a.Type == DateTime && !isDateTime(text):
		return nil, wrong(path, "a date and time")
	case a.Type == Binary && !isBase64(text):
		return nil, wrong(path, "base64")
	}
	return text, nil
}

// unwrapped returns the value that stands in an object of its own, with a reference to
// nothing beside it: Microsoft's older SCIM library writes simple values so.
func unwrapped(value any) any {
	object, ok := value.(map[string]any)
	var inner any
	for name, member := range object {
		switch {
		case strings.EqualFold(name, "value") && inner == nil:
			inner = member
		case strings.EqualFold(name, "$ref") && member == nil:
		default:
			return value
		}
	}
	if !ok || inner == nil {
		return value
	}
	return inner
}

func (m Mode) complex(a Attribute, path string, value any) (any, error) {
	given, err := m.members(a, path, value)
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		sub, _ := a.Find(name)
		read, err := m.read(sub, path+"."+sub.Name, given[name])
		if err != nil {
			return nil, err
		}
		if read != nil {
			members[sub.Name] = read
		}
	}
	if len(members) == 0 {
		return unassigned()
	}
	return members, nil
}

func (m Mode) members(a Attribute, path string, value any) (map[string]any, error) {
	given, ok := value.(map[string]any)
	if text, isText := value.(string); isText && m == Lenient {
		_, ok = a.Find("value")
		given = map[string]any{"value": text}
	}
	if list, isList := value.([]any); isList && m == Lenient && len(list) == 1 {
		given, ok = list[0].(map[string]any)
	}
	if !ok {
		return nil, wrong(path, "an object")
	}
	members := map[string]any{}
	for name, value := range given {
		sub, ok := a.Find(name)
		_, twice := members[sub.Name]
		switch {
		case !ok && m == Strict:
			return nil, Bad(InvalidValue, path+" has a sub-attribute that is not known")
		case !ok || sub.Mutability == ReadOnly:
		case twice:
			return nil, Bad(InvalidSyntax, path+"."+sub.Name+" is given twice")
		default:
			members[sub.Name] = value
		}
	}
	return members, nil
}

func (m Mode) boolean(path string, value any) (any, error) {
	if text, ok := value.(string); ok && m == Lenient {
		switch {
		case strings.EqualFold(text, "true"):
			return true, nil
		case strings.EqualFold(text, "false"):
			return false, nil
		}
	}
	if b, ok := value.(bool); ok {
		return b, nil
	}
	return nil, wrong(path, "true or false")
}

func number(a Attribute, path string, value any) (any, error) {
	n, ok := value.(json.Number)
	switch {
	case !ok:
		return nil, wrong(path, "a number")
	case a.Type == Integer && strings.ContainsAny(n.String(), ".eE"):
		return nil, wrong(path, "a whole number")
	}
	return n, nil
}

// isDateTime reports whether a text is an xsd:dateTime, with a zone or without.
func isDateTime(text string) bool {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if _, err := time.Parse(form, text); err == nil {
			return true
		}
	}
	return false
}

// isBase64 reports whether a text is base64 in either alphabet, padded or not.
func isBase64(text string) bool {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=\r\n")
	_, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil
}

// unassigned is the result for what has no value.
func unassigned() (any, error) { return nil, nil } //nolint:nilnil // nil is a value here

func wrong(path, wanted string) error { return Bad(InvalidValue, path+" must be "+wanted) }
