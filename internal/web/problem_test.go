package web_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
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

// Each kind of failure has its status, its code and its line of the log. Whoever is told
// to try again is told when, and whoever has left is told nothing.
func TestFailuresAreToldApart(t *testing.T) {
	over := fmt.Errorf("look: %w", context.DeadlineExceeded)
	for name, tt := range map[string]struct {
		err    error
		leave  bool
		status int
		code   string
		level  string
	}{
		"caller left":           {fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, context.Canceled), true, 499, "", ""},
		"caller left, our bug":  {errors.New("odd"), true, 499, "", ""},
		"time is over":          {over, false, 503, "HLD-50301", "WARN"},
		"time is over, store":   {fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, over), false, 503, "HLD-50301", "WARN"},
		"store":                 {fmt.Errorf("%w: deadlock", problem.ErrStoreUnavailable), false, 503, "HLD-50301", "ERROR"},
		"lost race":             {claim.ErrConcurrentUpdate, false, 503, "HLD-50303", "WARN"},
		"lease":                 {claim.ErrLeased, false, 503, "HLD-50303", "WARN"},
		"misconfigured":         {problem.Misconfigured(errors.New("no table"), "run `holdline migrate up`"), false, 500, "HLD-50002", "ERROR"},
		"Kratos":                {fmt.Errorf("read: %w", claim.ErrIdentitiesUnavailable), false, 503, "HLD-50302", "WARN"},
		"caller's fault":        {claim.ErrWrongCode, false, 400, "18001", ""},
		"caller's fault, limit": {&problem.LimitError{Reason: claim.ErrTooSoon, Until: now}, false, 429, "HLD-42901", ""},
		"unlisted":              {errors.New("odd"), false, 500, "HLD-50001", "ERROR"},
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
			if got.Code != tt.status || !strings.Contains(got.Body.String(), `"code":"`+tt.code+`"`) && tt.code != "" || tt.leave && got.Body.Len() > 0 {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, tt.status, tt.code)
			}
			if after := got.Header().Get("Retry-After"); (after != "") != (tt.status == 503 || tt.status == 429) {
				t.Errorf("got Retry-After %q with %d", after, got.Code)
			}
			if tt.level == "" && log.Len() > 0 || !strings.Contains(log.String(), "level="+tt.level) && tt.level != "" {
				t.Errorf("got %q, want %q", log.String(), tt.level)
			}
			if misconfigured := (*problem.MisconfiguredError)(nil); errors.As(tt.err, &misconfigured) && !strings.Contains(log.String(), misconfigured.Mend) {
				t.Errorf("the log does not say what to do: %s", log.String())
			}
		})
	}
}

// A caller hangs up in the middle of a body, or while an answer is being made. Both are
// seen by a real server and its connections.
func TestWhoeverHangsUpIsNoErrorOfOurs(t *testing.T) {
	for name, tt := range map[string]struct{ length, body string }{
		"in the middle of the body":   {"100", `{"code":"1`},
		"while the answer is awaited": {"2", "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			began, status := make(chan struct{}), make(chan int, 1)
			var log strings.Builder
			e := server()
			e.Log = slog.New(slog.NewTextHandler(&log, nil))
			e.Middleware = []gin.HandlerFunc{func(c *gin.Context) {
				c.Next()
				status <- c.Writer.Status()
			}}
			engine, err := e.Engine()
			if err != nil {
				t.Fatal(err)
			}
			engine.POST("/x", func(c *gin.Context) {
				close(began)
				err := web.ReadJSON(c.Writer, c.Request, &struct{ Code string }{}, true)
				if err == nil {
					<-c.Request.Context().Done()
					err = fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, c.Request.Context().Err())
				}
				e.Fail(c, err)
			})
			listener := httptest.NewServer(engine)
			defer listener.Close()
			caller, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(caller, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s", tt.length, tt.body); err != nil {
				t.Fatal(err)
			}
			<-began
			if err := caller.Close(); err != nil {
				t.Fatal(err)
			}
			if got := <-status; got != web.StatusClientClosed {
				t.Errorf("got %d, want %d", got, web.StatusClientClosed)
			}
			if log.Len() > 0 {
				t.Errorf("logged %s", log.String())
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
