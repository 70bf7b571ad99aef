package users

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

// offError is why a request was refused that switched somebody off, which was done.
type offError struct{ error }

func (e *offError) Unwrap() error { return e.error }

// As makes SCIM's own errors say what was done.
func (e *offError) As(target any) bool {
	into, ok := target.(**scim.Error)
	var fault *scim.Error
	if !ok || !errors.As(e.error, &fault) {
		return false
	}
	said := *fault
	said.Detail += "; active is false now all the same"
	*into = &said
	return true
}

// transient reports whether an error says nothing about the request, which may be made again.
func transient(err error) bool {
	for _, other := range []error{
		problem.ErrStoreUnavailable, claim.ErrIdentitiesUnavailable, claim.ErrLeased, claim.ErrConcurrentUpdate, claim.ErrChangedElsewhere,
		claim.ErrNoIdentity, errNotHeld, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, other) {
			return true
		}
	}
	return false
}

// attempt is a write that Kratos refused.
type attempt struct {
	id            string         // blank for a new user
	before, after map[string]any // before is nil for a new user
	number        phone.Number   // that was to be written; zero for none
}

// refused reports whether Kratos refused what was to be written.
func refused(err error) bool {
	var violation *scim.ViolationError
	return errors.Is(err, scim.ErrTaken) || errors.As(err, &violation)
}

// reason is why a number is left out, as the audit trail says it.
func reason(err error) error {
	var fault *scim.Error
	switch {
	case errors.As(err, &fault):
		return errors.New(fault.Detail)
	case errors.Is(err, scim.ErrTaken):
		return claim.ErrNumberTaken
	case refused(err):
		return claim.ErrNumberRefused
	default:
		return err
	}
}

// blame puts what Kratos refused into SCIM's terms and names the attribute. A
// transient error, and what the claims refused, stay as they are.
func (s *Service) blame(ctx context.Context, m *mapping.Mapping, a attempt, err error) error {
	var violation *scim.ViolationError
	switch {
	case errors.Is(err, claim.ErrNumberTaken):
		return err
	case errors.Is(err, scim.ErrTaken):
		return conflict(s.holders(ctx, a)...)
	case errors.As(err, &violation):
		paths := make([]string, len(violation.Pointers))
		for i, pointer := range violation.Pointers {
			paths[i] = m.Attribute(pointer)
		}
		detail := "the identity schema refuses a value"
		if len(paths) > 0 {
			detail = strings.Join(slices.Compact(paths), ", ") + ": the identity schema refuses the value"
		}
		return scim.Bad(scim.InvalidValue, detail)
	default:
		return err
	}
}

// conflict is the answer where another user has an attribute's value. Of several it is
// one, and Kratos does not say which.
func conflict(paths ...string) error {
	what := "the userName, an e-mail address or a number"
	if len(paths) > 0 {
		what = strings.Join(paths, " or ")
	}
	return &scim.Error{Status: http.StatusConflict, ScimType: scim.Uniquity, Detail: what + ": another user has this value"}
}

// candidate is a value that must be nobody else's.
type candidate struct {
	path     string         // as errors name it
	index    string         // as the index does
	text     string         // by which Kratos finds who signs in with it
	document map[string]any // with nothing else
}

// candidates are the values that an attempt brings.
func (a attempt) candidates() []candidate {
	var found []candidate
	if name, _ := a.after["userName"].(string); name != "" && a.before["userName"] != name {
		found = append(found, candidate{"userName", "userName", name, map[string]any{"userName": name}})
	}
	old, _ := a.before["emails"].([]any)
	list, _ := a.after["emails"].([]any)
	for _, e := range list {
		element, _ := e.(map[string]any)
		address, _ := element["value"].(string)
		known := slices.ContainsFunc(old, func(o any) bool { was, _ := o.(map[string]any); return was["value"] == address })
		if address == "" || known {
			continue
		}
		path := "emails.value"
		if kind, _ := element["type"].(string); kind != "" {
			path = fmt.Sprintf("emails[type eq %q].value", kind)
		}
		found = append(found, candidate{path, "emails.value", address, map[string]any{"emails": []any{map[string]any{"value": address}}}})
	}
	if !a.number.IsZero() {
		found = append(found, candidate{scim.MobilePath, "phoneNumbers.value", a.number.Unmasked(), map[string]any{
			numbers: []any{map[string]any{"type": "mobile", "value": a.number.Unmasked()}},
		}})
	}
	return found
}

// holders names the attributes whose value another user has; all that could be if
// none is found, as where another identity has it that is no user.
func (s *Service) holders(ctx context.Context, a attempt) []string {
	candidates := a.candidates()
	var sure, all []string
	for _, c := range candidates {
		all = append(all, c.path)
		if len(candidates) == 1 || s.held(ctx, a.id, c) {
			sure = append(sure, c.path)
		}
	}
	if sure != nil {
		return sure
	}
	return all
}

// held reports whether another user is known to have a value.
func (s *Service) held(ctx context.Context, id string, c candidate) bool {
	if holder, err := s.Directory.FindByIdentifier(ctx, c.text); err == nil && holder.ID != id {
		return true
	}
	keys := s.indexing.Values(c.document)[c.index]
	if len(keys) == 0 {
		return false
	}
	page, err := s.Index.Query(ctx, scim.Query{
		Condition: scim.Equal(c.index, keys[0]), Exact: true, Matches: func(map[string]any) bool { return true }, Limit: most,
	})
	return err == nil && slices.ContainsFunc(page.Entries, func(e scim.Entry) bool { return e.ID != id })
}

// changedMeanwhile reports whether a change did not fit what somebody had written
// through Kratos since it was read.
func changedMeanwhile(err error) bool { return errors.Is(err, claim.ErrChangedElsewhere) }
