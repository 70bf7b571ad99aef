package scimbridge_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/scim"
)

// RFC 7644, section 3.12: whatever is refused, by whomever, has SCIM's form.
func TestEveryErrorHasSCIMsForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.user("bob")
	for name, tt := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		kind               string
	}{
		"no such route":            {http.MethodGet, "/Printers", "", nil, 404, ""},
		"no such group":            {http.MethodGet, "/Groups/nothing", "", nil, 404, ""},
		"the root":                 {http.MethodGet, "", "", nil, 404, ""},
		"below a user":             {http.MethodGet, "/Users/" + bob + "/name", "", nil, 404, ""},
		"nobody":                   {http.MethodGet, "/Users/nobody", "", nil, 404, ""},
		"nobody to replace":        {http.MethodPut, "/Users/nobody", `{"userName": "x@example.com"}`, nil, 404, ""},
		"nobody to change":         {http.MethodPatch, "/Users/nobody", ops(set("title", "x")), nil, 404, ""},
		"nobody to delete":         {http.MethodDelete, "/Users/nobody", "", nil, 404, ""},
		"no such schema":           {http.MethodGet, "/Schemas/urn:x", "", nil, 404, ""},
		"a filter on schemas":      {http.MethodGet, "/Schemas?filter=" + url.QueryEscape(`id eq "x"`), "", nil, 403, ""},
		"a filter on types":        {http.MethodGet, "/ResourceTypes?filter=" + url.QueryEscape(`id eq "x"`), "", nil, 403, ""},
		"a client's own resource":  {http.MethodGet, "/Me", "", nil, 404, ""},
		"registration":             {http.MethodPost, "/Me", `{"userName": "x@example.com"}`, nil, 501, ""},
		"another content type":     {http.MethodPost, "/Users", `{"userName": "x@example.com"}`, []string{"Content-Type", "text/plain"}, 415, ""},
		"no content type":          {http.MethodPost, "/Users", `{"userName": "x@example.com"}`, []string{"Content-Type", ""}, 415, ""},
		"a form":                   {http.MethodPatch, "/Users/" + bob, "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		"no JSON":                  {http.MethodPost, "/Users", `{"userName"`, nil, 400, "invalidSyntax"},
		"a list":                   {http.MethodPost, "/Users", `[]`, nil, 400, "invalidSyntax"},
		"a member twice":           {http.MethodPost, "/Users", `{"userName": "a", "userName": "b"}`, nil, 400, "invalidSyntax"},
		"no user name":             {http.MethodPost, "/Users", `{"displayName": "x"}`, nil, 400, "invalidValue"},
		"no user name, whole":      {http.MethodPut, "/Users/" + bob, `{"displayName": "x"}`, nil, 400, "invalidValue"},
		"a wrong type":             {http.MethodPost, "/Users", `{"userName": 1}`, nil, 400, "invalidValue"},
		"too long a password":      {http.MethodPost, "/Users", `{"userName": "x@example.com", "password": "` + strings.Repeat("x", 73) + `"}`, nil, 400, "invalidValue"},
		"too long a password, too": {http.MethodPatch, "/Users/" + bob, ops(set("password", strings.Repeat("x", 73))), nil, 400, "invalidValue"},
		"no number":                {http.MethodPost, "/Users", `{"userName": "x@example.com", ` + mobile("hello") + `}`, nil, 400, "invalidValue"},
		"too long a body":          {http.MethodPost, "/Users", `{"userName": "` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, ""},
		"too many operations":      {http.MethodPatch, "/Users/" + bob, ops(strings.Repeat(set("title", "x")+", ", 200) + set("title", "x")), nil, 413, ""},
		"no operations":            {http.MethodPatch, "/Users/" + bob, ops(), nil, 400, "invalidSyntax"},
		"an unknown operation":     {http.MethodPatch, "/Users/" + bob, ops(`{"op": "move", "path": "title"}`), nil, 400, "invalidSyntax"},
		"a path to nothing":        {http.MethodPatch, "/Users/" + bob, ops(set("shoe", "x")), nil, 400, "invalidPath"},
		"a removal of nothing":     {http.MethodPatch, "/Users/" + bob, ops(`{"op": "remove"}`), nil, 400, "noTarget"},
		"a read-only path":         {http.MethodPatch, "/Users/" + bob, ops(set("id", "x")), nil, 400, "mutability"},
		"a required attribute":     {http.MethodPatch, "/Users/" + bob, ops(`{"op": "remove", "path": "userName"}`), nil, 400, "mutability"},
		"a filter's syntax":        {http.MethodGet, "/Users?filter=" + url.QueryEscape(`userName zz "x"`), "", nil, 400, "invalidFilter"},
		"a filter's types":         {http.MethodGet, "/Users?filter=" + url.QueryEscape(`active gt true`), "", nil, 400, "invalidFilter"},
		"too long a filter":        {http.MethodGet, "/Users?filter=" + url.QueryEscape(`userName eq "`+strings.Repeat("x", 4096)+`"`), "", nil, 400, "invalidFilter"},
		"a count that is none":     {http.MethodGet, "/Users?count=many", "", nil, 400, "invalidValue"},
		"a start that is none":     {http.MethodGet, "/Users?startIndex=1.5", "", nil, 400, "invalidValue"},
		"an order that is none":    {http.MethodGet, "/Users?sortBy=userName&sortOrder=up", "", nil, 400, "invalidValue"},
		"two lists of attributes":  {http.MethodGet, "/Users?attributes=title&excludedAttributes=name", "", nil, 400, "invalidValue"},
		"a search's body":          {http.MethodPost, "/.search", `{"filter": 1}`, nil, 400, "invalidFilter"},
		"a search's count":         {http.MethodPost, "/Users/.search", `{"count": "1"}`, nil, 400, "invalidValue"},
		"a bulk without a list":    {http.MethodPost, "/Bulk", `{"Operations": 1}`, nil, 400, "invalidSyntax"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.as(okta, tt.method, tt.path, tt.body, tt.headers...)
			got.t = t
			got.refused(tt.status, tt.kind).shows("Cache-Control", "no-store")
		})
	}
	if got := w.as(okta, http.MethodGet, "/Users", "").want(200).names(); got != "bob" {
		t.Errorf("somebody was made: %s", got)
	}
}

