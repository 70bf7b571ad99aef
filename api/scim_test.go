package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/scimbridge"
)

// directory answers every call alike, with bob.
type directory struct{ err error }

func (d *directory) bob() (users.User, error) {
	return users.User{ID: bob, Version: "G8VRdtS9GRIiesU5BciIlg", Document: map[string]any{
		"schemas": []any{scim.UserSchema, scim.EnterpriseSchema}, "id": bob, "userName": "bob@example.com", "active": true,
		"phoneNumbers":        []any{map[string]any{"type": "mobile", "value": "+15550199"}},
		scim.EnterpriseSchema: map[string]any{"pendingMobileNumber": "+15550100"},
		"meta":                map[string]any{"resourceType": "User", "created": "2026-11-01T09:00:00Z", "lastModified": "2026-11-01T12:00:00Z"},
	}}, d.err
}

func (d *directory) Get(context.Context, users.By, string) (users.User, error) { return d.bob() }
func (d *directory) List(context.Context, users.By, users.Search) (users.Page, error) {
	user, err := d.bob()
	return users.Page{Users: []users.User{user}, Total: 1}, err
}

func (d *directory) Create(context.Context, users.By, map[string]any) (users.User, error) {
	return d.bob()
}

func (d *directory) Replace(context.Context, users.By, string, map[string]any, users.Wants) (users.User, error) {
	return d.bob()
}

func (d *directory) Patch(context.Context, users.By, string, patch.Request, users.Wants) (users.User, error) {
	return d.bob()
}
func (d *directory) Delete(context.Context, users.By, string, users.Wants) error { return d.err }

// circle answers every call about groups alike, with one that bob is in.
type circle struct{ *directory }

const tellers = "019af2c0-7b1e-7c33-a1d2-3f4e5d6c7b8a"

func (c circle) group() (groups.Group, error) {
	made := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	return groups.Group{ID: tellers, Name: "Tellers", Version: 7, Created: made, Updated: made}, c.err
}

func (c circle) Find(_ context.Context, by groups.By, _ string) (groups.Group, error) {
	if by.Only != "" {
		return groups.Group{}, groups.ErrNoGroup
	}
	return c.group()
}

func (c circle) List(context.Context, groups.By, users.Search) (groups.Page, error) {
	g, err := c.group()
	return groups.Page{Groups: []groups.Group{g}, Total: 1}, err
}

func (c circle) Members(context.Context, groups.By, string, string, int) ([]string, string, error) {
	return []string{bob}, "", nil
}

func (c circle) Of(context.Context, []string) (map[string][]groups.Membership, error) {
	return map[string][]groups.Membership{bob: {{GroupID: tellers, Name: "Tellers"}}}, nil
}

func (c circle) Create(context.Context, groups.By, map[string]any) (groups.Group, error) {
	return c.group()
}

func (c circle) Replace(context.Context, groups.By, string, map[string]any, users.Wants) (groups.Group, error) {
	return c.group()
}

func (c circle) Patch(context.Context, groups.By, string, patch.Request, users.Wants) (groups.Group, error) {
	return c.group()
}
func (c circle) Delete(context.Context, groups.By, string, users.Wants) error { return c.err }

