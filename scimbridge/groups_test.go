package scimbridge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// group makes a group with members, and returns its id.
func (w *world) group(name string, members ...string) string {
	w.Helper()
	return w.as(okta, http.MethodPost, "/Groups", groupOf(name, members...)).want(http.StatusCreated).id()
}

// groupOf is a group as a client sends it.
func groupOf(name string, members ...string) string {
	return fmt.Sprintf(`{"schemas": [%q], "displayName": %q, "members": [%s]}`, scim.GroupSchema, name, listOf(members...))
}

func listOf(members ...string) string {
	var list []string
	for _, id := range members {
		list = append(list, fmt.Sprintf(`{"value": %q}`, id))
	}
	return strings.Join(list, ", ")
}

// in lists who is in a group, by the first letter of their names.
func (w *world) in(group string) string {
	w.Helper()
	return w.lettersOf(w.as(okta, http.MethodGet, "/Groups/"+group, "").want(http.StatusOK))
}

func (w *world) lettersOf(a answer) string {
	w.Helper()
	list, _ := a.body["members"].([]any)
	var found []string
	for _, m := range list {
		id, _ := m.(map[string]any)["value"].(string)
		name, _ := w.as(okta, http.MethodGet, "/Users/"+id, "").want(http.StatusOK).at("userName").(string)
		found = append(found, name[:1])
	}
	return strings.Join(slices.Sorted(slices.Values(found)), "")
}

// groupsOf lists the names of the groups that a user shows.
func (w *world) groupsOf(user string) string {
	w.Helper()
	list, _ := w.as(okta, http.MethodGet, "/Users/"+user, "").want(http.StatusOK).at("groups").([]any)
	var found []string
	for _, g := range list {
		name, _ := g.(map[string]any)["display"].(string)
		found = append(found, name)
	}
	return strings.Join(found, " ")
}

// displayed are the names of the groups of a list.
func (a answer) displayed() string {
	a.t.Helper()
	resources, ok := a.body["Resources"].([]any)
	if !ok {
		a.t.Errorf("Resources is no list: %s", a.text)
	}
	var found []string
	for _, r := range resources {
		name, _ := r.(map[string]any)["displayName"].(string)
		found = append(found, name)
	}
	return strings.Join(found, " ")
}

func (w *world) wants(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestAGroupIsMadeReadChangedAndDeleted(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("a"), w.user("b")
	made := w.as(okta, http.MethodPost, "/Groups", groupOf("Tellers", a, b, a)).want(http.StatusCreated)
	id := made.id()
	at := base + "/scim2/Groups/" + id
	made.shows("Location", at).shows("ETag", `W/"1"`).members("schemas", "id", "displayName", "members", "meta")
	made.is("Tellers", "displayName").is("Group", "meta", "resourceType").is(at, "meta", "location").is(`W/"1"`, "meta", "version")
	member, _ := json.Marshal(made.at("members").([]any)[0])
	w.wants("a member", string(member), fmt.Sprintf(`{"$ref":"%s/scim2/Users/%s","type":"User","value":"%s"}`, base, a, a))

	read := w.as(okta, http.MethodGet, "/Groups/"+id, "").want(http.StatusOK)
	w.wants("read", read.text, made.text)
	w.wants("groups of a", w.groupsOf(a), "Tellers")
	w.as(okta, http.MethodGet, "/Groups/"+id, "", "If-None-Match", `W/"1"`).want(http.StatusNotModified)

	w.as(okta, http.MethodPut, "/Groups/"+id, groupOf("Tellers", b), "If-Match", `W/"7"`).refused(http.StatusPreconditionFailed, "")
	w.as(okta, http.MethodPut, "/Groups/"+id, groupOf("Tellers of Bern", b), "If-Match", `W/"1"`).want(http.StatusOK).is(`W/"2"`, "meta", "version")
	w.wants("members", w.in(id), "b")
	w.wants("groups of a", w.groupsOf(a), "")
	w.wants("groups of b", w.groupsOf(b), "Tellers of Bern")
	same := w.as(okta, http.MethodPut, "/Groups/"+id, groupOf("Tellers of Bern", b)).want(http.StatusOK)
	same.is(`W/"2"`, "meta", "version") // nothing has changed

	w.as(okta, http.MethodDelete, "/Groups/"+id, "", "If-Match", `W/"1"`).refused(http.StatusPreconditionFailed, "")
	w.as(okta, http.MethodDelete, "/Groups/"+id, "").want(http.StatusNoContent)
	w.wants("groups of b", w.groupsOf(b), "")
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		w.as(okta, method, "/Groups/"+id, "").refused(http.StatusNotFound, "")
	}
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(set("displayName", "x"))).refused(http.StatusNotFound, "")
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(`{"op": "add", "path": "members", "value": [{"value": "nobody"}]}`)).refused(http.StatusNotFound, "")
	w.as(okta, http.MethodPut, "/Groups/"+id, groupOf("x")).refused(http.StatusNotFound, "")
	w.group("Tellers of Bern") // the name is free again
}

