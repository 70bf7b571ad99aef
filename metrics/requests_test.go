package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
)

// serve answers requests on two listeners of which one has routes.
func (m meter) serve() http.Handler {
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.Use(m.Requests("public"))
	engine.GET("/claims/:id", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	engine.POST("/fail", func(c *gin.Context) { c.Status(http.StatusServiceUnavailable) })
	return engine
}

func (m meter) ask(handler http.Handler, method, path string) {
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(m.Context(), method, path, nil))
}

func TestRequestsAreCountedByTheTemplateOfTheirRoute(t *testing.T) {
	m := newMeter(t)
	handler := m.serve()
	for range 2 {
		m.ask(handler, http.MethodGet, "/claims/+491711111111")
		m.ask(handler, http.MethodPost, "/fail")
		m.ask(handler, http.MethodGet, "/+491711111111")
		m.ask(handler, "BREW", "/pot")
		m.ask(handler, "MAKEUP", "/pot")
	}
	total, took := "holdline_http_requests_total", "holdline_http_request_duration_seconds"
	m.want(2, total, "listener", "public", "method", "GET", "route", "/claims/:id", "status", "2xx")
	m.want(2, total, "listener", "public", "method", "POST", "route", "/fail", "status", "5xx")
	m.want(2, total, "listener", "public", "method", "GET", "route", "unmatched", "status", "4xx")
	m.want(4, total, "listener", "public", "method", "other", "route", "unmatched", "status", "4xx")
	m.want(2, took, "listener", "public", "method", "GET", "route", "/claims/:id")
	for _, metric := range m.families()[took].GetMetric() {
		if h := metric.GetHistogram(); h.GetSampleSum() < 0.0099*float64(h.GetSampleCount()) {
			t.Errorf("%v requests took %v s, want 10 ms each", h.GetSampleCount(), h.GetSampleSum())
		}
	}
}

func TestRequestsAtTheSameTimeAreAllCounted(t *testing.T) {
	m := newMeter(t)
	handler := m.serve()
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() { m.ask(handler, http.MethodGet, "/claims/1"); m.ask(handler, http.MethodGet, "/none") })
	}
	clients.Wait()
	m.want(20, "holdline_http_requests_total", "listener", "public", "method", "GET", "route", "/claims/:id", "status", "2xx")
	m.want(20, "holdline_http_requests_total", "listener", "public", "method", "GET", "route", "unmatched", "status", "4xx")
}

// What is counted of a request costs it no memory.
func TestCountingTakesNoMemory(t *testing.T) {
	m := newMeter(t)
	count, none := m.Requests("public"), gin.CreateTestContextOnly(httptest.NewRecorder(), gin.New())
	none.Request = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if got := testing.AllocsPerRun(100, func() { count(none) }); got != 0 {
		t.Errorf("%v allocations for a request", got)
	}
}
