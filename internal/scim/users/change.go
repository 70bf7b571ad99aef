package users

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/internal/scim/patch"
)

// ErrVersion says that a resource has another version than the request wants
// (RFC 7644, section 3.14).
var ErrVersion = errors.New("scim: the resource has another version")

// Wants reports whether a version is one that a request may change; nil takes any.
type Wants func(version string) bool

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

// change edits a user while nobody else of Holdline does. What somebody wrote
// through Kratos between reading and writing makes it begin anew, once.
func (s *Service) change(ctx context.Context, by By, id string, wants Wants, do edit) (User, error) {
	var entry scim.Entry
	err := s.Claims.WithLease(ctx, id, func(ctx context.Context) (err error) {
		entry, err = s.changeOnce(ctx, by, id, wants, do)
		if changedMeanwhile(err) {
			entry, err = s.changeOnce(ctx, by, id, wants, do)
		}
		return err
	})
	if err != nil {
		return User{}, err
	}
	return s.user(entry, by.Client)
}

func (s *Service) changeOnce(ctx context.Context, by By, id string, wants Wants, do edit) (scim.Entry, error) {
	record, err := s.Directory.Record(ctx, id)
	if err != nil {
		return scim.Entry{}, err
	}
	m, ok, err := s.Catalogue.Of(ctx, record.SchemaID)
	if err != nil || !ok {
		return scim.Entry{}, orNoIdentity(err)
	}
	before, err := s.before(m, record, by, wants)
	if err != nil {
		return scim.Entry{}, err
	}
	e, err := do(before)
	off := e.off
	if s.beyond(by, record) {
		e, err = s.reach(by, m, record, before, e, err)
	}
	var entry scim.Entry
	if err == nil {
		entry, err = s.carryOut(ctx, by, m, record, before, e)
	}
	if err == nil || !off || by.owner() || transient(err) {
		return entry, err
	}
	// Whatever else is wrong with it, it says that somebody has left.
	document := scim.CloneObject(before)
	document["active"] = false
	if _, fault := s.settled(ctx, by, m, record, before, edited{document: document, off: true}); fault != nil {
		return scim.Entry{}, fault
	}
	return scim.Entry{}, &offError{err}
}

// carryOut does what a request wants, if it may.
func (s *Service) carryOut(
	ctx context.Context, by By, m *mapping.Mapping, record scim.Record, before map[string]any, e edited,
) (scim.Entry, error) {
	if err := s.allowed(ctx, by, before, e.document); err != nil {
		return scim.Entry{}, err
	}
	var entry scim.Entry
	err := s.named(ctx, record.ID, before, e.document, func(ctx context.Context) (err error) {
		entry, err = s.settled(ctx, by, m, record, before, e)
		return err
	})
	return entry, err
}

// settled writes what came of a user, and settles what becomes of the number.
func (s *Service) settled(
	ctx context.Context, by By, m *mapping.Mapping, record scim.Record, before map[string]any, e edited,
) (scim.Entry, error) {
	if err := s.checkPassword(e.document); err != nil {
		return scim.Entry{}, err
	}
	wanted, err := s.mobile(m, before, &e, by)
	if err != nil {
		return scim.Entry{}, err
	}
	change := claim.DirectChange{
		Source: claim.SourceSCIM, Who: by.Actor, Client: by.Client != "", SignedIn: by.SignedIn, Language: by.Language,
		Asked: e.asked, Update: e.touch, Whole: e.whole, Wanted: wanted, LeaveOut: s.leavesOut(e.off, by),
		Inactive: e.document["active"] == false || e.document["active"] == nil && record.State == scim.Inactive,
	}
	if e.without != nil {
		change.Update = claim.UpdateNone
	}
	proposal, err := s.Claims.Propose(ctx, s.seen(record), change)
	if err != nil {
		return scim.Entry{}, err
	}
	if e.without != nil {
		proposal = proposal.Without(reason(e.without))
	}
	changed, err := s.write(ctx, m, record, e.document, proposal, by)
	if e.off && writesNumber(proposal) && refused(err) { // perhaps for the number
		if fault := s.Claims.Settle(ctx, proposal, err); fault != nil {
			return scim.Entry{}, fmt.Errorf("settle the number: %w", fault)
		}
		proposal = proposal.Without(reason(err))
		changed, err = s.write(ctx, m, record, e.document, proposal, by)
	}
	if fault := s.Claims.Settle(ctx, proposal, err); err == nil && fault != nil {
		err = fmt.Errorf("settle the number: %w", fault)
	}
	if err == nil {
		err = s.endSessions(ctx, by, record, changed, e.document)
	}
	if err != nil {
		return scim.Entry{}, s.blame(ctx, m, attempt{id: record.ID, before: before, after: e.document, number: proposal.Number}, err)
	}
	return s.found(ctx, changed, s.Now())
}

