package trial

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/phone"
)

const (
	// email is at a domain that takes no mail (RFC 2606, RFC 7505). It is always the same,
	// so that what an earlier trial left is found by it.
	email = "holdline-doctor@example.com"
	name  = "holdline-doctor"
)

// made are traits for the trial's identity.
type made struct {
	traits      map[string]any
	identifiers []string // what it signs in by, with its password
	addresses   []address
	verifiable  bool     // the mobile trait is marked verified
	first, then []string // numbers that the mobile trait takes: for the identity, and to change to
}

type address struct{ value, via string }

// node is a JSON schema.
type node = map[string]any

// maker makes values that a schema takes. Of optional members it makes those that one
// signs in by.
type maker struct {
	root        node
	identifiers []string
	addresses   []address
}

// makeTraits makes the traits that an identity schema wants, with the operator's own in
// place of made ones, and the numbers that its mobile trait takes. The error names the
// trait that it cannot make.
func makeTraits(schema node, own map[string]any, mobile string) (made, error) {
	m := &maker{root: schema}
	traits := m.at(node{"$ref": "#/properties/traits"})
	number, known := object(traits["properties"])[mobile].(node)
	if !known {
		return made{}, fmt.Errorf("the identity schema has no trait %s", mobile)
	}
	if _, given := own[mobile]; given {
		return made{}, fmt.Errorf("--try-traits: %s is the doctor's to choose: the trial changes it to a number that nobody can have", mobile)
	}
	var out made
	for _, candidate := range phone.FictionalNumbers() {
		if fits(m.at(number), candidate) {
			out.first = append(out.first, candidate)
		}
	}
	if len(out.first) < 2 {
		return made{}, fmt.Errorf("the trait %s takes none of the numbers that nobody can have (as +12025550100), so no change of it can be tried", mobile)
	}
	half := len(out.first) / 2
	out.first, out.then = out.first[:half], out.first[half:]
	others := maps.Clone(traits)
	others["properties"] = maps.Clone(object(traits["properties"]))
	delete(object(others["properties"]), mobile)
	others["required"] = slices.DeleteFunc(slices.Clone(list(traits["required"])), func(name any) bool { return name == mobile })
	value, err := m.object(others, own, "")
	if err != nil {
		return made{}, err
	}
	out.traits, out.identifiers, out.addresses = value, m.identifiers, m.addresses
	if verifiedBy(m.at(number)) == "sms" {
		out.verifiable, out.addresses = true, append(out.addresses, address{"", "sms"}) // the number, when it is chosen
	}
	if isIdentifier(m.at(number)) {
		out.identifiers = append(out.identifiers, "")
	}
	if len(out.identifiers) == 0 {
		return made{}, errors.New("the identity schema has no trait to sign in by with a password, so no form can be filled in")
	}
	return out, nil
}

// at follows references within the schema, and takes what allOf and the first of anyOf or
// oneOf add.
func (m *maker) at(n node) node {
	for range 20 {
		ref, is := n["$ref"].(string)
		if !is {
			break
		}
		var found any = m.root
		for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			found = object(found)[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
		}
		n = object(found)
	}
	whole := maps.Clone(n)
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		parts, _ := n[word].([]any)
		for i, part := range parts {
			if i > 0 && word != "allOf" {
				break
			}
			for key, value := range m.at(object(part)) {
				if _, there := whole[key]; !there {
					whole[key] = value
				}
			}
		}
	}
	return whole
}

// value makes a value. A path is as in faults: name.first.
func (m *maker) value(n node, own any, path string) (any, error) {
	n = m.at(n)
	if own != nil {
		if inner, is := own.(map[string]any); is {
			return m.object(n, inner, path)
		}
		m.note(n, own)
		return own, nil
	}
	for _, key := range []string{"const", "default"} {
		if fixed, there := n[key]; there && fixed != nil {
			m.note(n, fixed)
			return fixed, nil
		}
	}
	if choices, _ := n["enum"].([]any); len(choices) > 0 {
		return choices[0], nil
	}
	switch kind := kindOf(n); kind {
	case "object":
		return m.object(n, nil, path)
	case "array":
		return m.array(n, path)
	case "boolean":
		return true, nil
	case "integer", "number":
		return numberFor(n, kind == "integer"), nil
	case "string":
		for _, candidate := range candidates(n) {
			if fits(n, candidate) {
				m.note(n, candidate)
				return candidate, nil
			}
		}
	}
	return nil, fmt.Errorf("no value can be made for the trait %s: give one in --try-traits", path)
}

func (m *maker) object(n node, own map[string]any, path string) (map[string]any, error) {
	value, properties, required := map[string]any{}, object(n["properties"]), texts(n["required"])
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if _, known := properties[key]; !known {
			value[key] = own[key] // Kratos says what it thinks of it
		}
	}
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		member := object(properties[key])
		given, is := own[key]
		if !is && !slices.Contains(required, key) && !m.signsIn(member) {
			continue
		}
		made, err := m.value(member, given, strings.TrimPrefix(path+"."+key, "."))
		if err != nil {
			return nil, err
		}
		value[key] = made
	}
	return value, nil
}

