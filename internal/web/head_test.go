package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/web"
)

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	engine, err := server().Engine()
	if err != nil {
		t.Fatal(err)
	}
	engine.GET("/x", func(c *gin.Context) {
		c.Header("X-Kept", "yes")
		c.String(http.StatusTeapot, "a body")
	})
	for path, want := range map[string]int{"/x": http.StatusTeapot, "/nothing": http.StatusNotFound} {
		out := httptest.NewRecorder()
		web.Head(engine).ServeHTTP(out, httptest.NewRequest(http.MethodHead, path, nil))
		if out.Code != want || out.Body.Len() > 0 || (path == "/x") != (out.Header().Get("X-Kept") == "yes") {
			t.Errorf("%s: got %d %q %v", path, out.Code, out.Body, out.Header())
		}
	}
}

// Browsers are shown a page, programs the JSON of the user API; both get the headers of
// what must not be framed or guessed at.
func TestProblemsArePagesForBrowsers(t *testing.T) {
	e := server()
	e.ProblemPage = func(c *gin.Context, p web.Problem) { c.String(p.Status, "page "+p.Code) }
	engine, err := e.Engine()
	if err != nil {
		t.Fatal(err)
	}
	engine.GET("/broken", func(*gin.Context) { panic("x") })
	for accept, page := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true, "TEXT/HTML": true,
		"application/json, text/html": false, "application/json": false, "*/*": false, "": false,
	} {
		for _, tt := range []struct {
			method, path, code string
			status             int
		}{
			{http.MethodGet, "/nothing", "HLD-40400", http.StatusNotFound},
			{http.MethodPost, "/broken", "HLD-40501", http.StatusMethodNotAllowed},
			{http.MethodGet, "/broken", "HLD-50001", http.StatusInternalServerError},
		} {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.Header.Set("Accept", accept)
			out := httptest.NewRecorder()
			engine.ServeHTTP(out, r)
			want := `{"code":"` + tt.code + `"`
			if page {
				want = "page " + tt.code
			}
			header := out.Header()
			if out.Code != tt.status || len(out.Body.String()) < len(want) || out.Body.String()[:len(want)] != want {
				t.Errorf("%s %s for %q: got %d %s", tt.method, tt.path, accept, out.Code, out.Body)
			}
			if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") == "" ||
				header.Get("Vary") != "Accept" || header.Get("X-Request-Id") == "" {
				t.Errorf("%s %s: headers are missing: %v", tt.method, tt.path, header)
			}
		}
	}
}
