package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

// clients know one token, and otherwise fail as their text says.
type clients struct{ address string }

func (*clients) Recognises(token string) bool { return strings.HasPrefix(token, "hlt_") }

func (s *clients) Client(_ context.Context, token, address string) (auth.Token, error) {
	s.address = address
	switch token {
	case "hlt_good":
		return auth.Token{Name: "okta", Scopes: []auth.Scope{auth.ScopeSCIMRead}}, nil
	case "hlt_full":
		return auth.Token{}, fmt.Errorf("count: %w", &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: now.Add(time.Minute)})
	case "hlt_away":
		return auth.Token{}, problem.ErrStoreUnavailable
	default:
		return auth.Token{}, auth.ErrNoToken
	}
}

func TestClientsCallByBearerToken(t *testing.T) {
	read, write := auth.ScopeSCIMRead, auth.ScopeSCIMWrite
	for name, tt := range map[string]struct {
		header       string
		scopes       []auth.Scope
		status       int
		code         string
		authenticate string // in WWW-Authenticate
	}{
		"good":                 {"Bearer hlt_good", []auth.Scope{read}, 200, "okta", ""},
		"in any case":          {"bEARER  hlt_good ", nil, 200, "okta", ""},
		"nothing":              {"", nil, 401, "HLD-40101", `Bearer realm="holdline"`},
		"no token":             {"Bearer ", nil, 401, "HLD-40101", `Bearer realm="holdline"`},
		"another scheme":       {"Basic aGx0X2dvb2Q6", nil, 401, "HLD-40101", `Bearer realm="holdline"`},
		"wrong":                {"Bearer hlt_wrong", nil, 401, "HLD-40103", `Bearer realm="holdline", error="invalid_token"`},
		"without the scope":    {"Bearer hlt_good", []auth.Scope{read, write}, 403, "HLD-40302", `Bearer realm="holdline", error="insufficient_scope", scope="scim:write"`},
		"too many wrong ones":  {"Bearer hlt_full", nil, 429, "HLD-42903", ""},
		"the store is away":    {"Bearer hlt_away", nil, 503, "HLD-50301", ""},
		"wrong, without scope": {"Bearer x", []auth.Scope{write}, 401, "HLD-40103", `Bearer realm="holdline", error="invalid_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			e, known := server(), &clients{}
			e.Clients = known
			request := httptest.NewRequest(http.MethodGet, "/x", nil)
			request.Header.Set("Authorization", tt.header)
			got := answer(t, request, func(c *gin.Context) {
				token, err := e.Client(c, tt.scopes...)
				if err != nil {
					e.Fail(c, err)
					return
				}
				c.String(http.StatusOK, token.Name)
			})
			if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.code) {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
			if header := got.Header().Get("WWW-Authenticate"); header != tt.authenticate {
				t.Errorf("WWW-Authenticate is %q", header)
			}
			if retry := got.Header().Get("Retry-After"); (tt.status == 429) != (retry == "60") {
				t.Errorf("Retry-After is %q", retry)
			}
			if tt.status == 200 && known.address != "192.0.2.1" {
				t.Errorf("asked for %q", known.address)
			}
		})
	}
}

func TestWhoMayBeAClient(t *testing.T) {
	for name, tt := range map[string]struct {
		headers map[string]string
		clients web.Clients
		want    bool
	}{
		"a client's token":         {map[string]string{"Authorization": "Bearer hlt_x"}, &clients{}, true},
		"a session's token":        {map[string]string{"Authorization": "Bearer ory_st_x"}, &clients{}, false},
		"a session beside a token": {map[string]string{"Authorization": "Bearer hlt_x", "X-Session-Token": "y"}, &clients{}, false},
		"a cookie":                 {map[string]string{"Cookie": "ory_kratos_session=hlt_x"}, &clients{}, false},
		"no clients here":          {map[string]string{"Authorization": "Bearer hlt_x"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := server()
			e.Clients = tt.clients
			request := httptest.NewRequest(http.MethodGet, "/x", nil)
			for key, value := range tt.headers {
				request.Header.Set(key, value)
			}
			answer(t, request, func(c *gin.Context) {
				if got := e.IsClient(c); got != tt.want {
					t.Errorf("got %t", got)
				}
			})
		})
	}
}