// RFC 9110, section 15.5.6: a 405 says what is allowed.
func TestMethodsThatARouteHasNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, tt := range map[string]struct {
		methods []string
		allowed []string
	}{
		"/ServiceProviderConfig": {[]string{"POST", "PUT", "PATCH", "DELETE"}, []string{"GET"}},
		"/Schemas":               {[]string{"POST"}, []string{"GET"}},
		"/ResourceTypes":         {[]string{"DELETE"}, []string{"GET"}},
		"/Users":                 {[]string{"PUT", "PATCH", "DELETE"}, []string{"GET", "POST"}},
		"/Users/x":               {[]string{"POST"}, []string{"GET", "PUT", "PATCH", "DELETE"}},
		"/Bulk":                  {[]string{"GET"}, []string{"POST"}},
		"/.search":               {[]string{"GET"}, []string{"POST"}},
	} {
		for _, method := range tt.methods {
			got := w.as(okta, method, path, "").refused(http.StatusMethodNotAllowed, "")
			for _, allowed := range tt.allowed {
				if !strings.Contains(got.header.Get("Allow"), allowed) {
					t.Errorf("%s %s: Allow is %q, want %s in it", method, path, got.header.Get("Allow"), allowed)
				}
			}
		}
	}
}

// RFC 7644, section 3.3 and 3.14: where a resource is, and which version it has.
func TestALocationAndAVersionAreInHeadersAndMeta(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.as(okta, http.MethodPost, "/Users", `{"userName": "bob@example.com"}`).want(http.StatusCreated)
	where := base + "/scim2/Users/" + made.id()
	made.is(made.at("meta", "created"), "meta", "lastModified")
	all := []answer{
		made,
		w.as(okta, http.MethodGet, "/Users/"+made.id(), "").want(200),
		w.as(okta, http.MethodPut, "/Users/"+made.id(), `{"userName": "bob@example.com", "title": "a"}`).want(200),
		w.as(okta, http.MethodPatch, "/Users/"+made.id(), ops(set("title", "b"))).want(200),
		w.as(made.id(), http.MethodGet, "/Me", "").want(200).shows("Content-Location", where),
		w.as(made.id(), http.MethodPatch, "/Me", ops(set("title", "c"))).want(200).shows("Content-Location", where),
	}
	seen := map[string]bool{}
	for i, a := range all {
		a.shows("Location", where).is(where, "meta", "location").is("User", "meta", "resourceType")
		a.shows("Content-Type", "application/scim+json; charset=utf-8").shows("Cache-Control", "no-store")
		tag := a.header.Get("ETag")
		a.is(tag, "meta", "version")
		if !strings.HasPrefix(tag, `W/"`) || seen[tag] && i != 1 && i != 4 {
			t.Errorf("answer %d: ETag %s", i, tag)
		}
		seen[tag] = true
	}
	w.as(okta, http.MethodGet, "/Users/"+made.id(), "", "Accept", "application/json").want(200).shows("Content-Type", "application/json; charset=utf-8")
	w.as(okta, http.MethodGet, "/Users/"+made.id(), "", "Accept", "application/scim+json, application/json;q=0.9").
		want(200).shows("Content-Type", "application/scim+json; charset=utf-8")
	w.as(okta, http.MethodDelete, "/Users/"+made.id(), "").want(204).shows("Content-Type", "")
	w.as(okta, http.MethodGet, "/Users/"+made.id(), "").refused(404, "")
}

