package kratos

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

const (
	schemaFresh = 5 * time.Minute
	schemaRetry = 15 * time.Second
)

// schema is what is remembered of an identity schema, and until when it is
// believed without asking.
type schema struct {
	code  bool
	until time.Time
}

// CodeIdentifier reports whether the schema makes the mobile number an identifier
// for sign-in by code. What was read last stands while Kratos is away.
func (d *Client) CodeIdentifier(ctx context.Context, schemaID string) (bool, error) {
	known, ok := d.schemas.Get(schemaID)
	if ok && d.opt.Now().Before(known.until) {
		return known.code, nil
	}
	read, _, err := share(ctx, d.work, &d.reads, schemaID, func(ctx context.Context) (schema, error) {
		return d.readSchema(ctx, schemaID)
	})
	switch {
	case err == nil:
		return read.code, nil
	case !ok || ctx.Err() != nil:
		return false, err
	}
	known.until = d.opt.Now().Add(schemaRetry)
	d.schemas.Add(schemaID, known)
	return known.code, nil
}

// readSchema reads a schema from the public API; the admin API only redirects
// there (https://www.ory.sh/docs/kratos/reference/api#operation/getIdentitySchema).
func (d *Client) readSchema(ctx context.Context, schemaID string) (schema, error) {
	if schemaID == "" || schemaID == "." || schemaID == ".." {
		return schema{}, fmt.Errorf("read schema: %w: no schema id", claim.ErrIdentitiesUnavailable)
	}
	document, err := fetch[map[string]any](ctx, d, "read schema", nil, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.public.IdentityAPI.GetIdentitySchema(ctx, schemaID).Execute()
		return resp, err
	})
	if err != nil {
		return schema{}, err
	}
	return d.keepSchema(schemaID, document), nil
}

// Prefetch reads all schemas at once, so that the first hook need not wait.
func (d *Client) Prefetch(ctx context.Context) error {
	_, err := d.Schemas(ctx)
	return err
}

// Schemas reads all identity schemas, by their ids.
func (d *Client) Schemas(ctx context.Context) (map[string]map[string]any, error) {
	type container struct {
		ID     string         `json:"id"`
		Schema map[string]any `json:"schema"`
	}
	all, err := fetch[[]container](ctx, d, "read schemas", nil, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.public.IdentityAPI.ListIdentitySchemas(ctx).Execute()
		return resp, err
	})
	schemas := map[string]map[string]any{}
	for _, found := range all {
		if found.ID != "" && found.Schema != nil {
			d.keepSchema(found.ID, found.Schema)
			schemas[found.ID] = found.Schema
		}
	}
	return schemas, err
}

func (d *Client) keepSchema(schemaID string, document map[string]any) schema {
	kept := schema{code: DescribeTrait(document, d.opt.MobileTrait).Code, until: d.opt.Now().Add(schemaFresh)}
	d.schemas.Add(schemaID, kept)
	return kept
}
