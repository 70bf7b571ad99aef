package groups

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/internal/scim/users"
)

// Indexing says by what groups are found and sorted.
func Indexing() filter.Indexing {
	return filter.NewIndexing(scim.Group(), []string{"id", "displayName", "externalId", "members.value"}, []string{"displayName"})
}

// Find reads a group. One that the caller is not to see is none.
func (s *Service) Find(ctx context.Context, by By, id string) (Group, error) {
	if !isID(id) {
		return Group{}, ErrNoGroup
	}
	if by.Only != "" {
		mine, err := s.Store.Of(ctx, []string{by.Only})
		if err != nil {
			return Group{}, err
		}
		for _, m := range mine[by.Only] {
			if m.GroupID == id {
				return s.Store.Find(ctx, by.Client, id)
			}
		}
		return Group{}, ErrNoGroup
	}
	return s.Store.Find(ctx, by.Client, id)
}

// isID reports whether a text looks like a group's id. Others are no group's, and not
// asked for.
func isID(text string) bool {
	return len(text) == 36 && strings.Trim(text, "0123456789abcdef-") == ""
}

// List answers a search. What a filter asks of members beside who they are is refused.
func (s *Service) List(ctx context.Context, by By, search users.Search) (Page, error) {
	q, err := s.query(by, search)
	if err != nil {
		return Page{}, err
	}
	return s.Store.List(ctx, q)
}

func (s *Service) query(by By, search users.Search) (Query, error) {
	asked := Indexing().Query(search.Filter, search.SortBy)
	q := Query{
		Client: by.Client, Member: by.Only, Condition: asked.Condition, Exact: asked.Exact, Matches: asked.Matches,
		SortKey: asked.SortKey, ByName: asked.SortBy == "displayName", Descending: search.Descending,
		Offset: search.Offset, Limit: search.Limit, Walk: search.Walk,
	}
	if search.Filter == nil {
		return q, nil
	}
	var ok bool
	if q.Mentioned, ok = search.Filter.Mentions(s.resource, scim.MembersAttribute); !ok {
		return q, &scim.Error{
			Status: http.StatusBadRequest, ScimType: scim.InvalidFilter, Detail: `members can only be compared by value eq`,
		}
	}
	if by.Only != "" { // who else is in a group is not for people to find out
		q.Condition, q.Exact = scim.All{}, false
		q.Mentioned = slices.DeleteFunc(q.Mentioned, func(user string) bool { return user != by.Only })
	}
	return q, nil
}

// Members returns a page of a group's members, as the caller may see them: of people
// only themselves.
func (s *Service) Members(ctx context.Context, by By, id, after string, n int) ([]string, string, error) {
	if by.Only != "" {
		return []string{by.Only}, "", nil
	}
	return s.Store.Members(ctx, id, after, n)
}

// Of returns the groups of users.
func (s *Service) Of(ctx context.Context, ids []string) (map[string][]Membership, error) {
	return s.Store.Of(ctx, ids)
}
