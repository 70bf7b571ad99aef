package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/portal"
)

// disputes answers as told, and counts what changed something.
type disputes struct {
	outcome claim.Dispute
	err     error
	made    []string
}

func (d *disputes) Disputable(context.Context, string) error { return d.err }

func (d *disputes) Dispute(_ context.Context, link, address string) (claim.Dispute, error) {
	d.made = append(d.made, link+" "+address)
	return d.outcome, d.err
}

func TestTheLinkOfANotice(t *testing.T) {
	for name, tt := range map[string]struct {
		method string
		d      disputes
		status int
		want   string
		made   int
	}{
		"looking changes nothing": {http.MethodGet, disputes{}, 200, `id="deny"`, 0},
		"looked at by a machine":  {http.MethodHead, disputes{}, 404, "", 0},
		"a change is reported":    {http.MethodPost, disputes{outcome: claim.Dispute{Reported: true}}, 200, "change your password", 1},
		"a claim is cancelled":    {http.MethodPost, disputes{outcome: claim.Dispute{Cancelled: true}}, 200, "is cancelled", 1},
		"nothing was left":        {http.MethodPost, disputes{}, 200, "Nothing was waiting", 1},
		"a dead link":             {http.MethodGet, disputes{err: claim.ErrLinkDead}, 404, "too old", 0},
		"the store is away":       {http.MethodPost, disputes{err: errors.New("secret")}, 503, "stays good", 1},
		"still being written":     {http.MethodPost, disputes{err: claim.ErrBeingApplied}, 503, "being saved", 1},
	} {
		t.Run(name, func(t *testing.T) {
			handler := portal.Dispute(portal.DisputeOptions{
				Claims: &tt.d, Product: "Acme <b>", Address: func(*http.Request) string { return "192.0.2.1" },
			})
			got := httptest.NewRecorder()
			handler.ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), tt.method, "/abc", nil))
			body := got.Body.String()
			if got.Code != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "secret") || strings.Contains(body, "<b>") {
				t.Errorf("got %d %s", got.Code, body)
			}
			if len(tt.d.made) != tt.made || tt.made > 0 && tt.d.made[0] != "abc 192.0.2.1" {
				t.Errorf("made %q", tt.d.made)
			}
			if policy := got.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("policy %q", policy)
			}
		})
	}
}
