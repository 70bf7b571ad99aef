package patch

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/scim"
)

// Request is the body of a PATCH.
type Request struct {
	Operations []Operation
	// Asks reports whether verifyMobile is true anywhere in the body, also beside the
	// operations, or in one that undoes it.
	Asks bool
}

// Operation is one change.
type Operation struct {
	Op    Op
	Path  string // blank for none
	Value any    // as scim.ReadJSON gives it; nil for null and for none
	// Fault is why the operation cannot be applied as it was written; nil for nothing.
	Fault error
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
// none. Errors are [*scim.Error]. What is wrong with one operation is its Fault, for
// [Apply] to refuse, so that the others can be told apart from it.
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
	request := Request{Asks: scim.AsksToVerify(body)}
	for _, value := range list {
		operation := readOperation(value, options.Mode)
		request.Operations = append(request.Operations, operation)
		request.Asks = request.Asks || scim.NamesVerify(operation.Path) && scim.Affirms(operation.Value)
	}
	return request, nil
}

func readOperation(value any, mode scim.Mode) Operation {
	object, ok := value.(map[string]any)
	if !ok {
		return Operation{Fault: scim.Bad(scim.InvalidSyntax, "an operation must be an object")}
	}
	members, err := scim.FoldNames(object)
	if err != nil {
		return Operation{Fault: err}
	}
	verb, _ := members["op"].(string)
	operation := Operation{Op: Op(strings.ToLower(verb)), Value: members["value"]}
	operation.Path, ok = members["path"].(string)
	_, valued := members["value"]
	switch fault := operation.Op.check(); {
	case fault != nil:
		operation.Fault = fault
	case members["path"] != nil && (!ok || operation.Path == "" && mode == scim.Strict):
		operation.Fault = scim.Bad(scim.InvalidPath, "path must be an attribute's path")
	case !valued && operation.Op != Remove:
		operation.Fault = scim.Bad(scim.InvalidValue, string(operation.Op)+" needs a value")
	}
	return operation
}

// Select returns of a request what it says of paths that are to be kept; a blank path
// stands for what names no attribute.
func (r Request) Select(resource scim.Resource, keep func(path string) bool) Request {
	var rest Request
	for _, o := range r.Operations {
		if list, ok := o.Value.([]any); ok && o.Path == "" && len(list) == 1 {
			o.Value = list[0]
		}
		kept := keep(o.Path) // what has neither path nor members is kept with the rest
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
