package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// verdict names what an error means for the worker.
func verdict(err error) string {
	var later *smsgateway.RetryError
	switch {
	case err == nil:
		return "sent"
	case errors.Is(err, smsgateway.ErrAccount):
		return "account"
	case errors.Is(err, smsgateway.ErrRefused):
		return "refused"
	case errors.Is(err, smsgateway.ErrUnclear):
		return "unclear"
	case errors.Is(err, smsgateway.ErrUnsure):
		return "unsure"
	case errors.As(err, &later) && later.After > 0:
		return "passes after " + later.After.String()
	}
	return "passes"
}

// said is what a provider answers.
type said struct {
	status int
	body   string
	want   string
}

func TestDocumentedAnswersAreUnderstood(t *testing.T) {
	for name, p := range providerTests {
		for _, tt := range p.answers {
			t.Run(fmt.Sprintf("%s %d %s", name, tt.status, tt.body), func(t *testing.T) {
				tt.isUnderstood(t, func(t *testing.T, endpoint string, options provider.HTTPOptions) smsgateway.Gateway {
					t.Helper()
					return preset(t, name, endpoint, options)
				})
			})
		}
	}
}

// isUnderstood gives the answer to a gateway, and looks at what that makes of it. An
// answer that is not understood costs the whole time-out, which passes at once
// without a network.
func (s said) isUnderstood(t *testing.T, make func(*testing.T, string, provider.HTTPOptions) smsgateway.Gateway) (id, reason string) {
	t.Helper()
	answer := func(w http.ResponseWriter, _ *http.Request) {
		if s.want != "passes" {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(s.status)
		_, _ = w.Write([]byte(s.body))
	}
	try := func(t *testing.T, endpoint string, options provider.HTTPOptions) {
		t.Helper()
		var err error
		id, err = make(t, endpoint, options).Send(t.Context(), smstest.NewMessage())
		if got := verdict(err); got != s.want {
			t.Errorf("got %s, want %s (%v)", got, s.want, err)
		}
		saysNothing(t, err)
		if err != nil {
			reason = err.Error()
		}
	}
	if s.want != "unsure" {
		try(t, smstest.NewServer(t, answer).URL, smstest.Patient)
		return id, reason
	}
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		options := smstest.Patient
		options.Transport = transport(func(r *http.Request) (*http.Response, error) {
			asked++
			w := httptest.NewRecorder()
			answer(w, r)
			return w.Result(), nil
		})
		begun := time.Now()
		try(t, "https://provider.example.com", options)
		if waited := time.Since(begun); asked != 2 || waited != options.Timeout {
			t.Errorf("asked %d times within %v, want twice within %v", asked, waited, options.Timeout)
		}
	})
	return id, reason
}
