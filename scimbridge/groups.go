package scimbridge

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/internal/scim/users"
)

// Groups keep groups. [groups.Service] does.
type Groups interface {
	Find(ctx context.Context, by groups.By, id string) (groups.Group, error)
	List(ctx context.Context, by groups.By, search users.Search) (groups.Page, error)
	Members(ctx context.Context, by groups.By, id, after string, n int) (members []string, next string, err error)
	Of(ctx context.Context, ids []string) (map[string][]groups.Membership, error)
	Create(ctx context.Context, by groups.By, body map[string]any) (groups.Group, error)
	Replace(ctx context.Context, by groups.By, id string, body map[string]any, wants users.Wants) (groups.Group, error)
	Patch(ctx context.Context, by groups.By, id string, request patch.Request, wants users.Wants) (groups.Group, error)
	Delete(ctx context.Context, by groups.By, id string, wants users.Wants) error
}

const (
	// MaxGroupBody bounds the body of a request for one group, in bytes: it has room for
	// [groups.MostMembers] with their names and references.
	MaxGroupBody = 6 << 20
	// memberPage is how many members are read at a time.
	memberPage = 1000
)

var errOwnersRead = &scim.Error{Status: http.StatusForbidden, Detail: "users may read their own groups only"}

func (h handlers) groupRoutes(r gin.IRouter) {
	r.GET("/Groups", h.on(h.listGroups))
	r.POST("/Groups", h.on(h.createGroup))
	r.POST("/Groups/.search", h.on(h.searchGroups))
	r.GET("/Groups/:id", h.on(h.getGroup))
	r.PUT("/Groups/:id", h.on(h.putGroup))
	r.PATCH("/Groups/:id", h.on(h.patchGroup))
	r.DELETE("/Groups/:id", h.on(h.deleteGroup))
}

// byGroups authenticates who asks about groups. People who are not privileged may read
// those that they are in, and see no other member.
func (h handlers) byGroups(c *gin.Context, scope auth.Scope) (caller, groups.By, error) {
	who, err := h.caller(c, scope)
	if err == nil && !who.all {
		who, err = h.elevate(c, who)
	}
	by := groupsBy(who)
	if err == nil && !who.all {
		by.Only = who.self
		if scope != auth.ScopeSCIMRead {
			err = errOwnersRead
		}
	}
	return who, by, err
}

func groupsBy(who caller) groups.By { return groups.By{Actor: who.Actor, Client: who.Client} }

