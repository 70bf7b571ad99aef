package users

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/scim"
	"github.com/holdline/holdline/scim/mapping"
	"github.com/holdline/holdline/scim/patch"
)

// ErrVersion says that a resource has another version than the request wants
// (RFC 7644, section 3.14).
var ErrVersion = errors.New("scim: the resource has another version")

// Wants tells whether a version is one that a request may change; nil takes any.
type Wants func(version string) bool

// edit turns a document into the one that is wanted, and says what it did to the
// mobile number.
type edit func(before map[string]any) (after map[string]any, touch claim.Touch, err error)

// Patch applies all operations of a request or none (RFC 7644, section 3.5.2).
func (s *Service) Patch(ctx context.Context, by By, id string, request patch.Request, wants Wants) (User, error) {
	return s.change(ctx, by, id, wants, func(before map[string]any) (map[string]any, claim.Touch, error) {
		result, err := patch.Apply(s.Resource, before, request, patch.Options{Mode: s.Mode})
		touch := claim.TouchNone
		if result.Touched.Element("phoneNumbers", "value", mobile) {
			touch = claim.TouchExplicit
		}
		return result.Document, touch, err
	})
}

// mobile tells whether an element of phoneNumbers is the mobile number.
func mobile(element map[string]any) bool {
	kind, _ := element["type"].(string)
	return scim.Fold(kind) == "mobile"
}

// Replace puts a whole resource in the place of another (RFC 7644, section 3.5.1).
// What only the server writes stays, and so does a password that is not given.
func (s *Service) Replace(ctx context.Context, by By, id string, body map[string]any, wants Wants) (User, error) {
	return s.change(ctx, by, id, wants, func(map[string]any) (map[string]any, claim.Touch, error) {
		after, err := s.Resource.Read(body, s.Mode)
		if err != nil {
			return nil, claim.TouchNone, err
		}
		if asked(after) {
			return after, claim.TouchExplicit, nil
		}
		return after, claim.TouchWhole, nil
	})
}

// asked tells whether a document's verifyMobile is true, under any schema.
func asked(document map[string]any) bool {
	for _, urn := range []string{scim.EnterpriseSchema, scim.WSO2Schema} {
		if members, _ := document[urn].(map[string]any); members["verifyMobile"] == true {
			return true
		}
	}
	return false
}

// change edits a user while nobody else of Holdline does. What somebody wrote
// through Kratos between reading and writing makes it begin anew, once.
func (s *Service) change(ctx context.Context, by By, id string, wants Wants, do edit) (User, error) {
	var entry scim.Entry
	err := s.Claims.Exclusively(ctx, id, func(ctx context.Context) (err error) {
		entry, err = s.changeOnce(ctx, by, id, wants, do)
		if changedMeanwhile(err) {
			entry, err = s.changeOnce(ctx, by, id, wants, do)
		}
		return err
	})
	if err != nil {
		return User{}, explain(err)
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
	after, touch, err := do(before)
	if err != nil {
		return scim.Entry{}, err
	}
	if err := s.allowed(by, before, after); err != nil {
		return scim.Entry{}, err
	}
	var entry scim.Entry
	err = s.named(ctx, id, before, after, func(ctx context.Context) (err error) {
		entry, err = s.settled(ctx, by, m, record, after, touch)
		return err
	})
	return entry, err
}

// settled writes what came of a user, and settles what becomes of the number.
func (s *Service) settled(
	ctx context.Context, by By, m *mapping.Mapping, record scim.Record, after map[string]any, touch claim.Touch,
) (scim.Entry, error) {
	wanted, err := m.Mobile(after)
	if err != nil {
		return scim.Entry{}, err
	}
	proposal, err := s.Claims.Propose(ctx, s.seen(record), claim.DirectChange{
		Origin: claim.OriginSCIM, Who: by.Actor, Client: by.Client != "", SignedIn: by.SignedIn, Language: by.Language,
		Asked: asked(after), Touch: touch, Wanted: wanted,
	})
	if err != nil {
		return scim.Entry{}, err
	}
	changed, err := s.write(ctx, m, record, after, proposal, by)
	if fault := s.Claims.Settle(ctx, proposal, err); err == nil && fault != nil {
		err = fmt.Errorf("settle the number: %w", fault)
	}
	if err == nil {
		err = s.finish(ctx, record, changed, after)
	}
	if err != nil {
		return scim.Entry{}, err
	}
	return s.found(ctx, changed, s.Now())
}

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
	password, _ := after["password"].(string)
	if len(password) > longestPassword {
		return scim.Record{}, scim.Bad(scim.InvalidValue, fmt.Sprintf("password is longer than %d bytes", longestPassword))
	}
	number := mapping.NumberWish{Change: !p.Held(), Number: p.Number.Reveal()}
	own := slices.Concat(s.marker(record, p.Pending), externalID(record, by.Client, after))
	operations, err := m.Operations(record, after, number, own...)
	if err != nil {
		return scim.Record{}, err
	}
	if len(operations) == 0 {
		return record, nil
	}
	return s.Directory.Change(ctx, record.ID, operations)
}

// finish does what Kratos takes in no PATCH. What fails here the client repeats.
func (s *Service) finish(ctx context.Context, before, changed scim.Record, after map[string]any) error {
	if password, _ := after["password"].(string); password != "" {
		if err := s.Directory.SetPassword(ctx, before.ID, password); err != nil {
			return err
		}
	}
	if changed.State == scim.Inactive && before.State != scim.Inactive {
		return s.Directory.EndSessions(ctx, before.ID)
	}
	return nil
}

// longestPassword is what bcrypt takes, in bytes. It is checked before anything is
// written, because the password is written last.
const longestPassword = 72

// marker brings the pending number that an identity shows to the wanted one.
func (s *Service) marker(record scim.Record, pending claim.Mobile) []scim.Operation {
	shown, there := record.MetadataPublic[s.PendingKey]
	path := "/metadata_public/" + s.PendingKey
	switch {
	case !pending.IsZero() && shown != pending.Reveal():
		return []scim.Operation{{Op: scim.Add, Path: path, Value: pending.Reveal()}}
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
