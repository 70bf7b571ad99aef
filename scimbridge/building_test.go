package scimbridge_test

import (
	"net/http"
	"net/url"
	"testing"
)

// Until there was a pass over all identities, the index does not know who is missing
// from it: what it alone could answer is 503 with Retry-After, never an empty list or
// a false total. What Kratos answers too is answered.
func TestAnIndexThatIsBeingBuiltGuessesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob, carol := w.user("bob"), w.user("carol")
	built := newWorld(t, options{building: true})
	built.kratos.records = w.kratos.records // nobody of whom is in this index

	away := func(name string, got answer) {
		t.Helper()
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: got %d, Retry-After %q, want 503 with it: %s", name, got.status, got.header.Get("Retry-After"), got.text)
		}
	}
	filter := func(text string) answer {
		t.Helper()
		return built.as(okta, http.MethodGet, "/Users?filter="+url.QueryEscape(text), "")
	}
	for name, got := range map[string]answer{
		"list":          built.as(okta, http.MethodGet, "/Users", ""),
		"total":         built.as(okta, http.MethodGet, "/Users?count=0", ""),
		"a page":        built.as(okta, http.MethodGet, "/Users?startIndex=9", ""),
		"search":        built.as(okta, http.MethodPost, "/.search", `{"sortBy": "userName"}`),
		"filter":        filter(`active eq true`),
		"contains":      filter(`userName co "bob"`),
		"two of them":   filter(`userName eq "bob@example.com" or userName eq "carol@example.com"`),
		"e-mail":        filter(`emails.value eq "bob@example.com"`),
		"a miss":        filter(`userName eq "nobody@example.com"`),
		"external id":   filter(`externalId eq "17"`),
		"POST":          built.as(okta, http.MethodPost, "/Users", `{"userName": "new@example.com"}`),
		"another name":  built.as(okta, http.MethodPatch, "/Users/"+bob, ops(set("userName", "other@example.com"))),
		"by an owner":   built.as(bob, http.MethodPatch, "/Me", ops(set("userName", "other@example.com"), set("displayName", "x"))),
		"PUT of a name": built.as(okta, http.MethodPut, "/Users/"+bob, `{"userName": "other@example.com"}`),
	} {
		if name == "by an owner" && got.status == http.StatusForbidden {
			continue
		}
		away(name, got)
	}
	filter(`userName eq "bob@example.com"`).want(200).is(1.0, "totalResults")
	filter(`id eq "`+carol+`"`).want(200).is(1.0, "totalResults")
	filter(`id eq "00000000-0000-4000-8000-999999999999"`).want(200).is(0.0, "totalResults")
	built.as(okta, http.MethodGet, "/Users/"+bob, "").want(200)
	built.as(okta, http.MethodPatch, "/Users/"+bob, ops(set("displayName", "Bob"), set("active", "False"))).want(200).is(false, "active")
	built.as(carol, http.MethodGet, "/Me", "").want(200)

	if err := built.index.Passed(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	built.as(okta, http.MethodGet, "/Users?count=0", "").want(200)
	filter(`userName eq "nobody@example.com"`).want(200).is(0.0, "totalResults")
	built.as(okta, http.MethodPost, "/Users", `{"userName": "new@example.com"}`).want(201)
}
