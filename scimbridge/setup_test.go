package scimbridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/cursor"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/scimstore"
	"github.com/holdline/holdline/scimbridge"
)

const (
	base       = "https://id.example.com"
	enterprise = scim.EnterpriseSchema
	m0         = "+491710000000"
	m1         = "+491711111111"
)

// Tokens that the bridge knows, by what they are for.
const (
	okta      = "token-of-okta"  // privileged, reads and writes
	entra     = "token-of-entra" // the same, another client
	reader    = "token-of-a-reader"
	writer    = "token-of-a-writer"
	mistyped  = "hlt_no-such-token"
	noSession = "no-such-session"
)

// identities is a Kratos in memory: users.Directory and claim.Identities. E-mail
// addresses and numbers are unique, as identifiers and addresses are there.
type identities struct {
	mu        sync.Mutex
	records   map[string]scim.Record
	passwords map[string]string
	ended     []string // whose sessions were ended
	reads     int
	changes   int
	made      int
}

func (d *identities) Record(_ context.Context, id string) (scim.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	return d.record(id)
}

func (d *identities) record(id string) (scim.Record, error) {
	r, ok := d.records[id]
	if !ok {
		return scim.Record{}, claim.ErrNoIdentity
	}
	return copied(r), nil
}

// copied is a record that shares nothing with another one.
func copied(r scim.Record) scim.Record {
	r.Traits, r.MetadataPublic, r.MetadataAdmin = object(r.Traits), object(r.MetadataPublic), object(r.MetadataAdmin)
	r.Addresses = slices.Clone(r.Addresses)
	return r
}

func object(members map[string]any) map[string]any {
	if members == nil {
		return nil
	}
	return scim.CloneObject(members)
}

// save keeps a record unless somebody else has its address or number.
func (d *identities) save(r scim.Record) (scim.Record, error) {
	for _, other := range d.records {
		for _, trait := range []string{"email", "mobile"} {
			if v := r.Traits[trait]; other.ID != r.ID && v != nil && v != "" && v == other.Traits[trait] {
				return scim.Record{}, scim.ErrTaken
			}
		}
	}
	number, _ := r.Traits["mobile"].(string)
	r.Addresses = slices.DeleteFunc(r.Addresses, func(a scim.Address) bool { return a.Via == "sms" && a.Value != number })
	if number != "" && len(r.Addresses) == 0 {
		r.Addresses = []scim.Address{{Value: number, Via: "sms", Status: "pending"}}
	}
	d.records[r.ID] = copied(r)
	return r, nil
}

func (d *identities) Create(_ context.Context, draft scim.Draft) (scim.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made++
	r, err := d.save(scim.Record{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", d.made), SchemaID: "default", State: scim.Active, Traits: draft.Traits,
		MetadataPublic: draft.MetadataPublic, MetadataAdmin: draft.MetadataAdmin,
		CreatedAt: noon.Add(time.Duration(d.made)*time.Second - time.Hour), UpdatedAt: noon.Add(time.Duration(d.made)*time.Second - time.Hour),
	})
	if draft.State != "" {
		r.State = draft.State
		d.records[r.ID] = copied(r)
	}
	if err == nil && draft.Password != "" {
		d.passwords[r.ID] = draft.Password
	}
	return r, err
}

func (d *identities) Change(_ context.Context, id string, operations []scim.Operation) (scim.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.record(id)
	if err != nil {
		return r, err
	}
	roots := map[string]any{
		"traits": orEmpty(r.Traits), "metadata_public": orEmpty(r.MetadataPublic), "metadata_admin": orEmpty(r.MetadataAdmin), "state": r.State,
	}
	for _, o := range operations {
		if set, ok := o.Value.(newPassword); ok {
			d.passwords[id] = string(set)
			continue
		}
		if !put(roots, strings.Split(strings.TrimPrefix(o.Path, "/"), "/"), o) {
			return scim.Record{}, claim.ErrChangedElsewhere
		}
	}
	r.Traits, _ = roots["traits"].(map[string]any)
	r.MetadataPublic, _ = roots["metadata_public"].(map[string]any)
	r.MetadataAdmin, _ = roots["metadata_admin"].(map[string]any)
	r.State, _ = roots["state"].(string)
	d.changes++
	return d.save(r)
}

func orEmpty(members map[string]any) map[string]any {
	if members == nil {
		return map[string]any{}
	}
	return members
}

// put makes one operation of a JSON patch, as Kratos does.
func put(in map[string]any, path []string, o scim.Operation) bool {
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(path[0])
	if len(path) == 1 {
		if o.Op != scim.Remove {
			in[name] = o.Value
			return true
		}
		_, there := in[name]
		delete(in, name)
		return there
	}
	if in[name] == nil && o.Op != scim.Remove {
		in[name] = map[string]any{}
	}
	inner, ok := in[name].(map[string]any)
	return ok && put(inner, path[1:], o)
}

