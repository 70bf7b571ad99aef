package scimbridge

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/users"
)

// searchAll searches all resources (RFC 7644, section 3.4.3): users come before groups,
// each in the order that was asked for.
func (h handlers) searchAll(c *gin.Context) error {
	who, err := h.everybody(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	q, err := h.askedByBody(c)
	if err != nil {
		return err
	}
	found, err := h.searched(c.Request.Context(), who, q)
	if err != nil {
		return err
	}
	list := newList(found.users.Total+found.groups.Total, found.offset+1, nil)
	people := len(found.users.Users)
	list.ItemsPerPage = people + len(found.groups.Groups)
	return stream(c, http.StatusOK, func(ctx context.Context, w *bufio.Writer) error {
		return writeList(w, list, list.ItemsPerPage, func(i int) error {
			if i >= people {
				return h.writeGroup(ctx, w, groupsBy(who), found.groups.Groups[i-people], found.ofGroups)
			}
			text, err := json.Marshal(found.ofUsers.Apply(h.present(found.users.Users[i])))
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		})
	})
}

// found is a page of all resources.
type found struct {
	offset            int
	users             users.Page
	groups            groups.Page
	ofUsers, ofGroups scim.Projection
}

func (h handlers) searched(ctx context.Context, who caller, q question) (f found, err error) {
	if f.ofUsers, err = h.Resource.Projection(q.attributes, q.excluded); err != nil {
		return f, err
	}
	if f.ofGroups, err = h.group.Projection(q.attributes, q.excluded); err != nil {
		return f, err
	}
	search, err := h.searchOf(q, h.Resource)
	if err != nil {
		return f, err
	}
	if q.cursor != nil {
		return f, scim.Bad(scim.InvalidCursor, "cursors are for lists of one type: ask at "+h.Resource.Endpoint+" or "+h.group.Endpoint)
	}
	f.offset = search.Offset
	only := kindOf(search)
	if only != h.group.Name {
		if f.users, err = h.Users.List(ctx, who.By, search); err != nil {
			return f, err
		}
		if err := h.withGroups(ctx, f.ofUsers, pointers(f.users.Users)...); err != nil {
			return f, err
		}
	}
	if only == h.Resource.Name {
		return f, nil
	}
	search, err = h.searchOf(q, h.group)
	if err != nil {
		return f, err
	}
	search.Offset, search.Limit = max(0, search.Offset-f.users.Total), search.Limit-len(f.users.Users)
	f.groups, err = h.Groups.List(ctx, groupsBy(who), search)
	return f, err
}

// kindOf is the only type of resource that a filter may match, if it says so; blank if
// not. Whoever asks for groups is not to have all users looked at.
func kindOf(search users.Search) string {
	if search.Filter == nil {
		return ""
	}
	equal, _ := search.Filter.Equalities()
	for path, value := range equal {
		if scim.Fold(path) == "meta.resourcetype" {
			kind, _ := value.(string)
			return kind
		}
	}
	return ""
}

func pointers(list []users.User) []*users.User {
	pointing := make([]*users.User, len(list))
	for i := range list {
		pointing[i] = &list[i]
	}
	return pointing
}
