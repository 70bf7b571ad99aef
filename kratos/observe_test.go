package kratos_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/kratos"
)

type operationKey struct{}

// marking is a transport that tells Kratos what a request is for.
type marking struct{ http.RoundTripper }

func (m marking) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	operation, _ := r.Context().Value(operationKey{}).(string)
	r.Header.Set("X-Operation", operation)
	return m.RoundTripper.RoundTrip(r)
}

func TestRequestsAreObservedFromBeginningToEnd(t *testing.T) {
	var told []string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = append(told, r.Header.Get("X-Operation"))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(upstream.Close)
	var ends []error
	d := open(t, &server{public: upstream.URL, admin: upstream.URL}, func(o *kratos.Options) {
		o.Around = func(next http.RoundTripper) http.RoundTripper { return marking{next} }
		o.Observe = func(ctx context.Context, operation string) (context.Context, func(error)) {
			return context.WithValue(ctx, operationKey{}, operation), func(err error) { ends = append(ends, err) }
		}
	})
	_, identityErr := d.Identity(t.Context(), "b8b5ae05-3b6c-4a40-8b76-1f1b4f8f8a37")
	_, sessionErr := d.Session(t.Context(), "", "token")
	if want := []string{"read identity", "read session"}; !slices.Equal(told, want) {
		t.Errorf("requests for %q, want %q", told, want)
	}
	if len(ends) != 2 || !errors.Is(ends[0], claim.ErrIdentitiesUnavailable) || !errors.Is(ends[1], claim.ErrIdentitiesUnavailable) ||
		identityErr == nil || sessionErr == nil {
		t.Errorf("ended with %v", ends)
	}
}
