package wiring_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/uuid"
)

// schemaOfPeople has traits of the names that Holdline maps by itself, and the
// number as an address that can be verified.
const schemaOfPeople = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "properties": {"traits": {"type": "object", "properties": {
    "username": {"type": "string", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
    "email": {"type": "string", "ory.sh/kratos": {"verification": {"via": "email"}}},
    "name": {"type": "object", "properties": {"first": {"type": "string"}, "last": {"type": "string"}}},
    "display_name": {"type": "string"},
    "mobile": {"type": "string", "ory.sh/kratos": {"verification": {"via": "sms"}}}
  }}}
}`

// document is an identity in Kratos' form.
type document struct {
	ID             string         `json:"id"`
	SchemaID       string         `json:"schema_id"`
	State          string         `json:"state"`
	Traits         map[string]any `json:"traits"`
	MetadataPublic map[string]any `json:"metadata_public"`
	MetadataAdmin  map[string]any `json:"metadata_admin"`
	Addresses      []address      `json:"verifiable_addresses"`
	Credentials    map[string]any `json:"credentials,omitempty"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

type address struct {
	Value    string `json:"value"`
	Via      string `json:"via"`
	Status   string `json:"status"`
	Verified bool   `json:"verified"`
}

// mobile is the stored number, and whether it is marked verified.
func (d document) mobile() (number string, verified bool) {
	number, _ = d.Traits["mobile"].(string)
	for _, a := range d.Addresses {
		verified = verified || a.Via == "sms" && a.Value == number && a.Verified
	}
	return number, verified
}

// pending is the number that is shown as pending.
func (d document) pending() string {
	number, _ := d.MetadataPublic["pendingMobileNumber"].(string)
	return number
}

// settled is what Kratos makes of the addresses when it stores an identity: those
// that no trait has go, and a trait without one gets one that is not verified
// (docs/kratos.md, C).
func (d document) settled() document {
	var kept []address
	for trait, via := range map[string]string{"email": "email", "mobile": "sms"} {
		value, _ := d.Traits[trait].(string)
		if value == "" {
			continue
		}
		found := address{Value: value, Via: via, Status: "pending"}
		for _, a := range d.Addresses {
			if a.Value == value && a.Via == via {
				found = a
				break
			}
		}
		kept = append(kept, found)
	}
	d.Addresses = kept
	return d
}

// kratosDouble answers as both APIs of an Ory Kratos v1.3, with a clock of the
// test's. Everybody's session token is their user name, and has just been proved.
type kratosDouble struct {
	now    func() time.Time
	routes http.ServeMux

	mu     sync.Mutex
	people map[string]document // by id
	byName map[string]string   // ids by user name in small letters
}

func newKratosDouble(now func() time.Time) *kratosDouble {
	k := &kratosDouble{now: now, people: map[string]document{}, byName: map[string]string{}}
	k.routes.HandleFunc("GET /sessions/whoami", k.whoami)
	k.routes.HandleFunc("GET /admin/identities", k.list)
	k.routes.HandleFunc("POST /admin/identities", k.create)
	k.routes.HandleFunc("GET /admin/identities/{id}", k.read)
	k.routes.HandleFunc("PATCH /admin/identities/{id}", k.patch)
	k.routes.HandleFunc("DELETE /admin/identities/{id}/sessions", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	k.routes.HandleFunc("GET /schemas", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, []map[string]any{{"id": "default", "schema": json.RawMessage(schemaOfPeople)}})
	})
	k.routes.HandleFunc("GET /schemas/default", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, json.RawMessage(schemaOfPeople))
	})
	return k
}

func (k *kratosDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) { k.routes.ServeHTTP(w, r) }

// named returns the identity of a user name.
func (k *kratosDouble) named(name string) (document, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.people[k.byName[strings.ToLower(name)]]
	return found, ok
}

// store keeps an identity as Kratos would.
func (k *kratosDouble) store(d document) document {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.put(d)
}

// put is store for who holds the lock.
func (k *kratosDouble) put(d document) document {
	d = d.settled()
	d.UpdatedAt = k.now()
	k.people[d.ID] = d
	if name, ok := d.Traits["username"].(string); ok {
		k.byName[strings.ToLower(name)] = d.ID
	}
	return d
}

func (k *kratosDouble) whoami(w http.ResponseWriter, r *http.Request) {
	person, ok := k.named(r.Header.Get("X-Session-Token"))
	if !ok || person.State != "active" {
		refuse(w, http.StatusUnauthorized)
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"id": person.ID, "active": true, "authenticated_at": k.now(), "issued_at": k.now(),
		"expires_at": k.now().Add(24 * time.Hour), "authenticator_assurance_level": "aal1", "identity": person,
	})
}

func (k *kratosDouble) list(w http.ResponseWriter, r *http.Request) {
	found := []document{}
	if name := r.URL.Query().Get("credentials_identifier"); name != "" {
		if person, ok := k.named(name); ok {
			found = append(found, person)
		}
	} else {
		k.mu.Lock()
		for _, person := range k.people {
			found = append(found, person)
		}
		k.mu.Unlock()
	}
	reply(w, http.StatusOK, found)
}

func (k *kratosDouble) create(w http.ResponseWriter, r *http.Request) {
	d := document{State: "active"}
	if json.NewDecoder(r.Body).Decode(&d) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	d.ID, d.SchemaID, d.CreatedAt, d.Credentials = uuid.NewString(), "default", k.now(), nil
	name, _ := d.Traits["username"].(string)
	if _, taken := k.named(name); taken {
		refuse(w, http.StatusConflict)
		return
	}
	reply(w, http.StatusCreated, k.store(d))
}

func (k *kratosDouble) read(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	found, ok := k.people[r.PathValue("id")]
	k.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, found)
}

// patch applies all operations of a JSON patch (RFC 6902), or none.
func (k *kratosDouble) patch(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, ok := k.people[r.PathValue("id")]
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	after, err := patched(before, r)
	if err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	reply(w, http.StatusOK, k.put(after))
}

func patched(before document, r *http.Request) (document, error) {
	var after document
	text, err := json.Marshal(before)
	if err != nil {
		return after, err
	}
	var patch jsonpatch.Patch
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		return after, err
	}
	options := jsonpatch.NewApplyOptions()
	options.EnsurePathExistsOnAdd = true // as Kratos does
	if text, err = patch.ApplyWithOptions(text, options); err != nil {
		return after, err
	}
	return after, json.Unmarshal(text, &after)
}

func refuse(w http.ResponseWriter, status int) {
	reply(w, status, map[string]any{"error": map[string]any{"code": status, "message": http.StatusText(status)}})
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // that the client has gone is its own affair
}