func bridge(t *testing.T, d *directory) http.Handler {
	t.Helper()
	handler, err := scimbridge.New(newServer(), scimbridge.Options{
		Users: d, Groups: circle{d}, Resource: scim.User(scim.Enterprise(), scim.WSO2()), BaseURL: "https://id.example.com",
		MaxResults: 20, DefaultResults: 10, BulkOperations: 5, BulkBytes: scimbridge.MaxBody,
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

const (
	scimType = "application/scim+json"
	newUser  = `{"userName":"bob@example.com"}`
	newPhone = `{"Operations":[{"op":"replace","value":{"phoneNumbers":[{"type":"mobile","value":"+15550100"}],` +
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"verifyMobile":"true"}}}]}`
	byName    = `{"filter":"userName eq \"bob@example.com\"","count":10}`
	newGroup  = `{"displayName":"Tellers","members":[{"value":"` + bob + `"}]}`
	newMember = `{"Operations":[{"op":"add","path":"members","value":[{"value":"` + bob + `"}]}]}`
	byMember  = `{"filter":"members.value eq \"` + bob + `\"","excludedAttributes":["members"]}`
	bulkBody  = `{"Operations":[{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"bob@example.com"}},{"method":"DELETE","path":"/Users/` + bob + `"}]}`
)

func TestSCIMAnswersAsDocumented(t *testing.T) {
	book, d := newBook(t), &directory{}
	handler := bridge(t, d)
	one, me, group := "/scim2/Users/"+bob, "/scim2/Me", "/scim2/Groups/"+tellers
	// What the service documents, by the status that it has here.
	changes := map[error]int{
		scim.Bad(scim.InvalidValue, "no"): 400, claim.ErrSessionTooOld: 403, claim.ErrNoIdentity: 404, claim.ErrBeingApplied: 409,
		&scim.Error{Status: 409, ScimType: scim.Uniquity, Detail: "taken"}: 409, users.ErrVersion: 412, limit(claim.ErrTooManyTexts): 429,
		errOdd: 500, claim.ErrLeased: 503, users.ErrUnmapped: 503, claim.ErrIdentitiesUnavailable: 503,
	}
	for _, tt := range []struct {
		method, path, body string
		success            int
	}{
		{"GET", "/scim2/Users", "", 200},
		{"POST", "/scim2/Users", newUser, 201},
		{"POST", "/scim2/.search", byName, 200},
		{"POST", "/scim2/Users/.search", byName, 200},
		{"POST", "/scim2/Bulk", bulkBody, 200},
		{"GET", one, "", 200},
		{"PUT", one, newUser, 200},
		{"PATCH", one, newPhone, 200},
		{"DELETE", one, "", 204},
		{"GET", me, "", 200},
		{"PUT", me, newUser, 200},
		{"PATCH", me, newPhone, 200},
		{"DELETE", me, "", 204},
		{"GET", "/scim2/Groups", "", 200},
		{"POST", "/scim2/Groups", newGroup, 201},
		{"POST", "/scim2/Groups/.search", byMember, 200},
		{"GET", group, "", 200},
		{"PUT", group, newGroup, 200},
		{"PATCH", group, newMember, 204},
		{"PATCH", group + "?attributes=members", newMember, 200},
		{"DELETE", group, "", 204},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			plain, _, _ := strings.Cut(tt.path, "?")
			path, _ := template(book.doc, plain)
			operation := book.doc.Paths.Value(path).GetOperation(tt.method)
			ask := func(want int, path, body string, headers ...string) {
				t.Helper()
				if body != "" && !strings.Contains(strings.Join(headers, " "), "Content-Type") {
					headers = append(headers, "Content-Type", scimType)
				}
				if got := book.ask(t, handler, tt.method, path, body, headers...); got.Code != want {
					t.Errorf("%v: got %d %s, want %d", headers, got.Code, got.Body, want)
				}
			}
			root := []string{"X-Session-Token", "root"}
			d.err = nil
			ask(tt.success, tt.path, tt.body, root...)
			if blind := map[string]int{"POST /scim2/Users": 201, "PUT " + one: 204, "PATCH " + one: 204, "POST /scim2/Groups": 201, "PUT " + group: 204, "PATCH " + group: 204}[tt.method+" "+tt.path]; blind != 0 {
				ask(blind, tt.path, tt.body, "Authorization", "Bearer hlt_writer")
			}
			ask(tt.success, tt.path, tt.body, append([]string{"Accept", "application/json"}, root...)...)
			ask(401, tt.path, tt.body)
			ask(401, tt.path, tt.body, "Authorization", "Bearer hlt_none")
			ask(403, tt.path, tt.body, "Authorization", "Bearer hlt_desk")
			ask(429, tt.path, tt.body, "Authorization", "Bearer hlt_limited")
			ask(500, tt.path, tt.body, "Authorization", "Bearer hlt_odd")
			ask(503, tt.path, tt.body, "Authorization", "Bearer hlt_store-away")
			switch {
			case strings.HasPrefix(tt.path, me):
				ask(404, tt.path, tt.body, "Authorization", "Bearer hlt_okta")
			case tt.method == "GET" && tt.path == "/scim2/Groups", tt.path == "/scim2/Groups/.search":
				ask(200, tt.path, tt.body, "X-Session-Token", "bob")
			case tt.path == one, tt.method == "GET" && tt.path == group:
				ask(404, tt.path, tt.body, "X-Session-Token", "bob")
			default:
				ask(403, tt.path, tt.body, "X-Session-Token", "bob")
			}
			if operation.Responses.Value("304") != nil {
				ask(304, tt.path, "", append([]string{"If-None-Match", "*"}, root...)...)
			}
			if operation.Responses.Value("400") != nil {
				if tt.body != "" {
					ask(400, tt.path, `[]`, root...)
				}
				if tt.method == "GET" && !strings.Contains(tt.path, "?") {
					ask(400, tt.path+"?attributes=id&excludedAttributes=userName", "", root...)
				}
			}
			if tt.body != "" {
				most := scimbridge.MaxBody
				if strings.HasPrefix(tt.path, "/scim2/Groups") && !strings.HasSuffix(tt.path, ".search") {
					most = scimbridge.MaxGroupBody
				}
				ask(413, tt.path, `{"x":"`+strings.Repeat("x", most)+`"}`, root...)
				ask(415, tt.path, tt.body, append([]string{"Content-Type", "text/plain"}, root...)...)
			}
			if tt.path == "/scim2/Bulk" {
				d.err = claim.ErrNumberTaken
				ask(200, tt.path, tt.body, root...) // each operation has its own fault
				return
			}
			for err, want := range changes {
				if operation.Responses.Value(itoa(want)) != nil {
					d.err = err
					ask(want, tt.path, tt.body, root...)
				}
			}
		})
	}
	for _, path := range []string{"ServiceProviderConfig", "ResourceTypes", "ResourceTypes/User", "Schemas", "Schemas/" + scim.EnterpriseSchema} {
		for query, want := range map[string]int{"": 200, "?filter=x": 403} {
			if got := book.ask(t, handler, "GET", "/scim2/"+path+query, ""); got.Code != want {
				t.Errorf("%s%s: got %d %s", path, query, got.Code, got.Body)
			}
		}
	}
	for path, method := range map[string]string{"ResourceTypes/Nothing": "GET", "Schemas/urn:x": "GET", "Me": "POST"} {
		book.ask(t, handler, method, "/scim2/"+path, "")
	}
	// Only a mistake of ours makes these fail, and there is no way to make one here.
	for _, path := range []string{"ServiceProviderConfig", "ResourceTypes", "ResourceTypes/{name}", "Schemas", "Schemas/{urn}"} {
		book.spare(http.MethodGet, "/scim2/"+path, http.StatusInternalServerError)
	}
	book.spare(http.MethodPost, me, http.StatusInternalServerError)
	book.complete(t, "/scim2/")
}
