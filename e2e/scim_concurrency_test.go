package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Ten connections at two replicas change different attributes of one user at once.
// Kratos has no optimistic locking; nothing is lost all the same.
func TestSCIMChangesAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Kratos: memberSchema})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	token := harness.ByClient(s.Token(t, "--privileged"))
	made := s.SCIM(t, http.MethodPost, "/Users", `{"userName":"many@example.com","phoneNumbers":[{"type":"mobile","value":"`+m0+`"}]}`, token)
	if made.Status != http.StatusCreated {
		t.Fatalf("create: %d %s", made.Status, made.Body)
	}
	id := made.SCIMUser(t).ID
	paths := []string{
		"name.givenName", "name.familyName", "name.middleName", "displayName", "nickName", "title", "userType", "locale",
		harness.EnterpriseSchema + ":department", harness.EnterpriseSchema + ":costCenter",
	}
	for round := range 3 {
		answers := atOnce(t, len(paths), func(i int) (harness.Answer, error) {
			return harness.TrySCIMAt(replicas[i%len(replicas)], http.MethodPatch, "/Users/"+id,
				patchOf(fmt.Sprintf(`{"op":"replace","path":"%s","value":"%d of round %d"}`, paths[i], i, round)), token)
		})
		for i, answer := range answers {
			if answer.Status != http.StatusOK {
				t.Errorf("%s: got %d, want 200: %s", paths[i], answer.Status, answer.Body)
			}
		}
		for _, replica := range replicas {
			answer, err := harness.Patiently(func() (harness.Answer, error) {
				return harness.TrySCIMAt(replica, http.MethodGet, "/Users/"+id, "", token)
			})
			if err != nil || answer.Status != http.StatusOK {
				t.Fatalf("read: %v %d %s", err, answer.Status, answer.Body)
			}
			for i, path := range paths {
				if want := fmt.Sprintf(`"%d of round %d"`, i, round); strings.Count(answer.Body, want) != 1 {
					t.Errorf("%s is lost: no %s in %s", path, want, answer.Body)
				}
			}
			if got := answer.SCIMUser(t).Mobile(); got != m0 {
				t.Errorf("mobile: got %q", got)
			}
		}
	}
	filter := url.QueryEscape(`nickName eq "4 of round 2" and title eq "5 of round 2"`)
	for i, replica := range replicas {
		answer, err := harness.Patiently(func() (harness.Answer, error) {
			return harness.TrySCIMAt(replica, http.MethodGet, "/Users?filter="+filter, "", token)
		})
		var list harness.SCIMList
		if err == nil {
			answer.JSON(t, &list)
		}
		if err != nil || list.TotalResults != 1 {
			t.Errorf("replica %d lists %d users, want 1: %v %s", i, list.TotalResults, err, answer.Body)
		}
	}
}

// Of ten changes that set out from one version, and of ten users of one name, one
// comes about.
func TestSCIMConditionsHoldAtOnce(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Kratos: memberSchema})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	token := harness.ByClient(s.Token(t, "--privileged"))
	one := func(t *testing.T, answers []harness.Answer, done, refused int) harness.SCIMUser {
		t.Helper()
		var winner harness.SCIMUser
		n := 0
		for _, answer := range answers {
			if answer.Status == done {
				n++
				winner = answer.SCIMUser(t)
				continue
			}
			wantRefused(t, answer, refused, "")
		}
		if n != 1 {
			t.Fatalf("got %d answers %d, want 1", n, done)
		}
		return winner
	}
	made := one(t, atOnce(t, 10, func(i int) (harness.Answer, error) {
		return harness.TrySCIMAt(replicas[i%len(replicas)], http.MethodPost, "/Users", fmt.Sprintf(`{"userName":"once@example.com","title":"%d"}`, i), token)
	}), http.StatusCreated, http.StatusConflict)
	read := s.SCIM(t, http.MethodGet, "/Users/"+made.ID, "", token)
	if got := read.SCIMUser(t).Title; read.Status != http.StatusOK || got != made.Title {
		t.Errorf("title: got %q, want %q", got, made.Title)
	}
	changed := one(t, atOnce(t, 10, func(i int) (harness.Answer, error) {
		return harness.TrySCIMAt(replicas[i%len(replicas)], http.MethodPatch, "/Users/"+made.ID,
			patchOf(fmt.Sprintf(`{"op":"replace","path":"nickName","value":"n%d"}`, i)), token, harness.Header{"If-Match", read.Header.Get("ETag")})
	}), http.StatusOK, http.StatusPreconditionFailed)
	if got := s.SCIM(t, http.MethodGet, "/Users/"+made.ID, "", token).SCIMUser(t).NickName; got != changed.NickName || got == "" {
		t.Errorf("nickName: got %q, want %q", got, changed.NickName)
	}
}

