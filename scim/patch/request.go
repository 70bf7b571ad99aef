package patch

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/holdline/holdline/scim"
)

// Request is the body of a PATCH.
type Request struct{ Operations []Operation }

// Operation is one change.
type Operation struct {
	Op    Op
	Path  string // blank for none
	Value any    // as scim.ReadJSON gives it; nil for null and for none
}

// Op is an operation's verb.
type Op string

// The verbs.
const (
	Add     Op = "add"
	Replace Op = "replace"
	Remove  Op = "remove"
)

// Read reads a request's body, as [scim.ReadJSON] gives it. Names and verbs may be
// in any case. Lenient reading does without schemas, and takes a blank path for
// none. Errors are [*scim.Error].
func Read(body map[string]any, options Options) (Request, error) {
	members, err := scim.FoldNames(body)
	if err != nil {
		return Request{}, err
	}
	if options.Mode == scim.Strict && !lists(members["schemas"], scim.PatchOpSchema) {
		return Request{}, scim.Bad(scim.InvalidSyntax, "schemas must list "+scim.PatchOpSchema)
	}
	list, ok := members["operations"].([]any)
	if !ok || len(list) == 0 {
		return Request{}, scim.Bad(scim.InvalidSyntax, "Operations must be a list of one operation or more")
	}
	if most := options.Limits.filled().Operations; len(list) > most {
		return Request{}, tooMuch(fmt.Sprintf("the request has more than %d operations", most))
	}
	var request Request
	for i, value := range list {
		operation, err := readOperation(value, options.Mode)
		if err != nil {
			return Request{}, numbered(i, err)
		}
		request.Operations = append(request.Operations, operation)
	}
	return request, nil
}

func readOperation(value any, mode scim.Mode) (Operation, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return Operation{}, scim.Bad(scim.InvalidSyntax, "an operation must be an object")
	}
	members, err := scim.FoldNames(object)
	if err != nil {
		return Operation{}, err
	}
	verb, _ := members["op"].(string)
	operation := Operation{Op: Op(strings.ToLower(verb)), Value: members["value"]}
	if err := operation.Op.check(); err != nil {
		return Operation{}, err
	}
	operation.Path, ok = members["path"].(string)
	if given := members["path"] != nil; given && (!ok || operation.Path == "" && mode == scim.Strict) {
		return Operation{}, scim.Bad(scim.InvalidPath, "path must be an attribute's path")
	}
	if _, given := members["value"]; !given && operation.Op != Remove {
		return Operation{}, scim.Bad(scim.InvalidValue, string(operation.Op)+" needs a value")
	}
	return operation, nil
}

// Select returns of a request what it says of paths that are to be kept.
func (r Request) Select(resource scim.Resource, keep func(path string) bool) Request {
	var rest Request
	for _, o := range r.Operations {
		if list, ok := o.Value.([]any); ok && o.Path == "" && len(list) == 1 {
			o.Value = list[0]
		}
		kept := o.Path != "" && keep(o.Path)
		if members, ok := o.Value.(map[string]any); ok && (o.Path == "" || strings.EqualFold(o.Path, resource.Core.ID)) {
			members = resource.Select(members, keep)
			o.Value, kept = members, len(members) > 0
		}
		if kept {
			rest.Operations = append(rest.Operations, o)
		}
	}
	return rest
}

func (o Op) check() error {
	switch o {
	case Add, Replace, Remove:
		return nil
	default:
		return scim.Bad(scim.InvalidSyntax, "op must be add, replace or remove")
	}
}

func lists(value any, urn string) bool {
	list, _ := value.([]any)
	return slices.ContainsFunc(list, func(element any) bool {
		text, _ := element.(string)
		return strings.EqualFold(text, urn)
	})
}

func tooMuch(detail string) error {
	return &scim.Error{Status: http.StatusRequestEntityTooLarge, Detail: detail}
}
