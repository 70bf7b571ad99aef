package scimbridge_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/scimbridge"
)

// timed is a connection that tells until when it may be written to.
type timed struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (t *timed) SetWriteDeadline(until time.Time) error {
	t.until = append(t.until, until)
	return nil
}

// A client that stops to read holds nothing for ever.
func TestALongAnswerHasAnEnd(t *testing.T) {
	w := newWorld(t)
	id := w.group("Tellers", w.user("a"))
	bulk := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "DELETE", "path": "/Users/nobody"}]}`
	for _, path := range []string{"/Groups", "/Groups/" + id, "/Bulk"} {
		method, body := http.MethodGet, ""
		if path == "/Bulk" {
			method, body = http.MethodPost, bulk
		}
		r := httptest.NewRequestWithContext(t.Context(), method, scimbridge.Path+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+okta)
		r.Header.Set("Content-Type", "application/scim+json")
		connection := &timed{ResponseRecorder: httptest.NewRecorder()}
		before := time.Now()
		w.server.Config.Handler.ServeHTTP(connection, r)
		if connection.Code != http.StatusOK || len(connection.until) != 1 {
			t.Fatalf("%s: status %d, %d deadlines", path, connection.Code, len(connection.until))
		}
		if given := connection.until[0].Sub(before); given < time.Minute || given > 10*time.Minute {
			t.Errorf("%s: may take %v", path, given)
		}
	}
}
