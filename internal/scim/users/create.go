package users

import (
	"context"
	"fmt"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

// Create makes a user (RFC 7644, section 3.3).
func (s *Service) Create(ctx context.Context, by By, body map[string]any) (User, error) {
	e, err := s.whole(by, body, nil)
	if err != nil {
		return User{}, err
	}
	if err := s.Claims.Proven(ctx, by.SignedIn); err != nil {
		return User{}, err
	}
	entry, err := s.create(ctx, by, e)
	if err != nil {
		return User{}, err
	}
	return s.user(entry, by.Client)
}

func (s *Service) create(ctx context.Context, by By, e edited) (scim.Entry, error) {
	e.turn = &turn{held: true} // nobody else knows of who is made
	document := e.document
	schemaID, m, err := s.Catalogue.ForNew(ctx)
	if err != nil {
		return scim.Entry{}, err
	}
	if err := s.checkPassword(document); err != nil {
		return scim.Entry{}, err
	}
	wanted, err := s.mobile(m, nil, &e, by)
	if err != nil {
		return scim.Entry{}, err
	}
	proposal, err := s.Claims.ProposeNew(ctx, claim.DirectChange{
		Source: claim.SourceSCIM, Who: by.Actor, Client: by.Client != "", Language: by.Language, Wanted: wanted,
		LeaveOut: s.leavesOut(e.off, by), Inactive: document["active"] == false,
	})
	if err != nil {
		return scim.Entry{}, err
	}
	if e.without != nil {
		proposal = proposal.Without(reason(e.without))
	}
	draft, err := s.draft(m, schemaID, by, document, proposal)
	if err != nil {
		return scim.Entry{}, err
	}
	var entry scim.Entry
	err = s.named(ctx, "", nil, e, func(ctx context.Context) error {
		record, err := s.Directory.Create(ctx, draft)
		if e.off && writesNumber(proposal) && refused(err) { // perhaps for the number
			proposal = proposal.Without(reason(err))
			if draft, err = s.draft(m, schemaID, by, document, proposal); err == nil {
				record, err = s.Directory.Create(ctx, draft)
			}
		}
		if err != nil {
			return s.blame(ctx, m, attempt{after: document, number: proposal.Number}, err)
		}
		if err := s.Claims.SettleNew(ctx, proposal, record.ID); err != nil {
			return fmt.Errorf("settle the number: %w", err)
		}
		none := s.Index.Absent()
		none.Ungrouped = true
		entry, err = s.found(ctx, record, s.Now(), &none)
		return err
	})
	return entry, err
}

// draft is the identity that a document asks for, as far as its number may be written.
func (s *Service) draft(m *mapping.Mapping, schemaID string, by By, document map[string]any, p claim.Proposal) (scim.Draft, error) {
	draft, err := m.Draft(document, mapping.NumberWish{Change: true, Number: p.Number.Unmasked()})
	if err != nil {
		return scim.Draft{}, err
	}
	draft.SchemaID = schemaID
	if !p.Pending.IsZero() {
		draft.MetadataPublic = map[string]any{s.PendingKey: p.Pending.Unmasked()}
	}
	if external, _ := document["externalId"].(string); external != "" && by.Client != "" {
		if draft.MetadataAdmin == nil {
			draft.MetadataAdmin = map[string]any{}
		}
		draft.MetadataAdmin[externalKey] = map[string]any{by.Client: external}
	}
	return draft, nil
}

// Delete removes a user, with the claims that there are (RFC 7644, section 3.6).
func (s *Service) Delete(ctx context.Context, by By, id string, wants Wants) error {
	if err := s.Claims.Proven(ctx, by.SignedIn); err != nil {
		return err
	}
	return s.Claims.WithLease(ctx, id, func(ctx context.Context) error {
		record, err := s.Directory.Record(ctx, id)
		if err != nil {
			return err
		}
		m, ok, err := s.Catalogue.Of(ctx, record.SchemaID)
		if err != nil || !ok {
			return orNoIdentity(err)
		}
		if _, err := s.before(m, record, by, wants); err != nil {
			return err
		}
		if s.beyond(by, record) {
			return errPrivileged
		}
		if err := s.Directory.Delete(ctx, id); err != nil {
			return err
		}
		if err := s.Claims.Deleted(ctx, id, by.Actor); err != nil { // a worker finds the claims, too
			s.Log.WarnContext(ctx, "deleted user not audited, or claims not ended yet", "identity", id, "error", err)
		}
		if s.Gone != nil {
			if err := s.Gone(ctx, id, by.Actor); err != nil { // whoever sweeps does it, too
				s.Log.WarnContext(ctx, "memberships of a deleted user not ended yet", "identity", id, "error", err)
			}
		}
		if err := s.Index.Delete(ctx, id); err != nil { // the reconciler does it, too
			s.Log.WarnContext(ctx, "deleted user still indexed", "identity", id, "error", err)
		}
		return nil
	})
}
