package groups

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/internal/scim/patch"
)

// MostMembers is how many members one request may name.
const MostMembers = 20_000

// member is one that a request names.
type member struct {
	id string
	at string // where in the request: members[3]
}

// readMembers reads a list of members. Lenient reading takes one without the list, and
// an id without the object around it.
func readMembers(value any, mode scim.Mode) ([]member, error) {
	list, isList := value.([]any)
	switch {
	case value == nil:
		return nil, nil
	case isList:
	case mode == scim.Strict:
		return nil, scim.Bad(scim.InvalidValue, "members must be a list")
	default:
		list = []any{value}
	}
	if len(list) > MostMembers {
		return nil, &scim.Error{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(
			"members: %d at most in one request; add more with further ones", MostMembers)}
	}
	var found []member
	for i, element := range list {
		if element == nil {
			continue
		}
		at := fmt.Sprintf("members[%d]", i)
		id, err := readMember(element, at, mode)
		if err != nil {
			return nil, err
		}
		found = append(found, member{id, at})
	}
	return found, nil
}

// readMember reads one. Beside its id and type all is taken for granted: clients send
// display names, and references in forms of their own.
func readMember(element any, at string, mode scim.Mode) (string, error) {
	members, ok := element.(map[string]any)
	if text, isText := element.(string); isText && mode == scim.Lenient {
		members, ok = map[string]any{"value": text}, true
	}
	if !ok {
		return "", scim.Bad(scim.InvalidValue, at+" must be an object")
	}
	members, err := scim.FoldNames(members)
	if err != nil {
		return "", scim.Bad(scim.InvalidSyntax, at+" has two members of the same name")
	}
	id, isText := members["value"].(string)
	kind, _ := members["type"].(string)
	ref, _ := members["$ref"].(string)
	switch {
	case members["value"] == nil || isText && scim.Blank(id):
		return "", scim.Bad(scim.InvalidValue, at+".value is required")
	case !isText:
		return "", scim.Bad(scim.InvalidValue, at+".value must be a string")
	case strings.EqualFold(kind, "Group"), kind == "" && strings.Contains(ref, "/Groups/"):
		return "", scim.Bad(scim.InvalidValue, at+".type: groups within groups are not supported")
	case members["type"] != nil && !strings.EqualFold(kind, "User"):
		return "", scim.Bad(scim.InvalidValue, at+".type must be User")
	}
	if len(id) > longestID || strings.ContainsFunc(id, unicode.IsControl) {
		id = nobody
	}
	return id, nil
}

// nobody is no user's id. It takes the place of what cannot be one.
const (
	nobody    = "?"
	longestID = 64
)

// state is what operations make of a group's members, whoever they are: who is in for
// certain, who is out, and whether the others stay.
type state struct {
	only    bool
	in, out map[string]bool
	where   map[string]string
	chosen  []Choice
	number  int // of the operation, from 1
}

func (s *state) add(m member) {
	s.in[m.id] = true
	delete(s.out, m.id)
	if s.where[m.id] == "" {
		s.where[m.id] = fmt.Sprintf("operation %d: %s", s.number, m.at)
	}
}

func (s *state) remove(id string) {
	delete(s.in, id)
	if !s.only {
		s.out[id] = true
	}
}

// choose refuses to go on if none of some ids is a member's. Whoever may be one is for the store
// to find out.
func (s *state) choose(ids []string) error {
	none := scim.Bad(scim.NoTarget, "the filter of members chooses nothing")
	var perhaps []string
	for _, id := range ids {
		switch {
		case s.in[id]:
			return nil
		case !s.only && !s.out[id]:
			perhaps = append(perhaps, id)
		}
	}
	if len(perhaps) == 0 {
		return none
	}
	s.chosen = append(s.chosen, Choice{perhaps, patch.Numbered(s.number-1, none)})
	return nil
}

func (s *state) clear() { s.only, s.in, s.out = true, map[string]bool{}, map[string]bool{} }