func (m *maker) array(n node, path string) ([]any, error) {
	items, all := object(n["items"]), []any{}
	least := int(numeric(n["minItems"]))
	if least == 0 && m.signsIn(items) {
		least = 1
	}
	for range least {
		one, err := m.value(items, nil, path)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// note keeps what a value is good for.
func (m *maker) note(n node, value any) {
	text, is := value.(string)
	if !is {
		return
	}
	if isIdentifier(n) {
		m.identifiers = append(m.identifiers, text)
	}
	if via := verifiedBy(n); via != "" {
		m.addresses = append(m.addresses, address{text, via})
	}
}

// signsIn reports whether a value, or a part of it, is an identifier with a password.
func (m *maker) signsIn(n node) bool {
	n = m.at(n)
	if isIdentifier(n) {
		return true
	}
	for _, member := range object(n["properties"]) {
		if m.signsIn(object(member)) {
			return true
		}
	}
	items, is := n["items"].(node)
	return is && m.signsIn(items)
}

func extension(n node) node { return object(n["ory.sh/kratos"]) }

func isIdentifier(n node) bool {
	is, _ := object(object(extension(n)["credentials"])["password"])["identifier"].(bool)
	return is
}

func verifiedBy(n node) string {
	via, _ := object(extension(n)["verification"])["via"].(string)
	return via
}

// candidates are values for text, the likeliest first.
func candidates(n node) []string {
	format, _ := n["format"].(string)
	via := verifiedBy(n)
	switch {
	case format == "email" || via == "email":
		return []string{email}
	case format == "tel" || via == "sms":
		return phone.FictionalNumbers()[9:] // not the first, which the mobile trait gets
	}
	if fixed, known := map[string][]string{
		"uri": {"https://example.com/"}, "url": {"https://example.com/"}, "hostname": {"example.com"},
		"date": {"2000-01-01"}, "date-time": {"2000-01-01T00:00:00Z"}, "time": {"00:00:00Z"},
		"uuid": {"00000000-0000-4000-8000-000000000000"}, "ipv4": {"192.0.2.1"}, "ipv6": {"2001:db8::1"},
	}[format]; known {
		return fixed
	}
	all := []string{name, "Holdline Doctor", "doctor", "Doctor", "DOCTOR", "en", "EN", "en-GB", email, "https://example.com/", "2000-01-01"}
	least, most := int(numeric(n["minLength"])), longest(n)
	for i, text := range all {
		for utf8.RuneCountInString(text) < least {
			text += "x"
		}
		all[i] = string([]rune(text)[:min(most, utf8.RuneCountInString(text))])
	}
	for digits := max(least, 1); digits <= min(most, max(least, 1)+20); digits++ {
		all = append(all, strings.Repeat("1", digits), "A"+strings.Repeat("1", digits-1))
	}
	return all
}

// longest is how long text may be.
func longest(n node) int {
	if most, bounded := n["maxLength"].(float64); bounded {
		return int(most)
	}
	return math.MaxInt32
}

// fits reports whether text is of a length and a pattern. A pattern of JSON schema that Go
// cannot read fits nothing.
func fits(n node, text string) bool {
	length := utf8.RuneCountInString(text)
	if length < int(numeric(n["minLength"])) || length > longest(n) {
		return false
	}
	if choices, is := n["enum"].([]any); is && !slices.Contains(choices, any(text)) {
		return false
	}
	pattern, is := n["pattern"].(string)
	if !is {
		return true
	}
	read, err := regexp.Compile(pattern)
	return err == nil && read.MatchString(text)
}

func numberFor(n node, whole bool) float64 {
	value := numeric(n["minimum"])
	if over, is := n["exclusiveMinimum"].(float64); is && value <= over {
		value = over + 1
	}
	if most, is := n["maximum"].(float64); is {
		value = min(value, most)
	}
	if step := numeric(n["multipleOf"]); step > 0 {
		value = math.Ceil(value/step) * step
	}
	if whole {
		value = math.Ceil(value)
	}
	return value
}

func kindOf(n node) string {
	switch kind := n["type"].(type) {
	case string:
		return kind
	case []any:
		for _, one := range kind {
			if text, is := one.(string); is && text != "null" {
				return text
			}
		}
	}
	if _, is := n["properties"]; is {
		return "object"
	}
	return "string"
}

func object(v any) node {
	o, _ := v.(node)
	return o
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func texts(v any) []string {
	var found []string
	for _, one := range list(v) {
		if text, is := one.(string); is {
			found = append(found, text)
		}
	}
	return found
}

func numeric(v any) float64 {
	n, _ := v.(float64)
	return n
}
