// Package patch changes a resource's document as a PATCH asks for (RFC 7644,
// section 3.5.2). It knows neither HTTP nor where documents are kept.
//
// Where the RFC leaves room, or clients need more than it has:
//
//   - A path that leads to what only the server writes, or to no attribute, fails.
//     Among the members of a value such attributes are ignored; unknown ones only
//     in lenient mode.
//   - In lenient mode the members of a value without a path may be paths
//     themselves: name.givenName, emails[type eq "work"].value, a URN before them.
//   - In lenient mode, where the filter of an add or a replace chooses nothing, an
//     element is made of the filter's equalities; a remove does nothing. Strict
//     mode says noTarget.
//   - In lenient mode a remove with a value removes the elements that have all that
//     the value's elements have, as Entra ID means it. Strict mode refuses it.
//   - A sub-attribute of a multi-valued attribute without a filter is that of its
//     only element, of a new one if there is none, and of the primary one if there
//     are several; otherwise noTarget. To remove it is to remove it from all.
//   - Elements with the same value and type are one (RFC 7643, section 2.4).
//   - A value of null means that the attribute has none: replace removes it, add
//     does nothing.
//   - The attribute schemas follows from the document.
package patch

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

// Options say how a request is read and how large things may be.
type Options struct {
	Mode   scim.Mode
	Limits Limits
}

// Limits bound what a request can cost. What is zero is the default.
type Limits struct {
	Operations int           // in a request; 200
	Elements   int           // of one attribute; 500
	Bytes      int           // of a document, about what its JSON has; 262,144
	Filter     filter.Limits // as for other filters, but 20 terms
}

const (
	defaultOperations = 200
	defaultElements   = 500
	defaultBytes      = 1 << 18
	defaultTerms      = 20
)

func (l Limits) filled() Limits {
	l.Operations = cmp.Or(l.Operations, defaultOperations)
	l.Elements = cmp.Or(l.Elements, defaultElements)
	l.Bytes = cmp.Or(l.Bytes, defaultBytes)
	l.Filter.Terms = cmp.Or(l.Filter.Terms, defaultTerms)
	return l
}

// Result is a document after a request, and what the request named.
type Result struct {
	Document map[string]any
	Touched  Touched
}

// Apply applies all of a request's operations to a document in canonical form, or
// none. The document is not changed, and the result shares nothing with it or with
// the request. The result may hold attributes that are written only, such as
// password. Errors are [*scim.Error]; a request, document or attribute that is too
// large is a 413.
func Apply(r scim.Resource, document map[string]any, request Request, options Options) (Result, error) {
	e := editor{
		resource: r, mode: options.Mode, limits: options.Limits.filled(), document: scim.CloneObject(document),
	}
	switch n := len(request.Operations); {
	case n == 0:
		return Result{}, scim.Bad(scim.InvalidSyntax, "the request has no operations")
	case n > e.limits.Operations:
		return Result{}, tooMuch(fmt.Sprintf("the request has more than %d operations", e.limits.Operations))
	}
	for i, operation := range request.Operations {
		if err := e.apply(operation); err != nil {
			return Result{}, Numbered(i, err)
		}
		if weight(e.document) > e.limits.Bytes {
			return Result{}, Numbered(i, tooMuch(fmt.Sprintf("the resource would be larger than %d bytes", e.limits.Bytes)))
		}
	}
	e.document["schemas"] = r.Schemas(e.document)
	return Result{e.document, e.touched}, nil
}

// Numbered says which operation an error is about: the client's counted from 1, i from 0.
func Numbered(i int, err error) error {
	var fault *scim.Error
	if !errors.As(err, &fault) {
		return fmt.Errorf("operation %d: %w", i+1, err)
	}
	return &scim.Error{
		Status: fault.Status, ScimType: fault.ScimType, Detail: fmt.Sprintf("operation %d: %s", i+1, fault.Detail),
	}
}

// weight is about the length of a value's JSON.
func weight(value any) int {
	sum := 2
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			sum += len(name) + 4 + weight(member)
		}
	case []any:
		for _, element := range value {
			sum += 1 + weight(element)
		}
	case string:
		sum += len(value)
	default:
		sum += 4
	}
	return sum
}
