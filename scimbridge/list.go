package scimbridge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/internal/scim/users"
)

// errGroupsFilter refuses what would find nobody: groups are no part of the index of users.
var errGroupsFilter = scim.Bad(scim.InvalidFilter, "users are not filtered by groups: read the group's members")

// listResponse is the message of RFC 7644, section 3.4.2.
type listResponse struct {
	Schemas      []string `json:"schemas"`
	TotalResults *int     `json:"totalResults,omitempty"` // by cursor nil if it is not known
	StartIndex   int      `json:"startIndex,omitempty"`   // 0 by cursor
	ItemsPerPage int      `json:"itemsPerPage"`
	NextCursor   string   `json:"nextCursor,omitempty"`
	Resources    []any    `json:"Resources"`
}

func newList(total, start int, resources []any) listResponse {
	if resources == nil {
		resources = []any{} // clients want a list, not null
	}
	list := listResponse{
		Schemas:    []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		StartIndex: start, ItemsPerPage: len(resources), Resources: resources,
	}
	if total >= 0 {
		list.TotalResults = &total
	}
	return list
}

// question is what a list is asked for, by a URL's query or by a body.
type question struct {
	filter, sortBy, sortOrder string
	start, count              int
	cursor                    *string // nil for a page by index
	attributes, excluded      []string
}

func (h handlers) list(c *gin.Context) error {
	who, err := h.everybody(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	q, err := h.asked(c)
	if err != nil {
		return err
	}
	return h.answerList(c, who, q)
}

// asked reads what a list is asked for by a URL's query.
func (h handlers) asked(c *gin.Context) (question, error) {
	query := c.Request.URL.Query()
	q := question{
		filter: query.Get("filter"), sortBy: query.Get("sortBy"), sortOrder: query.Get("sortOrder"),
		attributes: names(query, "attributes"), excluded: names(query, "excludedAttributes"),
	}
	if query.Has("cursor") {
		cursor := query.Get("cursor")
		q.cursor = &cursor
	}
	var err error
	if q.start, err = number("startIndex", query.Get("startIndex"), 1); err != nil {
		return q, err
	}
	if q.count, err = number("count", query.Get("count"), h.DefaultResults); err != nil && q.cursor != nil {
		return q, errCount
	} else if err != nil {
		return q, err
	}
	return q, q.checkCursor(query.Has("startIndex"))
}

// search is a query whose words stay out of URLs, and so of logs (RFC 7644,
// section 3.4.3).
func (h handlers) search(c *gin.Context) error {
	who, err := h.everybody(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	q, err := h.askedByBody(c)
	if err != nil {
		return err
	}
	return h.answerList(c, who, q)
}

// askedByBody reads what a list is asked for by a request's body.
func (h handlers) askedByBody(c *gin.Context) (question, error) {
	body, err := read(c, MaxBody)
	if err != nil {
		return question{}, err
	}
	return h.question(body)
}

// question reads the body of a search. Names may be in any case.
func (h handlers) question(body map[string]any) (question, error) {
	q := question{start: 1, count: h.DefaultResults}
	wrong := func(name, what string) error { return scim.Bad(scim.InvalidValue, name+" must be "+what) }
	members, err := scim.FoldNames(body)
	if err != nil {
		return q, err
	}
	for name, value := range members {
		if value == nil {
			continue
		}
		var err error
		ok := true
		switch name {
		case "filter":
			if q.filter, ok = value.(string); !ok {
				return q, scim.Bad(scim.InvalidFilter, "filter must be a string")
			}
		case "sortby":
			q.sortBy, ok = value.(string)
		case "sortorder":
			q.sortOrder, ok = value.(string)
		case "cursor":
			var cursor string
			cursor, ok = value.(string)
			q.cursor = &cursor
		case "startindex":
			q.start, err = number(name, text(value), 1)
		case "count":
			if q.count, err = number(name, text(value), h.DefaultResults); err != nil && members["cursor"] != nil {
				err = errCount
			}
		case "attributes":
			q.attributes, ok = words(value)
		case "excludedattributes":
			q.excluded, ok = words(value)
		}
		if err != nil {
			return q, err
		}
		if !ok {
			return q, wrong(name, "a string, or a list of strings")
		}
	}
	return q, q.checkCursor(members["startindex"] != nil)
}

// text writes a number of a body; anything else makes no number.
func text(value any) string {
	if n, ok := value.(json.Number); ok {
		return n.String()
	}
	return "?"
}

func words(value any) ([]string, bool) {
	list, ok := value.([]any)
	var found []string
	for _, element := range list {
		word, isText := element.(string)
		found, ok = append(found, word), ok && isText
	}
	return found, ok
}

// number reads a parameter that must be a whole number.
func number(name, text string, none int) (int, error) {
	if text == "" {
		return none, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, scim.Bad(scim.InvalidValue, name+" must be a whole number")
	}
	return n, nil
}

// names reads a parameter that lists attributes.
func names(query url.Values, name string) []string {
	return strings.FieldsFunc(strings.Join(query[name], ","), func(r rune) bool { return r == ',' || r == ' ' })
}

func (h handlers) answerList(c *gin.Context, who caller, q question) error {
	shown, err := h.Resource.Projection(q.attributes, q.excluded)
	if err != nil {
		return err
	}
	search, err := h.searchBy(q, h.Resource, who)
	if err != nil {
		return err
	}
	page, err := h.Users.List(c.Request.Context(), who.By, search)
	if err != nil {
		return err
	}
	if err := h.withGroups(c.Request.Context(), shown, pointers(page.Users)...); err != nil {
		return err
	}
	var resources []any
	for _, user := range page.Users {
		resources = append(resources, shown.Apply(h.present(user)))
	}
	list := newList(page.Total, search.Offset+1, resources)
	if err := h.byCursor(&list, q, page.Next, h.Resource, who); err != nil {
		return err
	}
	answer(c, http.StatusOK, list)
	return nil
}

// searchOf checks a question. A start before the first is the first, and a
// negative count is none (RFC 7644, section 3.4.2.4).
func (h handlers) searchOf(q question, r scim.Resource) (users.Search, error) {
	search := users.Search{
		SortBy: q.sortBy, Offset: max(q.start, 1) - 1, Limit: min(max(q.count, 0), h.MaxResults),
	}
	switch strings.ToLower(q.sortOrder) {
	case "", "ascending":
	case "descending":
		search.Descending = true
	default:
		return search, scim.Bad(scim.InvalidValue, "sortOrder must be ascending or descending")
	}
	if q.filter == "" {
		return search, nil
	}
	parsed, err := filter.Parse(q.filter, filter.Limits{Mode: h.Mode})
	if err == nil {
		err = parsed.Check(r)
	}
	if err != nil {
		return search, fmt.Errorf("filter: %w", err)
	}
	if mentioned, decidable := parsed.Mentions(h.Resource, "groups"); r.Name == h.Resource.Name && (len(mentioned) > 0 || !decidable) {
		return search, errGroupsFilter
	}
	search.Filter = parsed
	return search, nil
}
