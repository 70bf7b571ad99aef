package double

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FakeKratos is a Kratos with as many identities as one likes, for SCIM. Each is made
// from its number whenever somebody asks for it; only those that were changed are
// kept.
type FakeKratos struct {
	n      int
	routes http.ServeMux

	mu      sync.RWMutex
	changed map[int]Member
}

// Member is an identity of a [FakeKratos] in Kratos' form. A value is never changed
// once it is stored.
type Member struct {
	ID             string         `json:"id"`
	SchemaID       string         `json:"schema_id"`
	State          string         `json:"state"`
	Traits         map[string]any `json:"traits"`
	MetadataPublic map[string]any `json:"metadata_public"`
	MetadataAdmin  map[string]any `json:"metadata_admin"`
	Addresses      []Address      `json:"verifiable_addresses"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

// Client is the SCIM client whose external ids the members have.
const Client = "okta"

// fakeSchema has traits of the names that Holdline maps by itself.
const fakeSchema = `{
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

// MemberID is the id of a number. The ids of neighbours are far apart.
func MemberID(i int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i)*2654435761, i) //nolint:gosec // a hash
}

// Username is what a number signs in by.
func Username(i int) string { return "user" + strconv.Itoa(i) }

// ExternalID is what [Client] calls a number.
func ExternalID(i int) string { return "ext-" + strconv.Itoa(i) }

// NewMember is the identity of a number before anybody changed it.
func NewMember(i int) Member {
	email, mobile := Username(i)+"@example.com", fmt.Sprintf("+49151%08d", i)
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	first, last := fmt.Sprint("Given", i%211), fmt.Sprint("Family", i%5003)
	return Member{
		ID: MemberID(i), SchemaID: schemaID, State: "active",
		Traits: map[string]any{
			"username": Username(i), "email": email, trait: mobile, "display_name": first + " " + last,
			"name": map[string]any{"first": first, "last": last},
		},
		MetadataPublic: map[string]any{},
		MetadataAdmin:  map[string]any{"scim_external_ids": map[string]any{Client: ExternalID(i)}},
		Addresses: []Address{
			{Value: email, Via: "email", Status: "completed", Verified: true},
			{Value: mobile, Via: "sms", Status: "completed", Verified: true},
		},
		CreatedAt: made, UpdatedAt: made,
	}
}

// NewFakeKratos returns a Kratos with the identities 0 to n. It serves both APIs.
func NewFakeKratos(n int) *FakeKratos {
	c := &FakeKratos{n: n, changed: map[int]Member{}}
	c.routes.HandleFunc("GET /admin/identities", c.find)
	c.routes.HandleFunc("GET /admin/identities/{id}", c.read)
	c.routes.HandleFunc("PATCH /admin/identities/{id}", c.patch)
	c.routes.HandleFunc("GET /schemas", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []map[string]any{{"id": schemaID, "schema": json.RawMessage(fakeSchema)}})
	})
	c.routes.HandleFunc("GET /schemas/"+schemaID, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, json.RawMessage(fakeSchema))
	})
	return c
}

// ServeHTTP answers as Kratos.
func (c *FakeKratos) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.routes.ServeHTTP(w, r) }

// Changed returns how many identities are not as they were made.
func (c *FakeKratos) Changed() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.changed)
}

// number finds the number of an id.
func (c *FakeKratos) number(id string) (int, bool) {
	i, err := strconv.ParseInt(id[strings.LastIndexByte(id, '-')+1:], 16, 32)
	return int(i), err == nil && i >= 0 && int(i) < c.n && strings.EqualFold(id, MemberID(int(i)))
}

// member returns an identity as it is now. The caller holds the lock.
func (c *FakeKratos) member(i int) Member {
	if changed, ok := c.changed[i]; ok {
		return changed
	}
	return NewMember(i)
}

func (c *FakeKratos) read(w http.ResponseWriter, r *http.Request) {
	i, ok := c.number(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	c.mu.RLock()
	found := c.member(i)
	c.mu.RUnlock()
	answer(w, found)
}

// find lists who signs in by an identifier. Everybody is not listed: nothing that
// is measured asks for that, and to refuse deletes nobody from the index.
func (c *FakeKratos) find(w http.ResponseWriter, r *http.Request) {
	identifier := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("credentials_identifier")))
	if identifier == "" {
		refuse(w, http.StatusNotImplemented)
		return
	}
	found := []Member{}
	text, _ := strings.CutPrefix(identifier, "user")
	if i, err := strconv.Atoi(text); err == nil && i >= 0 && i < c.n && Username(i) == identifier {
		c.mu.RLock()
		found = append(found, c.member(i))
		c.mu.RUnlock()
	}
	answer(w, found)
}

// patch applies all operations or none.
func (c *FakeKratos) patch(w http.ResponseWriter, r *http.Request) {
	i, ok := c.number(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	var operations []operation
	if json.NewDecoder(r.Body).Decode(&operations) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := c.member(i)
	for _, o := range operations {
		if changed, ok = changed.apply(o); !ok {
			refuse(w, http.StatusBadRequest)
			return
		}
	}
	c.changed[i] = changed
	answer(w, changed)
}

// apply returns the identity after one operation on traits or metadata; false if
// Kratos would refuse it, or if it is none that is measured.
func (m Member) apply(o operation) (Member, bool) {
	steps := strings.Split(strings.TrimPrefix(o.Path, "/"), "/")
	roots := map[string]*map[string]any{
		"traits": &m.Traits, "metadata_public": &m.MetadataPublic, "metadata_admin": &m.MetadataAdmin,
	}
	root, ok := roots[steps[0]]
	if !ok || len(steps) < 2 || slices.Contains(steps, "") || strings.Contains(o.Path, "~") {
		return m, false
	}
	var value any
	if o.Op != "remove" && json.Unmarshal(o.Value, &value) != nil {
		return m, false
	}
	*root, ok = with(*root, steps[1:], o.Op, value)
	return m, ok
}

// with returns a copy of an object in which one member is set or gone.
func with(object map[string]any, steps []string, op string, value any) (map[string]any, bool) {
	object = maps.Clone(object)
	if object == nil {
		object = map[string]any{}
	}
	old, there := object[steps[0]]
	switch {
	case len(steps) > 1:
		inner, isObject := old.(map[string]any)
		changed, ok := with(inner, steps[1:], op, value)
		object[steps[0]] = changed
		return object, ok && (isObject || !there && op == "add")
	case op == "add", op == "replace" && there:
		object[steps[0]] = value
		return object, true
	case op == "remove" && there:
		delete(object, steps[0])
		return object, true
	}
	return object, false
}
