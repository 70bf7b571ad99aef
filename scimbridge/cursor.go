package scimbridge

import (
	"strings"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/users"
)

// errCount says what a count by cursor must be. One that is larger than the largest page
// is taken for that.
var errCount = scim.Bad(scim.InvalidCount, "by cursor count must be a whole number, and 1 or more behind the first page")

// checkCursor refuses what does not go with a cursor (RFC 9865).
func (q question) checkCursor(indexed bool) error {
	switch {
	case q.cursor == nil:
		return nil
	case indexed:
		return scim.Bad(scim.InvalidCursor, "cursor and startIndex exclude each other")
	case q.count < 1 && *q.cursor != "": // a page of nothing, which would never end
		return errCount
	}
	return nil
}

// searchBy checks a question, and opens its cursor if it has one. A first page of no
// resources is a question for the total.
func (h handlers) searchBy(q question, r scim.Resource, who caller) (users.Search, error) {
	search, err := h.searchOf(q, r)
	if err != nil || q.cursor == nil || q.count < 1 {
		return search, err
	}
	now := h.server.Now()
	search.Walk = &scim.Walk{Reader: who.reader(), Now: now, Until: now.Add(h.CursorTimeout)}
	if *q.cursor != "" {
		search.Walk.After, err = h.Cursors.Open(*q.cursor, now, h.CursorTimeout, q.bound(r, who)...)
	}
	return search, err
}

// byCursor completes a page that was asked for by cursor.
func (h handlers) byCursor(list *listResponse, q question, next string, r scim.Resource, who caller) (err error) {
	if q.cursor == nil {
		return nil
	}
	list.StartIndex = 0
	if next != "" {
		list.NextCursor, err = h.Cursors.Seal(next, h.server.Now(), q.bound(r, who)...)
	}
	return err
}

// bound is what a cursor is good for: one list, read by one caller.
func (q question) bound(r scim.Resource, who caller) []string {
	return []string{r.Endpoint, q.filter, q.sortBy, strings.ToLower(q.sortOrder), who.reader()}
}

// reader names a caller.
func (w caller) reader() string {
	if w.Client != "" {
		return "client " + w.Client
	}
	return "identity " + w.self
}
