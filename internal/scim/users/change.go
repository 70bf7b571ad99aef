package users

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

// ErrVersion says that a resource has another version than the request wants
// (RFC 7644, section 3.14).
var ErrVersion = errors.New("scim: the resource has another version")

// Wants reports whether a version is one that a request may change; nil takes any.
type Wants func(version string) bool

// change edits a user while nobody else of Holdline does. What somebody wrote
// through Kratos between reading and writing makes it begin anew, once.
//
// What clients send most repeats what is there. Where it does so by the index, the
// identity is looked at without the lease, which costs two commits, and with it only
// if there is something to write after all.
func (s *Service) change(ctx context.Context, by By, id string, wants Wants, do edit) (User, error) {
	turn := &turn{by: by, id: id, wants: wants, do: do}
	known, err := s.Index.Find(ctx, id, by.Client)
	if err == nil {
		turn.known = &known
	}
	var entry scim.Entry
	err = errNotHeld
	if s.repeats(turn) {
		entry, err = s.changeOnce(ctx, turn)
	}
	if errors.Is(err, errNotHeld) {
		turn.held = true
		err = s.Claims.WithLease(ctx, id, func(ctx context.Context) (err error) {
			entry, err = s.changeOnce(ctx, turn)
			if changedMeanwhile(err) {
				entry, err = s.changeOnce(ctx, turn)
			}
			return err
		})
	}
	if err != nil {
		return User{}, err
	}
	return s.user(entry, by.Client)
}

// turn is what a request wants of whom.
type turn struct {
	by    By
	id    string
	wants Wants
	do    edit
	known *scim.Entry // what the index has; nil if it could not be asked
	held  bool        // nobody else of Holdline writes the identity
	// put is what the index has got already, with what opened a claim; nil for nothing.
	put *scim.Entry
}

// errNotHeld says that something would be written, and nobody has the lease for it.
var errNotHeld = errors.New("scim: the identity is not held")

// hold comes before whatever is written.
func (t *turn) hold() error {
	if t.held {
		return nil
	}
	return errNotHeld
}

// repeats reports whether a request would change nothing if the index is right, the
// number that is pending taken for the one that is there.
func (s *Service) repeats(t *turn) bool {
	if t.known == nil || t.known.ID == "" {
		return false
	}
	user, err := s.user(*t.known, t.by.Client)
	if err != nil {
		return false
	}
	e, err := t.do(user.Document)
	if err != nil {
		return false
	}
	pending := ""
	for _, extension := range s.Resource.Extensions {
		members, _ := user.Document[extension.ID].(map[string]any)
		if number, ok := members["pendingMobileNumber"].(string); ok {
			pending = number
		}
	}
	for name := range e.document {
		if name != "schemas" && !same(user.Document, e.document, name) && (name != numbers || !s.isPending(e.document, pending)) {
			return false
		}
	}
	for name := range user.Document {
		if _, kept := e.document[name]; !kept && name != "meta" && name != "id" && name != "active" {
			return false
		}
	}
	return true
}

// isPending reports whether a document's mobile number is the one that is pending.
func (s *Service) isPending(document map[string]any, pending string) bool {
	list, _ := document[numbers].([]any)
	for _, element := range list {
		members, _ := element.(map[string]any)
		if value, _ := members["value"].(string); pending != "" && mobile(members) {
			return phone.ParseStored(s.Plan, value).Same(phone.ParseStored(s.Plan, pending))
		}
	}
	return false
}

func (s *Service) changeOnce(ctx context.Context, t *turn) (scim.Entry, error) {
	by, id, seen := t.by, t.id, s.Now()
	t.put = nil
	record, err := s.Directory.Record(ctx, id)
	if err != nil {
		return scim.Entry{}, err
	}
	m, ok, err := s.Catalogue.Of(ctx, record.SchemaID)
	if err != nil || !ok {
		return scim.Entry{}, orNoIdentity(err)
	}
	before, err := s.before(m, record, by, t.wants)
	if err != nil {
		return scim.Entry{}, err
	}
	e, err := t.do(before)
	off := e.off
	if s.beyond(by, record) {
		e, err = s.reach(by, m, record, before, e, err)
	}
	e.turn = t
	var now scim.Record
	wrote := false
	if err == nil {
		now, wrote, err = s.carryOut(ctx, by, m, record, before, e)
	}
	if err == nil {
		return s.indexed(ctx, t, now, wrote, seen)
	}
	if !off || by.owner() || transient(err) {
		return scim.Entry{}, err
	}
	// Whatever else is wrong with it, it says that somebody has left.
	document := scim.CloneObject(before)
	document["active"] = false
	now, wrote, fault := s.settled(ctx, by, m, record, before, edited{document: document, off: true, turn: t})
	if fault == nil {
		_, fault = s.indexed(ctx, t, now, wrote, seen)
	}
	if fault != nil {
		return scim.Entry{}, fault
	}
	return scim.Entry{}, &offError{err}
}

