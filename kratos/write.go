package kratos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"
	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

const adopting = "write number"

// ApplyNumber writes the number, verified, and removes the marker when told so, in one
// PATCH, and compares what Kratos says came of it. The verified address is
// appended, which needs no knowledge of the others; Kratos drops the one that no
// trait has any more (measured: docs/kratos.md, C).
func (d *Client) ApplyNumber(ctx context.Context, id string, number phone.Number, unmark bool) error {
	patch := []kratos.JsonPatch{
		add(pointer("traits", d.opt.MobileTrait), number.Unmasked()),
		add("/verifiable_addresses/-", verified(map[string]any{"value": number.Unmasked(), "via": "sms"})),
	}
	var (
		changed identity
		err     error
	)
	if unmark {
		changed, err = d.patch(ctx, adopting, id, append([]kratos.JsonPatch{d.removeMarker()}, patch...))
	}
	if !unmark || errors.Is(err, claim.ErrNumberRefused) {
		// Kratos refuses to remove a marker that is gone already by the same status
		// as a bad number; without the marker only the number is left to refuse.
		changed, err = d.patch(ctx, adopting, id, patch)
	}
	if err == nil && !d.seen(changed).Verified {
		changed, err = d.adoptStored(ctx, id, number)
	}
	if err != nil {
		return err
	}
	return d.compare(changed, number)
}

// Write writes the number, which Kratos takes for one that nobody has verified, or
// removes it.
func (d *Client) Write(ctx context.Context, id string, number phone.Number) error {
	write := add(pointer("traits", d.opt.MobileTrait), number.Unmasked())
	if number.IsZero() {
		write = kratos.JsonPatch{Op: "remove", Path: pointer("traits", d.opt.MobileTrait)}
	}
	changed, err := d.patch(ctx, adopting, id, []kratos.JsonPatch{write})
	if err == nil && !number.IsStored(d.opt.Plan, d.seen(changed).Mobile) {
		err = fmt.Errorf("%s: %w: not what was written", adopting, claim.ErrIdentitiesUnavailable)
	}
	return err
}

// adoptStored verifies a number that the identity had, unverified, in the same
// words: of two addresses alike Kratos keeps the first, so the list is written
// as a whole. It is only good for the identity that was just read: an address
// that was added meanwhile loses its mark and nothing more.
func (d *Client) adoptStored(ctx context.Context, id string, number phone.Number) (identity, error) {
	found, err := d.read(ctx, id)
	if err != nil {
		return identity{}, err
	}
	list, known := make([]any, len(found.Addresses)), false
	for i, a := range found.Addresses {
		if list[i] = a; d.reaches(a, number) {
			list[i], known = verified(object(a.whole)), true
		}
	}
	if !known {
		return found, nil
	}
	return d.patch(ctx, adopting, id, []kratos.JsonPatch{
		add(pointer("traits", d.opt.MobileTrait), number.Unmasked()),
		{Op: "replace", Path: "/verifiable_addresses", Value: list},
	})
}

// compare reports whether a write came to what was wanted. If not, somebody wrote
// at the same time, and it is to be done again. A number that is no address at
// all is what it can be: its schema lets nothing verify it.
func (d *Client) compare(changed identity, number phone.Number) error {
	seen := d.seen(changed)
	isAddress := slices.ContainsFunc(changed.Addresses, func(a address) bool { return d.reaches(a, number) })
	switch {
	case isAddress && !seen.Verified || !number.IsStored(d.opt.Plan, seen.Mobile):
		return fmt.Errorf("%s: %w: not what was written", adopting, claim.ErrIdentitiesUnavailable)
	case seen.Pending != "" && number.IsStored(d.opt.Plan, seen.Pending):
		return fmt.Errorf("%s: %w: marker still there", adopting, claim.ErrIdentitiesUnavailable)
	}
	return nil
}

// verified is the address with Kratos' marks of a verified one, which fills in
// the time by itself.
func verified(a map[string]any) map[string]any {
	a["verified"], a["status"] = true, "completed"
	return a
}

// ShowPending shows the number as pending, in metadata_public.
func (d *Client) ShowPending(ctx context.Context, id string, number phone.Number) error {
	mark := add(pointer("metadata_public", d.opt.PendingKey), number.Unmasked())
	_, err := d.patch(ctx, "mark identity", id, []kratos.JsonPatch{mark})
	return err
}

// ClearPending removes the marker. One that is gone already is no error.
func (d *Client) ClearPending(ctx context.Context, id string) error {
	_, err := d.patch(ctx, "unmark identity", id, []kratos.JsonPatch{d.removeMarker()})
	if !errors.Is(err, claim.ErrNumberRefused) {
		return err
	}
	seen, readErr := d.Identity(ctx, id)
	switch {
	case readErr != nil:
		return readErr
	case seen.Pending != "":
		return err
	}
	return nil
}

// patch changes an identity by RFC 6902. Kratos knows add, remove and replace.
func (d *Client) patch(ctx context.Context, operation, id string, patch []kratos.JsonPatch) (identity, error) {
	changed, err := d.exchange(ctx, operation, id, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.PatchIdentity(ctx, id).JsonPatch(patch).Execute()
		return resp, err
	})
	if err == nil && d.opt.Written != nil {
		d.opt.Written(changed.record())
	}
	return changed, err
}

func (d *Client) removeMarker() kratos.JsonPatch {
	return kratos.JsonPatch{Op: "remove", Path: pointer("metadata_public", d.opt.PendingKey)}
}

func add(path string, value any) kratos.JsonPatch {
	return kratos.JsonPatch{Op: "add", Path: path, Value: value}
}

// pointer is a JSON pointer, escaped as RFC 6901, section 3, asks for.
func pointer(names ...string) string {
	var path strings.Builder
	for _, name := range names {
		path.WriteString("/" + jsonpointer.Escape(name))
	}
	return path.String()
}