// RFC 7644, section 3.14; RFC 9110, section 13.
func TestVersionsMakeRequestsConditional(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob")
	tag := func() string { return w.as(okta, http.MethodGet, "/Users/"+id, "").want(200).header.Get("ETag") }
	old := tag()
	now := w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("title", "a")), "If-Match", old).want(200).header.Get("ETag")
	if now == old {
		t.Fatal("the version is the same after a change")
	}
	for _, stale := range []string{old, `"other"`, old + `, "other"`} {
		w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("title", "no")), "If-Match", stale).refused(412, "")
		w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "no@example.com"}`, "If-Match", stale).refused(412, "")
		w.as(okta, http.MethodDelete, "/Users/"+id, "", "If-Match", stale).refused(412, "")
	}
	if tag() != now {
		t.Error("changed in spite of If-Match")
	}
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("title", "b")), "If-Match", "*").want(200)
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("title", "c")), "If-Match", old+", "+tag()).want(200)
	w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "bob@example.com", "title": "d"}`, "If-Match", strings.TrimPrefix(tag(), "W/")).want(200)
	for _, known := range []string{tag(), "*", `"other", ` + tag()} {
		got := w.as(okta, http.MethodGet, "/Users/"+id, "", "If-None-Match", known).want(304).shows("ETag", tag())
		if got.text != "" {
			t.Errorf("a 304 has a body: %s", got.text)
		}
	}
	w.as(okta, http.MethodGet, "/Users/"+id, "", "If-None-Match", old).want(200)
	last, statuses := tag(), make([]int, 8)
	var all errgroup.Group
	for i := range statuses {
		all.Go(func() error {
			got, err := w.try(okta, http.MethodPatch, "/Users/"+id, ops(set("title", fmt.Sprint("of ", i))), "If-Match", last)
			statuses[i] = got.status
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(statuses)
	if statuses[0] != 200 || statuses[1] != 412 || statuses[7] != 412 {
		t.Errorf("changes of one version at once: got %v, want one 200", statuses)
	}
	w.as(okta, http.MethodDelete, "/Users/"+id, "", "If-Match", tag()).want(204)
}

// RFC 7644, section 3.9.
func TestAnswersShowWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"userName": "bob@example.com", "title": "t", "name": {"givenName": "Bob", "familyName": "B"}}`
	id := w.as(okta, http.MethodPost, "/Users?attributes=title", body).want(201).members("id", "schemas", "title").id()
	for _, only := range []answer{
		w.as(okta, http.MethodGet, "/Users/"+id+"?attributes=TITLE", "").want(200),
		w.as(okta, http.MethodPut, "/Users/"+id+"?attributes=title", body).want(200),
		w.as(okta, http.MethodPatch, "/Users/"+id+"?attributes=title,urn:ietf:params:scim:schemas:core:2.0:User:title", ops(set("title", "t"))).want(200),
		w.as(id, http.MethodGet, "/Me?attributes=title", "").want(200),
	} {
		only.members("id", "schemas", "title")
	}
	for _, without := range []answer{
		w.as(okta, http.MethodGet, "/Users/"+id+"?excludedAttributes=name.givenName,id,emails", "").want(200),
		w.as(okta, http.MethodPut, "/Users/"+id+"?excludedAttributes=name.givenName", body).want(200),
		w.as(okta, http.MethodPatch, "/Users/"+id+"?excludedAttributes=name.givenName", ops(set("title", "t"))).want(200),
	} {
		without.is(nil, "name", "givenName").is("B", "name", "familyName").is(id, "id")
	}
	for _, list := range []answer{
		w.as(okta, http.MethodGet, "/Users?attributes=userName", "").want(200),
		w.as(okta, http.MethodPost, "/Users/.search", `{"attributes": ["userName"]}`).want(200),
	} {
		resources, _ := list.at("Resources").([]any)
		one, _ := resources[0].(map[string]any)
		if len(one) != 3 || one["id"] != id || one["userName"] != "bob@example.com" || one["schemas"] == nil {
			t.Errorf("got %v", one)
		}
	}
	list := w.as(okta, http.MethodPost, "/.search", `{"excludedAttributes": ["name", "userName"]}`).want(200)
	if strings.Contains(list.text, "Bob") || strings.Contains(list.text, `"userName"`) || !strings.Contains(list.text, `"title"`) {
		t.Errorf("got %s", list.text)
	}
}

// RFC 7644, sections 3.4.2.3 and 3.4.2.4.
func TestListsAreSortedAndComeInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, letter := range "dbAeC" {
		more := []string{fmt.Sprintf(`"emails": [{"value": "%c@example.com"}]`, letter)}
		if i < 3 {
			more = append(more, fmt.Sprintf(`"displayName": "%d"`, i))
		}
		w.user(string(letter), more...)
	}
	for query, want := range map[string]struct {
		names        string
		start, items int
	}{
		"sortBy=userName":                                   {"A b C d e", 1, 5},
		"sortBy=userName&sortOrder=ascending":               {"A b C d e", 1, 5},
		"sortBy=userName&sortOrder=DESCENDING":              {"e d C b A", 1, 5},
		"sortBy=emails.value&sortOrder=descending":          {"e d C b A", 1, 5},
		"sortBy=emails":                                     {"A b C d e", 1, 5},
		"sortBy=meta.created":                               {"d b A e C", 1, 5},
		"sortBy=userName&startIndex=2&count=2":              {"b C", 2, 2},
		"sortBy=userName&startIndex=5&count=2":              {"e", 5, 1},
		"sortBy=userName&startIndex=6&count=2":              {"", 6, 0},
		"sortBy=userName&startIndex=0&count=1":              {"A", 1, 1},
		"sortBy=userName&startIndex=-7&count=1":             {"A", 1, 1},
		"sortBy=userName&count=0":                           {"", 1, 0},
		"sortBy=userName&count=-1":                          {"", 1, 0},
		"sortBy=userName&count=100000":                      {"A b C d e", 1, 5},
		"startIndex=1&count=1&sortBy=userName&filter=title": {"", 0, 0},
	} {
		got := w.as(okta, http.MethodGet, "/Users?"+query, "")
		if want.start == 0 {
			got.refused(400, "invalidFilter")
			continue
		}
		got.want(200).is([]any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "schemas")
		got.is(5.0, "totalResults").is(float64(want.start), "startIndex").is(float64(want.items), "itemsPerPage")
		if names := got.names(); names != want.names {
			t.Errorf("%s: got %q, want %q", query, names, want.names)
		}
	}
	for order, want := range map[string]string{"ascending": "d b A", "descending": "A b d"} { // who has none comes last, and first
		got := w.as(okta, http.MethodGet, "/Users?sortBy=displayName&sortOrder="+order, "").want(200).names()
		if order == "ascending" && !strings.HasPrefix(got, want) || order == "descending" && !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %q", order, got)
		}
	}
	for i := range 20 {
		w.user(fmt.Sprintf("z%02d", i))
	}
	w.as(okta, http.MethodGet, "/Users", "").want(200).is(25.0, "totalResults").is(10.0, "itemsPerPage")
	w.as(okta, http.MethodGet, "/Users?count=25", "").want(200).is(25.0, "totalResults").is(20.0, "itemsPerPage")
	var paged []string
	for start := 1; start <= 25; start += 7 {
		paged = append(paged, w.as(okta, http.MethodGet, fmt.Sprintf("/Users?sortBy=userName&count=7&startIndex=%d", start), "").want(200).names())
	}
	whole := w.as(okta, http.MethodGet, "/Users?sortBy=userName&count=20", "").want(200).names()
	if got := strings.Join(paged, " "); !strings.HasPrefix(got, whole) || len(strings.Fields(got)) != 25 {
		t.Errorf("pages: got %q", got)
	}
}

// RFC 7644, section 3.4.3: a search is the list whose words stay out of URLs.
func TestASearchIsAList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		w.user(name)
	}
	for _, path := range []string{"/.search", "/Users/.search"} {
		got := w.as(okta, http.MethodPost, path, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
			"filter": "userName ge \"b\"", "sortBy": "userName", "sortOrder": "descending", "startIndex": 1, "count": 1}`).want(200)
		got.is(2.0, "totalResults").is(1.0, "itemsPerPage").is([]any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "schemas")
		if names := got.names(); names != "c" {
			t.Errorf("got %q", names)
		}
		if names := w.as(okta, http.MethodPost, path, `{}`).want(200).names(); len(strings.Fields(names)) != 3 {
			t.Errorf("got %q", names)
		}
		w.as(reader, http.MethodPost, path, `{}`).want(200)
		w.as(writer, http.MethodPost, path, `{}`).refused(403, "")
	}
}

// RFC 7644, section 2: who may do what, and how a refusal says so.
func TestTokensOpenWhatTheirScopesSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob")
	body := `{"userName": "bob@example.com"}`
	for _, r := range []struct{ method, path, body, needs string }{
		{http.MethodGet, "/Users", "", "scim:read"},
		{http.MethodGet, "/Users/" + id, "", "scim:read"},
		{http.MethodPost, "/.search", `{}`, "scim:read"},
		{http.MethodPost, "/Users", body, "scim:write"},
		{http.MethodPut, "/Users/" + id, body, "scim:write"},
		{http.MethodPatch, "/Users/" + id, ops(set("title", "x")), "scim:write"},
		{http.MethodPost, "/Bulk", `{"Operations": []}`, "scim:write"},
		{http.MethodDelete, "/Users/" + id, "", "scim:write"},
	} {
		other, right := reader, writer
		if r.needs == "scim:read" {
			other, right = writer, reader
		}
		got := w.as(other, r.method, r.path, r.body).refused(403, "")
		got.shows("WWW-Authenticate", `Bearer realm="holdline", error="insufficient_scope", scope="`+r.needs+`"`)
		for token, wants := range map[string]string{mistyped: `, error="invalid_token"`, noSession: "", "": ""} {
			got := w.as(token, r.method, r.path, r.body).refused(401, "")
			if all := got.header.Values("WWW-Authenticate"); len(all) != 2 || all[0] != `Bearer realm="holdline"`+wants || all[1] != `Basic realm="holdline"` {
				t.Errorf("%s %s: challenges %q", r.method, r.path, all)
			}
		}
		if got := w.as(right, r.method, r.path, r.body); got.status >= 300 && got.status != 409 {
			t.Errorf("%s %s: got %d %s", r.method, r.path, got.status, got.text)
		}
	}
	for _, open := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
		w.as("", http.MethodGet, open, "").want(200)
	}
}