// Ten connections want ten numbers for one user at once: one of them is pending in
// the end, and its code is the one that counts.
func TestSCIMNumbersAtOnceLeaveOneClaim(t *testing.T) {
	t.Parallel()
	lenient := maps.Clone(noTextLimits)
	lenient["max_attempts"] = 20 // the nine dead codes count as wrong ones
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": lenient}})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	bob := s.NewPerson(t, m0)
	wanted := func(i int) string { return fmt.Sprintf("+491511234569%d", i) }
	for i, answer := range atOnce(t, 10, func(i int) (harness.Answer, error) {
		return harness.TrySCIMAt(replicas[i%len(replicas)], http.MethodPatch, "/Me", to(wanted(i), `"true"`).body(t, bob, http.MethodPatch), bob.ByToken())
	}) {
		wantUser(t, answer, m0, wanted(i))
	}
	last := bob.Identity(t).Pending()
	if n := s.Database.Count(t, "claims", "identity_id = ? AND state = 'open'", bob.ID); n != 1 {
		t.Fatalf("open claims: got %d, want 1", n)
	}
	for i := range 10 {
		if now := wanted(i); now != last {
			for _, text := range s.Provider.Texts(now) { // none, if it was replaced before it was sent
				wantDead(t, bob, text.Code)
			}
		}
	}
	wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, last, 1).Code), http.StatusAccepted)
	wantMade(t, bob, last)
}

// What happens in Kratos without Holdline is in lists soon.
func TestSCIMListsConvergeOnWhatKratosHas(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"scim": harness.Overlay{"reconcile_interval": "1s"}}})
	token := harness.ByClient(s.Token(t))
	named := func(t *testing.T, name string, want ...*harness.Person) {
		t.Helper()
		var ids []string
		for _, p := range want {
			ids = append(ids, p.ID)
		}
		slices.Sort(ids)
		harness.Eventually(t, fmt.Sprintf("the list shows %d named %s", len(want), name), func() error {
			answer := s.SCIM(t, http.MethodGet, "/Users?filter="+url.QueryEscape(`displayName eq "`+name+`"`), "", token)
			var list harness.SCIMList
			answer.JSON(t, &list)
			var found []string
			for _, user := range list.Resources {
				found = append(found, user.ID)
			}
			slices.Sort(found)
			if !slices.Equal(found, ids) || list.TotalResults != len(ids) {
				return errNotYetWith(answer.Body)
			}
			return nil
		})
	}
	bob, eve := s.NewPerson(t, m0), s.NewPerson(t, m1)
	named(t, "Before", bob, eve)
	patched := harness.Send(t, http.MethodPatch, s.Kratos.AdminURL+"/admin/identities/"+bob.ID,
		`[{"op":"replace","path":"/traits/name","value":"Directly"}]`, harness.JSONBody)
	if patched.Status != http.StatusOK {
		t.Fatalf("change: %d %s", patched.Status, patched.Body)
	}
	named(t, "Directly", bob)
	named(t, "Before", eve)
	eve.Delete(t)
	named(t, "Before")
	wantRefused(t, s.SCIM(t, http.MethodGet, "/Users/"+eve.ID, "", token), http.StatusNotFound, "")
	bob.MustSave(t, harness.Profile{Name: "By a form", Mobile: m0})
	named(t, "By a form", bob)
}