func (h handlers) getGroup(c *gin.Context) error {
	_, by, err := h.byGroups(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	shown, err := h.groupProjection(c)
	if err != nil {
		return err
	}
	g, err := h.Groups.Find(c.Request.Context(), by, c.Param("id"))
	if err != nil {
		return err
	}
	if header := all(c, "If-None-Match"); header != "" && lists(header, g.Tag()) {
		c.Header("ETag", etag(g.Tag()))
		empty(c, http.StatusNotModified)
		return nil
	}
	return h.answerGroup(c, http.StatusOK, by, g, shown)
}

func (h handlers) groupProjection(c *gin.Context) (scim.Projection, error) {
	query := c.Request.URL.Query()
	return h.group.Projection(names(query, "attributes"), names(query, "excludedAttributes"))
}

func (h handlers) createGroup(c *gin.Context) error {
	who, by, err := h.byGroups(c, auth.ScopeSCIMWrite)
	if err != nil {
		return err
	}
	shown, err := h.groupProjection(c)
	if err != nil {
		return err
	}
	body, err := read(c, MaxGroupBody)
	if err != nil {
		return err
	}
	g, err := h.Groups.Create(c.Request.Context(), by, body)
	if err != nil {
		return err
	}
	if who.Blind {
		h.created(c, h.group, g.ID)
		return nil
	}
	return h.answerGroup(c, http.StatusCreated, by, g, shown)
}

func (h handlers) putGroup(c *gin.Context) error {
	return h.changeGroup(c, true, func(by groups.By, body map[string]any, wants users.Wants) (groups.Group, error) {
		return h.Groups.Replace(c.Request.Context(), by, c.Param("id"), body, wants)
	})
}

// patchGroup answers without the group, which may be large, unless the client says what
// it wants to see of it (RFC 7644, section 3.5.2).
func (h handlers) patchGroup(c *gin.Context) error {
	query := c.Request.URL.Query()
	shows := len(names(query, "attributes"))+len(names(query, "excludedAttributes")) > 0
	return h.changeGroup(c, shows, func(by groups.By, body map[string]any, wants users.Wants) (groups.Group, error) {
		return h.patchOfGroup(c.Request.Context(), by, c.Param("id"), body, wants)
	})
}

func (h handlers) patchOfGroup(ctx context.Context, by groups.By, id string, body map[string]any, wants users.Wants) (groups.Group, error) {
	request, err := patch.Read(body, patch.Options{Mode: h.Mode})
	if err != nil {
		return groups.Group{}, err
	}
	return h.Groups.Patch(ctx, by, id, request, wants)
}

func (h handlers) changeGroup(
	c *gin.Context, shows bool, do func(by groups.By, body map[string]any, wants users.Wants) (groups.Group, error),
) error {
	who, by, err := h.byGroups(c, auth.ScopeSCIMWrite)
	if err != nil {
		return err
	}
	shown, err := h.groupProjection(c)
	if err == nil {
		err = blindly(who.By, all(c, "If-Match"))
	}
	if err != nil {
		return err
	}
	body, err := read(c, MaxGroupBody)
	if err != nil {
		return err
	}
	g, err := do(by, body, ifMatch(all(c, "If-Match")))
	switch {
	case err != nil:
		return err
	case who.Blind:
		empty(c, http.StatusNoContent)
		return nil
	case !shows:
		c.Header("ETag", etag(g.Tag()))
		empty(c, http.StatusNoContent)
		return nil
	}
	return h.answerGroup(c, http.StatusOK, by, g, shown)
}

func (h handlers) deleteGroup(c *gin.Context) error {
	who, by, err := h.byGroups(c, auth.ScopeSCIMWrite)
	if err == nil {
		err = blindly(who.By, all(c, "If-Match"))
	}
	if err == nil {
		err = h.Groups.Delete(c.Request.Context(), by, c.Param("id"), ifMatch(all(c, "If-Match")))
	}
	if err == nil {
		empty(c, http.StatusNoContent)
	}
	return err
}

func (h handlers) listGroups(c *gin.Context) error {
	who, by, err := h.byGroups(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	q, err := h.asked(c)
	if err != nil {
		return err
	}
	return h.answerGroups(c, who, by, q)
}

func (h handlers) searchGroups(c *gin.Context) error {
	who, by, err := h.byGroups(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	q, err := h.askedByBody(c)
	if err != nil {
		return err
	}
	return h.answerGroups(c, who, by, q)
}

func (h handlers) answerGroups(c *gin.Context, who caller, by groups.By, q question) error {
	shown, err := h.group.Projection(q.attributes, q.excluded)
	if err != nil {
		return err
	}
	search, err := h.searchBy(q, h.group, who)
	if err != nil {
		return err
	}
	page, err := h.Groups.List(c.Request.Context(), by, search)
	if err != nil {
		return err
	}
	list := newList(page.Total, search.Offset+1, nil)
	list.ItemsPerPage = len(page.Groups)
	if err := h.byCursor(&list, q, page.Next, h.group, who); err != nil {
		return err
	}
	return stream(c, http.StatusOK, func(ctx context.Context, w *bufio.Writer) error {
		return writeList(w, list, len(page.Groups), func(i int) error { return h.writeGroup(ctx, w, by, page.Groups[i], shown) })
	})
}

// answerGroup answers with one group.
func (h handlers) answerGroup(c *gin.Context, status int, by groups.By, g groups.Group, shown scim.Projection) error {
	c.Header("ETag", etag(g.Tag()))
	c.Header("Location", h.locationOf(h.group, g.ID))
	return stream(c, status, func(ctx context.Context, w *bufio.Writer) error { return h.writeGroup(ctx, w, by, g, shown) })
}

// writeGroup writes a group, with its members by the page as far as they are shown.
func (h handlers) writeGroup(ctx context.Context, w *bufio.Writer, by groups.By, g groups.Group, shown scim.Projection) error {
	document := g.Document()
	meta, _ := document["meta"].(map[string]any)
	meta["location"], meta["version"] = h.locationOf(h.group, g.ID), etag(g.Tag())
	head, err := json.Marshal(shown.Apply(document))
	if err != nil {
		return err
	}
	if !shown.Shows(scim.MembersAttribute) {
		_, err := w.Write(head)
		return err
	}
	_, _ = w.Write(head[:len(head)-1]) // the writer keeps its first error
	before := `,"members":[`
	for after := ""; ; {
		page, next, err := h.Groups.Members(ctx, by, g.ID, after, memberPage)
		if err != nil {
			return err
		}
		for _, member := range h.members(page, shown) {
			text, err := json.Marshal(member)
			if err != nil {
				return err
			}
			_, _ = w.WriteString(before)
			_, _ = w.Write(text)
			before = ","
		}
		if next == "" {
			break
		}
		after = next
	}
	if before == "," {
		_, _ = w.WriteString("]")
	}
	return w.WriteByte('}')
}

// members are what is shown of members.
func (h handlers) members(ids []string, shown scim.Projection) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = map[string]any{"value": id, "type": h.Resource.Name, "$ref": h.location(id)}
	}
	list, _ = shown.Apply(map[string]any{scim.MembersAttribute: list})[scim.MembersAttribute].([]any)
	return list
}

// withGroups completes users with the groups that they are in, as far as those are
// shown. They are no part of what a version of a user must have for a change, but of
// what a client has seen of one: where there are groups the version says so behind a
// dot.
func (h handlers) withGroups(ctx context.Context, shown scim.Projection, list ...*users.User) error {
	if h.Groups == nil || !shown.Shows("groups") {
		return nil
	}
	var ids []string
	for _, user := range list {
		if !user.Ungrouped {
			ids = append(ids, user.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	of, err := h.Groups.Of(ctx, ids)
	if err != nil {
		return err
	}
	for _, user := range list {
		var groups []any
		var seen strings.Builder
		for _, m := range of[user.ID] {
			groups = append(groups, map[string]any{
				"value": m.GroupID, "display": m.Name, "type": "direct", "$ref": h.locationOf(h.group, m.GroupID),
			})
			seen.WriteString(m.GroupID + m.Name)
		}
		if groups != nil {
			user.Document["groups"] = groups
			sum := sha256.Sum256([]byte(seen.String()))
			user.Version += "." + base64.RawURLEncoding.EncodeToString(sum[:6])
		}
	}
	return nil
}