// An owner has one resource, at /Me and under its id.
func TestOwnersHaveTheirOwnResourceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob, alice := w.user("bob", `"password": "a long pass phrase"`), w.user("alice")
	for _, own := range []string{"/Me", "/Users/" + bob} {
		w.as(bob, http.MethodGet, own, "").want(200).is(bob, "id")
		w.as(bob, http.MethodPatch, own, ops(set("title", "x"))).want(200).is("x", "title")
		w.as(bob, http.MethodPut, own, `{"userName": "bob@example.com", "title": "y"}`).want(200).is("y", "title")
	}
	for _, r := range []struct{ method, body string }{
		{http.MethodGet, ""},
		{http.MethodPatch, ops(set("title", "x"))},
		{http.MethodPut, `{"userName": "alice@example.com"}`},
		{http.MethodDelete, ""},
	} {
		other := w.as(bob, r.method, "/Users/"+alice, r.body).refused(404, "")
		nobody := w.as(bob, r.method, "/Users/00000000-0000-4000-8000-000000009999", r.body).refused(404, "")
		if other.text != nobody.text {
			t.Errorf("%s: alice can be told from nobody: %s, %s", r.method, other.text, nobody.text)
		}
	}
	for path, body := range map[string]string{"/Users": `{"userName": "x@example.com"}`, "/.search": `{}`, "/Users/.search": `{}`, "/Bulk": `{"Operations": []}`} {
		w.as(bob, http.MethodPost, path, body).refused(403, "")
	}
	w.as(bob, http.MethodGet, "/Users", "").refused(403, "")
	for _, o := range []string{`{"op": "replace", "path": "active", "value": false}`, set(enterprise+":department", "x"), `{"op": "add", "path": "roles", "value": [{"value": "admin"}]}`, set("externalId", "x")} {
		w.as(bob, http.MethodPatch, "/Me", ops(o)).refused(403, "")
	}
	w.as(bob, http.MethodPut, "/Me", `{"userName": "bob@example.com", "`+enterprise+`": {"department": "x"}}`).refused(403, "")
	for _, o := range []string{set("userName", "bob2@example.com"), set("password", "x"), `{"op": "replace", "path": "emails", "value": [{"value": "x@example.com"}]}`} {
		w.as("old-"+bob, http.MethodPatch, "/Me", ops(o)).refused(403, "")
	}
	w.as("old-"+bob, http.MethodDelete, "/Me", "").refused(403, "")
	w.as("old-"+bob, http.MethodPatch, "/Me", ops(set("title", "z"))).want(200)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("bob@example.com:a long pass phrase"))
	w.as("", http.MethodGet, "/Me", "", "Authorization", basic).want(200).is(bob, "id")
	w.as("", http.MethodGet, "/Me", "", "Authorization", basic[:len(basic)-4]).refused(401, "")
	w.as("", http.MethodGet, "/Me", "", "X-Session-Token", bob).want(200).is(bob, "id")
	w.as(bob, http.MethodDelete, "/Me", "").want(204).shows("Content-Location", base+"/scim2/Users/"+bob)
	w.as(okta, http.MethodGet, "/Users/"+bob, "").refused(404, "")
}

