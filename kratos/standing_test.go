package kratos_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/auth"
)

// operation is one of a JSON Patch.
func operation(op, path string, value any) any {
	return map[string]any{"op": op, "path": path, "value": value}
}

// What was right once is remembered, and is worth nothing any more as soon as
// anything that it stood on has changed in Kratos, whoever changed it and how.
func TestARememberedPasswordEndsWithWhatItStandsOn(t *testing.T) {
	requireKratos(t)
	const next = "battery staple"
	patch := func(t *testing.T, id string, operations ...any) {
		t.Helper()
		send(t, http.MethodPatch, shared.admin+"/admin/identities/"+id, operations, nil)
	}
	hash := func(t *testing.T, password string) string {
		t.Helper()
		var list []struct {
			Credentials map[string]struct{ Config map[string]string }
		}
		p := person{email: email(), password: password}
		shared.add(t, p)
		send(t, http.MethodGet, shared.admin+"/admin/identities?include_credential=password&credentials_identifier="+p.email, nil, &list)
		return list[0].Credentials["password"].Config["hashed_password"]
	}
	for name, tt := range map[string]struct {
		end  func(t *testing.T, p person, id string)
		next bool // there is a new password, which opens
	}{
		"made inactive": {func(t *testing.T, _ person, id string) {
			t.Helper()
			patch(t, id, operation("replace", "/state", "inactive"))
		}, false},
		"deleted": {func(t *testing.T, _ person, id string) {
			t.Helper()
			send(t, http.MethodDelete, shared.admin+"/admin/identities/"+id, nil, nil)
		}, false},
		"another password by form": {func(t *testing.T, p person, _ string) {
			t.Helper()
			var flow struct{ UI struct{ Action string } }
			as := "X-Session-Token: " + shared.signIn(t, p.email, p.password)
			sendAs(t, as, http.MethodGet, shared.public+"/self-service/settings/api", nil, &flow)
			sendAs(t, as, http.MethodPost, flow.UI.Action, map[string]any{"method": "password", "password": next}, nil)
		}, true},
		"another password by PUT": {func(t *testing.T, p person, id string) {
			t.Helper()
			send(t, http.MethodPut, shared.admin+"/admin/identities/"+id, map[string]any{
				"schema_id": "person", "state": "active", "traits": map[string]any{"email": p.email},
				"credentials": map[string]any{"password": map[string]any{"config": map[string]any{"password": next}}},
			}, nil)
		}, true},
		"another password by its hash": {func(t *testing.T, _ person, id string) {
			t.Helper()
			patch(t, id, operation("replace", "/credentials/password/config/hashed_password", hash(t, next)))
		}, true},
		"another password after recovery": {func(t *testing.T, _ person, id string) {
			t.Helper()
			var code struct {
				Link string `json:"recovery_link"`
				Code string `json:"recovery_code"`
			}
			send(t, http.MethodPost, shared.admin+"/admin/recovery/code", map[string]any{"identity_id": id, "flow_type": "api"}, &code)
			_, flow, _ := strings.Cut(code.Link, "flow=")
			var recovered struct {
				Continue []struct {
					Token string `json:"ory_session_token"`
					Flow  struct{ ID string }
				} `json:"continue_with"`
			}

			send(t, http.MethodPost, shared.public+"/self-service/recovery?flow="+flow, map[string]any{"method": "code", "code": code.Code}, &recovered)
			as := ""
			for _, c := range recovered.Continue {
				if c.Token != "" {
					as = "X-Session-Token: " + c.Token
				}
				if c.Flow.ID != "" {
					flow = c.Flow.ID
				}
			}
			sendAs(t, as, http.MethodPost, shared.public+"/self-service/settings?flow="+flow,
				map[string]any{"method": "password", "password": next}, nil)
		}, true},
		"the password taken away": {func(t *testing.T, _ person, id string) {
			t.Helper()
			patch(t, id, operation("replace", "/credentials/password/config/hashed_password", ""))
		}, false},
		"another name": {func(t *testing.T, _ person, id string) {
			t.Helper()
			patch(t, id, operation("replace", "/traits/email", email()))
		}, false},
		"the name is somebody else's now": {func(t *testing.T, p person, id string) {
			t.Helper()
			patch(t, id, operation("replace", "/traits/email", email()))
			shared.add(t, person{email: p.email, password: next})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := personWithPassword(t)
			way := watch(t, shared)
			d := open(t, way.server, nil)
			var id string
			for range 2 {
				who, err := d.Login(t.Context(), p.email, p.password)
				if err != nil {
					t.Fatal(err)
				}
				id = who.IdentityID
			}
			if n := len(way.seen(http.MethodPost, loginPath)); n != 1 {
				t.Fatalf("Kratos compared %d times, want once", n)
			}
			tt.end(t, p, id)
			if who, err := d.Login(t.Context(), p.email, p.password); !errors.Is(err, auth.ErrNoSession) {
				t.Errorf("the old password: got %v, %v, want %v", who.IdentityID, err, auth.ErrNoSession)
			}
			_, err := d.Login(t.Context(), p.email, next)
			if tt.next && err != nil || !tt.next && !errors.Is(err, auth.ErrNoSession) {
				t.Errorf("the next password: got %v", err)
			}
		})
	}
}
