package double

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Kratos is both APIs of an Ory Kratos v1.3, as far as Holdline calls them while
// numbers are changed; the way in is [Kratos.Save].
type Kratos struct {
	Hooks Hooks

	routes   http.ServeMux
	calls    atomic.Int64
	mu       sync.RWMutex
	people   map[string]Identity // by id
	sessions map[string]session  // by token
}

type session struct {
	identityID      string
	authenticatedAt time.Time
}

// NewKratos returns a Kratos without identities. It serves both APIs.
func NewKratos() *Kratos {
	k := &Kratos{people: map[string]Identity{}, sessions: map[string]session{}}
	k.routes.HandleFunc("GET /sessions/whoami", k.whoami)
	k.routes.HandleFunc("GET /admin/identities", k.list)
	k.routes.HandleFunc("GET /admin/identities/{id}", k.read)
	k.routes.HandleFunc("PATCH /admin/identities/{id}", k.patch)
	k.routes.HandleFunc("GET /schemas", k.schemas)
	k.routes.HandleFunc("GET /schemas/{id}", k.schema)
	return k
}

// ServeHTTP answers as Kratos.
func (k *Kratos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.calls.Add(1)
	k.routes.ServeHTTP(w, r)
}

// Calls returns how many requests were made.
func (k *Kratos) Calls() int64 { return k.calls.Load() }

// Add makes an identity with a verified number, and a session of its own.
func (k *Kratos) Add(id, token, mobile string, signedIn time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.people[id] = newIdentity(id, mobile)
	k.sessions[token] = session{id, signedIn}
}

// Remove forgets an identity and its session.
func (k *Kratos) Remove(id, token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.people, id)
	delete(k.sessions, token)
}

// Identity returns an identity as it is stored; false if there is none.
func (k *Kratos) Identity(id string) (Identity, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	found, ok := k.people[id]
	return found, ok
}

func (k *Kratos) whoami(w http.ResponseWriter, r *http.Request) {
	k.mu.RLock()
	s, ok := k.sessions[r.Header.Get("X-Session-Token")]
	person := k.people[s.identityID]
	k.mu.RUnlock()
	if !ok {
		refuse(w, http.StatusUnauthorized)
		return
	}
	answer(w, map[string]any{
		"id": s.identityID, "active": true, "authenticated_at": s.authenticatedAt, "issued_at": s.authenticatedAt,
		"expires_at": s.authenticatedAt.Add(24 * time.Hour), "authenticator_assurance_level": "aal1", "identity": person,
	})
}

// list answers with everybody, or with who signs in by an identifier, on one page.
func (k *Kratos) list(w http.ResponseWriter, r *http.Request) {
	identifier := r.URL.Query().Get("credentials_identifier")
	found := []Identity{}
	k.mu.RLock()
	for _, person := range k.people {
		if identifier == "" || strings.EqualFold(identifier, person.Traits["username"]) {
			found = append(found, person)
		}
	}
	k.mu.RUnlock()
	slices.SortFunc(found, func(a, b Identity) int { return strings.Compare(a.ID, b.ID) })
	answer(w, found)
}

func (k *Kratos) read(w http.ResponseWriter, r *http.Request) {
	found, ok := k.Identity(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	answer(w, found)
}

// patch applies all operations or none.
func (k *Kratos) patch(w http.ResponseWriter, r *http.Request) {
	var operations []operation
	if json.NewDecoder(r.Body).Decode(&operations) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	changed, ok := k.people[r.PathValue("id")]
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	for _, o := range operations {
		if changed, ok = changed.apply(o); !ok {
			refuse(w, http.StatusBadRequest)
			return
		}
	}
	changed = changed.settled()
	k.people[changed.ID] = changed
	answer(w, changed)
}

func (k *Kratos) schemas(w http.ResponseWriter, _ *http.Request) {
	answer(w, []map[string]any{{"id": schemaID, "schema": json.RawMessage(schemaDocument)}})
}

func (k *Kratos) schema(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != schemaID {
		refuse(w, http.StatusNotFound)
		return
	}
	answer(w, json.RawMessage(schemaDocument))
}

// refuse answers with Kratos' form of an error.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	write(w, map[string]any{"error": map[string]any{"code": status, "message": http.StatusText(status)}})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	write(w, value)
}

// write ends the answer. That the client has gone is the client's affair.
func write(w http.ResponseWriter, value any) { _ = json.NewEncoder(w).Encode(value) }
