package scimbridge_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// walk reads a list by cursor to its end, and returns the names on each page.
func (w *world) walk(token, path, first string, query url.Values) []string {
	w.Helper()
	var pages []string
	query.Set("cursor", first)
	for {
		a := w.as(token, http.MethodGet, path+"?"+query.Encode(), "").want(http.StatusOK)
		names := a.displayed()
		if path == "/Users" {
			names = a.names()
		}
		pages = append(pages, names)
		a.is(nil, "startIndex").is(float64(len(strings.Fields(names))), "itemsPerPage")
		next, there := a.at("nextCursor").(string)
		if !there {
			return pages
		}
		query.Set("cursor", next)
	}
}

func TestListsAreReadByCursor(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"e", "b", "d", "a", "c"} {
		w.user(name, `"displayName": "`+name+`"`)
		w.group(name)
	}
	for _, path := range []string{"/Users", "/Groups"} {
		for query, want := range map[string]string{
			"count=2&sortBy=displayName":                                 "a b|c d|e",
			"count=2&sortBy=displayName&sortOrder=descending":            "e d|c b|a",
			"count=5&sortBy=displayName":                                 "a b c d e",
			"sortBy=displayName":                                         "a b c d e",
			"count=1000&sortBy=displayName":                              "a b c d e",
			"count=1&sortBy=displayName&filter=displayName gt \"c\"":     "d|e",
			"count=1&filter=displayName eq \"c\"":                        "c",
			"count=1&filter=displayName eq \"x\"":                        "",
			"count=1&sortBy=displayName&filter=displayName co \"c\"":     "c",
			"count=2&sortBy=displayName&attributes=userName,displayName": "a b|c d|e",
		} {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			w.wants(path+" "+query, strings.Join(w.walk(okta, path, "", values), "|"), want)
		}
		pages := w.walk(okta, path, "", url.Values{"count": {"2"}})
		all := strings.Fields(strings.Join(pages, " "))
		if len(pages) != 3 || len(all) != 5 {
			t.Errorf("%s: got %q", path, pages)
		}
		w.as(okta, http.MethodGet, path+"?cursor&count=2", "").want(http.StatusOK).is(5.0, "totalResults").is(2.0, "itemsPerPage")
		for _, none := range []string{"0", "-1"} {
			total := w.as(okta, http.MethodGet, path+"?cursor&sortBy=displayName&count="+none, "").want(http.StatusOK)
			total.is(5.0, "totalResults").is(0.0, "itemsPerPage").is(nil, "nextCursor").is(nil, "startIndex")
		}
		by := w.as(okta, http.MethodPost, path+"/.search", `{"cursor": "", "count": 2, "sortBy": "displayName"}`).want(http.StatusOK)
		next := by.at("nextCursor").(string)
		then := w.as(okta, http.MethodPost, path+"/.search", `{"cursor": "`+next+`", "count": 2, "sortBy": "displayName"}`).want(http.StatusOK)
		then.is(2.0, "itemsPerPage")
	}
}

func TestACursorIsGoodForItsListAndItsReaderInTime(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	for _, name := range []string{"b", "c"} {
		w.user(name)
		w.group(name, a)
	}
	cursor := func(token, path string) string {
		t.Helper()
		return w.as(token, http.MethodGet, path+"&cursor=&count=1", "").want(http.StatusOK).at("nextCursor").(string)
	}
	users, groups := cursor(okta, "/Users?sortBy=userName"), cursor(okta, "/Groups?sortBy=displayName")
	mine := cursor(a, "/Groups?sortBy=displayName")
	for _, tt := range []struct{ token, path, kind string }{
		{okta, "/Users?cursor=" + users, "invalidCursor"}, // another order
		{okta, "/Users?sortBy=userName&sortOrder=descending&cursor=" + users, "invalidCursor"},
		{okta, "/Users?sortBy=userName&filter=userName+pr&cursor=" + users, "invalidCursor"},
		{entra, "/Users?sortBy=userName&cursor=" + users, "invalidCursor"},
		{okta, "/Groups?sortBy=displayName&cursor=" + users, "invalidCursor"},
		{okta, "/Groups?sortBy=displayName&cursor=" + mine, "invalidCursor"},
		{a, "/Groups?sortBy=displayName&cursor=" + groups, "invalidCursor"},
		{okta, "/Users?cursor=x", "invalidCursor"},
		{okta, "/Users?sortBy=userName&startIndex=1&cursor=" + users, "invalidCursor"},
		{okta, "/Users?sortBy=userName&count=0&cursor=" + users, "invalidCount"},
		{okta, "/Users?sortBy=userName&count=-1&cursor=" + users, "invalidCount"},
		{okta, "/Groups?cursor&count=many", "invalidCount"},
		{okta, "/Users?count=many", "invalidValue"}, // by index
	} {
		w.as(tt.token, http.MethodGet, tt.path, "").refused(http.StatusBadRequest, tt.kind)
	}
	w.as(okta, http.MethodPost, "/.search", `{"cursor": ""}`).refused(http.StatusBadRequest, "invalidCursor")
	w.as(okta, http.MethodPost, "/Users/.search", `{"cursor": 7}`).refused(http.StatusBadRequest, "invalidValue")
	w.as(okta, http.MethodPost, "/Users/.search", `{"cursor": "", "count": "2"}`).refused(http.StatusBadRequest, "invalidCount")
	w.wants("own groups", w.as(a, http.MethodGet, "/Groups?sortBy=displayName&cursor="+mine, "").want(http.StatusOK).displayed(), "c")
	w.mu.Lock()
	w.now = w.now.Add(time.Hour + time.Minute)
	w.mu.Unlock()
	for _, path := range []string{"/Users?sortBy=userName&cursor=" + users, "/Groups?sortBy=displayName&cursor=" + groups} {
		w.as(okta, http.MethodGet, path, "").refused(http.StatusBadRequest, "expiredCursor")
	}
	config := w.as("", http.MethodGet, "/ServiceProviderConfig", "").want(http.StatusOK).at("pagination")
	w.wants("pagination", fmt.Sprint(config), "map[cursor:true cursorTimeout:3600 defaultPageSize:10 defaultPaginationMethod:index index:true maxPageSize:20]")
}