// An identity's own record can make it a privileged user.
func TestPrivilegedIdentitiesMayAddressEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	root, bob := w.user("root"), w.user("bob")
	change := func(value any) {
		if _, err := w.kratos.Change(t.Context(), root, []scim.Operation{{Op: scim.Add, Path: "/metadata_admin/holdline_privileged", Value: value}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, no := range []any{"true", 1, false} {
		change(no)
		w.as(root, http.MethodGet, "/Users/"+bob, "").refused(404, "")
	}
	change(true)
	w.as(root, http.MethodGet, "/Users/"+bob, "").want(200)
	w.as(root, http.MethodGet, "/Users", "").want(200).is(2.0, "totalResults")
	w.as(root, http.MethodPatch, "/Users/"+bob, ops(`{"op": "replace", "path": "active", "value": false}`)).want(200).is(false, "active")
	w.as(root, http.MethodPatch, "/Users/"+bob, ops(
		`{"op": "replace", "value": {`+mobile(m1)+`, "`+enterprise+`": {"verifyMobile": true}}}`)).want(200).is(nil, enterprise)
	w.as(root, http.MethodPatch, "/Me", ops(`{"op": "replace", "path": "active", "value": false}`)).refused(403, "")
	w.as(root, http.MethodPost, "/Users", `{"userName": "new@example.com"}`).want(201)
}

// RFC 7643, section 3.1: an external id is the client's own.
func TestExternalIDsAreTheirClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob", `"externalId": "of-okta"`)
	find := func(token, external string) any {
		return w.as(token, http.MethodGet, "/Users?filter="+url.QueryEscape(`externalId eq "`+external+`"`), "").want(200).at("totalResults")
	}
	w.as(okta, http.MethodGet, "/Users/"+id, "").want(200).is("of-okta", "externalId")
	w.as(entra, http.MethodGet, "/Users/"+id, "").want(200).is(nil, "externalId")
	w.as(entra, http.MethodPatch, "/Users/"+id, ops(set("externalId", "of-entra"))).want(200).is("of-entra", "externalId")
	w.as(okta, http.MethodGet, "/Users/"+id, "").want(200).is("of-okta", "externalId")
	w.as(id, http.MethodGet, "/Me", "").want(200).is(nil, "externalId")
	for _, tt := range []struct {
		token, external string
		want            float64
	}{{okta, "of-okta", 1}, {okta, "of-entra", 0}, {entra, "of-entra", 1}, {entra, "of-okta", 0}, {okta, "OF-OKTA", 0}} {
		if got := find(tt.token, tt.external); got != tt.want {
			t.Errorf("%s finds %v of %s, want %v", tt.token, got, tt.external, tt.want)
		}
	}
	w.as(id, http.MethodPut, "/Me", `{"userName": "bob@example.com"}`).want(200)
	w.as(okta, http.MethodGet, "/Users/"+id, "").want(200).is("of-okta", "externalId")
	w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "bob@example.com"}`).want(200).is(nil, "externalId")
	w.as(entra, http.MethodGet, "/Users/"+id, "").want(200).is("of-entra", "externalId")
}

// Changes at once are made one after the other.
func TestTenPatchesAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob")
	paths := []string{
		"title", "nickName", "userType", "locale", "timezone", "preferredLanguage", "name.givenName", "name.familyName",
		enterprise + ":department", enterprise + ":costCenter",
	}
	var all errgroup.Group
	for i, path := range paths {
		all.Go(func() error {
			value := fmt.Sprint("value ", i)
			if path == "locale" || path == "preferredLanguage" {
				value = "de"
			}
			got, err := w.try(okta, http.MethodPatch, "/Users/"+id, ops(set(path, value)))
			if err == nil && got.status != 200 {
				err = fmt.Errorf("%s: %d %s", path, got.status, got.text)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	got := w.as(okta, http.MethodGet, "/Users/"+id, "").want(200)
	got.is("value 0", "title").is("value 1", "nickName").is("value 2", "userType").is("de", "locale").is("value 4", "timezone").is("de", "preferredLanguage")
	got.is("value 6", "name", "givenName").is("value 7", "name", "familyName").is("value 8", enterprise, "department").is("value 9", enterprise, "costCenter")
}

// RFC 7644, section 3.5.2: all operations or none.
func TestAPatchThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob", mobile(m0))
	before, changes := w.as(okta, http.MethodGet, "/Users/"+id, "").want(200), w.kratos.changes
	for _, last := range []string{set("id", "x"), set("shoe", "x"), `{"op": "remove", "path": "userName"}`, set("password", strings.Repeat("x", 73)), set("active", "maybe")} {
		got := w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("title", "x"), set(`phoneNumbers[type eq "mobile"].value`, m1),
			`{"op": "add", "path": "`+enterprise+`:verifyMobile", "value": true}`, last))
		if got.status != 400 {
			t.Errorf("%s: got %d %s", last, got.status, got.text)
		}
	}
	after := w.as(okta, http.MethodGet, "/Users/"+id, "").want(200)
	if after.text != before.text || w.kratos.changes != changes || len(w.texts) != 0 {
		t.Errorf("%d changes, %d texts, got %s", w.kratos.changes-changes, len(w.texts), after.text)
	}
}

// RFC 7644, section 3.5.2.1: what changes nothing leaves the version and the time.
func TestAChangeToTheSameIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob", `"title": "x"`)
	before := w.as(okta, http.MethodGet, "/Users/"+id, "").want(200)
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(`{"op": "add", "path": "title", "value": "x"}`)).want(200).
		is(before.at("meta", "lastModified"), "meta", "lastModified").is(before.at("meta", "version"), "meta", "version")
	w.as(okta, http.MethodPut, "/Users/"+id, before.text).want(200).is(before.at("meta", "version"), "meta", "version")
	after := w.as(okta, http.MethodPatch, "/Users/"+id, ops(`{"op": "add", "path": "title", "value": "y"}`)).want(200)
	if after.at("meta", "lastModified") == before.at("meta", "lastModified") || after.at("meta", "created") != before.at("meta", "created") {
		t.Errorf("meta: got %v, was %v", after.at("meta"), before.at("meta"))
	}
	if got := w.kratos.changes; got != 1 {
		t.Errorf("Kratos was written %d times", got)
	}
}

// RFC 7643, section 4.1.1: a password is never shown, whatever is asked for.
func TestAPasswordIsNeverShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const secret = "a very secret phrase"
	made := w.as(okta, http.MethodPost, "/Users?attributes=password,userName", `{"userName": "bob@example.com", "password": "`+secret+`"}`).want(201)
	id := made.id()
	answers := []answer{
		made,
		w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("password", secret))).want(200),
		w.as(okta, http.MethodPatch, "/Users/"+id+"?attributes=password", ops(set("password", secret+"!"))).want(200),
		w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "bob@example.com", "password": "`+secret+`"}`).want(200),
		w.as(okta, http.MethodGet, "/Users/"+id+"?attributes=password", "").want(200),
		w.as(okta, http.MethodGet, "/Users?attributes=password&filter=password+pr", "").want(200).is(0.0, "totalResults"),
		w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("password", secret+strings.Repeat("x", 72)))).refused(400, "invalidValue"),
	}
	for i, a := range answers {
		if strings.Contains(a.text, secret) || a.at("password") != nil {
			t.Errorf("answer %d shows it: %s", i, a.text)
		}
	}
	if got := w.kratos.passwords[id]; got != secret {
		t.Errorf("Kratos has %q", got)
	}
	w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "bob@example.com"}`).want(200)
	if got := w.kratos.passwords[id]; got != secret {
		t.Errorf("after a PUT without one Kratos has %q", got)
	}
	if text := fmt.Sprint(w.kratos.records[id]); strings.Contains(text, secret) {
		t.Errorf("the identity's record has it: %s", text)
	}
}

// RFC 7643, section 4.1.1; RFC 7644, section 3.3.
func TestAUserNameIsOneUsers(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]options{"kept apart by Kratos": {}, "kept apart by Holdline alone": {named: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			bob := w.as(okta, http.MethodPost, "/Users", `{"userName": "bob@example.com", "emails": [{"value": "bob@example.com"}]}`).want(201).id()
			alice := w.as(okta, http.MethodPost, "/Users", `{"userName": "alice@example.com", "emails": [{"value": "alice@example.com"}]}`).want(201).id()
			w.as(okta, http.MethodPost, "/Users", `{"userName": "BOB@example.com", "emails": [{"value": "third@example.com"}]}`).refused(409, "uniqueness")
			w.as(okta, http.MethodPatch, "/Users/"+alice, ops(set("userName", "bob@example.com"))).refused(409, "uniqueness")
			w.as(okta, http.MethodPut, "/Users/"+alice, `{"userName": "Bob@example.com", "emails": [{"value": "alice@example.com"}]}`).refused(409, "uniqueness")
			w.as(okta, http.MethodDelete, "/Users/"+bob, "").want(204)
			w.as(okta, http.MethodPatch, "/Users/"+alice, ops(set("userName", "bob@example.com"))).want(200)
		})
	}
}

// RFC 7644, section 3.5.1 and 3.3: what only the server writes is ignored.
func TestWhatOnlyTheServerWritesIsIgnoredInAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	given := `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "mine", "userName": "bob@example.com",
		"meta": {"created": "2001-01-01T00:00:00Z", "location": "https://x", "resourceType": "Printer", "version": "x"},
		"groups": [{"value": "admins"}], "` + enterprise + `": {"pendingMobileNumber": "+1", "manager": {"displayName": "Boss"}}}`
	made := w.as(okta, http.MethodPost, "/Users", given).want(201)
	for _, got := range []answer{made, w.as(okta, http.MethodPut, "/Users/"+made.id(), given).want(200)} {
		got.is(nil, "groups").is(nil, enterprise).is("User", "meta", "resourceType").is(base+"/scim2/Users/"+made.id(), "meta", "location")
		if id := got.id(); id == "mine" || id == "" || strings.HasPrefix(fmt.Sprint(got.at("meta", "created")), "2001") {
			t.Errorf("got %s", got.text)
		}
	}
	w.as(okta, http.MethodPut, "/Users/"+made.id(), `{"userName": "bob@example.com", "title": "x"}`).want(200).is("x", "title")
	w.as(okta, http.MethodPut, "/Users/"+made.id(), `{"userName": "bob@example.com"}`).want(200).is(nil, "title").is(true, "active")
}

// RFC 7643, sections 2.1 and 2.5; RFC 7644, section 3.10.
func TestNamesAreInAnyCaseAndNullIsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.as(okta, http.MethodPost, "/Users", `{"USERNAME": "bob@example.com", "Title": "x", "emails": [], "nickName": null}`).
		want(201).is("bob@example.com", "userName").is("x", "title").is(nil, "nickName").id()
	w.as(okta, http.MethodPatch, "/Users/"+id, `{"operations": [{"OP": "REPLACE", "Path": "urn:IETF:params:scim:schemas:core:2.0:User:TITLE", "Value": "y"}]}`).want(200).is("y", "title")
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(`{"op": "replace", "path": "title", "value": null}`)).want(200).is(nil, "title")
	for _, f := range []string{`USERNAME EQ "BOB@example.com"`, `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "bob@example.com"`, `not (title pr)`, `title eq null`} {
		w.as(okta, http.MethodGet, "/Users?FILTER="+url.QueryEscape("x"), "").want(200) // of another name, and so ignored
		w.as(okta, http.MethodGet, "/Users?filter="+url.QueryEscape(f), "").want(200).is(1.0, "totalResults")
	}
	if got := w.as(okta, http.MethodGet, "/Users/"+id, "").want(200); strings.Contains(got.text, "null") {
		t.Errorf("null is shown: %s", got.text)
	}
}

// Inactive users stay resources, and lose their sessions.
func TestAnInactiveUserIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob")
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(`{"op": "Replace", "path": "active", "value": "False"}`)).want(200).is(false, "active")
	w.as(okta, http.MethodGet, "/Users?filter="+url.QueryEscape("active eq false"), "").want(200).is(1.0, "totalResults")
	w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "bob@example.com"}`).want(200).is(false, "active")
	w.as(okta, http.MethodPut, "/Users/"+id, `{"userName": "bob@example.com", "active": true}`).want(200).is(true, "active")
	if got := fmt.Sprint(w.kratos.ended); got != "["+id+"]" {
		t.Errorf("sessions ended of %s", got)
	}
}

