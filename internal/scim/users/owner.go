package users

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"reflect"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// allowed holds owners to what they may change of their own. What an account is
// reached or opened by takes a sign-in as young and as strong as Kratos' own
// settings ask for, of owners and of privileged people.
func (s *Service) allowed(ctx context.Context, by By, before, after map[string]any) error {
	for _, name := range s.OwnersMayNot {
		if by.owner() && !same(before, after, name) {
			return &scim.Error{Status: http.StatusForbidden, Detail: "users may not change " + name + " of their own"}
		}
	}
	for _, name := range []string{"userName", "emails", "password"} {
		if !same(before, after, name) {
			return s.Claims.Proven(ctx, by.SignedIn)
		}
	}
	return nil
}

// same reports whether an attribute, or what an extension has, stays as it is. What
// the feature itself writes there does not count, nor does active where it is not
// given.
func same(before, after map[string]any, name string) bool {
	was, is := before[name], after[name]
	if name == "active" && is == nil {
		return true
	}
	return reflect.DeepEqual(plain(was), plain(is))
}

func plain(value any) any {
	members, ok := value.(map[string]any)
	if !ok {
		return value
	}
	members = scim.CloneObject(members)
	delete(members, "verifyMobile")
	delete(members, "pendingMobileNumber")
	if len(members) == 0 {
		return nil
	}
	return members
}

// named does something while nobody else can take the document's userName, if that
// is a new one. Kratos itself keeps identifiers apart, and no other traits.
func (s *Service) named(ctx context.Context, id string, before map[string]any, e edited, do func(context.Context) error) error {
	name, _ := e.document["userName"].(string)
	if was, _ := before["userName"].(string); name == "" || scim.Fold(was) == scim.Fold(name) {
		return do(ctx)
	}
	if err := e.turn.hold(); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(scim.Fold(name)))
	return s.Claims.WithLease(ctx, "name "+hex.EncodeToString(sum[:16]), func(ctx context.Context) error {
		if err := s.nameIsFree(ctx, id, name); err != nil {
			return err
		}
		return do(ctx)
	})
}

// nameIsFree refuses a userName that another user has.
func (s *Service) nameIsFree(ctx context.Context, id, name string) error {
	keys := s.indexing.Values(map[string]any{"userName": name})["userName"]
	if len(keys) == 0 {
		return nil
	}
	complete, err := s.complete(ctx)
	if err != nil {
		return err
	}
	taken := func(document map[string]any) bool {
		other, _ := document["userName"].(string)
		return scim.Fold(other) == scim.Fold(name)
	}
	page, err := s.Index.Query(ctx, scim.Query{
		Condition: scim.Equal("userName", keys[0]), Exact: true, Matches: taken, Limit: most,
	})
	if err != nil {
		return err
	}
	for _, entry := range page.Entries {
		if entry.ID == id {
			continue
		}
		now, err := s.get(ctx, entry.ID, &entry)
		if errors.Is(err, claim.ErrNoIdentity) {
			continue
		}
		if err != nil {
			return err
		}
		if user, err := s.user(now, ""); err != nil || taken(user.Document) {
			return errors.Join(conflict("userName"), err)
		}
	}
	if !complete {
		return scim.ErrIncomplete
	}
	return nil
}
