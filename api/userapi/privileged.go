package userapi

import (
	"context"
	"errors"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
)

// People finds whom a privileged caller speaks of.
type People interface {
	// Person returns who signs in by a name in a realm, and the realm's own name;
	// a blank realm is the primary one, unless the name begins with another. A
	// realm or a person that does not exist is claim.ErrNoIdentity.
	Person(ctx context.Context, realm, user string) (claim.Identity, string, error)
}

// tenantDomain is WSO2's name for its one tenant where nobody made others.
const tenantDomain = "carbon.super"

// userRequest names a user as WSO2 does.
type userRequest struct {
	Username     string `json:"username"`
	Realm        string `json:"realm"`
	TenantDomain string `json:"tenant-domain"` // WSO2's; there is one here
}

type validateForRequest struct {
	validateRequest
	User userRequest `json:"user"`
}

type resendForRequest struct {
	resendRequest
	User userRequest `json:"user"`
}

type validateForResponse struct {
	Username     string `json:"username"`
	Realm        string `json:"realm"`
	TenantDomain string `json:"tenant-domain"`
	UserID       string `json:"userId"`
}

// privilegedJSON adapts a function that a privileged caller asks for.
func privilegedJSON[In, Out any](
	e *web.Server, success int, do func(context.Context, web.PrivilegedCaller, In) (Out, error),
) gin.HandlerFunc {
	return func(c *gin.Context) {
		who, err := e.PrivilegedCaller(c)
		if err != nil {
			e.Fail(c, err)
			return
		}
		var in In
		if err := web.ReadJSON(c.Writer, c.Request, &in, true); err != nil {
			e.Fail(c, err)
			return
		}
		out, err := do(c.Request.Context(), who, in)
		if err != nil {
			e.Fail(c, err)
			return
		}
		web.Answer(c, success, out)
	}
}

// validateFor confirms another person's claim. The person is always named: no
// code is looked up across people. What concerns the person alone, such as that
// there is none, looks like a wrong code.
func (h handlers) validateFor(ctx context.Context, who web.PrivilegedCaller, in validateForRequest) (validateForResponse, error) {
	code, err := in.Code.read(h.codeLength)
	if err == nil && in.User.Username == "" {
		err = web.ErrMalformed
	}
	if err != nil {
		return validateForResponse{}, err
	}
	person, realm, err := h.person(ctx, who, in.User)
	if err == nil && person.Privileged && !who.Privileged {
		return validateForResponse{}, web.ErrForbidden
	}
	if err == nil {
		err = h.claims.Confirm(ctx, on(person, who), code)
	} else if errors.Is(err, claim.ErrNoIdentity) {
		// What is said to everybody comes first, so that it tells nothing.
		err = h.claims.Confirm(ctx, on(claim.Identity{}, who), code)
	}
	if err != nil {
		return validateForResponse{}, err
	}
	_, id := claim.SplitRealm(person.ID)
	return validateForResponse{nameIn(realm, in.User.Username), realm, tenantDomain, id}, nil
}

// resendFor sends another person's claim another text. Nobody of that name and
// nothing pending look alike.
func (h handlers) resendFor(ctx context.Context, who web.PrivilegedCaller, in resendForRequest) (web.None, error) {
	if in.User.Username == "" {
		return web.None{}, web.ErrMalformed
	}
	if !in.Properties.askForUpdate() {
		return web.None{}, web.ErrScenario
	}
	person, _, err := h.person(ctx, who, in.User)
	if err == nil {
		err = h.claims.Resend(ctx, on(person, who))
	}
	if errors.Is(err, claim.ErrNoIdentity) || errors.Is(err, claim.ErrNothingPending) {
		err = web.ErrScenario
	}
	return web.None{}, err
}

// person finds whom a request names, if the caller may speak of their realm.
func (h handlers) person(ctx context.Context, who web.PrivilegedCaller, user userRequest) (claim.Identity, string, error) {
	asked := user.Realm
	if asked == "" {
		asked = who.Realm
	}
	person, realm, err := h.people.Person(ctx, asked, user.Username)
	if err == nil && who.Realm != "" && !strings.EqualFold(who.Realm, realm) {
		err = claim.ErrNoIdentity
	}
	return person, realm, err
}

// on is a call that a privileged caller makes for a person, whose language counts and not
// the caller's. Limits for an address are for those who write on their own
// behalf.
func on(person claim.Identity, who web.PrivilegedCaller) claim.Caller {
	return claim.Caller{
		IdentityID: person.ID, Seen: &person, AuthenticatedAt: who.SignedIn, By: who.Actor,
		Language: web.PreferredLanguage(person.Locale),
	}
}

// nameIn is a user's name without the realm that it began with.
func nameIn(realm, user string) string {
	if before, name, found := strings.Cut(user, "/"); found && strings.EqualFold(before, realm) {
		return name
	}
	return user
}