// Whatever a client sends, the answer is SCIM's, nothing is changed, and the log
// has nothing of it.
func TestSCIMRefusesWhatItCannotTake(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Kratos: memberSchema})
	secret := s.Token(t, "--privileged")
	token := harness.ByClient(secret)
	made := s.SCIM(t, http.MethodPost, "/Users", `{"userName":"bob@example.com","displayName":"Before","phoneNumbers":[{"type":"mobile","value":"`+m0+`"}]}`, token)
	if made.Status != http.StatusCreated {
		t.Fatalf("create: %d %s", made.Status, made.Body)
	}
	bob := made.SCIMUser(t).ID
	identities := func(t *testing.T) string {
		t.Helper()
		answer := harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities", "")
		if answer.Status != http.StatusOK {
			t.Fatalf("identities: %d %s", answer.Status, answer.Body)
		}
		return answer.Body
	}
	before := identities(t)
	const marker = "Zr8qQ0vY7body"
	value := func(v string) string { return patchOf(`{"op":"replace","value":` + v + `}`) }
	at := func(path, v string) string {
		return patchOf(`{"op":"replace","path":"` + path + `","value":` + v + `}`)
	}
	title := `{"op":"replace","path":"title","value":"` + marker + `"}`
	bulk := func(operations ...string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(operations, ",") + `]}`
	}
	search := func(filter string) string {
		text, _ := json.Marshal(map[string]string{"filter": filter}) // strings can be written
		return string(text)
	}
	user := func(members string) string { return `{"userName":"new@example.com",` + members + `}` }
	const users, me, patch, put, post, find, bulks = "/Users", "/Users/{bob}", http.MethodPatch, http.MethodPut, http.MethodPost, "/.search", "/Bulk"
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		kind               string
	}{
		"no body":                  {patch, me, "", 400, "invalidSyntax"},
		"no JSON":                  {patch, me, marker, 400, "invalidSyntax"},
		"null":                     {patch, me, `null`, 400, "invalidSyntax"},
		"a list":                   {patch, me, `[]`, 400, "invalidSyntax"},
		"two values":               {patch, me, value(`{"title":"`+marker+`"}`) + `{}`, 400, "invalidSyntax"},
		"no operations":            {patch, me, `{}`, 400, "invalidSyntax"},
		"empty operations":         {patch, me, patchOf(), 400, "invalidSyntax"},
		"operations are null":      {patch, me, `{"Operations":null}`, 400, "invalidSyntax"},
		"operations are a string":  {patch, me, `{"Operations":"` + marker + `"}`, 400, "invalidSyntax"},
		"an operation is null":     {patch, me, patchOf(title, `null`), 400, "invalidSyntax"},
		"an operation is a number": {patch, me, patchOf(title, `7`), 400, "invalidSyntax"},
		"op is a number":           {patch, me, patchOf(title, `{"op":1,"path":"title"}`), 400, "invalidSyntax"},
		"op is missing":            {patch, me, patchOf(title, `{"path":"title","value":"x"}`), 400, "invalidSyntax"},
		"op is unknown":            {patch, me, patchOf(title, `{"op":"move","path":"title","value":"x"}`), 400, "invalidSyntax"},
		"path is a number":         {patch, me, patchOf(title, `{"op":"replace","path":5,"value":"x"}`), 400, "invalidPath"},
		"path is broken":           {patch, me, patchOf(title, `{"op":"replace","path":"emails[type eq","value":"x"}`), 400, "invalidPath"},
		"path without a name":      {patch, me, patchOf(title, `{"op":"replace","path":"."  ,"value":"x"}`), 400, "invalidPath"},
		"value is missing":         {patch, me, patchOf(title, `{"op":"replace","path":"title"}`), 400, "invalidValue"},
		"remove without a path":    {patch, me, patchOf(title, `{"op":"remove"}`), 400, "noTarget"},
		"operations twice":         {patch, me, `{"Operations":[` + title + `],"Operations":[` + title + `]}`, 400, "invalidSyntax"},
		"operations in two cases":  {patch, me, `{"Operations":[` + title + `],"operations":[` + title + `]}`, 400, "invalidSyntax"},
		"a member twice":           {patch, me, value(`{"title":"` + marker + `","title":"y"}`), 400, "invalidSyntax"},
		"a member in two cases":    {patch, me, value(`{"title":"` + marker + `","TITLE":"y"}`), 400, ""},
		"bytes that are no UTF-8":  {patch, me, value("{\"title\":\"\xff\xfe\"}"), 400, "invalidSyntax"},
		"half a surrogate pair":    {patch, me, at("active", `"\ud800"`), 400, "invalidValue"},
		"nested 10,000 deep":       {patch, me, value(`{"title":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`), 400, "invalidSyntax"},
		"10,000 operations":        {patch, me, patchOf(slices.Repeat([]string{title}, 10000)...), 413, ""},
		"5 MB":                     {patch, me, value(`{"title":"` + strings.Repeat("x", 5<<20) + `"}`), 413, ""},

		"active is a word":          {patch, me, patchOf(title, `{"op":"replace","path":"active","value":"maybe"}`), 400, "invalidValue"},
		"active is a number":        {patch, me, patchOf(title, `{"op":"replace","path":"active","value":1}`), 400, "invalidValue"},
		"active is an object":       {patch, me, value(`{"title":"x","active":{}}`), 400, "invalidValue"},
		"userName is a number":      {patch, me, value(`{"title":"x","userName":5}`), 400, "invalidValue"},
		"userName is an object":     {patch, me, value(`{"title":"x","userName":{"a":"b"}}`), 400, "invalidValue"},
		"userName is removed":       {patch, me, patchOf(title, `{"op":"remove","path":"userName"}`), 400, ""},
		"userName is blank":         {patch, me, value(`{"title":"x","userName":""}`), 400, ""},
		"userName is no address":    {patch, me, value(`{"title":"x","userName":"bob"}`), 400, "invalidValue"},
		"title is a number":         {patch, me, at("title", `5`), 400, "invalidValue"},
		"title is true":             {patch, me, at("title", `true`), 400, "invalidValue"},
		"title is an object":        {patch, me, at("title", `{"a":1}`), 400, "invalidValue"},
		"name is a number":          {patch, me, at("name", `5`), 400, "invalidValue"},
		"givenName is a list":       {patch, me, at("name.givenName", `["a","b"]`), 400, "invalidValue"},
		"givenName is too long":     {patch, me, at("name.givenName", `"`+strings.Repeat("long ", 9)+`"`), 400, "invalidValue"},
		"numbers are a number":      {patch, me, at("phoneNumbers", `5`), 400, "invalidValue"},
		"a number is a number":      {patch, me, at("phoneNumbers", `[{"type":"mobile","value":4915112345678}]`), 400, "invalidValue"},
		"a number is a word":        {patch, me, at("phoneNumbers", `[{"type":"mobile","value":"`+marker+`"}]`), 400, "invalidValue"},
		"two mobile numbers":        {patch, me, at("phoneNumbers", `[{"type":"mobile","value":"`+m1+`"},{"type":"mobile","value":"`+m2+`"}]`), 400, "invalidValue"},
		"a password is a number":    {patch, me, at("password", `123456789`), 400, "invalidValue"},
		"a password is too long":    {patch, me, at("password", `"`+strings.Repeat(marker, 8)+`"`), 400, "invalidValue"},
		"the id":                    {patch, me, patchOf(title, `{"op":"replace","path":"id","value":"`+marker+`"}`), 400, "mutability"},
		"meta":                      {patch, me, patchOf(title, `{"op":"replace","path":"meta.version","value":"`+marker+`"}`), 400, "mutability"},
		"the pending number":        {patch, me, patchOf(title, `{"op":"replace","path":"`+harness.EnterpriseSchema+`:pendingMobileNumber","value":"`+m1+`"}`), 400, "mutability"},
		"an unknown user":           {patch, "/Users/" + marker, patchOf(title), 404, ""},
		"an id that is a path":      {patch, "/Users/..%2F..%2Fadmin", patchOf(title), 404, ""},
		"an id with a null byte":    {http.MethodGet, "/Users/%00", "", 404, ""},
		"an id that is no UTF-8":    {http.MethodGet, "/Users/%ff%fe", "", 404, ""},
		"an id of 8,000 bytes":      {http.MethodGet, "/Users/" + strings.Repeat("a", 8000), "", 404, ""},
		"PUT without userName":      {put, me, `{"displayName":"` + marker + `"}`, 400, "invalidValue"},
		"PUT of a wrong type":       {put, me, user(`"active":"maybe"`), 400, "invalidValue"},
		"POST without userName":     {post, users, `{"displayName":"` + marker + `"}`, 400, "invalidValue"},
		"POST of null":              {post, users, `null`, 400, "invalidSyntax"},
		"POST, userName is null":    {post, users, `{"userName":null}`, 400, "invalidValue"},
		"POST, emails are a number": {post, users, user(`"emails":7`), 400, "invalidValue"},
		"POST, an address of two":   {post, users, user(`"emails":[{"value":{}}]`), 400, "invalidValue"},
		"POST, active is a list":    {post, users, user(`"active":[true,false]`), 400, "invalidValue"},
		"POST, a bad number":        {post, users, user(`"phoneNumbers":[{"type":"mobile","value":"+1"}]`), 400, "invalidValue"},
		"POST, a taken userName":    {post, users, `{"userName":"BOB@example.com"}`, 409, "uniqueness"},
		"POST, no UTF-8":            {post, users, user("\"title\":\"\xc3\x28\""), 400, "invalidSyntax"},
		"POST, 5 MB":                {post, users, user(`"title":"` + strings.Repeat("x", 5<<20) + `"`), 413, ""},

		"filter of nothing":          {post, find, search(`userName eq`), 400, "invalidFilter"},
		"filter, unknown operator":   {post, find, search(`userName like "` + marker + `"`), 400, "invalidFilter"},
		"filter, open string":        {post, find, search(`userName eq "` + marker), 400, "invalidFilter"},
		"filter, open group":         {post, find, search(`((userName eq "` + marker + `")`), 400, "invalidFilter"},
		"filter, open value path":    {post, find, search(`emails[type eq "work"`), 400, "invalidFilter"},
		"filter of 1 MB":             {post, find, search(`userName eq "` + strings.Repeat("x", 1_000_000) + `"`), 400, "invalidFilter"},
		"filter of 50,000 parts":     {post, find, search(strings.Repeat(`title pr or `, 50_000) + `title pr`), 400, "invalidFilter"},
		"filter 1,000 levels deep":   {post, find, search(strings.Repeat("(", 1000) + "title pr" + strings.Repeat(")", 1000)), 400, "invalidFilter"},
		"filter of 1,000 nots":       {post, find, search(strings.Repeat("not (", 1000) + "title pr" + strings.Repeat(")", 1000)), 400, "invalidFilter"},
		"filter is a number":         {post, find, `{"filter":7}`, 400, "invalidFilter"},
		"filter in a URL":            {http.MethodGet, users + "?filter=" + strings.Repeat("(", 1000) + "title%20pr" + strings.Repeat(")", 1000), "", 400, "invalidFilter"},
		"count is a word":            {post, find, `{"count":"many"}`, 400, "invalidValue"},
		"startIndex is a fraction":   {post, find, `{"startIndex":1.5}`, 400, "invalidValue"},
		"count is beyond an integer": {http.MethodGet, users + "?count=99999999999999999999", "", 400, "invalidValue"},
		"sortOrder is unknown":       {post, find, `{"sortBy":"title","sortOrder":"up"}`, 400, "invalidValue"},
		"attributes are a number":    {post, find, `{"attributes":7}`, 400, ""},

		"bulk is null":             {post, bulks, `null`, 400, "invalidSyntax"},
		"bulk of 10,000":           {post, bulks, bulk(slices.Repeat([]string{`{"method":"PATCH","path":"/Users/{bob}","data":` + patchOf(title) + `}`}, 10000)...), 413, ""},
		"bulk of 5 MB":             {post, bulks, bulk(`{"method":"PATCH","path":"/Users/{bob}","data":` + at("title", `"`+strings.Repeat("x", 5<<20)+`"`) + `}`), 413, ""},
		"failOnErrors is a string": {post, bulks, `{"failOnErrors":"x","Operations":[{"method":"PATCH","path":"/Users/{bob}","data":` + patchOf(title) + `}]}`, 400, ""},

		"no route":                  {http.MethodGet, "/Printers", "", 404, ""},
		"below a user":              {http.MethodGet, "/Users/{bob}/emails", "", 404, ""},
		"a method that is not here": {http.MethodDelete, users, "", 405, ""},
		"POST to a user":            {post, me, patchOf(title), 405, ""},
		"POST to Me":                {post, "/Me", user(`"title":"x"`), 501, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path, body := strings.ReplaceAll(tt.path, "{bob}", bob), strings.ReplaceAll(tt.body, "{bob}", bob)
			answer := s.SCIM(t, tt.method, path, body, token)
			wantRefused(t, answer, tt.status, tt.kind)
			if strings.Contains(answer.Body, marker) {
				t.Errorf("the answer repeats what was sent: %s", answer.Body)
			}
			if got := identities(t); got != before {
				t.Fatalf("Kratos was changed:\n%s\nbefore:\n%s", got, before)
			}
		})
	}
	for name, body := range map[string]string{
		"a schema of nobody":     `{"schemas":["urn:no:such:schema"],"Operations":[{"op":"replace","value":{"urn:no:such:schema":{"` + marker + `":1}}}]}`,
		"an attribute of nobody": value(`{"` + marker + `":{"deep":[1,2]}}`),
		"only what is its own":   value(`{"id":"` + bob + `","schemas":[],"meta":null}`),
	} {
		t.Run("ignores "+name, func(t *testing.T) {
			wantUser(t, s.SCIM(t, patch, "/Users/"+bob, body, token), m0, "")
			if got := identities(t); got != before {
				t.Fatalf("Kratos was changed:\n%s\nbefore:\n%s", got, before)
			}
		})
	}
	for name, body := range map[string]string{
		"an operation is null":      bulk(`null`),
		"a bulkId twice":            bulk(slices.Repeat([]string{`{"method":"POST","path":"/Users","bulkId":"a","data":{}}`}, 2)...),
		"bulkIds in a circle":       bulk(referring("a", "b"), referring("b", "a")),
		"a bulkId of itself":        bulk(referring("a", "a")),
		"a bulkId of nothing":       bulk(referring("a", "nobody")),
		"a method of nobody":        bulk(`{"method":"TRACE","path":"/Users/` + bob + `"}`),
		"a path of nobody":          bulk(`{"method":"DELETE","path":"/Printers/1"}`),
		"a path that climbs":        bulk(`{"method":"DELETE","path":"/Users/../Users/` + bob + `"}`),
		"data is a number":          bulk(`{"method":"PATCH","path":"/Users/` + bob + `","data":7}`),
		"a POST without its bulkId": bulk(`{"method":"POST","path":"/Users","data":{"userName":5}}`),
	} {
		t.Run("bulk, "+name, func(t *testing.T) { wantBulkErrors(t, s.SCIM(t, post, bulks, body, token)) })
	}
	t.Run("5 MB, which every client hears of", func(t *testing.T) {
		body := value(`{"title":"` + strings.Repeat("x", 5<<20) + `"}`)
		for range 20 {
			wantRefused(t, s.SCIM(t, patch, "/Users/"+bob, body, token), http.StatusRequestEntityTooLarge, "")
		}
	})
	t.Run("a URL of 1 MB", func(t *testing.T) {
		answer, err := harness.TrySCIMAt(s.Holdline, http.MethodGet, "/Users?filter="+strings.Repeat("x", 1<<20), "", token)
		if err != nil || !slices.Contains([]int{400, 414, 431}, answer.Status) {
			t.Errorf("got %v %d %s", err, answer.Status, answer.Body)
		}
	})
	for _, line := range strings.Split(s.Holdline.Output.String(), "\n") {
		for what, hidden := range map[string]string{
			"token": secret, "number": m0[1:], "national number": m0[3:], "other number": m1[1:], "body": marker, "user name": "bob@example.com",
		} {
			if strings.Contains(line, hidden) {
				t.Errorf("the log has the %s: %.400s", what, line)
			}
		}
	}
}

