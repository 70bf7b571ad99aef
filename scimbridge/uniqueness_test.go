package scimbridge_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/scim"
)

// RFC 7644, section 3.7: a POST is to a resource type's endpoint.
func TestABulkPOSTIsToTheUsersOnly(t *testing.T) {
	w := newWorld(t)
	w.as(okta, http.MethodPost, "/Bulk", `{"Operations": [{"method": "POST", "path": "/Groups", "bulkId": "a", "data": {"userName": "a@example.com"}}]}`).want(200)
	w.as(okta, http.MethodGet, "/Users", "").want(200).is(0.0, "totalResults")
}

// RFC 7644, section 3.11: Location is in any response.
func TestEveryAnswerOfMeSaysWhoItIsAbout(t *testing.T) {
	w := newWorld(t)
	id := w.user("bob")
	where := base + "/scim2/Users/" + id
	tag := w.as(id, http.MethodGet, "/Me", "").want(200).header.Get("ETag")
	w.as(id, http.MethodGet, "/Me", "", "If-None-Match", tag).want(304).shows("Location", where)
	w.as(id, http.MethodPatch, "/Me", ops(set("id", "x"))).refused(400, "mutability").shows("Location", where)
	w.as(id, http.MethodDelete, "/Me", "").want(204).shows("Location", where)
}

// RFC 7643, section 4.1.1: userName is unique, also where Kratos does not see to it.
func TestAUserNameIsTakenByWhoWasChangedElsewhere(t *testing.T) {
	w := newWorld(t, options{named: true})
	id := w.as(okta, http.MethodPost, "/Users", `{"userName": "bob", "emails": [{"value": "bob@example.com"}]}`).want(201).id()
	if _, err := w.kratos.Change(t.Context(), id, []scim.Operation{{Op: scim.Add, Path: "/traits/name/first", Value: "Bob"}}); err != nil {
		t.Fatal(err)
	}
	w.as(okta, http.MethodPost, "/Users", `{"userName": "bob", "emails": [{"value": "other@example.com"}]}`).refused(409, "uniqueness")
}

// The same, at once.
func TestAUserNameIsOneUsersAtOnce(t *testing.T) {
	w := newWorld(t, options{named: true})
	var all errgroup.Group
	for i := range 8 {
		all.Go(func() error {
			_, err := w.try(okta, http.MethodPost, "/Users", fmt.Sprintf(`{"userName": "bob", "emails": [{"value": "b%d@example.com"}]}`, i))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	w.as(okta, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "bob"`), "").want(200).is(1.0, "totalResults")
}
