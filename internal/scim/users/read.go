package users

import (
	"context"
	"errors"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// Get reads a user from Kratos. Nobody, and who is no user, is
// claim.ErrNoIdentity.
func (s *Service) Get(ctx context.Context, by By, id string) (User, error) {
	entry, err := s.get(ctx, id, nil)
	if err != nil {
		return User{}, err
	}
	return s.user(entry, by.Client)
}

// get reads an identity, and has the index know what was found; known is as of found.
func (s *Service) get(ctx context.Context, id string, known *scim.Entry) (scim.Entry, error) {
	seen := s.Now()
	record, err := s.Directory.Record(ctx, id)
	if errors.Is(err, claim.ErrNoIdentity) {
		if fault := s.Index.Delete(ctx, id); fault != nil {
			s.Log.WarnContext(ctx, "deleted user still indexed", "error", fault)
		}
	}
	if err != nil {
		return scim.Entry{}, err
	}
	return s.found(ctx, record, seen, known)
}

// Known returns those of some ids that are a user's. Kratos is asked about those whom
// the index does not have, until one is not there.
func (s *Service) Known(ctx context.Context, ids []string) (map[string]bool, error) {
	stamps, err := s.Index.Stamps(ctx, ids)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(ids))
	missing := false
	for _, id := range ids {
		_, known[id] = stamps[id]
		if known[id] || missing {
			continue
		}
		switch _, err := s.get(ctx, id, nil); {
		case errors.Is(err, claim.ErrNoIdentity):
			missing = true
		case err != nil:
			return nil, err
		default:
			known[id] = true
		}
	}
	return known, nil
}