// Requests about members as Okta, Entra ID and others send them. Of a and b are members
// before; c is none.
func TestMembersAreChangedAsClientsAskForIt(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.user("a"), w.user("b"), w.user("c")
	ids := strings.NewReplacer("$a", a, "$b", b, "$c", c)
	for name, tt := range map[string]struct{ operations, members string }{
		"Okta adds":                           {`{"op": "add", "path": "members", "value": [{"value": "$c", "display": "c@example.com"}]}`, "abc"},
		"Okta removes and adds":               {`{"op": "remove", "path": "members[value eq \"$a\"]"}, {"op": "add", "path": "members", "value": [{"value": "$c", "display": "c@example.com"}]}`, "bc"},
		"Okta replaces all":                   {`{"op": "replace", "path": "members", "value": [{"value": "$c", "display": "c"}, {"value": "$a", "display": "a"}]}`, "ac"},
		"Okta replaces the name, by no path":  {`{"op": "replace", "value": {"id": "abf4dd94-a4c0-4f67-89c9-76b03340cb9b", "displayName": "Test SCIMv2"}}`, "ab"},
		"Entra ID adds":                       {`{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "$c"}]}`, "abc"},
		"Entra ID removes by a value":         {`{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "$a"}]}`, "b"},
		"Entra ID removes by a path":          {`{"op": "Remove", "path": "members[value eq \"$a\"]"}`, "b"},
		"Entra ID replaces the name":          {`{"op": "Replace", "path": "displayName", "value": "1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName"}`, "ab"},
		"one member without a list":           {`{"op": "add", "path": "members", "value": {"value": "$c"}}`, "abc"},
		"an id alone":                         {`{"op": "add", "path": "members", "value": "$c"}`, "abc"},
		"a list of ids":                       {`{"op": "remove", "path": "members", "value": ["$a", "$b"]}`, ""},
		"members in a value without a path":   {`{"op": "add", "value": {"members": [{"value": "$c"}], "displayName": "Both at once"}}`, "abc"},
		"members under the schema's URN":      {`{"op": "replace", "value": {"urn:ietf:params:scim:schemas:core:2.0:Group": {"members": [{"value": "$c"}]}}}`, "c"},
		"a path with the schema's URN":        {`{"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": [{"value": "$c"}]}`, "abc"},
		"all are removed":                     {`{"op": "remove", "path": "members"}`, ""},
		"an empty list replaces all":          {`{"op": "replace", "path": "members", "value": []}`, ""},
		"null replaces all":                   {`{"op": "replace", "path": "members", "value": null}`, ""},
		"several by or":                       {`{"op": "remove", "path": "members[value eq \"$a\" or value eq \"$b\"]"}`, ""},
		"a value and a type":                  {`{"op": "remove", "path": "members[type eq \"User\" and value eq \"$a\"]"}`, "b"},
		"who is there is added":               {`{"op": "add", "path": "members", "value": [{"value": "$a"}]}`, "ab"},
		"who is not there is removed":         {`{"op": "remove", "path": "members[value eq \"$c\"]"}`, "ab"},
		"nobody is removed":                   {`{"op": "remove", "path": "members", "value": [{"value": "nobody"}]}`, "ab"},
		"added, then removed":                 {`{"op": "add", "path": "members", "value": [{"value": "$c"}]}, {"op": "remove", "path": "members[value eq \"$c\"]"}`, "ab"},
		"removed, then added":                 {`{"op": "remove", "path": "members[value eq \"$a\"]"}, {"op": "add", "path": "members", "value": [{"value": "$a"}]}`, "ab"},
		"all removed, one added, one removed": {`{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": ["$a", "$c"]}, {"op": "remove", "path": "members[value eq \"$a\"]"}`, "c"},
		"one in the place of another":         {`{"op": "replace", "path": "members[value eq \"$a\"]", "value": {"value": "$c"}}`, "bc"},
		"an empty value adds nobody":          {`{"op": "add", "path": "members", "value": []}`, "ab"},
	} {
		id := w.group(name, a, b)
		w.as(okta, http.MethodPatch, "/Groups/"+id, ops(ids.Replace(tt.operations))).want(http.StatusNoContent)
		w.wants(name, w.in(id), tt.members)
	}
}

