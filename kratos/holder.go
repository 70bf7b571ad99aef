package kratos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

const vacating = "remove number"

// Holders returns who has a number as an address or to sign in by: Kratos finds
// identifiers, and of the other identities that are named it is looked up. A number
// that is a trait and nothing else belongs to nobody alone, and is none of these
// (measured: docs/kratos.md, D). The identity itself is left out.
func (d *Client) Holders(ctx context.Context, id string, number phone.Number, named []string) ([]claim.Holder, error) {
	found, err := d.list(ctx, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.ListIdentities(ctx).CredentialsIdentifier(number.Unmasked()).Execute()
		return resp, err
	})
	if err != nil {
		return nil, err
	}
	isHolder := func(i identity) bool {
		return slices.ContainsFunc(i.Addresses, func(a address) bool { return d.reaches(a, number) })
	}
	for _, other := range named {
		if slices.ContainsFunc(found, func(i identity) bool { return i.ID == other }) {
			continue
		}
		i, err := d.read(ctx, other)
		switch {
		case errors.Is(err, claim.ErrNoIdentity):
		case err != nil:
			return nil, err
		case isHolder(i):
			found = append(found, i)
		}
	}
	var holders []claim.Holder
	for _, i := range found {
		if i.ID == id {
			continue
		}
		bound, err := d.CodeIdentifier(ctx, i.SchemaID)
		if err != nil {
			return nil, err
		}
		holders = append(holders, claim.Holder{Identity: d.seen(i), Bound: bound})
	}
	return holders, nil
}

// Vacate removes the number of an identity, and the marker if it shows the same
// number, in one PATCH. Kratos drops the address with the trait. An identity that has
// another number by now is left alone.
func (d *Client) Vacate(ctx context.Context, id string, number phone.Number) error {
	found, err := d.read(ctx, id)
	if err != nil {
		return err
	}
	var patch []kratos.JsonPatch
	before := d.seen(found)
	if before.Mobile != "" && number.IsStored(d.opt.Plan, before.Mobile) {
		patch = append(patch, kratos.JsonPatch{Op: "remove", Path: pointer("traits", d.opt.MobileTrait)})
	}
	if before.Pending != "" && number.IsStored(d.opt.Plan, before.Pending) {
		patch = append(patch, d.removeMarker())
	}
	if len(patch) == 0 {
		return nil
	}
	changed, err := d.patch(ctx, vacating, id, patch)
	if err != nil {
		return err
	}
	kept := slices.ContainsFunc(changed.Addresses, func(a address) bool { return d.reaches(a, number) })
	if after := d.seen(changed); kept || after.Mobile != "" && number.IsStored(d.opt.Plan, after.Mobile) {
		return fmt.Errorf("%s: %w: not what was written", vacating, claim.ErrIdentitiesUnavailable)
	}
	return nil
}