// Strict mode keeps to the RFCs where lenient mode takes what clients send.
func TestStrictModeKeepsToTheRFCs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{mode: scim.Strict})
	const schemas = `"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]`
	id := w.as(okta, http.MethodPost, "/Users", `{`+schemas+`, "userName": "bob@example.com"}`).want(201).id()
	w.as(okta, http.MethodPost, "/Users", `{"userName": "x@example.com"}`).refused(400, "invalidSyntax")
	w.as(okta, http.MethodPost, "/Users", `{`+schemas+`, "userName": "x@example.com", "active": "True"}`).refused(400, "invalidValue")
	w.as(okta, http.MethodPost, "/Users", `{`+schemas+`, "userName": "x@example.com", "shoe": 1}`).refused(400, "invalidValue")
	w.as(okta, http.MethodPost, "/Users", `{`+schemas+`, "userName": "x@example.com", "emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}`).refused(400, "invalidValue")
	w.as(okta, http.MethodPatch, "/Users/"+id, `{"schemas": [], "Operations": [`+set("title", "x")+`]}`).refused(400, "invalidSyntax")
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(set(`emails[type eq "home"].value`, "x@example.com"))).refused(400, "noTarget")
	for _, path := range []string{`emails[type eq \"home\"]`, `phoneNumbers[type eq \"mobile\"]`, `phoneNumbers[type eq \"mobile\"].value`} {
		w.as(okta, http.MethodPatch, "/Users/"+id, ops(`{"op": "remove", "path": "`+path+`"}`)).refused(400, "noTarget")
	}
	w.as(okta, http.MethodPatch, "/Users/"+id, ops(set("title", "x"))).want(200).is("x", "title")
}

