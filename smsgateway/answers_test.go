package smsgateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func newServer(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s
}

func retryAfter(value string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", value)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func redirect(w http.ResponseWriter, r *http.Request, _ int) {
	http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
}

// halfAnAnswer promises more than it sends.
func halfAnAnswer(w http.ResponseWriter, _ *http.Request, _ int) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte(`{"id":"a"`))
}

// garbage answers what is no HTTP.
func garbage(w http.ResponseWriter, _ *http.Request, _ int) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("220 " + code + " to " + number + "\r\n"))
	_ = conn.Close()
}
