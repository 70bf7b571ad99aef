package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
)

// logged serves one request and returns the line that the log has of it.
func logged(t *testing.T, access bool, method, target string, header ...string) map[string]any {
	t.Helper()
	e, log := server(), new(bytes.Buffer)
	e.AccessLog, e.Log = access, slog.New(web.LogHandler{Handler: slog.NewJSONHandler(log, nil)})
	looks := 0
	e.MonotonicNow = func() time.Time { looks++; return time.Unix(0, 0).Add(time.Duration(looks) * 1500 * time.Microsecond) }
	e.Clients, e.Sessions = &clients{}, sessions{}
	engine, err := e.Engine()
	if err != nil {
		t.Fatal(err)
	}
	engine.GET("/claims/:id", func(c *gin.Context) {
		_, _ = e.Client(c)
		c.Status(http.StatusNoContent)
	})
	engine.GET("/me", func(c *gin.Context) {
		_, _ = e.Owner(c)
		c.Status(http.StatusNoContent)
	})
	engine.GET("/hook", func(c *gin.Context) {
		e.SetActor(c, "kratos", "")
		panic("broken")
	})
	request := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	engine.ServeHTTP(httptest.NewRecorder(), request)
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		var members map[string]any
		if json.Unmarshal([]byte(line), &members) == nil && members["msg"] == "request" {
			delete(members, "time")
			return members
		}
	}
	return nil
}

func TestTheAccessLogSaysWhatWasAskedAndByWhom(t *testing.T) {
	for name, tt := range map[string]struct {
		method, target string
		header         []string
		want           map[string]any
	}{
		"a client": {
			http.MethodGet, "/claims/+491711111111?code=123456",
			[]string{"Authorization", "Bearer hlt_good"},
			map[string]any{"method": "GET", "route": "/claims/:id", "status": 204., "actor": "client", "actor_id": "okta"},
		},
		"an owner": {
			http.MethodGet, "/me",
			[]string{"X-Session-Token", "good"},
			map[string]any{"method": "GET", "route": "/me", "status": 204., "actor": "owner", "actor_id": "bob"},
		},
		"nobody who is known": {
			http.MethodGet, "/me",
			[]string{"X-Session-Token", "bad"},
			map[string]any{"method": "GET", "route": "/me", "status": 204.},
		},
		"a panic, and who has no id": {
			http.MethodGet, "/hook", nil,
			map[string]any{"method": "GET", "route": "/hook", "status": 500., "actor": "kratos"},
		},
		"what a client makes up": {
			"MAKEUP", "/+491711111111", nil,
			map[string]any{"method": "other", "route": "", "status": 404.},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := logged(t, true, tt.method, tt.target, append(tt.header, "X-Request-Id", "r1")...)
			tt.want["level"], tt.want["msg"], tt.want["request_id"], tt.want["duration_seconds"] = "INFO", "request", "r1", 0.0015
			if len(got) != len(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			for member, want := range tt.want {
				if got[member] != want {
					t.Errorf("%s: got %v, want %v", member, got[member], want)
				}
			}
		})
	}
}

func TestTheAccessLogIsOffUnlessItIsAskedFor(t *testing.T) {
	if line := logged(t, false, http.MethodGet, "/me"); line != nil {
		t.Errorf("got %v", line)
	}
}

// sessions know one token.
type sessions struct{ web.Sessions }

func (sessions) Session(_ context.Context, _, token string) (claim.Caller, error) {
	if token != "good" {
		return claim.Caller{}, auth.ErrNoSession
	}
	return claim.Caller{IdentityID: "bob"}, nil
}
