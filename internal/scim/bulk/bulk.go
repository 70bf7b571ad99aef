// Package bulk makes several changes that one request asks for (RFC 7644, section
// 3.7). It knows neither HTTP nor what a resource is: it puts operations into an
// order, puts ids in the place of what refers to them, and tells what came of it.
//
// Where the RFC leaves room:
//
//   - Operations run one after the other, as they were given. One that refers to a
//     POST further down waits for it, and one on the same path as a waiting one
//     waits with it; none runs before its turn.
//   - POSTs that refer to one another in a circle wait for the last of them. Then
//     the first is made without what refers to the others, and the others after it;
//     at the end a PUT gives it all of its data.
//   - What an operation lacks is its own 400, and not the whole request's.
//   - An operation that refers to what was not made is a 409, as is one of a circle
//     that could not be completed.
package bulk

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/holdline/holdline/internal/scim"
)

// DefaultMaxOperations is how many operations a request may have where Options do
// not say.
const DefaultMaxOperations = 200

// Options say how large a request may be.
type Options struct {
	MaxOperations int // 0 for the default
	// Base is the service's URL without a slash at its end, for the location of an
	// existing resource whose operation was refused before it ran. Blank for none.
	Base string
}

// Request is a bulk request.
type Request struct {
	// FailOnErrors is after how many errors the rest is not run; 0 for never.
	FailOnErrors int

	base    string
	entries []entry
}

// Operation is a change to a resource, or one to be made.
type Operation struct {
	Method  string // POST, PUT, PATCH or DELETE
	Path    string // such as /Users for a POST, and otherwise /Users/2819c223
	BulkID  string // blank for none
	Version string // what If-Match would have; blank for none
	Data    map[string]any
}

// entry is an operation as it was given, or what is wrong with it.
type entry struct {
	Operation
	fault *scim.Error
}

// Read reads a request's body, as [scim.ReadJSON] gives it. Names and methods may
// be in any case, and schemas is not looked at. Errors are [*scim.Error]; too many
// operations are a 413. What a single operation lacks shows when it is run.
func Read(body map[string]any, options Options) (Request, error) {
	members, err := scim.FoldNames(body)
	if err != nil {
		return Request{}, err
	}
	list, ok := members["operations"].([]any)
	if !ok {
		return Request{}, scim.Bad(scim.InvalidSyntax, "Operations must be a list of operations")
	}
	most := options.MaxOperations
	if most == 0 {
		most = DefaultMaxOperations
	}
	if len(list) > most {
		return Request{}, &scim.Error{
			Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("the request has %d operations, which exceeds maxOperations (%d)", len(list), most),
		}
	}
	request := Request{base: options.Base}
	if request.FailOnErrors, err = count(members["failonerrors"]); err != nil {
		return Request{}, err
	}
	taken := map[string]bool{}
	for _, value := range list {
		e := readEntry(value)
		if e.Method == http.MethodPost && e.BulkID != "" {
			if taken[e.BulkID] {
				e.refuse(scim.InvalidValue, "bulkId is that of another operation")
			}
			taken[e.BulkID] = true
		}
		request.entries = append(request.entries, e)
	}
	return request, nil
}

// count reads failOnErrors.
func count(value any) (int, error) {
	if value == nil {
		return 0, nil
	}
	n, err := strconv.Atoi(fmt.Sprint(value))
	if _, isText := value.(string); err != nil || isText || n < 0 {
		return 0, scim.Bad(scim.InvalidValue, "failOnErrors must be a whole number, 0 or more")
	}
	return n, nil
}
