package kratostest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// Identity is an identity in Kratos' form
// (https://www.ory.sh/docs/kratos/reference/api#tag/identity). A value is never changed
// once it is stored.
type Identity struct {
	ID             string         `json:"id"`
	SchemaID       string         `json:"schema_id"`
	State          string         `json:"state"`
	Traits         map[string]any `json:"traits"`
	MetadataPublic map[string]any `json:"metadata_public"`
	MetadataAdmin  map[string]any `json:"metadata_admin"`
	Addresses      []Address      `json:"verifiable_addresses"`
	Credentials    map[string]any `json:"credentials,omitempty"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

// Address is a verifiable address.
type Address struct {
	Value    string `json:"value"`
	Via      string `json:"via"`
	Status   string `json:"status"`
	Verified bool   `json:"verified"`
}

// Mobile is the stored number, and whether it is marked verified.
func (i Identity) Mobile() (number string, verified bool) {
	number, _ = i.Traits["mobile"].(string)
	for _, a := range i.Addresses {
		verified = verified || a.Via == "sms" && a.Value == number && a.Verified
	}
	return number, verified
}

// Pending is the number that is shown as pending, or blank.
func (i Identity) Pending() string {
	number, _ := i.MetadataPublic["pendingMobileNumber"].(string)
	return number
}

// settled is what Kratos makes of the addresses when it stores an identity: those
// that no trait has go, and a trait without one gets one that is not verified
// (docs/kratos.md, C).
func (i Identity) settled() Identity {
	var kept []Address
	for _, of := range [][2]string{{"email", "email"}, {"mobile", "sms"}} {
		value, _ := i.Traits[of[0]].(string)
		if value == "" {
			continue
		}
		found := Address{Value: value, Via: of[1], Status: "pending"}
		if at := slices.IndexFunc(i.Addresses, func(a Address) bool { return a.Value == value && a.Via == of[1] }); at >= 0 {
			found = i.Addresses[at]
		}
		kept = append(kept, found)
	}
	i.Addresses = kept
	return i
}

// Double answers as both APIs of an Ory Kratos v1.3, from memory. Everybody's session
// token is their user name, and has just been proved. It stands in where a real Kratos
// is too slow, or must take the test's clock. What Kratos itself does is a matter of the
// end-to-end tests.
type Double struct {
	now    func() time.Time
	routes http.ServeMux
	calls  atomic.Int64

	mu     sync.RWMutex
	people map[string]stored // by id
	byName map[string]string // ids by user name in small letters
}

// stored is an identity, and how it is answered.
type stored struct {
	Identity
	text []byte
}

// NewDouble returns a Kratos without identities. It serves both APIs.
func NewDouble(now func() time.Time) *Double {
	d := &Double{now: now, people: map[string]stored{}, byName: map[string]string{}}
	d.routes.HandleFunc("GET /sessions/whoami", d.whoami)
	d.routes.HandleFunc("GET /admin/identities", d.list)
	d.routes.HandleFunc("POST /admin/identities", d.create)
	d.routes.HandleFunc("GET /admin/identities/{id}", d.read)
	d.routes.HandleFunc("PATCH /admin/identities/{id}", d.patch)
	d.routes.HandleFunc("DELETE /admin/identities/{id}/sessions", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	d.routes.HandleFunc("GET /schemas", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, []byte(`[{"id":"default","schema":`+schemaOfPeople+`}]`))
	})
	d.routes.HandleFunc("GET /schemas/default", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, []byte(schemaOfPeople))
	})
	return d
}

// ServeHTTP answers as Kratos.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.calls.Add(1)
	d.routes.ServeHTTP(w, r)
}

// Calls returns how many requests were made.
func (d *Double) Calls() int64 { return d.calls.Load() }

// Identity returns an identity; false if there is none of this id.
func (d *Double) Identity(id string) (Identity, bool) {
	found, ok := d.byID(id)
	return found.Identity, ok
}

// Named returns the identity of a user name; false if there is none.
func (d *Double) Named(name string) (Identity, bool) {
	found, ok := d.named(name)
	return found.Identity, ok
}

func (d *Double) byID(id string) (stored, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.people[id]
	return found, ok
}

func (d *Double) named(name string) (stored, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.people[d.byName[strings.ToLower(name)]]
	return found, ok
}

// Store keeps an identity as Kratos would, and returns what it made of it.
func (d *Double) Store(i Identity) Identity {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.put(i).Identity
}

// put is [Double.Store] for who holds the lock.
func (d *Double) put(i Identity) stored {
	i = i.settled()
	i.UpdatedAt = d.now()
	text, err := json.Marshal(i)
	if err != nil {
		panic(err) // traits came as JSON
	}
	kept := stored{i, text}
	d.people[i.ID] = kept
	if name, ok := i.Traits["username"].(string); ok {
		d.byName[strings.ToLower(name)] = i.ID
	}
	return kept
}

// Remove forgets an identity.
func (d *Double) Remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name, _ := d.people[id].Traits["username"].(string)
	delete(d.byName, strings.ToLower(name))
	delete(d.people, id)
}

// Hook posts a body to a path of Holdline's admin listener, and returns the answer.
type Hook func(path string, body []byte) (status int, said []byte, err error)

// SaveForm puts a number through a settings flow: the stage hook, whose answer is
// stored, then the activate hook. The bodies are those that the jsonnet of
// `holdline kratos-config` makes.
func (d *Double) SaveForm(hook Hook, id, flow, number string) error {
	before, ok := d.Identity(id)
	if !ok {
		return fmt.Errorf("there is no identity %s", id)
	}
	old, _ := before.Mobile()
	traits := maps.Clone(before.Traits)
	traits["mobile"] = number
	issued := d.now().UTC() // the flow
	said, err := post(hook, "/hooks/settings/stage", http.StatusOK, map[string]any{
		"identity_id": id, "flow_id": flow, "flow_issued_at": issued, "schema_id": before.SchemaID,
		"old_mobile": orNull(old), "new_mobile": number, "pending_mobile": orNull(before.Pending()),
		"traits": traits, "metadata_public": before.MetadataPublic, "verifiable_addresses": before.Addresses,
		"authenticated_at": nil, "language": "en", // Kratos v1.3 does not tell hooks when the session was proved
	})
	if err != nil {
		return err
	}
	var staged struct{ Identity Identity }
	if err := json.Unmarshal(said, &staged); err != nil {
		return err
	}
	after := before
	after.Traits, after.MetadataPublic = staged.Identity.Traits, staged.Identity.MetadataPublic
	if staged.Identity.Addresses != nil {
		after.Addresses = staged.Identity.Addresses
	}
	after = d.Store(after)
	shown, _ := after.Mobile()
	_, err = post(hook, "/hooks/settings/activate", http.StatusNoContent, map[string]any{
		"identity_id": id, "flow_id": flow, "flow_issued_at": issued, "language": "en",
		"new_mobile": orNull(shown), "pending_mobile": orNull(after.Pending()),
	})
	return err
}

func post(hook Hook, path string, want int, body map[string]any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	status, said, err := hook(path, text)
	if err == nil && status != want {
		err = fmt.Errorf("%s: status %d: %s", path, status, said)
	}
	return said, err
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (d *Double) whoami(w http.ResponseWriter, r *http.Request) {
	person, ok := d.named(r.Header.Get("X-Session-Token"))
	if !ok || person.State != "active" {
		refuse(w, http.StatusUnauthorized)
		return
	}
	now := d.now().UTC()
	answer(w, http.StatusOK, fmt.Appendf(nil, `{"id":%q,"active":true,"authenticated_at":%[2]q,"issued_at":%[2]q,"expires_at":%[3]q,`+
		`"authenticator_assurance_level":"aal1","identity":%[4]s}`,
		person.ID, now.Format(time.RFC3339Nano), now.Add(24*time.Hour).Format(time.RFC3339Nano), person.text))
}

// list answers with everybody, or with who signs in by an identifier, on one page.
func (d *Double) list(w http.ResponseWriter, r *http.Request) {
	found := []json.RawMessage{}
	if name := r.URL.Query().Get("credentials_identifier"); name != "" {
		if person, ok := d.named(name); ok {
			found = append(found, person.text)
		}
	} else {
		d.mu.RLock()
		for _, id := range slices.Sorted(maps.Keys(d.people)) {
			found = append(found, d.people[id].text)
		}
		d.mu.RUnlock()
	}
	text, err := json.Marshal(found)
	if err != nil {
		panic(err) // it is JSON
	}
	answer(w, http.StatusOK, text)
}

func (d *Double) create(w http.ResponseWriter, r *http.Request) {
	i := Identity{State: "active"}
	if json.NewDecoder(r.Body).Decode(&i) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	i.ID, i.SchemaID, i.CreatedAt, i.Credentials = uuid.NewString(), "default", d.now(), nil
	name, _ := i.Traits["username"].(string)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.byName[strings.ToLower(name)]; taken {
		refuse(w, http.StatusConflict)
		return
	}
	answer(w, http.StatusCreated, d.put(i).text)
}

func (d *Double) read(w http.ResponseWriter, r *http.Request) {
	found, ok := d.byID(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	answer(w, http.StatusOK, found.text)
}

// patch applies all operations of a JSON patch (RFC 6902), or none.
func (d *Double) patch(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, ok := d.people[r.PathValue("id")]
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	after, err := patched(before.text, r)
	if err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	answer(w, http.StatusOK, d.put(after).text)
}

func patched(before []byte, r *http.Request) (after Identity, err error) {
	var patch jsonpatch.Patch
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		return after, err
	}
	options := jsonpatch.NewApplyOptions()
	options.EnsurePathExistsOnAdd = true // as Kratos does
	text, err := patch.ApplyWithOptions(before, options)
	if err != nil {
		return after, err
	}
	return after, json.Unmarshal(text, &after)
}

// refuse answers with Kratos' form of an error.
func refuse(w http.ResponseWriter, status int) {
	answer(w, status, fmt.Appendf(nil, `{"error":{"code":%d,"message":%q}}`, status, http.StatusText(status)))
}

func answer(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // that the client has gone is its own affair
}