func TestWhatAGroupCannotHaveIsRefused(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	id := w.group("Tellers", a)
	other := w.group("Others")
	for _, tt := range []struct {
		method, path, body, kind, detail string
		status                           int
	}{
		{http.MethodPost, "/Groups", groupOf("New", a, "no-user"), "invalidValue", "members[1].value: there is no such user", 400},
		{http.MethodPost, "/Groups", groupOf("New", other), "invalidValue", "members[0].value: there is no such user", 400},
		{http.MethodPost, "/Groups", groupOf("tellers"), "uniqueness", "displayName: another group has this name", 409},
		{http.MethodPost, "/Groups", `{"members": []}`, "invalidValue", "displayName is required", 400},
		{http.MethodPost, "/Groups", `{"displayName": " "}`, "invalidValue", "displayName is required", 400},
		{http.MethodPost, "/Groups", `{"displayName": "` + strings.Repeat("x", 257) + `"}`, "invalidValue", "displayName must have no control characters, and 256 characters at most", 400},
		{http.MethodPost, "/Groups", `{"displayName": "a\u0000b"}`, "invalidValue", "displayName must have no control characters, and 256 characters at most", 400},
		{http.MethodPost, "/Groups", `{"displayName": 7}`, "invalidValue", "displayName must be a string", 400},
		{http.MethodPost, "/Groups", `{"displayName": "New", "members": [{"value": "` + other + `", "type": "Group"}]}`, "invalidValue", "members[0].type: groups within groups are not supported", 400},
		{http.MethodPost, "/Groups", `{"displayName": "New", "members": [{"display": "x"}]}`, "invalidValue", "members[0].value is required", 400},
		{http.MethodPost, "/Groups", `{"displayName": "New", "members": [{"value": 1}]}`, "invalidValue", "members[0].value must be a string", 400},
		{http.MethodPost, "/Groups", `{"displayName": "New", "members": [7]}`, "invalidValue", "members[0] must be an object", 400},
		{http.MethodPost, "/Groups", `{"displayName": "New", "members": [{"value": "a\u0000"}]}`, "invalidValue", "members[0].value: there is no such user", 400},
		{http.MethodPut, "/Groups/" + id, groupOf("Others"), "uniqueness", "displayName: another group has this name", 409},
		{http.MethodPatch, "/Groups/" + id, ops(set("displayName", "OTHERS")), "uniqueness", "displayName: another group has this name", 409},
		{http.MethodPatch, "/Groups/" + id, ops(set("displayName", "New"), `{"op": "add", "path": "members", "value": [{"value": "`+a+`"}, {"value": "nobody"}]}`), "invalidValue", "operation 2: members[1].value: there is no such user", 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "remove", "path": "displayName"}`), "mutability", "operation 1: displayName is required", 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "add", "path": "members", "value": []}`, `{"op": "replace", "path": "meta.created", "value": "x"}`), "mutability", "operation 2: meta is read only", 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "remove", "path": "members[type eq \"User\"]"}`), "invalidFilter", `operation 1: members can only be chosen by their value, as in members[value eq "2819c223"]`, 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "replace", "path": "members[value eq \"x\"].value", "value": "y"}`), "mutability", "operation 1: members.value cannot be changed once it is set", 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "remove"}`), "noTarget", "operation 1: remove needs a path", 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "remove", "path": "members[value eq \"` + a + `\"].type"}`), "mutability", "operation 1: members.type cannot be changed once it is set", 400},
		{http.MethodPatch, "/Groups/" + id, ops(`{"op": "add", "path": "nothing", "value": "y"}`), "invalidPath", "operation 1: the path names an attribute that is not known", 400},
		{http.MethodPatch, "/Groups/" + id, `{"Operations": []}`, "invalidSyntax", "Operations must be a list of one operation or more", 400},
		{http.MethodGet, "/Groups?filter=members+pr", "", "invalidFilter", "members can only be compared by value eq", 400},
		{http.MethodGet, "/Groups?filter=members.value+sw+%22a%22", "", "invalidFilter", "members can only be compared by value eq", 400},
		{http.MethodGet, "/Groups/%00", "", "", "there is no such group", 404},
		{http.MethodGet, "/Users?filter=groups.value+eq+%22" + id + "%22", "", "invalidFilter", "users are not filtered by groups: read the group's members", 400},
		{http.MethodGet, "/Users?filter=groups+pr", "", "invalidFilter", "users are not filtered by groups: read the group's members", 400},
	} {
		if got := w.as(okta, tt.method, tt.path, tt.body).refused(tt.status, tt.kind).at("detail"); got != tt.detail {
			t.Errorf("%s %s %s: got %q, want %q", tt.method, tt.path, tt.body, got, tt.detail)
		}
	}
	w.wants("members", w.in(id), "a")
	w.as(okta, http.MethodGet, "/Groups/"+id, "").is(`W/"1"`, "meta", "version").is("Tellers", "displayName")
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(set("displayName", "TELLERS"))).want(http.StatusNoContent) // its own name
}