// indexed has the index know of an identity that was read at a moment, and written
// since or not.
func (s *Service) indexed(ctx context.Context, t *turn, record scim.Record, wrote bool, read time.Time) (scim.Entry, error) {
	if t.put != nil {
		return *t.put, nil
	}
	if !wrote {
		return s.found(ctx, record, read, t.known)
	}
	written := s.Now()
	entry, err := s.found(ctx, record, written, t.known)
	if err == nil && t.known != nil && entry.Version == t.known.Version {
		return s.found(ctx, record, written, nil) // it was so before, and maybe not in between
	}
	return entry, err
}

// carryOut does what a request wants, if it may. It returns what the identity is then,
// and whether it was written.
func (s *Service) carryOut(
	ctx context.Context, by By, m *mapping.Mapping, record scim.Record, before map[string]any, e edited,
) (now scim.Record, wrote bool, err error) {
	if err := s.allowed(ctx, by, before, e.document); err != nil {
		return record, false, err
	}
	err = s.named(ctx, record.ID, before, e, func(ctx context.Context) (err error) {
		now, wrote, err = s.settled(ctx, by, m, record, before, e)
		return err
	})
	return now, wrote, err
}

// settled writes what came of a user, and settles what becomes of the number.
func (s *Service) settled(
	ctx context.Context, by By, m *mapping.Mapping, record scim.Record, before map[string]any, e edited,
) (now scim.Record, wrote bool, err error) {
	if err := s.checkPassword(e.document); err != nil {
		return record, false, err
	}
	wanted, err := s.mobile(m, before, &e, by)
	if err != nil {
		return record, false, err
	}
	change := claim.DirectChange{
		Source: claim.SourceSCIM, Who: by.Actor, Client: by.Client != "", SignedIn: by.SignedIn, Language: by.Language,
		Asked: e.asked, Update: e.touch, Whole: e.whole, Wanted: wanted, LeaveOut: s.leavesOut(e.off, by), Hold: e.turn.hold,
		Inactive: e.document["active"] == false || e.document["active"] == nil && record.State == scim.Inactive,
	}
	if e.without != nil {
		change.Update = claim.UpdateNone
	}
	proposal, err := s.Claims.Propose(ctx, s.seen(record), change)
	if err != nil {
		return record, false, err
	}
	if e.without != nil {
		proposal = proposal.Without(reason(e.without))
	}
	now, wrote, err = s.write(ctx, m, record, e, proposal, by)
	if e.off && writesNumber(proposal) && refused(err) { // perhaps for the number
		if fault := s.Claims.Settle(ctx, proposal, err); fault != nil {
			return record, false, fmt.Errorf("settle the number: %w", fault)
		}
		proposal = proposal.Without(reason(err))
		now, wrote, err = s.write(ctx, m, record, e, proposal, by)
	}
	var entry scim.Entry
	if wrote && err == nil && proposal.Decision == claim.Challenge {
		entry, proposal.Along = s.along(ctx, m, now, e.turn.known)
	}
	if fault := s.Claims.Settle(ctx, proposal, err); err == nil && fault != nil {
		err = fmt.Errorf("settle the number: %w", fault)
	}
	if proposal.Along != nil && proposal.Along.Done {
		e.turn.put = &entry
	}
	if err == nil {
		err = s.endSessions(ctx, by, record, now, e.document)
	}
	if err != nil {
		err = s.blame(ctx, m, attempt{id: record.ID, before: before, after: e.document, number: proposal.Number}, err)
	}
	return now, wrote, err
}

// along returns the entry of an identity that was just written, to be put into the index
// with the claim that is opened for it; nil where that is to be done apart.
func (s *Service) along(ctx context.Context, m *mapping.Mapping, record scim.Record, known *scim.Entry) (scim.Entry, *claim.Along) {
	if known == nil {
		return scim.Entry{}, nil
	}
	entry, err := s.entry(m, record, known.Stamp(), s.Now())
	if err != nil || entry.Version == known.Version {
		return scim.Entry{}, nil
	}
	entry.Over, entry.Ungrouped = known.Over, known.Ungrouped
	write, err := s.Index.Writing(entry)
	if err != nil {
		s.Log.WarnContext(ctx, "user not indexed yet", "identity", record.ID, "error", err)
		return scim.Entry{}, nil
	}
	return entry, &claim.Along{Write: write}
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

// write brings the identity to a document, by one PATCH, if it needs one.
func (s *Service) write(
	ctx context.Context, m *mapping.Mapping, record scim.Record, e edited, p claim.Proposal, by By,
) (now scim.Record, wrote bool, err error) {
	number := mapping.NumberWish{Change: !p.HoldsBack(), Number: p.Number.Unmasked()}
	own := slices.Concat(s.marker(record, p.Pending), externalID(record, by.Client, e.document))
	operations, err := m.Operations(record, e.document, number, own...)
	if err != nil {
		return record, false, err
	}
	if password, _ := e.document["password"].(string); password != "" {
		set, err := s.Directory.Password(record, password)
		if err != nil {
			return record, false, err
		}
		operations = append(operations, set)
	}
	if len(operations) == 0 {
		return record, false, nil
	}
	if err := e.turn.hold(); err != nil {
		return record, false, err
	}
	now, err = s.Directory.Change(ctx, record.ID, operations)
	return now, err == nil, err
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
