package scimbridge_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/scim"
)

// provisioner may read and write, without privilege.
const provisioner = "token-of-a-provisioner"

// kept is all that the directory has of somebody.
func (w *world) kept(id string) string {
	w.Helper()
	w.kratos.mu.Lock()
	defer w.kratos.mu.Unlock()
	record := w.kratos.records[id]
	text, err := json.Marshal([]any{record.State, record.Traits, record.MetadataPublic, record.MetadataAdmin, w.kratos.passwords[id]})
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// elevate makes somebody a privileged person.
func (w *world) elevate(id string) {
	w.kratos.mu.Lock()
	defer w.kratos.mu.Unlock()
	record := w.kratos.records[id]
	record.MetadataAdmin = maps.Clone(record.MetadataAdmin)
	if record.MetadataAdmin == nil {
		record.MetadataAdmin = map[string]any{}
	}
	record.MetadataAdmin["holdline_privileged"] = true
	w.kratos.records[id] = record
}

// A privileged person is out of reach of tokens without privilege, by every method,
// alone and in bulk, whether they may read or not.
func TestPrivilegedPeopleAreOutOfReachOfOthersTokens(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ method, body string }{
		"a password":      {http.MethodPatch, ops(set("password", "correct horse"))},
		"a name":          {http.MethodPatch, ops(set("name.givenName", "Eve"))},
		"an attribute":    {http.MethodPatch, ops(set("title", "x"))},
		"an external id":  {http.MethodPatch, ops(set("externalId", "x"))},
		"a user name":     {http.MethodPatch, ops(set("userName", "eve@example.com"))},
		"a number":        {http.MethodPatch, ops(`{"op": "add", "value": {` + mobile("+4915112345679") + `}}`)},
		"a number, asked": {http.MethodPatch, ops(`{"op": "add", "value": {"` + enterprise + `": {"verifyMobile": true}, ` + mobile("+4915112345679") + `}}`)},
		"no number":       {http.MethodPatch, ops(`{"op": "remove", "path": "phoneNumbers"}`)},
		"an end":          {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": true}`, set("title", "x"))},
		"a whole":         {http.MethodPut, `{"userName": "root@example.com", "displayName": "Eve"}`},
		"a whole, less":   {http.MethodPut, `{"userName": "root@example.com"}`},
		"nothing left":    {http.MethodDelete, ""},
		"privilege":       {http.MethodPatch, ops(`{"op": "add", "value": {"holdline_privileged": true, "metadata_admin": {"holdline_privileged": true}, "title": "x"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			root := w.user("root")
			w.as(okta, http.MethodPatch, "/Users/"+root, ops(set("displayName", "Root"), `{"op": "add", "value": {`+mobile("+4915112345671")+`}}`)).want(http.StatusOK)
			plain := w.user("plain")
			w.elevate(root)
			before := w.kept(root)
			for _, token := range []string{provisioner, writer} {
				w.as(token, tt.method, "/Users/"+root, tt.body).refused(http.StatusForbidden, "")
				data := ""
				if tt.body != "" {
					data = `, "data": ` + tt.body
				}
				bulk := w.as(token, http.MethodPost, "/Bulk", `{"Operations": [{"method": "`+tt.method+`", "path": "/Users/`+root+`"`+data+`}]}`).want(http.StatusOK)
				if !strings.Contains(bulk.text, `"status":"403"`) {
					t.Errorf("in bulk: %s", bulk.text)
				}
				if now := w.kept(root); now != before {
					t.Fatalf("%s wrote: %s, before %s", token, now, before)
				}
			}
			// What is not theirs is a privileged token's, and others are theirs.
			if tt.method == http.MethodPatch && name != "privilege" && name != "a user name" {
				w.as(provisioner, tt.method, "/Users/"+plain, tt.body).want(http.StatusOK)
			}
			w.as(provisioner, http.MethodDelete, "/Users/"+plain, "").want(http.StatusNoContent)
			if got := w.as(okta, tt.method, "/Users/"+root, tt.body); got.status >= 300 && name != "privilege" {
				t.Errorf("with privilege: %d %s", got.status, got.text)
			}
		})
	}
}

// Switching a privileged person off is open to any token that may write, whatever
// else the request says, which is not done. It can be repeated.
func TestAnyTokenSwitchesAPrivilegedPersonOff(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ method, body string }{
		"alone":                  {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": false}`)},
		"as Entra does":          {http.MethodPatch, ops(`{"op": "Replace", "path": "active", "value": "False"}`)},
		"in a value":             {http.MethodPatch, ops(`{"op": "replace", "value": {"active": false, "title": "x"}}`)},
		"with a password":        {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": false}`, set("password", "correct horse"))},
		"with a number":          {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": false}`, `{"op": "add", "value": {`+mobile("+4915112345679")+`}}`)},
		"with an unread number":  {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": false}`, `{"op": "add", "value": {`+mobile("hello")+`}}`)},
		"with the number away":   {http.MethodPatch, ops(`{"op": "remove", "path": "phoneNumbers"}`, `{"op": "replace", "path": "active", "value": false}`)},
		"with another user name": {http.MethodPut, `{"userName": "eve@example.com", "active": false, "password": "correct horse"}`},
		"as Okta does":           {http.MethodPut, `{"userName": "root@example.com", "active": false, "externalId": "00u1"}`},
	} {
		for _, token := range []string{provisioner, writer} {
			t.Run(name+" by "+token, func(t *testing.T) {
				w := newWorld(t)
				root := w.user("root")
				w.as(okta, http.MethodPatch, "/Users/"+root, ops(set("displayName", "Root"), `{"op": "add", "value": {`+mobile("+4915112345671")+`}}`)).want(http.StatusOK)
				w.elevate(root)
				want := strings.Replace(w.kept(root), `"active"`, `"inactive"`, 1)
				for range 2 {
					if got := w.as(token, tt.method, "/Users/"+root, tt.body); got.status >= 300 {
						t.Fatalf("got %d %s", got.status, got.text)
					}
					if now := w.kept(root); now != want {
						t.Fatalf("got %s, want %s", now, want)
					}
				}
			})
		}
	}
}

// A client that may read repeats what its directory says of a privileged person at
// no cost. One that may not would find out by repeating what there is.
func TestARepeatedRecordOfAPrivilegedPersonIsNoFaultForReaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	root := w.user("root")
	w.as(okta, http.MethodPatch, "/Users/"+root, ops(set("displayName", "Root"), `{"op": "add", "value": {`+mobile("+4915112345671")+`}}`)).want(http.StatusOK)
	w.elevate(root)
	whole := w.as(provisioner, http.MethodGet, "/Users/"+root, "").want(http.StatusOK)
	for name, tt := range map[string]struct{ method, body string }{
		"whole": {http.MethodPut, whole.text},
		"name":  {http.MethodPatch, ops(set("displayName", "Root"))},
		"on":    {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": true}`)},
	} {
		before := w.kept(root)
		w.as(provisioner, tt.method, "/Users/"+root, tt.body).want(http.StatusOK)
		w.as(writer, tt.method, "/Users/"+root, tt.body).refused(http.StatusForbidden, "")
		w.as(writer, tt.method, "/Users/"+root, strings.ReplaceAll(tt.body, "Root", "Other")).refused(http.StatusForbidden, "")
		if now := w.kept(root); now != before {
			t.Errorf("%s wrote %s", name, now)
		}
	}
}

// Nobody becomes a privileged person over SCIM, however they ask.
func TestNobodyBecomesPrivilegedOverSCIM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.user("bob")
	for _, member := range []string{
		`"holdline_privileged": true`, `"metadata_admin": {"holdline_privileged": true}`, `"metadataAdmin": {"holdline_privileged": true}`,
		`"urn:x": {"holdline_privileged": true}`, `"` + enterprise + `": {"holdline_privileged": true}`, `"roles": [{"value": "holdline_privileged"}]`,
	} {
		for _, token := range []string{okta, provisioner, bob} {
			w.as(token, http.MethodPatch, "/Users/"+bob, ops(`{"op": "add", "value": {`+member+`}}`))
			w.as(token, http.MethodPut, "/Users/"+bob, `{"userName": "bob@example.com", `+member+`}`)
		}
		for _, path := range []string{"holdline_privileged", "metadata_admin.holdline_privileged", enterprise + ":holdline_privileged"} {
			w.as(provisioner, http.MethodPatch, "/Users/"+bob, ops(`{"op": "add", "path": "`+path+`", "value": true}`))
		}
		w.as(provisioner, http.MethodPost, "/Users", `{"userName": "eve@example.com", `+member+`}`)
	}
	w.kratos.mu.Lock()
	defer w.kratos.mu.Unlock()
	for id, record := range w.kratos.records {
		if value, there := record.MetadataAdmin["holdline_privileged"]; there {
			t.Errorf("%s has %v", id, value)
		}
	}
}

// A token without scim:read changes what it may, and is told nothing of what there
// is: no resource, no version, no condition on either.
func TestATokenThatMayNotReadIsToldNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.as(writer, http.MethodPost, "/Users", `{"userName": "bob@example.com", "displayName": "Bob Known", `+mobile("+4915112345671")+`}`).want(http.StatusCreated)
	bob, _ := made.at("id").(string)
	made.members("schemas", "id", "meta").shows("ETag", "").shows("Location", base+"/scim2/Users/"+bob)
	if meta, _ := made.at("meta").(map[string]any); !reflect.DeepEqual(meta, map[string]any{"resourceType": "User", "location": base + "/scim2/Users/" + bob}) {
		t.Errorf("meta tells %v", meta)
	}
	version := w.as(okta, http.MethodGet, "/Users/"+bob, "").want(http.StatusOK).header.Get("ETag")
	for name, tt := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
	}{
		"no effect":              {http.MethodPatch, "", ops(set("displayName", "Bob Known")), nil, 204},
		"an effect":              {http.MethodPatch, "", ops(set("title", "x")), nil, 204},
		"asking for it":          {http.MethodPatch, "?attributes=userName,phoneNumbers", ops(set("displayName", "Bob Known")), nil, 204},
		"a whole":                {http.MethodPut, "", `{"userName": "bob@example.com", "displayName": "Bob Known", ` + mobile("+4915112345671") + `}`, nil, 204},
		"the version":            {http.MethodPatch, "", ops(set("title", "x")), []string{"If-Match", version}, 403},
		"another version":        {http.MethodPut, "", `{"userName": "bob@example.com"}`, []string{"If-Match", `W/"x"`}, 403},
		"the version, to delete": {http.MethodDelete, "", "", []string{"If-Match", version}, 403},
		"any version":            {http.MethodPatch, "", ops(set("title", "y")), []string{"If-Match", "*"}, 204},
		"a kind":                 {http.MethodPatch, "", ops(set(`emails[type eq "work"].value`, "bob@example.com")), nil, 204},
		"a content":              {http.MethodPatch, "", ops(set(`emails[value eq "bob@example.com"].type`, "work")), nil, 403},
		"another content":        {http.MethodPatch, "", ops(set(`emails[value eq "eve@example.com"].type`, "work")), nil, 403},
		"a kind and a content":   {http.MethodPatch, "", ops(`{"op": "remove", "path": "emails[type eq \"work\" and value sw \"b\"]"}`), nil, 403},
		"a content as a name":    {http.MethodPatch, "", ops(`{"op": "replace", "value": {"emails[value eq \"bob@example.com\"].type": "work"}}`), nil, 403},
		"a content in a list":    {http.MethodPatch, "", ops(`{"op": "replace", "value": [{"emails[value eq \"bob@example.com\"].type": "work"}]}`), nil, 403},
		"a content in a schema":  {http.MethodPatch, "", ops(`{"op": "replace", "value": {"` + scim.UserSchema + `": {"emails[value sw \"b\"].type": "work"}}}`), nil, 403},
		"a content below a path": {http.MethodPatch, "", ops(`{"op": "replace", "path": "` + scim.UserSchema + `", "value": {"emails[value sw \"b\"].type": "work"}}`), nil, 403},
		"reading":                {http.MethodGet, "", "", nil, 403},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.as(writer, tt.method, "/Users/"+bob+tt.path, tt.body, tt.headers...).want(tt.status)
			for _, known := range []string{"Bob Known", "bob@example.com", "15112345671", strings.Trim(version, `W/"`)} {
				if strings.Contains(got.text, known) {
					t.Errorf("the answer tells %q: %s", known, got.text)
				}
			}
			got.shows("ETag", "")
			if tt.status == http.StatusNoContent && got.text != "" {
				t.Errorf("got %s", got.text)
			}
		})
	}
	for path, body := range map[string]string{"/.search": `{"filter": "userName sw \"b\""}`, "/Users/.search": `{}`} {
		w.as(writer, http.MethodPost, path, body).want(http.StatusForbidden)
	}
	w.as(writer, http.MethodGet, `/Users?filter=userName%20sw%20%22b%22`, "").want(http.StatusForbidden)
	bulk := w.as(writer, http.MethodPost, "/Bulk", `{"Operations": [
		{"method": "PATCH", "path": "/Users/`+bob+`", "data": `+ops(set("displayName", "Bob Known"))+`},
		{"method": "PATCH", "path": "/Users/`+bob+`", "version": "`+strings.ReplaceAll(version, `"`, `\"`)+`", "data": `+ops(set("title", "z"))+`},
		{"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "eve@example.com", "displayName": "Eve"}}]}`).want(http.StatusOK)
	if strings.Contains(bulk.text, "version\":") || strings.Contains(bulk.text, "Known") || strings.Contains(bulk.text, "userName") || !strings.Contains(bulk.text, `"status":"403"`) {
		t.Errorf("in bulk: %s", bulk.text)
	}
}