func TestGroupsAreFoundAndSorted(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("a"), w.user("b")
	one, two, three := w.group("Zürich", a, b), w.group("bern", b), w.group("Aarau")
	for group, external := range map[string]string{one: "ext-1", two: "ext-2"} {
		w.as(okta, http.MethodPatch, "/Groups/"+group, ops(set("externalId", external))).want(http.StatusNoContent)
	}
	w.as(entra, http.MethodPatch, "/Groups/"+three, ops(set("externalId", "ext-1"))).want(http.StatusNoContent)
	for _, tt := range []struct{ query, want string }{
		{"", "Zürich bern Aarau"},
		{"sortBy=displayName", "Aarau bern Zürich"},
		{"sortBy=displayName&sortOrder=descending", "Zürich bern Aarau"},
		{"sortBy=externalId", "Zürich bern Aarau"},
		{"sortBy=meta.created&sortOrder=descending", "Aarau bern Zürich"},
		{"startIndex=2&count=1", "bern"},
		{"count=0", ""},
		{"filter=displayName eq \"BERN\"", "bern"},
		{"filter=displayName eq Bern", "bern"},
		{"filter=displayName sw \"z\"", "Zürich"},
		{"filter=displayName gt \"b\"", "Zürich bern"},
		{"filter=displayName co \"r\"", "Zürich bern Aarau"},
		{"filter=displayName ew \"n\"", "bern"},
		{"filter=externalId eq \"ext-1\"", "Zürich"},
		{"filter=externalId eq \"EXT-1\"", ""},
		{"filter=externalId pr", "Zürich bern"},
		{"filter=id eq \"" + two + "\"", "bern"},
		{"filter=id ne \"" + two + "\"", "Zürich Aarau"},
		{"filter=members eq \"" + a + "\"", "Zürich"},
		{"filter=members.value eq \"" + b + "\"", "Zürich bern"},
		{"filter=members[value eq \"" + b + "\"]", "Zürich bern"},
		{"filter=members[value eq \"" + b + "\" and type eq \"User\"]", "Zürich bern"},
		{"filter=members[value eq \"" + b + "\"] and displayName eq \"bern\"", "bern"},
		{"filter=not (members.value eq \"" + a + "\")", "bern Aarau"},
		{"filter=members.value eq \"" + a + "\" or displayName eq \"aarau\"", "Zürich Aarau"},
		{"filter=members.value eq \"" + a + "\" and not (members.value eq \"" + b + "\")", ""},
		{"filter=members.value eq \"nobody\"", ""},
		{"filter=members.value eq \"" + a + "\\u0000\"", ""},
		{"filter=displayName pr&sortBy=displayName&startIndex=2&count=1", "bern"},
		{"filter=meta.resourceType eq \"Group\"", "Zürich bern Aarau"},
		{"filter=userName eq \"a\"", ""},
	} {
		a := w.as(okta, http.MethodGet, "/Groups?"+strings.NewReplacer(" ", "+", `"`, "%22", "ü", "%C3%BC", "[", "%5B", "]", "%5D", "\\", "%5C").Replace(tt.query), "").want(http.StatusOK)
		w.wants(tt.query, a.displayed(), tt.want)
	}
	w.as(okta, http.MethodGet, "/Groups?startIndex=2&count=1", "").is(3.0, "totalResults").is(2.0, "startIndex").is(1.0, "itemsPerPage")
	w.as(okta, http.MethodGet, "/Groups/"+three, "").is(nil, "externalId")
	w.as(entra, http.MethodGet, "/Groups/"+three, "").is("ext-1", "externalId")
	w.as(okta, http.MethodPatch, "/Groups/"+one, ops(`{"op": "remove", "path": "externalId"}`)).want(http.StatusNoContent)
	w.as(okta, http.MethodGet, "/Groups/"+one, "").is(nil, "externalId")

	search := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "displayName sw \"b\"", "excludedAttributes": ["members"]}`
	w.wants("search", w.as(okta, http.MethodPost, "/Groups/.search", search).want(http.StatusOK).displayed(), "bern")
}

func TestProjectionsOfGroupsAreShown(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	id := w.group("Tellers", a)
	for query, want := range map[string]string{
		"excludedAttributes=members":      "displayName id meta schemas",
		"attributes=displayName":          "displayName id schemas",
		"attributes=members":              "id members schemas",
		"attributes=members.value":        "id members schemas",
		"attributes=members,externalId":   "id members schemas",
		"excludedAttributes=members.$ref": "displayName id members meta schemas",
	} {
		a := w.as(okta, http.MethodGet, "/Groups/"+id+"?"+query, "").want(http.StatusOK)
		a.members(strings.Fields(want)...)
		list := w.as(okta, http.MethodGet, "/Groups?"+query, "").want(http.StatusOK)
		first, _ := json.Marshal(list.at("Resources").([]any)[0])
		alone, _ := json.Marshal(a.body)
		w.wants(query, string(first), string(alone))
	}
	w.wants("members.value", fmt.Sprint(w.as(okta, http.MethodGet, "/Groups/"+id+"?attributes=members.value", "").at("members")), "[map[value:"+a+"]]")
	patched := w.as(okta, http.MethodPatch, "/Groups/"+id+"?attributes=displayName", ops(set("displayName", "New"))).want(http.StatusOK)
	patched.members("schemas", "id", "displayName").is("New", "displayName")
	user := w.as(okta, http.MethodGet, "/Users/"+a+"?attributes=groups", "").want(http.StatusOK)
	user.members("schemas", "id", "groups")
	w.as(okta, http.MethodGet, "/Users/"+a+"?excludedAttributes=groups", "").is(nil, "groups")
}

func TestAUsersVersionShowsTheGroupsAndDoesNotDependOnThem(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	before := w.as(okta, http.MethodGet, "/Users/"+a, "").header.Get("ETag")
	id := w.group("Tellers", a)
	w.as(okta, http.MethodGet, "/Users/"+a, "", "If-None-Match", before).want(http.StatusOK)
	now := w.as(okta, http.MethodGet, "/Users/"+a, "").header.Get("ETag")
	w.as(okta, http.MethodGet, "/Users/"+a, "", "If-None-Match", now).want(http.StatusNotModified)
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(set("displayName", "New"))).want(http.StatusNoContent)
	w.as(okta, http.MethodGet, "/Users/"+a, "", "If-None-Match", now).want(http.StatusOK)
	for _, version := range []string{before, now} { // of the user itself nothing has changed
		w.as(okta, http.MethodPatch, "/Users/"+a, ops(set("externalId", "1")), "If-Match", version).want(http.StatusOK)
		w.as(okta, http.MethodPatch, "/Users/"+a, ops(`{"op": "remove", "path": "externalId"}`)).want(http.StatusOK)
	}
}

func TestADeletedUserLeavesTheGroups(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("a"), w.user("b")
	id := w.group("Tellers", a, b)
	w.as(okta, http.MethodDelete, "/Users/"+a, "").want(http.StatusNoContent)
	w.wants("members", w.in(id), "b")
	w.as(okta, http.MethodGet, "/Groups/"+id, "").is(`W/"2"`, "meta", "version")
	w.as(okta, http.MethodGet, "/Groups?filter=members.value+eq+%22"+a+"%22", "").is(0.0, "totalResults")
}

func TestPeopleSeeTheirOwnMembershipsOnly(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("a"), w.user("b")
	mine, theirs := w.group("Mine", a, b), w.group("Theirs", b)
	w.wants("list", w.as(a, http.MethodGet, "/Groups", "").want(http.StatusOK).is(1.0, "totalResults").displayed(), "Mine")
	for _, path := range []string{"/Groups/" + mine, "/Groups?filter=displayName+eq+%22Mine%22"} {
		if text := w.as(a, http.MethodGet, path, "").want(http.StatusOK).text; strings.Contains(text, b) || !strings.Contains(text, a) {
			t.Errorf("%s shows others: %s", path, text)
		}
	}
	for filter, want := range map[string]string{"members.value eq \"" + b + "\"": "", "members.value eq \"" + a + "\"": "Mine", "not (members.value eq \"" + b + "\")": "Mine"} {
		w.wants(filter, w.as(a, http.MethodGet, "/Groups?filter="+strings.NewReplacer(" ", "+", `"`, "%22").Replace(filter), "").want(http.StatusOK).displayed(), want)
	}
	w.as(a, http.MethodGet, "/Groups/"+theirs, "").refused(http.StatusNotFound, "")
	w.as(a, http.MethodPost, "/Groups", groupOf("x")).refused(http.StatusForbidden, "")
	w.as(a, http.MethodPut, "/Groups/"+mine, groupOf("x")).refused(http.StatusForbidden, "")
	w.as(a, http.MethodPatch, "/Groups/"+mine, ops(set("displayName", "x"))).refused(http.StatusForbidden, "")
	w.as(a, http.MethodDelete, "/Groups/"+mine, "").refused(http.StatusForbidden, "")
	w.as(a, http.MethodGet, "/Me", "").want(http.StatusOK)
	w.wants("own groups", fmt.Sprint(w.as(a, http.MethodGet, "/Me", "").at("groups").([]any)[0].(map[string]any)["display"]), "Mine")

	w.as(reader, http.MethodPost, "/Groups", groupOf("x")).refused(http.StatusForbidden, "")
	w.as(writer, http.MethodGet, "/Groups", "").refused(http.StatusForbidden, "")
	w.as(mistyped, http.MethodGet, "/Groups", "").refused(http.StatusUnauthorized, "")
	made := w.as(writer, http.MethodPost, "/Groups", groupOf("Made blindly", a)).want(http.StatusCreated)
	made.members("schemas", "id", "meta").shows("ETag", "")
	w.as(writer, http.MethodPut, "/Groups/"+made.id(), groupOf("Made blindly")).want(http.StatusNoContent).shows("ETag", "")
	w.as(writer, http.MethodPatch, "/Groups/"+made.id(), ops(set("displayName", "Still")), "If-Match", `W/"1"`).refused(http.StatusForbidden, "")
}