// A filter that chooses no member refuses the whole request, whoever the operations before it have
// added or removed; of what is not there lenient mode removes nothing.
func TestAFilterThatChoosesNoMemberIsRefusedInStrictMode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		operations []string // %[1]s is a, who is a member, %[2]s is b, who is none
		left       string   // blank for refused
	}{
		"a member":                       {[]string{`{"op": "remove", "path": "members[value eq \"%[1]s\"]"}`}, "c"},
		"a member's value":               {[]string{`{"op": "remove", "path": "members[value eq \"%[1]s\"].value"}`}, "c"},
		"one of two is a member":         {[]string{`{"op": "remove", "path": "members[value eq \"%[1]s\" or value eq \"%[2]s\"]"}`}, "c"},
		"nobody's id":                    {[]string{`{"op": "remove", "path": "members[value eq \"nobody\"]"}`}, ""},
		"no member":                      {[]string{`{"op": "remove", "path": "members[value eq \"%[2]s\"]"}`}, ""},
		"no member's value":              {[]string{`{"op": "remove", "path": "members[value eq \"%[2]s\"].value"}`}, ""},
		"a member of another type":       {[]string{`{"op": "remove", "path": "members[value eq \"%[1]s\" and type eq \"Group\"]"}`}, ""},
		"a replacement of no member":     {[]string{`{"op": "replace", "path": "members[value eq \"%[2]s\"]", "value": [{"value": "%[2]s"}]}`}, ""},
		"a replacement of a member":      {[]string{`{"op": "replace", "path": "members[value eq \"%[1]s\"]", "value": [{"value": "%[2]s"}]}`}, "bc"},
		"an addition to no member":       {[]string{`{"op": "add", "path": "members[value eq \"%[2]s\"]", "value": [{"value": "%[2]s"}]}`}, ""},
		"one who was added before":       {[]string{`{"op": "add", "path": "members", "value": [{"value": "%[2]s"}]}`, `{"op": "remove", "path": "members[value eq \"%[2]s\"]"}`}, "ac"},
		"one who was removed before":     {[]string{`{"op": "remove", "path": "members[value eq \"%[1]s\"]"}`, `{"op": "remove", "path": "members[value eq \"%[1]s\"]"}`}, ""},
		"one who was replaced before":    {[]string{`{"op": "replace", "path": "members", "value": [{"value": "%[2]s"}]}`, `{"op": "remove", "path": "members[value eq \"%[1]s\"]"}`}, ""},
		"one whom a replacement left in": {[]string{`{"op": "replace", "path": "members", "value": [{"value": "%[1]s"}, {"value": "%[2]s"}]}`, `{"op": "remove", "path": "members[value eq \"%[1]s\"]"}`}, "b"},
		"all removed after":              {[]string{`{"op": "remove", "path": "members[value eq \"%[2]s\"]"}`, `{"op": "remove", "path": "members"}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []scim.Mode{scim.Strict, scim.Lenient} {
				w := newWorld(t, options{mode: mode})
				user := func(name string) string {
					return w.as(okta, http.MethodPost, "/Users", fmt.Sprintf(`{"schemas": [%q], "userName": %q}`, scim.UserSchema, name)).want(201).id()
				}
				a, b := user("a"), user("b")
				id := w.group("Tellers", a, user("c"))
				var all []string
				for _, o := range tt.operations {
					all = append(all, strings.NewReplacer("%[1]s", a, "%[2]s", b).Replace(o))
				}
				got := w.as(okta, http.MethodPatch, "/Groups/"+id, ops(append(all, set("externalId", "x"))...))
				switch {
				case tt.left != "":
					got.want(204)
					w.wants("members", w.in(id), tt.left)
				case mode == scim.Strict:
					detail := fmt.Sprintf("operation %d: the filter of members chooses nothing", len(all))
					if name == "all removed after" {
						detail = "operation 1: the filter of members chooses nothing"
					}
					got.refused(400, "noTarget").is(detail, "detail")
					w.wants("members", w.in(id), "ac")
					w.as(okta, http.MethodGet, "/Groups/"+id, "").is(nil, "externalId")
				default:
					got.want(204)
				}
			}
		})
	}
}

// A number is held back as the decision table says, and what shows it follows.
func TestANumberIsHeldBackAndShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob", mobile("+49 171 0000000"))
	w.kratos.verify(id)
	number := func(a answer) any {
		list, _ := a.at("phoneNumbers").([]any)
		if len(list) == 0 {
			return nil
		}
		one, _ := list[0].(map[string]any)
		return one["value"]
	}
	asked := `{"op": "replace", "value": {` + mobile(m1) + `, "` + enterprise + `": {"verifyMobile": "true"}}}`
	got := w.as(id, http.MethodPatch, "/Me", ops(asked)).want(200).is(m1, enterprise, "pendingMobileNumber").is(nil, enterprise, "verifyMobile")
	if number(got) != m0 || len(w.texts) != 1 {
		t.Errorf("got %v, %d texts", number(got), len(w.texts))
	}
	w.as(id, http.MethodPatch, "/Me", ops(set(enterprise+":pendingMobileNumber", m0))).refused(400, "mutability")
	w.as(id, http.MethodPatch, "/Me", ops(set("title", "x"))).want(200).is(m1, enterprise, "pendingMobileNumber")
	w.as("old-"+id, http.MethodPatch, "/Me", ops(set(`phoneNumbers[type eq "mobile"].value`, "+491722222222"))).refused(403, "")
	got = w.as(okta, http.MethodPatch, "/Users/"+id, ops(asked)).want(200).is(m1, enterprise, "pendingMobileNumber")
	if number(got) != m0 || len(w.texts) != 1 {
		t.Errorf("a privileged client, the pending number: got %v, %d texts", number(got), len(w.texts))
	}
	got = w.as(okta, http.MethodPatch, "/Users/"+id, ops(`{"op": "replace", "value": {`+mobile("+491733333333")+`}}`)).want(200).is(nil, enterprise)
	if number(got) != "+491733333333" || len(w.texts) != 1 {
		t.Errorf("a privileged client: got %v, %d texts", number(got), len(w.texts))
	}
	got = w.as(id, http.MethodPatch, "/Me", ops(`{"op": "replace", "value": {`+mobile(m0)+`}}`)).want(200)
	if number(got) != m0 || len(w.texts) != 1 {
		t.Errorf("without the flag: got %v, %d texts", number(got), len(w.texts))
	}
}

// With use_verify_claim false it does not matter what is asked for.
func TestANumberIsAlwaysHeldBackIfSoConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{always: true})
	id := w.as(provisioner, http.MethodPost, "/Users", `{"userName": "bob@example.com", `+mobile(m0)+`}`).want(201).
		is(m0, enterprise, "pendingMobileNumber").is(nil, "phoneNumbers").id()
	w.as(provisioner, http.MethodPatch, "/Users/"+id, ops(`{"op": "add", "value": {`+mobile(m1)+`}}`)).want(200).is(m1, enterprise, "pendingMobileNumber")
	w.as(okta, http.MethodPost, "/Users", `{"userName": "alice@example.com", `+mobile(m0)+`}`).want(201).is(nil, enterprise)
}

// RFC 7644, section 3.7.
func TestABulkRequestIsItsOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.user("bob")
	bulk := func(more string, operations ...string) answer {
		return w.as(okta, http.MethodPost, "/Bulk", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]`+more+`, "Operations": [`+strings.Join(operations, ",")+`]}`)
	}
	got := bulk("", `{"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "a@example.com", "password": "a very secret phrase"}}`,
		`{"method": "POST", "path": "/Users", "bulkId": "b", "data": {"userName": "b@example.com", "`+enterprise+`": {"manager": {"value": "bulkId:a"}}}}`,
		`{"method": "PATCH", "path": "/Users/`+bob+`", "data": {"Operations": [`+set("title", "x")+`]}}`,
		`{"method": "PATCH", "path": "/Users/`+bob+`", "version": "W/\"no\"", "data": {"Operations": [`+set("title", "no")+`]}}`,
		`{"method": "DELETE", "path": "/Users/nobody"}`).want(200)
	got.is([]any{"urn:ietf:params:scim:api:messages:2.0:BulkResponse"}, "schemas")
	results, _ := got.at("Operations").([]any)
	if len(results) != 5 || strings.Contains(got.text, "secret") {
		t.Fatalf("got %s", got.text)
	}
	for i, status := range []string{"201", "201", "200", "412", "404"} {
		result, _ := results[i].(map[string]any)
		if result["status"] != status || !strings.HasPrefix(fmt.Sprint(result["location"]), base+"/scim2/Users/") {
			t.Errorf("operation %d: got %v, want status %s and a location", i, result, status)
		}
		if fault, _ := result["response"].(map[string]any); status > "400" && fault["status"] != status {
			t.Errorf("operation %d: the error is %v", i, fault)
		}
	}
	first, _ := results[0].(map[string]any)
	a := strings.TrimPrefix(fmt.Sprint(first["location"]), base+"/scim2/Users/")
	list := w.as(okta, http.MethodGet, "/Users?filter="+url.QueryEscape(enterprise+`:manager.value eq "`+a+`"`), "").want(200)
	if names := list.names(); names != "b" {
		t.Errorf("managed by a: %q", names)
	}
	w.as(okta, http.MethodGet, "/Users/"+bob, "").want(200).is("x", "title")
	no := `{"method": "DELETE", "path": "/Users/nobody"}`
	got = bulk(`, "failOnErrors": 1`, no, `{"method": "DELETE", "path": "/Users/`+bob+`"}`).want(200)
	if results, _ := got.at("Operations").([]any); len(results) != 1 {
		t.Errorf("went on after an error: %s", got.text)
	}
	w.as(okta, http.MethodGet, "/Users/"+bob, "").want(200)
	if got := bulk("", no, no, no, no, no, no).refused(413, ""); !strings.Contains(got.text, "maxOperations (5)") {
		t.Errorf("got %s", got.text)
	}
	if got := bulk("", `{"method": "POST", "path": "/Users", "data": {"title": "`+strings.Repeat("x", 4096)+`"}}`).refused(413, ""); !strings.Contains(got.text, "4096") {
		t.Errorf("got %s", got.text)
	}
	config := w.as("", http.MethodGet, "/ServiceProviderConfig", "").want(200)
	config.is(5.0, "bulk", "maxOperations").is(4096.0, "bulk", "maxPayloadSize").is(20.0, "filter", "maxResults").is(true, "etag", "supported").is(true, "sort", "supported")
}

