package kratos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"
	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

const changing = "change identity"

// Change makes operations in one PATCH, removals first, all of them or none, and
// compares what Kratos says came of it. So no operation may remove what another
// one of them adds. Errors: those of the directory, [scim.ErrTaken] (which is
// [claim.ErrNumberTaken] too when the number is the only trait that is written),
// *[scim.ViolationError], and [claim.ErrChangedElsewhere] if the operations do
// not fit the identity any more, such as the removal of what is gone.
//
// A new number is written unverified; one that stays as it is keeps its mark, and
// so do addresses of other traits. Where the number is an identifier
// for sign-in by code, its removal leaves it behind as one (docs/kratos.md, I).
func (d *Client) Change(ctx context.Context, id string, operations []scim.Operation) (scim.Record, error) {
	patch, err := patchOf(operations)
	if err != nil {
		return scim.Record{}, err
	}
	if len(patch) == 0 {
		return d.Record(ctx, id)
	}
	answer, err := known[json.RawMessage](ctx, d, changing, id, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.PatchIdentity(ctx, id).JsonPatch(patch).Execute()
		return resp, err
	})
	if errors.Is(err, scim.ErrTaken) && d.numberOnly(operations) {
		err = fmt.Errorf("%w: %w", claim.ErrNumberTaken, err)
	}
	if err != nil {
		return scim.Record{}, err
	}
	var changed identity
	if json.Unmarshal(answer, &changed) != nil || !strings.EqualFold(changed.ID, id) {
		return scim.Record{}, malformed(changing)
	}
	document := exact(answer)
	for _, operation := range patch {
		if strings.HasPrefix(operation.Path, credentialPath) {
			continue // which no answer shows
		}
		if !settled(document, steps(operation.Path), operation) {
			return scim.Record{}, fmt.Errorf("%s: %w: not what was written", changing, claim.ErrIdentitiesUnavailable)
		}
	}
	return changed.record(), nil
}

// errOperation is a mistake of the caller's.
var errOperation = errors.New("kratos: no operation that Kratos may be asked for")

// patchOf puts operations into Kratos' form, removals first.
func patchOf(operations []scim.Operation) ([]kratos.JsonPatch, error) {
	var removals, rest []kratos.JsonPatch
	for _, o := range operations {
		if !writable(o) {
			return nil, errOperation
		}
		if o.Op == scim.Remove {
			removals = append(removals, kratos.JsonPatch{Op: string(o.Op), Path: o.Path})
			continue
		}
		value, err := json.Marshal(o.Value) // the client leaves a nil out
		if err != nil {
			return nil, errOperation // the error may tell the value
		}
		rest = append(rest, kratos.JsonPatch{Op: string(o.Op), Path: o.Path, Value: json.RawMessage(value)})
	}
	return append(removals, rest...), nil
}

// addressesEnd is where addresses are appended.
const addressesEnd = "/verifiable_addresses/-"

// writable keeps operations to what they are for. Kratos v1.3 would take any path
// below /credentials, store what it is given, and leave a password that opens
// nothing; and it would say yes to the removal of all metadata, and keep them
// (docs/kratos.md, I).
func writable(o scim.Operation) bool {
	if setsPassword(o) {
		return true
	}
	set := o.Op == scim.Add || o.Op == scim.Replace
	if !set && o.Op != scim.Remove || !strings.HasPrefix(o.Path, "/") {
		return false
	}
	path := steps(o.Path)
	switch path[0] {
	case "traits", "metadata_public", "metadata_admin":
		return set || len(path) > 1
	case "state":
		return set && len(path) == 1
	default:
		return o.Op == scim.Add && o.Path == addressesEnd
	}
}

// numberOnly reports whether the mobile number is the only trait that is written.
func (d *Client) numberOnly(operations []scim.Operation) bool {
	written := 0
	for _, o := range operations {
		if steps(o.Path)[0] != "traits" || o.Op == scim.Remove {
			continue
		}
		if o.Path != pointer("traits", d.opt.MobileTrait) {
			return false
		}
		written++
	}
	return written > 0
}

// steps reads a JSON pointer (RFC 6901); there is at least one.
func steps(path string) []string {
	names := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, name := range names {
		names[i] = jsonpointer.Unescape(name)
	}
	return names
}

// settled reports whether a value is what an operation at the path makes of it. A
// list's elements move, so of those only an appended one is looked for.
func settled(value any, path []string, operation kratos.JsonPatch) bool {
	if len(path) == 0 {
		return same(value, wanted(operation))
	}
	switch container := value.(type) {
	case map[string]any:
		inner, exists := container[path[0]]
		if !exists || len(path) == 1 && operation.Op == string(scim.Remove) {
			return !exists && operation.Op == string(scim.Remove)
		}
		return settled(inner, path[1:], operation)
	case []any:
		return path[0] != "-" || slices.ContainsFunc(container, func(e any) bool { return includes(e, wanted(operation)) })
	default:
		return operation.Op == string(scim.Remove)
	}
}

// wanted is the value that an operation writes, read as the answer is.
func wanted(operation kratos.JsonPatch) any {
	text, _ := operation.Value.(json.RawMessage)
	return exact(text)
}

// includes reports whether an element is the wanted one; Kratos adds members to
// addresses.
func includes(element, wanted any) bool {
	has, isObject := element.(map[string]any)
	wants, wantsObject := wanted.(map[string]any)
	if !isObject || !wantsObject {
		return same(element, wanted)
	}
	for name, value := range wants {
		if !same(has[name], value) {
			return false
		}
	}
	return true
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }
