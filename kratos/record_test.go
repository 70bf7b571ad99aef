package kratos_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/kratos"
)

// draft is an identity with a bit of everything.
func draft(t *testing.T) scim.Draft {
	t.Helper()
	return scim.Draft{
		SchemaID: "person", State: scim.Active, Password: "correct horse battery",
		Traits:         map[string]any{"email": email(), "mobile": number(t).Unmasked()},
		MetadataPublic: map[string]any{"shown": "yes", "empty": nil},
		MetadataAdmin: map[string]any{"scim": map[string]any{
			"big": json.Number("12345678901234567890"), "exact": json.Number("1.10"), "list": []any{"a", json.Number("1")}, "html": "<&>",
		}},
	}
}

func create(t *testing.T, d *kratos.Client, draft scim.Draft) scim.Record {
	t.Helper()
	made, err := d.Create(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// whole compares records but for the times, and the addresses' order.
var whole = cmp.Options{
	cmpopts.IgnoreFields(scim.Record{}, "CreatedAt", "UpdatedAt"),
	cmpopts.SortSlices(func(a, b scim.Address) bool { return a.Value < b.Value }),
}

func TestARecordReadsBackAsItWasMade(t *testing.T) {
	requireKratos(t)
	d, wanted := open(t, shared, nil), draft(t)
	made := create(t, d, wanted)
	want := scim.Record{
		ID: made.ID, SchemaID: "person", State: scim.Active,
		Traits: wanted.Traits, MetadataPublic: wanted.MetadataPublic, MetadataAdmin: wanted.MetadataAdmin, HasPassword: true,
		Addresses: []scim.Address{
			{Value: wanted.Traits["email"].(string), Via: "email", Status: "pending"},
			{Value: wanted.Traits["mobile"].(string), Via: "sms", Status: "pending"},
		},
	}
	read, err := d.Record(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	found, err := d.FindByIdentifier(t.Context(), strings.ToUpper(wanted.Traits["email"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]scim.Record{"made": made, "read": read, "found": found} {
		if diff := cmp.Diff(want, got, whole); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got.CreatedAt.IsZero() || got.UpdatedAt.IsZero() {
			t.Errorf("%s: no times: %v, %v", name, got.CreatedAt, got.UpdatedAt)
		}
	}
	if shared.signIn(t, wanted.Traits["email"].(string), wanted.Password) == "" {
		t.Error("the password does not open")
	}
}

func TestInactiveFromTheStart(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	made := create(t, d, scim.Draft{SchemaID: "person", State: scim.Inactive, Traits: map[string]any{"email": email()}})
	if made.State != scim.Inactive || made.MetadataAdmin != nil || made.MetadataPublic != nil || made.Addresses == nil {
		t.Errorf("got %+v", made)
	}
}

func TestRecordsRefused(t *testing.T) {
	requireKratos(t)
	d, other := open(t, shared, nil), draft(t)
	create(t, d, other)
	const secret = "Hxyzzy"
	for name, tt := range map[string]struct {
		change   func(*scim.Draft)
		pointers []string // nil for taken
	}{
		"somebody's e-mail":  {func(w *scim.Draft) { w.Traits["email"] = other.Traits["email"] }, nil},
		"somebody's number":  {func(w *scim.Draft) { w.Traits["mobile"] = other.Traits["mobile"] }, nil},
		"no number":          {func(w *scim.Draft) { w.Traits["mobile"] = secret }, []string{"#/traits/mobile"}},
		"two at once":        {func(w *scim.Draft) { w.Traits["mobile"], w.Traits["email"] = secret, secret }, []string{"#/traits/email", "#/traits/mobile"}},
		"lines in a value":   {func(w *scim.Draft) { w.Traits["mobile"] = "x\n I[#/" + secret + "] S[#/x] no" }, []string{"#/traits/mobile"}},
		"missing":            {func(w *scim.Draft) { delete(w.Traits, "email") }, []string{"#/traits/email"}},
		"unknown":            {func(w *scim.Draft) { w.Traits[secret] = secret }, []string{"#/traits"}},
		"unknown state":      {func(w *scim.Draft) { w.State = secret }, []string{}},
		"unknown schema":     {func(w *scim.Draft) { w.SchemaID = secret }, []string{}},
		"password too long":  {func(w *scim.Draft) { w.Password = strings.Repeat(secret, 20) }, []string{"#/password"}},
		"referred to schema": {func(w *scim.Draft) { w.SchemaID, w.Traits["mobile"] = "member", secret }, []string{"#/traits/mobile"}},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := draft(t)
			tt.change(&wanted)
			_, err := d.Create(t.Context(), wanted)
			wantRefusal(t, err, tt.pointers)
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells a value: %v", err)
			}
			if address, _ := wanted.Traits["email"].(string); tt.pointers != nil {
				if found, err := d.FindByIdentifier(t.Context(), address); !errors.Is(err, claim.ErrNoIdentity) {
					t.Errorf("found %+v, %v", found, err)
				}
			}
		})
	}
}

// wantRefusal wants a violation at these pointers, or with nil a conflict.
func wantRefusal(t *testing.T, err error, pointers []string) {
	t.Helper()
	violation := (*scim.ViolationError)(nil)
	switch {
	case pointers == nil:
		if !errors.Is(err, scim.ErrTaken) {
			t.Errorf("got %v, want %v", err, scim.ErrTaken)
		}
	case !errors.As(err, &violation):
		t.Errorf("got %v, want a violation", err)
	default:
		if diff := cmp.Diff(pointers, violation.Pointers, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
}

// setPassword gives an identity a password as SCIM does.
func setPassword(t *testing.T, d *kratos.Client, id, text string, more ...scim.Operation) {
	t.Helper()
	set, err := d.Password(record(t, d, id), text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Change(t.Context(), id, append(more, set)); err != nil {
		t.Fatal(err)
	}
}

// A password goes in one PATCH with whatever else is changed, a name to sign in by
// among it.
func TestAPasswordGoesWithOtherChanges(t *testing.T) {
	requireKratos(t)
	way := watch(t, shared)
	d := open(t, way.server, nil)
	id := shared.add(t, person{email: email(), password: "correct horse battery"})
	mail := email()
	setPassword(t, d, id, "staple, staple, staple", scim.Operation{Op: scim.Replace, Path: "/traits/email", Value: mail})
	if shared.signIn(t, mail, "staple, staple, staple") == "" {
		t.Error("the password does not open")
	}
	if n, puts := len(way.seen(http.MethodPatch, "/")), len(way.seen(http.MethodPut, "/")); n != 1 || puts != 0 {
		t.Errorf("%d PATCHes and %d PUTs, want one PATCH", n, puts)
	}
}

// Kratos takes any text in a hash's place, and the account opens to nobody any more.
func TestOnlyHashesOfOursAreWritten(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	p := person{email: email(), password: "correct horse battery"}
	id := shared.add(t, p)
	for _, path := range []string{"/credentials", "/credentials/password", "/credentials/password/config", "/credentials/password/config/hashed_password", "/credentials/oidc"} {
		for _, value := range []any{"staple, staple", map[string]any{"hashed_password": "staple"}, nil} {
			for _, op := range []scim.Op{scim.Add, scim.Replace, scim.Remove} {
				if _, err := d.Change(t.Context(), id, []scim.Operation{{Op: op, Path: path, Value: value}}); err == nil {
					t.Errorf("%s %s %v was written", op, path, value)
				}
			}
		}
	}
	if shared.signIn(t, p.email, p.password) == "" {
		t.Error("the password does not open any more")
	}
}

// Kratos v26.2 keeps what this client library does not know.
func TestAPasswordLeavesWhatIsNotKnown(t *testing.T) {
	id := uuid.NewString()
	var bodies []string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+string(body))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"`+id+`","schema_id":"person","external_id":"hr-17","organization_id":"6d2f0f0e-6c0b-4b3e-9a53-0d6c2f4d2f11",
			"state":"active","traits":{"email":"anna@holdline.test"},"credentials":{"password":{"type":"password","identifiers":["anna@holdline.test"],"version":0}}}`)
	}))
	t.Cleanup(upstream.Close)
	d := open(t, &server{public: upstream.URL, admin: upstream.URL}, nil)
	setPassword(t, d, id, "correct horse battery")
	if len(bodies) != 2 || !strings.HasPrefix(bodies[1], "PATCH ") || strings.Contains(bodies[1], "external_id") || strings.Contains(bodies[1], "traits") {
		t.Errorf("Kratos was sent %q", bodies)
	}
}

// Of the sessions one may be kept: that of who set the password.
func TestOtherSessionsEnd(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	p := person{email: email(), password: "correct horse battery"}
	id := shared.add(t, p)
	var tokens []string
	for range 3 {
		tokens = append(tokens, shared.signIn(t, p.email, p.password))
	}
	own, err := d.Session(t.Context(), "", tokens[1])
	if err != nil || own.SessionID == "" {
		t.Fatalf("got %+v, %v", own, err)
	}
	for range 2 { // the second time there is no other
		if err := d.EndOtherSessions(t.Context(), id, own.SessionID); err != nil {
			t.Error(err)
		}
		for i, token := range tokens {
			want := auth.ErrNoSession
			if i == 1 {
				want = nil
			}
			if _, err := d.Session(t.Context(), "", token); !errors.Is(err, want) {
				t.Errorf("session %d: got %v, want %v", i, err, want)
			}
		}
	}
	if err := d.EndOtherSessions(t.Context(), id, ""); err != nil || shared.sessions(t, id) != 0 {
		t.Errorf("%d sessions go on, %v", shared.sessions(t, id), err)
	}
}

func TestAPasswordIsSetAndNothingElse(t *testing.T) {
	requireKratos(t)
	for name, schema := range map[string]string{"person": "person", "number is a sign-in code": "member"} {
		t.Run(name, func(t *testing.T) {
			d, p := open(t, shared, nil), person{schema: schema, email: email(), mobile: number(t).Unmasked(), verified: true, pending: "+8613711112222"}
			p.emailVerified = schema == "person"
			id := shared.add(t, p)
			if _, err := d.Change(t.Context(), id, []scim.Operation{{Op: scim.Add, Path: "/metadata_admin", Value: draft(t).MetadataAdmin}}); err != nil {
				t.Fatal(err)
			}
			before, identifiers := record(t, d, id), shared.identifiers(t, id)
			for _, password := range []string{"correct horse battery", "staple, staple, staple"} {
				setPassword(t, d, id, password)
				if shared.signIn(t, p.email, password) == "" {
					t.Error("the password does not open")
				}
			}
			if diff := cmp.Diff(before, record(t, d, id), whole); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(identifiers, shared.identifiers(t, id)); diff != "" {
				t.Error(diff)
			}
			if _, err := d.Login(t.Context(), p.email, "correct horse battery"); !errors.Is(err, auth.ErrNoSession) {
				t.Errorf("the old password: got %v", err)
			}
			if got := shared.sessions(t, id); got != 2 {
				t.Errorf("%d sessions go on, want 2", got)
			}
			for _, bad := range []string{"", strings.Repeat("x", 73)} {
				_, err := d.Password(before, bad)
				wantRefusal(t, err, []string{"#/password"})
			}
			if shared.signIn(t, p.email, "staple, staple, staple") == "" {
				t.Error("a refused password closed the account")
			}
		})
	}
}

func TestAPasswordCostsAsMuchAsKratosOwn(t *testing.T) {
	d := open(t, &server{public: "http://kratos.test", admin: "http://kratos.test"}, func(o *kratos.Options) { o.PasswordCost = 0 })
	operation, err := d.Password(scim.Record{HasPassword: true}, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := json.Marshal(operation.Value)
	if err != nil || !strings.HasPrefix(string(hash), `"$2a$12$`) {
		t.Errorf("got %.8s…, %v", hash, err)
	}
}

// identifiers are those of all kinds of credentials.
func (s *server) identifiers(t *testing.T, id string) map[string][]string {
	t.Helper()
	var found struct {
		Credentials map[string]struct{ Identifiers []string }
	}
	send(t, http.MethodGet, s.admin+"/admin/identities/"+id, nil, &found)
	list := map[string][]string{}
	for kind, c := range found.Credentials {
		list[kind] = c.Identifiers
	}
	return list
}

func record(t *testing.T, d *kratos.Client, id string) scim.Record {
	t.Helper()
	found, err := d.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSessionsEndAndIdentitiesGo(t *testing.T) {
	requireKratos(t)
	d, wanted := open(t, shared, nil), draft(t)
	id := create(t, d, wanted).ID
	for range 2 {
		shared.signIn(t, wanted.Traits["email"].(string), wanted.Password)
	}
	for range 2 { // the second time there is none
		if err := d.EndSessions(t.Context(), id); err != nil {
			t.Error(err)
		}
		if got := shared.sessions(t, id); got != 0 {
			t.Errorf("%d sessions go on", got)
		}
	}
	if err := d.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	for _, gone := range []string{id, uuid.NewString(), "", "../sessions", id + "/sessions"} {
		for name, call := range map[string]func() error{
			"Record": func() error { _, err := d.Record(t.Context(), gone); return err },
			"Change": func() error {
				_, err := d.Change(t.Context(), gone, []scim.Operation{{Op: scim.Replace, Path: "/state", Value: scim.Active}})
				return err
			},
			"Delete": func() error { return d.Delete(t.Context(), gone) },
		} {
			if err := call(); !errors.Is(err, claim.ErrNoIdentity) {
				t.Errorf("%s %q: got %v", name, gone, err)
			}
		}
		if err := d.EndSessions(t.Context(), gone); err != nil {
			t.Errorf("end sessions of %q: %v", gone, err)
		}
	}
}
