package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/scim"
)

// common are traits of common identity schemas, best first, by the attribute that
// each keeps.
var common = []struct {
	path   string
	traits []string
}{
	{"userName", []string{"username", "user_name", "userName", "login", "email"}},
	{"emails.value", []string{"email", "email_address", "emailAddress"}},
	{"name.givenName", []string{"name.first", "name.given", "name.given_name", "name.givenName", "first_name", "firstName", "given_name", "givenName"}},
	{"name.familyName", []string{"name.last", "name.family", "name.family_name", "name.familyName", "last_name", "lastName", "family_name", "familyName"}},
	{"displayName", []string{"display_name", "displayName", "name", "full_name", "fullName"}},
	{"name.formatted", []string{"name", "full_name", "fullName"}},
	{"nickName", []string{"nickname", "nick_name", "nickName"}},
	{"locale", []string{"locale"}},
	{`phoneNumbers[type eq "work"].value`, []string{"phone", "phone_number", "phoneNumber", "telephone"}},
}

// Default returns rules for an identity schema with traits of the usual names. Where
// the name is one text, displayName writes it, else name.formatted. The mobile trait
// is left to the rule of its own.
func Default(schema map[string]any, mobileTrait string) []Rule {
	traits := traitsOf(schema)
	mobile, _ := readTrait(mobileTrait)
	var rules []Rule
	for _, c := range common {
		for _, trait := range c.traits {
			path, _ := readTrait(trait)
			if traits.at(path).allows("string") && !slices.Equal(path, mobile) {
				rules = append(rules, Rule{Path: c.path, Trait: trait})
				break
			}
		}
	}
	return rules
}

// Check returns what is wrong with the rules for identities of a schema. What the
// schema has in other files is taken to be right.
func (m *Mapping) Check(schema map[string]any) []RuleError {
	traits := traitsOf(schema)
	var faults []RuleError
	if !slices.ContainsFunc(m.rules, func(r rule) bool { return r.path == "userName" }) {
		faults = append(faults, RuleError{m.opt.Key, "userName has no trait: add a rule for it with the trait by which users sign in"})
	}
	for _, r := range m.rules {
		switch found := traits.at(r.trait); {
		case found.elsewhere:
		case !found.exists():
			faults = append(faults, RuleError{r.key, fmt.Sprintf(
				"the schema has no trait %s: name one of those that it has (%s)", r.spelled, strings.Join(traits.leaves(nil, r), ", "),
			)})
		case !found.allows(r.types()...):
			faults = append(faults, RuleError{r.key, fmt.Sprintf(
				"the trait %s is no %s: name another one for %s", r.spelled, r.types()[0], r.path,
			)})
		}
	}
	return append(faults, m.checkRequired(traits, nil)...)
}

// checkRequired finds traits that identities must have and no rule sets.
func (m *Mapping) checkRequired(at shape, path []string) []RuleError {
	var faults []RuleError
	required := at.required()
	for _, name := range at.names() {
		inner := append(slices.Clone(path), name)
		if slices.ContainsFunc(m.rules, func(r rule) bool { return len(r.trait) > len(inner) && under(r.trait, inner) }) {
			faults = append(faults, m.checkRequired(at.property(name), inner)...)
		} else if slices.Contains(required, name) && !slices.ContainsFunc(m.rules, func(r rule) bool { return slices.Equal(r.trait, inner) }) {
			faults = append(faults, RuleError{m.opt.Key, fmt.Sprintf(
				"the schema requires the trait %s: add a rule for it, or do not require it", spell(inner),
			)})
		}
	}
	return faults
}

// types are JSON schema's names of what the trait may be.
func (r rule) types() []string {
	switch r.leaf.Type {
	case scim.Boolean:
		return []string{"boolean"}
	case scim.Integer:
		return []string{"integer", "number"}
	case scim.Decimal:
		return []string{"number"}
	case scim.String, scim.DateTime, scim.Binary, scim.Reference, scim.Complex:
	}
	return []string{"string"}
}

// maxDepth bounds the traits that a fault proposes.
const maxDepth = 4

// leaves are the traits that could keep a rule's attribute.
func (s shape) leaves(path []string, r rule) []string {
	var found []string
	for _, name := range s.names() {
		at, inner := append(slices.Clone(path), name), s.property(name)
		if inner.allows(r.types()...) {
			found = append(found, spell(at))
		} else if len(at) < maxDepth {
			found = append(found, inner.leaves(at, r)...)
		}
	}
	return found
}

// spell writes a trait as a rule may have it.
func spell(path []string) string {
	if slices.ContainsFunc(path, func(name string) bool { return strings.ContainsAny(name, "./") }) {
		return pointer(path...)
	}
	return strings.Join(path, ".")
}