func TestBulkMakesGroupsOfUsersItMakes(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	old := w.group("Old", a)
	answer := w.as(okta, http.MethodPost, "/Bulk", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
		{"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "New", "members": [{"value": "bulkId:u"}, {"value": "`+a+`"}]}},
		{"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "u@example.com"}},
		{"method": "PATCH", "path": "/Groups/`+old+`", "data": {"Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]}]}},
		{"method": "PATCH", "path": "/Groups/bulkId:g", "data": {"Operations": [{"op": "replace", "path": "displayName", "value": "Newer"}]}},
		{"method": "POST", "path": "/Groups", "bulkId": "h", "data": {"displayName": "newer"}}
	]}`).want(http.StatusOK)
	var statuses []string
	for _, o := range answer.at("Operations").([]any) {
		operation := o.(map[string]any)
		statuses = append(statuses, fmt.Sprint(operation["status"], " ", operation["version"]))
	}
	w.wants("statuses", strings.Join(statuses, ", "), `201 W/"1", 201 `+fmt.Sprint(answer.at("Operations").([]any)[1].(map[string]any)["version"])+`, 200 W/"2", 200 W/"2", 409 <nil>`)
	w.wants("members of the old one", w.in(old), "au")
	w.wants("groups of a", w.groupsOf(a), "Newer Old")
}

func TestASearchAtTheRootFindsUsersAndGroups(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		w.user(name, `"displayName": "Smith `+name+`"`)
	}
	w.group("Smiths")
	w.group("Others")
	search := func(more string) answer {
		return w.as(okta, http.MethodPost, "/.search", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`+more+`}`).want(http.StatusOK)
	}
	search("").is(5.0, "totalResults")
	kinds := func(a answer) string {
		var found []string
		for _, r := range a.at("Resources").([]any) {
			kind, _ := r.(map[string]any)["meta"].(map[string]any)["resourceType"].(string)
			found = append(found, kind)
		}
		return strings.Join(found, " ")
	}
	w.wants("by name", kinds(search(`, "filter": "displayName sw \"smith\""`)), "User User User Group")
	w.wants("second page", kinds(search(`, "startIndex": 3, "count": 2`).is(2.0, "itemsPerPage")), "User Group")
	w.wants("third page", kinds(search(`, "startIndex": 5, "count": 2`)), "Group")
	w.wants("groups", kinds(search(`, "filter": "meta.resourceType eq \"Group\""`).is(2.0, "totalResults")), "Group Group")
	w.wants("users", kinds(search(`, "filter": "meta.resourceType eq \"User\""`).is(3.0, "totalResults")), "User User User")
}

// A group that is larger than what is held back of an answer comes whole.
func TestALargeGroupIsReadByThePage(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	id := w.group("Large", a)
	const members = 2500
	for i := range members {
		entry := scim.Entry{ID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), Document: []byte(`{}`), Seen: noon, Updated: noon}
		if err := w.index.Put(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
	var list []string
	for i := range members {
		list = append(list, fmt.Sprintf("%08d-0000-4000-8000-000000000000", i))
	}
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(`{"op": "add", "path": "members", "value": [`+listOf(list...)+`]}`)).want(http.StatusNoContent)
	got, _ := w.as(okta, http.MethodGet, "/Groups/"+id, "").want(http.StatusOK).at("members").([]any)
	if len(got) != members+1 {
		t.Errorf("got %d members, want %d", len(got), members+1)
	}
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(`{"op": "remove", "path": "members"}`)).want(http.StatusNoContent)
	w.as(okta, http.MethodGet, "/Groups/"+id, "").is(nil, "members")
}

// A line of the audit trail has 255 characters, and a group's name may have 256.
func TestLinesAboutALongNameHaveTheIDAndTheOldName(t *testing.T) {
	w := newWorld(t)
	was, becomes := "was "+strings.Repeat("ä", 252), "becomes "+strings.Repeat("ö", 248)
	id := w.group(was, w.user("a"))
	w.as(okta, http.MethodPatch, "/Groups/"+id, ops(set("displayName", becomes))).want(http.StatusNoContent)
	for kind, holds := range map[string]string{"group_created": "was %" + id + "%", "group_joined": "%" + id + "%", "group_renamed": "becomes %" + id + "%before: was %"} {
		n, err := databasetest.Count(t.Context(), w.db, "SELECT COUNT(*) FROM audit_events WHERE kind = '"+kind+"' AND reason LIKE '"+holds+"'")
		if err != nil || n != 1 {
			t.Errorf("%s: %d lines, %v", kind, n, err)
		}
	}
}
