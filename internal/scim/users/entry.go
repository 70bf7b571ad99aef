package users

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

// externalKey in metadata_admin holds the external ids by the names of the clients
// that gave them: each client has its own.
const externalKey = "scim_external_ids"

func externalIDs(record scim.Record) map[string]string {
	ids := map[string]string{}
	kept, _ := record.MetadataAdmin[externalKey].(map[string]any)
	for client, id := range kept {
		if text, ok := id.(string); ok {
			ids[client] = text
		}
	}
	return ids
}

// Entries makes the index's entries of identities that were as they are at the
// given moment. Those that are no users are left out.
func (s *Service) Entries(ctx context.Context, records []scim.Record, seen time.Time) ([]scim.Entry, error) {
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	stamps, err := s.Index.Stamps(ctx, ids)
	if err != nil {
		return nil, err
	}
	var entries []scim.Entry
	for _, record := range records {
		m, ok, err := s.Catalogue.Of(ctx, record.SchemaID)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		entry, err := s.entry(m, record, stamps[record.ID], seen)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// entry describes a user. When it was changed last is known from the index, as
// long as it has the same version there: Kratos v1.3 does not say.
func (s *Service) entry(m *mapping.Mapping, record scim.Record, known scim.Stamp, seen time.Time) (scim.Entry, error) {
	document := m.Document(record)
	document["id"] = record.ID
	external := externalIDs(record)
	version, err := versionOf(document, external)
	if err != nil {
		return scim.Entry{}, err
	}
	updated := seen
	switch known.Version {
	case version:
		updated = known.Updated
	case "":
		updated = later(record.UpdatedAt, record.CreatedAt)
	}
	document["meta"] = map[string]any{
		"resourceType": s.Resource.Name, "created": moment(record.CreatedAt), "lastModified": moment(updated),
	}
	text, err := json.Marshal(document)
	if err != nil {
		return scim.Entry{}, fmt.Errorf("write document: %w", err)
	}
	return scim.Entry{
		ID: record.ID, Version: version, Document: text, ExternalIDs: external,
		Values: s.indexing.Values(document), Updated: updated, Seen: seen,
	}, nil
}

// versionOf is the same for the same content, on every replica.
func versionOf(document map[string]any, external map[string]string) (string, error) {
	text, err := json.Marshal([]any{document, external}) // sorts the names
	if err != nil {
		return "", fmt.Errorf("write document: %w", err)
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:16]), nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func moment(t time.Time) string { return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) }

// user is an entry as a client sees it.
func (s *Service) user(e scim.Entry, client string) (User, error) {
	document, err := scim.ReadJSON(e.Document, len(e.Document))
	if err != nil {
		return User{}, fmt.Errorf("read document: %w", err)
	}
	if id := e.ExternalIDs[client]; id != "" && client != "" {
		document["externalId"] = id
	}
	return User{ID: e.ID, Version: e.Version, Document: document, Ungrouped: e.Ungrouped}, nil
}

// found puts an identity that was just read or written into the index, unless it
// is there already, and returns it. Who is no user is claim.ErrNoIdentity. The
// index is a copy that the reconciler mends: that it is away now fails nothing. Known
// is what the index has been found to have; nil if it was not asked yet.
func (s *Service) found(ctx context.Context, record scim.Record, seen time.Time, known *scim.Entry) (scim.Entry, error) {
	m, ok, err := s.Catalogue.Of(ctx, record.SchemaID)
	if err != nil || !ok {
		return scim.Entry{}, orNoIdentity(err)
	}
	if known == nil {
		there, err := s.Index.Find(ctx, record.ID, "")
		if err != nil {
			s.Log.WarnContext(ctx, "user not indexed yet", "identity", record.ID, "error", err)
			return s.entry(m, record, scim.Stamp{}, seen)
		}
		known = &there
	}
	entry, err := s.entry(m, record, known.Stamp(), seen)
	entry.Ungrouped = known.Ungrouped
	if err != nil || entry.Version == known.Version {
		return entry, err
	}
	entry.Over = known.Over
	if err := s.Index.Put(ctx, entry); err != nil {
		s.Log.WarnContext(ctx, "user not indexed yet", "identity", record.ID, "error", err)
	}
	return entry, nil
}

func orNoIdentity(err error) error {
	if err == nil {
		return claim.ErrNoIdentity
	}
	return err
}
