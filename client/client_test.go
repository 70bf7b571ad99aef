package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/client"
)

// serve runs a server that answers by do, and returns a client of it.
func serve(t *testing.T, do http.HandlerFunc) client.Client {
	t.Helper()
	server := httptest.NewServer(do)
	t.Cleanup(server.Close)
	return client.Client{URL: server.URL}
}

func TestCredentialsAreSentAsTheListenerReadsThem(t *testing.T) {
	var got http.Header
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.WriteHeader(http.StatusNoContent)
	})
	for name, tt := range map[string]struct {
		as           client.Credentials
		header, want string
	}{
		"nobody":               {nil, "Authorization", ""},
		"a session's token":    {client.SessionToken("st"), "X-Session-Token", "st"},
		"a session's cookie":   {client.Cookie("ory_kratos_session", "sc"), "Cookie", "ory_kratos_session=sc"},
		"a name and password":  {client.Basic("bob", "secret"), "Authorization", "Basic Ym9iOnNlY3JldA=="},
		"a client's token":     {client.Bearer("hlt_t"), "Authorization", "Bearer hlt_t"},
		"the key of the hooks": {client.HookKey("key"), "X-Hook-Key", "key"},
	} {
		c.As = tt.as
		if err := c.CancelMobileClaim(t.Context()); err != nil || got.Get(tt.header) != tt.want {
			t.Errorf("%s: got %q, want %q: %v", name, got.Get(tt.header), tt.want, err)
		}
	}
}

func TestAnAnswerThatIsNotHoldlinesIsAnErrorWithItsStatus(t *testing.T) {
	for _, body := range []string{"<html>Bad Gateway</html>", "", `{"code":7}`, `["x"]`} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte(body))
		})
		err := c.ResendCode(t.Context())
		refused, ok := errors.AsType[*client.Error](err)
		if !ok || refused.Status != http.StatusBadGateway || refused.Code != "" || refused.Description != "" || err.Error() != "holdline: 502 Bad Gateway" {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestAnAnswerThatCannotBeReadIsAnError(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": "<html>", "cut off": `{"state":"op`, "too long": `{"state":"` + strings.Repeat("x", 9<<20) + `"}`,
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		if claim, err := c.MobileClaim(t.Context()); err == nil {
			t.Errorf("%s: got %d bytes", name, len(claim.State))
		}
	}
}

func TestTheContextEndsACall(t *testing.T) {
	arrived := make(chan struct{})
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the client go
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if err := c.ValidateCode(ctx, "123456"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestARedirectIsAnErrorAndTakesNothingAlong(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent elsewhere, with %v", r.Method, r.URL, r.Header)
	}))
	t.Cleanup(elsewhere.Close)
	given := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	for _, sender := range []*http.Client{nil, given} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		})
		c.As, c.HTTP = client.SessionToken("st"), sender
		err := c.ValidateCode(t.Context(), "123456")
		if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Status != http.StatusTemporaryRedirect {
			t.Errorf("got %v", err)
		}
	}
	if given.CheckRedirect(nil, nil) != nil {
		t.Error("the given client was changed")
	}
}

type refuser struct{}

func (refuser) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no way") }

func TestTheGivenHTTPClientIsUsed(t *testing.T) {
	c := client.Client{URL: "http://id.example.com", HTTP: &http.Client{Transport: refuser{}, Timeout: time.Minute}}
	if err := c.ResendCode(t.Context()); err == nil || !strings.Contains(err.Error(), "no way") {
		t.Errorf("got %v", err)
	}
	c.URL = "://"
	if err := c.ResendCode(t.Context()); err == nil {
		t.Error("a URL that is none was taken")
	}
}
