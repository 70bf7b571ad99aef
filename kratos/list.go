package kratos

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// Page reads at most size identities, in the order of their ids, from where a
// token says that the page before ended, or from the first. The next token is
// blank after the last page. An identity that is made meanwhile may belong to a
// page that was read already. An answer above 4 MiB counts as an outage: 250 is a
// good size.
func (d *Client) Page(ctx context.Context, token string, size int) ([]scim.Record, string, error) {
	links := ""
	list, err := d.list(ctx, func(ctx context.Context) (*http.Response, error) {
		request := d.admin.IdentityAPI.ListIdentities(ctx).PageSize(int64(size))
		if token != "" {
			request = request.PageToken(token)
		}
		_, resp, err := request.Execute()
		if resp != nil {
			links = strings.Join(resp.Header.Values("Link"), ",")
		}
		return resp, err
	})
	if err != nil {
		return nil, "", err
	}
	records := make([]scim.Record, len(list))
	for i, r := range list {
		records[i] = r.record()
	}
	return records, nextToken(links), nil
}

// FindByIdentifier returns the identity that signs in by this identifier, as
// Kratos compares them: in either case, and without blanks around. Nobody is
// [claim.ErrNoIdentity]. A trait that is no identifier is not found.
func (d *Client) FindByIdentifier(ctx context.Context, identifier string) (scim.Record, error) {
	found, err := d.byIdentifier(ctx, identifier)
	return found.record(), err
}

// Person returns what the claims need to know of who signs in by this
// identifier; errors are those of [Directory.FindByIdentifier].
func (d *Client) Person(ctx context.Context, identifier string) (claim.Identity, error) {
	found, err := d.byIdentifier(ctx, identifier)
	return d.seen(found), err
}

func (d *Client) byIdentifier(ctx context.Context, identifier string) (identity, error) {
	if strings.TrimSpace(identifier) == "" {
		return identity{}, claim.ErrNoIdentity // Kratos would list everybody
	}
	list, err := d.list(ctx, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.ListIdentities(ctx).CredentialsIdentifier(identifier).Execute()
		return resp, err
	})
	switch {
	case err != nil:
		return identity{}, err
	case len(list) == 0:
		return identity{}, claim.ErrNoIdentity
	}
	return list[0], nil
}

func (d *Client) list(ctx context.Context, ask func(context.Context) (*http.Response, error)) ([]identity, error) {
	const operation = "list identities"
	found, err := fetch[[]identity](ctx, d, operation, nil, ask)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		if !identityID.MatchString(r.ID) {
			return nil, malformed(operation)
		}
	}
	return found, nil
}

// nextToken finds the page token of the next link (RFC 8288, section 3), blank
// if there is none.
func nextToken(links string) string {
	for link := range strings.SplitSeq(links, ",") {
		target, parameters, _ := strings.Cut(link, ";")
		if !strings.Contains(parameters, `rel="next"`) {
			continue
		}
		if u, err := url.Parse(strings.Trim(target, " <>")); err == nil {
			return u.Query().Get("page_token")
		}
	}
	return ""
}
