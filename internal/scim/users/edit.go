package users

import (
	"context"
	"errors"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/internal/scim/patch"
)

// edited is what a request makes of a document, and what it says of the mobile number.
type edited struct {
	document map[string]any
	touch    claim.UpdateKind
	whole    bool // the request is a whole resource
	asked    bool // verifyMobile is true
	// off says that the request switches the person off: no number stops it.
	off bool
	// without is why the request is done without what it says of numbers; nil if it
	// is not.
	without error
	turn    *turn // that it is for
}

// edit makes a document what a request wants it to be.
type edit func(before map[string]any) (edited, error)

// numbers is the attribute that has the mobile number.
const numbers = "phoneNumbers"

// Patch applies all operations of a request or none (RFC 7644, section 3.5.2).
func (s *Service) Patch(ctx context.Context, by By, id string, request patch.Request, wants Wants) (User, error) {
	return s.change(ctx, by, id, wants, func(before map[string]any) (edited, error) {
		apply := func(keep func(path string) bool) (patch.Result, error) {
			return patch.Apply(s.Resource, before, request.Select(s.Resource, keep), patch.Options{Mode: s.Mode})
		}
		alone, fault := apply(s.about("active"))
		e := edited{asked: request.Asks, off: fault == nil && alone.Document["active"] == false}
		result, err := patch.Apply(s.Resource, before, request, patch.Options{Mode: s.Mode})
		if s.doesWithout(err, e.off, by) {
			if rest, fault := apply(not(s.about(numbers))); fault == nil {
				result, e.without, err = rest, err, nil
			}
		}
		e.document = result.Document
		if result.Touched.Element(numbers, "value", mobile) {
			e.touch = claim.UpdateExplicit
		}
		return e, err
	})
}

// about reports whether paths lead to an attribute.
func (s *Service) about(attribute string) func(path string) bool {
	return func(path string) bool { return s.Resource.About(path, attribute) }
}

func not(of func(path string) bool) func(path string) bool {
	return func(path string) bool { return !of(path) }
}

// mobile reports whether an element of phoneNumbers is the mobile number.
func mobile(element map[string]any) bool {
	kind, _ := element["type"].(string)
	return scim.Fold(kind) == "mobile"
}

// Replace puts a whole resource in the place of another (RFC 7644, section 3.5.1).
// What only the server writes stays, and so does a password that is not given.
func (s *Service) Replace(ctx context.Context, by By, id string, body map[string]any, wants Wants) (User, error) {
	return s.change(ctx, by, id, wants, func(before map[string]any) (edited, error) {
		e, err := s.whole(by, body, before)
		e.touch, e.whole = claim.UpdateFull, true
		if e.asked {
			e.touch = claim.UpdateExplicit
		}
		return e, err
	})
}

// whole reads a resource that a client sent. Where the request is done without its
// numbers those from before stay.
func (s *Service) whole(by By, body, before map[string]any) (edited, error) {
	document, err := s.Resource.Read(body, s.Mode)
	e := edited{document: document, asked: scim.AsksToVerify(body)}
	said := s.Resource.Select(body, s.about("active"))
	said["userName"] = "anybody" // a resource has one
	alone, fault := s.Resource.Read(said, scim.Lenient)
	e.off = fault == nil && alone["active"] == false
	if !s.doesWithout(err, e.off, by) {
		return e, err
	}
	rest, fault := s.Resource.Read(s.Resource.Select(body, not(s.about(numbers))), s.Mode)
	if fault != nil {
		return e, err
	}
	e.document, e.without = rest, err
	e.keepNumbers(before)
	return e, nil
}

// keepNumbers has the document keep the numbers that there were.
func (e *edited) keepNumbers(before map[string]any) {
	delete(e.document, numbers)
	if list, ok := before[numbers]; ok {
		e.document[numbers] = scim.Clone(list)
	}
}

// mobile is the number that the document has. Where several keep it from having one
// they are left out, if numbers may be.
func (s *Service) mobile(m *mapping.Mapping, before map[string]any, e *edited, by By) (string, error) {
	number, err := m.Mobile(e.document)
	if err != nil && s.leavesOut(e.off, by) != claim.LeaveOutNone {
		e.without, err = err, nil
		e.keepNumbers(before)
		number, _ = m.Mobile(e.document)
	}
	return number, err
}

// doesWithout reports whether a request that cannot be read is tried without what it
// says of numbers: that must not keep a leaver active, and may be of a type that
// numbers are not.
func (s *Service) doesWithout(err error, off bool, by By) bool {
	var fault *scim.Error
	unusable := errors.As(err, &fault) && fault.ScimType == scim.InvalidValue
	return err != nil && off || unusable && s.leavesOut(off, by) == claim.LeaveOutUnusable
}

// leavesOut says which numbers a request does without.
func (s *Service) leavesOut(off bool, by By) claim.LeaveOut {
	switch {
	case off:
		return claim.LeaveOutAny
	case s.SkipNumbers && by.Client != "":
		return claim.LeaveOutUnusable
	default:
		return claim.LeaveOutNone
	}
}
