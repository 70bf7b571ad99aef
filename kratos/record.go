package kratos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// object reads a JSON object; what is none is nil.
func object(text json.RawMessage) map[string]any {
	members, _ := exact(text).(map[string]any)
	return members
}

// exact reads a JSON value with its numbers as they are written, nil if it is
// none.
func exact(text []byte) any {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

// Record reads a whole identity.
func (d *Client) Record(ctx context.Context, id string) (scim.Record, error) {
	found, err := d.whole(ctx, id)
	return found.record(), err
}

// Privileged reports whether an identity's metadata_admin makes it a privileged
// person.
func (d *Client) Privileged(ctx context.Context, id string) (bool, error) {
	if d.opt.PrivilegedKey == "" {
		return false, nil
	}
	found, err := d.whole(ctx, id)
	return d.privileged(found), err
}

func (d *Client) privileged(i identity) bool {
	return d.opt.PrivilegedKey != "" && object(i.MetadataAdmin)[d.opt.PrivilegedKey] == true
}

func (d *Client) whole(ctx context.Context, id string) (identity, error) {
	return known[identity](ctx, d, "read identity", id, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.GetIdentity(ctx, id).Execute()
		return resp, err
	})
}

// known makes a request about the identity of this id, and reads the answer,
// which must be about the same one if it is about any.
func known[T any](
	ctx context.Context, d *Client, operation, id string, ask func(context.Context) (*http.Response, error),
) (T, error) {
	var none T
	if !identityID.MatchString(id) {
		return none, claim.ErrNoIdentity
	}
	found, err := fetch[T](ctx, d, operation, recordRefusals, ask)
	if err != nil {
		return none, err
	}
	if r, ok := any(found).(identity); ok && !strings.EqualFold(r.ID, id) {
		return none, malformed(operation)
	}
	return found, nil
}

// Create makes an identity. An outage may have come after Kratos made it: look
// for it by one of its identifiers before trying again.
func (d *Client) Create(ctx context.Context, draft scim.Draft) (scim.Record, error) {
	const operation = "create identity"
	body := kratos.NewCreateIdentityBody(draft.SchemaID, draft.Traits)
	if draft.State != "" {
		body.SetState(draft.State)
	}
	if draft.MetadataPublic != nil {
		body.MetadataPublic = draft.MetadataPublic
	}
	if draft.MetadataAdmin != nil {
		body.MetadataAdmin = draft.MetadataAdmin
	}
	if draft.Password != "" {
		body.Credentials = password(draft.Password)
	}
	made, err := fetch[identity](ctx, d, operation, recordRefusals, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.CreateIdentity(ctx).CreateIdentityBody(*body).Execute()
		return resp, err
	})
	if err == nil && !identityID.MatchString(made.ID) {
		err = malformed(operation)
	}
	if err != nil {
		return scim.Record{}, err
	}
	return made.record(), nil
}

// Delete removes an identity with everything that Kratos has of it.
func (d *Client) Delete(ctx context.Context, id string) error {
	_, err := known[struct{}](ctx, d, "delete identity", id, func(ctx context.Context) (*http.Response, error) {
		return d.admin.IdentityAPI.DeleteIdentity(ctx, id).Execute()
	})
	return err
}

// EndSessions deletes all of an identity's sessions. Kratos answers alike for an
// identity without sessions and for none at all; neither is an error.
func (d *Client) EndSessions(ctx context.Context, id string) error {
	_, err := known[struct{}](ctx, d, "end sessions", id, func(ctx context.Context) (*http.Response, error) {
		return d.admin.IdentityAPI.DeleteIdentitySessions(ctx, id).Execute()
	})
	if errors.Is(err, claim.ErrNoIdentity) {
		return nil
	}
	return err
}

// Sessions are listed so many at a time, and the first of them again until none is
// left, because each that ends moves the others.
const (
	sessionsPage   = 250
	sessionsRounds = 40
)

// EndOtherSessions ends an identity's sessions but one, blank for none.
func (d *Client) EndOtherSessions(ctx context.Context, id, keep string) error {
	if keep == "" {
		return d.EndSessions(ctx, id)
	}
	const operation = "end sessions"
	type session struct {
		ID string `json:"id"`
	}
	for range sessionsRounds {
		list, err := known[[]session](ctx, d, operation, id, func(ctx context.Context) (*http.Response, error) {
			_, resp, err := d.admin.IdentityAPI.ListIdentitySessions(ctx, id).Active(true).PageSize(sessionsPage).Execute()
			return resp, err
		})
		if err != nil && !errors.Is(err, claim.ErrNoIdentity) {
			return err
		}
		list = slices.DeleteFunc(list, func(s session) bool { return s.ID == keep })
		if len(list) == 0 {
			return nil
		}
		for _, other := range list {
			_, err := known[struct{}](ctx, d, operation, other.ID, func(ctx context.Context) (*http.Response, error) {
				return d.admin.IdentityAPI.DisableSession(ctx, other.ID).Execute()
			})
			if err != nil && !errors.Is(err, claim.ErrNoIdentity) {
				return err
			}
		}
	}
	return fmt.Errorf("%s: %w: sessions begin as fast as they end", operation, claim.ErrIdentitiesUnavailable)
}
