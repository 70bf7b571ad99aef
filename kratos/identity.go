package kratos

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
)

// identity is an identity in Kratos' own form
// (https://www.ory.sh/docs/kratos/reference/api#tag/identity). What it holds is kept
// as it came, to be written back so.
type identity struct {
	ID             string          `json:"id"`
	SchemaID       string          `json:"schema_id"`
	State          string          `json:"state"`
	Traits         json.RawMessage `json:"traits"`
	MetadataPublic json.RawMessage `json:"metadata_public"`
	MetadataAdmin  json.RawMessage `json:"metadata_admin"`
	Addresses      []address       `json:"verifiable_addresses"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	// Credentials are by their kind; what they hold is there only if it was asked for.
	Credentials map[string]credential `json:"credentials"`
}

// record is the identity as SCIM's packages need it.
func (i identity) record() scim.Record {
	whole := scim.Record{
		ID: i.ID, SchemaID: i.SchemaID, State: i.State,
		Traits: object(i.Traits), MetadataPublic: object(i.MetadataPublic), MetadataAdmin: object(i.MetadataAdmin),
		CreatedAt: i.CreatedAt.UTC(), UpdatedAt: i.UpdatedAt.UTC(),
	}
	_, whole.HasPassword = i.Credentials[passwordKind]
	for _, a := range i.Addresses {
		whole.Addresses = append(whole.Addresses, a.Address)
	}
	return whole
}

// address is a verifiable address, and all its fields as they came, to be written back.
type address struct {
	scim.Address
	whole json.RawMessage
}

// UnmarshalJSON takes a field of another type, or of another spelling, for none.
func (a *address) UnmarshalJSON(text []byte) error {
	all := members(text)
	*a = address{scim.Address{
		Value: textIn(all, "value"), Via: textIn(all, "via"), Status: textIn(all, "status"),
		Verified: string(all["verified"]) == "true",
	}, slices.Clone(text)}
	return nil
}

// MarshalJSON writes what came.
func (a address) MarshalJSON() ([]byte, error) { return a.whole, nil }

const inactive = "inactive"

// What Kratos' admin API means by a status (measured: docs/kratos.md, D).
var identityRefusals = refusals{
	http.StatusBadRequest: claim.ErrNumberRefused,
	http.StatusNotFound:   claim.ErrNoIdentity,
	http.StatusConflict:   claim.ErrNumberTaken,
}

// identityID is the form of Kratos' identity ids. Other text would lead to other
// routes; and Kratos reads capitals as the same id, while leases, claims and the audit
// trail would be another's.
var identityID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Identity reads an identity by its id.
func (d *Client) Identity(ctx context.Context, id string) (claim.Identity, error) {
	found, err := d.read(ctx, id)
	return d.seen(found), err
}

// Documents reads an identity's traits and public metadata as they are stored.
func (d *Client) Documents(ctx context.Context, id string) (traits, public json.RawMessage, err error) {
	found, err := d.read(ctx, id)
	return found.Traits, found.MetadataPublic, err
}

// Email returns an identity's e-mail address: a verified one, if there is any,
// then any, then the trait; blank if there is none at all.
func (d *Client) Email(ctx context.Context, id string) (string, error) {
	found, err := d.read(ctx, id)
	email := ""
	for _, a := range found.Addresses {
		switch {
		case a.Via != "email":
		case a.Verified:
			return a.Value, err
		case email == "":
			email = a.Value
		}
	}
	if email == "" && d.opt.EmailTrait != "" {
		email = textIn(members(found.Traits), d.opt.EmailTrait)
	}
	return email, err
}

func (d *Client) read(ctx context.Context, id string) (identity, error) {
	return d.exchange(ctx, "read identity", id, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.GetIdentity(ctx, id).Execute()
		return resp, err
	})
}

// exchange makes a request that answers with the identity of this id.
func (d *Client) exchange(
	ctx context.Context, operation, id string, ask func(context.Context) (*http.Response, error),
) (identity, error) {
	if !identityID.MatchString(id) {
		return identity{}, claim.ErrNoIdentity
	}
	found, err := fetch[identity](ctx, d, operation, identityRefusals, ask)
	if err == nil && !strings.EqualFold(found.ID, id) {
		err = malformed(operation)
	}
	if err != nil {
		return identity{}, err
	}
	return found, nil
}

// seen keeps what Holdline knows of an identity.
func (d *Client) seen(from identity) claim.Identity {
	traits := members(from.Traits)
	known := claim.Identity{
		ID:         from.ID,
		Mobile:     textIn(traits, d.opt.MobileTrait),
		Pending:    textIn(members(from.MetadataPublic), d.opt.PendingKey),
		Privileged: d.privileged(from),
	}
	if d.opt.LocaleTrait != "" {
		known.Locale = textIn(traits, d.opt.LocaleTrait)
	}
	mobile := phone.ParseStored(d.opt.Plan, known.Mobile)
	for _, a := range from.Addresses {
		if a.Verified && d.reaches(a, mobile) {
			known.Verified = true
		}
	}
	return known
}

// reaches reports whether an address is that number. It may be stored with spaces
// while the trait is not, so both are compared as numbers.
func (d *Client) reaches(a address, number phone.Number) bool {
	return a.Via == "sms" && !number.IsZero() && number.IsStored(d.opt.Plan, a.Value)
}

// members are those of a JSON object, none of anything else.
func members(object json.RawMessage) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil {
		return nil
	}
	return all
}

// textIn is a string among members, blank if there is none.
func textIn(members map[string]json.RawMessage, name string) string {
	var text string
	if json.Unmarshal(members[name], &text) != nil {
		return ""
	}
	return text
}