// split tells what a request says of members from the rest. Where an operation says
// nothing of the rest, one that does nothing is in its place, so that errors count
// operations as the client does.
func (s *Service) split(request patch.Request) (wish, patch.Request, error) {
	of := func(path string) bool { return s.resource.About(path, scim.MembersAttribute) }
	var rest patch.Request
	all := state{in: map[string]bool{}, out: map[string]bool{}, where: map[string]string{}}
	other := false
	for i, o := range request.Operations {
		all.number = i + 1
		one := patch.Request{Operations: []patch.Operation{o}}
		for _, part := range one.Select(s.resource, of).Operations {
			if err := s.apply(&all, part); err != nil {
				return wish{}, rest, patch.Numbered(i, err)
			}
		}
		kept := one.Select(s.resource, func(path string) bool { return !of(path) }).Operations
		if len(kept) == 0 {
			kept = []patch.Operation{{Op: patch.Add, Value: map[string]any{}}}
		} else {
			other = true
		}
		rest.Operations = append(rest.Operations, kept...)
	}
	if !other {
		rest.Operations = nil
	}
	if n := len(all.in) + len(all.out); n > MostMembers {
		return wish{}, rest, &scim.Error{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(
			"members: %d at most in one request; the request names %d", MostMembers, n)}
	}
	w := wish{where: all.where}
	w.Members = Members{Only: all.only, Add: keys(all.in), Remove: keys(all.out), Chosen: all.chosen}
	return w, rest, nil
}

func keys(set map[string]bool) []string {
	var list []string
	for id := range set {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// apply applies an operation that is about members.
func (s *Service) apply(all *state, o patch.Operation) error {
	if o.Fault != nil {
		return o.Fault
	}
	if o.Path == "" || strings.EqualFold(o.Path, s.resource.Core.ID) {
		return s.applyMembers(all, o)
	}
	p, err := s.resource.ParsePath(o.Path)
	if err != nil {
		return err
	}
	switch {
	case p.Filter != "":
		return s.applyFiltered(all, o, p)
	case p.Sub.Name != "" && p.Sub.Name != "value":
		return scim.Bad(scim.Mutable, "members."+p.Sub.Name+" cannot be changed once it is set")
	}
	return s.applyValue(all, o.Op, o.Value)
}

// applyMembers applies an operation without a path, whose value has members only.
func (s *Service) applyMembers(all *state, o patch.Operation) error {
	given, _ := o.Value.(map[string]any)
	if len(given) == 1 {
		for name, value := range given {
			if p, err := s.resource.ParsePath(name); err == nil && p.Attribute.Name == scim.MembersAttribute && p.Filter == "" && p.Sub.Name == "" {
				if o.Op == patch.Remove {
					return scim.Bad(scim.NoTarget, "remove needs a path")
				}
				return s.applyValue(all, o.Op, value)
			}
		}
	}
	list, err := s.given(given)
	if err != nil {
		return err
	}
	if list == nil {
		return scim.Bad(scim.InvalidValue, "members must stand in the value as a list")
	}
	return s.applyValue(all, o.Op, list)
}

func (s *Service) applyValue(all *state, op patch.Op, value any) error {
	list, err := readMembers(value, s.Mode)
	if err != nil {
		return err
	}
	switch op {
	case patch.Remove:
		if value == nil {
			all.clear()
			return nil
		}
		if s.Mode == scim.Strict {
			return scim.Bad(scim.InvalidValue, "remove has no value")
		}
		for _, m := range list {
			all.remove(m.id)
		}
		return nil
	case patch.Replace:
		all.clear()
	case patch.Add:
	default:
		return scim.Bad(scim.InvalidSyntax, "op must be add, replace or remove")
	}
	for _, m := range list {
		all.add(m)
	}
	return nil
}

// applyFiltered applies an operation to those members whom a path's filter names.
func (s *Service) applyFiltered(all *state, o patch.Operation, p scim.Path) error {
	f, err := filter.Parse(p.Filter, filter.Limits{Mode: s.Mode})
	if err == nil {
		err = f.CheckElement(p.Attribute)
	}
	if err != nil {
		return err
	}
	ids, ok := f.Values("value")
	if !ok {
		return scim.Bad(scim.InvalidFilter, `members can only be chosen by their value, as in members[value eq "2819c223"]`)
	}
	if p.Sub.Name != "" && (o.Op != patch.Remove || p.Sub.Name != "value") {
		return scim.Bad(scim.Mutable, "members."+p.Sub.Name+" cannot be changed once it is set")
	}
	if s.Mode == scim.Strict {
		ids = slices.DeleteFunc(ids, func(id string) bool {
			return !f.MatchesElement(p.Attribute, map[string]any{"value": id, "type": "User"})
		})
		if err := all.choose(ids); err != nil {
			return err
		}
	}
	if o.Op == patch.Remove {
		for _, id := range ids {
			all.remove(id)
		}
		return nil
	}
	// What is put in the place of some members is themselves, or others.
	list, err := readMembers(o.Value, s.Mode)
	if err != nil {
		return err
	}
	if o.Op == patch.Replace {
		for _, id := range ids {
			all.remove(id)
		}
	}
	for _, m := range list {
		all.add(m)
	}
	return nil
}
