package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/claim"
)

// Adopt writes the number, verified, and removes the marker when told so, in one
// PATCH, and compares what Kratos says came of it. The address is appended
// because Kratos keeps the appended one of several with the same number, and
// drops what no trait has any more (measured: KRATOS.md, C).
func (d *Directory) Adopt(ctx context.Context, id string, number claim.Mobile, unmark bool) error {
	const operation = "write number"
	patch := []kratos.JsonPatch{
		add(pointer("traits", d.opt.MobileTrait), number.Reveal()),
		add("/verifiable_addresses/0", map[string]any{
			"value": number.Reveal(), "via": "sms", "verified": true, "status": "completed",
		}),
	}
	var (
		seen claim.Identity
		err  error
	)
	if unmark {
		seen, err = d.patch(ctx, operation, id, append([]kratos.JsonPatch{d.removeMarker()}, patch...))
	}
	if !unmark || errors.Is(err, claim.ErrNumberRefused) {
		// Kratos refuses to remove a marker that is gone already by the same status
		// as a bad number; without the marker only the number is left to refuse.
		seen, err = d.patch(ctx, operation, id, patch)
	}
	switch {
	case err != nil:
		return err
	case !seen.Verified || !claim.StoredMobile(d.opt.Plan, seen.Mobile).Same(number):
		return fmt.Errorf("%s: %w: not what was written", operation, claim.ErrDirectoryAway)
	case unmark && seen.Pending != "" && claim.StoredMobile(d.opt.Plan, seen.Pending).Same(number):
		return fmt.Errorf("%s: %w: marker still there", operation, claim.ErrDirectoryAway)
	}
	return nil
}

// Mark shows the number as pending, in metadata_public.
func (d *Directory) Mark(ctx context.Context, id string, number claim.Mobile) error {
	mark := add(pointer("metadata_public", d.opt.PendingKey), number.Reveal())
	_, err := d.patch(ctx, "mark identity", id, []kratos.JsonPatch{mark})
	return err
}

// Unmark removes the marker. One that is gone already is no error.
func (d *Directory) Unmark(ctx context.Context, id string) error {
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
func (d *Directory) patch(
	ctx context.Context, operation, id string, patch []kratos.JsonPatch,
) (claim.Identity, error) {
	if !identityID.MatchString(id) {
		return claim.Identity{}, claim.ErrNoIdentity
	}
	changed, err := fetch[identity](ctx, d, operation, identityRefusals, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.PatchIdentity(ctx, id).JsonPatch(patch).Execute()
		return resp, err
	})
	if err != nil {
		return claim.Identity{}, err
	}
	if !strings.EqualFold(changed.ID, id) {
		return claim.Identity{}, malformed(operation)
	}
	return d.identity(changed), nil
}

func (d *Directory) removeMarker() kratos.JsonPatch {
	return kratos.JsonPatch{Op: "remove", Path: pointer("metadata_public", d.opt.PendingKey)}
}

func add(path string, value any) kratos.JsonPatch {
	return kratos.JsonPatch{Op: "add", Path: path, Value: value}
}

// pointer is a JSON pointer, escaped as RFC 6901, section 3, asks for.
func pointer(names ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var path strings.Builder
	for _, name := range names {
		path.WriteString("/" + escape.Replace(name))
	}
	return path.String()
}
