package web_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func server() *web.Server {
	return &web.Server{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, NewID: func() string { return "made-here" },
	}
}

func answer(t *testing.T, request *http.Request, handler gin.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	engine, err := server().Engine()
	if err != nil {
		t.Fatal(err)
	}
	engine.GET("/x", handler)
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, request)
	return recorder
}

func TestUnplannedErrorsAndPanicsSayNothing(t *testing.T) {
	for name, handler := range map[string]gin.HandlerFunc{
		"error": func(c *gin.Context) { server().Fail(c, errors.New("the secret")) },
		"panic": func(*gin.Context) { panic("the secret") },
	} {
		t.Run(name, func(t *testing.T) {
			got := answer(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil), handler)
			if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "secret") ||
				!strings.Contains(got.Body.String(), "HLD-50001") {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
		})
	}
}

func TestLimitsSayWhenTheyEnd(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		90 * time.Second: "90", 1500 * time.Millisecond: "2", 0: "1", -time.Hour: "1",
	} {
		got := answer(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil), func(c *gin.Context) {
			server().Fail(c, &problem.LimitError{Reason: claim.ErrTooSoon, Until: now.Add(wait)})
		})
		if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != want {
			t.Errorf("%v: got %d, Retry-After %q, want %q", wait, got.Code, got.Header().Get("Retry-After"), want)
		}
	}
}

// Whoever is told to try again is told when, and whoever went away is no error of ours.
func TestOutagesSayWhenToTryAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		leave  bool
		status int
	}{
		"store":         {problem.ErrStoreUnavailable, false, http.StatusServiceUnavailable},
		"Kratos":        {claim.ErrDirectoryAway, false, http.StatusServiceUnavailable},
		"lease":         {claim.ErrLeased, false, http.StatusServiceUnavailable},
		"time is over":  {fmt.Errorf("look: %w", context.DeadlineExceeded), false, http.StatusServiceUnavailable},
		"caller left":   {fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, context.Canceled), true, web.StatusClientClosed},
		"left unasked":  {context.Canceled, true, web.StatusClientClosed},
		"a fault of us": {errors.New("no such table"), false, http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var log strings.Builder
			got := answer(t, httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil), func(c *gin.Context) {
				if tt.leave {
					cancel()
				}
				e := server()
				e.Log = slog.New(slog.NewTextHandler(&log, nil))
				e.Fail(c, tt.err)
			})
			if got.Code != tt.status {
				t.Errorf("got %d, want %d", got.Code, tt.status)
			}
			if after := got.Header().Get("Retry-After"); (after != "") != (tt.status == http.StatusServiceUnavailable) {
				t.Errorf("got Retry-After %q with %d", after, got.Code)
			}
			if logged := strings.Contains(log.String(), "level=ERROR"); logged == tt.leave {
				t.Errorf("logged as an error: %v", logged)
			}
		})
	}
}

// A handler's context ends before the listener closes the connection, but on routes
// that bound their own time.
func TestRequestsHaveTheirTime(t *testing.T) {
	for path, bounded := range map[string]bool{"/usual": true, "/long": false} {
		e := server()
		e.Unbounded = []string{"/long"}
		engine, err := e.Engine()
		if err != nil {
			t.Fatal(err)
		}
		var got bool
		engine.GET(path, func(c *gin.Context) { _, got = c.Request.Context().Deadline() })
		engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if got != bounded {
			t.Errorf("%s has a deadline: %v, want %v", path, got, bounded)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	for given, want := range map[string]string{"": "made-here", "abc-123": "abc-123", "evil\tid": "made-here", strings.Repeat("x", 65): "made-here"} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
		request.Header.Set("X-Request-Id", given)
		got := answer(t, request, func(c *gin.Context) { server().Fail(c, claim.ErrWrongCode) })
		if id := got.Header().Get("X-Request-Id"); id != want || !strings.Contains(got.Body.String(), `"traceId":"`+want+`"`) {
			t.Errorf("%q: got %q in %s, want %q", given, id, got.Body, want)
		}
	}
}

func TestUnknownRoutesAndMethodsAnswerInJSON(t *testing.T) {
	for path, want := range map[string]string{"/y": "HLD-40400", "/x": "HLD-40501"} {
		got := answer(t, httptest.NewRequest(http.MethodPost, path, nil), func(*gin.Context) {})
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s: got %d %s", path, got.Code, got.Body)
		}
	}
}
