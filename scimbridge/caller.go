package scimbridge

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/internal/web"
)

// caller is who makes a request and what it is about.
type caller struct {
	users.By
	// self is the caller's own identity; blank for a client.
	self string
	// all tells that the caller may address every user.
	all bool
}

var (
	errNoSelf    = &scim.Error{Status: http.StatusNotFound, Detail: "the caller is a client and no user: /Me is for users"}
	errNoMe      = &scim.Error{Status: http.StatusNotImplemented, Detail: "users are made at /Users"}
	errOwnersOne = &scim.Error{Status: http.StatusForbidden, Detail: "users may read and change themselves only, at /Me"}
)

// caller authenticates a client by its token, or a person by their session or
// password.
func (h handlers) caller(c *gin.Context, scope auth.Scope) (caller, error) {
	if h.server.IsClient(c) {
		token, err := h.server.Client(c, scope)
		return caller{
			By: users.By{
				Actor: token.Actor(web.ClientAddress(c)), Client: token.Name, Blind: !token.Has(auth.ScopeSCIMRead),
				Language: web.PreferredLanguage(c.GetHeader("Accept-Language")),
			},
			all: true,
		}, err
	}
	owner, err := h.server.Owner(c)
	if realm, _ := claim.SplitRealm(owner.IdentityID); err == nil && realm != claim.PrimaryRealm {
		err = claim.ErrNoIdentity // the users here are those of the primary realm
	}
	in := owner.SignIn()
	return caller{
		By:   users.By{Actor: owner.Actor(), SignedIn: &in, Session: owner.SessionID, Language: owner.Language},
		self: owner.IdentityID,
	}, err
}

// about authenticates who asks about one user, whom the route names, and returns
// the user's id. Of somebody else a person learns nothing, not even whether there
// is anybody, unless they are privileged.
func (h handlers) about(c *gin.Context, scope auth.Scope) (caller, string, error) {
	who, err := h.caller(c, scope)
	if err != nil {
		return who, "", err
	}
	id := c.Param("id")
	switch {
	case id == "" && who.self == "":
		return who, "", errNoSelf
	case id == "":
		c.Header("Content-Location", h.location(who.self))
		c.Header("Location", h.location(who.self)) // in any answer: RFC 7644, section 3.11
		return who, who.self, nil
	case who.all, id == who.self:
		return who, id, nil
	}
	if who, err = h.elevate(c, who); err == nil && !who.all {
		err = claim.ErrNoIdentity
	}
	return who, id, err
}

// everybody authenticates who asks about all users.
func (h handlers) everybody(c *gin.Context, scope auth.Scope) (caller, error) {
	who, err := h.caller(c, scope)
	if err != nil || who.all {
		return who, err
	}
	if who, err = h.elevate(c, who); err == nil && !who.all {
		err = errOwnersOne
	}
	return who, err
}

// elevate lets a person whose record says so act as a privileged user.
func (h handlers) elevate(c *gin.Context, who caller) (caller, error) {
	privileged, err := h.server.IsPrivileged(c.Request.Context(), who.self)
	if privileged {
		who.all, who.Actor.Kind = true, audit.Privileged
	}
	return who, err
}
