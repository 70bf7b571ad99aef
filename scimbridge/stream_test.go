package scimbridge_test

import (
	"net/http"
	"net/http/httptest"
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
func TestAnAnswerThatIsStreamedHasAnEnd(t *testing.T) {
	w := newWorld(t)
	id := w.group("Tellers", w.user("a"))
	for _, path := range []string{"/Groups", "/Groups/" + id} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, scimbridge.Path+path, nil)
		r.Header.Set("Authorization", "Bearer "+okta)
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