// RFC 7644, section 3.7: a location is required but where a POST failed.
func TestARefusedBulkOperationSaysWhereItsResourceIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob")
	got := w.as(okta, http.MethodPost, "/Bulk", `{"Operations": [
		{"method": "PATCH", "path": "/Users/`+id+`", "data": 1},
		{"method": "PUT", "path": "/Users/`+id+`", "data": {"userName": "bob@example.com", "`+enterprise+`": {"manager": {"value": "bulkId:none"}}}}]}`).want(200)
	results, _ := got.at("Operations").([]any)
	for _, r := range results {
		if result, _ := r.(map[string]any); result["location"] != base+"/scim2/Users/"+id {
			t.Errorf("got %v", result)
		}
	}
}

// RFC 7644, section 4: discovery ignores what is said of sorting and pages.
func TestDiscoveryIsTheSameForEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User", "/ResourceTypes/Group", "/Schemas/" + scim.UserSchema, "/Schemas/" + scim.GroupSchema} {
		plain := w.as("", http.MethodGet, path, "").want(200).shows("Content-Type", "application/scim+json; charset=utf-8")
		for _, other := range []answer{
			w.as("", http.MethodGet, path+"?sortBy=id&sortOrder=descending&startIndex=2&count=1&attributes=id&excludedAttributes=id", "").want(200),
			w.as(okta, http.MethodGet, path+"/", "").want(200),
			w.as(mistyped, http.MethodGet, path, "").want(200),
		} {
			if other.text != plain.text {
				t.Errorf("%s: got %s, want %s", path, other.text, plain.text)
			}
		}
	}
	types := w.as("", http.MethodGet, "/ResourceTypes", "").want(200).is(2.0, "totalResults")
	if !strings.Contains(types.text, `"endpoint":"/Users"`) || !strings.Contains(types.text, `"endpoint":"/Groups"`) {
		t.Errorf("got %s", types.text)
	}
}

// A password goes with the rest of a request, or nothing of it does.
func TestARefusedPasswordChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob", mobile(m0))
	w.kratos.verify(id)
	for _, password := range []string{refusedPassword, "short", strings.Repeat("x", 73), "the-one-of-bob@example.com"} {
		w.as(id, http.MethodPatch, "/Me", ops(
			`{"op": "replace", "value": {`+mobile(m1)+`, "displayName": "New", "`+enterprise+`": {"verifyMobile": true}}}`, set("password", password),
		)).refused(400, "invalidValue")
		w.as(id, http.MethodGet, "/Me", "").want(200).is(nil, enterprise, "pendingMobileNumber").is(nil, "displayName")
	}
	if len(w.texts) != 0 {
		t.Errorf("%d texts, want none", len(w.texts))
	}
}

// Whoever sets a password stays signed in; nobody else does.
func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.user("bob")
	for _, step := range []struct{ as, path, want string }{
		{okta, "/Users/" + id, id}, {id, "/Me", id + " but session of " + id},
	} {
		w.kratos.ended = nil
		w.as(step.as, http.MethodPatch, step.path, ops(set("password", "a long pass phrase"))).want(200)
		if got := fmt.Sprint(w.kratos.ended); got != "["+step.want+"]" {
			t.Errorf("%s: ended %s, want %s", step.path, got, step.want)
		}
		w.as(step.as, http.MethodPatch, step.path, ops(set("displayName", step.as))).want(200)
		if len(w.kratos.ended) != 1 {
			t.Errorf("%s: ended %s by another change", step.path, w.kratos.ended)
		}
	}
}

// What everybody knows of a user is no password, nor part of one.
func TestPasswordsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct {
		password string
		fine     bool
	}{
		"a pass phrase":             {"correct horse battery", true},
		"as short as may be":        {"8 or mor", true},
		"too short":                 {"7 chars", false},
		"characters, not bytes":     {"äöüäöüä", false},
		"too many bytes":            {strings.Repeat("ä", 37), false},
		"as many as bcrypt takes":   {strings.Repeat("ä", 36), true},
		"the userName":              {"Roberta@Example.com", false},
		"the userName and more":     {"roberta@example.com1", false},
		"the userName up to its @":  {"!!ROBERTA!!", false},
		"an e-mail address":         {"r.smith@home.example", false},
		"an e-mail address up to @": {"my r.smith 99", false},
		"a short name by chance":    {"a bobsleigh ride", true},
	} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch} {
			n := fmt.Sprint(w.kratos.made)
			body := func(password string) string {
				return `{"userName": "roberta@example.com", "emails": [{"value": "r.smith@home.example"}, {"value": "bob@` + n + `.example"}], "password": "` + password + `"}`
			}
			var id string
			if method != http.MethodPost {
				id = w.as(okta, http.MethodPost, "/Users", body("correct horse battery")).want(201).id()
			}
			var got answer
			switch method {
			case http.MethodPost:
				got = w.as(okta, method, "/Users", body(tt.password))
			case http.MethodPut:
				got = w.as(okta, method, "/Users/"+id, body(tt.password))
			default:
				got = w.as(okta, method, "/Users/"+id, ops(set("password", tt.password)))
			}
			switch {
			case tt.fine && got.status >= 300:
				t.Errorf("%s, %s: got %d %s", name, method, got.status, got.text)
			case !tt.fine:
				got.refused(400, "invalidValue")
				if !strings.Contains(got.text, "password") || strings.Contains(got.text, tt.password) {
					t.Errorf("%s, %s: got %s", name, method, got.text)
				}
			}
			if id == "" {
				id = got.id()
			}
			if id != "" {
				w.as(okta, http.MethodDelete, "/Users/"+id, "").want(204)
			}
		}
	}
}
