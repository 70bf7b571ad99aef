package mapping

import (
	"reflect"
	"slices"

	"github.com/holdline/holdline/internal/scim"
)

// NumberWish is what becomes of the mobile number's trait, whatever the document
// says. The zero value leaves it as it is.
type NumberWish struct {
	Change bool
	Number string // blank removes it
}

// Operations bring an identity to a document in canonical form, with the caller's
// own operations among them; removals come first. There are none for what does not
// change, and none for traits without a rule. A document without active leaves the
// state as it is. The error is invalidValue if a value does not fit its trait.
func (m *Mapping) Operations(
	before scim.Record, document map[string]any, number NumberWish, own ...scim.Operation,
) ([]scim.Operation, error) {
	operations, traits, err := m.changeTraits(before.Traits, document, number)
	if err != nil {
		return nil, err
	}
	state, err := stateOf(document)
	switch {
	case err != nil:
		return nil, err
	case state != "" && (state == scim.Inactive) != (before.State == scim.Inactive):
		operations = append(operations, scim.Operation{Op: scim.Replace, Path: "/state", Value: state})
	}
	operations = append(operations, m.changeRest(restOf(before.MetadataAdmin), document, traits)...)
	operations = append(operations, own...)
	slices.SortStableFunc(operations, func(a, b scim.Operation) int { return order(a) - order(b) })
	return operations, nil
}

func order(o scim.Operation) int {
	if o.Op == scim.Remove {
		return 0
	}
	return 1
}

// Draft is the identity that a document asks for, with its password. The schema's
// id and the public metadata are the caller's. The error is invalidValue if a value
// does not fit its trait.
func (m *Mapping) Draft(document map[string]any, number NumberWish) (scim.Draft, error) {
	_, traits, err := m.changeTraits(nil, document, number)
	if err != nil {
		return scim.Draft{}, err
	}
	state, err := stateOf(document)
	if err != nil {
		return scim.Draft{}, err
	}
	draft := scim.Draft{State: state, Traits: traits}
	draft.Password, _ = document["password"].(string)
	if rest := m.rest(document, traits); rest != nil {
		draft.MetadataAdmin = map[string]any{restKey: rest}
	}
	return draft, nil
}

// stateOf is blank where the document does not say.
func stateOf(document map[string]any) (string, error) {
	switch document["active"] {
	case nil:
		return "", nil
	case true:
		return scim.Active, nil
	case false:
		return scim.Inactive, nil
	default:
		return "", scim.Bad(scim.InvalidValue, "active must be true or false")
	}
}

// changeTraits returns what changes the traits, and the traits that come of it.
func (m *Mapping) changeTraits(
	before, document map[string]any, number NumberWish,
) (operations []scim.Operation, after map[string]any, err error) {
	if _, err := m.Mobile(document); err != nil {
		return nil, nil, err
	}
	after = scim.CloneObject(before)
	for i, r := range m.rules {
		shares := func(o rule) bool { return slices.Equal(o.trait, r.trait) }
		if slices.ContainsFunc(m.rules[:i], shares) {
			continue
		}
		current, _ := lookup(before, r.trait)
		wanted := current
		if !r.mobile {
			r, wanted = m.writer(r, document)
		} else if number.Change {
			wanted = m.numberFor(current, number.Number)
		}
		path := pointer(append([]string{"traits"}, r.trait...)...)
		switch {
		case equal(wanted, current), wanted == nil && !r.takes(current):
		case wanted == nil:
			remove(after, r.trait)
			operations = append(operations, scim.Operation{Op: scim.Remove, Path: path})
		case !r.takes(wanted) || current != nil && !r.takes(current) || !room(before, r.trait):
			return nil, nil, scim.Bad(scim.InvalidValue, r.path+" does not fit the trait that keeps it")
		default:
			set(after, r.trait, wanted)
			operations = append(operations, scim.Operation{Op: scim.Add, Path: path, Value: wanted})
		}
	}
	return operations, after, nil
}

// writer returns the first rule of a trait that has a value, and the value.
func (m *Mapping) writer(r rule, document map[string]any) (rule, any) {
	for _, other := range m.rules {
		if value := other.in(document); value != nil && slices.Equal(other.trait, r.trait) {
			return other, value
		}
	}
	return r, nil
}

// numberFor keeps the spelling of a number that stays the same.
func (m *Mapping) numberFor(current any, number string) any {
	stored, ok := current.(string)
	switch {
	case number == "":
		return nil
	case ok && m.opt.Same(stored, number):
		return stored
	default:
		return number
	}
}

// remove removes a value alone.
func remove(object map[string]any, path []string) {
	for ; len(path) > 1; path = path[1:] {
		object, _ = object[path[0]].(map[string]any)
	}
	delete(object, path[0])
}

// changeRest compares what comes of the two rests, also once the document's mobile
// number is the identity's: so the rest of its element waits with it.
func (m *Mapping) changeRest(before, document, traits map[string]any) []scim.Operation {
	after := m.rest(document, traits)
	for _, r := range m.rules {
		if number := r.in(document); r.mobile && number != nil && room(traits, r.trait) {
			traits = scim.CloneObject(traits)
			set(traits, r.trait, number)
		}
	}
	path := pointer("metadata_admin", restKey)
	switch {
	case equal(m.compose(traits, before), m.compose(traits, after)):
		return nil
	case after == nil:
		return []scim.Operation{{Op: scim.Remove, Path: path}}
	default:
		return []scim.Operation{{Op: scim.Add, Path: path, Value: after}}
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