func (d *identities) Delete(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.record(id); err != nil {
		return err
	}
	delete(d.records, id)
	return nil
}

func (d *identities) FindByIdentifier(_ context.Context, identifier string) (scim.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	for _, r := range d.records {
		if email, _ := r.Traits["email"].(string); strings.EqualFold(email, identifier) {
			return copied(r), nil
		}
	}
	return scim.Record{}, claim.ErrNoIdentity
}

// refusedPassword is one that the directory does not take.
const refusedPassword = "no such password"

// newPassword is what a test's directory makes of a password.
type newPassword string

func (d *identities) Password(_ scim.Record, text string) (scim.Operation, error) {
	if text == refusedPassword {
		return scim.Operation{}, &scim.ViolationError{Pointers: []string{"#/password"}}
	}
	return scim.Operation{Op: scim.Add, Path: "/credentials/password", Value: newPassword(text)}, nil
}

func (d *identities) EndOtherSessions(_ context.Context, id, keep string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, strings.TrimSuffix(id+" but "+keep, " but "))
	return nil
}

func (d *identities) EndSessions(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, id)
	return nil
}

func (d *identities) Identity(ctx context.Context, id string) (claim.Identity, error) {
	r, err := d.Record(ctx, id)
	i := claim.Identity{ID: id}
	i.Mobile, _ = r.Traits["mobile"].(string)
	i.Pending, _ = r.MetadataPublic["pendingMobileNumber"].(string)
	i.Verified = slices.ContainsFunc(r.Addresses, func(a scim.Address) bool { return a.Value == i.Mobile && a.Verified })
	return i, err
}

func (d *identities) ApplyNumber(ctx context.Context, id string, number phone.Number, _ bool) error {
	_, err := d.Change(ctx, id, []scim.Operation{
		{Op: scim.Remove, Path: "/metadata_public/pendingMobileNumber"},
		{Op: scim.Add, Path: "/traits/mobile", Value: number.Unmasked()},
	})
	if err == nil {
		d.verify(id)
	}
	return err
}

// verify marks somebody's number as verified.
func (d *identities) verify(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.records[id].Addresses {
		d.records[id].Addresses[i].Verified = true
	}
}

func (d *identities) Write(ctx context.Context, id string, number phone.Number) error {
	write := scim.Operation{Op: scim.Add, Path: "/traits/mobile", Value: number.Unmasked()}
	if number.IsZero() {
		write = scim.Operation{Op: scim.Remove, Path: "/traits/mobile"}
	}
	_, err := d.Change(ctx, id, []scim.Operation{write})
	return err
}

func (d *identities) ShowPending(ctx context.Context, id string, number phone.Number) error {
	_, err := d.Change(ctx, id, []scim.Operation{{Op: scim.Add, Path: "/metadata_public/pendingMobileNumber", Value: number.Unmasked()}})
	return err
}

func (d *identities) ClearPending(ctx context.Context, id string) error {
	_, err := d.Change(ctx, id, []scim.Operation{{Op: scim.Remove, Path: "/metadata_public/pendingMobileNumber"}})
	return err
}

func (d *identities) CodeIdentifier(context.Context, string) (bool, error) { return false, nil }

// sessions know a session for every identity: its token is the id. Passwords are
// those that were set.
type sessions struct {
	*identities
	now func() time.Time
}

func (s sessions) Session(_ context.Context, _, token string) (claim.Caller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, old := strings.CutPrefix(token, "old-")
	if _, ok := s.records[id]; !ok {
		return claim.Caller{}, auth.ErrNoSession
	}
	if old {
		return claim.Caller{IdentityID: id, AuthenticatedAt: s.now().Add(-time.Hour)}, nil
	}
	return claim.Caller{IdentityID: id, SessionID: "session of " + id, AuthenticatedAt: s.now()}, nil
}