// referring is a bulk operation that makes a user whose manager is another.
func referring(id, manager string) string {
	return `{"method":"POST","path":"/Users","bulkId":"` + id + `","data":{"userName":"` + id + `@circle.example.com","` +
		harness.EnterpriseSchema + `":{"manager":{"value":"bulkId:` + manager + `"}}}}`
}

// wantBulkErrors checks that a bulk request is refused as a whole, or that each of
// its operations was done or is refused in SCIM's form.
func wantBulkErrors(t *testing.T, answer harness.Answer) {
	t.Helper()
	if answer.Status != http.StatusOK {
		if _, wrong := answer.SCIMFault(); wrong != "" || answer.Status != http.StatusBadRequest && answer.Status != http.StatusConflict {
			t.Errorf("got %d (%s) %s", answer.Status, wrong, answer.Body)
		}
		return
	}
	var done struct {
		Operations []struct {
			Status   string            `json:"status"`
			Response harness.SCIMFault `json:"response"`
		}
	}
	answer.JSON(t, &done)
	if len(done.Operations) == 0 {
		t.Errorf("no operations in %s", answer.Body)
	}
	for _, o := range done.Operations {
		switch o.Status {
		case "201":
		case "400", "404", "405", "409":
			if o.Response.Status != o.Status || o.Response.Detail == "" || !slices.Equal(o.Response.Schemas, []string{harness.ErrorSchema}) {
				t.Errorf("the operation's response is no SCIM error: %s", answer.Body)
			}
		default:
			t.Errorf("got status %s in %s", o.Status, answer.Body)
		}
	}
}
