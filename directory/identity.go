package directory

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/holdline/holdline/claim"
)

// identity is what is read of Kratos' identity
// (https://www.ory.sh/docs/kratos/reference/api#tag/identity).
type identity struct {
	ID             string          `json:"id"`
	State          string          `json:"state"`
	Traits         json.RawMessage `json:"traits"`
	MetadataPublic json.RawMessage `json:"metadata_public"`
	Addresses      []struct {
		Value    string `json:"value"`
		Via      string `json:"via"`
		Verified bool   `json:"verified"`
	} `json:"verifiable_addresses"`
}

const inactive = "inactive"

// What Kratos' admin API means by a status (measured: KRATOS.md, D).
var identityRefusals = refusals{
	http.StatusBadRequest: claim.ErrNumberRefused,
	http.StatusNotFound:   claim.ErrNoIdentity,
	http.StatusConflict:   claim.ErrNumberTaken,
}

// identityID is the form of Kratos' identity ids. Other text would lead to other
// routes.
var identityID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Identity reads an identity by its id.
func (d *Directory) Identity(ctx context.Context, id string) (claim.Identity, error) {
	const operation = "read identity"
	if !identityID.MatchString(id) {
		return claim.Identity{}, claim.ErrNoIdentity
	}
	found, err := fetch[identity](ctx, d, operation, identityRefusals, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.GetIdentity(ctx, id).Execute()
		return resp, err
	})
	if err != nil {
		return claim.Identity{}, err
	}
	if found.ID == "" {
		return claim.Identity{}, malformed(operation)
	}
	return d.identity(found), nil
}

// identity keeps what Holdline knows of an identity. A number may be stored with
// spaces while its address is not, so both are compared as numbers.
func (d *Directory) identity(from identity) claim.Identity {
	seen := claim.Identity{
		ID:      from.ID,
		Mobile:  member(from.Traits, d.opt.MobileTrait),
		Pending: member(from.MetadataPublic, d.opt.PendingKey),
	}
	mobile := claim.StoredMobile(d.opt.Plan, seen.Mobile)
	for _, a := range from.Addresses {
		if a.Via == "sms" && a.Verified && !mobile.IsZero() && claim.StoredMobile(d.opt.Plan, a.Value).Same(mobile) {
			seen.Verified = true
		}
	}
	return seen
}

// member reads a string of a JSON object, blank if there is none.
func member(object json.RawMessage, name string) string {
	var (
		members map[string]json.RawMessage
		text    string
	)
	if json.Unmarshal(object, &members) != nil || json.Unmarshal(members[name], &text) != nil {
		return ""
	}
	return text
}