// writesNumber reports whether a number is written.
func writesNumber(p claim.Proposal) bool { return !p.HoldsBack() && !p.Number.IsZero() }

// before is the user as the client sees it, if it has a version that is wanted.
func (s *Service) before(m *mapping.Mapping, record scim.Record, by By, wants Wants) (map[string]any, error) {
	entry, err := s.entry(m, record, scim.Stamp{}, s.Now())
	if err != nil {
		return nil, err
	}
	if wants != nil && !wants(entry.Version) {
		return nil, ErrVersion
	}
	user, err := s.user(entry, by.Client)
	return user.Document, err
}

// write brings the identity to a document, by one PATCH.
func (s *Service) write(
	ctx context.Context, m *mapping.Mapping, record scim.Record, after map[string]any, p claim.Proposal, by By,
) (scim.Record, error) {
	number := mapping.NumberWish{Change: !p.HoldsBack(), Number: p.Number.Unmasked()}
	own := slices.Concat(s.marker(record, p.Pending), externalID(record, by.Client, after))
	operations, err := m.Operations(record, after, number, own...)
	if err != nil {
		return scim.Record{}, err
	}
	if password, _ := after["password"].(string); password != "" {
		set, err := s.Directory.Password(record, password)
		if err != nil {
			return scim.Record{}, err
		}
		operations = append(operations, set)
	}
	if len(operations) == 0 {
		return record, nil
	}
	return s.Directory.Change(ctx, record.ID, operations)
}

// endSessions ends the sessions of who is switched off, and all but the one that a
// new password was set by. What fails here the client repeats, so that sessions end
// whenever it says that the person is not active.
func (s *Service) endSessions(ctx context.Context, by By, before, changed scim.Record, after map[string]any) error {
	if changed.State == scim.Inactive && after["active"] == false {
		return s.Directory.EndSessions(ctx, before.ID)
	}
	if password, _ := after["password"].(string); password != "" {
		return s.Directory.EndOtherSessions(ctx, before.ID, by.Session)
	}
	return nil
}

// marker brings the pending number that an identity shows to the wanted one.
func (s *Service) marker(record scim.Record, pending phone.Number) []scim.Operation {
	shown, there := record.MetadataPublic[s.PendingKey]
	path := "/metadata_public/" + s.PendingKey
	switch {
	case !pending.IsZero() && shown != pending.Unmasked():
		return []scim.Operation{{Op: scim.Add, Path: path, Value: pending.Unmasked()}}
	case pending.IsZero() && there:
		return []scim.Operation{{Op: scim.Remove, Path: path}}
	default:
		return nil
	}
}

// externalID brings the external id that a client gave to the wanted one.
func externalID(record scim.Record, client string, after map[string]any) []scim.Operation {
	if client == "" {
		return nil
	}
	known := externalIDs(record)[client]
	wanted, _ := after["externalId"].(string)
	path := "/metadata_admin/" + externalKey + "/" + client // a client's name needs no escaping
	switch wanted {
	case known:
		return nil
	case "":
		return []scim.Operation{{Op: scim.Remove, Path: path}}
	default:
		return []scim.Operation{{Op: scim.Add, Path: path, Value: wanted}}
	}
}