func (s sessions) Login(_ context.Context, user, password string) (claim.Caller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.records {
		if r.Traits["email"] == user && s.passwords[id] == password && password != "" {
			return claim.Caller{IdentityID: id, AuthenticatedAt: s.now()}, nil
		}
	}
	return claim.Caller{}, auth.ErrNoSession
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// world is a bridge on a server, and what is behind it.
type world struct {
	*testing.T
	url    string
	kratos *identities
	server *httptest.Server
	store  *storetest.Store
	claims *claim.Service
	index  *scimstore.Index
	groups *groups.Service
	db     *database.DB
	codes  *otp.Codes

	mu    sync.Mutex
	now   time.Time
	ids   int
	texts []message.Text
}

// options of a world.
type options struct {
	mode scim.Mode
	// always says that numbers are verified whether it is asked for or not.
	always bool
	// named leaves userName to a trait that Kratos does not keep apart.
	named bool
	// building leaves the index without a pass over all identities.
	building bool
	// skip leaves out clients' numbers that cannot be read.
	skip bool
	// keep denies the removal of numbers.
	keep bool
	// everybody has privileged clients' numbers verified, too.
	everybody bool
	// db has claims and the index; nil for an index in a database of its own, and claims
	// in memory.
	db *database.DB
}

const schema = `{"properties": {"traits": {"type": "object", "required": ["email"], "properties": {
	"email": {"type": "string"}, "nick": {"type": "string"}, "mobile": {"type": "string"},
	"name": {"type": "object", "properties": {"first": {"type": "string"}, "last": {"type": "string"}}}}}}}`

func newWorld(t *testing.T, with ...options) *world {
	t.Helper()
	var o options
	if len(with) > 0 {
		o = with[0]
	}
	db := o.db
	if db == nil {
		db = databasetest.Migrated(t, databasetest.SQLite(t))
	}
	w := &world{T: t, now: noon, db: db, kratos: &identities{records: map[string]scim.Record{}, passwords: map[string]string{}}}
	log, plan := slog.New(slog.DiscardHandler), phone.Parser{Format: phone.FormatE164}
	resource := scim.User(scim.Enterprise())
	var kept map[string]any
	if err := json.Unmarshal([]byte(schema), &kept); err != nil {
		t.Fatal(err)
	}
	rules := []mapping.Rule{
		{Path: "userName", Trait: "email"},
		{Path: "emails.value", Trait: "email"},
		{Path: "name.givenName", Trait: "name.first"},
		{Path: "name.familyName", Trait: "name.last"},
	}
	if o.named {
		rules[0].Trait = "nick"
	}
	codes, err := otp.New([]string{strings.Repeat("secret", 8)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	w.codes = codes
	removal := claim.RemovalAllow
	if o.keep {
		removal = claim.RemovalDeny
	}
	w.store = storetest.NewStore()
	var store claim.Store = w.store
	if o.db != nil {
		store = persistence.NewStore(db)
	}
	claims := claim.New(claim.Options{
		Store: store, Identities: w.kratos, Codes: codes, Plan: plan, Now: w.Now, NewID: w.newID, Log: log,
		Policy: func() claim.Policy {
			return claim.Policy{
				Enabled: true, VerifyAlways: o.always, Validity: 5 * time.Minute, Removal: removal, Resend: claim.ResendNew,
				Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour, SessionAge: 15 * time.Minute,
				VerifyPrivileged: o.everybody, Coverage: phone.Restrictions{Denied: []string{"881"}},
			}
		},
		Jitter: func(d time.Duration) time.Duration { return d },
		Send: func(text message.Text) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.texts = append(w.texts, text)
		},
	})
	w.claims = claims
	w.index = scimstore.New(db)
	if !o.building {
		if err := w.index.Passed(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
	}
	var gone func(context.Context, string, audit.Actor) error
	service := users.NewService(users.Options{
		Gone:      func(ctx context.Context, id string, who audit.Actor) error { return gone(ctx, id, who) },
		Directory: w.kratos, Claims: claims, Index: w.index, PasswordMinLength: 8,
		Catalogue: users.NewCatalogue(users.CatalogueOptions{
			Schemas: func(context.Context) (map[string]map[string]any, error) {
				return map[string]map[string]any{"default": kept}, nil
			},
			Rules: rules, Now: w.Now,
			Mapping: mapping.Options{
				Resource: resource, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
				Same: func(a, b string) bool { return phone.ParseStored(plan, a).Same(phone.ParseStored(plan, b)) },
			},
		}),
		Resource: resource, Mode: o.mode, Plan: plan, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
		PrivilegedKey: "holdline_privileged", SkipNumbers: o.skip, OwnersMayNot: []string{"active", "externalId", "roles", enterprise}, Now: w.Now, Log: log,
	})
	server := &web.Server{
		Log: log, Now: w.Now, NewID: w.newID, Sessions: sessions{w.kratos, w.Now}, Clients: clients(t, w.Now, log),
		Privileged: func(ctx context.Context, id string) (bool, error) {
			record, err := w.kratos.Record(ctx, id)
			return record.MetadataAdmin["holdline_privileged"] == true, err
		},
	}
	w.groups = groups.NewService(groups.Options{
		Store: scimstore.NewGroups(db, persistence.Record, true), Users: service, Mode: o.mode, Now: w.Now,
		NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err },
	})
	gone = w.groups.Gone
	cursors, err := cursor.New([]string{"a secret of a key ring, long enough"})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := scimbridge.New(server, scimbridge.Options{
		Cursors: cursors, CursorTimeout: time.Hour, Users: service, Groups: w.groups, Resource: resource, Mode: o.mode, BaseURL: base,
		MaxResults: 20, DefaultResults: 10, BulkOperations: 5, BulkBytes: 4096,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	w.url = w.server.URL + scimbridge.Path
	return w
}

func clients(t *testing.T, now func() time.Time, log *slog.Logger) *auth.Authenticator {
	t.Helper()
	read, write := []auth.Scope{auth.ScopeSCIMRead}, []auth.Scope{auth.ScopeSCIMWrite}
	var tokens []auth.Token
	for text, scopes := range map[string][]auth.Scope{okta: append(read, write...), entra: append(read, write...), provisioner: append(read, write...), reader: read, writer: write} {
		name := text[strings.LastIndex(text, "-")+1:]
		token, err := auth.NewToken(name, auth.DigestToken(text), scopes, text == okta || text == entra, noon)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	return auth.New(auth.Options{Configured: tokens, Now: now, Log: log})
}

// Now is a clock that goes on a moment whenever it is read.
func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

// pass lets time go by, and the worker do what is due then.
func (w *world) pass(d time.Duration) {
	w.Helper()
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	for {
		done, err := w.claims.RunDue(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if done == 0 {
			return
		}
	}
}

func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("%032x", w.ids)
}

// answer is what came back, with its body read as JSON where it has one.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	text   string
	body   map[string]any
}

// as sends a request for whom a bearer token is of; blank for nobody. Headers are
// names and values in turn.
func (w *world) as(token, method, path, body string, headers ...string) answer {
	w.Helper()
	a, err := w.try(token, method, path, body, headers...)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// try is as, for goroutines.
func (w *world) try(token, method, path, body string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := w.server.Client().Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	a := answer{t: w.T, status: response.StatusCode, header: response.Header, text: string(text)}
	if err == nil && len(text) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(text))
		err = decoder.Decode(&a.body)
	}
	return a, err
}

// want expects a status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("got %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

// refused expects an error in SCIM's form; a blank kind expects no scimType.
func (a answer) refused(status int, kind string) answer {
	a.t.Helper()
	a.want(status)
	scimType, _ := a.body["scimType"].(string)
	if !reflect.DeepEqual(a.body["schemas"], []any{"urn:ietf:params:scim:api:messages:2.0:Error"}) ||
		a.body["status"] != fmt.Sprint(status) || a.body["detail"] == "" || a.body["detail"] == nil || scimType != kind {
		a.t.Errorf("got %s, want an error with scimType %q", a.text, kind)
	}
	a.shows("Content-Type", "application/scim+json; charset=utf-8")
	return a
}

// shows expects a header; blank for none.
func (a answer) shows(header, value string) answer {
	a.t.Helper()
	if got := a.header.Get(header); got != value {
		a.t.Errorf("%s: got %q, want %q", header, got, value)
	}
	return a
}

// at follows names into the body.
func (a answer) at(names ...string) any {
	var value any = a.body
	for _, name := range names {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

// is expects a value in the body; nil for none.
func (a answer) is(want any, names ...string) answer {
	a.t.Helper()
	if got := a.at(names...); !reflect.DeepEqual(got, want) {
		a.t.Errorf("%s: got %v, want %v", strings.Join(names, "."), got, want)
	}
	return a
}

// members expects the body to have these members and no others.
func (a answer) members(names ...string) answer {
	a.t.Helper()
	if got := slices.Sorted(maps.Keys(a.body)); !slices.Equal(got, slices.Sorted(slices.Values(names))) {
		a.t.Errorf("got the members %v, want %v", got, names)
	}
	return a
}

func (a answer) id() string {
	id, _ := a.body["id"].(string)
	return id
}

// names are the user names of a list.
func (a answer) names() string {
	a.t.Helper()
	resources, ok := a.body["Resources"].([]any)
	if !ok {
		a.t.Errorf("Resources is no list: %s", a.text)
	}
	var found []string
	for _, r := range resources {
		members, _ := r.(map[string]any)
		name, _ := members["userName"].(string)
		found = append(found, strings.TrimSuffix(name, "@example.com"))
	}
	return strings.Join(found, " ")
}

// user makes a user and returns the id. More is further members.
func (w *world) user(name string, more ...string) string {
	w.Helper()
	return w.as(okta, http.MethodPost, "/Users", `{"userName": "`+name+`@example.com"`+strings.Join(append([]string{""}, more...), ", ")+`}`).want(http.StatusCreated).id()
}

// ops is the body of a PATCH.
func ops(operations ...string) string {
	return `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [` + strings.Join(operations, ", ") + `]}`
}

// set is an operation that replaces what is at a path.
func set(path, value string) string {
	return fmt.Sprintf(`{"op": "replace", "path": %q, "value": %q}`, path, value)
}

func mobile(number string) string {
	return `"phoneNumbers": [{"type": "mobile", "value": "` + number + `"}]`
}
